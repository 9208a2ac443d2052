//! What generated code calls, beside the public API. Not for use by hand.

use std::borrow::Borrow;
use std::future::Future;
use std::panic::Location;

use crate::association::Association;
use crate::attribute::{Attribute, Stored, Value};
use crate::deprecation;
pub use crate::model::checked;
use crate::model::{Key as _, Model};
use crate::params::{Param, Params, Permit};
use crate::pending::{self, Pending};
use crate::proxy::Singular;
use crate::record::Record;
#[cfg(feature = "json")]
pub use crate::record::store::{
    check_stored, is_stored_changed, read_stored, read_stored_was, saved_stored_change,
    write_stored,
};
use crate::reflection::{Callbacks, ModelReflection, refused_position};
use crate::relation::{Relation, Scope};
pub use crate::running::{Outcome, run_test, run_test_without};
#[cfg(feature = "serde")]
pub use serde;

/// Whether the type column of a delegated type names a model.
#[must_use]
pub fn is_delegate<M: Model>(owner: &Record, association: usize) -> bool {
    let one = Singular::<Record>::new(owner, association).erased();
    one.is_ok_and(|one| matches!(one.klass(), Ok(Some(class)) if class.is_a(M::reflection())))
}

/// The target of a delegated type, if it is of a model.
#[track_caller]
pub fn delegate<M: Model>(owner: &Record, association: usize) -> Pending<Option<M>> {
    if !is_delegate::<M>(owner, association) {
        return Pending::ready(Ok(None));
    }
    let target = Singular::<Option<Record>>::new(owner, association).load();
    Pending::new(async move { target.await?.map(M::from_record).transpose() })
}

/// The key of a delegated type's target, if it is of a model.
#[must_use]
pub fn delegate_key<M: Model>(owner: &Record, association: usize) -> Option<M::Key> {
    let one = Singular::<Record>::new(owner, association).erased().ok()?;
    let key: Vec<Value<'static>> = one.owner_key();
    is_delegate::<M>(owner, association).then(|| M::Key::from_values(&key))?
}

/// The records whose delegated type is of a model.
pub fn delegates<O: Model, M: Model>(db: &crate::Db, association: usize) -> Relation<O> {
    let all = O::all(db);
    let reflection = O::reflection().reflections().get(association);
    let column = reflection.and_then(crate::reflection::AssociationReflection::type_name);
    let name = M::reflection().polymorphic_name();
    // The declaration has the column: it was checked when the program was compiled.
    match all.clone().filter_by(&column.unwrap_or_default(), name) {
        Ok(some) => some,
        Err(_) => all.none(),
    }
}

/// Makes a record the target of a polymorphic association, in memory. Called by `set_subject`.
pub fn lead(owner: &Record, association: usize, target: Option<&Record>) {
    let association = Singular::<Record>::new(owner, association).erased();
    if let Err(error) = association.and_then(|association| association.set_target(target)) {
        owner.refuse_at_save(error);
    }
}

/// Whether records of a model can be one of an enum's. Called by `#[derive(Polymorphic)]`.
///
/// # Errors
/// `AssociationTypeMismatch` when they cannot.
pub fn accepts(
    name: &str,
    models: &[fn() -> &'static ModelReflection],
    model: &'static ModelReflection,
) -> crate::Result<()> {
    if models.iter().any(|one| model.is_a(one())) {
        return Ok(());
    }
    let message = format!("{name} has no variant for a record of {}", model.name());
    Err(
        crate::Error::new(crate::ErrorKind::AssociationTypeMismatch, message)
            .with_model(model.name()),
    )
}

/// That a record is of no variant.
#[must_use]
pub fn no_variant(name: &str, record: &Record) -> crate::Error {
    let model = record.reflection();
    let message = format!("{name} has no variant for a record of {}", model.name());
    crate::Error::new(crate::ErrorKind::AssociationTypeMismatch, message).with_model(model.name())
}

/// The first variant that a record is of. Called by `#[derive(Polymorphic)]`.
#[must_use]
pub fn variant(models: &[fn() -> &'static ModelReflection], record: &Record) -> Option<usize> {
    let model = record.reflection();
    models.iter().position(|one| model.is_a(one()))
}

/// Forgets the target of a singular association. Called by `reset_author`.
pub fn reset(owner: &Record, association: usize) {
    Singular::<Record>::new(owner, association).reset();
}

/// The position of a deprecated association, after it was told that a method of it was called; one where nothing is where
/// a use is an error, which whoever awaits it gets.
#[track_caller]
#[must_use]
pub fn deprecated(owner: &Record, association: usize, method: &str) -> usize {
    match Association::at(owner, association) {
        Ok(one) if one.tell_used(method).is_err() => refused_position(association),
        _ => association,
    }
}

/// As [`deprecated`], for a method that gives no error: a use is told, and done.
#[track_caller]
#[must_use]
pub fn deprecated_anyway(owner: &Record, association: usize, method: &str) -> usize {
    let at = Location::caller();
    if let Ok(one) = Association::at(owner, association) {
        pending::called_from(at, || {
            deprecation::used_anyway(owner.db(), one.resolved(), method);
        });
    }
    association
}

/// Called by `author_changed`.
pub fn association_changed(owner: &Record, association: usize) -> bool {
    Singular::<Record>::new(owner, association).is_changed()
}

/// Called by `author_previously_changed`.
pub fn association_previously_changed(owner: &Record, association: usize) -> bool {
    Singular::<Record>::new(owner, association).was_changed()
}

/// A model without `#[callbacks] impl` or `#[scopes] impl`: the inherent constant of one that has it stands before this.
pub trait WithoutCallbacks {
    /// None.
    const __CALLBACKS: Callbacks = Callbacks::NONE;
    /// None.
    const __SCOPES: &'static [(&'static str, Scope)] = &[];
}

