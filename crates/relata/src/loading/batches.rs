//! Walks all rows of a relation a batch at a time, by the key, so that no result is ever held whole.
//!
//! Invariant: each record is given once, in the order of the key, also when rows are written meanwhile; and where joins
//! put it into several rows.

use std::collections::VecDeque;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::check_key;
use super::load;
use crate::attribute::value::Value;
use crate::db::adapter::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FromRecord, Key, Model};
use crate::pending;
use crate::relation::{Core, Relation, fitting};
use crate::sql::expr::{Comparison, Node};
use crate::sql::{Direction, Expr, Order, What};

/// Batches of a relation. `while let Some(posts) = batches.next().await? { ... }`
pub struct Batches<M> {
    core: Core,
    size: u64,
    after: Option<Vec<Value<'static>>>,
    done: bool,
    model: std::marker::PhantomData<fn() -> M>,
}

/// Records of a relation, one by one. `while let Some(post) = each.next().await? { ... }`
pub struct Each<M> {
    batches: Batches<M>,
    ready: VecDeque<M>,
}

impl<M: FromRecord> Relation<M> {
    /// All records, `size` at a time, in the order of the key; the relation's own order is left out.
    /// Rails: `find_in_batches`.
    pub fn in_batches(&self, size: u64) -> Batches<M> {
        Batches {
            core: self.core().clone(),
            size: size.max(1),
            after: None,
            done: false,
            model: std::marker::PhantomData,
        }
    }

    /// All records one by one, read `size` at a time, in the order of the key. Rails: `find_each`.
    pub fn find_each(&self, size: u64) -> Each<M> {
        Each {
            batches: self.in_batches(size),
            ready: VecDeque::new(),
        }
    }

    /// The rows after the one with this key, in the order of the key: pages that do not shift when rows are added. In a
    /// relation that is ordered by the key downwards they are those before it, downwards. The erased form of `after`.
    ///
    /// # Errors
    /// `UnknownPrimaryKey` for a model without key, `Argument` when the key has another number of values, and when the
    /// relation has another order, also by its default scope: a key does not say where a row stands in that. `InvalidValue`
    /// for a value that cannot be one of its column.
    pub fn after_key(self, key: impl IntoIterator<Item = Value<'static>>) -> Result<Self> {
        let key: Vec<_> = key.into_iter().collect();
        check_key(self.reflection(), &key)?;
        let mut core = self.into_core();
        let (root, by) = (core.select.root, core.select.model().primary_key());
        let key = by.iter().zip(key);
        let key = key.map(|(&column, value)| fitting(root, column, value));
        let key = key.collect::<Result<Vec<_>>>()?;
        let direction = own_direction(&core)?;
        core.select.order_by_key(by, direction)?;
        let beyond_is = match direction {
            Direction::Ascending => Comparison::Greater,
            Direction::Descending => Comparison::Less,
        };
        let condition = beyond(&core, &key, beyond_is);
        core.select.filter(condition);
        Ok(Self::from_core(core))
    }
}

impl<M: Model> Relation<M> {
    /// The rows after the one with this key, in the order of the key: pages that do not shift when rows are added.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."id" > ? ORDER BY "posts"."id" ASC`
    ///
    /// # Errors
    /// `UnknownPrimaryKey` for a model without key.
    pub fn after(self, key: impl Into<M::Key>) -> Result<Self> {
        self.after_key(key.into().values())
    }
}

/// A batch begins after the key of the last one's last record, which must be known.
fn check_selected(core: &Core, key: &[usize]) -> Result<()> {
    let What::Columns(selected) = &core.select.what else {
        return Ok(());
    };
    if key.iter().all(|column| selected.contains(column)) {
        return Ok(());
    }
    let name = core.select.model().name();
    let message = format!("Primary key not included in the custom select clause of {name}");
    Err(Error::new(ErrorKind::Argument, message).with_model(name))
}

