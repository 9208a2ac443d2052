//! The attribute types of the standard library.
//!
//! Invariant: an integer type refuses stored numbers outside its range; nothing is cut.

use std::borrow::Cow;

use super::{Attribute, Kind, Stored, Value};

macro_rules! integer {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Attribute for $type {
            const NAME: &'static str = stringify!($type);
            const KIND: Kind = Kind::Int;
            const CHECKED: bool = <$type>::BITS < 64;
            type Ref<'a> = $type;
            type Set<'a> = $type;

            #[inline]
            fn read(stored: Stored<'_>) -> $type {
                // In range: `check` refused everything else.
                <$type>::try_from(stored.int()).unwrap_or_default()
            }

            fn owned(stored: Stored<'_>) -> $type {
                Self::read(stored)
            }

            fn write(value: Self::Set<'_>) -> Value<'_> {
                Value::Int(i64::from(value))
            }

            fn into_value(self) -> Value<'static> {
                Self::write(self)
            }

            fn check(stored: Stored<'_>) -> Result<(), String> {
                match <$type>::try_from(stored.int()) {
                    Ok(_) => Ok(()),
                    Err(_) => Err(format!("{} does not fit {}", stored.int(), stringify!($type))),
                }
            }
        }
    )*};
}

integer!(i8, i16, i32, u8, u16, u32);

#[diagnostic::do_not_recommend]
impl Attribute for i64 {
    const NAME: &'static str = "i64";
    const KIND: Kind = Kind::Int;
    type Ref<'a> = i64;
    type Set<'a> = i64;

    #[inline]
    fn read(stored: Stored<'_>) -> i64 {
        stored.int()
    }

    fn owned(stored: Stored<'_>) -> i64 {
        Self::read(stored)
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        Value::Int(value)
    }

    fn into_value(self) -> Value<'static> {
        Self::write(self)
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for u64 {
    const NAME: &'static str = "u64";
    const KIND: Kind = Kind::Uint;
    type Ref<'a> = u64;
    type Set<'a> = u64;

    #[inline]
    fn read(stored: Stored<'_>) -> u64 {
        stored.uint()
    }

    fn owned(stored: Stored<'_>) -> u64 {
        Self::read(stored)
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        Value::Uint(value)
    }

    fn into_value(self) -> Value<'static> {
        Self::write(self)
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for f64 {
    const NAME: &'static str = "f64";
    const KIND: Kind = Kind::Float;
    type Ref<'a> = f64;
    type Set<'a> = f64;

    #[inline]
    fn read(stored: Stored<'_>) -> f64 {
        stored.float()
    }

    fn owned(stored: Stored<'_>) -> f64 {
        Self::read(stored)
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        Value::Float(value)
    }

    fn into_value(self) -> Value<'static> {
        Self::write(self)
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for f32 {
    const NAME: &'static str = "f32";
    const KIND: Kind = Kind::Float;
    const CHECKED: bool = true;
    type Ref<'a> = f32;
    type Set<'a> = f32;

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`check` lets only numbers in that f32 holds"
    )]
    fn read(stored: Stored<'_>) -> f32 {
        stored.float() as f32
    }

    fn owned(stored: Stored<'_>) -> f32 {
        Self::read(stored)
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        Value::Float(f64::from(value))
    }

    fn into_value(self) -> Value<'static> {
        Self::write(self)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast is what is being checked"
    )]
    fn check(stored: Stored<'_>) -> Result<(), String> {
        let value = stored.float();
        if value.is_finite() && (value as f32).is_infinite() {
            return Err(format!("{value} does not fit f32"));
        }
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for bool {
    const NAME: &'static str = "bool";
    const KIND: Kind = Kind::Bool;
    type Ref<'a> = bool;
    type Set<'a> = bool;

    #[inline]
    fn read(stored: Stored<'_>) -> bool {
        stored.bool()
    }

    fn owned(stored: Stored<'_>) -> bool {
        Self::read(stored)
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        Value::Bool(value)
    }

    fn into_value(self) -> Value<'static> {
        Self::write(self)
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for String {
    const NAME: &'static str = "String";
    const KIND: Kind = Kind::Text;
    type Ref<'a> = &'a str;
    type Set<'a> = &'a str;

    #[inline]
    fn read(stored: Stored<'_>) -> &str {
        stored.text()
    }

    fn owned(stored: Stored<'_>) -> String {
        stored.text().to_owned()
    }

    fn into_value(self) -> Value<'static> {
        Value::Text(Cow::Owned(self))
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        Value::Text(Cow::Borrowed(value))
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for Vec<u8> {
    const NAME: &'static str = "Vec<u8>";
    const KIND: Kind = Kind::Bytes;
    type Ref<'a> = &'a [u8];
    type Set<'a> = &'a [u8];

    #[inline]
    fn read(stored: Stored<'_>) -> &[u8] {
        stored.bytes()
    }

    fn owned(stored: Stored<'_>) -> Vec<u8> {
        stored.bytes().to_vec()
    }

    fn into_value(self) -> Value<'static> {
        Value::Bytes(Cow::Owned(self))
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        Value::Bytes(Cow::Borrowed(value))
    }
}
