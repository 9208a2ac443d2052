//! `Option`: the attribute types that may be null.
//!
//! Invariant: an `Option` changes whether a column may be null, and nothing else about it.

use super::{Attribute, Kind, Label, Stored, Value};

#[diagnostic::do_not_recommend]
impl<A: Attribute> Attribute for Option<A> {
    const NAME: &'static str = A::NAME;
    const KIND: Kind = A::KIND;
    const NULLABLE: bool = true;
    const CHECKED: bool = A::CHECKED;
    const LABELS: &'static [Label] = A::LABELS;
    type Ref<'a> = Option<A::Ref<'a>>;
    type Set<'a> = Option<A::Set<'a>>;

    #[inline]
    fn read(stored: Stored<'_>) -> Option<A::Ref<'_>> {
        if stored.is_null() {
            None
        } else {
            Some(A::read(stored))
        }
    }

    fn owned(stored: Stored<'_>) -> Self {
        if stored.is_null() {
            None
        } else {
            Some(A::owned(stored))
        }
    }

    fn write(value: Option<A::Set<'_>>) -> Value<'_> {
        value.map_or(Value::Null, A::write)
    }

    fn into_value(self) -> Value<'static> {
        self.map_or(Value::Null, A::into_value)
    }

    fn check(stored: Stored<'_>) -> Result<(), String> {
        A::check(stored)
    }
}
