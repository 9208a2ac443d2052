//! Instructions per workload and contender of `benches/`, counted by callgrind: no neighbour on the machine changes them.
//!
//! Each pair runs twice, with no repetition and with some; the difference is the workload alone, on all threads, with
//! start-up, seeding and first-time work taken off. Invariant: the base of every ratio is `rusqlite` with structs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::command::Run;
use crate::tools;

const BASE: &str = "rusqlite";

/// Work that is about a part of it: the whole, and what is taken off. What is left is reported as `<whole> loop`.
const LOOP: (&str, &str) = ("W7", "W7p");

/// `cargo xtask callgrind`.
pub fn measure(root: &Path, arguments: &[String]) -> Result<(), String> {
    let (mut workloads, mut contenders, mut place) = (None, None, "--memory");
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--workloads" => workloads = rest.next().cloned(),
            "--contenders" => contenders = rest.next().cloned(),
            "--file" => place = "--file",
            other => {
                return Err(format!(
                    "`callgrind` knows --workloads A,B, --contenders A,B and --file, not `{other}`"
                ));
            }
        }
    }
    tools::valgrind()?;
    let benches = root.join("benches");
    Run::new("cargo build --release").within(&benches).run()?;
    let program = benches
        .join("target/release/relata-benches")
        .to_string_lossy()
        .into_owned();
    let workloads = chosen(workloads, &program, "--list-workloads")?;
    let mut contenders = chosen(contenders, &program, "--list-contenders")?;
    contenders.retain(|contender| contender != BASE);
    contenders.insert(0, BASE.to_string());

    let mut table: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for workload in &workloads {
        for contender in &contenders {
            let one =
                |iterations: u32| instructions(&program, workload, contender, iterations, place);
            let each = (one(REPEATED)? - one(0)?) / f64::from(REPEATED);
            println!("{workload:4} {contender:10} {each:15.0} instructions");
            table.entry(workload.clone()).or_default().push(each);
        }
    }
    if let (Some(whole), Some(rest)) = (table.get(LOOP.0), table.get(LOOP.1)) {
        let left = whole.iter().zip(rest).map(|(whole, rest)| whole - rest);
        table.insert(format!("{} loop", LOOP.0), left.collect());
    }
    println!(
        "\ninstructions, ratio to {BASE} with structs ({})",
        &place[2..]
    );
    println!(
        "         {}",
        contenders
            .iter()
            .map(|name| format!("{name:>10}"))
            .collect::<String>()
    );
    for (workload, row) in &table {
        let ratios = row
            .iter()
            .map(|each| format!("{:10.2}", each / row[0]))
            .collect::<String>();
        println!("{workload:8} {ratios}");
    }
    Ok(())
}

/// Repetitions in the longer of the two runs.
const REPEATED: u32 = 2;

fn chosen(given: Option<String>, program: &str, question: &str) -> Result<Vec<String>, String> {
    match given {
        Some(names) => Ok(names.split(',').map(str::to_string).collect()),
        None => Ok(Run::new(program)
            .arg(question)
            .quiet_output()?
            .lines()
            .map(str::to_string)
            .collect()),
    }
}

/// What callgrind collects while the program runs one workload `1 + iterations` times.
fn instructions(
    program: &str,
    workload: &str,
    contender: &str,
    iterations: u32,
    place: &str,
) -> Result<f64, String> {
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            program,
            "--one",
            workload,
            contender,
        ])
        .args(["--iterations", &iterations.to_string(), place])
        .output()
        .map_err(|why| format!("cannot run valgrind: {why}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .map(|(_, figure)| figure.trim());
    match collected.and_then(|figure| figure.parse().ok()) {
        Some(figure) if output.status.success() => Ok(figure),
        _ => Err(format!(
            "{workload} of {contender} under callgrind: {}\n{said}",
            output.status
        )),
    }
}
