//! Relations: lazy, cloneable descriptions of what to read.
//!
//! `Relation<Post>` is a typed shell; `Relation<Record>`, or just `Relation`, is the same without types, with names
//! as strings. Both hold one erased core.
//!
//! Invariant: a relation runs nothing; the loading room runs it when it is awaited. It records its includes and
//! never executes them.

mod assign;
mod build;
mod columns;
mod includes;
mod named;
mod operand;

use std::marker::PhantomData;

pub use assign::{Assignment, Assignments};
pub use build::{Orders, Part, Selection};
pub(crate) use columns::columns_at;
pub use columns::{Column, Computed, Path, Textual};
pub(crate) use includes::Include;
pub use includes::Paths;
pub use operand::{List, Operand};

use crate::attribute::value::Value;
use crate::db::Db;
use crate::error::Result;
use crate::model::FromRecord;
use crate::record::{Record, Terms};
use crate::reflection::ModelReflection;
use crate::sql::expr::Node;
use crate::sql::{Place, Select, Writer};

/// A lazy, cloneable description of what to read. It runs nothing until it is awaited.
///
/// Made by `Post::all(&db)` and by collections; every method gives a new one, narrower or differently ordered.
/// Without a type parameter it is the erased layer: names are strings and records are [`Record`]s.
#[must_use = "a relation reads nothing until it is awaited"]
pub struct Relation<M = Record> {
    core: Core,
    model: PhantomData<fn() -> M>,
}

/// The erased description.
#[derive(Clone)]
pub(crate) struct Core {
    pub(crate) select: Select,
    pub(crate) db: Db,
    pub(crate) includes: Vec<Include>,
    pub(crate) terms: Terms,
    /// The owner and association that the relation was chained from: records built or loaded through it know
    /// their owner.
    pub(crate) origin: Option<(Record, usize)>,
    /// What records made through the relation hold, beside what its conditions say.
    pub(crate) values: Vec<(usize, Value<'static>)>,
}

impl<M> Clone for Relation<M> {
    fn clone(&self) -> Self {
        Self::from_core(self.core.clone())
    }
}

impl<M> Relation<M> {
    pub(crate) fn from_core(core: Core) -> Self {
        Self {
            core,
            model: PhantomData,
        }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn into_core(self) -> Core {
        self.core
    }

    pub(crate) fn select(&self) -> &Select {
        &self.core.select
    }

    /// The same relation after a change to its description.
    pub(crate) fn map(mut self, change: impl FnOnce(&mut Core)) -> Self {
        change(&mut self.core);
        self
    }

    /// The database it reads from.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.core.db
    }

    /// The model it reads.
    #[must_use]
    pub fn reflection(&self) -> &'static ModelReflection {
        self.core.select.model()
    }

    /// The same relation, without its type.
    pub fn erased(self) -> Relation {
        Relation::from_core(self.core)
    }

    /// The SQL that awaiting it would run, with the values in the text. For people: what runs has them bound.
    /// Never touches the database. Rails: `to_sql`.
    #[must_use]
    pub fn to_sql(&self) -> String {
        self.text(Writer::inline(self.core.db.dialect()))
    }

    fn text(&self, mut writer: Writer) -> String {
        match writer.select(&self.core.select) {
            Ok(()) => writer.finish().0,
            Err(error) => format!("/* {error} */"),
        }
    }
}

impl Relation {
    /// All records of a model, without types.
    pub fn of(model: &'static ModelReflection, db: &Db) -> Self {
        let strict = model
            .is_strict_loading_by_default()
            .then_some(crate::record::StrictLoading::All);
        Self::from_core(Core {
            select: Select::of(model),
            db: db.clone(),
            includes: Vec::new(),
            terms: Terms {
                strict,
                ..Terms::default()
            },
            origin: None,
            values: Vec::new(),
        })
    }

    /// The same relation with the type of its model.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` when `M` is another model.
    pub fn typed<M: FromRecord>(self) -> Result<Relation<M>> {
        M::accepts(self.reflection())?;
        Ok(Relation::from_core(self.core))
    }
}

impl<M> std::fmt::Debug for Relation<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Relation({})",
            self.text(Writer::new(self.core.db.dialect()))
        )
    }
}

/// A scope: what an association or a model adds to every query for it.
///
/// ```
/// use relata::relation::Scope;
///
/// static NEWEST_FIRST: Scope = Scope::new(&|all| all.limit(10));
/// ```
pub struct Scope(&'static (dyn Fn(Relation) -> Relation + Send + Sync));

impl Scope {
    /// A scope from a function on the erased relation.
    #[must_use]
    pub const fn new(function: &'static (dyn Fn(Relation) -> Relation + Send + Sync)) -> Self {
        Self(function)
    }

    pub(crate) fn apply(&self, relation: Relation) -> Relation {
        (self.0)(relation)
    }

    /// The scope's conditions on the model at a place of a query: what a join needs of it.
    pub(crate) fn conditions(&self, place: Place) -> Result<Option<Node>> {
        let relation = self.apply(Relation::of(place.model(), &Db::detached()));
        let conditions = relation
            .select()
            .filters
            .iter()
            .map(|node| node.moved(place));
        Ok(match Node::all(conditions.collect::<Result<Vec<_>>>()?) {
            Node::Always(true) => None,
            condition => Some(condition),
        })
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scope")
    }
}
