//! The trait that `#[model]` implements, and what a key can be.
//!
//! Invariant: everything generic over models needs no more than this; what it cannot check at compile time
//! ([`Model::from_record`]) it checks at run time, so a wrong hand-written implementation gives errors.

use std::borrow::Borrow;
use std::ops::Deref;

use crate::attribute::Attribute;
use crate::attribute::value::Value;
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::loading::{Columns, own_positions};
use crate::params::{Param, Permit};
use crate::pending::Pending;
use crate::proxy::{Collection, Singular};
use crate::record::Record;
use crate::reflection::shape::Shape;
use crate::reflection::{Classes, ModelReflection, Registry, Target};
use crate::relation::Relation;
use crate::sql::Place;

/// A model: a typed name for records of one reflection. Implemented by `#[model]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "mark the struct with #[relata::model]"
)]
pub trait Model: Clone + Send + Sync + Deref<Target = Record> + 'static {
    /// The columns and paths that closures see: `|p| p.title`.
    type Columns: Send + Sync + 'static;
    /// The type of the primary key; a tuple for a composite one.
    type Key: Key;
    /// The model's name.
    const NAME: &'static str;
    /// What other models check at compile time.
    const SHAPE: Shape;

    /// The model's reflection.
    fn reflection() -> &'static ModelReflection;

    /// The typed name of a record.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` when it is a record of another model; `MissingAttribute` when its query left columns out,
    /// for a typed reader could not say so.
    fn from_record(record: Record) -> Result<Self>;

    /// The same for a record that is known to be of the model, whatever was read of it.
    #[doc(hidden)]
    fn __named(record: Record) -> Self {
        typed(record)
    }

    /// The columns at a place of a query.
    fn columns(at: Place) -> Self::Columns;

    /// A new record, without values and not saved. Never touches the database.
    #[must_use]
    fn new(db: &Db) -> Self {
        typed(Record::new(Self::reflection(), db))
    }

    /// All records, lazily. Rails: `Post.all`.
    fn all(db: &Db) -> Relation<Self> {
        Relation::from_core(Relation::of(Self::reflection(), db).into_core())
    }

    /// All records, whatever the default scope is. Rails: `Post.unscoped`.
    fn unscoped(db: &Db) -> Relation<Self> {
        Relation::from_core(Relation::unscoped(Self::reflection(), db).into_core())
    }

    /// The record with that key. Rails: `Post.find(1)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."id" = ?`
    ///
    /// Errors: `RecordNotFound`; `UnknownPrimaryKey` for a model without key; [those of reading](crate::Pending#errors).
    #[track_caller]
    fn find(db: &Db, key: impl Into<Self::Key>) -> Pending<Self> {
        crate::loading::find(Self::reflection(), db, key.into().values())
    }

    /// A new record with values, not saved. Never touches the database. Rails: `Post.new(title: "x")`.
    #[must_use]
    fn build(db: &Db, set: impl FnOnce(&Self) -> &Self) -> Self {
        let record = typed(Record::begun(Self::reflection(), db));
        set(&record);
        typed((*record).clone().initialized())
    }

    /// A new record with values, saved. Rails: `Post.create!(title: "x")`.
    ///
    /// Errors: those of [`save`](crate::Record::save).
    #[track_caller]
    fn create(db: &Db, set: impl FnOnce(&Self) -> &Self) -> Pending<Self> {
        let model = Self::build(db, set);
        let record = (*model).clone();
        crate::persistence::create(record, model)
    }

    /// A new record with what was given and is permitted, saved, with the members that are among it. What runs after a
    /// record is initialized sees these values. Rails: `create!` with `params.permit`.
    ///
    /// ```
    /// # use relata::{Db, Model, model, permit};
    /// # #[model] pub struct Post { id: i64, title: String }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Post::reflection()]).await?;
    /// let given = relata::Params::new().with("title", "Hello").with("id", 99);
    /// let post = Post::create_from(&db, given, permit![title]).await?;
    /// assert_eq!((post.id(), post.title()), (1, "Hello"));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// Of a base of several classes in one table, a permitted `type` says of which the record is: its validations and
    /// callbacks run.
    ///
    /// Errors: as [`Record::update_from`]; the error carries the record; `SubclassNotFound` for a `type` that is none of the
    /// model.
    #[track_caller]
    fn create_from(db: &Db, given: impl Into<Param>, permit: impl Borrow<Permit>) -> Pending<Self> {
        let (model, given) = (Self::reflection(), given.into());
        let created = crate::persistence::create_from(model, db, given, permit.borrow());
        Pending::new(async move { Self::from_record(created.await?) })
    }

    /// Sets these attributes back to what was saved, and leaves the others. Never touches the database. By name:
    /// [`Record::restore_attributes_named`]. Rails: `restore_attributes([:title])`.
    ///
    /// ```
    /// # use relata::{Db, Model, model};
    /// # #[model] pub struct Post { id: i64, title: String, stars: i64 }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Post::reflection()]).await?;
    /// let post = Post::create(&db, |p| p.set_title("draft").set_stars(1)).await?;
    /// post.set_title("final").set_stars(2);
    /// post.restore_attributes_of(|p| p.title)?;
    /// assert_eq!((post.title(), post.stars()), ("draft", 2));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `Argument` for what is no column of the model itself; then none is set back.
    fn restore_attributes_of<C: Columns>(
        &self,
        columns: impl FnOnce(&'static Self::Columns) -> C,
    ) -> Result<()> {
        self.restore_columns(&own_positions::<Self, C>(columns)?);
        Ok(())
    }

    // What generated methods of other models call: through the trait itself, so that a target that is no model is told
    // once, at the field.

    #[doc(hidden)]
    #[inline]
    fn __set(owner: &Record, association: usize, target: Option<&Self>) {
        Singular::<Self>::new(owner, association).set(target);
    }

    #[doc(hidden)]
    #[inline]
    fn __build(owner: &Record, association: usize, set: impl FnOnce(&Self) -> &Self) -> Self {
        Singular::<Self>::new(owner, association).build(set)
    }

    #[doc(hidden)]
    #[track_caller]
    #[inline]
    fn __create(
        owner: &Record,
        association: usize,
        set: impl FnOnce(&Self) -> &Self,
    ) -> Pending<Self> {
        Singular::<Self>::new(owner, association).create(set)
    }

    #[doc(hidden)]
    #[track_caller]
    #[inline]
    fn __reload(owner: &Record, association: usize) -> Pending<Self> {
        Singular::<Self>::new(owner, association).reload()
    }

    #[doc(hidden)]
    #[track_caller]
    #[inline]
    fn __reload_optional(owner: &Record, association: usize) -> Pending<Option<Self>> {
        Singular::<Option<Self>>::new(owner, association).reload()
    }

    #[doc(hidden)]
    #[track_caller]
    #[inline]
    fn __ids(owner: &Record, association: usize) -> Pending<Vec<Self::Key>> {
        Collection::<Self>::new(owner, association).ids()
    }

    #[doc(hidden)]
    fn __scope(
        relation: Relation,
        narrow: impl FnOnce(Relation<Self>) -> Relation<Self>,
    ) -> Relation {
        match relation.clone().typed::<Self>() {
            Ok(typed) => narrow(typed).erased(),
            // Only a hand-written `reflection` comes here.
            Err(_) => relation,
        }
    }
}

