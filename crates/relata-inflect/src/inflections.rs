//! A set of inflection rules: the English ones, and what an application adds above them.

use crate::acronyms::Acronyms;
use crate::case;
use crate::rules::{self, IRREGULARS, PLURALS, SINGULARS, UNCOUNTABLES};

/// The rules of a program that added none.
pub(crate) static ENGLISH: Inflections = Inflections::english();

/// A set of inflection rules.
///
/// Starts as Rails' English rules, which a chain of calls extends. What is added later wins over
/// what was added earlier, and everything added wins over the English rules.
///
/// ```
/// # use relata_inflect::Inflections;
/// let inflections = Inflections::english()
///     .irregular("cow", "kine")
///     .uncountable("feedback")
///     .acronym("HTML");
/// assert_eq!(inflections.tableize("HTMLPage"), "html_pages");
/// assert_eq!(inflections.pluralize("cow"), "kine");
/// assert_eq!(inflections.pluralize("feedback"), "feedback");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inflections {
    /// Added rules in the order they were given, so they are read from the end.
    plurals: Vec<Ending>,
    singulars: Vec<Ending>,
    uncountables: Vec<Box<str>>,
    /// Words that are uncountable in English and were given a rule of their own.
    counted: Vec<Box<str>>,
    acronyms: Acronyms,
}

/// An added rule: words in `ending` have `replacement` in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ending {
    ending: Box<str>,
    replacement: Box<str>,
}

impl Inflections {
    /// Rails' English rules. Allocates nothing, and is also the default.
    pub const fn english() -> Self {
        Inflections {
            plurals: Vec::new(),
            singulars: Vec::new(),
            uncountables: Vec::new(),
            counted: Vec::new(),
            acronyms: Acronyms::none(),
        }
    }

    /// Adds a rule for plurals: a word that ends in `suffix` ends in `replacement` instead.
    ///
    /// Letter case is ignored in matching, and where the suffix begins with a capital so does
    /// its replacement. Write both in lower case.
    ///
    /// ```
    /// # use relata_inflect::Inflections;
    /// let inflections = Inflections::english().plural("hero", "heroes");
    /// assert_eq!(inflections.pluralize("Superhero"), "Superheroes");
    /// ```
    #[must_use]
    pub fn plural(mut self, suffix: &str, replacement: &str) -> Self {
        self.count(suffix, replacement);
        self.plurals.push(Ending::new(suffix, replacement));
        self
    }

    /// Adds a rule for singulars: a word that ends in `suffix` ends in `replacement` instead.
    ///
    /// ```
    /// # use relata_inflect::Inflections;
    /// let inflections = Inflections::english().singular("caches", "cache");
    /// assert_eq!(inflections.singularize("page_caches"), "page_cache");
    /// ```
    #[must_use]
    pub fn singular(mut self, suffix: &str, replacement: &str) -> Self {
        self.count(suffix, replacement);
        self.singulars.push(Ending::new(suffix, replacement));
        self
    }

    /// Adds a pair that follows no rule, in both directions and at the end of any word.
    ///
    /// ```
    /// # use relata_inflect::Inflections;
    /// let inflections = Inflections::english().irregular("human", "humans");
    /// assert_eq!(inflections.pluralize("Human"), "Humans");
    /// assert_eq!(inflections.singularize("superhumans"), "superhuman");
    /// ```
    #[must_use]
    pub fn irregular(mut self, singular: &str, plural: &str) -> Self {
        self.count(singular, plural);
        // The last one pushed is read first: a finished plural is seen before the singular that
        // it may end in, and the other way about.
        self.plurals.push(Ending::new(singular, plural));
        self.plurals.push(Ending::new(plural, plural));
        self.singulars.push(Ending::new(singular, singular));
        self.singulars.push(Ending::new(plural, singular));
        self
    }

    /// Adds a word that has one form only. It holds where it stands as a whole word, not as the
    /// last part of an underscored or camel-cased one, which is Rails' reading.
    ///
    /// ```
    /// # use relata_inflect::Inflections;
    /// let inflections = Inflections::english().uncountable("metadata");
    /// assert_eq!(inflections.singularize("metadata"), "metadata");
    /// ```
    #[must_use]
    pub fn uncountable(mut self, word: &str) -> Self {
        if !word.is_empty() {
            self.uncountables.push(word.into());
        }
        self
    }

    /// Adds a word that keeps capitals of its own, written as it is in camel case.
    ///
    /// Its plural is another word: give `APIs` besides `API` where both are names.
    ///
    /// ```
    /// # use relata_inflect::Inflections;
    /// let inflections = Inflections::english().acronym("RESTful");
    /// assert_eq!(inflections.underscore("RESTfulRoute"), "restful_route");
    /// assert_eq!(inflections.camelize("restful_route"), "RESTfulRoute");
    /// ```
    #[must_use]
    pub fn acronym(mut self, word: &str) -> Self {
        self.acronyms.add(word);
        self
    }

