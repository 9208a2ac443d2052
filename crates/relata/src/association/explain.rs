//! What a declaration came to, for people: its keys and where they come from, the inverse and why, what runs by itself and
//! what is asked of the database.
//!
//! Invariant: everything here is asked of the rooms that decide it; nothing is decided for the page.

use std::fmt::Write as _;

use super::{asks_for_one, cut_each, targets, targets_of};
use crate::attribute::value::Value;
use crate::callback::Event;
use crate::db::Db;
use crate::error::Result;
use crate::reflection::{
    AssociationReflection, Classes, Dependent, InverseReason, KeyReason, ModelReflection,
    Reflected, Resolved, Target,
};
use crate::relation::{Core, Relation, Scope};
use crate::sql::Apart;

impl Reflected {
    /// What the declaration came to, for people: keys and where they come from, the inverse and why, options, methods, what
    /// runs by itself and when, the SQL, and what to mind. A mistake in the declaration stands in place of what follows
    /// from it. The SQL is that of SQLite. Never touches the database.
    ///
    /// ```
    /// # use relata::prelude::*;
    /// # #[model] struct Person { id: i64, #[has_many] posts: Post }
    /// # #[model] struct Post { id: i64, person_id: i64, #[belongs_to] person: Person }
    /// let page = Post::reflect_on_association("person").map(|one| one.explain());
    /// assert!(page.is_some_and(|page| page.contains("posts.person_id -> people.id")));
    /// ```
    #[must_use]
    pub fn explain(&self) -> String {
        let mut page = Page::default();
        _ = writeln!(
            page.0,
            "{} {} -> {}",
            self.macro_kind().name(),
            self.name(),
            leads_to(self)
        );
        let resolved = self.resolve();
        match &resolved {
            Ok(resolved) => {
                let each = shapes(resolved);
                match &resolved.through {
                    None => {
                        let keys = each.iter().map(|one| keys(self.model(), one));
                        page.rows("foreign key", keys);
                    }
                    Some(_) => page.rows("route", route(resolved)),
                }
                page.rows(
                    "type",
                    each.iter().filter_map(|one| types(self.model(), one)),
                );
                page.rows("inverse", each.iter().map(|one| inverse(one)));
            }
            Err(mistake) => page.rows("mistake", [mistake.to_string()]),
        }
        let options = self.options().iter();
        let options = options.map(|(name, value)| match *value {
            "" => (*name).to_owned(),
            value => format!("{name} = {value}"),
        });
        page.rows("options", wrapped(options, " · "));
        let methods = self.methods().into_iter();
        page.rows("methods", wrapped(methods.map(|one| one + "()"), " · "));
        let (acts, validations) = self.model().explain_association(self.position());
        let mut runs = counts(self, resolved.as_ref().ok());
        runs.extend(acts);
        runs.sort_by_key(|(event, _)| Event::ALL.iter().position(|one| one == event));
        let runs = runs.into_iter().map(|(event, act)| (event.name(), act));
        let members = self.callbacks.iter();
        let members =
            members.map(|one| (one.event.name(), "is called with each member".to_owned()));
        let lines = runs.chain(members);
        page.rows(
            "callbacks",
            lines.map(|(event, what)| format!("{event:<17} {what}")),
        );
        page.rows("validations", validations);
        if let Ok(resolved) = resolved {
            page.rows("caution", cautions(self, resolved));
            page.gap();
            page.rows("SQL", statements(self, resolved));
        }
        page.0
    }
}

impl ModelReflection {
    /// The page of [`Reflected::explain`] about the association of that name. Never touches the database.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn explain(&'static self, association: &str) -> Result<String> {
        let position = self.association(association)?;
        Ok(Reflected::new(self, position, &self.reflections()[position]).explain())
    }
}

/// Rows of what is explained, each under its label.
#[derive(Default)]
struct Page(String);

impl Page {
    /// What stands under one label; without lines, nothing.
    fn rows(&mut self, label: &str, lines: impl IntoIterator<Item = String>) {
        for (at, line) in lines.into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            _ = writeln!(self.0, "  {label:<13} {line}");
        }
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }
}

/// The model that it leads to, or those that it may lead to.
fn leads_to(one: &AssociationReflection) -> String {
    let Target::AnyOf(classes) = one.target else {
        return one.target_name().to_owned();
    };
    let names: Vec<&str> = classes.models().iter().map(|model| model.name()).collect();
    match classes {
        Classes::Closed(_) => names.join(" or "),
        Classes::Open(_) => format!("any that is registered: {}", names.join(", ")),
    }
}

/// The items in lines of readable length.
fn wrapped(items: impl Iterator<Item = String>, between: &str) -> Vec<String> {
    const WIDTH: usize = 92;
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + item.chars().count() < WIDTH => {
                _ = write!(line, "{between}{item}");
            }
            _ => lines.push(item),
        }
    }
    lines
}

