//! The one error of the library: a kind, a message that names model, association, cause and fix,
//! and where it came from. It is a single pointer, so a `Result` stays small, and cloning it is cheap.
//!
//! Invariant: the SQL that it quotes has placeholders only. A message names the key that was looked for, and a value that
//! its attribute cannot hold, by its start; a secret column's value never.

use std::fmt;
use std::sync::Arc;

use crate::record::Record;

/// The result of everything in this library that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a class that a program can act on.
///
/// The names are those of Active Record where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `find` or `*_or_fail` found no row.
    RecordNotFound,
    /// Validation failed; [`Error::record`] gives the record and its errors.
    RecordInvalid,
    /// A validation that is `strict` failed.
    StrictValidationFailed,
    /// A callback halted: [`Abort`](crate::callback::Abort).
    Abort,
    /// The record could not be saved, for a reason that is not a validation.
    RecordNotSaved,
    /// The record could not be destroyed.
    RecordNotDestroyed,
    /// What was asked needs a record that is in the database, and this one is new or destroyed.
    NotPersisted,
    /// `sole` found more than one row.
    SoleRecordExceeded,
    /// A unique index refused the row.
    RecordNotUnique,
    /// A foreign key constraint refused the row.
    InvalidForeignKey,
    /// A column that must not be null got no value.
    NotNullViolation,
    /// A check constraint refused the row.
    CheckViolation,
    /// A text or binary value is longer than its column allows.
    ValueTooLong,
    /// A number does not fit its column or its attribute type.
    RangeError,
    /// A stored value is not what the attribute's type can hold.
    InvalidValue,
    /// Somebody else changed the row since it was read.
    StaleObject,
    /// The record is marked read only.
    ReadOnlyRecord,
    /// The attribute keeps the value that the row was inserted with.
    ReadonlyAttribute,
    /// A token is not one, or not for this, or no longer good.
    InvalidSignature,
    /// `dependent = restrict_with_exception` forbids the destruction.
    DeleteRestriction,
    /// A job was to destroy what belonged to an owner that is still there. Rails: `DestroyAssociationAsyncError`.
    OwnerNotDestroyed,
    /// An association was about to be loaded lazily on a strict record.
    StrictLoadingViolation,
    /// A deprecated association was used, where that is an error.
    DeprecatedAssociation,
    /// More members were given than `accepts_nested_attributes_for` takes at a time.
    TooManyRecords,
    /// No association of that name; the message has the nearest one.
    AssociationNotFound,
    /// No attribute or column of that name; the message has the nearest one.
    UnknownAttribute,
    /// The column was not selected by the query that loaded the record.
    MissingAttribute,
    /// A record of another model was given where the association wants its target.
    AssociationTypeMismatch,
    /// `inverse_of` names an association that the target does not have.
    InverseOfAssociationNotFound,
    /// `inverse_of` names the association itself.
    InverseOfAssociationRecursive,
    /// `through` names an association that the model does not have.
    HasManyThroughAssociationNotFound,
    /// The source of a `through` is not there; the message has what could be meant.
    HasManyThroughSourceAssociationNotFound,
    /// The source of a `through` could be either of two associations: write `source`.
    AmbiguousSourceReflectionForThroughAssociation,
    /// A `through` stands above the association that it goes through.
    HasManyThroughOrder,
    /// A `has_many` goes through a polymorphic association.
    HasManyThroughAssociationPolymorphicThrough,
    /// A `has_one` goes through a polymorphic association.
    HasOneAssociationPolymorphicThrough,
    /// The source of a `through` is polymorphic, and `source_type` does not say which model is meant.
    HasManyThroughAssociationPolymorphicSource,
    /// `source_type` is written, and the source is not polymorphic.
    HasManyThroughAssociationPointlessSourceType,
    /// A `has_one` goes through a collection.
    HasOneThroughCantAssociateThroughCollection,
    /// A `has_many` through cannot be changed where its source is no `belongs_to`.
    HasManyThroughCantAssociateThroughHasOneOrManyReflection,
    /// A `has_one` through cannot be changed where its source is no `belongs_to`.
    HasOneThroughCantAssociateThroughHasOneOrManyReflection,
    /// A `has_many` that goes through a through can only be read.
    HasManyThroughNestedAssociationsAreReadonly,
    /// A `has_one` that goes through a through can only be read.
    HasOneThroughNestedAssociationsAreReadonly,
    /// The model has no primary key, and the operation needs one.
    UnknownPrimaryKey,
    /// The keys of the two sides differ in number.
    CompositePrimaryKeyMismatch,
    /// A polymorphic association cannot be joined.
    EagerLoadPolymorphic,
    /// A polymorphic type column names a model that is not known. Rails: `NameError`.
    UnknownModel,
    /// The type column of a row names no subclass of the model that was asked for.
    SubclassNotFound,
    /// A relation was combined with one of another shape (`or`, `merge`).
    IncompatibleRelation,
    /// The closure of a transaction asked for a rollback.
    Rollback,
    /// The database broke a deadlock by refusing this statement.
    Deadlocked,
    /// Two transactions could not be serialised; running again may succeed.
    SerializationFailure,
    /// A lock was not had within its deadline.
    LockWaitTimeout,
    /// The statement was cancelled or ran into its time limit.
    QueryCanceled,
    /// The connection was lost or could not be made.
    ConnectionNotEstablished,
    /// No connection became free within the deadline.
    PoolExhausted,
    /// The answer to a COMMIT was lost: it may or may not have happened.
    CommitOutcomeUnknown,
    /// The commit stands, but something that runs after it failed.
    PostCommit,
    /// The database is read only.
    ReadOnlyDatabase,
    /// The disk is full.
    DiskFull,
    /// A table, column or function does not exist, or the SQL is not valid.
    StatementInvalid,
    /// A declaration or a setting is wrong.
    Configuration,
    /// An argument is outside what the method accepts.
    Argument,
    /// The backend cannot do this.
    Unsupported,
    /// A foreign error, brought in by [`Error::other`].
    Other,
}

