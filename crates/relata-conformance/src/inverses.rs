//! Where Rails looks for an inverse that was not written: relata finds one past more options than Rails does, and is told
//! not to where Rails would not.
//!
//! Invariant: declarations alone decide, those of the scenario; what an inverse then does is relata's.

use serde_json::{Map, Value as Json};

use crate::transcript::Declaration;
use crate::world::World;

/// Whether Rails finds no inverse past what is written: a key of its own (but for one of several columns), or a way through
/// others.
fn is_hidden(options: &Map<String, Json>) -> bool {
    options.contains_key("through")
        || options
            .get("foreign_key")
            .is_some_and(|key| !key.is_array())
}

/// Whether Rails finds an inverse of an association by itself. A `belongs_to` is left to relata, which finds no collection
/// there, as Rails; but one with a key of its own leads nowhere back.
#[must_use]
pub fn is_looked_for(world: &World, model: &str, declaration: &Declaration) -> bool {
    let options = &declaration.options;
    if options.contains_key("inverse_of") || options.contains_key("polymorphic") {
        return true;
    }
    if is_hidden(options) {
        return false;
    }
    let scoped = world.config.get("automatic_scope_inversing") == Some(&Json::Bool(false));
    if scoped && declaration.scope.is_some() {
        return false;
    }
    if !matches!(declaration.kind.as_str(), "has_one" | "has_many") {
        return true;
    }
    // The association back has the owner's name, or that of the role.
    let back = match options.get("as").and_then(Json::as_str) {
        Some(role) => role.to_owned(),
        None => relata_inflect::underscore(relata_inflect::demodulize(model)),
    };
    let name = declaration.name.as_deref().unwrap_or_default();
    let target = match options.get("class_name").and_then(Json::as_str) {
        Some(class) => class.to_owned(),
        None if declaration.kind == "has_many" => {
            relata_inflect::camelize(&relata_inflect::singularize(name))
        }
        None => relata_inflect::camelize(name),
    };
    let shows = |one: &Declaration| {
        let off = one.options.get("inverse_of") == Some(&Json::Bool(false));
        !is_hidden(&one.options) && !off && one.scope.is_none()
    };
    let all = world.declarations(&target);
    let mut named = all.iter().filter(|one| one.name.as_deref() == Some(&*back));
    named.any(shows)
}

/// The collection that Rails takes for the inverse of a `belongs_to` where inverses may be plural.
#[must_use]
pub fn plural(world: &World, model: &str, declaration: &Declaration) -> Option<String> {
    let options = &declaration.options;
    let written = ["inverse_of", "polymorphic"];
    if declaration.kind != "belongs_to"
        || is_hidden(options)
        || written.iter().any(|option| options.contains_key(*option))
    {
        return None;
    }
    let target = match options.get("class_name").and_then(Json::as_str) {
        Some(class) => class.to_owned(),
        None => relata_inflect::camelize(declaration.name.as_deref().unwrap_or_default()),
    };
    let singular = relata_inflect::underscore(relata_inflect::demodulize(model));
    let plural = relata_inflect::pluralize(&singular);
    let all = world.declarations(&target);
    let named = |name: &str| {
        let mut named = all.iter().filter(|one| one.name.as_deref() == Some(name));
        named.find(|one| one.kind.starts_with("has_"))
    };
    if named(&singular).is_some() {
        return None;
    }
    let found = named(&plural)?;
    let off = found.options.get("inverse_of") == Some(&Json::Bool(false));
    let leads_back = match found.options.get("class_name").and_then(Json::as_str) {
        Some(class) => class == model,
        None => true,
    };
    let shows = !is_hidden(&found.options) && !off && found.scope.is_none() && leads_back;
    shows.then_some(plural)
}