fn columns(model: &ModelReflection, key: &[usize]) -> String {
    let names = key.iter().filter_map(|&at| model.columns().get(at));
    let names: Vec<&str> = names.map(|column| column.column_name()).collect();
    match names.as_slice() {
        [one] => format!("{}.{one}", model.table()),
        several => format!("{}.({})", model.table(), several.join(", ")),
    }
}

fn keys(owner: &ModelReflection, resolved: &Resolved) -> String {
    let target = resolved.target;
    let ends = [
        (owner, &*resolved.owner_key),
        (target, &*resolved.target_key),
    ];
    let [holder, referred] = match resolved.declaration().is_belongs_to() {
        true => ends,
        false => [ends[1], ends[0]],
    };
    let null = holder
        .1
        .iter()
        .all(|&at| holder.0.columns()[at].is_nullable());
    format!(
        "{} -> {}   ({}; {})",
        columns(holder.0, holder.1),
        columns(referred.0, referred.1),
        match resolved.key_reason {
            KeyReason::Written => "declared",
            KeyReason::Inverse => "the inverse's key",
            KeyReason::Convention => "by convention",
            KeyReason::Through => "that of the route",
            KeyReason::OnlyBelongsTo => "the key of the only belongs_to that leads back",
        },
        if null { "may be null" } else { "never null" }
    )
}

