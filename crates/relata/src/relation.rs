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
mod default_order;
mod expression;
mod includes;
mod leads;
mod named;
mod narrow;
mod operand;
mod presence;
mod quantified;
mod recursive;
mod scopes;
pub(crate) mod scoping;
mod tuples;

use std::any::TypeId;
use std::marker::PhantomData;

pub(crate) use assign::addable;
pub use assign::{Assignment, Assignments};
pub use build::{Orders, Part, Selection};
pub(crate) use columns::columns_at;
pub use columns::{Column, Computed, Path, Textual};
pub use includes::Paths;
pub(crate) use includes::{
    Include, Step, add_named as include_named, add_places as include_places, graft,
};
pub use leads::AnyPath;
#[doc(hidden)]
pub use leads::ComparedByEq;
pub(crate) use named::cast as fitting;
pub(crate) use narrow::{Narrow, narrowed, narrowed_named};
pub use operand::{List, Operand};
pub(crate) use scoping::Scoped;

use crate::attribute::value::Value;
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::model::FromRecord;
use crate::record::{Record, Terms};
use crate::reflection::ModelReflection;
use crate::sql::expr::Node;
use crate::sql::{JoinKind, Place, Select, What, Writer};

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
    /// What is loaded with the records: by a query for each, or joined where a condition names it.
    pub(crate) includes: Vec<Include>,
    /// What is loaded by a query for each, whatever the conditions name.
    pub(crate) preloads: Vec<Include>,
    /// What is loaded by the query itself, joined.
    pub(crate) eager: Vec<Include>,
    /// Places that SQL of the user names, so that includes of them are joined.
    pub(crate) references: Vec<Place>,
    /// SQL of the user names tables of includes that no path was given for: all of them are joined.
    pub(crate) references_all: bool,
    pub(crate) terms: Terms,
    /// The owner and association that the relation was chained from: records built or loaded through it know
    /// their owner.
    pub(crate) origin: Option<(Record, usize)>,
    /// What records made through the relation hold, beside what its conditions say.
    pub(crate) values: Vec<(usize, Value<'static>)>,
}

impl Core {
    /// What the query itself loads, joined: what was asked for so, and the includes, if a join, a condition or an
    /// order names one of them. Rails: `eager_loading?`.
    pub(crate) fn joined_includes(&self) -> Result<Vec<Include>> {
        let mut tree = self.eager.clone();
        if self.joins_includes()? {
            includes::graft(&mut tree, &self.includes);
        }
        Ok(tree)
    }

    fn joins_includes(&self) -> Result<bool> {
        if self.includes.is_empty() {
            return Ok(false);
        }
        if !self.eager.is_empty() || self.references_all {
            return Ok(true);
        }
        let joined = self.select.all_joins();
        let is_named = |place: &Place| {
            self.references.contains(place) || joined.iter().any(|join| join.place == *place)
        };
        let root = self.select.root;
        let joinable = includes::joinable(&self.includes, root.model());
        Ok(includes::places(&joinable, root)?.iter().any(is_named))
    }

    /// Adds what another relation asks of the rows at a place, and of the records: of whichever model it is.
    fn merge_at(&mut self, other: &Self, place: Place) -> Result<()> {
        if self.db != other.db {
            let message = "merge wants a relation of the same database";
            let error = Error::new(ErrorKind::IncompatibleRelation, message);
            return Err(error.with_model(self.select.model().name()));
        }
        self.select.merge(&other.select, place)?;
        self.terms.readonly |= other.terms.readonly;
        self.terms.strict = other.terms.strict.or(self.terms.strict);
        self.terms.batching &= other.terms.batching;
        Ok(())
    }

    /// The select with a join for everything that the query itself loads, and the places of these.
    pub(crate) fn with_joined_includes(&self) -> Result<(Select, Vec<Place>)> {
        let mut select = self.select.clone();
        let places = includes::places(&self.joined_includes()?, select.root)?;
        for &place in &places {
            select.join(place, JoinKind::Left);
        }
        Ok((select, places))
    }
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

