//! What differs between databases in the text of a statement. Everything that is not here is the same for all.
//!
//! Invariant: a dialect is a handful of answers; it holds no state and makes no statement.

use crate::attribute::value::Kind;

/// A database's way of writing SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
}

impl Dialect {
    /// Appends an identifier, quoted. The only place where identifiers enter SQL: the quote character is doubled,
    /// and nothing is ever taken as quoted already.
    pub(crate) fn quote(self, identifier: &str, out: &mut String) {
        let quote = match self {
            Self::Sqlite => '"',
        };
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
    pub(crate) fn placeholder(self, _number: usize, out: &mut String) {
        match self {
            Self::Sqlite => out.push('?'),
        }
    }

    /// Longer lists go as one value, a JSON array, so that no bind limit and no cache of prepared statements cares
    /// how many there are. `None` where the dialect has another way.
    pub(crate) fn list_as_json(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Sqlite => Some(("(SELECT value FROM json_each(", "))")),
        }
    }

    /// What stands for "no limit" where an offset needs a limit before it.
    pub(crate) fn unlimited(self) -> &'static str {
        match self {
            Self::Sqlite => "-1",
        }
    }

    /// Rows are locked for the transaction by this, at the end of a SELECT.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            // The whole database is locked by a write transaction.
            Self::Sqlite => "",
        }
    }

    /// Names of columns of an INSERT of nothing but defaults.
    pub(crate) fn default_values(self) -> &'static str {
        match self {
            Self::Sqlite => "DEFAULT VALUES",
        }
    }

    /// The type of a column, for `create_tables`.
    pub(crate) fn column_type(self, kind: Kind) -> &'static str {
        match self {
            Self::Sqlite => match kind {
                Kind::Bool => "BOOLEAN",
                Kind::Int | Kind::Uint => "INTEGER",
                Kind::Float => "REAL",
                Kind::Text => "TEXT",
                Kind::Bytes => "BLOB",
                Kind::Timestamp | Kind::DateTime => "DATETIME",
                Kind::Date => "DATE",
                Kind::Time => "TIME",
                Kind::Uuid => "UUID_TEXT",
                Kind::Decimal => "DECIMAL",
                Kind::Json => "JSON_TEXT",
            },
        }
    }

    /// The clause of a single integer key that the database generates.
    pub(crate) fn generated_key(self) -> &'static str {
        match self {
            Self::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
        }
    }
}
