//! relata and sqlx in one binary: both open SQLite in memory and answer a question.

use sqlx::Connection as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut theirs = sqlx::SqliteConnection::connect("sqlite::memory:").await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut theirs).await?;
    println!("sqlx: SQLite {version}");
    ours()?;
    Ok(())
}

/// relata's half.
fn ours() -> relata::Result<()> {
    println!("relata: {}", std::any::type_name::<relata::Error>());
    Ok(())
}
