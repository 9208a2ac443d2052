//! The tables and models of a scenario, made at run time.
//!
//! Invariant: every part of a declaration is either given to relata or refused by name; nothing that is written in a
//! transcript is passed over.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};

use relata::attribute::{AttributeType, Kind};
use relata::callback::EnsuringOwnerWas;
use relata::reflection::{
    Classes, Column, ColumnDefault, Declared, ModelBuilder, ModelReflection, Registry, Setting,
    Target,
};
use relata::relation::Scope;
use relata::{Db, Raw, Record, Relation};
use serde_json::Value as Json;

use crate::callbacks::{self, callback, default, members};
use crate::eval::{Env, poll_once};
use crate::form::Code;
use crate::nested;
use crate::query::Query;
use crate::settings;
use crate::stop::{Ran, Stop};
use crate::transcript::{Declaration, Model, Table};
use crate::validations;
use crate::value::Value;
use crate::world::World;

/// Makes the tables as the transcript has them, without constraints and indexes.
///
/// # Errors
/// What the database says.
pub async fn create_tables(db: &Db, tables: &[Table]) -> Ran<()> {
    for table in tables {
        db.execute_sql(Raw::trusted(definition(table))).await?;
    }
    Ok(())
}

fn definition(table: &Table) -> String {
    let generated = table.columns.iter().any(|column| column.auto);
    let mut parts: Vec<String> = Vec::new();
    for column in &table.columns {
        let kind = match column.kind.as_str() {
            "integer" => "INTEGER",
            "boolean" => "BOOLEAN",
            "datetime" => "DATETIME",
            _ => "VARCHAR",
        };
        let mut part = format!("\"{}\" {kind}", column.name);
        if column.auto {
            part.push_str(" PRIMARY KEY AUTOINCREMENT NOT NULL");
        } else if table.primary_key.contains(&column.name) {
            part.push_str(" NOT NULL");
        }
        match &column.default {
            Some(Json::Bool(value)) => part.push_str(&format!(" DEFAULT {}", i32::from(*value))),
            Some(Json::String(text)) => {
                part.push_str(&format!(" DEFAULT '{}'", text.replace('\'', "''")));
            }
            Some(other) => part.push_str(&format!(" DEFAULT {other}")),
            None => {}
        }
        parts.push(part);
    }
    if !generated && !table.primary_key.is_empty() {
        let key: Vec<String> = table
            .primary_key
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE \"{}\" ({})", table.name, parts.join(", "))
}

/// A model of nothing but a table's columns: what reads the table at the end.
///
/// # Errors
/// A key that names no column.
pub fn plain(table: &Table) -> Ran<&'static ModelReflection> {
    Ok(columns(ModelBuilder::new(&table.name, &table.name), table).define()?)
}

fn columns(mut builder: ModelBuilder, table: &Table) -> ModelBuilder {
    for column in &table.columns {
        let kind = match column.kind.as_str() {
            "integer" => Kind::Int,
            "boolean" => Kind::Bool,
            "datetime" => Kind::Timestamp,
            _ => Kind::Text,
        };
        let key = table.primary_key.contains(&column.name);
        let name: &'static str = column.name.clone().leak();
        let mut made = Column::new(name, AttributeType::plain(kind, !key));
        made = match &column.default {
            Some(Json::Bool(value)) => made.default(ColumnDefault::Bool(*value)),
            Some(Json::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => made.default(ColumnDefault::Int(value)),
                (None, Some(value)) => made.default(ColumnDefault::Float(value)),
                _ => made,
            },
            Some(Json::String(text)) => made.default(ColumnDefault::Text(text.clone().leak())),
            _ => made,
        };
        builder = builder.column(made);
    }
    builder.primary_key(table.primary_key.clone())
}

