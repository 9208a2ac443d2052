//! Programs: what they can do, how they are made up, how a failing one is made short.

use crate::random::Random;
use crate::world::{Kind, List};

/// One step. Numbers choose among the objects there are, by their remainder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// A new record.
    New(Kind),
    /// All rows of a model, read anew: other objects than those before.
    Load(Kind, Batching),
    /// Sets the text.
    Text(usize, Option<u8>),
    /// Sets the key to the parent: that of a row, or one that no row has.
    Key(usize, Option<usize>),
    /// Makes a person the parent.
    Link(usize, Option<usize>),
    /// Adds the third to a collection of the first.
    Push(usize, List, usize),
    /// Builds a member of a collection.
    Build(usize, List),
    /// Reads the parent.
    Parent(usize),
    /// Reads a collection.
    Members(usize, List),
    Save(usize),
    /// A save whose statement of that number fails.
    FailingSave(usize, u64),
    Destroy(usize),
    Reload(usize),
    /// A transaction, or a savepoint of the one around it.
    Transaction(End, Vec<Step>),
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Commit,
    RollBack,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Batching {
    On,
    Off,
}

/// The program of a seed.
pub(crate) fn program(seed: u64) -> Vec<Step> {
    let mut random = Random::new(seed);
    let length = 4 + random.below(28);
    steps(&mut random, length, 0)
}

fn steps(random: &mut Random, count: usize, depth: usize) -> Vec<Step> {
    (0..count).map(|_| step(random, depth)).collect()
}

fn step(random: &mut Random, depth: usize) -> Step {
    let kind = if random.one_in(2) {
        Kind::Person
    } else {
        Kind::Post
    };
    let list = if random.one_in(2) {
        List::Reports
    } else {
        List::Posts
    };
    let (one, other) = (random.below(60), random.below(60));
    match random.below(40) {
        0..=4 => Step::New(kind),
        5..=6 if random.one_in(2) => Step::Load(kind, Batching::Off),
        5..=6 => Step::Load(kind, Batching::On),
        7..=11 => Step::Text(
            one,
            (!random.one_in(6)).then(|| u8::try_from(other % 3).unwrap_or_default()),
        ),
        12..=13 => Step::Key(one, (!random.one_in(4)).then_some(other)),
        14..=16 => Step::Link(one, (!random.one_in(5)).then_some(other)),
        17..=19 => Step::Push(one, list, other),
        20..=22 => Step::Build(one, list),
        23..=24 => Step::Parent(one),
        25..=27 => Step::Members(one, list),
        28..=32 => Step::Save(one),
        33 => Step::FailingSave(one, 1 + other as u64 % 8),
        34 => Step::Destroy(one),
        35..=36 => Step::Reload(one),
        _ if depth < 3 => {
            let end = if random.one_in(2) {
                End::Commit
            } else {
                End::RollBack
            };
            let length = 1 + random.below(8);
            Step::Transaction(end, steps(random, length, depth + 1))
        }
        _ => Step::Save(one),
    }
}

/// A step that may have steps inside.
pub(crate) trait Nested: Clone {
    fn inner(&self) -> Option<&[Self]>;
    /// The same with other steps inside.
    fn with(&self, inner: Vec<Self>) -> Self;
}

impl Nested for Step {
    fn inner(&self) -> Option<&[Self]> {
        match self {
            Self::Transaction(_, inner) => Some(inner),
            _ => None,
        }
    }

    fn with(&self, inner: Vec<Self>) -> Self {
        match self {
            Self::Transaction(end, _) => Self::Transaction(*end, inner),
            other => other.clone(),
        }
    }
}

/// The shortest program that still fails, found by leaving out steps one at a time.
pub(crate) fn shortest<S: Nested>(mut program: Vec<S>, fails: impl Fn(&[S]) -> bool) -> Vec<S> {
    while let Some(shorter) = shorter(&program).into_iter().find(|shorter| fails(shorter)) {
        program = shorter;
    }
    program
}

/// The program without its end, without one step, or with a transaction's steps in place of it.
fn shorter<S: Nested>(program: &[S]) -> Vec<Vec<S>> {
    let mut all: Vec<Vec<S>> = [program.len() / 2, program.len() * 3 / 4]
        .into_iter()
        .filter(|&end| end < program.len())
        .map(|end| program[..end].to_vec())
        .collect();
    for at in (0..program.len()).rev() {
        let with = |between: Vec<S>| {
            let (before, after) = (&program[..at], &program[at + 1..]);
            [before.to_vec(), between, after.to_vec()].concat()
        };
        all.push(with(Vec::new()));
        if let Some(inner) = program[at].inner() {
            all.push(with(inner.to_vec()));
            let shorter = shorter(inner).into_iter();
            all.extend(shorter.map(|inner| with(vec![program[at].with(inner)])));
        }
    }
    all
}
