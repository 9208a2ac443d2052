//! Where things are: the root of the workspace, its packages, its files.
//!
//! Invariant: reads only; manifests are read line by line, as far as these tasks need them.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", ".git", "node_modules", "corpus"];

/// The root of the workspace this task was built in.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// All files below `folder`, in a stable order, without build output.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if SKIPPED.contains(&name.as_ref()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A path as the reports print it: relative to the root, with slashes.
pub fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// One package of the workspace, from its manifest.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// The text of its manifest.
    pub manifest: String,
}

impl Package {
    /// Whether it goes to the registry.
    pub fn is_published(&self) -> bool {
        !self
            .manifest
            .lines()
            .any(|line| line.replace(' ', "") == "publish=false")
    }

    /// The names in its `[features]` table, without `default`.
    pub fn features(&self) -> Vec<String> {
        section(&self.manifest, "features")
            .filter_map(|(_, line)| line.split_once('='))
            .map(|(name, _)| name.trim().to_string())
            .filter(|name| name != "default" && !name.starts_with('#'))
            .collect()
    }

    /// The integration tests it has whose name starts with `prefix`.
    pub fn tests(&self, prefix: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder.join("tests")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                match name.strip_suffix(".rs") {
                    Some(stem) => Some(stem.to_string()),
                    None => entry.path().join("main.rs").exists().then_some(name),
                }
            })
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort();
        names
    }
}

/// The packages of the workspace: what its `members` match, one level deep.
pub fn packages(root: &Path) -> Vec<Package> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let members = manifest
        .lines()
        .find(|line| line.trim_start().starts_with("members"))
        .unwrap_or_default();
    let mut folders = Vec::new();
    for member in members.split('"').skip(1).step_by(2) {
        match member.strip_suffix("/*") {
            Some(parent) => {
                folders.extend(
                    fs::read_dir(root.join(parent))
                        .into_iter()
                        .flatten()
                        .flatten()
                        .map(|e| e.path()),
                );
            }
            None => folders.push(root.join(member)),
        }
    }
    folders.sort();
    folders
        .into_iter()
        .filter_map(|folder| {
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
            let name = value(&manifest, "package", "name")?;
            Some(Package {
                name,
                folder,
                manifest,
            })
        })
        .collect()
}

/// The lines of one table of a manifest, each with its number counted from 1.
pub fn section<'a>(manifest: &'a str, table: &str) -> impl Iterator<Item = (usize, &'a str)> {
    let header = format!("[{table}]");
    let mut inside = false;
    manifest
        .lines()
        .enumerate()
        .filter_map(move |(number, line)| {
            if line.starts_with('[') {
                inside = line.trim_end() == header;
                return None;
            }
            (inside && !line.trim().is_empty()).then_some((number + 1, line))
        })
}

/// A quoted value of a manifest's table.
pub fn value(manifest: &str, table: &str, key: &str) -> Option<String> {
    section(manifest, table)
        .filter_map(|(_, line)| line.split_once('='))
        .find(|(name, _)| name.trim() == key)
        .and_then(|(_, text)| text.split('"').nth(1).map(str::to_string))
}
