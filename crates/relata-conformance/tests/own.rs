//! Every scenario of our own passes, and none of its steps is excused.

use std::path::Path;

use relata_conformance::differences::Differences;
use relata_conformance::scenario::{self, Outcome};
use relata_conformance::transcript::{self, Scenario};

#[relata::test]
fn every_scenario_of_our_own_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("own");
    let paths = transcript::find(&folder).unwrap();
    assert!(
        paths.len() >= AT_LEAST,
        "only {} scenarios of our own",
        paths.len()
    );
    let none = Differences::default();
    let mut wrong = Vec::new();
    for path in paths {
        let scenario = Scenario::read(&path).unwrap();
        assert!(scenario.name.starts_with("own/"), "{}", scenario.name);
        let report = scenario::run(&scenario, &none);
        if report.outcome != Outcome::Passed {
            wrong.push(format!(
                "{}: {:?} {:#?}",
                report.name, report.outcome, report.differing
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// So many there are at least: a folder that is not found is no success.
const AT_LEAST: usize = 200;
