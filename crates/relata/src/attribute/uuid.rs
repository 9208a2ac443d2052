//! `uuid::Uuid`.
//!
//! Invariant: all 128 bits come back; every number of 128 bits is a UUID, so nothing is refused.

use ::uuid::Uuid;

use super::{Attribute, Kind, Stored, Value};

#[diagnostic::do_not_recommend]
impl Attribute for Uuid {
    const NAME: &'static str = "Uuid";
    const KIND: Kind = Kind::Uuid;
    type Ref<'a> = Uuid;
    type Set<'a> = Uuid;

    #[inline]
    fn read(stored: Stored<'_>) -> Uuid {
        Uuid::from_u128(stored.uuid())
    }

    fn owned(stored: Stored<'_>) -> Uuid {
        Self::read(stored)
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        Value::from(value)
    }

    fn into_value(self) -> Value<'static> {
        Value::from(self)
    }
}

impl From<Uuid> for Value<'_> {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value.as_u128())
    }
}
