//! SQL in the user's own words.

mod planets;

use relata::{Db, ErrorKind, Raw, Relation, Result};

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

/// `*/` was taken out of an annotation, and what was left of `**//` ended the comment: the rest of the annotation was
/// SQL. An annotation is often made of a request's path.
#[relata::test]
async fn an_annotation_cannot_leave_its_comment(db: Db) -> Result<()> {
    db.execute_sql(Raw::new(
        "CREATE TABLE planets (id INTEGER PRIMARY KEY, name TEXT)",
    ))
    .await?;
    db.execute_sql(Raw::new("INSERT INTO planets VALUES (1, 'Venus')"))
        .await?;
    let all = Relation::of(planets::model(), &db);
    for escape in ["*/", "**//", "*/*/", "/**/", "***///"] {
        let added = format!("{escape} UNION SELECT 2, 'Mars' {escape}");
        let read = all.clone().annotate(added).await?;
        assert_eq!(read.len(), 1, "{escape}");
    }
    assert!(
        all.annotate("planets#index")
            .to_sql()
            .ends_with(" /* planets#index */")
    );
    Ok(())
}
