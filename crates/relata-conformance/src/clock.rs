//! The times of a scenario: a clock that moves only when it is told to, and the text of an instant.
//!
//! Invariant: the first instant is 2024-01-01 12:00:00 UTC, and nothing asks the machine for the time.

/// Where the clock starts, in microseconds since 1970-01-01 00:00:00 UTC.
pub const START: i64 = 1_704_110_400_000_000;

const DAY: i64 = 86_400;

/// `2024-01-01 12:00:00`; with a fraction if there is one.
#[must_use]
pub fn format(micros: i64) -> String {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let text = format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    if fraction == 0 {
        text
    } else {
        format!("{text}.{fraction:06}")
    }
}

/// The instant that a text is; none if it is no time.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim_end_matches(" UTC").trim_end_matches('Z');
    let (date, time) = text.split_once([' ', 'T'])?;
    let mut parts = date.splitn(3, '-');
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
    let (year, month, day) = (number()?, number()?, number()?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.splitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (number()?, number()?, number()?);
    let micros = if fraction.is_empty() {
        0
    } else {
        format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok()?
    };
    let days = days(year, month, day);
    Some((days * DAY + hour * 3600 + minute * 60 + second) * 1_000_000 + micros)
}

/// Days since 1970-01-01 of a date; years begin in March, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12 + 1;
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_and_its_text_are_the_same() {
        assert_eq!(format(START), "2024-01-01 12:00:00");
        for text in [
            "2024-02-29 23:59:59",
            "1969-12-31 00:00:01",
            "2000-03-01 00:00:00.500000",
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Some(text));
        }
        assert_eq!(parse("hello world"), None);
    }
}
