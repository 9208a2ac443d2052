//! `#[accepts_nested_attributes_for(comments(allow_destroy), profile)]`: of which associations values are taken.

use syn::{Attribute, Expr, ExprLit, Lit};

use super::options::{Entry, Known, Value, entries, names};
use crate::errors::{Errors, hint, list};
use crate::model::{Association, MemberLimit, Model, Nested, RejectIf};

pub(crate) const NAME: &str = "accepts_nested_attributes_for";

/// Tells the associations that one attribute names.
pub(crate) fn nested(attribute: &Attribute, model: &mut Model, errors: &mut Errors) {
    let syn::Meta::List(meta) = &attribute.meta else {
        let message =
            format!("name the associations: `#[{NAME}(comments(allow_destroy), profile)]`");
        return errors.on(attribute, message);
    };
    let Some(all) = errors.take(names(meta.tokens.clone(), "comments")) else {
        return;
    };
    for entry in all {
        accept(&entry, model, errors);
    }
}

fn accept(entry: &Entry, model: &mut Model, errors: &mut Errors) {
    let (name, owner) = (entry.name(), model.name());
    let known: Vec<String> = model
        .associations
        .iter()
        .map(|one| one.name.clone())
        .collect();
    let declared = model.associations.iter().any(|one| one.name == name);
    if model.base.is_some() && !declared {
        return inherited(entry, model, errors);
    }
    let Some(association) = model.associations.iter_mut().find(|one| one.name == name) else {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let are = if known.is_empty() {
            format!("`{owner}` has none")
        } else {
            format!("those of `{owner}` are {}", list(&known))
        };
        let message = format!(
            "no association found for name `{name}`{}\n{are}",
            hint(&name, &known)
        );
        return errors.at(entry.name.span(), message);
    };
    if association.nested.is_some() {
        return errors.at(entry.name.span(), format!("`{name}` is named twice"));
    }
    if association.autosave == Some(false) {
        let message = format!(
            "values for the members of `{name}` are saved with the record: take `autosave = false` out"
        );
        return errors.at(entry.name.span(), message);
    }
    let Some(nested) = options(entry, known_of(association), errors) else {
        return;
    };
    association.nested = Some(nested);
    if association.autosave.is_none() {
        association
            .options
            .push(("autosave".to_owned(), "true".to_owned()));
    }
}

/// One that the model does not declare is its base's, which the compiler looks up.
fn inherited(entry: &Entry, model: &mut Model, errors: &mut Errors) {
    let known = Known {
        attribute: "#[accepts_nested_attributes_for]",
        now: &["allow_destroy", "reject_if", "limit", "update_only"],
        later: &[],
        instead: &[],
    };
    if model
        .inherited_nested
        .iter()
        .any(|(one, _)| *one == entry.name)
    {
        let message = format!("`{}` is named twice", entry.name());
        return errors.at(entry.name.span(), message);
    }
    if let Some(nested) = options(entry, &known, errors) {
        model.inherited_nested.push((entry.name.clone(), nested));
    }
}

/// What an entry says of values for members.
fn options(entry: &Entry, known: &Known<'_>, errors: &mut Errors) -> Option<Nested> {
    let tokens = match &entry.value {
        Value::None => Default::default(),
        Value::List(group) => group.stream(),
        Value::Expr(_) => {
            let name = entry.name();
            let message = format!("options go in parentheses: `{name}(allow_destroy)`");
            errors.at(entry.name.span(), message);
            return None;
        }
    };
    let mut nested = Nested::default();
    for option in entries(tokens, known, errors) {
        errors.take(set(&option, &mut nested));
    }
    Some(nested)
}

fn known_of(association: &Association) -> &'static Known<'static> {
    const COLLECTION: Known<'static> = Known {
        attribute: "#[accepts_nested_attributes_for]",
        now: &["allow_destroy", "reject_if", "limit"],
        later: &[],
        instead: &[(
            "update_only",
            "`update_only` is for a belongs_to or has_one: the members of a has_many are told apart by `id`",
        )],
    };
    const SINGULAR: Known<'static> = Known {
        attribute: "#[accepts_nested_attributes_for]",
        now: &["allow_destroy", "reject_if", "update_only"],
        later: &[],
        instead: &[(
            "limit",
            "`limit` is for a has_many: a belongs_to or has_one has one target",
        )],
    };
    if association.kind.is_collection() {
        &COLLECTION
    } else {
        &SINGULAR
    }
}

fn set(option: &Entry, nested: &mut Nested) -> syn::Result<()> {
    match option.name().as_str() {
        "allow_destroy" => nested.allow_destroy = option.flag()?,
        "update_only" => nested.update_only = option.flag()?,
        "reject_if" => {
            let value = option.value("all_blank")?;
            nested.reject_if = Some(match value {
                Expr::Path(path) if path.path.is_ident("all_blank") => RejectIf::AllBlank,
                Expr::Path(_) | Expr::Closure(_) => RejectIf::When(value.clone()),
                other => {
                    let message = "`reject_if` is `all_blank`, or a function of the record and the values: \
                                   `reject_if = |post: &Post, comment| comment.is_blank(\"body\")`";
                    return Err(syn::Error::new_spanned(other, message));
                }
            });
        }
        _ => {
            let value = option.value("3")?;
            nested.limit = Some(match value {
                Expr::Lit(ExprLit {
                    lit: Lit::Int(number),
                    ..
                }) => MemberLimit::Number(number.clone()),
                _ => MemberLimit::Of(value.clone()),
            });
        }
    }
    Ok(())
}
