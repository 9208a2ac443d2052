//! The fields of a form, whose names say how they nest: `comments_attributes[0][body]`, `tag_ids[]`.

use super::{DEEPEST, Param, Params};
use crate::error::{Error, ErrorKind, Result};

/// How many fields a form may have.
const MOST: usize = 4096;

impl Params {
    /// The fields of a form, decoded, in their order: `title`, `comments_attributes[0][body]` for what is nested and
    /// `tag_ids[]` for what is a list. Of one name given twice the last holds, so a hidden field may stand before a box.
    /// Rails: what Rack makes of a form.
    ///
    /// ```
    /// use relata::Params;
    ///
    /// let params = Params::from_form([("title", "x"), ("tag_ids[]", "1"), ("tag_ids[]", "2"), ("author[name]", "Ann")])?;
    /// let author = Params::new().with("name", "Ann");
    /// let same = Params::new().with("title", "x").with("tag_ids", ["1", "2"]).with("author", author);
    /// assert_eq!(params, same);
    /// # Ok::<(), relata::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Argument` for a name that is one thing in one field and another in the next, that nests deeper than 32 levels, and
    /// for more than 4,096 fields.
    pub fn from_form<N: AsRef<str>, V: Into<String>>(
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self> {
        let mut params = Self::new();
        for (count, (name, value)) in fields.into_iter().enumerate() {
            let name = name.as_ref();
            if count == MOST {
                return Err(refused(name, "the form has more than 4,096 fields"));
            }
            let (first, keys) = keys(name)?;
            insert(&mut params, first, &keys, value.into())
                .ok_or_else(|| refused(name, "an earlier field has another shape"))?;
        }
        Ok(params)
    }
}

fn refused(name: &str, why: &str) -> Error {
    let message = format!("the field {name} of the form cannot be read: {why}");
    Error::new(ErrorKind::Argument, message).with_attribute(name)
}

/// `a[b][]` as `a`, and `b` and nothing.
fn keys(name: &str) -> Result<(&str, Vec<&str>)> {
    let Some((first, rest)) = name.split_once('[').filter(|(first, _)| !first.is_empty()) else {
        return Ok((name, Vec::new()));
    };
    let Some(rest) = rest.strip_suffix(']') else {
        return Ok((name, Vec::new()));
    };
    let keys: Vec<&str> = rest.split("][").collect();
    if keys.len() >= DEEPEST {
        return Err(refused(name, "it nests deeper than 32 levels"));
    }
    Ok((first, keys))
}

fn insert(params: &mut Params, name: &str, keys: &[&str], value: String) -> Option<()> {
    let mut held = params;
    let mut name = name;
    for (at, key) in keys.iter().enumerate() {
        let last = at + 1 == keys.len();
        if key.is_empty() {
            // A list of values: what is listed has no keys of its own, as there is no telling whose they are.
            if !last {
                return None;
            }
            if held.get(name).is_none() {
                held.push(name.to_owned(), Param::List(Vec::new()));
            }
            return match held.get_mut(name) {
                Some(Param::List(list)) => {
                    list.push(value.into());
                    Some(())
                }
                _ => None,
            };
        }
        if held.get(name).is_none() {
            held.push(name.to_owned(), Param::Map(Params::new()));
        }
        match held.get_mut(name) {
            Some(Param::Map(map)) => held = map,
            _ => return None,
        }
        name = key;
    }
    match held.get(name) {
        Some(Param::List(_) | Param::Map(_)) => None,
        _ => {
            held.set(name, value);
            Some(())
        }
    }
}
