//! Diesel as its guides teach it: derives, `belonging_to` and `grouped_by` for children, a join for parents.
//!
//! Invariant: idiomatic first; where two ways are idiomatic, the faster one.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use crate::contender::{Contender, Failure, Workload};
use crate::seed;
use crate::sum::Sum;

mod tables {
    //! The tables of `seed`.

    diesel::table! {
        users (id) {
            id -> BigInt,
            name -> Text,
            hair_color -> Nullable<Text>,
        }
    }
    diesel::table! {
        people (id) {
            id -> BigInt,
            name -> Text,
            hair_color -> Nullable<Text>,
        }
    }
    diesel::table! {
        posts (id) {
            id -> BigInt,
            title -> Text,
            user_id -> BigInt,
        }
    }
    diesel::table! {
        comments (id) {
            id -> BigInt,
            body -> Text,
            post_id -> BigInt,
        }
    }
    diesel::joinable!(posts -> users (user_id));
    diesel::joinable!(comments -> posts (post_id));
    diesel::allow_tables_to_appear_in_same_query!(users, posts, comments);
}

use tables::{comments, people, posts, users};

#[derive(Queryable, Selectable, Identifiable)]
#[diesel(table_name = users)]
struct User {
    id: i64,
    name: String,
    hair_color: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = people)]
struct Person {
    id: i64,
    name: String,
    #[allow(dead_code, reason = "read back as any ordinary save does")]
    hair_color: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = people)]
struct NewPerson {
    name: String,
    hair_color: Option<String>,
}

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = posts, belongs_to(User))]
struct Post {
    id: i64,
    title: String,
    user_id: i64,
}

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = comments, belongs_to(Post))]
struct Comment {
    id: i64,
    body: String,
    post_id: i64,
}

impl User {
    fn add_to(&self, sum: &mut Sum) {
        sum.user(self.id, &self.name, self.hair_color.as_deref());
    }
}

struct Diesel {
    connection: SqliteConnection,
}

/// Opens and fills the database.
pub fn open(path: &str, script: &[String]) -> Result<Box<dyn Contender>, Failure> {
    let mut connection = SqliteConnection::establish(path)?;
    connection.batch_execute(seed::SETTINGS)?;
    for statement in script {
        connection.batch_execute(statement)?;
    }
    Ok(Box::new(Diesel { connection }))
}

impl Contender for Diesel {
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
        diesel::delete(people::table).execute(&mut self.connection)?;
        Ok(())
    }
}

impl Diesel {
    fn users(&mut self, sum: &mut Sum) -> QueryResult<()> {
        let found: Vec<User> = users::table
            .order(users::id)
            .select(User::as_select())
            .load(&mut self.connection)?;
        found.iter().for_each(|user| user.add_to(sum));
        Ok(())
    }

    fn inserts(&mut self, sum: &mut Sum) -> QueryResult<()> {
        let inserted = self.connection.immediate_transaction(|connection| {
            (1..=seed::INSERTS)
                .map(|number| {
                    let person = NewPerson {
                        name: seed::name(number),
                        hair_color: seed::hair_color(number).map(str::to_string),
                    };
                    diesel::insert_into(people::table)
                        .values(&person)
                        .returning(Person::as_returning())
                        .get_result(connection)
                })
                .collect::<QueryResult<Vec<_>>>()
        })?;
        inserted
            .iter()
            .for_each(|person| sum.inserted(person.id, &person.name));
        Ok(())
    }

    fn nested(&mut self, sum: &mut Sum) -> QueryResult<()> {
        let connection = &mut self.connection;
        let all: Vec<User> = users::table
            .filter(users::id.le(seed::NESTED))
            .order(users::id)
            .select(User::as_select())
            .load(connection)?;
        let posts: Vec<Post> = Post::belonging_to(&all)
            .select(Post::as_select())
            .load(connection)?;
        let comments: Vec<Comment> = Comment::belonging_to(&posts)
            .select(Comment::as_select())
            .load(connection)?;
        let comments = comments.grouped_by(&posts);
        let posts = posts.into_iter().zip(comments).grouped_by(&all);
        for (user, posts) in all.iter().zip(&posts) {
            user.add_to(sum);
            for (post, comments) in posts {
                sum.post(user.id, post.id, &post.title);
                for comment in comments {
                    sum.comment(post.id, comment.id, &comment.body);
                }
            }
        }
        Ok(())
    }

    fn authors(&mut self, sum: &mut Sum) -> QueryResult<()> {
        let found: Vec<(Post, User)> = posts::table
            .inner_join(users::table)
            .order(posts::id)
            .select((Post::as_select(), User::as_select()))
            .load(&mut self.connection)?;
        for (post, user) in &found {
            sum.post(user.id, post.id, &post.title);
            user.add_to(sum);
        }
        Ok(())
    }

    fn find(&mut self, sum: &mut Sum) -> QueryResult<()> {
        for key in 1..=seed::USERS {
            let user: User = users::table
                .find(key)
                .select(User::as_select())
                .first(&mut self.connection)?;
            user.add_to(sum);
        }
        Ok(())
    }

    fn first_posts(&mut self) -> QueryResult<Vec<Post>> {
        posts::table
            .order(posts::id)
            .limit(seed::LAZY)
            .select(Post::as_select())
            .load(&mut self.connection)
    }

    fn posts(&mut self, sum: &mut Sum) -> QueryResult<()> {
        for post in self.first_posts()? {
            sum.post(post.user_id, post.id, &post.title);
        }
        Ok(())
    }

    fn lazy(&mut self, sum: &mut Sum) -> QueryResult<()> {
        for post in self.first_posts()? {
            let user: User = users::table
                .find(post.user_id)
                .select(User::as_select())
                .first(&mut self.connection)?;
            sum.post(user.id, post.id, &post.title);
            user.add_to(sum);
        }
        Ok(())
    }
}
