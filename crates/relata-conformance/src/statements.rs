//! The statements of a step beside those of Rails. Section 10 of the format, rule 6.
//!
//! Invariant: writes are compared one by one, reads by their number; transaction control is not counted, but what
//! Rails writes in one transaction is written in one.

use std::collections::BTreeSet;

/// One write, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Write {
    verb: String,
    table: String,
    /// The columns that an UPDATE sets.
    columns: BTreeSet<String>,
    /// The number of the transaction that it stands in, counted within the step.
    transaction: Option<usize>,
}

/// The statements of a step.
#[derive(Debug, Default)]
pub struct Statements {
    writes: Vec<Write>,
    /// How many statements read.
    pub reads: usize,
    /// Whether the list was shortened, so that there may be more writes.
    cut: bool,
}

impl Statements {
    /// What a list of statements does, transaction control included.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        let (mut transaction, mut begun) = (None, 0);
        for text in texts {
            let words = words(text);
            let first = words
                .first()
                .map(|word| word.to_ascii_uppercase())
                .unwrap_or_default();
            match first.as_str() {
                "BEGIN" => {
                    begun += 1;
                    transaction = Some(begun);
                }
                "COMMIT" => transaction = None,
                "ROLLBACK"
                    if words
                        .get(1)
                        .is_none_or(|word| !word.eq_ignore_ascii_case("TO")) =>
                {
                    transaction = None;
                }
                "SAVEPOINT" | "RELEASE" | "ROLLBACK" => {}
                "(CUT)" => all.cut = true,
                // What holds for no row writes nothing.
                "UPDATE" | "DELETE" if text.contains("1=0") => {}
                "INSERT" | "UPDATE" | "DELETE" => {
                    all.writes.push(write(&first, &words, transaction))
                }
                "[CACHED]" | "" => {}
                _ => all.reads += 1,
            }
        }
        all
    }

    /// Whether these are as good as the expected ones; what is not.
    #[must_use]
    pub fn differ(&self, expected: &Self) -> Option<String> {
        let counted = if expected.cut {
            expected.writes.len()
        } else {
            self.writes.len().max(expected.writes.len())
        };
        for at in 0..counted {
            let same = match (expected.writes.get(at), self.writes.get(at)) {
                (Some(wanted), Some(got)) => {
                    wanted.verb == got.verb
                        && wanted.table == got.table
                        && wanted.columns == got.columns
                }
                _ => false,
            };
            if !same {
                return Some(format!(
                    "expected the writes [{}], got [{}]",
                    shown(&expected.writes),
                    shown(&self.writes)
                ));
            }
        }
        if self.reads > expected.reads {
            return Some(format!(
                "expected at most {} reads, got {}",
                expected.reads, self.reads
            ));
        }
        self.apart(expected)
    }

    /// What Rails writes in one transaction and we do not. One write by itself is one as it is sent.
    fn apart(&self, expected: &Self) -> Option<String> {
        let pairs = expected.writes.iter().zip(&self.writes);
        for (at, (wanted, got)) in pairs.clone().enumerate() {
            for (other_wanted, other_got) in pairs.clone().skip(at + 1) {
                let together =
                    wanted.transaction.is_some() && wanted.transaction == other_wanted.transaction;
                let apart = got.transaction.is_none() || got.transaction != other_got.transaction;
                if together && apart {
                    return Some(format!(
                        "expected [{}] in one transaction, got them apart",
                        shown(&[wanted.clone(), other_wanted.clone()])
                    ));
                }
            }
        }
        None
    }
}

