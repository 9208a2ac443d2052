//! Dates and times as text, for databases that keep them so: `2024-01-31 12:00:00.000000`.
//!
//! The calendar is the proleptic Gregorian one; days are counted from 1970-01-01 by the usual arithmetic on years
//! that begin in March.
//!
//! Invariant: what `format_*` writes, `parse_*` reads as the same number, and texts of one kind sort as their
//! numbers do (years 0 to 9999).

/// Microseconds in a day.
pub(crate) const MICROS_A_DAY: i64 = 86_400_000_000;

/// Days since 1970-01-01 of a date.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0i64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
    })
}

/// `2024-01-31`, with an optional sign and more digits for far years.
fn date(text: &[u8]) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = rest.split(|&byte| byte == b'-');
    let (year, month, day) = (
        number(parts.next()?)?,
        number(parts.next()?)?,
        number(parts.next()?)?,
    );
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || year > 999_999
    {
        return None;
    }
    let year = if negative { -year } else { year };
    let days = days_from_civil(year, month, day);
    // 31 February comes back as March.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

/// `12:30`, `12:30:15`, `12:30:15.25`: microseconds since midnight.
fn time(text: &[u8]) -> Option<i64> {
    let mut parts = text.splitn(3, |&byte| byte == b':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    let (second, micros) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.iter().position(|&byte| byte == b'.') {
            None => (number(seconds)?, 0),
            Some(dot) => {
                let fraction = &seconds[dot + 1..];
                // Finer than microseconds would be cut: it is refused unless the rest is zeros.
                let (kept, rest) = fraction.split_at(fraction.len().min(6));
                if kept.is_empty() || rest.iter().any(|&digit| digit != b'0') {
                    return None;
                }
                let scale = 10i64.pow(6 - u32::try_from(kept.len()).ok()?);
                (number(&seconds[..dot])?, number(kept)? * scale)
            }
        },
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000 + micros)
}

/// `12:30:00+02:00`, `12:30:00 -0500`: microseconds since midnight in UTC, which may lie in the day before or after.
#[cold]
fn time_elsewhere(text: &[u8]) -> Option<i64> {
    let sign = text.iter().rposition(|byte| matches!(byte, b'+' | b'-'))?;
    let (clock, offset) = (text[..sign].trim_ascii_end(), &text[sign + 1..]);
    let (hours, minutes) = match offset {
        [hours @ .., b':', a, b] if hours.len() == 2 => (number(hours)?, number(&[*a, *b])?),
        [hours @ .., a, b] if hours.len() == 2 => (number(hours)?, number(&[*a, *b])?),
        [_, _] => (number(offset)?, 0),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = (hours * 60 + minutes) * 60_000_000;
    let clock = time(clock)?;
    Some(if text[sign] == b'+' {
        clock - ahead
    } else {
        clock + ahead
    })
}

/// Microseconds since 1970-01-01 of `2024-01-31 12:00:00`, with or without fraction, `T`, `Z` or an offset, as RFC 3339 has
/// it; of a date alone, its midnight.
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let text = text
        .strip_suffix(b"Z")
        .or_else(|| text.strip_suffix(b"+00:00"))
        .or_else(|| text.strip_suffix(b" UTC"))
        .unwrap_or(text);
    let (day, clock) = match text.iter().position(|&byte| byte == b' ' || byte == b'T') {
        Some(at) => {
            let clock = &text[at + 1..];
            (
                date(&text[..at])?,
                time(clock).or_else(|| time_elsewhere(clock))?,
            )
        }
        None => (date(text)?, 0),
    };
    day.checked_mul(MICROS_A_DAY)?.checked_add(clock)
}

/// Days since 1970-01-01 of `2024-01-31`, or of a timestamp at midnight.
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    let micros = parse_timestamp(text)?;
    if micros % MICROS_A_DAY != 0 {
        return None;
    }
    i32::try_from(micros / MICROS_A_DAY).ok()
}

