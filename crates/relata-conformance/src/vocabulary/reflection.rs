//! What a reflection says of an association.

use std::sync::Arc;

use relata::Record;
use relata::reflection::{AssociationReflection, Macro, Resolved};

use super::missing;
use crate::eval::{Args, Callable, Env};
use crate::stop::{Ran, Stop};
use crate::value::{Class, Reflection, Value};
use crate::world::World;

pub(super) async fn call(
    world: &Arc<World>,
    one: &Reflection,
    name: &str,
    args: &Args,
) -> Ran<Value> {
    let declaration = one.declaration;
    let belongs_to = declaration.is_belongs_to();
    // What has and belongs to many goes through rows that nobody is shown.
    let between = declaration.macro_kind() == Macro::HasAndBelongsToMany;
    let through = declaration.through().is_some() && !between;
    let resolved = || -> Ran<&'static Resolved> {
        let position = one.model.association(declaration.name())?;
        Ok(one.model.resolve(position)?)
    };
    Ok(match (name, args.all.as_slice()) {
        ("name", []) => Value::name(declaration.name()),
        ("macro", []) => Value::name(declaration.macro_kind().name()),
        ("class_name", []) if declaration.is_polymorphic() => {
            Value::text(&relata_inflect::camelize(declaration.name()))
        }
        ("class_name", []) => Value::text(declaration.target_name()),
        ("klass", []) if declaration.is_polymorphic() => {
            let message = "Polymorphic associations do not support computing the class.";
            return Err(Stop::argument(message));
        }
        ("klass", []) => Value::Class(Class::Model(resolved()?.target.name().into())),
        ("active_record", []) => Value::Class(Class::Model(one.model.name().into())),
        ("table_name", []) => Value::text(resolved()?.target.table()),
        ("plural_name", []) => Value::text(&relata_inflect::pluralize(declaration.name())),
        ("collection?", []) => Value::Bool(declaration.is_collection()),
        ("belongs_to?", []) => Value::Bool(belongs_to),
        ("has_one?", []) => Value::Bool(declaration.is_has_one()),
        // What the option was set to.
        ("polymorphic?", []) if declaration.is_polymorphic() => Value::Bool(true),
        ("foreign_type", []) if declaration.is_polymorphic() => type_name(declaration),
        ("type", []) if declaration.interface().is_some() => type_name(declaration),
        ("polymorphic?" | "type" | "foreign_type", []) => Value::Nil,
        ("through_reflection?", []) => Value::Bool(through),
        ("nested?", []) => {
            let through = resolved()?.through.filter(|_| !between);
            Value::Bool(through.is_some_and(|through| through.is_nested()))
        }
        ("through_reflection", []) => match resolved()?.through {
            Some(through) if !between => of(through.over()),
            _ => Value::Nil,
        },
        ("source_reflection", []) => match resolved()?.through {
            Some(through) if !between => of(through.source()),
            _ => Value::Reflection(*one),
        },
        ("source_reflection_names", []) => {
            let names = declaration.source_names();
            Value::list(names.iter().map(|name| Value::name(name)))
        }
        ("source_reflection_name", []) => match resolved()?.through {
            Some(through) => Value::name(through.source().declaration().name()),
            None => Value::Nil,
        },
        ("foreign_key", []) if between => match resolved()?.through {
            Some(through) => key(&through.over().foreign_key(one.model)),
            None => Value::Nil,
        },
        ("foreign_key", []) => key(&one.model.foreign_key_of(declaration.name())?),
        ("association_foreign_key", []) => match resolved()?.through {
            Some(through) if between => key(&through.source().foreign_key(through.over().target)),
            _ => Value::text(&relata_inflect::foreign_key(resolved()?.target.name())),
        },
        ("join_table", []) => match resolved()?.through {
            Some(through) if between => Value::text(through.over().target.table()),
            // Where there is none, its name by the rule.
            _ => Value::text(&between_of(one.model.table(), resolved()?.target.table())),
        },
        ("active_record_primary_key", []) => {
            let resolved = resolved()?;
            let keys = if belongs_to {
                one.model.primary_key()
            } else {
                &resolved.owner_key
            };
            key(&names(one.model, keys))
        }
        ("association_primary_key", []) => {
            let resolved = resolved()?;
            let keys = if belongs_to {
                &resolved.target_key
            } else {
                resolved.target.primary_key()
            };
            key(&names(resolved.target, keys))
        }
        ("join_primary_key", []) => {
            let resolved = resolved()?;
            key(&names(resolved.target, &resolved.target_key))
        }
        ("join_foreign_key", []) => key(&names(one.model, &resolved()?.owner_key)),
        ("inverse_of", []) => resolved()?
            .inverse_reflection()
            .map_or(Value::Nil, |inverse| {
                Value::Reflection(Reflection {
                    model: resolved().map_or(one.model, |resolved| resolved.target),
                    declaration: inverse,
                })
            }),
        // Its name, as what is true.
        ("has_inverse?", []) => match resolved()?.inverse_reflection() {
            Some(inverse) => Value::name(inverse.name()),
            None if declared_without_inverse(world, one) => Value::Bool(false),
            None => Value::Nil,
        },
        ("scope", []) if declaration.scope().is_none() => Value::Nil,
        ("scope", []) => scopes_of(world, one).pop().unwrap_or(Value::Nil),
        ("deprecated?", []) => Value::Bool(declaration.is_deprecated()),
        ("inverse_which_updates_counter_cache", []) => {
            counts(one)?.map_or(Value::Nil, Value::Reflection)
        }
        ("inverse_updates_counter_cache?", []) => Value::Bool(counts(one)?.is_some()),
        ("inverse_updates_counter_in_memory?", []) => {
            let inverse = resolved()?.inverse_reflection();
            let counts = counts(one)?;
            Value::Bool(counts.is_some_and(|by| {
                inverse.is_some_and(|inverse| std::ptr::eq(inverse, by.declaration))
            }))
        }
        ("scopes", []) => Value::list(all_scopes(world, one, resolved()?)),
        ("has_scope?", []) => Value::Bool(has_scope(resolved()?)),
        ("validate?", []) => Value::Bool(declaration.validates()),
        ("counter_cache_column", []) => match declaration.counter_cache() {
            Some(column) => Value::text(column),
            None if declaration.is_collection() => {
                Value::text(&of_any(world, one)?.counter_column_name())
            }
            None => Value::Nil,
        },
        ("has_cached_counter?" | "has_active_cached_counter?", []) => {
            match (
                of_any(world, one)?.has_counter(),
                declaration.counter_cache(),
            ) {
                (false, _) => Value::Nil,
                (true, Some(column)) if name == "has_cached_counter?" => Value::map([
                    (Value::name("active"), Value::Bool(true)),
                    (Value::name("column"), Value::text(column)),
                ]),
                (true, _) => Value::Bool(true),
            }
        }
        ("options", []) => options(declaration.options()),
        ("build_association", _) => {
            let record = Record::new(resolved()?.target, &world.db);
            super::generated::fill(world, &record, args).await?;
            Value::Record(record)
        }
        ("chain", []) => {
            let chain = resolved()?.chain().into_iter();
            Value::list(
                chain.map(|(model, declaration)| {
                    Value::Reflection(Reflection { model, declaration })
                }),
            )
        }
        _ => return Err(missing(&Value::Reflection(*one), name)),
    })
}

