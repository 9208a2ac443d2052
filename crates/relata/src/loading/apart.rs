//! Asks for the lists that a relation's conditions are about, each by a statement of its own, before the relation is read.
//! Rails: `disable_joins`.
//!
//! Invariant: a list is asked for once, however often it is named; its keys stand in the order they were found in.

use std::collections::HashSet;

use super::pluck::tuples;
use crate::association::Key;
use crate::attribute::AttributeType;
use crate::db::adapter::Purpose;
use crate::error::Result;
use crate::relation::{Core, Relation};
use crate::sql::Apart;

/// The relation with the keys that the lists came to; nothing where it has no rows.
pub(crate) async fn settled(core: &Core) -> Result<Option<Core>> {
    if core.select.gives_nothing() {
        return Ok(None);
    }
    let mut known = Vec::new();
    for apart in core.select.apart() {
        let keys = Box::pin(keys(core, &apart)).await?;
        known.push((apart, keys));
    }
    let mut core = core.clone();
    let keys_of = |apart: &Apart| {
        let found = known.iter().find(|(one, _)| one == apart);
        found.map(|(_, keys)| keys.clone()).unwrap_or_default()
    };
    core.select.settle(
        |apart| apart.among(keys_of(apart)),
        |apart| apart.rank(keys_of(apart)),
    );
    Ok(Some(core))
}

/// The same, as a relation; one without rows where it has none.
pub(crate) async fn settled_rows(rows: Relation) -> Result<Relation> {
    if rows.core().select.asks_rows() {
        return Ok(rows);
    }
    Ok(match settled(rows.core()).await? {
        Some(core) => Relation::from_core(core),
        None => rows.none(),
    })
}

/// The keys that a list comes to, each once.
async fn keys(
    core: &Core,
    apart: &Apart,
) -> Result<Vec<Vec<crate::attribute::value::Value<'static>>>> {
    let columns = apart.place.model().columns();
    let types = apart.key.iter().map(|&column| {
        columns.get(column).map(|column| AttributeType {
            nullable: true,
            ..*column.attribute_type()
        })
    });
    let asked = Core {
        select: apart.from.clone(),
        ..core.clone()
    };
    let mut keys = tuples(&asked, Purpose::Load, types.collect()).await?;
    let mut met = HashSet::new();
    // A null leads nowhere.
    keys.retain(|key| Key::of_values(key).is_some_and(|key| met.insert(key)));
    Ok(keys)
}
