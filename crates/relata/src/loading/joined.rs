//! Loads a relation together with associations of its records in one query, with joins.
//!
//! A row of the result is one path through the tree of associations, so a record that several rows hold is made once:
//! by place and key. A limit counts records, not rows: over a collection the keys of the limited records are asked for
//! first.
//!
//! Invariant: the records of one place are one batch, in the order in which they were met; every record knows the
//! targets that its rows have, and no others.

use std::collections::{HashMap, HashSet};

use super::decode::Rows;
use super::includes::{Manner, includes};
use super::owners::Sorted;
use super::pluck::tuples;
use super::preload::{self, Found};
use crate::association::Key;
use crate::attribute::value::Value;
use crate::db::adapter::{Cell, Cells, Columns, Decode, Names, Purpose};
use crate::error::Result;
use crate::hashing::Hashing;
use crate::record::{Record, Tie};
use crate::reflection::ModelReflection;
use crate::relation::Core;
use crate::sql::expr::Node;
use crate::sql::{Expr, Place, Select, What};

/// The records of a relation, whose select joins these places, with the targets found at them.
pub(super) async fn load(
    core: &Core,
    mut select: Select,
    places: Vec<Place>,
    purpose: Purpose,
) -> Result<Vec<Record>> {
    if select.is_cut() && multiply(&places)? {
        match keys_of_limited(core, &select).await? {
            Some(condition) => select.filter(condition),
            None => return Ok(Vec::new()),
        }
        (select.limit, select.offset) = (None, None);
    }
    let select = select.of_places(places);
    let What::Places(places) = select.what.clone() else {
        return Ok(Vec::new());
    };
    let mut asked = core.clone();
    asked.select = select;
    let rows = tuples(&asked, purpose, Vec::new()).await?;
    let mut batches = Batches::new(&places);
    for row in &rows {
        batches.take(row)?;
    }
    let records = batches.link(core, &places)?;
    if let Some((owner, association)) = &core.origin {
        let resolved = owner.reflection().resolve(*association)?;
        preload::lead_to(owner, resolved, &records, Tie::Depend);
    }
    let manner = Manner::strict(core.terms.strict);
    Box::pin(includes(&records, &core.preloads, manner)).await?;
    Ok(records)
}

