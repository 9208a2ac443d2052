//! New records that a relation would keep, and those that are looked for first.
//!
//! Invariant: a relation that was chained from a collection makes what that would make: of an owner that is not saved
//! nothing is created, and what could not be saved stays a member.

use std::sync::Arc;

use super::{collection, conditions, generated};
use crate::eval::Args;
use crate::query::Query;
use crate::stop::{Ran, is_soft};
use crate::value::Value;
use crate::world::World;

/// `build`, `create`, `find_or_create_by`, `first_or_create` and their like.
pub(super) async fn make(
    world: &Arc<World>,
    query: &Arc<Query>,
    name: &str,
    args: &Args,
) -> Ran<Value> {
    let mut query = Query::clone(query);
    if name.starts_with("find_or") {
        query = conditions::filter(&query, args)?;
        if let Some(found) = query.relation.take().await? {
            return Ok(Value::Record(found));
        }
    } else if name.starts_with("first_or") {
        let first = match (&query.members_of, query.loaded()) {
            (_, Some(loaded)) => loaded.into_iter().next(),
            // The collection itself, of which memory may know more.
            (Some(association), None) if query.is_whole => association.first().await?,
            _ => query.relation.first().await?,
        };
        if let Some(found) = first {
            return Ok(Value::Record(found));
        }
    }
    if matches!(
        name,
        "new" | "build" | "find_or_initialize_by" | "first_or_initialize"
    ) {
        let mut filled = Ok(());
        let record = query.relation.build_member(|record| {
            filled = generated::now(generated::fill(world, record, args));
        })?;
        return filled.map(|()| Value::Record(record));
    }
    let record = query.relation.build_record()?;
    generated::fill(world, &record, args).await?;
    match query.relation.create_record(&record).await {
        Err(error) if name.ends_with('!') || !is_soft(&error) => Err(error.into()),
        Err(error) if !collection::is_about(&error, &record) => Err(error.into()),
        Err(_) => {
            if let Some(association) = &query.members_of {
                association.add_to_target(&record)?;
            }
            Ok(Value::Record(record))
        }
        Ok(()) => Ok(Value::Record(record)),
    }
}

/// `create_or_find_by`: nothing is looked for first.
pub(super) async fn create_or_find(
    world: &Arc<World>,
    query: &Arc<Query>,
    name: &str,
    args: &Args,
) -> Ran<Value> {
    let created = make(
        world,
        query,
        if name.ends_with('!') {
            "create!"
        } else {
            "create"
        },
        args,
    );
    match created.await {
        Err(crate::stop::Stop::Raised(raised))
            if raised.class == "ActiveRecord::RecordNotUnique" =>
        {
            let found = conditions::filter(query, args)?;
            Ok(Value::Record(found.relation.take_or_fail().await?))
        }
        done => done,
    }
}
