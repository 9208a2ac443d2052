//! rusqlite by hand, the base of all ratios: plain structs, statements prepared once, one query a level, hash maps.
//!
//! Invariant: this is what a good engineer writes who wants speed and still owns the data; no tricks with buffers.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params, params_from_iter};

use crate::contender::{Contender, Failure, Workload};
use crate::seed;
use crate::sum::Sum;

struct User {
    id: i64,
    name: String,
    hair_color: Option<String>,
}

struct Post {
    id: i64,
    title: String,
    user_id: i64,
}

struct Comment {
    id: i64,
    body: String,
    post_id: i64,
}

impl User {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            hair_color: row.get(2)?,
        })
    }

    fn add_to(&self, sum: &mut Sum) {
        sum.user(self.id, &self.name, self.hair_color.as_deref());
    }
}

impl Post {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            title: row.get(1)?,
            user_id: row.get(2)?,
        })
    }
}

impl Comment {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            body: row.get(1)?,
            post_id: row.get(2)?,
        })
    }
}

struct Rusqlite {
    connection: Connection,
}

/// Opens and fills the database.
pub fn open(path: &str, script: &[String]) -> Result<Box<dyn Contender>, Failure> {
    let connection = Connection::open(path)?;
    connection.execute_batch(seed::SETTINGS)?;
    for statement in script {
        connection.execute_batch(statement)?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(Box::new(Rusqlite { connection }))
}

impl Contender for Rusqlite {
    fn run(&mut self, workload: Workload, sum: &mut Sum) -> Result<(), Failure> {
        match workload {
            Workload::Users => self.users(sum)?,
            Workload::Inserts => self.inserts(sum)?,
            Workload::Nested => self.nested(sum)?,
            Workload::Authors => self.authors(sum)?,
            Workload::Find => self.find(sum)?,
            Workload::Lazy => self.lazy(sum)?,
            Workload::Posts => self.posts(sum)?,
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Failure> {
        self.connection.execute("DELETE FROM people", [])?;
        Ok(())
    }
}

impl Rusqlite {
    fn users(&self, sum: &mut Sum) -> rusqlite::Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, name, hair_color FROM users ORDER BY id")?;
        let users = statement
            .query_map([], User::from_row)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        users.iter().for_each(|user| user.add_to(sum));
        Ok(())
    }

    fn inserts(&mut self, sum: &mut Sum) -> rusqlite::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut people = Vec::new();
        for number in 1..=seed::INSERTS {
            let mut person = User {
                id: 0,
                name: seed::name(number),
                hair_color: seed::hair_color(number).map(str::to_string),
            };
            transaction
                .prepare_cached("INSERT INTO people (name, hair_color) VALUES (?1, ?2)")?
                .execute(params![person.name, person.hair_color])?;
            person.id = transaction.last_insert_rowid();
            people.push(person);
        }
        transaction.commit()?;
        people
            .iter()
            .for_each(|person| sum.inserted(person.id, &person.name));
        Ok(())
    }

    fn nested(&self, sum: &mut Sum) -> rusqlite::Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, name, hair_color FROM users WHERE id <= ?1 ORDER BY id")?;
        let users = statement
            .query_map([seed::NESTED], User::from_row)?
            .collect::<rusqlite::Result<Vec<_>>>()?;

        let keys: Vec<i64> = users.iter().map(|user| user.id).collect();
        let sql = format!(
            "SELECT id, title, user_id FROM posts WHERE user_id IN ({})",
            marks(keys.len())
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut post_keys = Vec::new();
        let mut posts: HashMap<i64, Vec<Post>> = HashMap::with_capacity(users.len());
        for post in statement.query_map(params_from_iter(&keys), Post::from_row)? {
            let post = post?;
            post_keys.push(post.id);
            posts.entry(post.user_id).or_default().push(post);
        }

        let sql = format!(
            "SELECT id, body, post_id FROM comments WHERE post_id IN ({})",
            marks(post_keys.len())
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut comments: HashMap<i64, Vec<Comment>> = HashMap::with_capacity(post_keys.len());
        for comment in statement.query_map(params_from_iter(&post_keys), Comment::from_row)? {
            let comment = comment?;
            comments.entry(comment.post_id).or_default().push(comment);
        }

        for user in &users {
            user.add_to(sum);
            for post in posts.get(&user.id).into_iter().flatten() {
                sum.post(user.id, post.id, &post.title);
                for comment in comments.get(&post.id).into_iter().flatten() {
                    sum.comment(post.id, comment.id, &comment.body);
                }
            }
        }
        Ok(())
    }

    fn authors(&self, sum: &mut Sum) -> rusqlite::Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, title, user_id FROM posts ORDER BY id")?;
        let posts = statement
            .query_map([], Post::from_row)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut keys: Vec<i64> = posts.iter().map(|post| post.user_id).collect();
        keys.sort_unstable();
        keys.dedup();
        let sql = format!(
            "SELECT id, name, hair_color FROM users WHERE id IN ({})",
            marks(keys.len())
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut users: HashMap<i64, User> = HashMap::with_capacity(keys.len());
        for user in statement.query_map(params_from_iter(&keys), User::from_row)? {
            let user = user?;
            users.insert(user.id, user);
        }
        for post in &posts {
            let user = users
                .get(&post.user_id)
                .ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            sum.post(user.id, post.id, &post.title);
            user.add_to(sum);
        }
        Ok(())
    }

    fn by_key(&self, key: i64) -> rusqlite::Result<User> {
        self.connection
            .prepare_cached("SELECT id, name, hair_color FROM users WHERE id = ?1")?
            .query_row([key], User::from_row)
    }

    fn find(&self, sum: &mut Sum) -> rusqlite::Result<()> {
        for key in 1..=seed::USERS {
            self.by_key(key)?.add_to(sum);
        }
        Ok(())
    }

    fn first_posts(&self) -> rusqlite::Result<Vec<Post>> {
        let sql = format!(
            "SELECT id, title, user_id FROM posts ORDER BY id LIMIT {}",
            seed::LAZY
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map([], Post::from_row)?.collect()
    }

    fn posts(&self, sum: &mut Sum) -> rusqlite::Result<()> {
        for post in self.first_posts()? {
            sum.post(post.user_id, post.id, &post.title);
        }
        Ok(())
    }

    fn lazy(&self, sum: &mut Sum) -> rusqlite::Result<()> {
        for post in &self.first_posts()? {
            let user = self.by_key(post.user_id)?;
            sum.post(user.id, post.id, &post.title);
            user.add_to(sum);
        }
        Ok(())
    }
}

/// `?,?,?`
fn marks(count: usize) -> String {
    let mut marks = "?,".repeat(count);
    marks.pop();
    marks
}
