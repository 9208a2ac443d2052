//! Names: of fields, of what they generate, and what docs call them.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The doc comment among some attributes, its lines joined.
pub(crate) fn doc_of(attrs: &[Attribute]) -> String {
    let mut doc = String::new();
    for attribute in attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
    {
        if let Meta::NameValue(meta) = &attribute.meta
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }) = &meta.value
        {
            if !doc.is_empty() {
                doc.push('\n');
            }
            doc.push_str(line.value().strip_prefix(' ').unwrap_or(&line.value()));
        }
    }
    doc
}

/// A method that a field generates: its name, and what the field is called in messages.
pub(crate) struct Generated {
    pub(crate) method: String,
    /// Whether it is the reader, which has the field's own name.
    pub(crate) reader: bool,
}

fn all(reader: &str, others: &[String]) -> Vec<Generated> {
    std::iter::once(Generated {
        method: reader.to_owned(),
        reader: true,
    })
    .chain(others.iter().map(|method| Generated {
        method: method.clone(),
        reader: false,
    }))
    .collect()
}

/// The methods that a column generates.
pub(crate) fn of_column(column: &super::Column) -> Vec<Generated> {
    let name = &column.name;
    let mut others = vec![
        format!("set_{name}"),
        format!("{name}_changed"),
        format!("{name}_was"),
        format!("saved_change_to_{name}"),
    ];
    let enumeration = column.enumeration.iter().filter(|one| one.methods);
    for (one, variant) in enumeration.flat_map(|one| one.values.iter().map(move |v| (one, v))) {
        let label = one.name_of(variant);
        others.push(format!("is_{label}"));
        others.push(label);
    }
    if let Some(password) = &column.password {
        others.extend(of_password(&password.name));
    }
    others.extend(column.stores.iter().flat_map(|one| of_store(&one.name)));
    all(name, &others)
}

/// The methods that a password generates.
pub(crate) fn of_password(name: &str) -> Vec<String> {
    vec![
        format!("set_{name}"),
        format!("set_{name}_confirmation"),
        format!("set_{name}_challenge"),
        format!("authenticate_{name}"),
        format!("{name}_reset_token"),
    ]
}

/// The methods of a value inside a document.
fn of_store(name: &str) -> [String; 5] {
    [
        name.to_owned(),
        format!("set_{name}"),
        format!("{name}_changed"),
        format!("{name}_was"),
        format!("saved_change_to_{name}"),
    ]
}

/// The methods that an association generates.
pub(crate) fn of_association(association: &super::Association) -> Vec<Generated> {
    let name = &association.name;
    let mut others: Vec<String> = Vec::new();
    if association.nested.is_some() {
        others.push(format!("{name}_attributes"));
    }
    if association.kind.is_collection() {
        others.push(ids_of(name));
        return all(name, &others);
    }
    let verbs = if association.polymorphic {
        &["set", "reload", "reset"][..]
    } else {
        &["set", "build", "create", "reload", "reset"]
    };
    others.extend(verbs.iter().map(|verb| format!("{verb}_{name}")));
    if association.kind == super::Macro::BelongsTo {
        others.push(format!("{name}_changed"));
        others.push(format!("{name}_previously_changed"));
    }
    for delegate in &association.delegates {
        let one = delegate_of(delegate);
        others.extend([format!("is_{one}"), format!("{one}_id"), one.clone()]);
        others.push(relata_inflect::pluralize(&one));
    }
    all(name, &others)
}

/// A type of a delegated type, as its methods are called: `admin_comment`.
pub(crate) fn delegate_of(ty: &proc_macro2::Ident) -> String {
    relata_inflect::underscore(&plain(ty))
}

/// The reader of a collection's keys: `comment_ids`.
pub(crate) fn ids_of(collection: &str) -> String {
    format!("{}_ids", relata_inflect::singularize(collection))
}

/// The name of the model that an association leads to, for docs.
pub(crate) fn target_name(association: &super::Association) -> String {
    super::owned_path(&association.target).map_or_else(String::new, |(name, ..)| name)
}
