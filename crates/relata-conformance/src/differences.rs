//! What relata does otherwise on purpose: `docs/differences.md`, read as data.
//!
//! A difference is a heading, `## D3. A nested transaction is a savepoint`, and below it, beside its reason, lines
//! `Excuses: area/name#3, area/name#4`. `#tables` names the final tables; a scenario without a step means all of it.
//!
//! Invariant: a step is excused by the list alone; the runner has no opinion about it.

use std::path::Path;

/// The differences, and the steps that each excuses.
#[derive(Debug, Default)]
pub struct Differences(Vec<(String, String)>);

impl Differences {
    /// Reads the list.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text =
            std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(Self::parse(&text))
    }

    /// Reads the list from text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut all = Vec::new();
        let mut id = None;
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                id = heading.split(['.', ' ']).next().map(str::to_owned);
            } else if let (Some(steps), Some(id)) = (line.strip_prefix("Excuses:"), &id) {
                let steps = steps.split(',').map(|step| step.trim().trim_matches('`'));
                all.extend(
                    steps
                        .filter(|step| step.contains('/'))
                        .map(|step| (step.to_owned(), id.clone())),
                );
            }
        }
        Self(all)
    }

    /// The difference that excuses a step.
    #[must_use]
    pub fn excuse(&self, scenario: &str, step: u64) -> Option<&str> {
        self.find(&[scenario, &format!("{scenario}#{step}")])
    }

    /// The difference that excuses the final tables.
    #[must_use]
    pub fn excuse_tables(&self, scenario: &str) -> Option<&str> {
        self.find(&[scenario, &format!("{scenario}#tables")])
    }

    fn find(&self, names: &[&str]) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(step, _)| names.contains(&step.as_str()));
        found.map(|(_, id)| id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_below_a_heading_excuses_steps() {
        let list = Differences::parse(
            "# D\n\n## D1. One\n\nWhy.\n\nExcuses: `a/b#2`, `a/c`\n\n## D2. Two\n\nExcuses: `a/b#tables`\n",
        );
        assert_eq!(list.excuse("a/b", 2), Some("D1"));
        assert_eq!(list.excuse("a/b", 3), None);
        assert_eq!(list.excuse("a/c", 9), Some("D1"));
        assert_eq!(list.excuse_tables("a/b"), Some("D2"));
    }
}
