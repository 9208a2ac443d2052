//! Makes a test of every Rust snippet of the guide: `docs/guide/*.md`.
//!
//! A snippet that begins with an item (`#[...]`, `use`, `fn`) stands in its chapter's module, where the chapter's other
//! snippets see it. Every other snippet is the body of a test of its own, on a fresh database with the guide's blog in
//! it: what it asserts is asserted. The models of the first chapter are those of all chapters.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let guide = Path::new("../docs/guide");
    println!("cargo::rerun-if-changed={}", guide.display());
    let mut chapters: Vec<PathBuf> = fs::read_dir(guide)
        .expect("the guide is at docs/guide")
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| is_chapter(path))
        .collect();
    chapters.sort();
    let mut code = String::new();
    for path in chapters {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).expect("a chapter is text");
        chapter(&path, &text, &mut code);
    }
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("guide.rs");
    fs::write(out, code).expect("the build's own folder can be written");
}

/// `1-declaring.md`; the list of chapters has no number.
fn is_chapter(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
        && path.file_stem().is_some_and(|name| {
            name.to_string_lossy()
                .starts_with(|c: char| c.is_ascii_digit())
        })
}

fn chapter(path: &Path, text: &str, code: &mut String) {
    let name = path
        .file_stem()
        .expect("a chapter has a name")
        .to_string_lossy();
    let name = name
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .replace('-', "_");
    let name = name.trim_start_matches('_');
    let mut tests = String::new();
    let mut items = String::new();
    for (line, snippet) in snippets(text) {
        let items_come = ["#[", "use ", "fn ", "async fn ", "pub "];
        if items_come.iter().any(|start| snippet.starts_with(start)) {
            items.push_str(&snippet);
        } else {
            let shown = path.file_name().unwrap_or_default().to_string_lossy();
            _ = writeln!(
                tests,
                "/// `{shown}`, line {line}.\n#[relata::test]\nasync fn line_{line}(db: Db) -> Result<()> {{\n\
                 blog(&db).await?;\n{snippet}Ok(())\n}}"
            );
        }
    }
    _ = writeln!(code, "mod {name} {{\nuse super::*;\n{items}\n{tests}}}");
    if name == "declaring" {
        _ = writeln!(code, "use {name}::{{Comment, Person, Post, Profile}};");
    }
}

/// The Rust blocks of a chapter, each with the line it starts at.
fn snippets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line) {
            (None, "```rust") => open = Some((number + 2, String::new())),
            (Some(_), "```") => found.extend(open.take()),
            (Some((_, snippet)), line) => {
                snippet.push_str(line);
                snippet.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}
