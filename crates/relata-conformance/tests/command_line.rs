//! What the program makes of its arguments: a run that ran nothing is no success.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_relata-conformance"))
        .args(arguments)
        .output()
        .expect("the runner starts")
}

fn complaint(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const TRANSCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/transcripts");

#[test]
fn a_run_without_scenarios_fails() {
    let nothing = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    assert!(complaint(&[nothing]).starts_with("there is no transcript in "));
    let of_no_name = complaint(&[TRANSCRIPTS, "no_such_scenario"]);
    assert!(
        of_no_name.contains("has `no_such_scenario` in its name"),
        "{of_no_name}"
    );
    let further = complaint(&[TRANSCRIPTS, "has_secure_password", "more"]);
    assert!(
        further.starts_with("more is one argument too many"),
        "{further}"
    );
}

#[test]
fn a_scenario_that_passes_is_a_line_and_a_success() {
    let output = run(&[TRANSCRIPTS, "macros_misc/has_secure_password"]);
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.starts_with("ok macros_misc/has_secure_password"),
        "{said}"
    );
    assert!(
        said.trim_end()
            .ends_with("1 passed, 0 failed, 0 unsupported; 17 of 17 steps; 0 excused"),
        "{said}"
    );
}
