//! The types of `chrono`: `DateTime<Utc>`, `NaiveDateTime`, `NaiveDate`, `NaiveTime`.
//!
//! Columns hold microseconds. A setter cuts a finer fraction off at once (towards the past), so that an attribute
//! reads the same before and after it is saved. A leap second's fraction falls into the second that follows; that
//! of the last second of a day without a date becomes its last microsecond.
//!
//! Invariant: what `check` lets in has a value of the type; what these types can be fits the stored numbers.

use ::chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc};

use super::calendar::MICROS_A_DAY;
use super::{Stored, Value};

/// 1970-01-01, in days since the day before 0001-01-01, from which chrono counts.
const EPOCH: i32 = 719_163;

by_value! {
    DateTime<Utc>, "DateTime<Utc>", Timestamp, instant, Value::from, DateTime::UNIX_EPOCH;
    NaiveDateTime, "NaiveDateTime", DateTime, date_time, Value::from, DateTime::UNIX_EPOCH.naive_utc();
    NaiveDate, "NaiveDate", Date, date, Value::from, DateTime::UNIX_EPOCH.date_naive();
    NaiveTime, "NaiveTime", Time, time, Value::from, NaiveTime::MIN;
}

fn instant(stored: Stored<'_>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(stored.int())
}

fn date_time(stored: Stored<'_>) -> Option<NaiveDateTime> {
    instant(stored).map(|instant| instant.naive_utc())
}

fn date(stored: Stored<'_>) -> Option<NaiveDate> {
    let days = i32::try_from(stored.int()).ok()?;
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(EPOCH)?)
}

fn time(stored: Stored<'_>) -> Option<NaiveTime> {
    let micros = u64::try_from(stored.int()).ok()?;
    let seconds = u32::try_from(micros / 1_000_000).ok()?;
    let fraction = u32::try_from(micros % 1_000_000).ok()?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, fraction * 1_000)
}

/// The instant, whatever the zone.
impl<Tz: TimeZone> From<DateTime<Tz>> for Value<'_> {
    fn from(value: DateTime<Tz>) -> Self {
        Self::Timestamp(value.timestamp_micros())
    }
}

impl From<NaiveDateTime> for Value<'_> {
    fn from(value: NaiveDateTime) -> Self {
        Self::DateTime(value.and_utc().timestamp_micros())
    }
}

impl From<NaiveDate> for Value<'_> {
    fn from(value: NaiveDate) -> Self {
        // Cannot saturate: chrono's years end at 262142.
        Self::Date(value.num_days_from_ce().saturating_sub(EPOCH))
    }
}

impl From<NaiveTime> for Value<'_> {
    fn from(value: NaiveTime) -> Self {
        let micros = i64::from(value.num_seconds_from_midnight()) * 1_000_000
            + i64::from(value.nanosecond() / 1_000);
        // A leap second at 23:59:60 has no place in a day of 24 hours.
        Self::Time(micros.min(MICROS_A_DAY - 1))
    }
}
