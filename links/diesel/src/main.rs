//! relata and Diesel in one binary: both open SQLite in memory and answer a question.

use diesel::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut theirs = diesel::SqliteConnection::establish(":memory:")?;
    let answer: i32 = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("6 * 7")).get_result(&mut theirs)?;
    println!("diesel: {answer}");
    ours()?;
    Ok(())
}

/// relata's half.
fn ours() -> relata::Result<()> {
    println!("relata: {}", std::any::type_name::<relata::Error>());
    Ok(())
}
