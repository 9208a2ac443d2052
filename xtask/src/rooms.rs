//! The house as data: its rooms, who may import whom, where `unsafe` and SQL text may stand, how long a file may be.
//!
//! This is the one file to edit when a room is added or a door is opened. A new door is an architectural change:
//! argue for it in the same commit, and in ARCHITECTURE.md.

/// Which floor a room is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storey {
    /// Describes: no `async`, no `.await`, no runtime.
    Ground,
    /// Does: runs statements, waits.
    Upper,
}

/// One room: a top-level module of `crates/relata/src`.
#[derive(Debug)]
pub struct Room {
    pub name: &'static str,
    pub storey: Storey,
    /// What it may import from the crate: a room, or one item of a room (`db::Db`).
    pub imports: &'static [&'static str],
}

const fn ground(name: &'static str, imports: &'static [&'static str]) -> Room {
    Room {
        name,
        storey: Storey::Ground,
        imports,
    }
}

const fn upper(name: &'static str, imports: &'static [&'static str]) -> Room {
    Room {
        name,
        storey: Storey::Upper,
        imports,
    }
}

/// The crate that the matrix is about.
pub const LIBRARY: &str = "crates/relata/src";

/// Lowest first. What is not listed in a row is forbidden to that room.
#[rustfmt::skip] // one room, one line: this is a table
pub const ROOMS: &[Room] = &[
    ground("attribute", &[]),
    // What comes from outside, before it meets a model.
    ground("params", &["attribute"]),
    ground("sql", &["attribute", "reflection"]),
    // A declaration holds its scope, as written: a function on relations that it never calls. A model keeps the root
    // place of its queries, made by `sql`.
    ground("reflection", &["attribute", "relation::Scope", "sql::Place"]),
    // A record carries its database as an opaque handle; it never asks it anything.
    ground("record", &["attribute", "reflection", "db::Db"]),
    ground("relation", &["attribute", "reflection", "record", "sql", "db::Db"]),
    ground("association", &["attribute", "reflection", "record", "relation", "sql", "db::Db"]),
    // What of a record is given on, which is in memory.
    ground("fields", &["attribute", "params", "reflection", "record", "association"]),
    upper("db", &["attribute", "sql"]),
    upper("schema", &["attribute", "reflection", "sql", "db"]),
    upper("loading", &["attribute", "reflection", "record", "relation", "sql", "association", "db"]),
    upper("persistence", &["attribute", "params", "reflection", "record", "relation", "sql", "association", "db", "loading"]),
    // Jobs are rows of a table, read and written as any: it names relations and records, and their own methods.
    upper("jobs", &["attribute", "reflection", "record", "relation", "db"]),
    upper("proxy", &["attribute", "reflection", "record", "relation", "sql", "association", "db", "loading", "persistence"]),
];

/// Modules that are no room: what every signature needs. Everybody may import them, they import little.
#[rustfmt::skip]
pub const SHARED: &[(&str, &[&str])] = &[
    // An error carries the record it is about.
    ("error", &["attribute", "reflection", "record"]),
    ("hashing", &[]),
    // What models declare to be run and kept: functions of records, as data. Reflections keep them and never call them;
    // loading and persistence do, so that both storeys name the types. What a token is bound to is a value;
    // `accepts_nested_attributes_for` declares a function of what was given.
    ("callback", &["attribute::Value", "record", "params"]),
    ("validation", &["attribute", "record", "relation::Scope"]),
    // What is left for later, as data, and who takes it: a database holds the queue, and hands it itself.
    ("job", &["attribute", "db::Db"]),
    // Who uses a deprecated association is told so, as the database was told to: both storeys use them.
    ("deprecation", &["reflection", "db::Db"]),
    // The words of errors, under Rails' keys: a database holds where they come from.
    ("messages", &[]),
    // What a program is told that is no error.
    ("warning", &[]),
    // The one named future; the ground storey must not name it.
    ("pending", &[]),
    // The trait of models: a typed shell, so it names one item of many rooms, and what its own methods forward to.
    ("model", &["attribute", "params", "reflection", "record", "relation", "sql::Place", "db::Db", "loading::find", "loading::Columns", "loading::own_positions", "persistence::create", "persistence::create_from", "proxy"]),
];

/// Words that mean waiting, forbidden on the ground storey.
pub const WAITING: &[&str] = &["async", "await", "tokio", "Pending", "Future"];

/// Files of the crate that only re-export or expand to code, and may name everything.
pub const FRONT: &[&str] = &["lib.rs", "prelude.rs", "declare.rs", "running.rs"];

/// What may be named at the crate's root by every room; everything else is named through its room.
pub const ROOT_ITEMS: &[&str] = &["Error", "ErrorKind", "Result"];

/// Files that may hold `unsafe`: a file, or a folder with its module file.
pub const UNSAFE: &[&str] = &[
    "crates/relata/src/record.rs",
    "crates/relata/src/record/",
    "crates/relata/src/attribute.rs",
    "crates/relata/src/attribute/",
    "crates/relata/src/db/sqlite/statement.rs",
    // An allocator that counts is an `unsafe` trait, and no other test can count bytes.
    "crates/relata/tests/memory/main.rs",
];

/// Where SQL text may be written.
pub const SQL_TEXT: &[&str] = &[
    "crates/relata/src/sql.rs",
    "crates/relata/src/sql/",
    // What begins and ends transactions and savepoints, and sets up a connection: it names nothing of a model.
    "crates/relata/src/db.rs",
    "crates/relata/src/db/",
    // Quoted for people: in the documentation of generated methods, and in what tests expect.
    "crates/relata-macros/src/emit/",
    "crates/relata-suite/src/",
    // The tables of a transcript, which no model of ours makes; and what Rails sent, which is compared.
    "crates/relata-conformance/src/schema.rs",
    "crates/relata-conformance/src/statements.rs",
];

/// Lines of a source file, its `#[cfg(test)]` items left out: a warning, then a violation.
pub const LONG: usize = 400;
/// See [`LONG`].
pub const TOO_LONG: usize = 600;
/// Files that are tables and may be longer.
pub const TABLES: &[&str] = &[];

/// Names that say nothing about what is inside.
pub const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "manager", "common", "misc",
];

/// The most lines ARCHITECTURE.md may have.
pub const ARCHITECTURE_LINES: usize = 300;

/// Words that belong to the place where this was made, not to the project. In two halves, so that this file is clean.
pub const FOREIGN: &[(&str, &str)] = &[
    ("farm-", "studio"),
    ("farm-", "bench"),
    (".lib", "rary/"),
    ("../.lib", "rary"),
    ("issues ", "said"),
    ("issues ", "show"),
    ("/wo", "rk/"),
];