/// Whether one record of the root may be in several rows.
fn multiply(places: &[Place]) -> Result<bool> {
    for place in places {
        if let Some((_, resolved)) = place.resolved()?
            && resolved.multiplies()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The condition that a row is of one of the limited records; none when there are none.
async fn keys_of_limited(core: &Core, select: &Select) -> Result<Option<Expr>> {
    let mut keys = core.clone();
    keys.select = select.clone();
    let root = select.root;
    let key = root.model().primary_key();
    let columns = key.iter().map(|&column| Node::Column(root, column));
    keys.select.what = What::Values(columns.collect());
    keys.select.distinct = true;
    let found = tuples(&keys, Purpose::Pluck, Vec::new()).await?;
    if found.is_empty() {
        return Ok(None);
    }
    Ok(Some(Expr(Node::key_among(root, key, found))))
}

/// The records at each place, while the rows are read.
struct Batches {
    of: Vec<AtPlace>,
    /// By row of the result: the record at each place.
    rows: Vec<Vec<Option<u32>>>,
}

pub(super) struct AtPlace {
    rows: Rows,
    /// Where its columns begin in a row of the result.
    start: usize,
    width: usize,
    key: &'static [usize],
    known: HashMap<Key, u32, Hashing>,
    size: u32,
}

impl Batches {
    fn new(places: &[Place]) -> Self {
        let mut start = 0;
        let mut of = Vec::with_capacity(places.len());
        for place in places {
            let at = AtPlace::new(place.model(), start);
            start += at.width;
            of.push(at);
        }
        Self {
            of,
            rows: Vec::new(),
        }
    }

    fn take(&mut self, row: &[Value<'static>]) -> Result<()> {
        let mut met = Vec::with_capacity(self.of.len());
        for place in &mut self.of {
            met.push(place.take(row)?);
        }
        self.rows.push(met);
        Ok(())
    }

    /// The records of the root, with the targets at the other places linked to those above them.
    fn link(self, core: &Core, places: &[Place]) -> Result<Vec<Record>> {
        let Self { of, rows } = self;
        let mut records = Vec::with_capacity(of.len());
        // That a relation is readonly says nothing of what is loaded with it, as in Rails.
        let below = core.terms.readonly.then(|| {
            let mut below = core.clone();
            below.terms.readonly = false;
            below
        });
        for (at, place) in of.into_iter().enumerate() {
            let core = below.as_ref().filter(|_| at > 0).unwrap_or(core);
            records.push(place.finish(core)?);
        }
        for (at, place) in places.iter().enumerate() {
            let Some((above, resolved)) = place.resolved()? else {
                continue;
            };
            let (Some(above), Some(position)) = (
                places.iter().position(|known| *known == above),
                place.step(),
            ) else {
                continue;
            };
            let mut linked: HashSet<(u32, u32), Hashing> = HashSet::default();
            let pairs = rows.iter().filter_map(|met| met[above].zip(met[at]));
            let pairs: Vec<(u32, u32)> = pairs.filter(|&pair| linked.insert(pair)).collect();
            let found = Found {
                targets: records[at].clone(),
                rows: Sorted::of_pairs(records[above].len(), &pairs),
                before: HashMap::new(),
            };
            preload::link(&records[above], position, resolved, &found, None);
        }
        Ok(if records.is_empty() {
            records.concat()
        } else {
            records.swap_remove(0)
        })
    }
}

impl AtPlace {
    /// Records of a model whose columns begin there in a row of the result.
    pub(super) fn new(model: &'static ModelReflection, start: usize) -> Self {
        let mut rows = Rows::new(model, false);
        let names: Names = model
            .columns()
            .iter()
            .map(|column| Box::from(column.column_name()))
            .collect::<Columns>()
            .into();
        // Every column is asked for by its own name.
        let _ = rows.columns(&names);
        Self {
            rows,
            start,
            width: names.len(),
            key: model.primary_key(),
            known: HashMap::default(),
            size: 0,
        }
    }

    /// The records that were met, in that order.
    pub(super) fn finish(mut self, core: &Core) -> Result<Vec<Record>> {
        let read = Record::adopt(self.rows.finish(&core.db, core.terms)?);
        if let Some(first) = read.first() {
            super::run::found(first.reflection(), &read)?;
        }
        Ok(read)
    }

    /// The record that a row of the result has at this place: one that was met before, or a new one.
    pub(super) fn take(&mut self, row: &[Value<'static>]) -> Result<Option<u32>> {
        let own = &row[self.start..self.start + self.width];
        let key: Vec<&Value<'static>> = self.key.iter().map(|&column| &own[column]).collect();
        if key.is_empty() {
            if own.iter().all(Value::is_null) {
                return Ok(None);
            }
        } else {
            let Some(key) = Key::of_values(key) else {
                return Ok(None);
            };
            if let Some(&met) = self.known.get(&key) {
                return Ok(Some(met));
            }
            self.known.insert(key, self.size);
        }
        self.rows.row(&Values(own))?;
        self.size += 1;
        Ok(Some(self.size - 1))
    }
}

/// Values that were read, as the cells of a row.
struct Values<'a>(&'a [Value<'static>]);

impl Cells for Values<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        match self.0.get(index) {
            None | Some(Value::Null) => Cell::Null,
            Some(Value::Bool(value)) => Cell::Bool(*value),
            Some(Value::Int(value)) => Cell::Int(*value),
            Some(Value::Uint(value)) => Cell::Uint(*value),
            Some(Value::Float(value)) => Cell::Float(*value),
            Some(Value::Text(text) | Value::Decimal(text) | Value::Json(text)) => {
                Cell::Text(text.as_bytes())
            }
            Some(Value::Bytes(bytes)) => Cell::Bytes(bytes),
            Some(Value::Timestamp(micros) | Value::DateTime(micros) | Value::Time(micros)) => {
                Cell::Micros(*micros)
            }
            Some(Value::Date(days)) => Cell::Days(*days),
            Some(Value::Uuid(uuid)) => Cell::Uuid(*uuid),
        }
    }
}
