//! The methods of a record.

use std::sync::Arc;

use relata::Record;
use relata::persistence::SaveOptions;
use relata::record::StrictLoading;

use super::{assign, generated, missing};
use crate::eval::Args;
use crate::stop::{Ran, Stop, is_soft};
use crate::value::Value;
use crate::world::World;

/// The methods that every record has.
const METHODS: &[&str] = &[
    "[]",
    "[]=",
    "toggle",
    "previous_changes",
    "changes_to_save",
    "changed_attributes",
    "attributes_in_database",
    "increment",
    "has_attribute?",
    "decrement",
    "attribute_names",
    "_destroy",
    "assign_attributes",
    "association",
    "attributes",
    "attributes=",
    "changed",
    "changed?",
    "changed_for_autosave?",
    "changes",
    "decrement!",
    "delete",
    "destroy",
    "destroy!",
    "destroyed?",
    "destroyed_by_association",
    "clone",
    "dup",
    "errors",
    "has_changes_to_save?",
    "increment!",
    "lock!",
    "toggle!",
    "touch",
    "update_attribute",
    "update_column",
    "update_columns",
    "invalid?",
    "mark_for_destruction",
    "marked_for_destruction?",
    "new_record?",
    "persisted?",
    "previously_new_record?",
    "read_attribute",
    "readonly!",
    "readonly?",
    "reload",
    "restore_attributes",
    "save",
    "save!",
    "saved_changes",
    "saved_changes?",
    "strict_loading!",
    "strict_loading?",
    "strict_loading_n_plus_one_only?",
    "to_key",
    "to_param",
    "transaction",
    "update",
    "update!",
    "with_lock",
    "valid?",
    "validate",
    "validate!",
    "write_attribute",
];

/// Whether every record has a method of that name.
pub(super) fn is_method(name: &str) -> bool {
    METHODS.contains(&name)
}