/// Microseconds since midnight of `12:00:00`.
pub(crate) fn parse_time(text: &[u8]) -> Option<i64> {
    time(text)
}

/// `2024-01-31 12:00:00.000000`
pub(crate) fn format_timestamp(micros: i64) -> String {
    let (days, rest) = (
        micros.div_euclid(MICROS_A_DAY),
        micros.rem_euclid(MICROS_A_DAY),
    );
    let (year, month, day) = civil_from_days(days);
    let sign = if year < 0 { "-" } else { "" };
    format!(
        "{sign}{:04}-{month:02}-{day:02} {}",
        year.abs(),
        format_time(rest)
    )
}

/// `2024-01-31`
pub(crate) fn format_date(days: i32) -> String {
    let (year, month, day) = civil_from_days(i64::from(days));
    let sign = if year < 0 { "-" } else { "" };
    format!("{sign}{:04}-{month:02}-{day:02}", year.abs())
}

/// `12:00:00.000000`
pub(crate) fn format_time(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    format!(
        "{:02}:{:02}:{:02}.{fraction:06}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_have_their_numbers() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2024-01-01", 19_723),
            ("0001-01-01", -719_162),
        ] {
            assert_eq!(parse_date(text.as_bytes()), Some(days), "{text}");
            assert_eq!(format_date(days), text);
        }
    }

    #[test]
    fn offsets_lead_to_utc() {
        let utc = parse_timestamp(b"2024-01-31T12:00:00.25Z");
        assert!(utc.is_some());
        for text in [
            "2024-01-31T14:00:00.25+02:00",
            "2024-01-31 14:00:00.25 +0200",
            "2024-01-31 14:00:00.25+02",
            "2024-01-31T06:30:00.25-05:30",
            "2024-02-01T01:00:00.25+13:00",
            "2024-01-30T23:00:00.25-13:00",
            "2024-01-31T12:00:00.25-00:00",
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), utc, "{text}");
        }
        for text in [
            "2024-01-31T12:00:00+24:00",
            "2024-01-31T12:00:00+02:60",
            "2024-01-31T12:00:00+2",
            "2024-01-31T12:00:00+02:0x",
            "2024-01-31T12:00:00+",
            "2024-01-31T+02:00",
            "2024-01-31+02:00",
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), None, "{text}");
        }
        // A day has no offset: its midnight elsewhere is another day here.
        assert_eq!(parse_date(b"2024-01-31T00:00:00+02:00"), None);
    }

    #[test]
    fn every_day_of_four_hundred_years_comes_back() {
        for days in -150_000..150_000 {
            assert_eq!(parse_date(format_date(days).as_bytes()), Some(days));
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2023-02-29",
            "2023-13-01",
            "2023-00-01",
            "2023-04-31",
            "0000-00-00",
            "",
            "x",
            "2023-1",
        ] {
            assert_eq!(parse_date(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_in_all_their_forms() {
        let noon = 19_723 * MICROS_A_DAY + 43_200_000_000;
        for text in [
            "2024-01-01 12:00:00",
            "2024-01-01T12:00:00Z",
            "2024-01-01 12:00:00.000000",
            "2024-01-01 12:00",
            "2024-01-01T12:00:00+00:00",
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), Some(noon), "{text}");
        }
        assert_eq!(
            parse_timestamp(b"2024-01-01 12:00:00.25"),
            Some(noon + 250_000)
        );
        assert_eq!(format_timestamp(noon + 1), "2024-01-01 12:00:00.000001");
        assert_eq!(format_timestamp(-1), "1969-12-31 23:59:59.999999");
        assert_eq!(parse_timestamp(b"1969-12-31 23:59:59.999999"), Some(-1));
        assert_eq!(parse_timestamp(b"2024-01-01 12:00:00.0000001"), None);
        assert_eq!(parse_time(b"24:00:00"), None);
    }
}
