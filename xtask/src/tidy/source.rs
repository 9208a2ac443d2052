//! Rules about one file of Rust: its name, its length, its first line, and words that must not or may not stand in it.
//!
//! Invariant: each rule looks at the layer of the text it is about; a comment that names a banned word breaks nothing.

use std::path::Path;

use crate::rooms::{EMPTY_NAMES, LONG, SQL_TEXT, TABLES, TOO_LONG, UNSAFE};

use super::doors::words;
use super::{Findings, Source};

/// The lines a `SAFETY:` comment may stand above its block.
const SAFETY_REACH: usize = 12;

/// Verbs that open a statement.
const SQL_VERBS: &[&str] = &[
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE ",
    "CREATE TABLE ",
    "CREATE INDEX ",
    "DROP TABLE ",
    "ALTER TABLE ",
];

pub(super) fn check(findings: &mut Findings, path: &str, source: &Source) {
    module_doc(findings, path, source);
    unfinished(findings, path, source);
    empty_names(findings, path, source);
    unsafe_code(findings, path, source);
    if is_library(path) {
        length(findings, path, source);
        sql_text(findings, path, source);
    }
    if is_test(path) {
        watched_tests(findings, path, source);
    }
}

/// Tests in files of their own, and programs that are also tests.
fn is_test(path: &str) -> bool {
    path.starts_with("examples/") || (path.starts_with("crates/") && path.contains("/tests/"))
}

/// Cases for the compiler to reject.
pub(super) fn is_wrong_on_purpose(path: &str) -> bool {
    path.split('/')
        .any(|part| matches!(part, "compile_fail" | "compile-fail" | "ui"))
}

/// What is compiled into a library crate, unit tests in files of their own left out.
pub(super) fn is_library(path: &str) -> bool {
    path.starts_with("crates/")
        && path.contains("/src/")
        && !path.ends_with("/tests.rs")
        && !path.contains("/tests/")
}

/// Rules about the path alone.
pub(super) fn file_name(findings: &mut Findings, path: &str) {
    if path.ends_with("/mod.rs") {
        findings.violation(
            path,
            1,
            "mod-file",
            "name the file after its module, beside the module's folder",
        );
    }
    let stem = Path::new(path)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    if path.ends_with(".rs") && has_empty_part(&stem) {
        findings.violation(path, 1, "empty-name", "name the file after what is in it");
    }
}

fn has_empty_part(name: &str) -> bool {
    let mut parts = Vec::new();
    for part in name.split(['_', '-']) {
        let mut from = 0;
        for (at, c) in part.char_indices().skip(1) {
            if c.is_uppercase() {
                parts.push(part[from..at].to_lowercase());
                from = at;
            }
        }
        parts.push(part[from..].to_lowercase());
    }
    parts
        .iter()
        .any(|part| EMPTY_NAMES.contains(&part.as_str()))
}

fn module_doc(findings: &mut Findings, path: &str, source: &Source) {
    let opens = source
        .comments
        .iter()
        .zip(&source.code)
        .find(|(comment, code)| {
            let code = code.trim();
            !comment.trim().is_empty()
                || !(code.is_empty() || code.starts_with("#![") || code.starts_with("#!/"))
        });
    if !opens.is_some_and(|(comment, _)| comment.trim_start().starts_with("//!")) {
        findings.violation(
            path,
            1,
            "module-doc",
            "open the file with `//!`: what it is, what must stay true of it, who calls it",
        );
    }
}

fn unfinished(findings: &mut Findings, path: &str, source: &Source) {
    for (line, code) in source.lines() {
        for word in ["todo!", "unimplemented!", "dbg!"] {
            if words(code).any(|(at, found)| {
                found == &word[..word.len() - 1] && code[at + found.len()..].starts_with('!')
            }) {
                findings.violation(
                    path,
                    line,
                    "unfinished",
                    format!("no `{word}`: finish it, or return an error that says what is missing"),
                );
            }
        }
        if code.contains("#[ignore") {
            findings.violation(
                path,
                line,
                "ignored-test",
                "assert what happens today and say in a comment what should, or delete the test",
            );
        }
    }
}

