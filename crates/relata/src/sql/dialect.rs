//! What differs between databases in the text of a statement. Everything that is not here is the same for all.
//!
//! A dialect is a table of answers: [`STANDARD`] says what most databases say, and each one overrides the few lines
//! in which it differs.
//!
//! Invariant: a dialect holds no state and makes no statement; nothing outside this file asks which one it is.

use std::fmt;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use crate::attribute::value::{Kind, Value};
use crate::attribute::{calendar, cast};

/// A database's way of writing SQL.
#[derive(Clone, Copy)]
pub struct Dialect(&'static Rules);

/// The answers of a dialect.
struct Rules {
    name: &'static str,
    /// OpenTelemetry's name of the database.
    system: &'static str,
    quote: char,
    placeholder: fn(usize, &mut String),
    /// How long lists are one value; `None` where every list is written out.
    lists: Option<Lists>,
    tuples: Option<Tuples>,
    /// What stands for "no limit" where an offset needs a limit before it.
    unlimited: &'static str,
    for_update: &'static str,
    default_values: &'static str,
    excluded: &'static str,
    /// An INSERT that leaves the generated key out asks for it.
    returns_key: bool,
    /// False, true.
    booleans: [&'static str; 2],
    like: Like,
    like_ignoring_case: Like,
    column_type: fn(Kind) -> &'static str,
    generated_key: &'static str,
    /// A table can be made before those that it refers to.
    references_ahead: bool,
    explain: &'static str,
    /// For a table's columns: name, type, whether it is not null, whether it is part of the key, default.
    columns_of: Around,
    /// For the indexes of a table that hold all its rows, a row for each of their columns in order: index, whether it
    /// is unique, column. `None` where the database cannot be asked.
    indexes_of: Option<Around>,
    /// For a table's foreign keys, a row for each of their columns in order: key, table referred to, column, column
    /// referred to. `None` where the database cannot be asked.
    foreign_keys_of: Option<Around>,
    /// Whether a column that was declared with that type holds what a kind needs.
    holds: fn(&str, Kind) -> bool,
}

/// What stands before and after a table's name, as a literal, in a question about it.
pub(crate) type Around = (&'static str, &'static str);

/// A list as one value: no bind limit and no cache of prepared statements cares how long it is.
#[derive(Clone, Copy)]
pub(crate) struct Lists {
    /// Shorter lists are written out.
    pub(crate) longer_than: usize,
    /// What stands before and after the value for `IN`, by the kind of what is in it.
    pub(crate) within: fn(Kind) -> Around,
    /// The same for `NOT IN`.
    pub(crate) without: fn(Kind) -> Around,
    /// What stands before the value, between it and a column, and after that, for the column's place in the list.
    pub(crate) rank: Option<fn(Kind) -> [&'static str; 3]>,
    /// The value, where it can hold the list exactly.
    pub(crate) value: fn(&[Value<'static>]) -> Option<Value<'static>>,
}

/// A list of keys of several columns as one value. Written out, each is a condition of its own, and conditions are not
/// nested any deeper than databases allow.
#[derive(Clone, Copy)]
pub(crate) struct Tuples {
    /// Shorter lists are written out.
    pub(crate) longer_than: usize,
    /// What stands before the parts of a key.
    pub(crate) before: &'static str,
    /// The part of a key at a position, of a kind.
    pub(crate) part: fn(usize, Kind, &mut String),
    /// What stands before and after the value.
    pub(crate) around: Around,
    /// The value, where it can hold the keys exactly.
    pub(crate) value: fn(&[Vec<Value<'static>>]) -> Option<Value<'static>>,
}

/// How text is matched against a pattern.
#[derive(Clone, Copy)]
pub(crate) struct Like {
    pub(crate) operator: &'static str,
    pub(crate) after: &'static str,
    /// From a pattern of LIKE, with `\` as escape.
    pub(crate) pattern: fn(&str) -> String,
}

/// What most databases say.
const STANDARD: Rules = Rules {
    name: "SQL",
    system: "other_sql",
    quote: '"',
    placeholder: |_, out| out.push('?'),
    lists: None,
    tuples: None,
    unlimited: "ALL",
    for_update: " FOR UPDATE",
    default_values: "DEFAULT VALUES",
    excluded: "excluded",
    returns_key: false,
    booleans: ["FALSE", "TRUE"],
    like: Like {
        operator: " LIKE ",
        after: " ESCAPE '\\'",
        pattern: str::to_owned,
    },
    like_ignoring_case: Like {
        operator: " LIKE ",
        after: " ESCAPE '\\'",
        pattern: str::to_owned,
    },
    column_type: |kind| match kind {
        Kind::Bool => "BOOLEAN",
        Kind::Int | Kind::Uint => "BIGINT",
        Kind::Float => "DOUBLE PRECISION",
        Kind::Text => "TEXT",
        Kind::Bytes => "BLOB",
        Kind::Timestamp | Kind::DateTime => "TIMESTAMP",
        Kind::Date => "DATE",
        Kind::Time => "TIME",
        Kind::Uuid => "UUID",
        Kind::Decimal => "DECIMAL",
        Kind::Json => "JSON",
    },
    generated_key: "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
    references_ahead: false,
    explain: "EXPLAIN ",
    columns_of: (
        "SELECT column_name, data_type, is_nullable = 'NO', 0, column_default FROM information_schema.columns WHERE table_name = ",
        "",
    ),
    indexes_of: None,
    foreign_keys_of: None,
    holds: |_, _| true,
};

/// A column's place in a long list, by what the list's values are and how the column is read.
macro_rules! rank {
    ($value:literal, $column:literal) => {
        [
            concat!(
                "(WITH __listed AS MATERIALIZED (SELECT ",
                $value,
                " AS one, MIN(key) + 1 AS place FROM json_each("
            ),
            concat!(
                ") GROUP BY 1) SELECT place FROM __listed WHERE one = ",
                $column
            ),
            ")",
        ]
    };
}

static SQLITE: Rules = Rules {
    name: "SQLite",
    system: "sqlite",
    lists: Some(Lists {
        // Below it binding is the cheaper way.
        longer_than: 1024,
        within: |kind| match kind {
            Kind::Bytes => (" IN (SELECT unhex(value) FROM json_each(", "))"),
            _ => (" IN (SELECT value FROM json_each(", "))"),
        },
        without: |kind| match kind {
            Kind::Bytes => (" NOT IN (SELECT unhex(value) FROM json_each(", "))"),
            _ => (" NOT IN (SELECT value FROM json_each(", "))"),
        },
        // Grouped, so that it is made once and then looked up in: without, each row would read the whole list. SQLite
        // looks up only where both sides compare as one type, so each says which: the list by a cast, the column by
        // what it was declared as, or with `+` by nothing.
        rank: Some(|kind| match kind {
            Kind::Bool | Kind::Int | Kind::Uint => rank!("CAST(value AS INTEGER)", ""),
            Kind::Float => rank!("CAST(value AS REAL)", ""),
            Kind::Decimal => rank!("CAST(value AS NUMERIC)", ""),
            Kind::Bytes => rank!("unhex(value)", "+"),
            _ => rank!("CAST(value AS TEXT)", "+"),
        }),
        value: |values| {
            let mut out = String::with_capacity(values.len() * 8 + 2);
            json_array(values, json, &mut out)?;
            Some(Value::Json(out.into()))
        },
    }),
    tuples: Some(Tuples {
        longer_than: 64,
        before: " IN (SELECT ",
        part: |at, kind, out| {
            _ = match kind {
                Kind::Bytes => write!(out, "unhex(value ->> {at})"),
                _ => write!(out, "value ->> {at}"),
            }
        },
        around: (" FROM json_each(", "))"),
        value: |keys| {
            let mut out = String::with_capacity(keys.len() * 16 + 2);
            json_array(keys, |key, out| json_array(key, json, out), &mut out)?;
            Some(Value::Json(out.into()))
        },
    }),
    unlimited: "-1",
    // The whole database is locked by a transaction that writes.
    for_update: "",
    booleans: ["0", "1"],
    // SQLite's LIKE ignores case, its GLOB does not.
    like: Like {
        operator: " GLOB ",
        after: "",
        pattern: glob,
    },
    column_type: |kind| match kind {
        Kind::Int | Kind::Uint => "INTEGER",
        Kind::Float => "REAL",
        Kind::Timestamp | Kind::DateTime => "DATETIME",
        // A declared type decides how SQLite would convert what it is given: these keep text as it is.
        Kind::Uuid => "UUID_TEXT",
        Kind::Json => "JSON_TEXT",
        other => (STANDARD.column_type)(other),
    },
    generated_key: "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
    references_ahead: true,
    explain: "EXPLAIN QUERY PLAN ",
    columns_of: (
        "SELECT name, type, \"notnull\", pk, dflt_value FROM pragma_table_info(",
        ")",
    ),
    indexes_of: Some((
        "SELECT list.name, list.\"unique\", info.name FROM pragma_index_list(",
        ") AS list, pragma_index_info(list.name) AS info WHERE list.partial = 0 ORDER BY list.seq, info.seqno",
    )),
    foreign_keys_of: Some((
        "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(",
        ") ORDER BY id, seq",
    )),
    holds: affine,
    ..STANDARD
};

impl Dialect {
    /// SQLite 3.
    pub const SQLITE: Self = Self(&SQLITE);

    /// The name of the database: `SQLite`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The name of the database among OpenTelemetry's: `sqlite`.
    #[must_use]
    pub fn system(self) -> &'static str {
        self.0.system
    }

    /// Appends an identifier, quoted. The only place where identifiers enter SQL: the quote character is doubled,
    /// and nothing is ever taken as quoted already.
    pub(crate) fn quote(self, identifier: &str, out: &mut String) {
        let quote = self.0.quote;
        out.push(quote);
        for character in identifier.chars() {
            // A NUL ends the statement's text in C; no database has one in a name.
            if character == '\0' {
                continue;
            }
            if character == quote {
                out.push(quote);
            }
            out.push(character);
        }
        out.push(quote);
    }

    /// Appends the placeholder of the value number `number`, counted from 1.
    pub(crate) fn placeholder(self, number: usize, out: &mut String) {
        (self.0.placeholder)(number, out);
    }

    /// How long lists are one value.
    pub(crate) fn lists(self) -> Option<Lists> {
        self.0.lists
    }

    /// How long lists of keys of several columns are one value.
    pub(crate) fn tuples(self) -> Option<Tuples> {
        self.0.tuples
    }

    /// What stands for "no limit" where an offset needs a limit before it.
    pub(crate) fn unlimited(self) -> &'static str {
        self.0.unlimited
    }

    /// Rows are locked for the transaction by this, at the end of a SELECT.
    pub(crate) fn for_update(self) -> &'static str {
        self.0.for_update
    }

    /// What follows the table in an INSERT of nothing but defaults.
    pub(crate) fn default_values(self) -> &'static str {
        self.0.default_values
    }

    /// Whether an INSERT that leaves the generated key out asks for it in its text. Otherwise the library reports it.
    pub(crate) fn returns_key(self) -> bool {
        self.0.returns_key
    }

    /// How text is matched against a pattern of LIKE.
    pub(crate) fn like(self, ignoring_case: bool) -> Like {
        if ignoring_case {
            self.0.like_ignoring_case
        } else {
            self.0.like
        }
    }

    /// A truth value in the text of a statement.
    pub(crate) fn boolean(self, value: bool) -> &'static str {
        self.0.booleans[usize::from(value)]
    }

    /// What an INSERT's own row is called where it meets one that is there.
    pub(crate) fn excluded(self) -> &'static str {
        self.0.excluded
    }

    /// The type of a column, for `create_tables`.
    pub(crate) fn column_type(self, kind: Kind) -> &'static str {
        (self.0.column_type)(kind)
    }

    /// The clause of a single integer key that the database generates.
    pub(crate) fn generated_key(self) -> &'static str {
        self.0.generated_key
    }

    /// Whether a table can be made before those that it refers to.
    pub(crate) fn references_ahead(self) -> bool {
        self.0.references_ahead
    }

    /// What stands before a statement to ask for its plan.
    pub(crate) fn explain(self) -> &'static str {
        self.0.explain
    }

    /// How to ask for a table's columns.
    pub(crate) fn columns_of(self) -> Around {
        self.0.columns_of
    }

    /// How to ask for a table's indexes.
    pub(crate) fn indexes_of(self) -> Option<Around> {
        self.0.indexes_of
    }

    /// How to ask for a table's foreign keys.
    pub(crate) fn foreign_keys_of(self) -> Option<Around> {
        self.0.foreign_keys_of
    }

    /// Whether a column that was declared with that type holds what a kind needs.
    pub(crate) fn holds(self, declared: &str, kind: Kind) -> bool {
        (self.0.holds)(declared, kind)
    }
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Dialect {}

