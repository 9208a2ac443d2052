//! Rules about what is awaited: its future has a name, it knows who called it, and its documentation says what it sends.
//!
//! Invariant: they are asked of the library that users call, and of nothing else.

use super::doors::words;
use super::source::is_library;
use super::{Findings, Source};

/// Words by which documentation says what is sent, or that nothing is.
const SAID: &[&str] = &[
    "SQL",
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "The statement is that of",
    "The statements are those of",
    "asks the database nothing",
    "never touches the database",
];

pub(super) fn check(findings: &mut Findings, path: &str, source: &Source) {
    if !path.starts_with("crates/relata/src/") || !is_library(path) {
        return;
    }
    let mut signature: Option<(usize, String)> = None;
    for (line, code) in source.library() {
        if signature.is_none() && words(code).any(|(_, word)| word == "fn") {
            signature = Some((line, String::new()));
        }
        let Some((begun, text)) = &mut signature else {
            continue;
        };
        text.push_str(code.trim());
        text.push(' ');
        let Some(end) = text.find(['{', ';']) else {
            continue;
        };
        let function = Function {
            line: *begun,
            signature: &text[..end],
            has_body: text[end..].starts_with('{'),
        };
        unnamed_future(findings, path, &function);
        track_caller(findings, path, source, &function);
        unsaid_sql(findings, path, source, &function);
        signature = None;
    }
}

struct Function<'a> {
    line: usize,
    signature: &'a str,
    has_body: bool,
}

impl Function<'_> {
    fn gives(&self) -> &str {
        let gives = self.signature.rsplit_once("-> ");
        gives.map_or("", |(_, gives)| gives)
    }

    /// Whether a word stands in what it gives.
    fn gives_a(&self, wanted: &str) -> bool {
        words(self.gives()).any(|(_, word)| word == wanted)
    }

    fn is_public(&self) -> bool {
        self.signature.starts_with("pub fn ") || self.signature.starts_with("pub async fn ")
    }
}

/// A future without a name cannot stand in a type, nor carry the caller's place. The future of a closure has none.
fn unnamed_future(findings: &mut Findings, path: &str, function: &Function<'_>) {
    let is_unnamed = function.signature.contains("-> impl Future")
        || function.signature.starts_with("pub async fn ");
    if is_unnamed && function.is_public() {
        findings.violation(
            path,
            function.line,
            "unnamed-future",
            "a public method that awaits is a plain function with `#[track_caller]` that returns a `Pending`",
        );
    }
}

/// What gives a `Pending` knows who called it: the events of its statements name that place, and not one in the library.
/// What has no body is of a trait, whose implementations say it.
fn track_caller(findings: &mut Findings, path: &str, source: &Source, function: &Function<'_>) {
    let mut attributes = above(source, function.line);
    if function.has_body
        && function.gives_a("Pending")
        && !attributes.any(|(code, _)| code.contains("track_caller"))
    {
        findings.violation(
            path,
            function.line,
            "track-caller",
            "write `#[track_caller]`: else events name a place in the library",
        );
    }
}

/// What only generated code calls.
const CALLED_BY_MACROS: &str = "crates/relata/src/declare.rs";

/// Whoever awaits something of the library learns from its documentation what it sends.
fn unsaid_sql(findings: &mut Findings, path: &str, source: &Source, function: &Function<'_>) {
    let awaited = function.gives_a("Pending") || function.gives_a("Transaction");
    if !awaited || !function.is_public() || path == CALLED_BY_MACROS {
        return;
    }
    let hidden = above(source, function.line).any(|(code, _)| code.contains("hidden"));
    let says = |text: &str| SAID.iter().any(|said| text.contains(said));
    if !hidden && !above(source, function.line).any(|(_, comment)| says(comment)) {
        findings.violation(
            path,
            function.line,
            "unsaid-sql",
            "the documentation says what SQL it sends, or that it asks the database nothing",
        );
    }
}

/// The attributes and comments above a line, from the nearest on.
fn above(source: &Source, line: usize) -> impl Iterator<Item = (&str, &str)> {
    let lines = source.code[..line - 1].iter().zip(&source.comments).rev();
    lines
        .map(|(code, comment)| (code.trim(), comment.trim()))
        .take_while(|(code, comment)| {
            code.starts_with("#[") || (code.is_empty() && !comment.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(&mut findings, path, &Source::of(text));
        let violations = findings.violations.iter();
        violations
            .map(|violation| format!("{} {}", violation.line, violation.rule))
            .collect()
    }

    const OK: [&str; 0] = [];

    #[test]
    fn futures_have_names() {
        let text = "//! A.\nimpl A {\n    pub async fn a() {}\n    pub fn b(\n        c: u8,\n    ) -> impl Future<Output = u8> {\n    }\n    fn d() -> impl Future {}\n}";
        assert_eq!(
            broken("crates/relata/src/a.rs", text),
            ["3 unnamed-future", "4 unnamed-future"]
        );
        assert_eq!(broken("crates/relata-suite/src/a.rs", text), OK);
    }

    #[test]
    fn what_gives_a_pending_knows_its_caller() {
        let text = "//! A.\nfn a() -> Pending<u8> {\n}\n#[track_caller]\n/// B.\nfn b(\n    c: u8,\n) -> Pending<u8> {\n}\n\
                    trait C {\n    fn c() -> Pending<u8>;\n    fn d(p: Pending<u8>) -> u8 { 0 }\n}\nfn e(\n) -> Result<Pending<u8>> { f() }";
        assert_eq!(
            broken("crates/relata/src/a.rs", text),
            ["2 track-caller", "14 track-caller"]
        );
    }

    #[test]
    fn what_is_awaited_says_what_it_sends() {
        let text = "//! A.\n/// B, by `SELECT 1`.\n#[track_caller]\npub fn b() -> Pending<u8> {\n}\n/// C.\n#[track_caller]\npub fn c(\n    d: u8,\n) -> Pending<u8> {\n}\n\
                    /// Asks SQL.\npub fn e() -> u8 {}\n/// It asks the database nothing.\n#[track_caller]\npub fn f() -> Pending<u8> {\n}";
        assert_eq!(broken("crates/relata/src/a.rs", text), ["8 unsaid-sql"]);
    }
}
