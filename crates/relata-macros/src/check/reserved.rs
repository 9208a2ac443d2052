//! Names that a field of a model cannot have, because something else answers to them.
//!
//! As few as possible: a Rust type has one namespace for all its functions, so each of these takes a column's
//! name away. A test compares the lists with the real methods.

/// The public methods of `Record`: instance verbs and questions, reached from a model by `Deref`.
pub(crate) const RECORD: &[&str] = &[
    "association",
    "attributes",
    "changed",
    "changes",
    "compact",
    "db",
    "decrement",
    "delete",
    "destroy",
    "dup",
    "errors",
    "get",
    "increment",
    "is",
    "is_changed",
    "is_destroyed",
    "is_marked_for_destruction",
    "is_new_record",
    "is_persisted",
    "is_readonly",
    "is_strict_loading",
    "is_valid",
    "lock",
    "mark_for_destruction",
    "readonly",
    "reflection",
    "reload",
    "restore_attributes",
    "save",
    "save_with",
    "saved_changes",
    "set",
    "strict_loading",
    "toggle",
    "touch",
    "update_attribute",
    "update_columns",
    "was_new_record",
    "with_lock",
];

/// Methods of `Record` that a field may hide: generated code and tools call them, and reach them all the same.
#[cfg(test)]
pub(crate) const HIDDEN: &[&str] = &[
    "column_changed",
    "read",
    "read_was",
    "retained",
    "saved_change_to",
    "strict_loading_mode",
    "write",
];

/// What `#[model]` writes on the model itself.
pub(crate) const MODEL: &[&str] = &[
    "all",
    "build",
    "create",
    "find",
    "new",
    "reflect_on_all_associations",
    "reflect_on_association",
    "update",
    "with",
];

/// Methods of traits that every model implements, and that a reader would hide.
pub(crate) const TRAITS: &[&str] = &[
    "as_ref",
    "borrow",
    "borrow_mut",
    "clone",
    "clone_from",
    "columns",
    "deref",
    "eq",
    "fmt",
    "from",
    "from_record",
    "hash",
    "into",
    "ne",
    "to_owned",
    "try_from",
    "try_into",
    "type_id",
];

/// Who answers to a name that is taken.
pub(crate) fn owner(name: &str) -> Option<&'static str> {
    if RECORD.contains(&name) {
        Some("relata's Record")
    } else if MODEL.contains(&name) {
        Some("#[model]")
    } else if TRAITS.contains(&name) {
        Some("a trait that every model implements")
    } else {
        None
    }
}
