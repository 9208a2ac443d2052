//! What a block takes for the scope of a model: inside it, all queries of the model begin with a relation.
//!
//! ```text
//! relation.scoping(body) ──every poll──> SCOPES of this thread ──> Post::all, find, new, create
//! ```
//!
//! The loading room's future puts its scope here while it is polled, and takes it away after that: another task never sees
//! it, nor does one that is spawned inside. Until a program scopes its first block, one flag says that there is nothing to
//! look for.
//!
//! Invariant: a scope is of one database and one model, with its subclasses; associations have scopes of their own.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Core, Relation};
use crate::attribute::Value;
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;
use crate::reflection::ModelReflection;
use crate::sql::{Select, Writer};

thread_local! {
    /// From the outermost to the innermost.
    static SCOPES: RefCell<Vec<Scoped>> = const { RefCell::new(Vec::new()) };
}

/// Whether any block was ever scoped.
static USED: AtomicBool = AtomicBool::new(false);

/// The scope of one block.
#[derive(Clone)]
pub(crate) struct Scoped {
    core: Arc<Core>,
    pub(crate) all_queries: bool,
}

impl Scoped {
    pub(crate) fn of<M>(relation: &Relation<M>) -> Self {
        Self {
            core: Arc::new(relation.core().clone()),
            all_queries: false,
        }
    }

    pub(crate) fn relation(&self) -> Relation {
        Relation::from_core((*self.core).clone())
    }

    /// Runs something inside the block.
    pub(crate) fn around<T>(&self, run: impl FnOnce() -> T) -> T {
        USED.store(true, Ordering::Relaxed);
        SCOPES.with_borrow_mut(|scopes| scopes.push(self.clone()));
        let _left = Left;
        run()
    }
}

/// Takes the innermost scope away, also where what ran inside panics.
struct Left;

impl Drop for Left {
    fn drop(&mut self) {
        let gone = SCOPES.with_borrow_mut(Vec::pop);
        // What it holds may ask for scopes when it is dropped.
        drop(gone);
    }
}

impl Record {
    /// A new record of a model, without values but the defaults of its columns and what the scope of its model says by
    /// equality. Never touches the database. Rails: `Post.new`.
    #[must_use]
    pub fn new(reflection: &'static ModelReflection, db: &Db) -> Self {
        Self::begun(reflection, db).initialized()
    }

    /// The same, before what runs once a record has its first values.
    pub(crate) fn begun(reflection: &'static ModelReflection, db: &Db) -> Self {
        let record = Self::blank(reflection, db).with_defaults();
        if reflection.is_narrowed() || is_used() {
            give_values_to(&record);
        }
        record
    }
}

/// Whether there may be a scope here: a look at one flag.
#[inline]
pub(crate) fn is_used() -> bool {
    USED.load(Ordering::Relaxed)
}

/// The innermost scope of a model, or of the nearest that it inherits from.
fn innermost(model: &'static ModelReflection, db: &Db, all_queries: bool) -> Option<Arc<Core>> {
    let find = |scopes: &Vec<Scoped>| {
        let mut class = Some(model);
        while let Some(one) = class {
            let found = scopes.iter().rev().find(|scoped| {
                scoped.core.select.model() == one
                    && scoped.core.db == *db
                    && (scoped.all_queries || !all_queries)
            });
            if let Some(found) = found {
                return Some(Arc::clone(&found.core));
            }
            class = one.parent();
        }
        None
    };
    SCOPES.with_borrow(find)
}

/// All records of a model, as the block that runs takes them; none where no block says anything of it.
#[cold]
#[inline(never)]
pub(super) fn current(model: &'static ModelReflection, db: &Db) -> Option<Relation> {
    let core = innermost(model, db, false)?;
    if core.select.model() == model {
        return Some(Relation::from_core((*core).clone()));
    }
    // A subclass has the conditions of what it inherits from, beside its own.
    let own = Relation::default_scoped(model, db);
    let narrowed = under_conditions_of(own, &core);
    Some(narrowed.map(|inner| inner.values.extend(core.values.iter().cloned())))
}

/// The rows of a model that single records may be read from here, where a block says so of all queries.
pub(crate) fn all_queries(model: &'static ModelReflection, db: &Db) -> Option<Relation> {
    if !is_used() {
        return None;
    }
    let core = innermost(model, db, true)?;
    Some(under_conditions_of(Relation::unscoped(model, db), &core))
}

/// Whether the block that runs takes all rows of a model, so that its default scope says nothing, of associations too.
/// Rails: `unscoped { ... }`.
pub(crate) fn lifts_default_scope(model: &'static ModelReflection, db: &Db) -> bool {
    is_used()
        && innermost(model, db, false).is_some_and(|core| {
            core.select == *Relation::unscoped(core.select.model(), db).select()
        })
}

/// Rows of a model, or of a class of it, that a block's relation keeps too.
fn under_conditions_of(rows: Relation, block: &Core) -> Relation {
    let root = rows.select().root;
    let conditions = block.select.filters.iter().map(|node| node.moved(root));
    match conditions.collect::<Result<Vec<_>>>() {
        Ok(conditions) => rows.map(|inner| {
            inner.select.asks = inner.select.asks.max(block.select.asks);
            inner.select.filters.extend(conditions);
        }),
        Err(error) => rows.refuse(error),
    }
}

/// Gives a new record what the scope of its model says by equality.
#[cold]
fn give_values_to(record: &Record) {
    let (model, db) = (record.reflection(), record.db());
    let scope = match is_used() {
        true => current(model, db),
        false => None,
    };
    let scope = scope.unwrap_or_else(|| Relation::default_scoped(model, db));
    // The conditions are of the model's own columns: a value that is none of its type makes the query fail.
    let _: Result<()> = scope.give_values_to(record);
}

/// The conditions of a block on all queries, as they follow those of a statement about one row.
pub(crate) fn narrow(
    record: &Record,
    text: &str,
    binds: &mut Vec<Value<'static>>,
) -> Result<Option<String>> {
    let Some(rows) = all_queries(record.reflection(), record.db()) else {
        return Ok(None);
    };
    let select: &Select = rows.select();
    if select.is_joined() {
        let message = format!(
            "a block for all queries of {} has a condition that leads through an association or a join, which no row can be asked \
             when it is written: give it conditions on the model's own columns",
            record.reflection().name()
        );
        return Err(Error::new(ErrorKind::Argument, message).with_record(record.clone()));
    }
    let writer = Writer::resumed(record.db().dialect(), text, std::mem::take(binds));
    let (text, all) = writer.narrowed(select);
    *binds = all;
    Ok(Some(text))
}
