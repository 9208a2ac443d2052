//! The options that each macro takes, and names that no association may have.

pub(super) const FOR_ALL: &[&str] = &[
    "anonymous_class",
    "primary_key",
    "foreign_key",
    "dependent",
    "validate",
    "inverse_of",
    "strict_loading",
    "query_constraints",
    "deprecated",
    "autosave",
];
pub(super) const BELONGS_TO: &[&str] = &[
    "required",
    "touch",
    "polymorphic",
    "counter_cache",
    "optional",
    "default",
];
pub(super) const HAS_ONE: &[&str] = &["required", "touch", "class_name", "as", "through"];
pub(super) const HAS_MANY: &[&str] = &[
    "class_name",
    "before_add",
    "after_add",
    "before_remove",
    "after_remove",
    "extend",
    "counter_cache",
    "default_order",
    "join_table",
    "index_errors",
    "as",
    "through",
];

/// What a has_and_belongs_to_many hands on to its has_many.
pub(super) const PASSED_ON: &[&str] = &[
    "before_add",
    "after_add",
    "before_remove",
    "after_remove",
    "autosave",
    "validate",
    "class_name",
    "extend",
    "strict_loading",
    "deprecated",
];

/// Methods of every record, which an association would hide.
pub(super) const TAKEN: &[&str] = &[
    "association",
    "attributes",
    "changed",
    "changes",
    "class",
    "clone",
    "decrement",
    "delete",
    "destroy",
    "dup",
    "errors",
    "hash",
    "id",
    "increment",
    "inspect",
    "lock",
    "method",
    "object_id",
    "readonly",
    "reload",
    "save",
    "send",
    "toggle",
    "touch",
    "transaction",
    "update",
    "valid",
    "validate",
];