impl<M: FromRecord> Batches<M> {
    /// The next batch; `None` when there are no more.
    ///
    /// # Errors
    /// What the query gives.
    #[track_caller]
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot be awaited"
    )]
    pub fn next(&mut self) -> Next<'_, Vec<M>> {
        Next::reading(self.read())
    }

    async fn read(&mut self) -> Result<Option<Vec<M>>> {
        if self.done {
            return Ok(None);
        }
        let mut core = self.core.clone();
        let by = core.select.model().primary_key();
        core.select.order_by_key(by, Direction::Ascending)?;
        check_selected(&core, by)?;
        // A batch would end amid the rows of a record, and the next begins after them.
        core.select.distinct |= core.select.is_joined();
        let left = self.core.select.limit.unwrap_or(u64::MAX);
        core.select.limit = Some(self.size.min(left));
        if let Some(after) = &self.after {
            core.select.offset = None;
            let condition = beyond(&core, after, Comparison::Greater);
            core.select.filter(condition);
        }
        let records = load(&core, Purpose::Load).await?;
        let read = records.len() as u64;
        self.after = records
            .last()
            .map(|last| last.key().into_iter().map(Value::into_owned).collect());
        self.core.select.limit = self
            .core
            .select
            .limit
            .map(|limit| limit.saturating_sub(read));
        self.done = read < self.size || self.core.select.limit == Some(0);
        if records.is_empty() {
            return Ok(None);
        }
        records
            .into_iter()
            .map(M::cast)
            .collect::<Result<Vec<_>>>()
            .map(Some)
    }
}

impl<M: FromRecord> Each<M> {
    /// The next record; `None` when there are no more.
    ///
    /// # Errors
    /// What the query gives.
    #[track_caller]
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot be awaited"
    )]
    pub fn next(&mut self) -> Next<'_, M> {
        if !self.ready.is_empty() {
            return Next {
                stage: Stage::AtHand(&mut self.ready),
                at: Location::caller(),
            };
        }
        Next::reading(async move {
            if let Some(batch) = self.batches.read().await? {
                self.ready = batch.into();
            }
            Ok(self.ready.pop_front())
        })
    }
}

/// The next of a walk: await it. Nothing runs before; dropped on the way, it took nothing.
#[must_use = "nothing runs until it is awaited"]
pub struct Next<'a, T> {
    stage: Stage<'a, T>,
    at: &'static Location<'static>,
}

enum Stage<'a, T> {
    /// It was read with those before it.
    AtHand(&'a mut VecDeque<T>),
    Reading(Pin<Box<dyn Future<Output = Result<Option<T>>> + Send + 'a>>),
}

impl<'a, T> Next<'a, T> {
    #[track_caller]
    fn reading(read: impl Future<Output = Result<Option<T>>> + Send + 'a) -> Self {
        Self {
            stage: Stage::Reading(Box::pin(read)),
            at: Location::caller(),
        }
    }
}

impl<T> Future for Next<'_, T> {
    type Output = Result<Option<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let at = self.at;
        match &mut self.stage {
            Stage::AtHand(ready) => Poll::Ready(Ok(ready.pop_front())),
            Stage::Reading(read) => pending::called_from(at, || read.as_mut().poll(context)),
        }
    }
}

impl<T> std::fmt::Debug for Next<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Next({})", self.at)
    }
}

/// The way in which a relation goes over the key: upwards, if nothing else is said.
fn own_direction(core: &Core) -> Result<Direction> {
    let (select, by) = (&core.select, core.select.model().primary_key());
    let Some(first) = select.orders.first() else {
        return Ok(Direction::Ascending);
    };
    let goes_by = |(order, &column): (&Order, &usize)| {
        order.direction == first.direction && order.by == Node::Column(select.root, column)
    };
    if select.orders.len() == by.len() && select.orders.iter().zip(by).all(goes_by) {
        return Ok(first.direction);
    }
    let model = core.select.model().name();
    let message = format!(
        "after(..) says by the key of {model} where a page begins, and the relation has another order: leave the order \
         out (`reorder` by the key), or filter by the columns of the order and use limit"
    );
    Err(Error::new(ErrorKind::Argument, message).with_model(model))
}

/// The key is greater than this one, or less, column by column.
fn beyond(core: &Core, key: &[Value<'static>], than: Comparison) -> Expr {
    let root = core.select.root;
    let columns = core.select.model().primary_key();
    let column = |at: usize| Node::Column(root, columns[at]);
    let any = (0..columns.len().min(key.len())).map(|last| {
        let same = (0..last).map(|at| column(at).compare(Comparison::Equal, key[at].clone()));
        Node::all(same.chain([column(last).compare(than, key[last].clone())]))
    });
    let mut any: Vec<Node> = any.collect();
    Expr(if any.len() == 1 {
        any.swap_remove(0)
    } else {
        Node::Or(any)
    })
}

impl<M> std::fmt::Debug for Batches<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches")
            .field("size", &self.size)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

impl<M> std::fmt::Debug for Each<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Each")
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
