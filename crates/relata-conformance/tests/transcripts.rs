//! Every transcript of the folder ends as `expected.txt` says.

use std::path::Path;

use relata_conformance::differences::Differences;
use relata_conformance::expect::Expected;
use relata_conformance::scenario::{self, Report};
use relata_conformance::transcript::{self, Scenario};

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn reports() -> Vec<Report> {
    let differences = Differences::read(&here("../../docs/differences.md")).unwrap();
    let paths = transcript::find(&here("transcripts")).unwrap();
    let run =
        |path: &std::path::PathBuf| scenario::run(&Scenario::read(path).unwrap(), &differences);
    paths.iter().map(run).collect()
}

#[relata::test]
fn every_outcome_is_the_expected_one() {
    let reports = reports();
    let expected = Expected::read(&here("expected.txt")).unwrap();
    let wrong = expected.check(&reports, true);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(reports.len() > 170, "only {} transcripts", reports.len());
}

#[relata::test]
fn differences_are_few_and_each_is_used() {
    let reports = reports();
    let steps: usize = reports.iter().map(|report| report.steps).sum();
    let excused: usize = reports.iter().map(Report::excused_steps).sum();
    assert!(
        excused * 100 <= steps * 3,
        "{excused} of {steps} steps are excused"
    );
    let needless: Vec<&String> = reports.iter().flat_map(|report| &report.needless).collect();
    assert!(
        needless.is_empty(),
        "listed as different, and they agree: {needless:?}"
    );
    let text = std::fs::read_to_string(here("../../docs/differences.md")).unwrap();
    let ids = text.lines().filter(|line| line.starts_with("| `")).count();
    assert!((1..=12).contains(&ids), "{ids} differences");
}
