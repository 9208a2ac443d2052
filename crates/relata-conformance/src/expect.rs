//! Which scenarios need not pass yet, and why: a file with one line for each.
//!
//! ```text
//! # A comment.
//! unsupported habtm/reading: User: the macro has_and_belongs_to_many
//! fails has_one/replace: the old row is deleted after the new one is inserted
//! ```
//!
//! Invariant: the file is exact. A scenario that it does not list passes; one that it lists ends as it says, and what
//! is unsupported is so for the reason that it gives.

use std::collections::BTreeMap;
use std::path::Path;

use crate::scenario::{Outcome, Report};

/// What is expected of the scenarios that need not pass.
#[derive(Debug, Default)]
pub struct Expected(BTreeMap<String, Listed>);

#[derive(Debug)]
enum Listed {
    Fails,
    Unsupported(String),
}

impl Expected {
    /// Reads the file.
    ///
    /// # Errors
    /// What cannot be read; a line without a reason.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text =
            std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
        Self::parse(&text).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Reads the lines.
    ///
    /// # Errors
    /// A line that is not of the form, or gives no reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut all = BTreeMap::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let wrong = || {
                format!(
                    "`{line}`: write `unsupported AREA/NAME: REASON` or `fails AREA/NAME: REASON`"
                )
            };
            let (kind, rest) = line.split_once(' ').ok_or_else(wrong)?;
            let (name, reason) = rest.split_once(": ").ok_or_else(wrong)?;
            let listed = match kind {
                "fails" => Listed::Fails,
                "unsupported" => Listed::Unsupported(reason.trim().to_owned()),
                _ => return Err(wrong()),
            };
            if all.insert(name.to_owned(), listed).is_some() {
                return Err(format!("{name} is listed twice"));
            }
        }
        Ok(Self(all))
    }

    /// What is not as expected, a sentence each. `all`: whether every scenario was run, so that one that is listed and
    /// is not there is a mistake too.
    #[must_use]
    pub fn check(&self, reports: &[Report], all: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for report in reports {
            let name = &report.name;
            match (&report.outcome, self.0.get(name)) {
                (Outcome::Passed, None) | (Outcome::Failed(_), Some(Listed::Fails)) => {}
                (Outcome::Unsupported(reason), Some(Listed::Unsupported(listed)))
                    if reason == listed => {}
                (Outcome::Unsupported(reason), Some(Listed::Unsupported(listed))) => {
                    wrong.push(format!(
                        "{name} is unsupported for another reason: {reason} (listed: {listed})"
                    ));
                }
                (Outcome::Passed, Some(_)) => {
                    wrong.push(format!("{name} passes: take it off the list"))
                }
                (Outcome::Failed(how), _) => wrong.push(format!("{name} fails: {how}")),
                (Outcome::Unsupported(what), _) => {
                    wrong.push(format!("{name} is unsupported: {what}"))
                }
            }
        }
        if all {
            let gone = self
                .0
                .keys()
                .filter(|name| !reports.iter().any(|report| &report.name == *name));
            wrong.extend(gone.map(|name| format!("{name} is listed and is not there")));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, outcome: Outcome) -> Report {
        Report {
            name: name.to_owned(),
            outcome,
            steps: 1,
            agreed: 0,
            skipped: 0,
            fewer: 0,
            messages: Vec::new(),
            excused: Vec::new(),
            needless: Vec::new(),
            differing: Vec::new(),
        }
    }

    #[test]
    fn a_change_either_way_is_told() {
        let list = Expected::parse("# c\nfails a/b: old\nunsupported a/c: habtm\n").unwrap();
        let failed = || Outcome::Failed("how".to_owned());
        let lacking = |what: &str| Outcome::Unsupported(what.to_owned());
        let told = |reports: &[Report]| list.check(reports, false).len();
        assert_eq!(
            told(&[
                report("a/b", failed()),
                report("a/c", lacking("habtm")),
                report("a/d", Outcome::Passed)
            ]),
            0
        );
        assert_eq!(told(&[report("a/b", Outcome::Passed)]), 1);
        assert_eq!(told(&[report("a/c", lacking("touch"))]), 1);
        assert_eq!(told(&[report("a/d", failed())]), 1);
        assert_eq!(told(&[report("a/b", lacking("habtm"))]), 1);
        assert_eq!(list.check(&[], true).len(), 2);
    }

    #[test]
    fn every_line_gives_its_reason() {
        assert!(Expected::parse("fails a/b").is_err());
        assert!(Expected::parse("skips a/b: x").is_err());
        assert!(Expected::parse("fails a/b: x\nfails a/b: y").is_err());
    }
}
