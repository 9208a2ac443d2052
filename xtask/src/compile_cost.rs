//! What models cost the compiler: CPU time of `cargo check` for a crate of many models, ours against Diesel's.
//!
//! Both crates hold the same models (8 columns, 3 associations, one function that uses them) and are checked again
//! and again with their dependencies ready; the least of the rounds counts. Invariant: what is compared does the same.

mod generate;

use std::fs;
use std::path::{Path, PathBuf};

use crate::clock;
use crate::command::Run;

/// `cargo xtask compile-cost`.
pub fn measure(root: &Path, arguments: &[String]) -> Result<(), String> {
    let mut options = Options {
        models: 50,
        rounds: 3,
        only: None,
        llvm: false,
        at_most: None,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut figure = || {
            rest.next()
                .and_then(|figure| figure.parse().ok())
                .ok_or_else(|| format!("{argument} needs a number"))
        };
        match argument.as_str() {
            "--models" => options.models = figure()? as usize,
            "--rounds" => options.rounds = figure()? as usize,
            "--at-most" => options.at_most = Some(figure()?),
            "--only" => options.only = rest.next().cloned(),
            "--llvm-lines" => options.llvm = true,
            other => {
                return Err(format!(
                    "`compile-cost` knows --models N, --rounds N, --at-most RATIO, --only relata|diesel and --llvm-lines, not `{other}`"
                ));
            }
        }
    }
    options.run(root)
}

struct Options {
    models: usize,
    rounds: usize,
    only: Option<String>,
    llvm: bool,
    at_most: Option<f64>,
}

impl Options {
    fn run(&self, root: &Path) -> Result<(), String> {
        let mut costs = Vec::new();
        for (name, files) in [
            ("relata", generate::relata(root, self.models)),
            ("diesel", generate::diesel(self.models)),
        ] {
            if self.only.as_deref().is_some_and(|only| only != name) {
                continue;
            }
            let folder = write(root, name, &files)?;
            let lines: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
            let cost = self.check(root, &folder)?;
            println!(
                "{name:8} {cost:6.2} s CPU to check {} models ({lines} lines of source)",
                self.models
            );
            costs.push(cost);
            if self.llvm {
                let lines = llvm_lines(root, &folder)?;
                println!(
                    "{name:8} {lines} lines of LLVM, {} a model",
                    lines / self.models.max(1)
                );
            }
        }
        let [ours, theirs] = costs[..] else {
            return Ok(());
        };
        let ratio = ours / theirs;
        println!("ratio    {ratio:6.3}");
        match self.at_most {
            Some(cap) if ratio > cap => Err(format!("the ratio is above {cap}")),
            _ => Ok(()),
        }
    }

    /// The least CPU time of a check with all dependencies ready.
    fn check(&self, root: &Path, folder: &Path) -> Result<f64, String> {
        let check = Run::new("cargo check --quiet")
            .within(folder)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", target(root).to_string_lossy());
        check.run()?;
        let library = folder.join("src/lib.rs");
        let text = fs::read_to_string(&library).map_err(|why| why.to_string())?;
        let mut least = f64::INFINITY;
        for round in 0..self.rounds.max(1) {
            fs::write(&library, format!("{text}\n// round {round}\n"))
                .map_err(|why| why.to_string())?;
            let before = clock::children()?;
            check.quiet_output()?;
            least = least.min(clock::children()? - before);
        }
        fs::write(&library, text).map_err(|why| why.to_string())?;
        Ok(least)
    }
}

fn target(root: &Path) -> PathBuf {
    root.join("target/compile-cost/target")
}

/// Writes a generated package; files that are as they should be are left alone.
fn write(root: &Path, name: &str, files: &[(String, String)]) -> Result<PathBuf, String> {
    let folder = root.join("target/compile-cost").join(name);
    let fail = |why: std::io::Error| format!("cannot write {}: {why}", folder.display());
    if folder.join("src").exists() {
        fs::remove_dir_all(folder.join("src")).map_err(fail)?;
    }
    fs::create_dir_all(folder.join("src")).map_err(fail)?;
    for (path, text) in files {
        fs::write(folder.join(path), text).map_err(fail)?;
    }
    Ok(folder)
}

/// Instructions in the LLVM text of the crate alone, unoptimised: what each model hands to the backend.
fn llvm_lines(root: &Path, folder: &Path) -> Result<usize, String> {
    let emitted = folder.join("models.ll");
    Run::new("cargo rustc --quiet --lib -- -Cno-prepopulate-passes -Ccodegen-units=1")
        .arg(format!("--emit=llvm-ir={}", emitted.display()))
        .within(folder)
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", target(root).to_string_lossy())
        .run()?;
    let text = fs::read_to_string(&emitted).map_err(|why| why.to_string())?;
    Ok(text
        .lines()
        .filter(|line| line.starts_with("  ") && !line.trim_start().starts_with(';'))
        .count())
}
