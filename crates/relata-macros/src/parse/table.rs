//! `#[model(...)]`: the options of the whole model.

use proc_macro2::TokenStream;

use super::options::{Known, entries};
use crate::errors::Errors;
use crate::model::PrimaryKey;

const KNOWN: Known<'static> = Known {
    attribute: "#[model]",
    now: &["table", "primary_key", "strict_loading"],
    later: &[
        "timestamps",
        "readonly",
        "inheritance_column",
        "abstract_class",
        "locking_column",
        "default_scope",
        "implicit_order_column",
        "query_constraints",
        "before_save",
        "after_save",
    ],
    instead: &[
        (
            "table_name",
            "the option is called `table`: `#[model(table = \"...\")]`",
        ),
        (
            "name",
            "the model is named by its struct; for the table write `table = \"...\"`",
        ),
    ],
};

/// What `#[model(...)]` says.
pub(crate) struct Table {
    pub(crate) table: Option<String>,
    pub(crate) primary_key: PrimaryKey,
    pub(crate) strict_loading: bool,
}

/// The options of the model.
pub(crate) fn table(options: TokenStream, errors: &mut Errors) -> Table {
    let mut table = Table {
        table: None,
        primary_key: PrimaryKey::Convention,
        strict_loading: false,
    };
    for entry in entries(options, &KNOWN, errors) {
        match entry.name().as_str() {
            "table" => {
                table.table = errors
                    .take(entry.text_value("posts"))
                    .map(|text| text.value())
            }
            "strict_loading" => {
                table.strict_loading = errors.take(entry.flag()).unwrap_or_default()
            }
            _ => {
                if let Some(names) = errors.take(entry.idents("id")) {
                    let none = matches!(names.as_slice(), [name] if name == "none");
                    table.primary_key = if none {
                        PrimaryKey::None
                    } else {
                        PrimaryKey::Names(names)
                    };
                }
            }
        }
    }
    table
}
