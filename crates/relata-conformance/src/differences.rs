//! What relata does otherwise on purpose: `docs/differences.md`, read as data.
//!
//! Its lines `- \`nested-savepoint\`: area/name#3, area/name#4` say which steps a difference excuses. `#tables` names the
//! final tables; a scenario without a step means all of it.
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
        for line in text.lines() {
            let Some((id, steps)) = line
                .strip_prefix("- `")
                .and_then(|line| line.split_once("`: "))
            else {
                continue;
            };
            let steps = steps.split(',').map(str::trim);
            all.extend(
                steps
                    .filter(|step| step.contains('/'))
                    .map(|step| (step.to_owned(), id.to_owned())),
            );
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
    fn a_line_excuses_the_steps_that_it_names() {
        let list = Differences::parse(
            "# D\n\n| `one` | why |\n\n- `one`: a/b#2, a/c\n- `two`: a/b#tables\n",
        );
        assert_eq!(list.excuse("a/b", 2), Some("one"));
        assert_eq!(list.excuse("a/b", 3), None);
        assert_eq!(list.excuse("a/c", 9), Some("one"));
        assert_eq!(list.excuse_tables("a/b"), Some("two"));
    }
}