    /// Makes words countable: a rule for a word means little while the word has one form.
    fn count(&mut self, one: &str, other: &str) {
        for word in [one, other] {
            self.uncountables
                .retain(|known| !known.eq_ignore_ascii_case(word));
            if UNCOUNTABLES.iter().any(|u| u.eq_ignore_ascii_case(word)) {
                self.counted.push(word.into());
            }
        }
    }

    /// The plural of a word; a plural is left as it is. See [`pluralize`](crate::pluralize).
    pub fn pluralize(&self, word: &str) -> String {
        if word.is_empty() || self.is_uncountable(word) {
            return word.to_owned();
        }
        last_match(&self.plurals, word)
            .or_else(|| {
                IRREGULARS.iter().find_map(|(singular, plural)| {
                    replace_ending(word, plural, plural)
                        .or_else(|| replace_ending(word, singular, plural))
                })
            })
            .or_else(|| rules::first_match(PLURALS, word))
            .unwrap_or_else(|| rules::concat(word, "s"))
    }

    /// The singular of a word. See [`singularize`](crate::singularize).
    pub fn singularize(&self, word: &str) -> String {
        if word.is_empty() || self.is_uncountable(word) {
            return word.to_owned();
        }
        last_match(&self.singulars, word)
            .or_else(|| {
                IRREGULARS.iter().find_map(|(singular, plural)| {
                    replace_ending(word, plural, singular)
                        .or_else(|| replace_ending(word, singular, singular))
                })
            })
            .or_else(|| rules::first_match(SINGULARS, word))
            .unwrap_or_else(|| word.to_owned())
    }

    fn is_uncountable(&self, word: &str) -> bool {
        let stands = |known: &str| {
            rules::strip_ending(word, known)
                .is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        let counted = |known: &str| self.counted.iter().any(|c| c.eq_ignore_ascii_case(known));
        self.uncountables.iter().any(|known| stands(known))
            || UNCOUNTABLES
                .iter()
                .any(|known| stands(known) && !counted(known))
    }

    /// Camel case to underscored. See [`underscore`](crate::underscore).
    pub fn underscore(&self, word: &str) -> String {
        case::underscore(word, &self.acronyms)
    }

    /// Underscored to camel case. See [`camelize`](crate::camelize).
    pub fn camelize(&self, term: &str) -> String {
        case::camelize(term, &self.acronyms)
    }

    /// The table of a type. See [`tableize`](crate::tableize).
    pub fn tableize(&self, type_name: &str) -> String {
        let mut name = self.underscore(type_name);
        if name.contains('/') {
            name = name.trim_start_matches('/').replace('/', "_");
        }
        self.pluralize(&name)
    }

    /// The type of a table. See [`classify`](crate::classify).
    pub fn classify(&self, table: &str) -> String {
        let name = table.rsplit_once('.').map_or(table, |(_, name)| name);
        self.camelize(&self.singularize(name))
    }

    /// The column that refers to a type. See [`foreign_key`](crate::foreign_key).
    pub fn foreign_key(&self, type_name: &str) -> String {
        let mut name = self.underscore(case::demodulize(type_name));
        name.push_str("_id");
        name
    }

    /// A column as a reader would name it. See [`humanize`](crate::humanize).
    pub fn humanize(&self, name: &str) -> String {
        case::humanize(name, &self.acronyms)
    }

    /// A name as a title. See [`titleize`](crate::titleize).
    pub fn titleize(&self, name: &str) -> String {
        case::titleize(name, &self.acronyms)
    }

    /// Underscores as dashes. See [`dasherize`](crate::dasherize).
    pub fn dasherize(&self, word: &str) -> String {
        case::dasherize(word)
    }

    /// The last name of a path. See [`demodulize`](crate::demodulize).
    pub fn demodulize<'p>(&self, path: &'p str) -> &'p str {
        case::demodulize(path)
    }
}

impl Ending {
    fn new(ending: &str, replacement: &str) -> Self {
        Ending {
            ending: ending.into(),
            replacement: replacement.into(),
        }
    }
}

fn last_match(endings: &[Ending], word: &str) -> Option<String> {
    endings
        .iter()
        .rev()
        .find_map(|rule| replace_ending(word, &rule.ending, &rule.replacement))
}

/// `word` with `replacement` for `ending`, taking over the case of the first letter.
fn replace_ending(word: &str, ending: &str, replacement: &str) -> Option<String> {
    let stem = rules::strip_ending(word, ending)?;
    // A form that is already right is not recased: PEOPLE stays PEOPLE.
    if ending == replacement {
        return Some(word.to_owned());
    }
    let mut replacement = replacement.chars();
    let mut inflected = String::with_capacity(stem.len() + replacement.as_str().len());
    inflected.push_str(stem);
    if word[stem.len()..].starts_with(char::is_uppercase)
        && let Some(first) = replacement.next()
    {
        inflected.extend(first.to_uppercase());
    }
    inflected.push_str(replacement.as_str());
    Some(inflected)
}