/// All records of a model, where a scope begins.
impl<M: Model> From<&Db> for Relation<M> {
    fn from(db: &Db) -> Self {
        M::all(db)
    }
}

impl Error {
    /// The record that the operation was on, if it is one of this model. Rails: `error.record`.
    #[must_use]
    pub fn record<M: Model>(&self) -> Option<M> {
        M::from_record(self.erased_record()?.clone()).ok()
    }
}

/// What a query can give: models, and records without types.
pub trait FromRecord: Clone + Send + Sync + 'static {
    /// Whether records of a model can be given.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` when they cannot.
    fn accepts(model: &'static ModelReflection) -> Result<()>;

    /// The record as what the query gives.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` when it is of another model.
    fn cast(record: Record) -> Result<Self>;

    /// The record, without its type.
    fn as_record(&self) -> &Record;
}

impl FromRecord for Record {
    fn accepts(_model: &'static ModelReflection) -> Result<()> {
        Ok(())
    }

    fn cast(record: Record) -> Result<Self> {
        Ok(record)
    }

    fn as_record(&self) -> &Record {
        self
    }
}

impl<M: Model> FromRecord for M {
    fn accepts(model: &'static ModelReflection) -> Result<()> {
        if model == M::reflection() {
            Ok(())
        } else {
            Err(mismatch(M::reflection(), model))
        }
    }

    fn cast(record: Record) -> Result<Self> {
        M::from_record(record)
    }

    fn as_record(&self) -> &Record {
        self
    }
}

/// What a polymorphic association leads to: an enum of models, by `#[derive(Polymorphic)]`, or [`Record`] for any model
/// that was [registered](crate::register). Rails: `polymorphic: true`.
#[diagnostic::on_unimplemented(
    message = "a polymorphic association cannot lead to `{Self}`",
    label = "not an enum of models",
    note = "mark the enum with #[derive(relata::Polymorphic)], or write `Record` for any model"
)]
pub trait Polymorphic: FromRecord {
    /// The models, as a declaration names them.
    const TARGET: Target;
    /// What is checked of them while the program is compiled.
    const SHAPES: &'static [&'static Shape];
    /// The names of the models; none where any model will do.
    const MODELS: &'static [&'static str] = &[];
}

impl Polymorphic for Record {
    const TARGET: Target = Target::AnyOf(Classes::Open(Registry::program()));
    const SHAPES: &'static [&'static Shape] = &[];
}

