//! Rules about manifests and documents: what must be said, and what must agree with the code.
//!
//! Invariant: a document that names figures of the code is compared with the code, never trusted.

use std::fs;
use std::path::Path;

use crate::rooms::{ARCHITECTURE_LINES, FOREIGN, LIBRARY, ROOMS};
use crate::workspace::{self, Package};

use super::Findings;

/// Words that belong to the place where this was made.
pub(super) fn foreign_words(findings: &mut Findings, path: &str, text: &str) {
    let words: Vec<String> = FOREIGN
        .iter()
        .map(|(head, tail)| format!("{head}{tail}"))
        .collect();
    for (number, line) in text.lines().enumerate() {
        for word in &words {
            if line.contains(word.as_str()) {
                findings.violation(path, number + 1, "foreign-word", format!("`{word}` means nothing to a reader elsewhere: say it in the project's own words"));
            }
        }
    }
}

/// Every package inherits what the workspace states once, and says what it is.
pub(super) fn manifests(findings: &mut Findings, root: &Path) {
    for package in workspace::packages(root) {
        let path = workspace::shown(root, &package.folder.join("Cargo.toml"));
        if workspace::value(&package.manifest, "package", "description").is_none() {
            findings.violation(&path, 1, "manifest", "give the package a `description`");
        }
        let squeezed: Vec<String> = package
            .manifest
            .lines()
            .map(|line| line.replace(' ', ""))
            .collect();
        for key in ["version", "edition", "rust-version", "license"] {
            if !squeezed.contains(&format!("{key}.workspace=true")) {
                findings.violation(
                    &path,
                    1,
                    "manifest",
                    format!("write `{key}.workspace = true`"),
                );
            }
        }
        if !workspace::section(&package.manifest, "lints")
            .any(|(_, line)| line.replace(' ', "") == "workspace=true")
        {
            findings.violation(
                &path,
                1,
                "manifest",
                "write `[lints]` with `workspace = true`",
            );
        }
        versions(findings, &path, &package);
    }
}

/// Versions are named once, in the workspace.
fn versions(findings: &mut Findings, path: &str, package: &Package) {
    for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (line, text) in workspace::section(&package.manifest, table) {
            let squeezed = text.replace(' ', "");
            let versioned = squeezed.contains("version=\"")
                || squeezed
                    .split_once('=')
                    .is_some_and(|(_, value)| value.starts_with('"'));
            if versioned && !squeezed.starts_with('#') {
                findings.violation(path, line, "manifest", "name the version in [workspace.dependencies] and write `workspace = true` here");
            }
        }
    }
}

/// ARCHITECTURE.md is short, has a section for each room that exists, and each section says what must stay true.
pub(super) fn architecture(findings: &mut Findings, root: &Path) {
    let path = "ARCHITECTURE.md";
    let Ok(text) = fs::read_to_string(root.join(path)) else {
        findings.violation(
            path,
            1,
            "architecture",
            "write it: each room of crates/relata/src with its **Invariant**",
        );
        return;
    };
    let existing = ROOMS.iter().map(|room| room.name).filter(|name| {
        let library = root.join(LIBRARY);
        library.join(format!("{name}.rs")).exists() || library.join(name).exists()
    });
    architecture_text(findings, path, &text, existing);
}

fn architecture_text<'a>(
    findings: &mut Findings,
    path: &str,
    text: &str,
    rooms: impl Iterator<Item = &'a str>,
) {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() >= ARCHITECTURE_LINES {
        findings.violation(
            path,
            lines.len(),
            "architecture",
            format!("keep it under {ARCHITECTURE_LINES} lines: details belong to the module docs"),
        );
    }
    for room in rooms {
        let quoted = format!("`{room}`");
        let Some(start) = lines
            .iter()
            .position(|line| line.starts_with('#') && line.contains(&quoted))
        else {
            findings.violation(
                path,
                1,
                "architecture",
                format!("write a section with {quoted} in its heading"),
            );
            continue;
        };
        let section = lines[start + 1..]
            .iter()
            .take_while(|line| !line.starts_with('#'));
        if !section.clone().any(|line| line.contains("Invariant")) {
            findings.violation(
                path,
                start + 1,
                "architecture",
                format!("say in {quoted} what must stay true: a line with **Invariant**"),
            );
        }
    }
}

/// README.md agrees with the manifests: the compiler it asks for, the features it lists, the test command.
pub(super) fn readme(findings: &mut Findings, root: &Path) {
    let path = "README.md";
    let Ok(text) = fs::read_to_string(root.join(path)) else {
        findings.violation(
            path,
            1,
            "readme",
            "write it: what this is, two commands, first ten minutes, honest limits",
        );
        return;
    };
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let compiler =
        workspace::value(&manifest, "workspace.package", "rust-version").unwrap_or_default();
    let mut wanted = vec![
        (compiler, "name the oldest Rust that works".to_string()),
        (
            "cargo xtask test".to_string(),
            "name the test command".to_string(),
        ),
    ];
    for package in workspace::packages(root)
        .iter()
        .filter(|package| package.name == "relata")
    {
        wanted.extend(
            package
                .features()
                .into_iter()
                .map(|feature| (format!("`{feature}`"), "list the feature".to_string())),
        );
    }
    for (word, remedy) in wanted {
        if !text.contains(&word) {
            findings.violation(path, 1, "readme", format!("{remedy}: {word}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_without_invariant_is_found() {
        let mut findings = Findings::default();
        let text = "# House\n## `record`\nRows. **Invariant:** no SQL.\n## `sql`\nText.\n## `db`\n";
        architecture_text(
            &mut findings,
            "ARCHITECTURE.md",
            text,
            ["record", "sql", "relation"].into_iter(),
        );
        let lines: Vec<_> = findings
            .violations
            .iter()
            .map(|violation| (violation.line, violation.remedy.contains("`sql`")))
            .collect();
        assert_eq!(lines, [(4, true), (1, false)]);
    }

    #[test]
    fn words_of_another_place_are_found() {
        let mut findings = Findings::default();
        foreign_words(
            &mut findings,
            "a.md",
            &format!("fine\nsee {}{}", "farm-", "studio"),
        );
        assert_eq!(findings.violations.len(), 1);
        assert_eq!(findings.violations[0].line, 2);
    }
}
