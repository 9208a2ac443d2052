//! Assertions on statements, for tests of this library and of its users.
//!
//! Invariant: what they count are statements without BEGIN, COMMIT and the like.

/// Runs a block and asserts how many statements it ran on a database. Gives the block's value.
///
/// ```
/// # relata::run(async {
/// let db = relata::Db::connect("sqlite::memory:").await?;
/// relata::assert_queries!(db, 1, {
///     db.execute_sql(relata::Raw::new("CREATE TABLE planets (id INTEGER)")).await?;
/// });
/// # Ok(()) }).unwrap();
/// ```
#[macro_export]
macro_rules! assert_queries {
    ($db:expr, $count:expr, $body:block) => {{
        let capture = $db.capture();
        let value = $body;
        let texts = capture.texts();
        assert_eq!(texts.len(), $count, "statements: {texts:#?}");
        value
    }};
}

/// Runs a block and asserts the texts of the statements it ran on a database. Gives the block's value.
#[macro_export]
macro_rules! assert_sql {
    ($db:expr, [$($text:expr),* $(,)?], $body:block) => {{
        let capture = $db.capture();
        let value = $body;
        let wanted: Vec<String> = vec![$($text.to_string()),*];
        assert_eq!(capture.texts(), wanted);
        value
    }};
}
