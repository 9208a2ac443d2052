//! relata and sqlx in one binary: both open SQLite in memory and answer a question.

use sqlx::Connection as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut theirs = sqlx::SqliteConnection::connect("sqlite::memory:").await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut theirs)
        .await?;
    println!("sqlx: SQLite {version}");
    ours().await?;
    Ok(())
}

/// relata's half.
async fn ours() -> relata::Result<()> {
    let db = relata::Db::connect("sqlite::memory:").await?;
    db.execute_sql(relata::Raw::new(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    ))
    .await?;
    let written = db
        .execute_sql(relata::Raw::new("INSERT INTO notes (text) VALUES (?)").bind("hello"))
        .await?;
    println!("relata: wrote {} note", written.affected);
    assert_eq!(written.affected, 1, "one row was written");
    Ok(())
}
