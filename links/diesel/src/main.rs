//! relata and Diesel in one binary: both open SQLite in memory and answer a question.

use diesel::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut theirs = diesel::SqliteConnection::establish(":memory:")?;
    let answer: i32 = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("6 * 7"))
        .get_result(&mut theirs)?;
    println!("diesel: {answer}");
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
