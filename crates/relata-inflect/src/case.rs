//! Letter case: underscored, camel-cased, human and title forms, and the paths of types.
//!
//! Rails looks at ASCII letters only. Rust identifiers may hold others, so letters of every
//! script that has two cases take part here.

use crate::acronyms::Acronyms;

/// What the character before the one at hand was, for finding the humps of camel case.
#[derive(Clone, Copy, PartialEq)]
enum Previous {
    Upper,
    /// A small letter, a digit, or a letter without case.
    Lower,
    Other,
}

impl Previous {
    fn of(c: char) -> Self {
        if c.is_uppercase() {
            Previous::Upper
        } else if c.is_alphanumeric() {
            Previous::Lower
        } else {
            Previous::Other
        }
    }
}

pub(crate) fn underscore(word: &str, acronyms: &Acronyms) -> String {
    // Room for two humps: one allocation for most names.
    let mut out = String::with_capacity(word.len() + 2);
    let mut previous = Previous::Other;
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("::") {
            out.push('/');
            previous = Previous::Other;
            rest = after;
        } else if let Some(acronym) = acronyms.leading(rest) {
            if previous != Previous::Other {
                out.push('_');
            }
            acronym.chars().for_each(|c| out.extend(c.to_lowercase()));
            // Done with its capitals: whatever capital follows begins a new word.
            previous = Previous::Lower;
            rest = &rest[acronym.len()..];
        } else {
            rest = &rest[c.len_utf8()..];
            let hump = match previous {
                Previous::Lower => c.is_uppercase(),
                // The last capital of a run belongs to the word after it: HTMLParser.
                Previous::Upper => c.is_uppercase() && rest.starts_with(char::is_lowercase),
                Previous::Other => false,
            };
            if hump {
                out.push('_');
            }
            match c {
                '-' => out.push('_'),
                _ => out.extend(c.to_lowercase()),
            }
            previous = Previous::of(c);
        }
    }
    out
}

pub(crate) fn camelize(term: &str, acronyms: &Acronyms) -> String {
    let mut out = String::with_capacity(term.len() + 2);
    // A first part that already holds capitals is camel case, and keeps them.
    let (first, mut rest) = split_run(term, |c| c.is_alphanumeric() && !c.is_uppercase());
    push_part(&mut out, first, acronyms);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '_' | '/' => {
                if c == '/' {
                    out.push_str("::");
                }
                let (part, after) = split_run(rest, char::is_alphanumeric);
                push_part(&mut out, part, acronyms);
                rest = after;
            }
            _ => out.push(c),
        }
    }
    out
}

/// Splits `text` after the longest run of characters that `holds` accepts.
fn split_run(text: &str, holds: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !holds(c)).unwrap_or(text.len()))
}

/// Writes one part of a camel-cased name.
fn push_part(out: &mut String, part: &str, acronyms: &Acronyms) {
    if let Some(acronym) = acronyms.written(part) {
        out.push_str(acronym);
        return;
    }
    let mut chars = part.chars();
    if let Some(first) = chars.next() {
        out.extend(first.to_uppercase());
        chars.for_each(|c| out.extend(c.to_lowercase()));
    }
}

pub(crate) fn humanize(name: &str, acronyms: &Acronyms) -> String {
    let name = name.trim_start_matches('_');
    let mut rest = name.strip_suffix("_id").unwrap_or(name);
    let mut out = String::with_capacity(rest.len());
    while let Some(c) = rest.chars().next() {
        let (part, after) = split_run(rest, char::is_alphanumeric);
        if part.is_empty() {
            out.push(if c == '_' { ' ' } else { c });
            rest = &rest[c.len_utf8()..];
        } else {
            match acronyms.written(part) {
                Some(acronym) => out.push_str(acronym),
                None => part.chars().for_each(|c| out.extend(c.to_lowercase())),
            }
            rest = after;
        }
    }
    capitalize_first(out)
}

/// Makes the first letter a capital, in place for ASCII.
fn capitalize_first(mut text: String) -> String {
    match text.chars().next() {
        Some(c) if c.is_ascii() => text[..1].make_ascii_uppercase(),
        Some(c) => text.replace_range(..c.len_utf8(), &c.to_uppercase().to_string()),
        None => {}
    }
    text
}

pub(crate) fn titleize(word: &str, acronyms: &Acronyms) -> String {
    let human = humanize(&underscore(word, acronyms), acronyms);
    let mut out = String::with_capacity(human.len());
    let (mut before_previous, mut previous) = (' ', ' ');
    for c in human.chars() {
        // The letter after an apostrophe or an opening bracket within a word is no new word.
        let joined =
            matches!(previous, '\'' | '’' | '`' | '(') && before_previous.is_alphanumeric();
        if previous.is_alphanumeric() || joined {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        (before_previous, previous) = (previous, c);
    }
    out
}

pub(crate) fn dasherize(word: &str) -> String {
    word.replace('_', "-")
}

pub(crate) fn demodulize(path: &str) -> &str {
    path.rsplit_once("::").map_or(path, |(_, name)| name)
}
