//! The settings of a scenario, and of Rails as a whole while it runs.
//!
//! Invariant: a setting is followed, is what relata does anyway, or ends the scenario as unsupported.

use relata::{Db, DeprecatedAssociations, Error, ErrorKind};
use serde_json::{Map, Value as Json};

use crate::stop::{Ran, Stop};

/// Settings that are what relata does anyway, and those that the tables, models or database take into account. What
/// relata does whatever the setting says shows where it matters: in a step.
const SETTINGS: &[(&str, &[Json])] = &[
    (
        "belongs_to_required_by_default",
        &[Json::Bool(true), Json::Bool(false)],
    ),
    ("has_many_inversing", &[Json::Bool(true), Json::Bool(false)]),
    (
        "automatic_scope_inversing",
        &[Json::Bool(true), Json::Bool(false)],
    ),
    (
        "automatically_invert_plural_associations",
        &[Json::Bool(false), Json::Bool(true)],
    ),
    ("partial_inserts", &[Json::Bool(false), Json::Bool(true)]),
    (
        "belongs_to_required_validates_foreign_key",
        &[Json::Bool(false), Json::Bool(true)],
    ),
    ("raise_on_assign_to_attr_readonly", &[Json::Bool(true)]),
    (
        "run_commit_callbacks_on_first_saved_instances_in_transaction",
        &[Json::Bool(false)],
    ),
    (
        "before_committed_on_all_records",
        &[Json::Bool(true), Json::Bool(false)],
    ),
    (
        "run_after_transaction_callbacks_in_order_defined",
        &[Json::Bool(true), Json::Bool(false)],
    ),
    (
        "raise_on_missing_required_finder_order_columns",
        &[Json::Bool(true)],
    ),
    (
        "index_nested_attribute_errors",
        &[Json::Bool(false), Json::Bool(true)],
    ),
];

/// Settings that any value is taken of.
const TAKEN: &[&str] = &[
    "deprecated_associations_options",
    "deprecated_associations_mode",
    "destroy_association_async_job",
];

/// Refuses settings that relata cannot be run with.
///
/// # Errors
/// The setting, as unsupported.
pub fn check_settings(config: &Map<String, Json>) -> Ran<()> {
    for (name, value) in config {
        let raises =
            name == "action_on_strict_loading_violation" && (value == "raise" || value == "log");
        let known = SETTINGS
            .iter()
            .any(|(known, values)| known == name && values.contains(value));
        if !raises && !known && !TAKEN.contains(&name.as_str()) {
            return Err(Stop::unsupported(format!("the setting {name} = {value}")));
        }
    }
    Ok(())
}

/// Follows the settings that a database is told.
///
/// # Errors
/// `Argument` for a mode that there is not.
pub fn follow(db: &Db, config: &Map<String, Json>) -> Ran<()> {
    if let Some(mode) = config.get("deprecated_associations_mode") {
        deprecated_associations(db, mode, None)?;
    }
    match config.get("deprecated_associations_options") {
        Some(Json::Object(options)) => {
            let mode = options.get("mode").unwrap_or(&Json::Null);
            let backtrace = options.get("backtrace").and_then(Json::as_bool);
            deprecated_associations(db, mode, backtrace)
        }
        Some(mode) => deprecated_associations(db, mode, None),
        None => Ok(()),
    }
}

/// What the use of a deprecated association comes to.
///
/// # Errors
/// `Argument` for a mode that there is not.
pub fn deprecated_associations(db: &Db, mode: &Json, backtrace: Option<bool>) -> Ran<()> {
    let mode = match mode {
        Json::Null => DeprecatedAssociations::warn(),
        mode => DeprecatedAssociations::named(mode.as_str().unwrap_or_default())?,
    };
    db.set_deprecated_associations(mode.backtrace(backtrace.unwrap_or_default()));
    Ok(())
}

/// Refuses `dependent: :destroy_async` where no class of jobs does it.
///
/// # Errors
/// `Configuration`, as Rails says it.
pub fn check_jobs(config: &Map<String, Json>, options: &Map<String, Json>) -> Ran<()> {
    let asks = options
        .get("dependent")
        .is_some_and(|one| one == "destroy_async");
    if !asks || config.get("destroy_association_async_job") != Some(&Json::Null) {
        return Ok(());
    }
    let message = "A valid destroy_association_async_job is required to use `dependent: :destroy_async` on associations";
    Err(Error::new(ErrorKind::Configuration, message).into())
}
