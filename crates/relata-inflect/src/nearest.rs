//! The known name that a misspelled one was meant to be.

/// The candidate nearest to `word`, if any is near enough to be what was meant.
///
/// Nearness counts single letters inserted, left out, replaced, or swapped with their
/// neighbour, letter case aside. A third of the longer of the two names may differ, and at
/// least one letter; beyond that a suggestion misleads more than it helps. Of equally near
/// candidates the first is taken, so the order of the candidates decides and the message is
/// the same at every build.
///
/// ```
/// # use relata_inflect::nearest;
/// let options = ["class_name", "foreign_key", "dependent", "inverse_of"];
/// assert_eq!(nearest("dependant", options), Some("dependent"));
/// assert_eq!(nearest("foriegn_key", options), Some("foreign_key"));
/// assert_eq!(nearest("colour", options), None);
///
/// let columns: Vec<String> = vec!["id".into(), "author_id".into()];
/// assert_eq!(nearest("authorId", &columns), Some("author_id"));
/// ```
pub fn nearest<'c, I, S>(word: &str, candidates: I) -> Option<&'c str>
where
    I: IntoIterator<Item = &'c S>,
    S: AsRef<str> + ?Sized + 'c,
{
    let wanted = letters(word);
    let mut best: Option<(usize, &'c str)> = None;
    for candidate in candidates {
        let candidate = candidate.as_ref();
        let offered = letters(candidate);
        let longer = wanted.len().max(offered.len());
        // At least one letter must agree, or any "a" would be offered for any "b".
        let allowed = (longer / 3).max(1).min(longer.saturating_sub(1));
        if wanted.len().abs_diff(offered.len()) > allowed {
            continue;
        }
        let distance = distance(&wanted, &offered);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn letters(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).collect()
}

/// The Damerau-Levenshtein distance in its restricted form, which edits no letter twice.
///
/// A swap looks two rows back, so three rows of the table are all that is kept.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut two_back = vec![0; to.len() + 1];
    let mut one_back: Vec<usize> = (0..=to.len()).collect();
    let mut row = two_back.clone();
    for (i, a) in from.iter().enumerate() {
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = one_back[j] + usize::from(a != b);
            let mut least = replaced.min(one_back[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(two_back[j - 1] + 1);
            }
            row[j + 1] = least;
        }
        std::mem::swap(&mut two_back, &mut one_back);
        std::mem::swap(&mut one_back, &mut row);
    }
    one_back[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> usize {
        let (forth, back) = (
            distance(&letters(a), &letters(b)),
            distance(&letters(b), &letters(a)),
        );
        assert_eq!(forth, back, "{a} and {b} lie as far apart either way");
        forth
    }

    #[test]
    fn counts_each_kind_of_slip_once() {
        assert_eq!(between("posts", "posts"), 0);
        assert_eq!(between("posts", "post"), 1);
        assert_eq!(between("posts", "pasts"), 1);
        assert_eq!(between("posts", "psots"), 1);
        assert_eq!(between("", "abc"), 3);
        assert_eq!(between("kitten", "sitting"), 3);
        assert_eq!(between("Título", "tÍtulo"), 0);
        // The restricted form: a swapped pair is not parted again by a third letter.
        assert_eq!(between("ca", "abc"), 3);
    }

    #[test]
    fn offers_only_what_may_have_been_meant() {
        assert_eq!(nearest("", ["a", "id"]), None);
        assert_eq!(nearest("b", ["a"]), None);
        assert_eq!(nearest("di", ["id"]), Some("id"));
        assert_eq!(nearest("xy", ["id"]), None);
        assert_eq!(
            nearest("belongs", ["has_many", "belongs_to"]),
            Some("belongs_to")
        );
        assert_eq!(nearest("title", ["subtitle"]), None);
        assert_eq!(nearest("title", std::iter::empty::<&str>()), None);
    }

    #[test]
    fn the_nearest_wins_and_then_the_first() {
        assert_eq!(nearest("post", ["posts_x", "posts", "past"]), Some("posts"));
        assert_eq!(nearest("post", ["past", "posts"]), Some("past"));
        assert_eq!(nearest("POSTS", ["post", "posts"]), Some("posts"));
    }
}