impl Hash for Dialect {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self.0).addr().hash(state);
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

/// A JSON array, where JSON can hold what is in it exactly.
fn json_array<T>(
    items: &[T],
    item: impl Fn(&T, &mut String) -> Option<()>,
    out: &mut String,
) -> Option<()> {
    out.push('[');
    for (position, one) in items.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        item(one, out)?;
    }
    out.push(']');
    Some(())
}

/// A value as SQLite keeps it, in JSON.
fn json(value: &Value<'static>, out: &mut String) -> Option<()> {
    match value {
        Value::Int(number) => _ = write!(out, "{number}"),
        Value::Uint(number) => _ = write!(out, "{}", i64::try_from(*number).ok()?),
        Value::Bool(value) => out.push(if *value { '1' } else { '0' }),
        // The shortest text that is read as the same number; JSON has none for the infinite, which this is read as.
        Value::Float(number) if number.is_finite() => _ = write!(out, "{number:e}"),
        Value::Float(number) if number.is_nan() => return None,
        Value::Float(number) => out.push_str(if *number > 0.0 { "9e999" } else { "-9e999" }),
        Value::Text(text) | Value::Json(text) => json_text(text, out),
        // Bound alone it is text too, which the column makes a number of.
        Value::Decimal(text) if cast::significant_digits(text) <= 15 => json_text(text, out),
        Value::Bytes(bytes) => {
            out.push('"');
            bytes.iter().for_each(|byte| _ = write!(out, "{byte:02x}"));
            out.push('"');
        }
        Value::Uuid(number) => json_text(&cast::format_uuid(*number), out),
        Value::Timestamp(micros) | Value::DateTime(micros) => {
            json_text(&calendar::format_timestamp(*micros), out);
        }
        Value::Date(days) => json_text(&calendar::format_date(*days), out),
        Value::Time(micros) => json_text(&calendar::format_time(*micros), out),
        _ => return None,
    }
    Some(())
}

