//! Whether a value, an error or a table is the one that Rails gave. Section 10 of the format.
//!
//! Invariant: what differs is said with the place where it differs; an empty answer means agreement.

use serde_json::{Map, Value as Json};

use crate::clock;
use crate::describe::HOLDERS;
use crate::stop::Raised;

/// What differs between an expected value and the one that came. `assigned` are the variables that the step assigned.
#[must_use]
pub fn values(expected: &Json, got: &Json, assigned: &[String]) -> Option<String> {
    differ("", expected, got, assigned)
}

fn says(place: &str, expected: &Json, got: &Json) -> Option<String> {
    let place = if place.is_empty() {
        String::new()
    } else {
        format!("{place}: ")
    };
    Some(format!("{place}expected {expected}, got {}", shown(got)))
}

/// A description without what only the comparison needs.
fn shown(got: &Json) -> Json {
    match got {
        Json::Object(map) => Json::Object(
            map.iter()
                .filter(|(key, _)| *key != HOLDERS)
                .map(|(key, value)| (key.clone(), shown(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(shown).collect()),
        other => other.clone(),
    }
}

fn differ(place: &str, expected: &Json, got: &Json, assigned: &[String]) -> Option<String> {
    let wild = |json: &Json| json.get("ruby_only") == Some(&Json::Bool(true));
    if wild(expected) || wild(got) {
        return None;
    }
    match (expected, got) {
        (Json::Object(wanted), Json::Object(found)) => maps(place, wanted, found, assigned),
        (Json::Array(wanted), Json::Array(found)) => {
            if wanted.len() != found.len() {
                return says(place, expected, got);
            }
            wanted
                .iter()
                .zip(found)
                .enumerate()
                .find_map(|(at, (wanted, found))| {
                    differ(&format!("{place}[{at}]"), wanted, found, assigned)
                })
        }
        _ if scalars(expected, got) => None,
        _ => says(place, expected, got),
    }
}

fn maps(
    place: &str,
    wanted: &Map<String, Json>,
    found: &Map<String, Json>,
    assigned: &[String],
) -> Option<String> {
    let is_record = found.contains_key(HOLDERS);
    if is_record && let Some(difference) = identity(place, wanted, found, assigned) {
        return Some(difference);
    }
    let aside = |key: &str| key == HOLDERS || (is_record && key == "same_object_as");
    for (key, expected) in wanted {
        if aside(key) {
            continue;
        }
        let inner = if place.is_empty() {
            key.clone()
        } else {
            format!("{place}.{key}")
        };
        match found.get(key) {
            Some(got) => {
                if key == "unsaved_changes" {
                    if sorted(expected) != sorted(got) {
                        return says(&inner, expected, got);
                    }
                } else if let Some(difference) = differ(&inner, expected, got, assigned) {
                    return Some(difference);
                }
            }
            None => return Some(format!("{inner}: expected {expected}, got nothing")),
        }
    }
    let extra = found
        .iter()
        .find(|(key, _)| !aside(key) && !wanted.contains_key(*key));
    extra.map(|(key, got)| {
        let inner = if place.is_empty() {
            key.clone()
        } else {
            format!("{place}.{key}")
        };
        format!("{inner}: expected nothing, got {}", shown(got))
    })
}

fn sorted(json: &Json) -> Vec<String> {
    let mut all: Vec<String> = json
        .as_array()
        .into_iter()
        .flatten()
        .map(Json::to_string)
        .collect();
    all.sort();
    all
}

/// Which step variable holds the very object.
fn identity(
    place: &str,
    wanted: &Map<String, Json>,
    found: &Map<String, Json>,
    assigned: &[String],
) -> Option<String> {
    let held: Vec<&str> = found
        .get(HOLDERS)
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let label = found.get("record").unwrap_or(&Json::Null);
    match wanted.get("same_object_as").and_then(Json::as_str) {
        Some(variable) if held.contains(&variable) => None,
        Some(variable) => Some(format!(
            "{place} {label}: expected the object in `{variable}`, got another object"
        )),
        // What the step assigned is held by the new variable.
        None if held
            .iter()
            .any(|name| assigned.iter().any(|new| new == name)) =>
        {
            None
        }
        None => held.first().map(|variable| {
            format!("{place} {label}: expected a new object, got the one in `{variable}`")
        }),
    }
}

fn scalars(expected: &Json, got: &Json) -> bool {
    if expected == got {
        return true;
    }
    match (expected, got) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::String(a), Json::String(b)) => {
            let times = (clock::parse(a), clock::parse(b));
            matches!(times, (Some(a), Some(b)) if a == b)
        }
        _ => false,
    }
}

/// What differs between an expected error and the one that came, messages aside.
#[must_use]
pub fn errors(expected: &Json, got: &Raised, label: Option<&str>) -> Option<String> {
    let class = expected
        .get("class")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let exact = class.starts_with("ActiveRecord::")
        || class.starts_with("ActiveModel::")
        || class == "ArgumentError";
    if exact && class != got.class {
        return Some(format!(
            "expected {class}, got {}: {}",
            got.class, got.message
        ));
    }
    let wanted = expected.get("record").and_then(Json::as_str)?;
    match label {
        Some(label) if label == wanted => None,
        Some(label) => Some(format!("expected the error to carry {wanted}, got {label}")),
        None => Some(format!(
            "expected the error to carry {wanted}, and it carries none"
        )),
    }
}

/// Whether the message is Rails' own, or begins with it.
#[must_use]
pub fn is_message(expected: &Json, got: &str) -> bool {
    let wanted = expected
        .get("message")
        .and_then(Json::as_str)
        .unwrap_or_default();
    got.starts_with(wanted.trim_end_matches('.'))
}

/// What differs between a table's expected rows and those that it has, in any order.
#[must_use]
pub fn rows(table: &str, expected: &[Json], got: &[Json]) -> Option<String> {
    let mut left: Vec<&Json> = got.iter().collect();
    for wanted in expected {
        match left.iter().position(|row| same_row(wanted, row)) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => {
                return Some(format!(
                    "{table}: expected the row {wanted}, the table has {}",
                    Json::Array(got.to_vec())
                ));
            }
        }
    }
    left.first()
        .map(|extra| format!("{table}: the row {extra} is not expected"))
}

