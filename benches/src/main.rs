//! The command line of the benchmark: timed rounds, one workload for callgrind, or a quick check of the answers.
//!
//! Invariant: nothing is timed before all contenders gave the same answers for it.

mod contender;
mod diesel_side;
mod rounds;
mod relata_side;
mod rusqlite_side;
mod seed;
mod sum;

use std::process::ExitCode;

use contender::{CONTENDERS, Failure, Place, WORKLOADS, Workload, open};
use sum::Sum;

const USAGE: &str = "\
relata-benches [--memory | --file]

  (nothing else)                 all workloads, interleaved rounds, ratios of medians to rusqlite
  --rounds N                     how many rounds (31)
  --workloads W1,W4              only these
  --contenders relata,diesel     only these, besides rusqlite
  --one W1 relata                one workload of one contender, once, for a profiler
  --iterations N                 ... and N times more
  --check                        all answers compared, nothing timed
  --list-workloads, --list-contenders
";

struct Options {
    place: Place,
    rounds: usize,
    iterations: usize,
    workloads: Vec<Workload>,
    contenders: Vec<String>,
    one: Option<(Workload, String)>,
    check: bool,
}

fn main() -> ExitCode {
    let done = options().and_then(|options| options.map_or(Ok(()), |options| run(&options)));
    seed::remove_files();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("relata-benches: {why}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Option<Options>, Failure> {
    let mut options = Options {
        place: Place::Memory,
        rounds: 31,
        iterations: 0,
        workloads: WORKLOADS.to_vec(),
        contenders: CONTENDERS
            .iter()
            .map(|(name, _)| (*name).to_string())
            .collect(),
        one: None,
        check: false,
    };
    let mut rest = std::env::args().skip(1);
    while let Some(argument) = rest.next() {
        let mut value = || {
            rest.next()
                .ok_or_else(|| format!("{argument} needs a value\n\n{USAGE}"))
        };
        match argument.as_str() {
            "--memory" => options.place = Place::Memory,
            "--file" => options.place = Place::File,
            "--check" => options.check = true,
            "--rounds" => options.rounds = value()?.parse()?,
            "--iterations" => options.iterations = value()?.parse()?,
            "--workloads" => {
                options.workloads = value()?
                    .split(',')
                    .map(Workload::named)
                    .collect::<Result<_, _>>()?
            }
            "--contenders" => {
                let named = value()?;
                options.contenders.retain(|name| {
                    name == contender::BASE || named.split(',').any(|other| other == name)
                });
            }
            "--one" => options.one = Some((Workload::named(&value()?)?, value()?)),
            "--list-workloads" => {
                WORKLOADS
                    .iter()
                    .for_each(|workload| println!("{}", workload.name()));
                return Ok(None);
            }
            "--list-contenders" => {
                CONTENDERS.iter().for_each(|(name, _)| println!("{name}"));
                return Ok(None);
            }
            other => return Err(format!("what is `{other}`?\n\n{USAGE}").into()),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Failure> {
    if let Some((workload, contender)) = &options.one {
        let mut contender = open(contender, options.place)?;
        for _ in 0..=options.iterations {
            let mut sum = Sum::touching();
            contender.run(*workload, &mut sum)?;
            std::hint::black_box(sum.figure());
        }
        return Ok(());
    }
    let mut contenders = options
        .contenders
        .iter()
        .map(|name| Ok((name.clone(), open(name, options.place)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    for workload in &options.workloads {
        rounds::compare(*workload, &mut contenders)?;
        if !options.check {
            rounds::time(*workload, &mut contenders, options.rounds)?;
        }
    }
    if options.check {
        println!(
            "{} workloads, {} contenders: all answers agree",
            options.workloads.len(),
            contenders.len()
        );
    }
    Ok(())
}
