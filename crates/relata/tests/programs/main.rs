//! Random programs.
//!
//! What relata does with objects and rows is what the plainest program would do: `reference` is that program; `run` takes
//! the same steps on both and compares every row and object after each. And what is read lazily with batching is what is
//! read without: `batching`. What runs by itself has a reference of its own: `rules`; so do values for members: `members`. A difference is made short and
//! printed as steps that can be pasted into `found`, where each one that was ever found stays.
//!
//! `RELATA_PROGRAMS` says how many programs to run, `RELATA_SOAK` runs 100,000, `RELATA_SEED` begins elsewhere.

mod batching;
mod found;
mod members;
mod program;
mod random;
mod reference;
// Times are of the types of `chrono`.
#[cfg(feature = "chrono")]
mod rules;
mod run;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use relata::Db;

use program::Step;

/// How many programs a test runs: `usual` in the fast tier.
fn rounds(usual: u64) -> u64 {
    let asked = std::env::var("RELATA_PROGRAMS").ok();
    match asked.and_then(|asked| asked.parse().ok()) {
        Some(asked) => asked,
        None if std::env::var_os("RELATA_SOAK").is_some() => 100_000,
        None if std::env::var_os("RELATA_UNDER_VALGRIND").is_some() => usual.min(20),
        None => usual,
    }
}

/// The seeds of the programs that a test runs.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let first = std::env::var("RELATA_SEED").ok();
    let first: u64 = first.and_then(|seed| seed.parse().ok()).unwrap_or(1);
    first..first + rounds(usual)
}

/// Runs programs of seeds on two threads, each with a database of its own. Gives the first seed that fails.
fn failing_seed(rounds: u64, fails: impl Fn(&Db, u64) -> bool + Sync) -> Option<u64> {
    let first = std::env::var("RELATA_SEED").ok();
    let first: u64 = first.and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (next, failed) = (AtomicU64::new(first), AtomicU64::new(u64::MAX));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let db = on(world::database());
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + rounds || failed.load(Ordering::Relaxed) != u64::MAX {
                        break;
                    }
                    if fails(&db, seed) {
                        failed.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    Some(failed.into_inner()).filter(|&seed| seed != u64::MAX)
}

fn on<T>(future: impl Future<Output = relata::Result<T>>) -> T {
    relata::run(future).unwrap()
}

/// Runs a program on a database that is emptied first.
fn run_on(db: &Db, program: &[Step]) -> Result<(), String> {
    on(async {
        world::clear(db).await?;
        Ok(run::run(db, program).await)
    })
}

/// Runs a program on a database of its own.
fn run_alone(program: &[Step]) -> Result<(), String> {
    run_on(&on(world::database()), program)
}

#[relata::test]
fn random_programs_do_what_the_reference_does() {
    let seed = failing_seed(rounds(400), |db, seed| {
        run_on(db, &program::program(seed)).is_err()
    });
    if let Some(seed) = seed {
        let short = program::shortest(program::program(seed), |program| {
            run_alone(program).is_err()
        });
        let told = run_alone(&short)
            .err()
            .unwrap_or_else(|| "nothing, run alone".to_owned());
        panic!("seed {seed}: {told}\nreplay(&{short:#?});");
    }
}

#[relata::test]
fn batching_never_changes_what_is_read() {
    let both_ways = |db: &Db, program: &batching::Program| {
        on(async { Ok(batching::compare(db, program).await) })
    };
    let seed = failing_seed(rounds(400), |db, seed| {
        both_ways(db, &batching::program(seed)).is_err()
    });
    if let Some(seed) = seed {
        let program = batching::program(seed);
        let fresh = |program: &batching::Program| both_ways(&on(world::database()), program);
        let with = |steps: &[batching::Step]| program.with(steps);
        let short = program::shortest(program.steps.clone(), |steps| fresh(&with(steps)).is_err());
        let told = fresh(&with(&short))
            .err()
            .unwrap_or_else(|| "nothing, run alone".to_owned());
        panic!("seed {seed}: {told}\n{:#?}", with(&short));
    }
}