fn of(resolved: &'static Resolved) -> Value {
    Value::Reflection(Reflection {
        model: resolved.owner,
        declaration: resolved.declaration(),
    })
}

/// The scope of a declaration, as a callable.
fn scopes_of(world: &Arc<World>, one: &Reflection) -> Vec<Value> {
    let declaration = one.declaration;
    let kinds = [declaration.macro_kind().name(), "delegated_type"];
    let declared = world.declaration(one.model.name(), declaration.name(), &kinds);
    let scope = declared.and_then(|declared| declared.scope);
    let callable = |code| Value::Callable(Callable::Code(code, Env::of_method(Value::Nil)));
    scope.map(callable).into_iter().collect()
}

/// The scopes of what it goes through last, then its own.
fn all_scopes(world: &Arc<World>, one: &Reflection, resolved: &'static Resolved) -> Vec<Value> {
    let mut chain = vec![*one];
    let mut at = resolved;
    while let Some(through) = &at.through {
        at = through.source();
        chain.push(Reflection {
            model: at.owner,
            declaration: at.declaration(),
        });
    }
    let each = chain.iter().rev();
    each.flat_map(|one| scopes_of(world, one)).collect()
}

/// Whether it, or what it goes through, is narrowed.
fn has_scope(resolved: &'static Resolved) -> bool {
    let declaration = resolved.declaration();
    let way = resolved.through.as_ref();
    declaration.scope().is_some()
        || declaration
            .options()
            .iter()
            .any(|(name, _)| *name == "source_type")
        || way.is_some_and(|way| has_scope(way.source()) || has_scope(way.over()))
}