fn json_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => _ = write!(out, "\\u{:04x}", u32::from(control)),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Whether SQLite would keep values of a kind as they are: words of the declared type decide how it converts what it is
/// given, and without a type it keeps everything.
fn affine(declared: &str, kind: Kind) -> bool {
    let declared = declared.to_ascii_uppercase();
    let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    let (integer, text) = (says(&["INT"]), says(&["CHAR", "CLOB", "TEXT"]));
    let real = !integer && says(&["REAL", "FLOA", "DOUB"]);
    match kind {
        Kind::Bool | Kind::Int | Kind::Uint => integer || !(text || real),
        Kind::Float => real || !(integer || text),
        Kind::Decimal => true,
        // Dates, UUIDs and documents are text.
        _ => !(integer || real),
    }
}

/// A LIKE pattern with `\` as escape, as a GLOB pattern.
fn glob(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut escaped = false;
    for character in pattern.chars() {
        match (character, escaped) {
            ('\\', false) => {
                escaped = true;
                continue;
            }
            ('%', false) => out.push('*'),
            ('_', false) => out.push('?'),
            ('*' | '?' | '[', _) => {
                out.push('[');
                out.push(character);
                out.push(']');
            }
            (other, _) => out.push(other),
        }
        escaped = false;
    }
    out
}

#[cfg(test)]
mod tests;
