//! The documentation of generated methods: what each does, its SQL, Rails' name, and whether it queries.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::model::{Association, Column, Macro, plain};

const SILENT: &str = "Never touches the database.";

fn doc(text: &str) -> TokenStream {
    quote!(#[doc = #text])
}

/// A column's reader, below the user's own text.
pub(crate) fn reader(column: &Column, documented: bool) -> TokenStream {
    let name = &column.name;
    let first = if documented {
        String::new()
    } else {
        format!("The attribute `{name}`.")
    };
    // The signature of a type of the user's own says it by a detour.
    let ty = column.ty.to_token_stream().to_string().replace(' ', "");
    let blank =
        "A new record without a value reads as the type's default, which saving does not write.";
    doc(&format!(
        "{first}\n\nA column of type `{ty}`. {blank} {SILENT}"
    ))
}

pub(crate) fn setter(name: &str) -> TokenStream {
    doc(&format!(
        "Sets `{name}`; saving the record writes it. {SILENT} Rails: `{name}=`."
    ))
}

pub(crate) fn changed(name: &str) -> TokenStream {
    doc(&format!(
        "Whether `{name}` differs from what was saved. {SILENT} Rails: `{name}_changed?`."
    ))
}

pub(crate) fn was(name: &str) -> TokenStream {
    doc(&format!(
        "`{name}` as it was saved last. {SILENT} Rails: `{name}_was`."
    ))
}

pub(crate) fn saved_change(name: &str) -> TokenStream {
    doc(&format!(
        "`{name}` before and after the last save, if that changed it. {SILENT} Rails: `saved_change_to_{name}`."
    ))
}

/// The writer of values for members.
pub(crate) fn attributes(name: &str) -> TokenStream {
    doc(&format!(
        "Sets what was given and is permitted on the members of `{name}`, or makes new ones; all of it is saved with the \
         record. Those that are named by `id` and not in memory are read with one SELECT. Rails: `{name}_attributes=`."
    ))
}

/// An association's reader, below the user's own text.
pub(crate) fn association(association: &Association, model: &str, documented: bool) -> TokenStream {
    let name = &association.name;
    let target = crate::model::target_name(association);
    let kind = association.kind.name();
    let first = if documented {
        String::new()
    } else {
        format!("The {kind} `{name}`, of model `{target}`.")
    };
    let reads = match association.kind {
        Macro::BelongsTo | Macro::HasOne => {
            let given = if association.optional {
                format!("`Option<{target}>`")
            } else {
                format!("`{target}`")
            };
            format!(
                "Awaiting it gives {given}; it queries once, and not at all when it is loaded or preloaded."
            )
        }
        Macro::HasMany | Macro::HasAndBelongsToMany => String::from(
            "A lazy relation: awaiting it queries once and keeps the records; it does not query when they are loaded or preloaded.",
        ),
    };
    let sql = match association.kind {
        Macro::HasAndBelongsToMany => {
            format!(
                "SELECT * FROM ({target}) INNER JOIN (the table between) WHERE (its key to {model}) = (key of this)"
            )
        }
        _ if association.through.is_some() => {
            let through = association.through.as_ref().map(plain).unwrap_or_default();
            format!(
                "SELECT * FROM ({target}) INNER JOIN ({through}) WHERE (its key to {model}) = (key of this)"
            )
        }
        Macro::BelongsTo => {
            let key = association.key_names().join(", ");
            format!("SELECT * FROM ({target}) WHERE (its key) = ({key} of this) LIMIT 1")
        }
        Macro::HasOne => {
            format!("SELECT * FROM ({target}) WHERE (its key to {model}) = (key of this) LIMIT 1")
        }
        Macro::HasMany => {
            format!("SELECT * FROM ({target}) WHERE (its key to {model}) = (key of this)")
        }
    };
    doc(&format!(
        "{first}\n\n{reads}\n\nSQL: `{sql}`. Rails: `{kind} :{name}`."
    ))
}

pub(crate) fn set_association(association: &Association) -> TokenStream {
    let name = &association.name;
    let what = match association.kind {
        Macro::BelongsTo => format!("Sets `{name}` and the key that refers to it"),
        _ if association.through.is_some() => format!(
            "Sets `{name}`, saved with this record; what is only read, for the source is no `belongs_to`, that save says"
        ),
        _ => format!("Sets `{name}`, which is saved with this record"),
    };
    doc(&format!("{what}. {SILENT} Rails: `{name}=`."))
}

pub(crate) fn is_delegate(association: &Association, one: &str) -> TokenStream {
    let role = &association.name;
    doc(&format!(
        "Whether the `{role}` is a `{one}`, by its type column. {SILENT} Rails: `{one}?`."
    ))
}

pub(crate) fn delegate(association: &Association, one: &str) -> TokenStream {
    let role = &association.name;
    doc(&format!(
        "The `{role}`, if it is a `{one}`: as `{role}`, else nothing and no query. Rails: `{one}`."
    ))
}

pub(crate) fn delegate_key(one: &str) -> TokenStream {
    doc(&format!(
        "The key of the `{one}`, if it is one. {SILENT} Rails: `{one}_id`."
    ))
}

pub(crate) fn delegates(model: &str, association: &Association, one: &str) -> TokenStream {
    let (role, all) = (&association.name, relata_inflect::pluralize(one));
    doc(&format!(
        "Every `{model}` whose `{role}` is a `{one}`, lazily. {SILENT} Rails: `{model}.{all}`."
    ))
}

pub(crate) fn build(name: &str) -> TokenStream {
    doc(&format!(
        "A new `{name}` with these values, set but not saved. {SILENT} Rails: `build_{name}`."
    ))
}

pub(crate) fn create(name: &str) -> TokenStream {
    doc(&format!(
        "A new `{name}` with these values, saved and set: one INSERT. Rails: `create_{name}!`."
    ))
}

pub(crate) fn reload(name: &str) -> TokenStream {
    doc(&format!(
        "Forgets `{name}` and reads it again: always one SELECT. Rails: `reload_{name}`."
    ))
}

pub(crate) fn reset(name: &str) -> TokenStream {
    doc(&format!(
        "Forgets `{name}`, so that the next reading queries. {SILENT} Rails: `reset_{name}`."
    ))
}

pub(crate) fn association_changed(name: &str) -> TokenStream {
    doc(&format!(
        "Whether saving will make this record refer to another `{name}`. {SILENT} Rails: `{name}_changed?`."
    ))
}

pub(crate) fn association_was_changed(name: &str) -> TokenStream {
    let rails = format!("Rails: `{name}_previously_changed?`.");
    doc(&format!(
        "Whether the last save made this record refer to another `{name}`. {SILENT} {rails}"
    ))
}

pub(crate) fn ids(name: &str, method: &str) -> TokenStream {
    doc(&format!(
        "The keys of `{name}`: one SELECT of the key, and no query when the records are loaded. Rails: `{method}`."
    ))
}