/// The association on a record, for what depends on both sides.
fn of_any(world: &Arc<World>, one: &Reflection) -> Ran<relata::Association> {
    let record = Record::new(one.model, &world.db);
    Ok(relata::Association::of(&record, one.declaration.name())?)
}

/// The name of one column, or the names of several.
fn key(names: &[&'static str]) -> Value {
    match names {
        [one] => Value::text(one),
        many => Value::list(many.iter().map(|name| Value::text(name))),
    }
}

fn type_name(declaration: &AssociationReflection) -> Value {
    let name = declaration.type_name();
    name.map_or(Value::Nil, |name| Value::text(&name))
}

fn names(model: &'static relata::reflection::ModelReflection, key: &[usize]) -> Vec<&'static str> {
    key.iter()
        .filter_map(|&at| model.columns().get(at))
        .map(|column| column.name())
        .collect()
}

fn options(written: &[(&'static str, &'static str)]) -> Value {
    let value = |text: &'static str| match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "nil" => Value::Nil,
        text => Value::text(text),
    };
    Value::map(
        written
            .iter()
            .map(|&(name, text)| (Value::name(name), value(text))),
    )
}

/// The association of the target that keeps the same counter.
fn counts(one: &Reflection) -> Ran<Option<Reflection>> {
    let Some(column) = counter_of(one.declaration) else {
        return Ok(None);
    };
    let resolved = one
        .model
        .resolve(one.model.association(one.declaration.name())?)?;
    let candidates: Vec<_> = match resolved.inverse_reflection() {
        Some(inverse) => vec![inverse],
        None => {
            let all = resolved
                .target
                .reflect_on_all_associations(Macro::BelongsTo);
            all.map(|one| one.declaration()).collect()
        }
    };
    let found = candidates.into_iter().find(|candidate| {
        counter_of(candidate).as_ref() == Some(&column)
            && candidate.target_name() == one.model.name()
    });
    Ok(found.map(|declaration| Reflection {
        model: resolved.target,
        declaration,
    }))
}

/// The column that Rails takes for an association's counter, whether or not it is there.
fn counter_of(one: &AssociationReflection) -> Option<String> {
    match one.counter_cache() {
        Some(column) => Some(column.to_owned()),
        None if one.is_belongs_to() => None,
        None => Some(format!("{}_count", one.name())),
    }
}

/// Whether `inverse_of: false` says that there is none.
fn declared_without_inverse(world: &World, one: &Reflection) -> bool {
    let macros = [
        "belongs_to",
        "has_one",
        "has_many",
        "has_and_belongs_to_many",
    ];
    let declared = world.declaration(one.model.name(), one.declaration.name(), &macros);
    declared.is_some_and(|declared| {
        declared.options.get("inverse_of") == Some(&serde_json::Value::Bool(false))
    })
}

/// The name of the table between two by Rails' rule: both names in order, a beginning that they share once.
fn between_of(one: &str, other: &str) -> String {
    let (first, second) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    let shared = first.rfind(['_', '.']).map_or("", |end| &first[..=end]);
    let rest = second.strip_prefix(shared).unwrap_or(second);
    format!("{first}_{rest}")
}