/// A record that a polymorphic association can lead to: one of the models of its enum, or the enum itself.
#[diagnostic::on_unimplemented(
    message = "`{P}` has no variant for `{Self}`",
    label = "the association cannot lead to it",
    note = "add a variant for the model to the enum; a record of a subclass goes by its base: `&admin.as_base()`"
)]
pub trait Among<P> {
    /// The record.
    fn as_target(&self) -> &Record;
}

impl<M: FromRecord> Among<Record> for M {
    fn as_target(&self) -> &Record {
        self.as_record()
    }
}

/// What a polymorphic association that may be missing can be set to: a record, or `None`.
#[diagnostic::on_unimplemented(
    message = "a polymorphic association to `{P}` cannot be set to `{Self}`",
    label = "neither a reference to one of its models nor `None`",
    note = "a record of a subclass goes by its base: `&admin.as_base()`"
)]
pub trait Towards<'a, P> {
    /// The record, if there is one.
    fn towards(self) -> Option<&'a Record>;
}

impl<'a, P, T: Among<P>> Towards<'a, P> for &'a T {
    fn towards(self) -> Option<&'a Record> {
        Some(self.as_target())
    }
}

impl<'a> Towards<'a, Record> for Option<&'a Record> {
    fn towards(self) -> Option<&'a Record> {
        self
    }
}

impl Record {
    /// The record as one of a model. Never touches the database. Rails: `is_a?`.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` when it is a record of another model; `MissingAttribute` when its query left columns out,
    /// for a typed reader could not say so.
    pub fn downcast<M: Model>(&self) -> Result<M> {
        M::from_record(self.clone())
    }
}

/// The record, if it is one of this model. Called by generated code.
///
/// # Errors
/// `AssociationTypeMismatch` when it is a record of another model; `MissingAttribute` when its query left columns out.
#[inline]
pub fn checked(model: &'static ModelReflection, record: Record) -> Result<Record> {
    // Asked of every record that is read: a look at its batch answers for all but those of subclasses, and those
    // whose query left columns out.
    if record.are_wholly(model) {
        Ok(record)
    } else {
        examined(model, record)
    }
}

#[cold]
#[inline(never)]
fn examined(model: &'static ModelReflection, record: Record) -> Result<Record> {
    if !record.reflection().is_a(model) {
        return Err(mismatch(model, record.reflection()));
    }
    let columns = record.reflection().columns().iter().enumerate();
    for (column, reflection) in columns {
        if record.is_absent(column) {
            return Err(record.untyped(reflection.name()));
        }
    }
    Ok(record)
}

#[cold]
fn mismatch(wanted: &ModelReflection, got: &ModelReflection) -> Error {
    Error::new(
        ErrorKind::AssociationTypeMismatch,
        format!("{} expected, got a record of {}", wanted.name(), got.name()),
    )
    .with_model(wanted.name())
}

/// The typed name of a record that was made from the model's own reflection.
///
/// # Panics
/// When a hand-written `from_record` refuses a record of its own reflection.
#[expect(clippy::panic, reason = "no value of the type exists to give instead")]
pub(crate) fn typed<M: Model>(record: Record) -> M {
    match M::from_record(record) {
        Ok(model) => model,
        Err(error) => panic!(
            "`{}::from_record` refuses a record of its own reflection: {error}",
            M::NAME
        ),
    }
}

/// A primary key's type: a column's type, a tuple of them for a composite key, `()` for none.
pub trait Key: Send + 'static {
    /// The values, one a column.
    fn values(self) -> Vec<Value<'static>>;
    /// The key that has these values.
    fn from_values(values: &[Value<'_>]) -> Option<Self>
    where
        Self: Sized;
}

impl<A: Attribute> Key for A {
    fn values(self) -> Vec<Value<'static>> {
        vec![self.into_value()]
    }

    fn from_values(values: &[Value<'_>]) -> Option<Self> {
        match values {
            [value] if value.kind() == Some(A::KIND) => {
                Some(A::owned(crate::attribute::Stored::of(value)))
            }
            _ => None,
        }
    }
}

/// The key of a record whose model is not known to the compiler, one value a column.
impl Key for Vec<Value<'static>> {
    fn values(self) -> Vec<Value<'static>> {
        self
    }

    fn from_values(values: &[Value<'_>]) -> Option<Self> {
        Some(values.iter().cloned().map(Value::into_owned).collect())
    }
}

impl Key for () {
    fn values(self) -> Vec<Value<'static>> {
        Vec::new()
    }

    fn from_values(values: &[Value<'_>]) -> Option<Self> {
        values.is_empty().then_some(())
    }
}

macro_rules! composite {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: Attribute),+> Key for ($($name,)+) {
            #[allow(non_snake_case)]
            fn values(self) -> Vec<Value<'static>> {
                let ($($name,)+) = self;
                vec![$($name.into_value()),+]
            }

            fn from_values(values: &[Value<'_>]) -> Option<Self> {
                let mut values = values.iter();
                let key = ($(<$name as Key>::from_values(std::slice::from_ref(values.next()?))?,)+);
                values.next().is_none().then_some(key)
            }
        }
    )*};
}

composite! {
    A B;
    A B C;
    A B C D;
}
