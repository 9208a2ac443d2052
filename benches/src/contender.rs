//! What a contender is, what the work is, and the list of both.
//!
//! A new contender is one file and one line of [`CONTENDERS`]. Invariant: the words here say all that a contender may
//! know about a workload; how it gets the answer is its own affair.

use std::error::Error;

use crate::sum::Sum;
use crate::{diesel_side, relata_side, rusqlite_side};

/// Anything that stops a benchmark.
pub type Failure = Box<dyn Error>;

/// Where the data lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A database in memory, one connection.
    Memory,
    /// A file of its own with a write-ahead log, `synchronous = FULL`.
    File,
}

/// One kind of work. Rows are summed with the method of [`Sum`] that has their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Load all 10,000 users by id; touch id, name and hair colour.
    Users,
    /// Insert 1,000 people one by one, by the ordinary way to save, in one transaction; each gets its id back.
    Inserts,
    /// The first 100 users, their 10 posts each, their 10 comments each, loaded eagerly; touch all.
    Nested,
    /// All 10,000 posts by id, each with its author, one of 1,000.
    Authors,
    /// Find 10,000 users by their key, one after the other.
    Find,
    /// The first 1,000 posts by id; then ask each for its author, which nobody loaded. Ten posts of an author stand
    /// together, so these are 100 authors; who asks once a post asks 1,000 times.
    Lazy,
    /// The first 1,000 posts by id alone, each touched: what [`Workload::Lazy`] does besides its loop over authors.
    Posts,
}

/// All work, in the order it is reported.
pub const WORKLOADS: &[Workload] = &[
    Workload::Users,
    Workload::Inserts,
    Workload::Nested,
    Workload::Authors,
    Workload::Find,
    Workload::Lazy,
    Workload::Posts,
];

impl Workload {
    /// Its short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "W1",
            Self::Inserts => "W3a",
            Self::Nested => "W4",
            Self::Authors => "W5",
            Self::Find => "W6",
            Self::Lazy => "W7",
            Self::Posts => "W7p",
        }
    }

    /// The work that is part of this one and not what it is about: taken off, it leaves the loop. `W7 - W7p` is what
    /// asking 1,000 posts for their author costs, for all contenders alike.
    pub const fn besides(self) -> Option<Self> {
        match self {
            Self::Lazy => Some(Self::Posts),
            _ => None,
        }
    }

    /// The work of that short name.
    pub fn named(name: &str) -> Result<Self, Failure> {
        let found = WORKLOADS
            .iter()
            .copied()
            .find(|workload| workload.name() == name);
        found.ok_or_else(|| format!("there is no workload `{name}`").into())
    }
}

/// One library, with its own seeded database open.
pub trait Contender {
    /// Does the work once and adds every row to `sum`.
    fn run(&mut self, workload: Workload, sum: &mut Sum) -> Result<(), Failure>;

    /// Removes what [`Workload::Inserts`] inserted; never timed.
    fn clear(&mut self) -> Result<(), Failure>;
}

/// Opens a contender: where its database lies, and the statements that fill it.
pub type Open = fn(&str, &[String]) -> Result<Box<dyn Contender>, Failure>;

/// What all others are measured against.
pub const BASE: &str = "rusqlite";

/// All contenders; the base is first.
pub const CONTENDERS: &[(&str, Open)] =
    &[(BASE, rusqlite_side::open), ("relata", relata_side::open), ("diesel", diesel_side::open)];

/// Opens the contender of that name on a fresh database.
pub fn open(name: &str, place: Place) -> Result<Box<dyn Contender>, Failure> {
    let Some((_, open)) = CONTENDERS.iter().find(|(other, _)| *other == name) else {
        return Err(format!("there is no contender `{name}`").into());
    };
    let path = match place {
        Place::Memory => ":memory:".to_string(),
        Place::File => crate::seed::fresh_file(name)?,
    };
    open(&path, &crate::seed::script())
}
