//! Why a statement ended without a value.
//!
//! Invariant: what relata cannot do is never reported as an error that a program would see, nor the other way round.

use relata::{Error, ErrorKind, Record};

/// What ends a statement.
#[derive(Debug, Clone)]
pub enum Stop {
    /// An error, as a program of the user sees it.
    Raised(Raised),
    /// Relata, or this runner, has no such thing; the text says what.
    Unsupported(String),
    /// There is no method of that name on such a receiver. Where Rails has none either, it is its `NoMethodError`.
    NoMethod(String),
}

/// An error under the name that Rails has for it.
#[derive(Debug, Clone)]
pub struct Raised {
    /// The class in Rails.
    pub class: String,
    /// The message.
    pub message: String,
    /// The record that it carries.
    pub record: Option<Record>,
}

/// What a statement gives.
pub type Ran<T> = Result<T, Stop>;

impl Stop {
    /// An error of a class.
    pub fn raised(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Raised(Raised {
            class: class.into(),
            message: message.into(),
            record: None,
        })
    }

    /// An `ArgumentError`.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::raised("ArgumentError", message)
    }

    /// What relata does not have.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    /// The error that carries this stop out of a closure of relata's.
    #[must_use]
    pub fn to_error(&self) -> Error {
        match self {
            Self::Raised(raised) if raised.class == ROLLBACK => {
                Error::new(ErrorKind::Rollback, raised.message.clone())
            }
            Self::Raised(raised) => {
                // What a save or destroy answers with false must still be that when it comes out of a callback.
                let kind = match raised.class.as_str() {
                    "ActiveRecord::RecordInvalid" => ErrorKind::RecordInvalid,
                    "ActiveRecord::RecordNotSaved" => ErrorKind::RecordNotSaved,
                    "ActiveRecord::RecordNotDestroyed" => ErrorKind::RecordNotDestroyed,
                    _ => ErrorKind::Other,
                };
                Error::new(kind, raised.message.clone())
            }
            Self::Unsupported(what) | Self::NoMethod(what) => {
                Error::new(ErrorKind::Other, what.clone())
            }
        }
    }
}

/// The class whose error rolls a transaction back and goes no further.
pub const ROLLBACK: &str = "ActiveRecord::Rollback";

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        if error.kind() == ErrorKind::Unsupported {
            return Self::Unsupported(error.to_string());
        }
        Self::Raised(Raised {
            class: class_of(&error).to_owned(),
            message: error.to_string(),
            record: error.erased_record().cloned(),
        })
    }
}

/// Whether the soft form of a write gives false for the error.
#[must_use]
pub fn is_soft(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RecordInvalid | ErrorKind::RecordNotSaved | ErrorKind::RecordNotDestroyed
    )
}