impl<T> WithoutCallbacks for T {}

/// The record as its model. Called for conditions, which give no error.
pub fn of<M: Model>(record: &Record) -> M {
    M::__named(record.clone())
}

/// The record as its model. Called for callbacks.
///
/// # Errors
/// `MissingAttribute` when its query left columns out: a callback must not take them for empty.
pub fn whole<M: Model>(record: &Record) -> crate::Result<M> {
    M::from_record(record.clone())
}

/// Whether a condition holds for a record.
pub fn holds<M: Model>(record: &Record, condition: impl Fn(&M) -> bool) -> bool {
    condition(&of(record))
}

/// What a function of a record gives, as a value.
pub fn computed<M: Model, V: Into<Value<'static>>>(
    record: &Record,
    compute: impl Fn(&M) -> V,
) -> Value<'static> {
    compute(&of(record)).into()
}

/// A callback that may ask the database.
#[track_caller]
pub fn __later(run: impl Future<Output = crate::Result<()>> + Send + 'static) -> Pending<()> {
    Pending::new(run)
}

/// What a callback gives.
#[diagnostic::on_unimplemented(
    message = "a callback cannot return `{Self}`",
    label = "return nothing, `Result<()>`, or `Result<(), Abort>`"
)]
pub trait Ran {
    /// As the library's result.
    ///
    /// # Errors
    /// The callback's own.
    fn ran(self) -> crate::Result<()>;
}

impl Ran for () {
    fn ran(self) -> crate::Result<()> {
        Ok(())
    }
}

impl<E: Into<crate::Error>> Ran for Result<(), E> {
    fn ran(self) -> crate::Result<()> {
        self.map_err(Into::into)
    }
}

/// What a callback gave, as the library's result.
///
/// # Errors
/// The callback's own.
pub fn ran(given: impl Ran) -> crate::Result<()> {
    given.ran()
}

/// Runs a callback of a collection.
///
/// # Errors
/// The callback's own.
pub fn member<O: Model, M: Model, R: Ran>(
    owner: &Record,
    member: &Record,
    run: impl Fn(&O, &M) -> R,
) -> crate::Result<()> {
    run(&whole(owner)?, &whole(member)?).ran()
}

/// Called by `comments_attributes`.
#[track_caller]
pub fn __assign_attributes(
    owner: &Record,
    association: usize,
    given: impl Into<Param>,
    permit: impl Borrow<Permit>,
) -> Pending<()> {
    match Singular::<Record>::new(owner, association).erased() {
        Ok(association) => association.assign_attributes(given, permit),
        Err(error) => Pending::ready(Err(error)),
    }
}

/// Whether values for a member are passed over.
pub fn rejects<M: Model>(
    owner: &Record,
    given: &Params,
    holds: impl Fn(&M, &Params) -> bool,
) -> bool {
    holds(&of(owner), given)
}

/// How many members a record takes values for.
pub fn limit_of<M: Model>(owner: &Record, limit: impl Fn(&M) -> usize) -> usize {
    limit(&of(owner))
}

/// Sets an attribute that is normalised.
pub fn write_normalized<A: Attribute>(record: &Record, column: usize, value: A::Set<'_>) {
    record.write_normalized(column, A::write(value));
}

/// What a function makes of a value.
pub fn normalized<A: Attribute>(
    value: &Value<'_>,
    with: impl Fn(A::Ref<'_>) -> A,
) -> Value<'static> {
    with(A::read(Stored::of(value))).into_value()
}

/// The records whose attribute is that of an enum's label, or is another.
pub fn labelled<M: Model, A: Attribute>(
    all: impl Into<Relation<M>>,
    column: usize,
    value: A,
    is: bool,
) -> Relation<M> {
    all.into().with_label(column, value.into_value(), is)
}

/// Sets a password that the model has.
#[cfg(feature = "password")]
pub fn set_password(record: &Record, name: &str, text: &str) {
    // It is there: what calls this was made from its declaration.
    let _ = record.set_secret(name, text);
}

/// Gives what is to be a password that the model has.
#[cfg(feature = "password")]
pub fn set_challenge(record: &Record, name: &str, text: &str) {
    let _ = record.set_challenge(name, text);
}

