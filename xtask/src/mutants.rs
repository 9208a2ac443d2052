//! Proof that the transcripts notice: faults are put into the library, one at a time, and each must turn some scenario
//! red.
//!
//! The faults are put into a copy of the tree, below `target/mutants`, which is built there. A fault that does not
//! compile proves nothing and is an error; so is one whose place is not found.
//!
//! Invariant: the tree itself is never written to.

mod faults;

use std::fs;
use std::path::Path;

use crate::command::Run;
use crate::workspace;
use faults::{FAULTS, Fault};

/// `cargo xtask mutants [A PART OF A FAULT'S NAME]`.
pub fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let wanted = |fault: &&Fault| arguments.iter().all(|part| fault.breaks.contains(part));
    let faults: Vec<&Fault> = FAULTS.iter().filter(wanted).collect();
    if faults.is_empty() {
        return Err(format!("there is no fault named {arguments:?}"));
    }
    let copy = root.join("target/mutants/tree");
    copy_tree(root, &copy)?;
    let conforms = || -> Result<bool, String> {
        let cargo = |line: &str| {
            Run::new(line).within(&copy).env(
                "CARGO_TARGET_DIR",
                root.join("target/mutants/target").to_string_lossy(),
            )
        };
        cargo("cargo build --quiet --package relata-conformance").run()?;
        let ran = cargo("cargo run --quiet --package relata-conformance --").args([
            "crates/relata-conformance/transcripts",
            "--expect",
            "crates/relata-conformance/expected.txt",
        ]);
        Ok(ran.quiet_output().is_ok())
    };
    if !conforms()? {
        return Err("the transcripts do not end as expected without any fault".to_string());
    }
    let mut survivors = Vec::new();
    for fault in &faults {
        let path = copy.join(fault.file);
        let whole = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", fault.file))?;
        write(&path, &fault.apply(&whole)?)?;
        let unnoticed = conforms().map_err(|why| format!("`{}`: {why}", fault.breaks))?;
        write(&path, &whole)?;
        println!(
            "{} {}",
            if unnoticed { "SURVIVED" } else { "noticed " },
            fault.breaks
        );
        if unnoticed {
            survivors.push(fault.breaks);
        }
    }
    if survivors.is_empty() {
        println!("{} faults, each noticed", faults.len());
        return Ok(());
    }
    Err(format!("no scenario notices: {}", survivors.join("; ")))
}

/// Brings the copy up to date. Files that are the same stay untouched, so that little is built again.
fn copy_tree(root: &Path, copy: &Path) -> Result<(), String> {
    for folder in ["crates", "xtask", "docs", "examples"] {
        for file in workspace::files(&root.join(folder)) {
            let relative = file.strip_prefix(root).map_err(|why| why.to_string())?;
            copy_file(&file, &copy.join(relative))?;
        }
    }
    for file in ["Cargo.toml", "Cargo.lock", "README.md"] {
        copy_file(&root.join(file), &copy.join(file))?;
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), String> {
    let content = fs::read(from).map_err(|why| format!("{}: {why}", from.display()))?;
    if fs::read(to).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    }
    fs::write(to, content).map_err(|why| format!("{}: {why}", to.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|why| format!("{}: {why}", path.display()))
}

impl Fault {
    /// The file's text with the fault in it.
    fn apply(&self, text: &str) -> Result<String, String> {
        match text.matches(self.from).count() {
            1 => Ok(text.replacen(self.from, self.to, 1)),
            found => Err(format!(
                "`{}`: its place is {found} times in {}, not once: write where it is now in xtask/src/mutants/faults.rs",
                self.breaks, self.file
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_place() {
        let root = workspace::root();
        assert!(FAULTS.len() >= 20, "only {} faults", FAULTS.len());
        let mut misplaced = Vec::new();
        for fault in FAULTS {
            let text = fs::read_to_string(root.join(fault.file)).unwrap();
            match fault.apply(&text) {
                Ok(broken) => assert_ne!(broken, text, "{}", fault.breaks),
                Err(why) => misplaced.push(why),
            }
        }
        assert!(misplaced.is_empty(), "{}", misplaced.join("\n"));
    }
}