    /// The SQL that awaiting it would run, with the values in the text. For people: what runs has them bound, and lists
    /// may go as one value; of [`none`](Self::none), whose condition is `1=0`, nothing runs. A limited relation that
    /// joins a collection it loads asks for the keys of the limited rows first, which this text does not say.
    /// Never touches the database. Rails: `to_sql`.
    #[must_use]
    pub fn to_sql(&self) -> String {
        self.text(Writer::inline(self.core.db.dialect()))
    }

    /// The SQL that awaiting it would run, with a placeholder for each value.
    pub(crate) fn bound_sql(&self) -> String {
        self.text(Writer::new(self.core.db.dialect()))
    }

    fn text(&self, mut writer: Writer) -> String {
        let written = self
            .core
            .with_joined_includes()
            .and_then(|(mut select, places)| {
                // A list that is not there yet orders nothing.
                select
                    .orders
                    .retain(|order| !matches!(order.by, Node::Apart(_)));
                writer.select(&match places.is_empty() {
                    true => select,
                    false => select.of_places(places),
                })
            });
        match written {
            Ok(()) => writer.finish().0,
            Err(error) => format!("/* {error} */"),
        }
    }
}

impl Relation {
    /// All records of a model, without types: those that its default scope keeps, or the block that runs
    /// ([`scoping`](Self::scoping)).
    pub fn of(model: &'static ModelReflection, db: &Db) -> Self {
        if scoping::is_used()
            && let Some(scoped) = scoping::current(model, db)
        {
            return scoped;
        }
        Self::default_scoped(model, db)
    }

    /// All records of a model that its default scope keeps, whatever block runs.
    pub(crate) fn default_scoped(model: &'static ModelReflection, db: &Db) -> Self {
        let all = Self::unscoped(model, db);
        match model.default_scopes().as_slice() {
            [] => all,
            scopes => scopes.iter().fold(all, |all, scope| scope.apply(all, None)),
        }
    }

    /// All records of a model, whatever its default scope is. Rails: `unscoped`.
    pub fn unscoped(model: &'static ModelReflection, db: &Db) -> Self {
        let all = Self::untyped(model, db);
        match all.select().root.type_condition() {
            Some(condition) => all.map(|core| core.select.filters.push(condition)),
            None => all,
        }
    }

