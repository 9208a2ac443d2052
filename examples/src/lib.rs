//! What the examples on public data sets share: where a set is, and how its SQL gets into a database.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

use std::path::{Path, PathBuf};

use relata::{Db, Error, Raw, Result};

/// The folder of a data set: the program's first argument, or the environment variable `RELATA_DATA_<NAME>`.
#[must_use]
pub fn given(name: &str) -> Option<PathBuf> {
    let argument = std::env::args_os().nth(1).map(PathBuf::from);
    argument.or_else(|| given_to_tests(name))
}

/// The same for a test, whose arguments are not the program's: `RELATA_DATA_<NAME>`.
#[must_use]
pub fn given_to_tests(name: &str) -> Option<PathBuf> {
    std::env::var_os(format!("RELATA_DATA_{}", name.to_uppercase())).map(PathBuf::from)
}

/// Says, so that nobody can miss it, what an example was not given.
pub fn skip(name: &str, source: &str) {
    eprintln!(
        "SKIPPED: {name} needs the data set {source}: give the folder that holds its SQL as the first argument, or as \
         RELATA_DATA_{}",
        name.to_uppercase()
    );
}

/// Runs the statements of a file, in one transaction of its own: the file's `BEGIN` and `COMMIT` are left out.
///
/// # Errors
/// What reading the file or running a statement says.
pub async fn load(db: &Db, file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file).map_err(Error::other)?;
    db.transaction(async || {
        for statement in statements(&text) {
            if !["BEGIN", "COMMIT"].contains(&statement) {
                db.execute_sql(Raw::trusted(statement.to_owned())).await?;
            }
        }
        Ok(())
    })
    .await
}

/// The statements of a script: what stands between semicolons that are in no text, name or comment.
fn statements(script: &str) -> impl Iterator<Item = &str> {
    let mut ends = Vec::new();
    let mut rest = script;
    let at = |rest: &str| script.len() - rest.len();
    while let Some(next) = rest.find([';', '\'', '"', '-', '/']) {
        let skipped = &rest[next..];
        rest = match skipped.as_bytes() {
            [b';', ..] => {
                ends.push(at(skipped));
                &skipped[1..]
            }
            [b'-', b'-', ..] => after(skipped, 2, "\n"),
            [b'/', b'*', ..] => after(skipped, 2, "*/"),
            [quote @ (b'\'' | b'"'), ..] => {
                after(skipped, 1, if *quote == b'"' { "\"" } else { "'" })
            }
            _ => &skipped[1..],
        };
    }
    let mut start = 0;
    ends.into_iter().filter_map(move |end| {
        let statement = bare(&script[start..end]);
        start = end + 1;
        (!statement.is_empty()).then_some(statement)
    })
}

/// What follows the end of something that begins `skip` bytes into the text.
fn after<'a>(text: &'a str, skip: usize, end: &str) -> &'a str {
    let rest = &text[skip..];
    rest.find(end).map_or("", |at| &rest[at + end.len()..])
}

/// A statement without the white space and comments before it.
fn bare(statement: &str) -> &str {
    let statement = statement.trim();
    match statement.as_bytes() {
        [b'-', b'-', ..] => bare(after(statement, 2, "\n")),
        [b'/', b'*', ..] => bare(after(statement, 2, "*/")),
        _ => statement,
    }
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn a_script_is_cut_only_between_statements() {
        let script = "-- first; not\nBEGIN;\n/* a; b */ INSERT INTO t VALUES ('it''s; a', \"x;y\", 4-2/1);;\nCOMMIT;\n";
        let found: Vec<&str> = statements(script).collect();
        let insert = "INSERT INTO t VALUES ('it''s; a', \"x;y\", 4-2/1)";
        assert_eq!(found, ["BEGIN", insert, "COMMIT"]);
    }
}
