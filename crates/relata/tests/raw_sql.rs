//! SQL in the user's own words.

use relata::{Db, ErrorKind, Raw, Result};

/// SQLite prepares the first statement of a text and leaves out the rest without a word: a table was never made, and
/// the program went on. A text with more than one statement is refused before anything runs.
#[relata::test]
async fn a_second_statement_in_one_text_is_refused_and_not_left_out(db: Db) -> Result<()> {
    let two = "CREATE TABLE planets (id INTEGER); CREATE TABLE moons (id INTEGER)";
    let error = db.execute_sql(Raw::new(two)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StatementInvalid);
    assert!(
        error.to_string().contains("more than one statement"),
        "{error}"
    );
    let error = db
        .execute_sql(Raw::new("CREATE TABLE moons (id INTEGER); nonsense"))
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::StatementInvalid);
    // Neither made anything, and what may follow a statement is no second one.
    db.execute_sql(Raw::new(
        "CREATE TABLE planets (id INTEGER); -- of any size\n",
    ))
    .await?;
    db.execute_sql(Raw::new(
        "CREATE TABLE moons (id INTEGER) /* of planets */;\n ",
    ))
    .await?;
    Ok(())
}