/// A model over the table that its name says.
fn of_table(world: &World, model: &Model) -> Ran<ModelBuilder> {
    let set = |setting: &str| {
        let all = model.declarations.iter().filter(|one| one.kind == "set");
        let mut named = all.filter(|one| one.name.as_deref() == Some(setting));
        named.next_back().and_then(|one| one.written.get("value"))
    };
    let text = |setting: &str| set(setting).and_then(Json::as_str);
    let model = &model.name;
    let name = text("table_name").map_or_else(|| relata_inflect::tableize(model), str::to_owned);
    let Some(table) = world.tables.iter().find(|table| table.name == name) else {
        return Err(Stop::unsupported(format!("{model} has no table {name}")));
    };
    let mut builder = columns(ModelBuilder::new(model, &name), table);
    match set("primary_key") {
        Some(Json::String(key)) => builder = builder.primary_key([key.clone()]),
        Some(Json::Array(keys)) => {
            builder = builder.primary_key(keys.iter().filter_map(Json::as_str));
        }
        _ => {}
    }
    let of_class = match set("inheritance_column") {
        Some(Json::String(column)) => column.as_str(),
        Some(_) => "",
        None => "type",
    };
    let typed = table.columns.iter().any(|column| column.name == of_class);
    Ok(if typed {
        builder.inheritance_column(of_class)
    } else {
        builder
    })
}

type Slots = HashMap<String, (Target, &'static OnceLock<&'static ModelReflection>)>;

/// Defines the models.
///
/// # Errors
/// What relata says about a declaration; what it lacks, as unsupported.
pub fn define(
    world: &Arc<World>,
    models: &[Model],
) -> Ran<HashMap<String, &'static ModelReflection>> {
    let mut slots: Slots = models
        .iter()
        .map(|model| (model.name.clone(), ModelBuilder::target(&model.name)))
        .collect();
    // Kept by what is defined, as long as that.
    let known: &'static Registry = Box::leak(Box::new(Registry::new()));
    let mut defined = HashMap::new();
    for model in models {
        let mut builder = match &model.extends {
            Some(parent) => match defined.get(parent) {
                Some(&parent) => ModelBuilder::inherits(&model.name, parent),
                None => {
                    return Err(Stop::unsupported(format!(
                        "{} extends {parent}, which is not defined before it",
                        model.name
                    )));
                }
            },
            None => of_table(world, model)?,
        };
        let prepended = |one: &&Declaration| callbacks::is_prepended(world, one);
        let first = model.declarations.iter().rev().filter(prepended);
        let rest = (0..).zip(&model.declarations);
        let rest = rest.filter(|(_, one)| !prepended(one));
        // What is declared anew is what was declared last.
        let rest = rest.filter(|(at, one)| !is_declared_again(model, *at, one));
        for declaration in first.chain(rest.map(|(_, one)| one)) {
            builder = declare(
                world,
                builder,
                &model.name,
                declaration,
                (&mut slots, known),
            )?;
        }
        let made = builder.define()?;
        known.add(made);
        defined.insert(model.name.clone(), made);
    }
    for (name, (_, slot)) in &slots {
        if let Some(model) = defined.get(name) {
            // It was made a moment ago, for this model alone.
            let _ = slot.set(model);
        }
    }
    Ok(defined)
}

/// Whether an association of that name stands below.
fn is_declared_again(model: &Model, at: usize, declaration: &Declaration) -> bool {
    let is_association = |one: &Declaration| {
        const MACROS: [&str; 4] = [
            "belongs_to",
            "has_one",
            "has_many",
            "has_and_belongs_to_many",
        ];
        MACROS.contains(&one.kind.as_str())
    };
    let same = |one: &Declaration| is_association(one) && one.name == declaration.name;
    is_association(declaration) && model.declarations.iter().skip(at + 1).any(same)
}