/// Where in a statement something is wrong, counted from 0: known before it is known which attribute that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    /// A value that is bound.
    #[cfg_attr(
        not(feature = "sqlite"),
        allow(dead_code, reason = "an adapter says it")
    )]
    Bind(usize),
    /// A column of the result.
    Cell(usize),
}

/// Why an operation failed. See [`ErrorKind`] for the classes.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    model: Option<&'static str>,
    attribute: Option<String>,
    sql: Option<Arc<str>>,
    spot: Option<Spot>,
    record: Option<Record>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of that kind with a message in the user's terms.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            model: None,
            attribute: None,
            sql: None,
            spot: None,
            record: None,
            source: None,
        }))
    }

    /// Brings a foreign error into a closure that returns [`Error`].
    ///
    /// ```
    /// let error = relata::Error::other(std::io::Error::other("no coffee"));
    /// assert_eq!(error.to_string(), "no coffee");
    /// assert_eq!(error.kind(), relata::ErrorKind::Other);
    /// ```
    #[must_use]
    pub fn other(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::new(ErrorKind::Other, source.to_string()).with_source(source)
    }

    /// Names the model that the operation was on.
    #[must_use]
    pub fn with_model(self, model: &'static str) -> Self {
        self.edit(|inner| inner.model = Some(model))
    }

    /// Names the attribute or association that the operation was on.
    #[must_use]
    pub fn with_attribute(self, attribute: impl Into<String>) -> Self {
        self.edit(|inner| inner.attribute = Some(attribute.into()))
    }

    /// Quotes the statement that failed: its text, never its values.
    #[must_use]
    pub fn with_sql(self, sql: Arc<str>) -> Self {
        self.edit(|inner| inner.sql = Some(sql))
    }

    /// Carries the record that the operation was on.
    #[must_use]
    pub fn with_record(self, record: Record) -> Self {
        self.edit(|inner| {
            inner.model = Some(record.reflection().name());
            inner.record = Some(record);
        })
    }

    /// The same without its record, to be kept with that record itself.
    pub(crate) fn without_record(self) -> Self {
        self.edit(|inner| inner.record = None)
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.edit(|inner| inner.source = Some(Arc::new(source)))
    }

    /// The class of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The model that the operation was on, if it is known.
    #[must_use]
    pub fn model(&self) -> Option<&'static str> {
        self.0.model
    }

    /// The attribute or association that the operation was on, if it is known.
    #[must_use]
    pub fn attribute(&self) -> Option<&str> {
        self.0.attribute.as_deref()
    }

    /// The statement that failed, with placeholders in place of values.
    #[must_use]
    pub fn sql(&self) -> Option<&str> {
        self.0.sql.as_deref()
    }

    /// The record that the operation was on, untyped.
    #[must_use]
    pub fn erased_record(&self) -> Option<&Record> {
        self.0.record.as_ref()
    }

    /// Says where in the statement it is.
    pub(crate) fn at(self, spot: Spot) -> Self {
        self.edit(|inner| inner.spot = Some(spot))
    }

    /// Where in the statement it is, if only that is known.
    pub(crate) fn spot(&self) -> Option<Spot> {
        self.0.spot
    }

    /// Says which attribute was meant by the spot, in the message too.
    pub(crate) fn of_attribute(self, model: &'static str, attribute: &str) -> Self {
        self.edit(|inner| {
            inner.message = format!("{model}.{attribute}: {}", inner.message);
            inner.model = Some(model);
            inner.attribute = Some(attribute.to_owned());
            inner.spot = None;
        })
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

macro_rules! predicates {
    ($($name:ident => $kind:ident),* $(,)?) => {
        impl Error {
            $(#[doc = concat!("Whether the kind is [`ErrorKind::", stringify!($kind), "`].")]
            #[must_use]
            pub fn $name(&self) -> bool {
                self.kind() == ErrorKind::$kind
            })*
        }

        /// Every kind stands in the table: one that does not is not compiled.
        const _: fn(ErrorKind) = |kind| match kind {
            $(ErrorKind::$kind => {})*
        };
    };
}

predicates! {
    is_record_not_found => RecordNotFound,
    is_record_invalid => RecordInvalid,
    is_strict_validation_failed => StrictValidationFailed,
    is_abort => Abort,
    is_record_not_saved => RecordNotSaved,
    is_record_not_destroyed => RecordNotDestroyed,
    is_not_persisted => NotPersisted,
    is_sole_record_exceeded => SoleRecordExceeded,
    is_record_not_unique => RecordNotUnique,
    is_invalid_foreign_key => InvalidForeignKey,
    is_not_null_violation => NotNullViolation,
    is_check_violation => CheckViolation,
    is_value_too_long => ValueTooLong,
    is_range_error => RangeError,
    is_invalid_value => InvalidValue,
    is_stale_object => StaleObject,
    is_read_only_record => ReadOnlyRecord,
    is_readonly_attribute => ReadonlyAttribute,
    is_invalid_signature => InvalidSignature,
    is_delete_restriction => DeleteRestriction,
    is_owner_not_destroyed => OwnerNotDestroyed,
    is_strict_loading_violation => StrictLoadingViolation,
    is_deprecated_association => DeprecatedAssociation,
    is_too_many_records => TooManyRecords,
    is_association_not_found => AssociationNotFound,
    is_unknown_attribute => UnknownAttribute,
    is_missing_attribute => MissingAttribute,
    is_association_type_mismatch => AssociationTypeMismatch,
    is_inverse_of_association_not_found => InverseOfAssociationNotFound,
    is_inverse_of_association_recursive => InverseOfAssociationRecursive,
    is_has_many_through_association_not_found => HasManyThroughAssociationNotFound,
    is_has_many_through_source_association_not_found => HasManyThroughSourceAssociationNotFound,
    is_ambiguous_source_reflection_for_through_association => AmbiguousSourceReflectionForThroughAssociation,
    is_has_many_through_order => HasManyThroughOrder,
    is_has_many_through_association_polymorphic_through => HasManyThroughAssociationPolymorphicThrough,
    is_has_one_association_polymorphic_through => HasOneAssociationPolymorphicThrough,
    is_has_many_through_association_polymorphic_source => HasManyThroughAssociationPolymorphicSource,
    is_has_many_through_association_pointless_source_type => HasManyThroughAssociationPointlessSourceType,
    is_has_one_through_cant_associate_through_collection => HasOneThroughCantAssociateThroughCollection,
    is_has_many_through_cant_associate_through_has_one_or_many_reflection => HasManyThroughCantAssociateThroughHasOneOrManyReflection,
    is_has_one_through_cant_associate_through_has_one_or_many_reflection => HasOneThroughCantAssociateThroughHasOneOrManyReflection,
    is_has_many_through_nested_associations_are_readonly => HasManyThroughNestedAssociationsAreReadonly,
    is_has_one_through_nested_associations_are_readonly => HasOneThroughNestedAssociationsAreReadonly,
    is_unknown_primary_key => UnknownPrimaryKey,
    is_composite_primary_key_mismatch => CompositePrimaryKeyMismatch,
    is_eager_load_polymorphic => EagerLoadPolymorphic,
    is_unknown_model => UnknownModel,
    is_subclass_not_found => SubclassNotFound,
    is_incompatible_relation => IncompatibleRelation,
    is_rollback => Rollback,
    is_deadlocked => Deadlocked,
    is_serialization_failure => SerializationFailure,
    is_lock_wait_timeout => LockWaitTimeout,
    is_query_canceled => QueryCanceled,
    is_connection_not_established => ConnectionNotEstablished,
    is_pool_exhausted => PoolExhausted,
    is_commit_outcome_unknown => CommitOutcomeUnknown,
    is_post_commit => PostCommit,
    is_read_only_database => ReadOnlyDatabase,
    is_disk_full => DiskFull,
    is_statement_invalid => StatementInvalid,
    is_configuration => Configuration,
    is_argument => Argument,
    is_unsupported => Unsupported,
    is_other => Other,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.0.kind)
            .field("message", &self.0.message);
        if let Some(model) = self.0.model {
            out.field("model", &model);
        }
        if let Some(attribute) = &self.0.attribute {
            out.field("attribute", attribute);
        }
        if let Some(sql) = &self.0.sql {
            out.field("sql", sql);
        }
        out.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