fn empty_names(findings: &mut Findings, path: &str, source: &Source) {
    for (line, code) in source.lines() {
        let mut previous = "";
        for (_, word) in words(code) {
            let declares = matches!(previous, "struct" | "enum" | "trait" | "mod" | "union");
            if declares && has_empty_part(word) {
                findings.violation(
                    path,
                    line,
                    "empty-name",
                    format!(
                        "`{word}` does not say what it is: name it after what it holds or does"
                    ),
                );
            }
            previous = word;
        }
    }
}

fn unsafe_code(findings: &mut Findings, path: &str, source: &Source) {
    let allowed = UNSAFE
        .iter()
        .any(|place| path == *place || (place.ends_with('/') && path.starts_with(place)));
    for (line, code) in source.lines() {
        if !words(code).any(|(_, word)| word == "unsafe") {
            continue;
        }
        if !allowed {
            findings.violation(path, line, "unsafe-place", "unsafe code stands only in the files listed in xtask/src/rooms.rs: build this from what they offer");
        }
        if !is_argued(source, line) {
            findings.violation(path, line, "unsafe-proof", "write `// SAFETY:` above it with the proof; above an `unsafe fn`, a `# Safety` section");
        }
    }
}

/// Whether a proof stands on the line, or above it within the same paragraph.
fn is_argued(source: &Source, line: usize) -> bool {
    let argued = |line: usize| {
        let comment = &source.comments[line - 1];
        comment.contains("SAFETY:") || comment.contains("# Safety")
    };
    if argued(line) {
        return true;
    }
    let mut above = line - 1;
    let mut comments_only = false;
    while above > 0 && line - above <= SAFETY_REACH {
        let code = source.code[above - 1].trim();
        let has_comment = !source.comments[above - 1].trim().is_empty();
        if argued(above) {
            return true;
        }
        // The end of an earlier statement, or an empty line, ends the paragraph.
        let ends = code.ends_with([';', '}', '{']) || (code.is_empty() && !has_comment);
        if ends || (comments_only && !has_comment) {
            return false;
        }
        comments_only = comments_only || (has_comment && code.is_empty());
        above -= 1;
    }
    false
}

fn length(findings: &mut Findings, path: &str, source: &Source) {
    let lines = source.library().count();
    if TABLES.contains(&path) || lines <= LONG {
        return;
    }
    let remedy = format!(
        "{lines} lines without its tests, the cap is {TOO_LONG}: split it by what it is about"
    );
    if lines > TOO_LONG {
        findings.violation(path, TOO_LONG, "file-length", remedy);
    } else {
        findings.warning(path, LONG, "file-length", remedy);
    }
}

fn sql_text(findings: &mut Findings, path: &str, source: &Source) {
    if SQL_TEXT
        .iter()
        .any(|place| path == *place || (place.ends_with('/') && path.starts_with(place)))
    {
        return;
    }
    for text in &source.strings {
        let start = text.content.trim_start().trim_start_matches('(');
        if !source.is_test(text.line) && SQL_VERBS.iter().any(|verb| start.starts_with(verb)) {
            findings.violation(
                path,
                text.line,
                "sql-text",
                "SQL is written in `sql` only: ask it for the statement",
            );
        }
    }
}

