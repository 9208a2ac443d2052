//! What the papers name is there: methods in the table for those who come from Rails, doors for raw SQL.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{path}: {why}"))
}

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

fn library() -> String {
    let mut text = String::new();
    sources(Path::new("../crates/relata/src"), &mut text);
    text
}

/// The words before a parenthesis, in the code of a line.
fn calls(line: &str) -> Vec<String> {
    let code = line.split('`').skip(1).step_by(2);
    let mut found = Vec::new();
    for code in code {
        for (end, _) in code.match_indices('(') {
            let start = code[..end]
                .rfind(|c: char| !c.is_alphanumeric() && c != '_')
                .map_or(0, |at| at + 1);
            if start < end && !code[..start].ends_with("#[") {
                found.push(code[start..end].to_owned());
            }
        }
    }
    found
}

#[test]
fn every_method_of_the_table_from_rails_exists() {
    // Made by the declarations of the table's own examples, or no method at all.
    let made = [
        "title",
        "set_title",
        "title_changed",
        "title_was",
        "saved_change_to_title",
        "author",
        "set_author",
        "build_author",
        "create_author",
        "reload_author",
        "reset_author",
        "author_changed",
        "author_previously_changed",
        "comments",
        "comment_ids",
        "invitation",
        "password_reset_token",
        "authenticate_password",
        "not_draft",
        "draft",
        "is_message",
        "unwrap",
        "as_base",
        "message",
        "message_id",
        "messages",
        "is_draft",
        "to_lowercase",
        "comments_attributes",
        "accepts_nested_attributes_for",
        "profile",
        "set_profile",
        "column",
        "derive",
        "model",
        "validates",
        "has_many",
        "Err",
        "all",
        "title_is_free",
        "set_password_challenge",
        "reset_token",
        "color",
        "set_color",
        "color_changed",
        "color_was",
        "saved_change_to_color",
        "is_draft",
        "draft",
        "not_draft",
        "enumeration",
        "normalizes",
        "authenticate_password",
        "password_reset_token",
        "generates_token_for",
        "invitation",
        "recent",
        "trim",
        "to_lowercase",
        "is_draft",
        "draft",
        "not_draft",
        "invitation",
        "password_reset_token",
        "authenticate_password",
    ];
    let library = library();
    let macros = read("../crates/relata-macros/src/emit/handle.rs");
    let mut checked = 0;
    for line in read("../docs/from-rails.md")
        .lines()
        .filter(|line| line.starts_with('|'))
    {
        // A bar inside a closure is escaped.
        let Some(ours) = line
            .replace("\\|", "\u{0}")
            .split('|')
            .nth(2)
            .map(str::to_owned)
        else {
            continue;
        };
        for name in calls(&ours) {
            let there = made.contains(&name.as_str())
                || ["(", "<"].iter().any(|open| {
                    library.contains(&format!("fn {name}{open}"))
                        || macros.contains(&format!("fn {name}{open}"))
                        || library.contains(&format!("macro_rules! {name}"))
                });
            assert!(there, "`{name}` of docs/from-rails.md is not there: {line}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn every_door_for_raw_sql_is_listed() {
    let library = library();
    let listed = read("../docs/security.md");
    let mut doors = BTreeSet::new();
    for function in library.split("pub fn ").skip(1) {
        let Some((signature, _)) = function.split_once(['{', ';']) else {
            continue;
        };
        if signature.contains(": Raw") {
            doors.insert(signature.split(['(', '<']).next().unwrap_or_default());
        }
    }
    assert!(doors.contains("filter_sql"), "{doors:?}");
    for door in doors {
        assert!(
            listed.contains(&format!("::{door}`")),
            "docs/security.md does not list `{door}`"
        );
    }
}

#[test]
fn every_example_is_named_where_people_look_and_is_where_it_is_said_to_be() {
    let manifest = read("Cargo.toml");
    let value = |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches('"').to_owned());
    let examples = manifest.split("[[example]]").skip(1);
    let mut named = 0;
    for example in examples {
        let find = |key| example.lines().find_map(|line| value(line, key)).unwrap();
        let (name, path) = (find("name = "), find("path = "));
        assert!(Path::new(&path).is_file(), "{path}");
        assert!(
            read("../README.md").contains(&format!("`{name}`")),
            "README.md does not name `{name}`"
        );
        assert!(
            read("../docs/guide/README.md").contains(&format!("[`{name}`](../../examples/{path})")),
            "docs/guide/README.md does not lead to `{name}` at {path}"
        );
        named += 1;
    }
    assert!(named >= 6, "{named}");
}
