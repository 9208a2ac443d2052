//! Splits a Rust file into three layers of equal shape: code, comments, and the strings between them.
//!
//! It is no parser: it knows comments (nested ones too), strings, raw strings and the difference between a character
//! and a lifetime. That is enough for rules about words. Invariant: line and column of each layer are the file's.

use std::ops::Range;

/// A string literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The line it starts on, counted from 1.
    pub line: usize,
    /// What stands between its quotes, escapes as written.
    pub content: String,
}

/// A file, in layers.
#[derive(Clone, Debug)]
pub struct Source {
    /// The code alone: comments and the insides of strings are blanks.
    pub code: Vec<String>,
    /// The comments alone, with their slashes.
    pub comments: Vec<String>,
    /// The string literals.
    pub strings: Vec<Text>,
    /// Lines (counted from 1) that belong to items compiled only for tests.
    pub test_lines: Vec<Range<usize>>,
}

#[derive(Clone, Copy)]
enum Layer {
    Code,
    Comment,
    Blank,
}

struct Layers {
    code: String,
    comments: String,
}

impl Layers {
    fn put(&mut self, character: char, layer: Layer) {
        let (code, comment) = match layer {
            _ if character == '\n' => ('\n', '\n'),
            Layer::Code => (character, ' '),
            Layer::Comment => (' ', character),
            Layer::Blank => (' ', ' '),
        };
        self.code.push(code);
        self.comments.push(comment);
    }
}

impl Source {
    /// The layers of a text.
    pub fn of(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let mut layers = Layers {
            code: String::new(),
            comments: String::new(),
        };
        let mut strings = Vec::new();
        let mut at = 0;
        let mut line = 1;
        while at < characters.len() {
            let end = match token(&characters, at) {
                Token::Comment(end) => {
                    characters[at..end]
                        .iter()
                        .for_each(|&c| layers.put(c, Layer::Comment));
                    end
                }
                Token::String { open, close, end } => {
                    strings.push(Text {
                        line,
                        content: characters[open..close].iter().collect(),
                    });
                    for (index, &c) in characters[at..end].iter().enumerate() {
                        let inside = (open..close).contains(&(at + index));
                        layers.put(c, if inside { Layer::Blank } else { Layer::Code });
                    }
                    end
                }
                Token::Other(end) => {
                    characters[at..end]
                        .iter()
                        .for_each(|&c| layers.put(c, Layer::Code));
                    end
                }
            };
            line += characters[at..end].iter().filter(|&&c| c == '\n').count();
            at = end;
        }
        let lines = |text: &str| text.split('\n').map(str::to_string).collect::<Vec<_>>();
        let test_lines = test_items(&layers.code);
        Self {
            code: lines(&layers.code),
            comments: lines(&layers.comments),
            strings,
            test_lines,
        }
    }

    /// Whether a line (counted from 1) is compiled only for tests.
    pub fn is_test(&self, line: usize) -> bool {
        self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// The lines of code that are compiled into the library, with their numbers.
    pub fn library(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(line, _)| !self.is_test(*line))
    }

    /// All lines of code, with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .iter()
            .enumerate()
            .map(|(index, line)| (index + 1, line.as_str()))
    }
}

enum Token {
    Comment(usize),
    String {
        open: usize,
        close: usize,
        end: usize,
    },
    Other(usize),
}

