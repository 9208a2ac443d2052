//! Comparing answers, and timing in interleaved rounds: each round runs every contender once, so that a slow moment of
//! the machine meets all of them.
//!
//! Invariant: a ratio is made within a round and only then its median taken.

use std::time::Instant;

use crate::contender::{BASE, Contender, Failure, Workload};
use crate::sum::Sum;

type Named = (String, Box<dyn Contender>);

/// Every contender's answer, to the last byte; an error if they differ.
pub fn compare(workload: Workload, contenders: &mut [Named]) -> Result<(), Failure> {
    let mut expected = None;
    for (name, contender) in contenders {
        let mut sum = Sum::reading();
        contender
            .run(workload, &mut sum)
            .map_err(|why| format!("{} of {name}: {why}", workload.name()))?;
        contender.clear()?;
        match expected {
            None if sum.figure() == 0 => {
                return Err(format!("{}: nothing was read", workload.name()).into());
            }
            None => expected = Some(sum.figure()),
            Some(figure) if figure == sum.figure() => {}
            Some(figure) => {
                return Err(format!(
                    "{}: {name} answers {:x}, {BASE} {figure:x}",
                    workload.name(),
                    sum.figure()
                )
                .into());
            }
        }
    }
    Ok(())
}

/// Times the rounds and prints a line: the median ratio to the base, and the ratio of the shortest runs; for work that is
/// about a part of it, a line for that part too.
pub fn time(workload: Workload, contenders: &mut [Named], rounds: usize) -> Result<(), Failure> {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    let mut parts = times.clone();
    let count = contenders.len();
    for round in 0..rounds {
        for step in 0..count {
            // Start with another contender each round: who runs first finds other caches.
            let index = (round + step) % count;
            let contender = &mut *contenders[index].1;
            let whole = seconds(contender, workload)?;
            times[index].push(whole);
            if let Some(besides) = workload.besides() {
                parts[index].push(whole - seconds(contender, besides)?);
            }
        }
    }
    print(workload.name(), contenders, &times);
    if workload.besides().is_some() {
        print(&format!("{} loop", workload.name()), contenders, &parts);
    }
    Ok(())
}

fn seconds(contender: &mut dyn Contender, workload: Workload) -> Result<f64, Failure> {
    let mut sum = Sum::touching();
    let start = Instant::now();
    contender.run(workload, &mut sum)?;
    let seconds = start.elapsed().as_secs_f64();
    std::hint::black_box(sum.figure());
    contender.clear()?;
    Ok(seconds)
}

fn print(what: &str, contenders: &[Named], times: &[Vec<f64>]) {
    let base = &times[0];
    print!("{what:8}");
    for ((name, _), times) in contenders.iter().zip(times) {
        let ratios = times
            .iter()
            .zip(base)
            .map(|(time, base)| time / base)
            .collect();
        print!(
            "  {name} {:.2} ({:.2})",
            median(ratios),
            least(times) / least(base)
        );
    }
    println!("  [{BASE} {:.2} ms]", median(base.clone()) * 1e3);
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn least(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::INFINITY, f64::min)
}