/// The class that Rails has for an error of relata.
fn class_of(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::RecordNotFound => "ActiveRecord::RecordNotFound",
        ErrorKind::RecordInvalid => "ActiveRecord::RecordInvalid",
        ErrorKind::RecordNotSaved => "ActiveRecord::RecordNotSaved",
        ErrorKind::RecordNotDestroyed => "ActiveRecord::RecordNotDestroyed",
        ErrorKind::SoleRecordExceeded => "ActiveRecord::SoleRecordExceeded",
        ErrorKind::RecordNotUnique => "ActiveRecord::RecordNotUnique",
        ErrorKind::InvalidForeignKey => "ActiveRecord::InvalidForeignKey",
        ErrorKind::NotNullViolation => "ActiveRecord::NotNullViolation",
        ErrorKind::CheckViolation => "ActiveRecord::CheckViolation",
        ErrorKind::ValueTooLong => "ActiveRecord::ValueTooLong",
        ErrorKind::RangeError => "ActiveModel::RangeError",
        ErrorKind::StaleObject => "ActiveRecord::StaleObjectError",
        ErrorKind::ReadOnlyRecord => "ActiveRecord::ReadOnlyRecord",
        ErrorKind::InvalidSignature => "ActiveSupport::MessageVerifier::InvalidSignature",
        ErrorKind::ReadonlyAttribute => "ActiveRecord::ReadonlyAttributeError",
        ErrorKind::DeleteRestriction => "ActiveRecord::DeleteRestrictionError",
        ErrorKind::StrictLoadingViolation => "ActiveRecord::StrictLoadingViolationError",
        ErrorKind::DeprecatedAssociation => "ActiveRecord::DeprecatedAssociationError",
        ErrorKind::AssociationNotFound => "ActiveRecord::AssociationNotFoundError",
        ErrorKind::UnknownAttribute => "ActiveModel::UnknownAttributeError",
        ErrorKind::MissingAttribute => "ActiveModel::MissingAttributeError",
        ErrorKind::AssociationTypeMismatch => "ActiveRecord::AssociationTypeMismatch",
        ErrorKind::InverseOfAssociationNotFound => {
            "ActiveRecord::InverseOfAssociationNotFoundError"
        }
        ErrorKind::InverseOfAssociationRecursive => {
            "ActiveRecord::InverseOfAssociationRecursiveError"
        }
        ErrorKind::HasManyThroughAssociationNotFound => {
            "ActiveRecord::HasManyThroughAssociationNotFoundError"
        }
        ErrorKind::HasManyThroughSourceAssociationNotFound => {
            "ActiveRecord::HasManyThroughSourceAssociationNotFoundError"
        }
        ErrorKind::AmbiguousSourceReflectionForThroughAssociation => {
            "ActiveRecord::AmbiguousSourceReflectionForThroughAssociation"
        }
        ErrorKind::HasManyThroughAssociationPolymorphicThrough => {
            "ActiveRecord::HasManyThroughAssociationPolymorphicThroughError"
        }
        ErrorKind::HasOneAssociationPolymorphicThrough => {
            "ActiveRecord::HasOneAssociationPolymorphicThroughError"
        }
        ErrorKind::HasManyThroughAssociationPolymorphicSource => {
            "ActiveRecord::HasManyThroughAssociationPolymorphicSourceError"
        }
        ErrorKind::HasManyThroughAssociationPointlessSourceType => {
            "ActiveRecord::HasManyThroughAssociationPointlessSourceTypeError"
        }
        ErrorKind::HasManyThroughOrder => "ActiveRecord::HasManyThroughOrderError",
        ErrorKind::HasOneThroughCantAssociateThroughCollection => {
            "ActiveRecord::HasOneThroughCantAssociateThroughCollection"
        }
        ErrorKind::HasManyThroughCantAssociateThroughHasOneOrManyReflection => {
            "ActiveRecord::HasManyThroughCantAssociateThroughHasOneOrManyReflection"
        }
        ErrorKind::HasOneThroughCantAssociateThroughHasOneOrManyReflection => {
            "ActiveRecord::HasOneThroughCantAssociateThroughHasOneOrManyReflection"
        }
        ErrorKind::HasManyThroughNestedAssociationsAreReadonly => {
            "ActiveRecord::HasManyThroughNestedAssociationsAreReadonly"
        }
        ErrorKind::HasOneThroughNestedAssociationsAreReadonly => {
            "ActiveRecord::HasOneThroughNestedAssociationsAreReadonly"
        }
        ErrorKind::UnknownPrimaryKey => "ActiveRecord::UnknownPrimaryKey",
        ErrorKind::CompositePrimaryKeyMismatch => "ActiveRecord::CompositePrimaryKeyMismatchError",
        ErrorKind::UnknownModel => "NameError",
        ErrorKind::SubclassNotFound => "ActiveRecord::SubclassNotFound",
        ErrorKind::EagerLoadPolymorphic => "ActiveRecord::EagerLoadPolymorphicError",
        ErrorKind::TooManyRecords => "ActiveRecord::NestedAttributes::TooManyRecords",
        ErrorKind::OwnerNotDestroyed => "ActiveRecord::DestroyAssociationAsyncError",
        ErrorKind::Rollback => ROLLBACK,
        ErrorKind::Deadlocked => "ActiveRecord::Deadlocked",
        ErrorKind::SerializationFailure => "ActiveRecord::SerializationFailure",
        ErrorKind::LockWaitTimeout => "ActiveRecord::LockWaitTimeout",
        ErrorKind::QueryCanceled => "ActiveRecord::QueryCanceled",
        ErrorKind::ConnectionNotEstablished => "ActiveRecord::ConnectionNotEstablished",
        ErrorKind::ReadOnlyDatabase => "ActiveRecord::ReadOnlyError",
        ErrorKind::StatementInvalid => "ActiveRecord::StatementInvalid",
        ErrorKind::Configuration => "ActiveRecord::ConfigurationError",
        ErrorKind::StrictValidationFailed => "ActiveModel::StrictValidationFailed",
        ErrorKind::NotPersisted => "ActiveRecord::ActiveRecordError",
        ErrorKind::Argument | ErrorKind::IncompatibleRelation => "ArgumentError",
        _ => "StandardError",
    }
}
