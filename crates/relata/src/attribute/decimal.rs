//! `rust_decimal::Decimal`.
//!
//! How many digits a column keeps is the database's affair: SQLite keeps 15, and refuses to be given more. It also
//! drops zeros at the end of a fraction: `1.50` comes back as the equal `1.5`.
//!
//! Invariant: text becomes the number that it says, or is refused; nothing is rounded to fit.

use std::borrow::Cow;

use ::rust_decimal::Decimal;

use super::{Stored, Value};

by_value! {
    Decimal, "Decimal", Decimal, number, Value::from, Decimal::ZERO;
}

fn number(stored: Stored<'_>) -> Option<Decimal> {
    // `FromStr` would round digits beyond the 28th.
    Decimal::from_str_exact(stored.text()).ok()
}

impl From<Decimal> for Value<'_> {
    fn from(value: Decimal) -> Self {
        Self::Decimal(Cow::Owned(value.to_string()))
    }
}
