//! relata in one binary beside each of sqlx, Diesel and toasty: all link one SQLite, so their versions must agree.
//!
//! `links/` holds one small package for each peer, outside the workspace, as their ranges exclude each other.
//! Invariant: exactly one `libsqlite3-sys` in each, and both sides run a statement.

use std::fs;
use std::path::Path;

use crate::command::Run;

const PEERS: &[&str] = &["sqlx", "diesel", "toasty"];

/// Builds and runs each package of `links/`.
pub fn check(root: &Path) -> Result<(), String> {
    let target = root.join("target/links");
    for peer in PEERS {
        let folder = root.join("links").join(peer);
        let cargo = |line: &str| {
            Run::new(line)
                .within(&folder)
                .env("CARGO_TARGET_DIR", target.to_string_lossy())
        };
        cargo("cargo run --quiet").run()?;
        let lock = fs::read_to_string(folder.join("Cargo.lock")).map_err(|why| why.to_string())?;
        println!(
            "{peer}: rusqlite {}, libsqlite3-sys {}",
            sole(&lock, "rusqlite")?,
            sole(&lock, "libsqlite3-sys")?
        );
    }
    Ok(())
}

/// The one version of a package in a lock file.
fn sole(lock: &str, package: &str) -> Result<String, String> {
    let header = format!("name = \"{package}\"");
    let mut versions = lock
        .split("[[package]]")
        .filter(|entry| entry.lines().any(|line| line == header))
        .filter_map(|entry| {
            entry
                .lines()
                .find_map(|line| line.strip_prefix("version = "))
        })
        .map(|version| version.trim_matches('"').to_string());
    match (versions.next(), versions.next()) {
        (Some(version), None) => Ok(version),
        (None, _) => Err(format!("the lock file has no {package}")),
        (Some(one), Some(other)) => Err(format!(
            "the lock file has {package} twice: {one} and {other}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_version_is_an_error() {
        let entry = |version: &str| {
            format!("[[package]]\nname = \"rusqlite\"\nversion = \"{version}\"\n\n")
        };
        assert_eq!(sole(&entry("0.40.2"), "rusqlite"), Ok("0.40.2".to_string()));
        assert!(sole(&(entry("0.40.2") + &entry("0.39.0")), "rusqlite").is_err());
        assert!(sole("", "rusqlite").is_err());
    }
}
