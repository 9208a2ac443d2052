//! The methods that a model has because of its columns and associations, and those that its class declares.
//!
//! Invariant: what a name means is decided in one place, so that a record answers to exactly what it says it does.

use std::sync::Arc;

use relata::attribute::Label;
use relata::reflection::{Macro, ModelReflection, Reflected};
use relata::{Association, Record};

use super::{assign, missing};
use crate::eval::Args;
use crate::stop::{Ran, Stop};
use crate::value::Value;
use crate::world::World;

/// What a generated method does, and with which attribute or association.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means<'a> {
    Read(&'a str),
    Write(&'a str),
    Present(&'a str),
    Changed(&'a str),
    Was(&'a str),
    Change(&'a str),
    SavedChange(&'a str),
    SavedChanged(&'a str),
    BeforeLastSave(&'a str),
    /// `id` of a model whose key has several columns: their values, as a list.
    Key,
    WriteKey,
    BeforeTypeCast(&'a str),
    /// Whether an enum is what the label says.
    Is(&'static str, &'static Label),
    /// Sets an enum to a label, and saves.
    Become(&'static str, &'static Label),
    Association(&'a str, Verb),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Read,
    Write,
    Build,
    Create,
    CreateOrFail,
    Reload,
    Reset,
    Changed,
    PreviouslyChanged,
    Ids,
    WriteIds,
    Attributes,
}

impl Verb {
    /// The name of the method, of the association of that name.
    fn method(self, name: &str) -> String {
        let one = || relata_inflect::singularize(name);
        match self {
            Self::Read => name.to_owned(),
            Self::Write => format!("{name}="),
            Self::Build => format!("build_{name}"),
            Self::Create => format!("create_{name}"),
            Self::CreateOrFail => format!("create_{name}!"),
            Self::Reload => format!("reload_{name}"),
            Self::Reset => format!("reset_{name}"),
            Self::Changed => format!("{name}_changed?"),
            Self::PreviouslyChanged => format!("{name}_previously_changed?"),
            Self::Ids => format!("{}_ids", one()),
            Self::WriteIds => format!("{}_ids=", one()),
            Self::Attributes => format!("{name}_attributes="),
        }
    }
}

/// What a name with a certain ending means, by the column before the ending.
type OfColumn<'a> = fn(&'a str) -> Means<'a>;

fn means<'a>(model: &'static ModelReflection, name: &'a str) -> Option<Means<'a>> {
    let column = |name: &str| model.column_position(name).is_some();
    let kind = |name: &str| {
        model
            .reflect_on_association(name)
            .map(|one| one.macro_kind())
    };
    let singular = |name: &str| {
        let association = model.reflect_on_association(name);
        association.is_some_and(|one| !one.is_collection())
    };
    let belongs_to = |name: &str| kind(name) == Some(Macro::BelongsTo);
    if kind(name).is_some() {
        return Some(Means::Association(name, Verb::Read));
    }
    let composite = model.primary_key().len() > 1;
    match name {
        // The key, whatever its columns are called; a row without a key has none to give.
        "id" if composite || !column("id") => return Some(Means::Key),
        "id=" if composite || !column("id") => return Some(Means::WriteKey),
        "id_value" if column("id") => return Some(Means::Read("id")),
        _ => {}
    }
    if column(name) {
        return Some(Means::Read(name));
    }
    if let Some(base) = name.strip_suffix('=') {
        if kind(base).is_some() {
            return Some(Means::Association(base, Verb::Write));
        }
        if column(base) {
            return Some(Means::Write(base));
        }
        if let Some(base) = base.strip_suffix("_attributes") {
            let accepts = |one: Reflected| one.nested_attributes().is_some();
            if model.reflect_on_association(base).is_some_and(accepts) {
                return Some(Means::Association(base, Verb::Attributes));
            }
        }
    }
    let of_singular = [
        ("build_", Verb::Build),
        ("create_", Verb::Create),
        ("reload_", Verb::Reload),
        ("reset_", Verb::Reset),
    ];
    // Without a class there is nothing to build.
    let builds = |name: &str| {
        let found = model.reflect_on_association(name);
        singular(name) && found.is_some_and(|one| !one.is_polymorphic() || one.is_delegated())
    };
    for (prefix, verb) in of_singular {
        if let Some(base) = name.strip_prefix(prefix) {
            let makes = matches!(verb, Verb::Build | Verb::Create);
            if if makes { builds(base) } else { singular(base) } {
                return Some(Means::Association(base, verb));
            }
            if let ("create_", Some(base)) = (prefix, base.strip_suffix('!'))
                && builds(base)
            {
                return Some(Means::Association(base, Verb::CreateOrFail));
            }
        }
    }
    if let Some(base) = name
        .strip_suffix("_changed?")
        .filter(|base| belongs_to(base))
    {
        return Some(Means::Association(base, Verb::Changed));
    }
    if let Some(base) = name
        .strip_suffix("_previously_changed?")
        .filter(|base| belongs_to(base))
    {
        return Some(Means::Association(base, Verb::PreviouslyChanged));
    }
    if let Some(base) = name
        .strip_prefix("will_save_change_to_")
        .and_then(|base| base.strip_suffix('?'))
        && column(base)
    {
        return Some(Means::Changed(base));
    }
    let label = |name: &str| {
        let found = model.enum_named(name);
        let found = found.filter(|(one, _)| one.has_methods());
        found.map(|(one, label)| (one.attribute(), label))
    };
    if let Some((attribute, label)) = name.strip_suffix('?').and_then(label) {
        return Some(Means::Is(attribute, label));
    }
    if let Some((attribute, label)) = name.strip_suffix('!').and_then(label) {
        return Some(Means::Become(attribute, label));
    }
    let endings: [(&str, OfColumn<'a>); 13] = [
        ("_change_to_be_saved", Means::Change),
        ("_previous_change", Means::SavedChange),
        ("_came_from_user?", Means::Present),
        ("_for_database", Means::BeforeTypeCast),
        ("_before_type_cast", Means::BeforeTypeCast),
        ("_previously_changed?", Means::SavedChanged),
        ("_previously_was", Means::BeforeLastSave),
        ("_in_database", Means::Was),
        ("_changed?", Means::Changed),
        ("_was", Means::Was),
        ("_change", Means::Change),
        ("_before_last_save", Means::BeforeLastSave),
        ("?", Means::Present),
    ];
    if let Some(base) = name.strip_prefix("saved_change_to_") {
        if let Some(base) = base.strip_suffix('?').filter(|base| column(base)) {
            return Some(Means::SavedChanged(base));
        }
        if column(base) {
            return Some(Means::SavedChange(base));
        }
    }
    for (ending, means) in endings {
        if let Some(base) = name.strip_suffix(ending).filter(|base| column(base)) {
            return Some(means(base));
        }
    }
    None
}

/// The collection whose keys `comment_ids` are.
fn of_ids(model: &'static ModelReflection, name: &str) -> Option<(&'static str, Verb)> {
    let (singular, verb) = match name.strip_suffix("_ids=") {
        Some(singular) => (singular, Verb::WriteIds),
        None => (name.strip_suffix("_ids")?, Verb::Ids),
    };
    model
        .reflect_on_all_associations(None)
        .filter(|association| association.is_collection())
        .find(|association| relata_inflect::singularize(association.name()) == singular)
        .map(|association| (association.name(), verb))
}

/// Whether a value has a method of that name, as far as its model decides.
pub(super) fn answers(world: &Arc<World>, receiver: &Value, name: &str) -> bool {
    match receiver {
        Value::Record(record) => {
            let model = record.reflection();
            world.declaration(model.name(), name, &["method"]).is_some()
                || means(model, name).is_some()
                || of_ids(model, name).is_some()
                || super::password::is_method(model, name)
                || super::delegated::answers(model, name)
                || super::record::is_method(name)
        }
        _ => false,
    }
}

/// A method that the class of a record declares, or that its columns and associations give it.
pub(super) async fn declared(
    world: &Arc<World>,
    record: &Record,
    name: &str,
    args: Args,
) -> Option<Ran<Value>> {
    let model = record.reflection();
    let this = Value::Record(record.clone());
    if let Some(method) = world
        .declaration(model.name(), name, &["method"])
        .and_then(|declaration| declaration.method)
    {
        return Some(world.run_method(&this, &method, args.with_map()).await);
    }
    if let Some(done) = super::password::call(world, record, name, &args).await {
        return Some(done);
    }
    if means(model, name).is_none() && of_ids(model, name).is_none() {
        return super::delegated::of_record(record, name).await;
    }
    Some(generated(world, &this, name, args).await)
}

/// A generated method, past one that the class declares: what `super` reaches.
///
/// # Errors
/// What the method raises.
pub async fn generated(world: &Arc<World>, this: &Value, name: &str, args: Args) -> Ran<Value> {
    let Value::Record(record) = this else {
        return Err(missing(this, name));
    };
    let model = record.reflection();
    if let Some((association, verb)) = of_ids(model, name) {
        return of_association(world, record, association, verb, args).await;
    }
    match means(model, name) {
        Some(Means::Association(name, verb)) => {
            of_association(world, record, name, verb, args).await
        }
        Some(Means::Become(attribute, label)) => {
            record.set(attribute, label.name())?;
            record.save().await?;
            Ok(Value::Bool(true))
        }
        Some(means) => of_attribute(record, means, &args),
        None => Err(missing(this, name)),
    }
}

fn of_attribute(record: &Record, means: Means<'_>, args: &Args) -> Ran<Value> {
    let change = |found: Option<(relata::Value<'_>, relata::Value<'_>)>| match found {
        Some((before, after)) => {
            Value::list([Value::of_attribute(&before), Value::of_attribute(&after)])
        }
        None => Value::Nil,
    };
    let pending = |name: &str| {
        let mut all = record.changes().into_iter();
        all.find(|(known, ..)| *known == name)
            .map(|(_, before, after)| (before, after))
    };
    let saved = |name: &str| {
        let mut all = record.saved_changes().into_iter();
        all.find(|(known, ..)| *known == name)
            .map(|(_, before, after)| (before, after))
    };
    Ok(match means {
        Means::Read(name) => Value::of_attribute(&record.get(name)?),
        Means::Write(name) => {
            assign::attribute(record, name, &args.at(0))?;
            args.at(0)
        }
        Means::Present(name) => Value::Bool(match Value::of_attribute(&record.get(name)?) {
            Value::Nil | Value::Bool(false) | Value::Int(0) => false,
            Value::Text(text) => !text.trim().is_empty(),
            _ => true,
        }),
        Means::Changed(name) => Value::Bool(pending(name).is_some_and(|(before, after)| {
            let is = |option: &str, value: &relata::Value<'_>| {
                let wanted = args.option(option);
                let value = Value::of_attribute(value);
                wanted.is_none_or(|wanted| crate::value::equal(&wanted, &value))
            };
            is("from", &before) && is("to", &after)
        })),
        Means::Was(name) => match pending(name) {
            Some((before, _)) => Value::of_attribute(&before),
            None => Value::of_attribute(&record.get(name)?),
        },
        Means::Change(name) => change(pending(name)),
        Means::SavedChange(name) => change(saved(name)),
        Means::SavedChanged(name) => Value::Bool(saved(name).is_some_and(|(before, after)| {
            let is = |option: &str, value: &relata::Value<'_>| {
                let wanted = args.option(option);
                let value = Value::of_attribute(value);
                wanted.is_none_or(|wanted| crate::value::equal(&wanted, &value))
            };
            is("from", &before) && is("to", &after)
        })),
        // Where no save changed anything, there is nothing before it.
        Means::BeforeLastSave(_) if record.saved_changes().is_empty() => Value::Nil,
        Means::BeforeLastSave(name) => match (saved(name), pending(name)) {
            (Some((before, _)), _) | (None, Some((before, _))) => Value::of_attribute(&before),
            (None, None) => Value::of_attribute(&record.get(name)?),
        },
        Means::Key => key(record)?,
        Means::WriteKey
            if record.reflection().primary_key().len() > 1
                && !matches!(args.at(0), Value::List(_) | Value::Nil) =>
        {
            let message = "Expected a list with a value for each column of the key";
            return Err(Stop::raised("TypeError", message));
        }
        Means::WriteKey => {
            let values = super::query::key(&args.at(0))?;
            for (name, value) in record.reflection().primary_key_names().zip(values) {
                record.set(name, value)?;
            }
            args.at(0)
        }
        Means::BeforeTypeCast(name) => {
            let value = record.get(name)?;
            let columns = record.reflection().columns().iter();
            let labels = columns
                .filter(|column| column.name() == name)
                .flat_map(|column| column.attribute_type().labels());
            let mut held = labels
                .filter(|label| value.as_str() == Some(label.name()))
                .map(|label| Value::of_attribute(&label.value()));
            held.next().unwrap_or_else(|| Value::of_attribute(&value))
        }
        Means::Is(attribute, label) => {
            Value::Bool(record.get(attribute)?.as_str() == Some(label.name()))
        }
        Means::Association(name, _) | Means::Become(name, _) => {
            return Err(missing(&Value::Record(record.clone()), name));
        }
    })
}

/// The primary key: a value, or a list of several.
pub(super) fn key(record: &Record) -> Ran<Value> {
    let names = record.reflection().primary_key_names();
    let values = names.map(|name| Ok(Value::of_attribute(&record.get(name)?)));
    let mut values = values.collect::<Ran<Vec<_>>>()?;
    Ok(match values.len() {
        1 => values.swap_remove(0),
        0 => Value::Nil,
        _ => Value::list(values),
    })
}

async fn of_association(
    world: &Arc<World>,
    record: &Record,
    name: &str,
    verb: Verb,
    args: Args,
) -> Ran<Value> {
    let association = Association::of(record, name)?;
    association.tell_used(&verb.method(name))?;
    let collection = association.reflection().is_collection();
    Ok(match verb {
        Verb::Read if collection => Value::Collection(association),
        Verb::Read => Value::record(association.load_one().await?),
        Verb::Write => {
            assign::association(world, &association, &args.at(0)).await?;
            args.at(0)
        }
        Verb::Attributes => {
            crate::nested::write(&association, &args.at(0)).await?;
            args.at(0)
        }
        Verb::Build => build(world, &association, &args).await?,
        Verb::Create | Verb::CreateOrFail => {
            return create(world, &association, &args, verb == Verb::CreateOrFail).await;
        }
        Verb::Reload => {
            association.reload().await?;
            Value::record(association.load_one().await?)
        }
        Verb::Reset => {
            association.reset();
            match association.reflection().is_belongs_to() {
                true => Value::Bool(false),
                false => Value::Nil,
            }
        }
        Verb::Changed => Value::Bool(association.is_changed()),
        Verb::PreviouslyChanged => Value::Bool(association.was_changed()),
        Verb::Ids => super::collection::ids(&association).await?,
        Verb::WriteIds => {
            let ids = super::items(world, &args.at(0)).await?;
            let blank = |id: &Value| id.to_text().trim().is_empty();
            let keys = ids.iter().filter(|id| !blank(id)).map(super::query::key);
            association
                .replace_ids(keys.collect::<Ran<Vec<_>>>()?)
                .await?;
            args.at(0)
        }
    })
}

/// `build_author`. Rails takes the old target of a saved owner's `has_one` out at once; relata does when it is told to.
async fn build(world: &Arc<World>, association: &Association, args: &Args) -> Ran<Value> {
    let reflection = association.reflection();
    let replaces = reflection.is_has_one() && reflection.through().is_none();
    if replaces && association.owner().is_persisted() {
        association.replace_one(None).await?;
    }
    let target = made(world, association, args).await?;
    match reflection.through() {
        // A row between that is there is saved with what it leads to now.
        Some(through) if association.owner().is_persisted() => {
            let between = association.owner().association(through)?;
            match between.load_one().await? {
                Some(_) => association.replace_one(Some(&target)).await?,
                None => association.set_target(Some(&target))?,
            }
        }
        _ => association.set_target(Some(&target))?,
    }
    Ok(Value::Record(target))
}

/// `create_author`: the target is assigned, and saved.
async fn create(
    world: &Arc<World>,
    association: &Association,
    args: &Args,
    fails: bool,
) -> Ran<Value> {
    let target = made(world, association, args).await?;
    match association.create_one(&target).await {
        Err(error) if fails || !error.is_record_invalid() => Err(error.into()),
        _ => Ok(Value::Record(target)),
    }
}

/// A new record of an association, of the subclass that its attributes name, with these; not linked yet.
pub(super) async fn made(
    world: &Arc<World>,
    association: &Association,
    args: &Args,
) -> Ran<Record> {
    let model = match association.klass()? {
        Some(model) => Some(super::class::class_of(model, args)?),
        None => None,
    };
    let mut filled = Ok(());
    let record = association.build_of(model, |record| filled = now(fill(world, record, args)))?;
    filled.map(|()| record)
}

/// Runs what gives a new record its values: on a database in memory it never has to wait.
pub(super) fn now<T>(filling: impl Future<Output = Ran<T>>) -> Ran<T> {
    crate::eval::poll_once(filling)
        .unwrap_or_else(|| Err(Stop::unsupported("values that have to wait")))
}

/// Gives a new record its attributes, and to the block.
pub(super) async fn fill(world: &Arc<World>, record: &Record, args: &Args) -> Ran<()> {
    if let Some(other @ (Value::Text(_) | Value::Int(_) | Value::Record(_))) = args.all.first() {
        let what = crate::value::inspect(other);
        return Err(Stop::argument(format!(
            "When assigning attributes, you must pass a hash as an argument, {what} passed."
        )));
    }
    assign::assign(world, record, &args.entries()).await?;
    if let Some(block) = &args.block {
        world
            .yield_to(block, vec![Value::Record(record.clone())])
            .await?;
    }
    Ok(())
}