/// The token at `at`, and where it ends.
fn token(text: &[char], at: usize) -> Token {
    let next = |offset: usize| text.get(at + offset).copied().unwrap_or('\0');
    match text[at] {
        '/' if next(1) == '/' => Token::Comment(find(text, at, |c| c == '\n')),
        '/' if next(1) == '*' => Token::Comment(block_comment(text, at)),
        '"' => string(text, at),
        '\'' => Token::Other(character(text, at)),
        c if is_word(c) => {
            let end = find(text, at, |c| !is_word(c));
            let word: String = text[at..end].iter().collect();
            let raw = matches!(word.as_str(), "r" | "br" | "cr");
            match text.get(end) {
                Some('"') if raw => raw_string(text, end),
                Some('#') if raw && hashes_then_quote(text, end) => raw_string(text, end),
                _ => Token::Other(end),
            }
        }
        _ => Token::Other(at + 1),
    }
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(text: &[char], from: usize, stop: impl Fn(char) -> bool) -> usize {
    text[from..]
        .iter()
        .position(|&c| stop(c))
        .map_or(text.len(), |offset| from + offset)
}

fn block_comment(text: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut here = at;
    while here + 1 < text.len() {
        match (text[here], text[here + 1]) {
            ('/', '*') => {
                depth += 1;
                here += 2;
            }
            ('*', '/') => {
                depth -= 1;
                here += 2;
                if depth == 0 {
                    return here;
                }
            }
            _ => here += 1,
        }
    }
    text.len()
}

fn string(text: &[char], at: usize) -> Token {
    let mut here = at + 1;
    while here < text.len() && text[here] != '"' {
        here += if text[here] == '\\' { 2 } else { 1 };
    }
    let close = here.min(text.len());
    Token::String {
        open: at + 1,
        close,
        end: (close + 1).min(text.len()),
    }
}

fn hashes_then_quote(text: &[char], at: usize) -> bool {
    text.get(find(text, at, |c| c != '#')) == Some(&'"')
}

/// A raw string whose hashes (or quote) start at `at`.
fn raw_string(text: &[char], at: usize) -> Token {
    let quote = find(text, at, |c| c == '"');
    let hashes = quote - at;
    let mut close = quote + 1;
    while close < text.len() {
        let after = &text[close + 1..(close + 1 + hashes).min(text.len())];
        if text[close] == '"' && after.len() == hashes && after.iter().all(|&c| c == '#') {
            break;
        }
        close += 1;
    }
    let close = close.min(text.len());
    Token::String {
        open: quote + 1,
        close,
        end: (close + 1 + hashes).min(text.len()),
    }
}

/// The end of a character literal; of a lifetime, only its tick.
fn character(text: &[char], at: usize) -> usize {
    match (text.get(at + 1), text.get(at + 2)) {
        (Some('\\'), _) => (find(text, at + 3, |c| c == '\'') + 1).min(text.len()),
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// The lines of each item that stands under `#[cfg(test)]`: to its closing brace, or to its semicolon.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    let mut from = 0;
    while let Some(at) = code[from..]
        .find("#[cfg(test)]")
        .map(|offset| from + offset)
    {
        let mut depth = 0;
        let body = at + "#[cfg(test)]".len();
        let mut end = code.len();
        for (offset, c) in code[body..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ';' if depth == 0 => {
                    end = body + offset + 1;
                    break;
                }
                _ => continue,
            }
            if c == '}' && depth == 0 {
                end = body + offset + 1;
                break;
            }
        }
        found.push(line_of(at)..line_of(end) + 1);
        from = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_leave_the_code_alone() {
        let source = Source::of(
            "let a = \"x // y\"; // z \"q\"\nlet b = r#\"say \"hi\"\"#; /* a /* b */ c */ let c = '\"';",
        );
        assert_eq!(source.code[0].trim_end(), "let a = \"      \";");
        assert_eq!(source.comments[0].trim(), "// z \"q\"");
        let strings: Vec<_> = source
            .strings
            .iter()
            .map(|text| (text.line, text.content.as_str()))
            .collect();
        assert_eq!(strings, [(1, "x // y"), (2, "say \"hi\"")]);
        assert!(source.code[1].ends_with("let c = '\"';"));
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        let source = Source::of(
            "fn f<'a>(x: &'a str) -> &'a str { x } // '\nlet n = '\\n'; let s = \"in\";",
        );
        assert!(source.code[0].contains("-> &'a str { x }"));
        assert_eq!(source.strings.len(), 1);
    }

    #[test]
    fn items_for_tests_are_told_apart() {
        let source = Source::of(
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}",
        );
        let library: Vec<_> = source.library().map(|(line, _)| line).collect();
        assert_eq!(library, [1, 6, 9]);
    }
}
