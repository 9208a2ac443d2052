//! The built-in English rules: what stands before an ending, and what the ending becomes.
//!
//! Rails writes these as regular expressions. Each of its patterns has the shape "some kept
//! letters, then an ending", so a rule here is exactly that pair and needs no regex engine,
//! which would be most of the build time of a proc macro that names a table.
//!
//! The tables are read from the top and the first match wins. Rails adds rules one above the
//! other, so its list reads upside down beside these.

/// What must stand in front of an ending for its rule to hold. It is kept as it was written.
enum Before {
    /// Anything, including nothing.
    Any,
    /// One of these ASCII letters.
    Letter(&'static str),
    /// A character, and none of these.
    NotLetter(&'static str),
    /// One of these stems, with anything before it.
    Stem(&'static [&'static str]),
    /// One of these stems, and they begin the word.
    Start(&'static [&'static str]),
}

/// One built-in rule: after `before`, `ending` becomes `replacement`.
pub(crate) struct Rule {
    before: Before,
    ending: &'static str,
    replacement: &'static str,
}

impl Rule {
    /// The word inflected by this rule, or `None` where the rule does not hold.
    fn apply(&self, word: &str) -> Option<String> {
        let stem = strip_ending(word, self.ending)?;
        if !self.before.holds(stem) {
            return None;
        }
        // A rule that recognises a finished form must not recase it: POSTS stays POSTS.
        if self.ending == self.replacement {
            return Some(word.to_owned());
        }
        Some(concat(stem, self.replacement))
    }
}

impl Before {
    fn holds(&self, stem: &str) -> bool {
        let last = || stem.as_bytes().last().map(u8::to_ascii_lowercase);
        match self {
            Before::Any => true,
            Before::Letter(set) => last().is_some_and(|l| set.as_bytes().contains(&l)),
            Before::NotLetter(set) => last().is_some_and(|l| !set.as_bytes().contains(&l)),
            Before::Stem(stems) => stems.iter().any(|s| strip_ending(stem, s).is_some()),
            Before::Start(stems) => stems.iter().any(|s| stem.eq_ignore_ascii_case(s)),
        }
    }
}

/// The first rule of `rules` that holds, applied to `word`.
pub(crate) fn first_match(rules: &[Rule], word: &str) -> Option<String> {
    rules.iter().find_map(|rule| rule.apply(word))
}

/// What is left of `word` without `ending`, letter case aside.
pub(crate) fn strip_ending<'w>(word: &'w str, ending: &str) -> Option<&'w str> {
    let at = word.len().checked_sub(ending.len())?;
    let tail = &word.as_bytes()[at..];
    if tail.eq_ignore_ascii_case(ending.as_bytes()) {
        word.get(..at)
    } else {
        None
    }
}

/// `stem` and `ending` in one allocation of the right size.
pub(crate) fn concat(stem: &str, ending: &str) -> String {
    let mut word = String::with_capacity(stem.len() + ending.len());
    word.push_str(stem);
    word.push_str(ending);
    word
}

const fn any(ending: &'static str, replacement: &'static str) -> Rule {
    rule(Before::Any, ending, replacement)
}

const fn letter(set: &'static str, ending: &'static str, replacement: &'static str) -> Rule {
    rule(Before::Letter(set), ending, replacement)
}

const fn not(set: &'static str, ending: &'static str, replacement: &'static str) -> Rule {
    rule(Before::NotLetter(set), ending, replacement)
}

type Stems = &'static [&'static str];

const fn stem(stems: Stems, ending: &'static str, replacement: &'static str) -> Rule {
    rule(Before::Stem(stems), ending, replacement)
}

const fn start(stems: Stems, ending: &'static str, replacement: &'static str) -> Rule {
    rule(Before::Start(stems), ending, replacement)
}

const fn rule(before: Before, ending: &'static str, replacement: &'static str) -> Rule {
    Rule {
        before,
        ending,
        replacement,
    }
}

/// Pairs that follow no ending. They hold at the end of any word, as in Rails: `salesperson`
/// gains `salespeople`, and `german` the well-known `germen`.
pub(crate) static IRREGULARS: &[(&str, &str)] = &[
    ("zombie", "zombies"),
    ("move", "moves"),
    ("sex", "sexes"),
    ("child", "children"),
    ("man", "men"),
    ("person", "people"),
];