/// A test of a file that opens databases is watched: it fails when it leaves one of them with something open.
fn watched_tests(findings: &mut Findings, path: &str, source: &Source) {
    let opens = ["Db::connect", "relata::run", "tokio::runtime"];
    let opens = |(_, code): (usize, &str)| opens.iter().any(|word| code.contains(word));
    if !source.lines().any(opens) {
        return;
    }
    let mut watches = "";
    for (line, code) in source.lines().collect::<Vec<_>>().into_iter().rev() {
        let code = code.trim();
        let is_plain = code == "#[test]" || code.starts_with("#[tokio::test");
        if is_plain && watches != "#[relata::test]" {
            findings.violation(
                path,
                line,
                "unwatched-test",
                "write `#[relata::test]`, which finds what the test leaves open, below `#[tokio::test]` too",
            );
        }
        watches = code;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        file_name(&mut findings, path);
        check(&mut findings, path, &Source::of(text));
        findings
            .violations
            .iter()
            .map(|violation| format!("{} {}", violation.line, violation.rule))
            .collect()
    }

    const OK: [&str; 0] = [];

    #[test]
    fn each_file_says_what_it_is() {
        assert_eq!(
            broken("crates/relata/src/a.rs", "fn a() {}"),
            ["1 module-doc"]
        );
        assert_eq!(
            broken("crates/relata/src/a.rs", "// not a doc\n//! A."),
            ["1 module-doc"]
        );
        assert_eq!(
            broken("crates/relata/src/a.rs", "#![forbid(unsafe_code)]\n//! A."),
            OK
        );
    }

    #[test]
    fn nothing_is_left_unfinished() {
        let text = "//! A.\nfn a() { todo!() }\nfn b() { unimplemented!(\"x\") }\n#[test]\n#[ignore]\nfn c() {}\n// todo!() in words";
        assert_eq!(
            broken("xtask/src/a.rs", text),
            ["2 unfinished", "3 unfinished", "5 ignored-test"]
        );
    }

    #[test]
    fn names_say_something() {
        assert_eq!(
            broken("crates/relata/src/sql/utils.rs", "//! A."),
            ["1 empty-name"]
        );
        assert_eq!(
            broken(
                "crates/relata/src/a.rs",
                "//! A.\nstruct PoolManager;\nmod common {}"
            ),
            ["2 empty-name", "3 empty-name"]
        );
        assert_eq!(
            broken(
                "crates/relata/src/a.rs",
                "//! A.\nstruct Utility; struct Commonality;"
            ),
            OK
        );
        assert_eq!(
            broken("crates/relata/src/sql/mod.rs", "//! A."),
            ["1 mod-file"]
        );
    }

    #[test]
    fn unsafe_is_where_it_may_be_and_is_argued() {
        let bare = "//! A.\nfn a() {\n    unsafe { b() }\n}";
        let argued = "//! A.\nfn a() {\n    // SAFETY: b is fine,\n    // and so is c.\n    let x =\n        unsafe { b() };\n}";
        let stale = "//! A.\nfn a() {\n    // SAFETY: b is fine.\n    unsafe { b() };\n    unsafe { c() };\n}";
        assert_eq!(
            broken("crates/relata/src/record/batch.rs", bare),
            ["3 unsafe-proof"]
        );
        assert_eq!(broken("crates/relata/src/record/batch.rs", argued), OK);
        assert_eq!(
            broken("crates/relata/src/record/batch.rs", stale),
            ["5 unsafe-proof"]
        );
        assert_eq!(
            broken("crates/relata/src/sql.rs", argued),
            ["6 unsafe-place"]
        );
        assert_eq!(
            broken(
                "crates/relata/src/sql.rs",
                "//! A.\n#![forbid(unsafe_code)]\nlet unsafety = 1;"
            ),
            OK
        );
    }

    #[test]
    fn files_stay_short_without_counting_their_tests() {
        let long = format!("//! A.\n{}", "fn a() {}\n".repeat(620));
        let tested = format!(
            "//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
            "fn a() {}\n".repeat(620)
        );
        assert_eq!(broken("crates/relata/src/a.rs", &long), ["600 file-length"]);
        assert_eq!(broken("crates/relata/src/a.rs", &tested), OK);
        assert_eq!(broken("benches/src/a.rs", &long), OK);
    }

    #[test]
    fn tests_with_databases_are_watched() {
        let text = "//! A.\n#[test]\nfn a() { relata::run(b()) }\n#[tokio::test]\n#[relata::test]\nasync fn b() {}\n#[relata::test]\nfn c() {}";
        assert_eq!(
            broken("crates/relata/tests/a.rs", text),
            ["2 unwatched-test"]
        );
        assert_eq!(
            broken("crates/relata/tests/a.rs", "//! A.\n#[test]\nfn a() {}"),
            OK
        );
    }

    #[test]
    fn sql_has_one_author() {
        let text = "//! A.\nlet a = \"SELECT 1\";\n// \"SELECT 2\"\nlet b = \"a SELECT \";\n#[cfg(test)]\nmod t { const C: &str = \"DELETE FROM x\"; }";
        assert_eq!(
            broken("crates/relata/src/loading/run.rs", text),
            ["2 sql-text"]
        );
        assert_eq!(broken("crates/relata/src/sql/write.rs", text), OK);
    }
}