/// A scope that takes the owner.
pub fn scope_of_owner<O: Model, M: Model>(
    relation: Relation,
    owner: &Record,
    narrow: impl FnOnce(Relation<M>, &O) -> Relation<M>,
) -> Relation {
    M::__scope(relation, |relation| narrow(relation, &of(owner)))
}

/// What a `default` gives a `belongs_to`.
#[diagnostic::on_unimplemented(
    message = "a `default` cannot give `{Self}`",
    label = "give the target, an `Option` of it, or what is awaited for it"
)]
pub trait Default<M> {
    /// The target, on its way.
    fn into_target(self) -> Pending<Option<Record>>;
}

impl<M: Model> Default<M> for M {
    #[track_caller]
    fn into_target(self) -> Pending<Option<Record>> {
        Pending::ready(Ok(Some((*self).clone())))
    }
}

impl<M: Model> Default<M> for Option<M> {
    #[track_caller]
    fn into_target(self) -> Pending<Option<Record>> {
        Pending::ready(Ok(self.map(|target| (*target).clone())))
    }
}

impl<M: Model> Default<M> for Pending<M> {
    #[track_caller]
    fn into_target(self) -> Pending<Option<Record>> {
        Pending::new(async move { self.await.map(|target| Some((*target).clone())) })
    }
}

impl<M: Model> Default<M> for Pending<Option<M>> {
    #[track_caller]
    fn into_target(self) -> Pending<Option<Record>> {
        Pending::new(async move { Ok(self.await?.map(|target| (*target).clone())) })
    }
}

/// What a `default` gives for a record.
#[track_caller]
pub fn __default_target<M: Model, T: Model, D: Default<T>>(
    record: &Record,
    default: impl Fn(&M) -> D,
) -> Pending<Option<Record>> {
    default(&of(record)).into_target()
}

/// Whether a stored text is one of an enum's. Called by `#[derive(Attribute)]`.
///
/// # Errors
/// What is wrong with it, to follow "the value".
pub fn check_text(name: &str, stored: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&stored) {
        return Ok(());
    }
    let hint = relata_inflect::nearest(stored, known.iter().copied())
        .map(|near| format!("; did you mean {near:?}?"));
    Err(format!(
        "{stored:?} is no {name}: its values are {}{}",
        known.join(", "),
        hint.unwrap_or_default()
    ))
}

/// What a `custom` validation says of a value. Called by `#[model]`.
///
/// # Errors
/// What is wrong with it.
pub fn judged<V, F: crate::validation::Judges<V>>(value: V, by: F) -> Result<(), String> {
    by.judge(value)
}

/// The same, of a closure.
///
/// # Errors
/// What is wrong with the value.
pub fn verdict(found: impl crate::validation::Verdict) -> Result<(), String> {
    found.verdict()
}

/// Whether a stored number is one of an enum's. Called by `#[derive(Attribute)]`.
///
/// # Errors
/// What is wrong with it, to follow "the value".
pub fn check_number(name: &str, stored: i64, known: &[i64]) -> Result<(), String> {
    if known.contains(&stored) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(i64::to_string).collect();
    Err(format!(
        "{stored} is no {name}: its values are {}",
        known.join(", ")
    ))
}

/// The methods of passwords, where there is something to hash them with.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "password")]
macro_rules! __with_passwords {
    ($($methods:tt)*) => { $($methods)* };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "password"))]
macro_rules! __with_passwords {
    ($($methods:tt)*) => {
        ::core::compile_error!(
            "`#[has_secure_password]` needs a feature of relata: `features = [\"password\"]`"
        );
    };
}

/// The methods of values inside documents, where there is something to read documents with.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "json")]
macro_rules! __with_stores {
    ($($methods:tt)*) => { $($methods)* };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "json"))]
macro_rules! __with_stores {
    ($($methods:tt)*) => {
        ::core::compile_error!(
            "`#[store_accessor]` needs a feature of relata: `features = [\"json\"]`"
        );
    };
}

/// A column whose type refuses documents that its values cannot be read from.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "json")]
macro_rules! __with_store_accessors {
    ($made:expr, $type:ty, [$(($name:literal, $key:literal, $of:ty)),*]) => {{
        const _: () = ::core::assert!(
            ::core::matches!(<$type as $crate::Attribute>::KIND, $crate::attribute::Kind::Json),
            "`#[store_accessor]` stands on a column of `serde_json::Value` or `Json<...>`"
        );
        const ACCESSORS: &[$crate::reflection::StoreAccessor] =
            &[$($crate::reflection::StoreAccessor::of::<$of>($name, $key)),*];
        $made.with_store_accessors(ACCESSORS).with_check(|stored| {
            $crate::__private::check_stored(<$type as $crate::Attribute>::check(stored), stored, ACCESSORS)
        })
    }};
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "json"))]
macro_rules! __with_store_accessors {
    ($made:expr, $type:ty, $accessors:tt) => {
        $made
    };
}
