//! `relata-conformance DIR [FILTER] [--expect FILE] [--json]`: runs a folder of transcripts.
//!
//! Without `--expect` it succeeds only when nothing failed and nothing is unsupported; with it, when every outcome is
//! the one that the file says.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use relata_conformance::differences::Differences;
use relata_conformance::expect::Expected;
use relata_conformance::report;
use relata_conformance::scenario::{self, Outcome};
use relata_conformance::transcript::{self, Scenario};

struct Asked {
    folder: PathBuf,
    filter: Option<String>,
    expect: Option<PathBuf>,
    json: bool,
}

const USAGE: &str = "relata-conformance DIR [FILTER] [--expect FILE] [--json]";

fn asked() -> Result<Asked, String> {
    let mut plain = Vec::new();
    let (mut expect, mut json) = (None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--expect" => {
                expect = Some(PathBuf::from(
                    arguments.next().ok_or("--expect needs a file")?,
                ))
            }
            "--json" => json = true,
            option if option.starts_with('-') => {
                return Err(format!("unknown option {option}\n{USAGE}"));
            }
            _ => plain.push(argument),
        }
    }
    if let Some(more) = plain.get(2) {
        return Err(format!("{more} is one argument too many\n{USAGE}"));
    }
    let mut plain = plain.into_iter();
    Ok(Asked {
        folder: plain.next().ok_or(USAGE)?.into(),
        filter: plain.next(),
        expect,
        json,
    })
}

fn run() -> Result<bool, String> {
    let asked = asked()?;
    let differences = Differences::read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/differences.md"),
    )?;
    let mut reports = Vec::new();
    for path in transcript::find(&asked.folder)? {
        let scenario = Scenario::read(&path)?;
        if asked
            .filter
            .as_ref()
            .is_some_and(|filter| !scenario.name.contains(filter))
        {
            continue;
        }
        let done = scenario::run(&scenario, &differences);
        if !asked.json {
            println!("{}", report::line(&done));
        }
        reports.push(done);
    }
    if reports.is_empty() {
        let folder = asked.folder.display();
        return Err(match &asked.filter {
            Some(filter) => format!("no scenario in {folder} has `{filter}` in its name"),
            None => format!("there is no transcript in {folder}"),
        });
    }
    if asked.json {
        println!("{:#}", report::json(&reports));
    }
    let wrong = match &asked.expect {
        Some(file) => Expected::read(file)?.check(&reports, asked.filter.is_none()),
        None => Vec::new(),
    };
    for sentence in &wrong {
        eprintln!("{sentence}");
    }
    if !asked.json {
        println!("{}", report::summary(&reports));
    }
    let good = match asked.expect {
        Some(_) => wrong.is_empty(),
        None => reports
            .iter()
            .all(|report| report.outcome == Outcome::Passed),
    };
    Ok(good)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