/// The association as it is for each model that it can lead to.
fn shapes(resolved: &'static Resolved) -> Vec<&'static Resolved> {
    resolved.of_each_class().into_iter().flatten().collect()
}

/// The column that says of which model a row is, and what it says.
fn types(owner: &ModelReflection, resolved: &Resolved) -> Option<String> {
    let sides = [
        (owner, resolved.owner_type),
        (resolved.target, resolved.target_type),
    ];
    let (model, ty) = sides
        .into_iter()
        .find_map(|(model, ty)| Some((model, ty?)))?;
    let name = ty.name.unwrap_or("null");
    Some(format!("{} = {name}", columns(model, &[ty.column])))
}

/// The hops of a through, each with its key.
fn route(resolved: &'static Resolved) -> Vec<String> {
    let hops = resolved.hops().into_iter().map(|hop| {
        let (over, owner) = (hop.over.declaration(), hop.over.owner);
        let keys = keys(owner, hop.over);
        format!(
            "{}.{} ({})   {keys}",
            owner.name(),
            over.name(),
            over.macro_kind().name()
        )
    });
    hops.collect()
}

fn inverse(resolved: &Resolved) -> String {
    let why = match resolved.inverse_reason {
        InverseReason::Written => "declared",
        InverseReason::Through => "none: it goes through others",
        InverseReason::Off => "none: inverse_of = none",
        InverseReason::SameKey => "found: it leads back over the same key",
        InverseReason::NotFound => "none: nothing leads back over the same key",
        InverseReason::Ambiguous => {
            "none: several lead back over the same key; name one with inverse_of"
        }
        InverseReason::Scoped => "none: what leads back has a scope; name it with inverse_of",
        InverseReason::Collection => {
            "none: a collection is the inverse only where inverse_of names it"
        }
    };
    match resolved.inverse_reflection() {
        Some(back) => format!(
            "{}.{} ({})   ({why})",
            resolved.target.name(),
            back.name(),
            back.macro_kind().name()
        ),
        None => why.to_owned(),
    }
}

/// What is counted, and when.
fn counts(
    one: &AssociationReflection,
    resolved: Option<&&'static Resolved>,
) -> Vec<(Event, String)> {
    let (Some(column), Some(resolved), true) = (one.counter_cache(), resolved, one.is_belongs_to())
    else {
        return Vec::new();
    };
    let each = shapes(resolved).into_iter().flat_map(|one| {
        let table = one.target.table();
        [
            (Event::AfterCreate, format!("{table}.{column} + 1")),
            (Event::AfterDestroy, format!("{table}.{column} - 1")),
        ]
    });
    each.collect()
}

fn cautions(one: &Reflected, resolved: &Resolved) -> Vec<String> {
    let name = one.name();
    let mut cautions = Vec::new();
    if one.is_belongs_to() {
        let key = resolved.foreign_key(one.model()).join(" or ");
        cautions.push(format!(
            "setting {key} makes a loaded {name} stale: the next {name}() loads again"
        ));
        if one.is_required() {
            cautions.push(format!(
                "validating asks for {name} once, unless it is loaded"
            ));
        }
    }
    if let Some(dependent @ (Dependent::Delete | Dependent::DeleteAll | Dependent::Nullify)) =
        one.dependent()
    {
        let dependent = dependent.name();
        cautions.push(format!(
            "dependent = {dependent} runs no callbacks of {}",
            resolved.target.name()
        ));
    }
    if one.counter_cache().is_some() && !one.counter_active {
        cautions.push("the counter is kept, and not used by size() yet".to_owned());
    }
    if !one.is_belongs_to() && resolved.inverse.is_none() {
        cautions.push(
            "what is loaded does not know its owner: asking for it loads it again".to_owned(),
        );
    }
    if let Some(scope) = one.scope() {
        cautions.extend(cautions_of(scope, resolved.target));
    }
    if one.is_deprecated() {
        cautions.push("it is deprecated: every use is told".to_owned());
    }
    if one.strict_loading == Some(true) {
        cautions.push("loading it lazily is an error: preload it".to_owned());
    }
    cautions
}

fn cautions_of(scope: &Scope, target: &'static ModelReflection) -> Option<String> {
    if scope.is_of_owner() {
        return Some(
            "its scope differs by the owner: it is preloaded once for each that results, and cannot be joined".to_owned(),
        );
    }
    let scoped = scope.apply(Relation::default_scoped(target, &Db::detached()), None);
    let select = scoped.select();
    if select.is_cut_per_owner() {
        return Some(
            "the limit of its scope is that of each owner, also in a preload; a join drops it"
                .to_owned(),
        );
    }
    select.is_cut().then(|| {
        "the limit of its scope is that of the whole preload, not of each owner; a join drops it"
            .to_owned()
    })
}

/// The statements that read it, with a placeholder for each value.
fn statements(one: &Reflected, resolved: &'static Resolved) -> Vec<String> {
    let db = Db::detached();
    let mut lines = Vec::new();
    let line = |name: &str, read: &Relation| format!("{name:<8} {}", read.bound_sql());
    for resolved in shapes(resolved) {
        let load = targets_of(resolved, &db, None, keys_of(resolved, 1));
        let load = match asks_for_one(resolved) {
            true => load.limit(1),
            false => load,
        };
        for read in apart(load) {
            lines.push(line("load", &read));
        }
        for read in preloads(resolved, &[]) {
            lines.push(line("preload", &read));
        }
    }
    if one.is_polymorphic() {
        lines.push(
            "join     refused: no join leads to several tables, so it is preloaded".to_owned(),
        );
        return lines;
    }
    let all = || Relation::default_scoped(one.model(), &db);
    for (name, read) in [
        ("join", all().joins_named(one.name())),
        ("eager", all().eager_load_named([one.name()])),
    ] {
        match read {
            Ok(read) => lines.push(line(name, &read)),
            Err(error) => lines.push(format!("{name:<8} {error}")),
        }
    }
    lines
}

/// The statements of a query whose lists are asked for apart, one after the other: most are one.
fn apart(all: Relation) -> Vec<Relation> {
    let mut core = all.into_core();
    let mut reads = Vec::new();
    for list in core.select.apart() {
        let from = Core {
            select: list.from.clone(),
            ..core.clone()
        };
        reads.extend(apart(Relation::from_core(from)));
    }
    let keys = |list: &Apart| vec![vec![Value::Int(1); list.key.len()]; 2];
    core.select
        .settle(|list| list.among(keys(list)), |list| list.rank(keys(list)));
    reads.push(Relation::from_core(core));
    reads
}

/// The statements that preload it, one after the other: of a through, what is on the way comes first. What narrows the
/// through narrows the last of them.
fn preloads(resolved: &'static Resolved, narrowed: &[&'static Scope]) -> Vec<Relation> {
    let Some(through) = &resolved.through else {
        let all = targets_of(resolved, &Db::detached(), None, keys_of(resolved, 2));
        let all = narrowed
            .iter()
            .fold(all, |all, scope| scope.apply(all, None));
        return vec![each_owners(all, resolved)];
    };
    if targets(resolved, &Db::detached(), None)
        .select()
        .is_cut_per_owner()
    {
        let all = targets_of(resolved, &Db::detached(), None, keys_of(resolved, 2));
        return vec![each_owners(all, resolved)];
    }
    let own = resolved.declaration().scopes();
    let narrowed: Vec<&'static Scope> = own.chain(narrowed.iter().copied()).collect();
    let mut reads = preloads(through.over(), &[]);
    reads.extend(preloads(through.source(), &narrowed));
    reads
}

/// The query with its limit as that of each owner, where it is one; as it is where that is refused.
fn each_owners(all: Relation, resolved: &'static Resolved) -> Relation {
    all.map(|core| _ = cut_each(core, resolved))
}

/// Values in place of the keys of so many owners.
fn keys_of(resolved: &Resolved, owners: usize) -> Vec<Value<'static>> {
    vec![Value::Int(1); owners * resolved.owner_key.len()]
}