fn declare(
    world: &Arc<World>,
    builder: ModelBuilder,
    model: &str,
    declaration: &Declaration,
    (slots, known): (&mut Slots, &'static Registry),
) -> Ran<ModelBuilder> {
    match declaration.kind.as_str() {
        "belongs_to" | "has_one" | "has_many" | "has_and_belongs_to_many" | "delegated_type" => {
            let declared = association(world, model, declaration)?;
            if declared.is_polymorphic() {
                let any = Target::AnyOf(Classes::Open(known));
                return Ok(builder.association(declared.leading_to(any)?));
            }
            let target = declared.class_name();
            let (target, _) = slots
                .entry(target.clone())
                .or_insert_with(|| ModelBuilder::target(target));
            Ok(builder.association(declared.leading_to(*target)?))
        }
        "validate" => validations::validate(world, builder, declaration),
        kind if kind.starts_with("validates") => {
            validations::validates(world, builder, declaration)
        }
        "enum" => crate::macros::enumeration(builder, declaration),
        "has_secure_password" => crate::macros::secure_password(builder, declaration),
        "attr_readonly" if declaration.options.is_empty() => {
            Ok(builder.attr_readonly(declaration.args.iter().filter_map(Json::as_str)))
        }
        "accepts_nested_attributes_for" => nested::accept(world, builder, declaration),
        "default_scope" => match &declaration.scope {
            Some(code) if declaration.options.is_empty() => {
                Ok(builder.default_scope(scope(world, code)))
            }
            _ => Err(Stop::unsupported(format!(
                "{model}: a default_scope with options"
            ))),
        },
        "query_constraints" => {
            Ok(builder.query_constraints(declaration.args.iter().filter_map(Json::as_str)))
        }
        // Programs of the language: the interpreter runs them.
        "method" | "scope" => Ok(builder),
        "set" => match (
            declaration.name.as_deref(),
            declaration.written.get("value"),
        ) {
            (Some("strict_loading_by_default"), Some(Json::Bool(true))) => {
                Ok(builder.strict_loading())
            }
            (Some("strict_loading_by_default"), Some(Json::Bool(false)))
            | (Some("table_name" | "primary_key" | "inheritance_column"), _) => Ok(builder),
            (Some("query_constraints"), Some(Json::Array(names))) => {
                Ok(builder.query_constraints(names.iter().filter_map(Json::as_str)))
            }
            (name, _) => Err(Stop::unsupported(format!(
                "{model}: the class setting {}",
                name.unwrap_or_default()
            ))),
        },
        other => match callbacks::event(other) {
            Some((event, on)) => {
                Ok(builder.callback(callback(world, model, declaration, event, on)?))
            }
            None => Err(Stop::unsupported(format!("{model}: the macro {other}"))),
        },
    }
}

/// An association as relata reads one from words.
fn association(world: &Arc<World>, model: &str, declaration: &Declaration) -> Ran<Declared> {
    let name = declaration.name.as_deref().unwrap_or_default();
    settings::check_jobs(&world.config, &declaration.options)?;
    let mut declared = Declared::new(model, &declaration.kind, name)?;
    if world.config.get("belongs_to_required_by_default") == Some(&Json::Bool(false)) {
        declared = declared.optional_by_default();
    }
    if world.config.get("has_many_inversing") == Some(&Json::Bool(false)) {
        declared = declared.without_inversing();
    }
    if !crate::inverses::is_looked_for(world, model, declaration) {
        declared = declared.without_automatic_inverse();
    }
    let on = |name: &str| world.config.get(name) == Some(&Json::Bool(true));
    if on("index_nested_attribute_errors")
        && declaration.kind == "has_many"
        && !declaration.options.contains_key("index_errors")
    {
        declared = declared.option("index_errors", Setting::Flag(true))?;
    }
    if on("automatically_invert_plural_associations")
        && let Some(plural) = crate::inverses::plural(world, model, declaration)
    {
        declared = declared.option("inverse_of", Setting::Text(plural))?;
    }
    for (option, value) in &declaration.options {
        // `{active: false, column: :comments_total}`
        if let ("counter_cache", Json::Object(counter)) = (option.as_str(), value) {
            let column = counter.get("column").unwrap_or(&Json::Bool(true));
            declared = declared.option(option, setting(column))?;
            if counter.get("active") == Some(&Json::Bool(false)) {
                declared = declared.with_inactive_counter();
            }
            continue;
        }
        declared = declared.option(option, setting(value))?;
        for callback in members(world, name, option, value)? {
            declared = declared.callback(callback);
        }
        if let ("ensuring_owner_was", Some(call)) = (option.as_str(), nested::called(world, value)?)
        {
            let written = value.as_str().unwrap_or("code");
            declared = declared.ensuring_owner_was(EnsuringOwnerWas::new(
                written.to_owned().leak(),
                Box::leak(Box::new(move |owner: &Record| {
                    call(owner, Vec::new()).is_true()
                })),
            ));
        }
        if let ("default", Some(code)) = (option.as_str(), value.get("$code")) {
            let code = Code::parse(code).map_err(Stop::unsupported)?;
            declared = declared.default(default(world, Arc::new(code)));
        }
    }
    if let Some(code) = &declaration.scope {
        declared = declared.scope(scope(world, code));
    }
    Ok(declared)
}

/// What an option is set to.
#[must_use]
pub fn setting(value: &Json) -> Setting {
    match value {
        Json::Null => Setting::Null,
        Json::Bool(value) => Setting::Flag(*value),
        Json::String(text) => Setting::Text(text.clone()),
        Json::Number(number) => Setting::Text(number.to_string()),
        Json::Array(items) if items.iter().all(Json::is_string) => Setting::Texts(
            items
                .iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
        ),
        Json::Object(map) if map.contains_key("$class") => Setting::Class,
        // `{active: false, column: :likes_count}`: options of a counter.
        Json::Object(map)
            if map
                .keys()
                .all(|key| ["active", "column"].contains(&key.as_str())) =>
        {
            let one = |(name, value): (&String, &Json)| (name.clone(), setting(value));
            Setting::Options(map.iter().map(one).collect())
        }
        // `{title: :desc}`: an order.
        Json::Object(map) if !map.is_empty() && map.values().all(Json::is_string) => {
            let one = |(name, way): (&String, &Json)| Some(format!("{name} {}", way.as_str()?));
            Setting::Texts(map.iter().filter_map(one).collect())
        }
        _ => Setting::Code,
    }
}

/// A scope that runs code of the language on relations.
pub fn scope(world: &Arc<World>, code: &Arc<Code>) -> &'static Scope {
    let (world, code) = (Arc::downgrade(world), Arc::clone(code));
    let scope = if code.params.is_empty() {
        Scope::new(Box::leak(Box::new(move |relation: Relation| {
            scoped(&world, &code, relation, None)
        })))
    } else {
        Scope::of_owner(Box::leak(Box::new(
            move |relation: Relation, owner: &Record| scoped(&world, &code, relation, Some(owner)),
        )))
    };
    Box::leak(Box::new(scope))
}

fn scoped(
    world: &Weak<World>,
    code: &Arc<Code>,
    relation: Relation,
    owner: Option<&Record>,
) -> Relation {
    let Some(world) = world.upgrade() else {
        return relation;
    };
    let this = Value::query(Query::of(relation.clone()));
    let args = owner.cloned().map(Value::Record).into_iter().collect();
    let env = Env::of_method(this);
    let ran = poll_once(world.run_code(&env, code, args));
    match ran {
        Some(Ok(Value::Query(query))) => query.relation.clone(),
        // A scope that gives nil leaves all rows in.
        Some(Ok(Value::Nil)) => relation,
        Some(Ok(_)) => {
            world.complain(Stop::unsupported("a scope that gives no relation"));
            relation
        }
        Some(Err(stop)) => {
            world.complain(stop);
            relation
        }
        None => {
            world.complain(Stop::unsupported("a scope that asks the database"));
            relation
        }
    }
}
