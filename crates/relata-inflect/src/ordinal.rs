//! Ordinal numbers in figures.

/// The ordinal of a number, in figures.
///
/// ```
/// # use relata_inflect::ordinalize;
/// assert_eq!(ordinalize(1), "1st");
/// assert_eq!(ordinalize(22), "22nd");
/// assert_eq!(ordinalize(113), "113th");
/// assert_eq!(ordinalize(-3), "-3rd");
/// ```
pub fn ordinalize(number: i64) -> String {
    let size = number.unsigned_abs();
    let suffix = match (size % 100, size % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}
