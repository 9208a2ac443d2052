//! The room matrix: which room of the library names which other, and the floor that never waits.
//!
//! Paths are read where they stand, in `use` lines and in the middle of code: `crate::x`, `crate::{x, y}`, and as many
//! `super::` as lead to the crate's root. Invariant: the table in `rooms` is the only place that allows anything.

use crate::rooms::{FRONT, LIBRARY, ROOMS, ROOT_ITEMS, Room, SHARED, Storey, WAITING};

use super::lexer::is_word;
use super::{Findings, Source};

pub(super) fn check(findings: &mut Findings, path: &str, source: &Source) {
    let Some(inside) = path
        .strip_prefix(LIBRARY)
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return;
    };
    if FRONT.contains(&inside) {
        return;
    }
    let modules = modules(inside);
    let Some(own) = modules.first().copied() else {
        return;
    };
    let room = ROOMS.iter().find(|room| room.name == own);
    let shared = |name: &str| SHARED.iter().find(|(other, _)| *other == name);
    let Some(allowed) = room
        .map(|room| room.imports)
        .or_else(|| shared(own).map(|(_, imports)| *imports))
    else {
        findings.violation(path, 1, "unknown-room", format!("add `{own}` to xtask/src/rooms.rs and ARCHITECTURE.md, or move the file into a room"));
        return;
    };
    let code = library_text(source);
    for (line, target) in named(&code, modules.len()) {
        let first = target.split("::").next().unwrap_or_default();
        if first.is_empty()
            || first == own
            || shared(first).is_some()
            || ROOT_ITEMS.contains(&first)
        {
            continue;
        }
        let known = ROOMS.iter().any(|room| room.name == first);
        if !known {
            if first.starts_with(char::is_uppercase) {
                findings.violation(path, line, "room-matrix", format!("name `{first}` through the room that defines it, so that the dependency shows"));
            } else if first != "self" && !is_macro(&code, first) {
                findings.violation(
                    path,
                    line,
                    "room-matrix",
                    format!("`crate::{first}` is no room: add it to xtask/src/rooms.rs"),
                );
            }
            continue;
        }
        let open = allowed.iter().any(|door| {
            target == *door
                || target
                    .strip_prefix(door)
                    .is_some_and(|rest| rest.starts_with("::"))
        });
        if !open {
            findings.violation(path, line, "room-matrix", format!("`{own}` must not import `{target}`: move the code to a room that may, or hand the value in (xtask/src/rooms.rs)"));
        }
    }
    if let Some(Room {
        storey: Storey::Ground,
        ..
    }) = room
    {
        ground(findings, path, own, source);
    }
}

/// The ground storey never waits.
fn ground(findings: &mut Findings, path: &str, own: &str, source: &Source) {
    for (line, code) in source.library() {
        for word in WAITING {
            if words(code).any(|(_, found)| found == *word) {
                findings.violation(path, line, "ground-storey", format!("`{own}` describes and never waits, so no `{word}`: move this to loading, persistence or db"));
            }
        }
    }
}

/// The module path of a file below the crate's root.
fn modules(inside: &str) -> Vec<&str> {
    inside
        .strip_suffix(".rs")
        .unwrap_or(inside)
        .split('/')
        .collect()
}

/// A macro of the crate is named at its root, wherever it was written.
fn is_macro(code: &str, name: &str) -> bool {
    code.contains(&format!("{name}!"))
}

/// The words of a line of code with their columns.
pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + code[rest..].find(is_word)?;
        let end = code[start..]
            .find(|c| !is_word(c))
            .map_or(code.len(), |offset| start + offset);
        rest = end;
        Some((start, &code[start..end]))
    })
}

/// The library's code as one text of the file's shape, test items blanked.
fn library_text(source: &Source) -> String {
    let mut text = String::new();
    for (line, code) in source.lines() {
        if !source.is_test(line) {
            text.push_str(code);
        }
        text.push('\n');
    }
    text
}

