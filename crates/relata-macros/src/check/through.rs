//! What goes through another association: that stands above it, in the same model, and says which key it is.

use crate::errors::{Errors, hint, list};
use crate::model::{Association, Inverse, Macro, Model, owned_path, plain};

/// Tells what is wrong with each.
pub(crate) fn check(model: &Model, errors: &mut Errors) {
    for association in model.associations.iter().filter(|one| !one.faulty) {
        one(model, association, errors);
    }
}

fn one(model: &Model, association: &Association, errors: &mut Errors) {
    let (name, kind) = (&association.name, association.kind.name());
    let Some(through) = &association.through else {
        let written = [
            ("source", &association.source),
            ("source_type", &association.source_type),
            ("disable_joins", &association.disable_joins),
        ];
        if let Some((option, ident)) = written
            .into_iter()
            .find_map(|(option, ident)| Some((option, ident.as_ref()?)))
        {
            let message = format!(
                "`{option}` is of an association that goes through another: write `through` too, or leave it out of `{name}`"
            );
            errors.at(ident.span(), message);
        }
        return;
    };
    let names: Vec<&str> = model
        .associations
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let way = plain(through);
    let Some(at) = model.associations.iter().position(|one| one.name == way) else {
        let message = format!(
            "`{}` has no association `{way}` to go through{}\nits associations are {}",
            model.name(),
            hint(&way, &names),
            list(&names)
        );
        errors.at(through.span(), message);
        return;
    };
    let over = &model.associations[at];
    if over.order >= association.order {
        let message = if over.ident == association.ident {
            format!(
                "`{name}` goes through itself: name the association that leads to what is between"
            )
        } else {
            format!("`{name}` goes through `{way}`, which is declared below it: move `{way}` up")
        };
        errors.at(through.span(), message);
        return;
    }
    if over.polymorphic {
        let message = format!(
            "`{name}` cannot go through `{way}`, which leads to any of several models: declare a belongs_to or has_one to \
             one of them, and go through that"
        );
        errors.at(through.span(), message);
        return;
    }
    if association.kind == Macro::HasOne && over.kind.is_collection() {
        let message = format!(
            "a has_one goes through one record, and `{way}` is a collection: name a has_one or belongs_to, or declare \
             `{name}` as a has_many"
        );
        errors.at(through.span(), message);
        return;
    }
    if let Some(model) = &association.source_type
        && let Some((target, ..)) = owned_path(&association.target)
        && *model != target
    {
        let message = format!(
            "`source_type` is the model that `{name}` leads to: write `source_type = {target}`, or `{name}: {model}`"
        );
        errors.at(model.span(), message);
        return;
    }
    let inverse = match &association.inverse_of {
        Inverse::Named(inverse) => Some((inverse, "inverse")),
        _ => None,
    };
    let key = association.foreign_key.first().map(|key| (key, "key"));
    let primary = association.primary_key.first().map(|key| (key, "key"));
    if let Some((ident, what)) = key.or(primary).or(inverse) {
        let message = format!(
            "a {kind} that goes through `{way}` has no {what} of its own: name it on `{way}`, or on what that leads to"
        );
        errors.at(ident.span(), message);
    }
}