fn same_row(wanted: &Json, got: &Json) -> bool {
    let (Some(wanted), Some(got)) = (wanted.as_object(), got.as_object()) else {
        return false;
    };
    wanted.len() == got.len()
        && wanted
            .iter()
            .all(|(column, value)| got.get(column).is_some_and(|found| stored(value, found)))
}

/// Stored values: truth values are 1 and 0.
fn stored(wanted: &Json, found: &Json) -> bool {
    let plain = |json: &Json| match json {
        Json::Bool(value) => Json::from(i64::from(*value)),
        other => other.clone(),
    };
    scalars(&plain(wanted), &plain(found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_compared_as_instants_and_texts_as_texts() {
        assert_eq!(
            values(
                &json!(["2024-01-01 12:00:00"]),
                &json!(["2024-01-01 12:00:00.000000"]),
                &[]
            ),
            None
        );
        assert!(values(&json!("a"), &json!("b"), &[]).is_some());
    }

    #[test]
    fn a_list_is_in_order_and_rows_are_not() {
        assert!(values(&json!([1, 2]), &json!([2, 1]), &[]).is_some());
        let (one, two) = (json!({"id": 1, "on": 1}), json!({"id": 2, "on": null}));
        assert_eq!(
            rows(
                "t",
                &[one.clone(), two.clone()],
                &[two, json!({"id": 1, "on": true})]
            ),
            None
        );
        assert!(rows("t", &[one], &[]).is_some());
    }

    #[test]
    fn an_object_is_the_one_in_a_variable_or_in_none() {
        let got = json!({"record": "Post#1", HOLDERS: ["p"]});
        assert_eq!(
            values(
                &json!({"record": "Post#1", "same_object_as": "p"}),
                &got,
                &[]
            ),
            None
        );
        assert!(
            values(
                &json!({"record": "Post#1", "same_object_as": "q"}),
                &got,
                &[]
            )
            .is_some()
        );
        assert!(values(&json!({"record": "Post#1"}), &got, &[]).is_some());
        assert_eq!(
            values(&json!({"record": "Post#1"}), &got, &["p".to_owned()]),
            None
        );
    }

    #[test]
    fn nothing_more_and_nothing_less_is_in_a_map() {
        assert!(values(&json!({"a": 1}), &json!({"a": 1, "b": 2}), &[]).is_some());
        assert!(values(&json!({"a": 1, "b": 2}), &json!({"a": 1}), &[]).is_some());
        assert_eq!(
            values(&json!([{"ruby_only": true}]), &json!([5]), &[]),
            None
        );
    }
}