fn shown(writes: &[Write]) -> String {
    let one = |write: &Write| {
        let mut text = format!("{} {}", write.verb, write.table);
        if !write.columns.is_empty() {
            let columns: Vec<&str> = write.columns.iter().map(String::as_str).collect();
            text.push_str(&format!(" ({})", columns.join(", ")));
        }
        text
    };
    writes.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn write(verb: &str, words: &[String], transaction: Option<usize>) -> Write {
    let after = |word: &str| {
        words
            .iter()
            .position(|known| known.eq_ignore_ascii_case(word))
            .map(|at| at + 1)
    };
    let table = match verb {
        "INSERT" => after("INTO"),
        "DELETE" => after("FROM"),
        _ => Some(1),
    };
    let table = table
        .and_then(|at| words.get(at))
        .cloned()
        .unwrap_or_default();
    let mut columns = BTreeSet::new();
    if verb == "UPDATE"
        && let Some(start) = after("SET")
    {
        let mut depth = 0usize;
        let mut expects = true;
        for word in &words[start..] {
            match word.as_str() {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "," if depth == 0 => expects = true,
                word if depth == 0 && word.eq_ignore_ascii_case("WHERE") => break,
                word if expects => {
                    columns.insert(word.to_owned());
                    expects = false;
                }
                _ => {}
            }
        }
    }
    Write {
        verb: verb.to_owned(),
        table,
        columns,
        transaction,
    }
}

/// The words of a statement: identifiers without their quotes, texts whole, signs by themselves.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' | '`' => {
                let mut word = String::new();
                for inner in letters.by_ref().take_while(|inner| *inner != letter) {
                    word.push(inner);
                }
                words.push(word);
            }
            '\'' => {
                let mut word = String::from("'");
                while let Some(inner) = letters.next() {
                    if inner == '\'' && letters.next_if_eq(&'\'').is_none() {
                        break;
                    }
                    word.push(inner);
                }
                word.push('\'');
                words.push(word);
            }
            letter if letter.is_whitespace() => {}
            '(' if text == "(cut)" => return vec![text.to_owned()],
            '[' => {
                let rest: String = letters.by_ref().take_while(|inner| *inner != ']').collect();
                words.push(format!("[{rest}]"));
            }
            letter if letter.is_alphanumeric() || letter == '_' || letter == '?' => {
                let mut word = String::from(letter);
                while let Some(inner) =
                    letters.next_if(|inner| inner.is_alphanumeric() || matches!(inner, '_' | '.'))
                {
                    word.push(inner);
                }
                words.push(word);
            }
            sign => words.push(sign.to_string()),
        }
    }
    words
}

/// Whether two texts of SQL say the same, quotes and white space aside.
#[must_use]
pub fn same_text(one: &str, other: &str) -> bool {
    words(one) == words(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_compared_by_verb_table_and_the_columns_of_an_update() {
        let rails = Statements::of([
            "BEGIN",
            "INSERT INTO \"users\" (\"name\") VALUES ('a, SET b') RETURNING \"id\"",
            "UPDATE \"posts\" SET \"a\" = 'x''y', \"b\" = COALESCE(\"b\", 0) + 1 WHERE \"posts\".\"id\" = 1",
            "COMMIT",
        ]);
        let ours = |update: &str| {
            Statements::of([
                "BEGIN IMMEDIATE",
                "INSERT INTO \"users\" (\"name\") VALUES (?)",
                update,
                "COMMIT",
            ])
        };
        assert_eq!(
            ours("UPDATE posts SET b = ?, a = ? WHERE id = ?").differ(&rails),
            None
        );
        assert!(
            ours("UPDATE posts SET a = ? WHERE id = ?")
                .differ(&rails)
                .is_some()
        );
        assert!(
            ours("DELETE FROM posts WHERE id = ?")
                .differ(&rails)
                .is_some()
        );
    }

    #[test]
    fn reads_are_at_most_as_many() {
        let rails = Statements::of(["SELECT 1", "[CACHED] SELECT 1"]);
        assert_eq!(Statements::of([]).differ(&rails), None);
        assert!(
            Statements::of(["SELECT 1", "SELECT 2"])
                .differ(&rails)
                .is_some()
        );
    }

    #[test]
    fn what_rails_writes_together_is_written_together() {
        let (one, two) = ("DELETE FROM a", "DELETE FROM b");
        let rails = Statements::of([
            "BEGIN",
            one,
            "SAVEPOINT x",
            two,
            "RELEASE SAVEPOINT x",
            "COMMIT",
        ]);
        assert_eq!(
            Statements::of(["BEGIN", one, two, "COMMIT"]).differ(&rails),
            None
        );
        assert!(Statements::of([one, two]).differ(&rails).is_some());
        assert!(
            Statements::of(["BEGIN", one, "COMMIT", "BEGIN", two, "COMMIT"])
                .differ(&rails)
                .is_some()
        );
        let alone = Statements::of(["BEGIN", one, "COMMIT"]);
        assert_eq!(Statements::of([one]).differ(&alone), None);
    }
}
