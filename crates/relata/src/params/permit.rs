//! The list of what may be taken from outside. Rails: strong parameters.
//!
//! Invariant: what is not on the list is not taken, at any depth, whatever its shape.

use std::borrow::Cow;

use super::{Param, Params};
use crate::error::{Error, ErrorKind, Result};

/// Which names may be assigned, and of what shape. Made by [`permit!`](crate::permit), or by name. Rails: `permit`.
///
/// A name by itself takes one value, never a list or a map. What is not listed is left out, as in Rails, or with
/// [`strict`](Self::strict) an error.
///
/// ```
/// use relata::{Permit, permit};
///
/// let by_macro = permit![title, tag_ids: [], comments: [id, body, _destroy]];
/// let comment = Permit::new().name("id").name("body").name("_destroy");
/// let by_name = Permit::new().name("title").list("tag_ids").nested("comments", comment);
/// assert_eq!(by_macro, by_name);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permit {
    items: Vec<(Cow<'static, str>, Item)>,
    all: bool,
    strict: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    One,
    List,
    Document,
    Nested(Permit),
}

/// What the list says of one name.
pub(crate) enum Permitted<'a> {
    /// Its value may be set.
    Attribute,
    /// Its members may be given these.
    Nested(&'a Permit),
    /// It is not on the list, or not of its shape.
    No,
}

impl Permit {
    /// Nothing is permitted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything is, at every depth: for values that the program itself wrote, never for a client's. Rails: `permit!`.
    #[must_use]
    pub fn all() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// One value of that name.
    #[must_use]
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.item(name, Item::One)
    }

    /// A list of values: the keys of a collection's members (`tag_ids`), or a column that holds a list.
    /// Rails: `tag_ids: []`.
    #[must_use]
    pub fn list(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.item(name, Item::List)
    }

    /// Anything, for a column that holds documents. Rails: `meta: {}`.
    #[must_use]
    pub fn document(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.item(name, Item::Document)
    }

    /// What may be assigned to the members or the target of an association that accepts it. Those that are there are
    /// found by `id`, and destroyed by `_destroy`, where these are on the list. Rails: `comments_attributes: [:body]`.
    #[must_use]
    pub fn nested(self, association: impl Into<Cow<'static, str>>, permit: Self) -> Self {
        self.item(association, Item::Nested(permit))
    }

    /// What is given and not on the list is an error, here and in the nested lists.
    /// Rails: `action_on_unpermitted_parameters = :raise`.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self.items = self
            .items
            .into_iter()
            .map(|(name, item)| match item {
                Item::Nested(permit) => (name, Item::Nested(permit.strict())),
                item => (name, item),
            })
            .collect();
        self
    }

    fn item(mut self, name: impl Into<Cow<'static, str>>, item: Item) -> Self {
        let name = name.into();
        self.items.retain(|(known, _)| *known != name);
        self.items.push((name, item));
        self
    }

    fn find(&self, name: &str) -> Option<&Item> {
        let found = self.items.iter().find(|(known, _)| *known == name);
        found.map(|(_, item)| item)
    }

    /// What the list says of an attribute and what was given for it.
    pub(crate) fn of_attribute(&self, name: &str, given: &Param) -> Permitted<'_> {
        let fits = self.all
            || match self.find(name) {
                Some(Item::One) => matches!(given, Param::Value(_)),
                Some(Item::List) => is_flat(given),
                Some(Item::Document) => true,
                Some(Item::Nested(_)) | None => false,
            };
        if fits {
            Permitted::Attribute
        } else {
            Permitted::No
        }
    }

    /// What the list says of the members of an association.
    pub(crate) fn of_members(&self, association: &str) -> Permitted<'_> {
        match self.find(association) {
            _ if self.all => Permitted::Nested(self),
            Some(Item::Nested(permit)) => Permitted::Nested(permit),
            _ => Permitted::No,
        }
    }

    /// Whether `id` or `_destroy` of a member may be heeded.
    pub(crate) fn heeds(&self, name: &str) -> bool {
        self.all || self.find(name).is_some()
    }

    /// The names on the list that are attributes, and those of associations.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (&str, bool)> {
        self.items
            .iter()
            .map(|(name, item)| (name.as_ref(), matches!(item, Item::Nested(_))))
    }

    /// Passes over what is not on the list, or refuses it.
    pub(crate) fn leave_out(&self, name: &str) -> Result<()> {
        if !self.strict {
            return Ok(());
        }
        let message =
            format!("found unpermitted parameter: {name}. Permit it, of its shape, or take it out");
        Err(Error::new(ErrorKind::Argument, message).with_attribute(name))
    }

    /// What a function of the user may see of a member: what is on the list.
    pub(crate) fn seen(&self, given: &Params) -> Params {
        let mut seen = Params::new();
        for (name, param) in given.iter() {
            let members = name.strip_suffix("_attributes").unwrap_or(name);
            let shown = matches!(self.of_attribute(name, param), Permitted::Attribute)
                || matches!(self.of_members(members), Permitted::Nested(_));
            if shown {
                seen.push(name.to_owned(), param.clone());
            }
        }
        seen
    }
}

fn is_flat(given: &Param) -> bool {
    match given {
        Param::List(list) => list.iter().all(|one| matches!(one, Param::Value(_))),
        Param::Value(_) | Param::Map(_) => false,
    }
}

/// The list of what may be assigned from outside: names, `name: []` for a list of values, `name: {}` for a document,
/// `association: [...]` for what its members may be given. A [`Permit`](crate::Permit). Rails: `params.permit(...)`.
///
/// ```
/// let permit = relata::permit![title, body, tag_ids: [], settings: {}, comments: [id, body, _destroy]];
/// # drop(permit);
/// ```
#[macro_export]
macro_rules! permit {
    (@ $permit:expr,) => { $permit };
    (@ $permit:expr, $name:ident: [] $(, $($rest:tt)*)?) => {
        $crate::permit!(@ $permit.list(::core::stringify!($name)), $($($rest)*)?)
    };
    (@ $permit:expr, $name:ident: {} $(, $($rest:tt)*)?) => {
        $crate::permit!(@ $permit.document(::core::stringify!($name)), $($($rest)*)?)
    };
    (@ $permit:expr, $name:ident: [$($inner:tt)+] $(, $($rest:tt)*)?) => {
        $crate::permit!(@ $permit.nested(::core::stringify!($name), $crate::permit![$($inner)+]), $($($rest)*)?)
    };
    (@ $permit:expr, $name:ident $(, $($rest:tt)*)?) => {
        $crate::permit!(@ $permit.name(::core::stringify!($name)), $($($rest)*)?)
    };
    (@ $permit:expr, [$($inner:tt)*] $($rest:tt)*) => {
        ::core::compile_error!(
            "what the members of an association may be given stands in one pair of brackets: `comments: [id, body]`"
        )
    };
    (@ $permit:expr, : $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "names are written without a colon: `", ::core::stringify!($name), "`"
        ))
    };
    (@ $permit:expr, $($wrong:tt)+) => {
        ::core::compile_error!(
            "a list of what may be assigned has names, `name: []`, `name: {}` and `association: [...]`, with commas between them"
        )
    };
    ($($items:tt)*) => { $crate::permit!(@ $crate::Permit::new(), $($items)*) };
}
