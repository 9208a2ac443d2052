//! Words that keep capitals of their own, such as `HTML` or `RESTful`.

/// The acronyms of one set of rules, each as it is written in camel case.
///
/// A list, not a map: a schema declares a handful, and an empty list costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acronyms(Vec<Box<str>>);

impl Acronyms {
    pub(crate) const fn none() -> Self {
        Acronyms(Vec::new())
    }

    /// Adds `word`, or changes how it is written where it was known.
    pub(crate) fn add(&mut self, word: &str) {
        self.0.retain(|known| !known.eq_ignore_ascii_case(word));
        if !word.is_empty() {
            self.0.push(word.into());
        }
    }

    /// How `part`, one part of an underscored name, is written in camel case.
    pub(crate) fn written(&self, part: &str) -> Option<&str> {
        let found = self.0.iter().find(|a| a.eq_ignore_ascii_case(part));
        found.map(|acronym| &**acronym)
    }

    /// The acronym that `rest`, the remainder of a camel-cased name, begins with.
    ///
    /// A small letter after it means that the capitals were the start of another word. The
    /// longest wins, so that `HTTPS` is not read as `HTTP` and an `S`.
    pub(crate) fn leading(&self, rest: &str) -> Option<&str> {
        self.0
            .iter()
            .map(|acronym| &**acronym)
            .filter(|acronym| {
                let after = rest.strip_prefix(acronym).map(|r| r.chars().next());
                after.is_some_and(|next| !next.is_some_and(char::is_lowercase))
            })
            .max_by_key(|acronym| acronym.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_acronym_wins_in_either_order_of_declaration() {
        for order in [["HTTP", "HTTPS"], ["HTTPS", "HTTP"]] {
            let mut acronyms = Acronyms::none();
            order.iter().for_each(|word| acronyms.add(word));
            assert_eq!(acronyms.leading("HTTPSProxy"), Some("HTTPS"));
            assert_eq!(acronyms.leading("HTTPProxy"), Some("HTTP"));
        }
    }

    #[test]
    fn a_small_letter_after_it_makes_it_another_word() {
        let mut acronyms = Acronyms::none();
        acronyms.add("API");
        assert_eq!(acronyms.leading("APIs"), None);
        assert_eq!(acronyms.leading("API"), Some("API"));
        assert_eq!(acronyms.leading("API2"), Some("API"));
    }

    #[test]
    fn the_last_spelling_given_is_the_one_kept() {
        let mut acronyms = Acronyms::none();
        acronyms.add("Html");
        acronyms.add("HTML");
        assert_eq!(acronyms.written("html"), Some("HTML"));
        assert_eq!(acronyms.leading("Html"), None);
    }
}