pub(super) async fn call(
    world: &Arc<World>,
    record: &Record,
    name: &str,
    args: Args,
) -> Ran<Value> {
    if let Some(done) = generated::declared(world, record, name, args.clone()).await {
        return done;
    }
    let this = || Value::Record(record.clone());
    Ok(match (name, args.all.as_slice()) {
        ("save", _) => return soft(record.save_with(options(&args)?).await),
        ("save!", _) => {
            return match record.save_with(options(&args)?).await {
                Ok(()) => Ok(Value::Bool(true)),
                Err(error) if error.kind() == relata::ErrorKind::Rollback => Ok(Value::Nil),
                Err(error) => Err(error.into()),
            };
        }
        ("update", _) => return update(world, record, &args, false).await,
        ("update!", _) => return update(world, record, &args, true).await,
        ("assign_attributes" | "attributes=", _) => {
            assign::assign(world, record, &args.entries()).await?;
            Value::Nil
        }
        ("[]" | "read_attribute", [name]) => Value::of_attribute(&record.get(&name.to_text())?),
        ("[]=" | "write_attribute", [name, value]) => {
            assign::attribute(record, &name.to_text(), value)?;
            value.clone()
        }
        ("destroy", []) => match record.destroy().await {
            Ok(()) => this(),
            Err(error) if error.kind() == relata::ErrorKind::Rollback => Value::Nil,
            Err(error) if is_soft(&error) => Value::Bool(false),
            Err(error) => return Err(error.into()),
        },
        ("destroy!", []) => {
            record.destroy().await?;
            this()
        }
        ("delete", []) => {
            record.delete().await?;
            this()
        }
        ("touch", names) => {
            let names: Vec<String> = names.iter().map(Value::to_text).collect();
            let names = names.iter().map(String::as_str);
            let touched = record.touch_columns(names).await;
            let touched = touched.map_err(|error| match error.kind() {
                relata::ErrorKind::UnknownAttribute => {
                    let message = format!("can't write unknown attribute: {error}");
                    Stop::raised("ActiveModel::MissingAttributeError", message)
                }
                _ => error.into(),
            })?;
            if !touched && !relata::is_touching(record.reflection()) {
                Value::Nil
            } else {
                Value::Bool(touched)
            }
        }
        ("update_attribute", [name, value]) => {
            keeps(record, &name.to_text())?;
            assign::attribute(record, &name.to_text(), value)?;
            return soft(record.save_with(SaveOptions::new().validate(false)).await);
        }
        ("update_columns", _) => {
            update_columns(record, &args.entries()).await?;
            Value::Bool(true)
        }
        ("update_column", [name, value]) => {
            update_columns(record, &[(name.clone(), value.clone())]).await?;
            Value::Bool(true)
        }
        ("increment!" | "decrement!", [column, by @ ..]) => {
            let by = match by.first() {
                Some(Value::Int(by)) => *by,
                _ => 1,
            };
            let by = if name == "increment!" { by } else { -by };
            record.increment(&column.to_text(), by).await?;
            this()
        }
        ("toggle!", [column]) => {
            record.toggle(&column.to_text()).await?;
            Value::Bool(true)
        }
        ("increment" | "decrement", [column, by @ ..]) => {
            let by = match by.first() {
                Some(Value::Int(by)) => *by,
                _ => 1,
            };
            let by = if name == "increment" { by } else { -by };
            let now = match Value::of_attribute(&record.get(&column.to_text())?) {
                Value::Int(now) => now,
                _ => 0,
            };
            assign::attribute(record, &column.to_text(), &Value::Int(now + by))?;
            this()
        }
        ("toggle", [column]) => {
            let now = Value::of_attribute(&record.get(&column.to_text())?);
            assign::attribute(record, &column.to_text(), &Value::Bool(!now.is_true()))?;
            this()
        }
        ("has_attribute?", [name]) => {
            let name = name.to_text();
            Value::Bool(record.reflection().column_position(&name).is_some())
        }
        ("attribute_names", []) => {
            let columns = record.reflection().columns();
            Value::list(columns.iter().map(|column| Value::text(column.name())))
        }
        ("lock!", []) => {
            record.lock().await?;
            this()
        }
        ("with_lock", _) => {
            let Some(block) = &args.block else {
                return Err(Stop::argument("no block given"));
            };
            // The block's own error goes on as it was raised.
            let mut stop = None;
            let ran = record
                .with_lock(async || {
                    world.yield_to(block, Vec::new()).await.map_err(|why| {
                        let error = why.to_error();
                        stop = Some(why);
                        error
                    })
                })
                .await;
            match (ran, stop) {
                (Ok(value), _) => value,
                (Err(_), Some(Stop::Raised(raised))) if raised.class == crate::stop::ROLLBACK => {
                    Value::Nil
                }
                (Err(_), Some(stop)) => return Err(stop),
                (Err(error), None) => return Err(error.into()),
            }
        }
        ("to_s", []) => Value::text(&format!("#<{}>", record.reflection().name())),
        ("changed_for_autosave?", []) => Value::Bool(record.is_changed_for_autosave()),
        ("reload", []) => {
            record.reload().await?;
            this()
        }
        ("valid?" | "validate", []) => Value::Bool(record.is_valid().await?),
        ("valid?" | "validate", [context]) => {
            Value::Bool(record.is_valid_in(&context.to_text()).await?)
        }
        ("validate!", []) => match record.is_valid().await? {
            true => Value::Bool(true),
            false => {
                return Err(Stop::Raised(crate::stop::Raised {
                    class: "ActiveRecord::RecordInvalid".to_owned(),
                    message: format!(
                        "Validation failed: {}",
                        record.errors().full_messages().join(", ")
                    ),
                    record: Some(record.clone()),
                }));
            }
        },
        ("invalid?", []) => Value::Bool(!record.is_valid().await?),
        ("errors", []) => Value::Errors(record.clone()),
        ("new_record?", []) => Value::Bool(record.is_new_record()),
        ("persisted?", []) => Value::Bool(record.is_persisted()),
        ("destroyed?", []) => Value::Bool(record.is_destroyed()),
        ("previously_new_record?", []) => Value::Bool(record.was_new_record()),
        ("readonly?", []) => Value::Bool(record.is_readonly()),
        ("readonly!", []) => {
            record.readonly();
            Value::Bool(true)
        }
        ("changed?" | "has_changes_to_save?", []) => Value::Bool(record.is_changed()),
        ("changed", []) => Value::list(record.changed().into_iter().map(Value::text)),
        ("changes" | "changes_to_save", []) => changes(record.changes()),
        ("changed_attributes" | "attributes_in_database", []) => {
            let all = record.changes().into_iter();
            Value::map(
                all.map(|(name, before, _)| (Value::text(name), Value::of_attribute(&before))),
            )
        }
        ("saved_changes" | "previous_changes", []) => changes(record.saved_changes()),
        ("saved_changes?", []) => Value::Bool(!record.saved_changes().is_empty()),
        ("restore_attributes", []) => {
            let changed = record.changed();
            record.restore_attributes();
            Value::list(changed.into_iter().map(Value::text))
        }
        ("mark_for_destruction", []) => {
            record.mark_for_destruction();
            Value::Bool(true)
        }
        ("marked_for_destruction?" | "_destroy", []) => {
            Value::Bool(record.is_marked_for_destruction())
        }
        ("destroyed_by_association", []) => record
            .destroyed_by_association()
            .map_or(Value::Nil, |declaration| world.reflection(declaration)),
        ("dup", []) => Value::Record(record.dup()),
        ("becomes" | "becomes!", [Value::Class(class)]) => match world.model(class.name()) {
            Some(model) if name == "becomes" => Value::Record(record.becomes_of(model)?),
            Some(model) => Value::Record(record.becomes_with_type_of(model)?),
            None => return Err(Stop::raised("NameError", class.name())),
        },
        ("clone", []) => Value::Twin(Arc::new(record.clone())),
        ("attributes", []) => attributes(record)?,
        ("to_key", []) => Value::list(super::items(world, &generated::key(record)?).await?),
        ("to_param", []) if record.is_new_record() => Value::Nil,
        ("to_param", []) => {
            let key = super::items(world, &generated::key(record)?).await?;
            let parts: Vec<String> = key.iter().map(Value::to_text).collect();
            Value::text(&parts.join("_"))
        }
        ("association", [name]) => {
            Value::Association(relata::Association::of(record, &name.to_text())?)
        }
        ("strict_loading!", _) => strict(record, &args)?,
        ("strict_loading?", []) => Value::Bool(record.is_strict_loading()),
        ("strict_loading_n_plus_one_only?", []) => {
            Value::Bool(record.strict_loading_mode() == Some(StrictLoading::NPlusOneOnly))
        }
        ("transaction", _) => return super::class::transaction(world, &args).await,
        _ => return Err(missing(&this(), name)),
    })
}

