//! The rules of the house that no compiler knows, checked on the text of the sources.
//!
//! `lexer` splits a file into code, comments and strings; `doors` holds the room matrix; `source` the rules about
//! one file of Rust; `awaited` those about what is awaited; `papers` those about manifests and documents. The figures and tables are in `rooms`.
//!
//! Invariant: a violation names the file, the line, the rule and what to do instead.

mod awaited;
mod doors;
mod lexer;
mod papers;
mod source;

use std::fmt;
use std::fs;
use std::path::Path;

use crate::workspace;

pub use lexer::Source;

/// A rule that a file breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    pub file: String,
    pub line: usize,
    pub rule: &'static str,
    pub remedy: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.file, self.line, self.rule, self.remedy
        )
    }
}

/// What a look at the tree found.
#[derive(Debug, Default)]
pub struct Findings {
    pub violations: Vec<Violation>,
    pub warnings: Vec<Violation>,
    pub files: usize,
}

impl Findings {
    fn violation(
        &mut self,
        file: &str,
        line: usize,
        rule: &'static str,
        remedy: impl Into<String>,
    ) {
        self.violations.push(Violation {
            file: file.to_string(),
            line,
            rule,
            remedy: remedy.into(),
        });
    }

    fn warning(&mut self, file: &str, line: usize, rule: &'static str, remedy: impl Into<String>) {
        self.warnings.push(Violation {
            file: file.to_string(),
            line,
            rule,
            remedy: remedy.into(),
        });
    }

    /// Checks one file of Rust, as if it stood at `path`.
    pub fn rust(&mut self, path: &str, text: &str) {
        let source = Source::of(text);
        source::check(self, path, &source);
        awaited::check(self, path, &source);
        doors::check(self, path, &source);
    }

    /// Checks any file of text.
    pub fn text(&mut self, path: &str, text: &str) {
        papers::foreign_words(self, path, text);
    }
}

/// Looks at the whole tree below `root`.
pub fn look(root: &Path) -> Findings {
    let mut findings = Findings::default();
    for path in workspace::files(root) {
        let shown = workspace::shown(root, &path);
        source::file_name(&mut findings, &shown);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        findings.files += 1;
        findings.text(&shown, &text);
        // Compile-fail cases are wrong on purpose: only the words in them are looked at.
        if shown.ends_with(".rs") && !source::is_wrong_on_purpose(&shown) {
            findings.rust(&shown, &text);
        }
    }
    papers::manifests(&mut findings, root);
    papers::architecture(&mut findings, root);
    papers::readme(&mut findings, root);
    findings.violations.sort();
    findings.warnings.sort();
    findings
}

/// The task: prints what was found; an error when a rule is broken.
pub fn report(root: &Path) -> Result<(), String> {
    let findings = look(root);
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for violation in &findings.violations {
        println!("{violation}");
    }
    match findings.violations.len() {
        0 => {
            println!(
                "tidy: {} files, {} warnings",
                findings.files,
                findings.warnings.len()
            );
            Ok(())
        }
        count => Err(format!("{count} rules of the house are broken")),
    }
}