/// Every path from the crate's root that the code names: its line and its words after `crate::`.
fn named(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    let all: Vec<(usize, &str)> = words(code).collect();
    let mut index = 0;
    while index < all.len() {
        let (start, word) = all[index];
        index += 1;
        if preceded_by_path(code, start) {
            continue;
        }
        let mut end = start + word.len();
        match word {
            "crate" => {}
            "super" => {
                let mut supers = 1;
                while let Some((next, "super")) = all.get(index).copied() {
                    if code[end..next].trim() != "::" {
                        break;
                    }
                    supers += 1;
                    end = next + "super".len();
                    index += 1;
                }
                if supers < depth {
                    continue;
                }
            }
            _ => continue,
        }
        let Some(rest) = code[end..].trim_start().strip_prefix("::") else {
            continue;
        };
        let mut targets = Vec::new();
        tree(rest, "", &mut targets);
        found.extend(targets.into_iter().map(|target| (line_of(start), target)));
    }
    found
}

fn preceded_by_path(code: &str, start: usize) -> bool {
    code[..start].trim_end().ends_with("::") || code[..start].ends_with('$')
}

/// Flattens a use tree (`a::{b, c::d}`) into paths; gives the text behind it.
fn tree<'a>(text: &'a str, prefix: &str, targets: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    let join = |word: &str| {
        if prefix.is_empty() {
            word.to_string()
        } else {
            format!("{prefix}::{word}")
        }
    };
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            if let Some(after) = rest.strip_prefix(',') {
                rest = after;
                continue;
            }
            let before = rest.len();
            rest = tree(rest, prefix, targets);
            // `as name`, or something that is no use tree at all.
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("as ") {
                rest = after.trim_start().trim_start_matches(is_word);
            }
            if rest.len() == before || rest.is_empty() {
                return rest;
            }
        }
    }
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() {
        targets.push(if text.starts_with('*') {
            join("*")
        } else {
            prefix.to_string()
        });
        return rest.strip_prefix('*').unwrap_or(rest);
    }
    match rest.strip_prefix("::") {
        Some(deeper) => tree(deeper, &join(word), targets),
        None => {
            targets.push(
                join(if word == "self" { "" } else { word })
                    .trim_end_matches("::")
                    .to_string(),
            );
            rest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(&mut findings, path, &Source::of(text));
        findings
            .violations
            .iter()
            .map(|violation| format!("{} {}", violation.line, violation.rule))
            .collect()
    }

    #[test]
    fn a_closed_door_is_found_in_every_way_of_naming_it() {
        for text in [
            "use crate::relation::Relation;",
            "use crate::{attribute::Value, relation::{Core, Relation}};",
            "fn f() { let x: crate::relation::Core; }",
            "use super::super::relation::Core;",
            "use crate::{\n    attribute,\n    relation,\n};",
        ] {
            let found = broken("crates/relata/src/record/batch.rs", text);
            assert!(
                !found.is_empty() && found.iter().all(|found| found.ends_with("room-matrix")),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn an_open_door_is_quiet() {
        for text in [
            "use crate::attribute::value::Value;\nuse crate::error::Result;\nuse crate::Error;",
            "use super::arena::Arena;",
            "use crate::db::Db;",
            "pub use self::arena::Arena; macro_rules! m { () => { $crate::relation::x() } }",
            "#[cfg(test)]\nmod tests { use crate::relation::Relation; }",
            "// crate::relation is above us\nlet s = \"crate::relation\";",
        ] {
            assert_eq!(
                broken("crates/relata/src/record/batch.rs", text),
                [""; 0],
                "{text}"
            );
        }
    }

    #[test]
    fn one_item_of_a_room_does_not_open_the_room() {
        assert_eq!(
            broken(
                "crates/relata/src/record.rs",
                "use crate::db::Db;\nuse crate::db::{Db, Pool};"
            ),
            ["2 room-matrix"]
        );
    }

    #[test]
    fn the_ground_storey_never_waits() {
        let text =
            "fn a() {}\nasync fn b() { c().await }\n#[cfg(test)]\nmod tests { async fn d() {} }";
        assert_eq!(
            broken("crates/relata/src/sql/write.rs", text),
            ["2 ground-storey", "2 ground-storey"]
        );
        assert_eq!(broken("crates/relata/src/loading/run.rs", text), [""; 0]);
    }

    #[test]
    fn a_new_room_must_be_written_down() {
        assert_eq!(
            broken("crates/relata/src/attic.rs", "//! Things."),
            ["1 unknown-room"]
        );
    }
}