/// Refuses to write one attribute by itself where it is one that a record keeps: an error of another class than that of
/// setting it.
fn keeps(record: &Record, name: &str) -> Ran<()> {
    let mut kept = record.reflection().readonly_attributes();
    if record.is_new_record() || !kept.any(|one| one == name) {
        return Ok(());
    }
    let message = format!("{name} is marked as readonly");
    Err(Stop::raised("ActiveRecord::ActiveRecordError", message))
}

/// The soft form of a write: true, or false where the record could not be written as it is; nil where a callback rolled
/// it back, which to Rails is no error.
pub(super) fn soft(written: relata::Result<()>) -> Ran<Value> {
    match written {
        Ok(()) => Ok(Value::Bool(true)),
        Err(error) if error.kind() == relata::ErrorKind::Rollback => Ok(Value::Nil),
        Err(error) if is_soft(&error) => Ok(Value::Bool(false)),
        Err(error) => Err(error.into()),
    }
}

/// `update`: the values and the save are one transaction, which a save that gives false rolls back too.
async fn update(world: &Arc<World>, record: &Record, args: &Args, fails: bool) -> Ran<Value> {
    let mut stop = None;
    let updated = record
        .db()
        .transaction(async || {
            if let Err(why) = assign::assign(world, record, &args.entries()).await {
                let error = why.to_error();
                stop = Some(why);
                return Err(error);
            }
            record.save().await
        })
        .await;
    match (updated, stop) {
        (Err(_), Some(stop)) => Err(stop),
        (Err(error), None) if fails && error.kind() != relata::ErrorKind::Rollback => {
            Err(error.into())
        }
        (updated, _) => soft(updated),
    }
}

/// The options of `save`.
fn options(args: &Args) -> Ran<SaveOptions> {
    let mut options = SaveOptions::new();
    for (name, value) in args.options.iter().flatten() {
        options = match name.as_text() {
            Some("validate") => options.validate(value.is_true()),
            Some("touch") => options.touch(value.is_true()),
            Some("context") if matches!(value, Value::Nil) => options,
            Some("context") => options.context(&value.to_text()),
            _ => return Err(Stop::unsupported(format!("save with {}", name.to_text()))),
        };
    }
    Ok(options)
}

async fn update_columns(record: &Record, entries: &[(Value, Value)]) -> Ran<()> {
    let mut values = Vec::new();
    for (name, value) in entries {
        let value = value
            .to_attribute()
            .ok_or_else(|| Stop::raised("TypeError", "can't cast the value"))?;
        keeps(record, &name.to_text())?;
        values.push((name.to_text(), value));
    }
    let values = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()));
    Ok(record.update_columns(values).await?)
}

fn changes(all: Vec<relata::record::Change<'_>>) -> Value {
    Value::map(all.into_iter().map(|(name, before, after)| {
        let pair = Value::list([Value::of_attribute(&before), Value::of_attribute(&after)]);
        (Value::text(name), pair)
    }))
}

/// The attributes as a map.
fn attributes(record: &Record) -> Ran<Value> {
    let mut entries = Vec::new();
    for column in record.reflection().columns() {
        let value = Value::of_attribute(&record.get(column.name())?);
        entries.push((Value::text(column.name()), value));
    }
    Ok(Value::map(entries))
}

fn strict(record: &Record, args: &Args) -> Ran<Value> {
    if let Some(Value::Bool(false)) = args.all.first() {
        record.strict_loading(None);
        return Ok(Value::Bool(false));
    }
    let mode = match args.option("mode") {
        None => StrictLoading::All,
        Some(mode) => match mode.as_text() {
            Some("all") => StrictLoading::All,
            Some("n_plus_one_only") => StrictLoading::NPlusOneOnly,
            _ => {
                return Err(Stop::argument(format!(
                    "The :mode option must be one of [:all, :n_plus_one_only] but {} was provided.",
                    crate::value::inspect(&mode)
                )));
            }
        },
    };
    record.strict_loading(mode);
    Ok(Value::Bool(true))
}
