//! The types of `time`: `OffsetDateTime` (read in UTC), `PrimitiveDateTime`, `Date`, `Time`.
//!
//! Columns hold microseconds. A setter cuts a finer fraction off at once (towards the past), so that an attribute
//! reads the same before and after it is saved.
//!
//! Invariant: what `check` lets in has a value of the type, and is written as text that is read back as the same
//! number; years beyond what microseconds in 64 bits can count (feature `large-dates` of `time`) are refused.

use ::time::{Date, OffsetDateTime, PrimitiveDateTime, Time};

use super::calendar::MICROS_A_DAY;
use super::{Stored, Value};

/// 1970-01-01 as a Julian day.
const EPOCH: i32 = 2_440_588;

by_value! {
    OffsetDateTime, "OffsetDateTime", Timestamp, instant, Value::from, OffsetDateTime::UNIX_EPOCH;
    PrimitiveDateTime, "PrimitiveDateTime", DateTime, date_time, Value::from, local(OffsetDateTime::UNIX_EPOCH);
    Date, "Date", Date, date, Value::from, OffsetDateTime::UNIX_EPOCH.date();
    Time, "Time", Time, time, Value::from, Time::MIDNIGHT;
}

fn instant(stored: Stored<'_>) -> Option<OffsetDateTime> {
    let micros = stored.int();
    // The ends stand for instants that did not fit: see `micros`.
    if micros == i64::MIN || micros == i64::MAX {
        return None;
    }
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()
}

fn date_time(stored: Stored<'_>) -> Option<PrimitiveDateTime> {
    instant(stored).map(local)
}

fn date(stored: Stored<'_>) -> Option<Date> {
    let days = i32::try_from(stored.int()).ok()?;
    // Text of a date is read by way of its midnight.
    i64::from(days).checked_mul(MICROS_A_DAY)?;
    Date::from_julian_day(days.checked_add(EPOCH)?).ok()
}

fn time(stored: Stored<'_>) -> Option<Time> {
    let micros = u64::try_from(stored.int()).ok()?;
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = u32::try_from(micros % 1_000_000).ok()?;
    Time::from_hms_micro(
        u8::try_from(hour).ok()?,
        u8::try_from(minute).ok()?,
        u8::try_from(second).ok()?,
        fraction,
    )
    .ok()
}

fn local(instant: OffsetDateTime) -> PrimitiveDateTime {
    PrimitiveDateTime::new(instant.date(), instant.time())
}

/// Microseconds since 1970; an end of the range, which `check` refuses, for what is beyond it.
fn micros(instant: OffsetDateTime) -> i64 {
    let micros = instant.unix_timestamp_nanos().div_euclid(1_000);
    i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })
}

/// The instant, whatever the offset.
impl From<OffsetDateTime> for Value<'_> {
    fn from(value: OffsetDateTime) -> Self {
        Self::Timestamp(micros(value))
    }
}

impl From<PrimitiveDateTime> for Value<'_> {
    fn from(value: PrimitiveDateTime) -> Self {
        Self::DateTime(micros(value.assume_utc()))
    }
}

impl From<Date> for Value<'_> {
    fn from(value: Date) -> Self {
        // Cannot saturate: Julian days of `time` begin at year -999999.
        Self::Date(value.to_julian_day().saturating_sub(EPOCH))
    }
}

impl From<Time> for Value<'_> {
    fn from(value: Time) -> Self {
        let (hour, minute, second, micros) = value.as_hms_micro();
        let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
        Self::Time(seconds * 1_000_000 + i64::from(micros))
    }
}
