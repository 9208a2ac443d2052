//! Programs that the full tier needs and a new machine may lack: found, or installed where that needs no password.
//!
//! Invariant: a missing tool is either installed or named; a check never passes by not running.

use std::path::Path;

use crate::command::Run;

fn answers(program: &str) -> bool {
    Run::new(program).arg("--version").quiet_output().is_ok()
}

/// The path of `cargo-deny`; compiled into `target/tools` when it is nowhere (under a minute, unoptimised).
pub fn cargo_deny(root: &Path) -> Result<String, String> {
    if answers("cargo-deny") {
        return Ok("cargo-deny".to_string());
    }
    let folder = root.join("target/tools");
    let program = folder.join("bin/cargo-deny").to_string_lossy().into_owned();
    if !answers(&program) {
        Run::new("cargo install --locked --debug --quiet --version ^0.20 cargo-deny --root")
            .arg(folder.to_string_lossy())
            .run()?;
    }
    Ok(program)
}

/// Makes sure that valgrind runs; as root on a machine with apt-get, installs it.
pub fn valgrind() -> Result<(), String> {
    if answers("valgrind") {
        return Ok(());
    }
    let root = Run::new("id -u")
        .quiet_output()
        .is_ok_and(|id| id.trim() == "0");
    if root && answers("apt-get") {
        Run::new("apt-get install -y -qq valgrind")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .run()
            .or_else(|_| {
                Run::new("apt-get update -qq").run()?;
                Run::new("apt-get install -y -qq valgrind")
                    .env("DEBIAN_FRONTEND", "noninteractive")
                    .run()
            })?;
    }
    if answers("valgrind") {
        Ok(())
    } else {
        Err("valgrind is not installed: install it with the system's package manager".to_string())
    }
}
