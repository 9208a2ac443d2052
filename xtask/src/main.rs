//! The command line of `cargo xtask`: chooses a task, runs it, turns its answer into an exit code.
//!
//! Invariant: it decides nothing; every task is a function of the library beside it, so that tests reach it.

use std::process::ExitCode;

use xtask::{callgrind, compile_cost, links, mutants, tidy, tiers, workspace};

const USAGE: &str = "\
cargo xtask <task>

  test              everything CI runs
  test --fast       format, tidy and the tests: under two minutes once built
  test --only A,B   the named steps; with --fast, of the fast tier
  test --list       the steps of a tier and their commands, without running them
  ci                the same as `test`
  soak              the long runs: many rounds of the randomised tests, valgrind over everything
  tidy              the rules of the house that no compiler knows
  bless             write down the compiler's present output for the compile-fail tests
  mutants           put faults into a copy of the library, one at a time: some transcript must notice each [A PART OF ITS NAME]
  links             build and run relata in one binary beside sqlx, Diesel and toasty, each in turn
  compile-cost      CPU time of `cargo check` for 50 models, ours against Diesel's
                    [--models N] [--rounds N] [--only relata|diesel] [--at-most RATIO] [--llvm-lines]
  callgrind         instructions per workload, as ratios to rusqlite with structs
                    [--workloads W1,W4] [--contenders relata,diesel] [--file]
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((task, rest)) = arguments.split_first() else {
        print!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let root = workspace::root();
    let done = match task.as_str() {
        "test" | "ci" => tiers::test(&root, rest),
        "soak" => tiers::soak(&root, rest),
        "tidy" => tidy::report(&root),
        "bless" => tiers::bless(&root),
        "links" => links::check(&root),
        "mutants" => mutants::run(&root, rest),
        "compile-cost" => compile_cost::measure(&root, rest),
        "callgrind" => callgrind::measure(&root, rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(format!("there is no task `{other}`\n\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