    /// All rows of a model's table, of whatever class they are.
    fn untyped(model: &'static ModelReflection, db: &Db) -> Self {
        let strict = model
            .is_strict_loading_by_default()
            .then_some(crate::record::StrictLoading::All);
        Self::from_core(Core {
            select: Select::of(model),
            db: db.clone(),
            includes: Vec::new(),
            preloads: Vec::new(),
            eager: Vec::new(),
            references: Vec::new(),
            references_all: false,
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
    /// `AssociationTypeMismatch` when `M` is another model; `MissingAttribute` when [`select_named`](Self::select_named) left
    /// some of the columns out, for a typed reader could not say so.
    pub fn typed<M: FromRecord>(self) -> Result<Relation<M>> {
        M::accepts(self.reflection())?;
        if let What::Columns(read) = &self.core.select.what
            && TypeId::of::<M>() != TypeId::of::<Record>()
        {
            let model = self.reflection();
            let mut columns = model.columns().iter().enumerate();
            if let Some((_, left)) = columns.find(|(at, _)| !read.contains(at)) {
                let (model, name) = (model.name(), left.name());
                let message = format!(
                    "missing attribute '{name}' for {model}: it was not selected, and a typed record has all of its \
                     attributes. Keep the records without their type, or use `pluck` or `project`"
                );
                return Err(Error::new(ErrorKind::MissingAttribute, message)
                    .with_model(model)
                    .with_attribute(name));
            }
        }
        Ok(Relation::from_core(self.core))
    }
}

impl<M> std::fmt::Debug for Relation<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relation({})", self.bound_sql())
    }
}

/// A scope: what an association or a model adds to every query for it.
///
/// ```
/// use relata::relation::Scope;
///
/// static NEWEST_FIRST: Scope = Scope::new(&|all| all.limit(10));
/// ```
pub struct Scope(Body);

type Plain = dyn Fn(Relation) -> Relation + Send + Sync;
type OfOwner = dyn Fn(Relation, &Record) -> Relation + Send + Sync;

enum Body {
    Plain(&'static Plain),
    OfOwner(&'static OfOwner),
}

impl Scope {
    /// A scope from a function on the erased relation.
    #[must_use]
    pub const fn new(function: &'static (dyn Fn(Relation) -> Relation + Send + Sync)) -> Self {
        Self(Body::Plain(function))
    }

    /// A scope that differs by the owner. It is preloaded with one query for each scope that results, and cannot be
    /// joined, for a join has no owner; so a through over an association that has one is preloaded, and its lazy load,
    /// which joins, is an `Argument` error. Rails: `-> (owner) { ... }`.
    #[must_use]
    pub const fn of_owner(
        function: &'static (dyn Fn(Relation, &Record) -> Relation + Send + Sync),
    ) -> Self {
        Self(Body::OfOwner(function))
    }

    /// Whether it differs by the owner.
    #[must_use]
    pub fn is_of_owner(&self) -> bool {
        matches!(self.0, Body::OfOwner(_))
    }

    pub(crate) fn apply(&self, relation: Relation, owner: Option<&Record>) -> Relation {
        match (&self.0, owner) {
            (Body::Plain(scope), _) => scope(relation),
            (Body::OfOwner(scope), Some(owner)) => scope(relation, owner),
            (Body::OfOwner(_), None) => relation,
        }
    }

    /// The conditions of the default scopes of a place's model, of which this is one; `met` as for
    /// [`conditions`](Self::conditions).
    pub(crate) fn default_conditions(
        &self,
        place: Place,
        met: &dyn Fn(Place) -> Place,
    ) -> Result<Node> {
        all_of(default_scoped(place), place, met)
    }

    /// The conditions of an association's scope, and of its target's default scope, at a place of a query. `met` gives the
    /// place where the query has the rows of one already.
    pub(crate) fn conditions(&self, place: Place, met: &dyn Fn(Place) -> Place) -> Result<Node> {
        if self.is_of_owner() {
            let name = place
                .association()
                .map_or("?", |association| association.name());
            let message = format!(
                "The association scope '{name}' is instance dependent (the scope block takes an argument). Eager \
                 loading instance dependent scopes is not supported."
            );
            let error = Error::new(ErrorKind::Argument, message).with_attribute(name);
            return Err(match place.above() {
                Some(above) => error.with_model(above.model().name()),
                None => error,
            });
        }
        all_of(self.apply(default_scoped(place), None), place, met)
    }
}

/// The rows at a place that default scopes keep; of which class they are is a condition of its own.
fn default_scoped(place: Place) -> Relation {
    let all = Relation::untyped(place.model(), &Db::detached());
    let scopes = place.model().default_scopes().into_iter();
    scopes.fold(all, |all, scope| scope.apply(all, None))
}

/// All conditions of a relation, on the model at a place. One that joins is a query within the query: what it joins stands
/// apart from what the query itself joins at that place, and an outer join keeps the rows that it leaves out.
fn all_of(relation: Relation, place: Place, met: &dyn Fn(Place) -> Place) -> Result<Node> {
    let at = |of_scope: Place| of_scope.moved(place).map(met);
    let joins = relation.select().all_joins();
    let joined = joins.iter().map(|join| at(join.place));
    if joined
        .collect::<Result<Vec<_>>>()?
        .iter()
        .any(|joined| joined.is_within(place))
        || !relation.select().joined_sql.is_empty()
    {
        let mut select = relation.into_core().select;
        let key = place.model().primary_key();
        if key.is_empty() {
            return Err(place.model().unknown_key());
        }
        // Of a scope that is joined, what narrows is kept, and not what orders and cuts.
        select.orders.clear();
        (select.limit, select.offset, select.distinct) = (None, None, false);
        select.what = What::Columns(key.to_vec());
        let columns = key.iter().map(|&column| Node::Column(place, column));
        return Ok(Node::InSelect(columns.collect(), Box::new(select)));
    }
    let filters = relation.select().filters.iter();
    let conditions = filters.map(|node| node.with_places(&at));
    Ok(Node::all(conditions.collect::<Result<Vec<_>>>()?))
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scope")
    }
}
