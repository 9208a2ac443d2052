//! `cargo package`, from a clean slate.
//!
//! Invariant: a packed crate is compiled against what was packed beside it in this run, never against an earlier one.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::command::Run;
use crate::workspace::{self, Package};

/// The packages as the registry would get them, compiled from what was packed.
pub fn package(packages: &[Package]) -> Run {
    let published = packages.iter().filter(|package| package.is_published());
    Run::new("cargo package --allow-dirty --quiet")
        .args(published.flat_map(|package| ["-p", package.name.as_str()]))
}

/// Removes what an earlier run in this folder unpacked and compiled.
///
/// Cargo tells packed packages apart by folder and version, not by content, and keeps what it unpacked in its home: a
/// clone at the path of an earlier one would compile `relata` against that one's `relata-macros`.
pub fn forget(root: &Path) -> Result<(), String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).map_err(|why| why.to_string())?;
    let version = workspace::value(&manifest, "workspace.package", "version")
        .ok_or("Cargo.toml states no version")?;
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let mut stale = vec![root.join("target/package")];
    for registry in registries.into_iter().flatten().flatten() {
        for package in workspace::packages(root) {
            stale.push(registry.path().join(format!("{}-{version}", package.name)));
        }
    }
    stale
        .iter()
        .try_for_each(|folder| match fs::remove_dir_all(folder) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => {
                Err(format!("{} cannot be removed: {why}", folder.display()))
            }
            _ => Ok(()),
        })
}
