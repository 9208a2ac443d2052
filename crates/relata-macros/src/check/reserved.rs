//! Names that a field of a model cannot have, because something else answers to them.
//!
//! As few as possible: a Rust type has one namespace for all its functions, so each of these takes a column's
//! name away. A test compares the lists with the real methods.

/// The public methods of `Record`: instance verbs and questions, reached from a model by `Deref`.
pub(crate) const RECORD: &[&str] = &[
    "as_json",
    "assign",
    "association",
    "attribute_before_last_save",
    "attribute_change",
    "attribute_changed",
    "attribute_was",
    "attributes",
    "authenticate_with",
    "becomes",
    "becomes_of",
    "becomes_with_type",
    "becomes_with_type_of",
    "changed",
    "changes",
    "compact",
    "db",
    "decrement",
    "delete",
    "destroy",
    "destroyed_by_association",
    "downcast",
    "dup",
    "errors",
    "generate_token_for",
    "get",
    "increment",
    "is",
    "is_changed",
    "is_changed_for_autosave",
    "is_destroyed",
    "is_marked_for_destruction",
    "is_new_record",
    "is_persisted",
    "is_readonly",
    "is_secret_set",
    "is_strict_loading",
    "is_valid",
    "is_valid_in",
    "lock",
    "mark_for_destruction",
    "normalize_attribute",
    "readonly",
    "reflection",
    "reload",
    "restore_attributes",
    "restore_attributes_named",
    "save",
    "save_with",
    "saved_change_to_attribute",
    "saved_changes",
    "serializable_hash",
    "set",
    "set_challenge",
    "set_confirmation",
    "set_secret",
    "store_accessor",
    "strict_loading",
    "to_key",
    "toggle",
    "touch",
    "touch_columns",
    "update",
    "update_attribute",
    "update_columns",
    "update_from",
    "was_new_record",
    "will_save_change_to_attribute",
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
    "restore_attributes_of",
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use syn::{ImplItem, Item, Visibility};

    use super::{HIDDEN, MODEL, RECORD, TRAITS};

    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    /// The public methods of `Record`, wherever the library implements them.
    fn methods() -> BTreeSet<String> {
        let mut sources = Vec::new();
        files(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../relata/src"),
            &mut sources,
        );
        let mut methods = BTreeSet::new();
        for source in sources {
            let file = syn::parse_file(&std::fs::read_to_string(&source).unwrap()).unwrap();
            for item in file.items {
                let Item::Impl(block) = item else { continue };
                let of_record =
                    matches!(&*block.self_ty, syn::Type::Path(ty) if ty.path.is_ident("Record"));
                if !of_record || block.trait_.is_some() {
                    continue;
                }
                for item in block.items {
                    if let ImplItem::Fn(method) = item
                        && matches!(method.vis, Visibility::Public(_))
                        && method.sig.receiver().is_some()
                    {
                        methods.insert(method.sig.ident.to_string());
                    }
                }
            }
        }
        methods
    }

    #[test]
    fn every_method_of_a_record_is_reserved_or_may_be_hidden() {
        let real = methods();
        assert!(real.contains("save"), "{real:?}");
        let listed = |name: &str| RECORD.contains(&name) || HIDDEN.contains(&name);
        let missing: Vec<_> = real.iter().filter(|name| !listed(name)).collect();
        assert!(missing.is_empty(), "not in the lists: {missing:?}");
    }

    #[test]
    fn every_reserved_name_is_a_method() {
        let real = methods();
        for name in RECORD.iter().chain(HIDDEN) {
            assert!(real.contains(*name), "`{name}` is no method");
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut seen = BTreeSet::new();
        for name in RECORD.iter().chain(HIDDEN).chain(MODEL).chain(TRAITS) {
            assert!(seen.insert(*name), "`{name}` is listed twice");
        }
    }
}
