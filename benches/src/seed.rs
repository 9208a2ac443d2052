//! The data of all workloads, as statements that each contender runs on its own database.
//!
//! Invariant: the data is the same on every run and every machine; nothing is random.

use std::fmt::Write as _;

use crate::contender::Failure;

/// Users in the database.
pub const USERS: i64 = 10_000;
/// Users who wrote posts.
pub const AUTHORS: i64 = 1_000;
/// Posts; ten of each author, one after the other.
pub const POSTS: i64 = 10_000;
/// Users whose posts have comments, ten a post.
pub const NESTED: i64 = 100;
/// People that one run inserts.
pub const INSERTS: i64 = 1_000;
/// Posts of the lazy loop.
pub const LAZY: i64 = 1_000;

/// Who wrote a post.
const fn author(post: i64) -> i64 {
    (post - 1) / (POSTS / AUTHORS) + 1
}

const TABLES: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, hair_color TEXT);
CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, hair_color TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, title TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id));
CREATE TABLE comments (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, body TEXT NOT NULL,
    post_id INTEGER NOT NULL REFERENCES posts (id));
CREATE INDEX index_posts_on_user_id ON posts (user_id);
CREATE INDEX index_comments_on_post_id ON comments (post_id);
";

/// The settings of every connection; the journal is ignored in memory.
pub const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;";

/// The name of a user or person.
pub fn name(number: i64) -> String {
    format!("User number {number}")
}

/// The hair colour of a user or person: every other has none.
pub fn hair_color(number: i64) -> Option<&'static str> {
    ["black", "brown", "blonde", "red"]
        .get((number / 2 % 4) as usize)
        .copied()
        .filter(|_| number % 2 == 0)
}

/// Statements that make and fill the tables.
pub fn script() -> Vec<String> {
    let mut script: Vec<String> = TABLES
        .split(';')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_string)
        .collect();
    script.push("BEGIN".to_string());
    script.extend(inserts(
        "users (id, name, hair_color)",
        1..=USERS,
        |number| {
            let hair = hair_color(number).map_or("NULL".to_string(), |color| format!("'{color}'"));
            format!("{number}, '{}', {hair}", name(number))
        },
    ));
    script.extend(inserts("posts (id, title, user_id)", 1..=POSTS, |number| {
        format!(
            "{number}, 'A post, number {number}', {}",
            author(number)
        )
    }));
    let commented: Vec<i64> = (1..=POSTS)
        .filter(|&post| author(post) <= NESTED)
        .collect();
    let comments = commented.len() as i64 * 10;
    script.extend(inserts(
        "comments (id, body, post_id)",
        1..=comments,
        |number| {
            let post = commented[(number - 1) as usize / 10];
            format!("{number}, 'What I think of it, {number}', {post}")
        },
    ));
    script.push("COMMIT".to_string());
    script
}

/// Inserts of 500 rows each.
fn inserts(
    into: &str,
    numbers: std::ops::RangeInclusive<i64>,
    row: impl Fn(i64) -> String,
) -> Vec<String> {
    let numbers: Vec<i64> = numbers.collect();
    let statement = |chunk: &[i64]| {
        let mut text = format!("INSERT INTO {into} VALUES ");
        for (index, number) in chunk.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}({})", row(*number));
        }
        text
    };
    numbers.chunks(500).map(statement).collect()
}

/// The path of a file that does not exist yet; what an earlier run of this process left is removed.
pub fn fresh_file(contender: &str) -> Result<String, Failure> {
    let folder = std::env::temp_dir().join(format!("relata-benches-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{contender}.sqlite"));
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    Ok(path.to_string_lossy().into_owned())
}

/// Removes the files of this process.
pub fn remove_files() {
    let _ = std::fs::remove_dir_all(
        std::env::temp_dir().join(format!("relata-benches-{}", std::process::id())),
    );
}