/// Words with one form. They hold where they stand as a whole word; an underscore or a hump of
/// camel case does not part words for this purpose in Rails, nor here.
pub(crate) static UNCOUNTABLES: &[&str] = &[
    "equipment",
    "information",
    "rice",
    "money",
    "species",
    "series",
    "fish",
    "sheep",
    "jeans",
    "police",
];

/// From singular to plural. A word that matches nothing takes an `s`.
pub(crate) static PLURALS: &[Rule] = &[
    stem(&["quiz"], "", "zes"),
    start(&["oxen"], "", ""),
    start(&["ox"], "", "en"),
    // Only at the start, or `blouse` would become `blice`.
    start(&["m", "l"], "ice", "ice"),
    start(&["m", "l"], "ouse", "ice"),
    stem(&["matr", "vert", "ind"], "ix", "ices"),
    stem(&["matr", "vert", "ind"], "ex", "ices"),
    stem(&["x", "ch", "ss", "sh"], "", "es"),
    not("aeiouy", "y", "ies"),
    stem(&["qu"], "y", "ies"),
    not("f", "fe", "ves"),
    letter("lr", "f", "ves"),
    any("sis", "ses"),
    letter("ti", "a", "a"),
    letter("ti", "um", "a"),
    stem(&["buffal", "tomat"], "o", "oes"),
    stem(&["bu"], "s", "ses"),
    stem(&["alias", "status"], "", "es"),
    stem(&["octop", "vir"], "i", "i"),
    stem(&["octop", "vir"], "us", "i"),
    start(&["ax", "test"], "is", "es"),
    // A word in -s is taken for a plural, so `bonus` and `lens` stay as they are.
    any("s", "s"),
];

/// From plural to singular. A word that matches nothing is taken for a singular.
pub(crate) static SINGULARS: &[Rule] = &[
    // Above the rule that turns -bases into -basis.
    stem(&["database"], "s", ""),
    stem(&["quiz"], "zes", ""),
    stem(&["matr"], "ices", "ix"),
    stem(&["vert", "ind"], "ices", "ex"),
    start(&["ox"], "en", ""),
    stem(&["alias", "status"], "es", ""),
    stem(&["alias", "status"], "", ""),
    stem(&["octop", "vir"], "us", "us"),
    stem(&["octop", "vir"], "i", "us"),
    start(&["a"], "xis", "xis"),
    start(&["a"], "xes", "xis"),
    stem(&["cris", "test"], "is", "is"),
    stem(&["cris", "test"], "es", "is"),
    stem(&["shoe"], "s", ""),
    stem(&["o"], "es", ""),
    stem(&["bus"], "es", ""),
    stem(&["bus"], "", ""),
    start(&["m", "l"], "ice", "ouse"),
    stem(&["x", "ch", "ss", "sh"], "es", ""),
    stem(&["m"], "ovies", "ovie"),
    stem(&["s"], "eries", "eries"),
    not("aeiouy", "ies", "y"),
    stem(&["qu"], "ies", "y"),
    letter("lr", "ves", "f"),
    // -tive and -hive are the words in -ves that were not made of -fe.
    stem(&["tive", "hive"], "s", ""),
    not("f", "ves", "fe"),
    stem(SIS, "sis", "sis"),
    stem(SIS, "ses", "sis"),
    letter("ti", "a", "um"),
    stem(&["n"], "ews", "ews"),
    stem(&["ss"], "", ""),
    any("s", ""),
];

/// The stems whose -ses is the plural of -sis; other words in -ses only lose their `s`.
static SIS: &[&str] = &[
    "analy", "ba", "diagno", "parenthe", "progno", "synop", "the",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_cut_without_regard_to_case() {
        assert_eq!(strip_ending("PERSON", "son"), Some("PER"));
        assert_eq!(strip_ending("person", "person"), Some(""));
        assert_eq!(strip_ending("son", "person"), None);
        assert_eq!(strip_ending("person", ""), Some("person"));
    }

    #[test]
    fn an_ending_never_cuts_a_character_in_two() {
        // The last byte of "é" is also the last byte of "ĩ"; neither is the other's ending.
        assert_eq!(strip_ending("café", "ĩ"), None);
        assert_eq!(strip_ending("é", "é"), Some(""));
    }

    #[test]
    fn a_negated_letter_still_asks_for_a_letter() {
        assert_eq!(first_match(&[not("aeiou", "y", "ies")], "y"), None);
        assert_eq!(
            first_match(&[not("aeiou", "y", "ies")], "éy").as_deref(),
            Some("éies")
        );
    }
}
