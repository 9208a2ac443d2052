//! The tree keeps the rules of the house: the same look as `cargo xtask tidy`, as a test.

use xtask::{tidy, workspace};

#[test]
fn the_tree_keeps_the_rules_of_the_house() {
    let findings = tidy::look(&workspace::root());
    assert!(
        findings.files > 10,
        "tidy looked at {} files: the tree was not found",
        findings.files
    );
    let lines: Vec<String> = findings
        .violations
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}
