//! What of a record is given on: which attributes, which associations that are loaded, and what functions say of it.
//!
//! Invariant: a secret column is never among it, and nothing is loaded for it.

#[cfg(feature = "serde")]
mod serde;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::params::{Param, Params};
use crate::record::Record;
use crate::reflection::Column;

type Name = Cow<'static, str>;
type Method = Arc<dyn Fn(&Record) -> Result<Param> + Send + Sync>;

/// Which parts of a record are given on: by default all attributes but the secret ones, and no association.
/// Rails: the options of `serializable_hash` and `as_json`.
///
/// ```
/// use relata::Fields;
///
/// let fields = Fields::new().only(["id", "title"]).include("comments", Fields::new().except(["post_id"]));
/// # drop(fields);
/// ```
#[derive(Clone, Default)]
pub struct Fields {
    only: Option<Vec<Name>>,
    except: Vec<Name>,
    include: Vec<(Name, Fields)>,
    methods: Vec<(Name, Method)>,
}

impl Fields {
    /// All attributes but the secret ones.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These attributes alone.
    #[must_use]
    pub fn only<N: Into<Name>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// All attributes but these.
    #[must_use]
    pub fn except<N: Into<Name>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.except.extend(names.into_iter().map(Into::into));
        self
    }

    /// An association that is loaded: its target or members, with these parts of them.
    #[must_use]
    pub fn include(mut self, association: impl Into<Name>, fields: Self) -> Self {
        self.include.push((association.into(), fields));
        self
    }

    /// What a function says of the record, under a name. Rails: `methods`.
    #[must_use]
    pub fn method<M: Model, P: Into<Param>>(
        mut self,
        name: impl Into<Name>,
        say: impl Fn(&M) -> P + Send + Sync + 'static,
    ) -> Self {
        let method: Method =
            Arc::new(move |record| Ok(say(&M::from_record(record.clone())?).into()));
        self.methods.push((name.into(), method));
        self
    }

    fn check(&self, record: &Record) -> Result<()> {
        let model = record.reflection();
        for name in self.only.iter().flatten().chain(&self.except) {
            model.attribute(name)?;
        }
        for name in self.only.iter().flatten() {
            let column = model.columns().iter().find(|column| column.name() == name);
            if column.is_some_and(is_hidden) {
                let message = format!(
                    "{}.{name} is secret, and is not given on. If it must be, say so with a function: \
                     `method(\"{name}\", ...)`",
                    model.name()
                );
                let error = Error::new(ErrorKind::Argument, message);
                return Err(error.with_model(model.name()).with_attribute(name.as_ref()));
            }
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        let listed = |names: &[Name]| names.iter().any(|one| one == name);
        self.only.as_deref().is_none_or(listed) && !listed(&self.except)
    }
}

/// Whether a column is never given on.
fn is_hidden(column: &Column) -> bool {
    column.is_secret() || column.name().ends_with("password_digest")
}

impl Record {
    /// The parts of the record, by name: its attributes but the secret ones, then what functions say, then associations
    /// that are loaded. Columns that were not selected are left out. Never touches the database.
    /// Rails: `serializable_hash`.
    ///
    /// ```
    /// # use relata::{Db, Fields, Param, model};
    /// #[model]
    /// pub struct User {
    ///     id: i64,
    ///     name: String,
    ///     #[column(secret)]
    ///     token: String,
    /// }
    ///
    /// let user = User::build(&Db::detached(), |u| u.set_name("Ann").set_token("x"));
    /// let fields = Fields::new().except(["id"]).method("initial", |u: &User| u.name()[..1].to_owned());
    /// let parts = user.serializable_hash(&fields)?;
    /// assert_eq!(parts.names().collect::<Vec<_>>(), ["name", "initial"]);
    /// # Ok::<(), relata::Error>(())
    /// ```
    ///
    /// # Errors
    /// `UnknownAttribute` and `AssociationNotFound` with the nearest name; `Argument` for an association that is not
    /// loaded, for a secret column that is named, and for a function of another model.
    pub fn serializable_hash(&self, fields: &Fields) -> Result<Params> {
        fields.check(self)?;
        let mut parts = Params::new();
        let columns = self.reflection().columns();
        for (name, value) in self.attributes() {
            let column = columns.iter().find(|column| column.name() == name);
            if fields.has(name) && !column.is_some_and(is_hidden) {
                parts.push(name.to_owned(), value.into_owned().into());
            }
        }
        for (name, method) in &fields.methods {
            parts.set(name.as_ref(), method(self)?);
        }
        for (name, inner) in &fields.include {
            parts.set(name.as_ref(), self.members(name, inner)?);
        }
        Ok(parts)
    }

    fn members(&self, name: &str, fields: &Fields) -> Result<Param> {
        let association = self.association(name)?;
        if !association.is_loaded() {
            let message = format!(
                "{association:?} is not loaded, and is not loaded for this: load it with the records, \
                 `includes(|it| it.{name})`"
            );
            return Err(association.error(ErrorKind::Argument, message));
        }
        let mut members = Vec::new();
        for member in association.target() {
            members.push(Param::Map(member.serializable_hash(fields)?));
        }
        Ok(if association.reflection().is_collection() {
            Param::List(members)
        } else {
            members.pop().into()
        })
    }

    /// The parts of the record as JSON. Never touches the database. Rails: `as_json`.
    ///
    /// # Errors
    /// As [`serializable_hash`](Self::serializable_hash).
    #[cfg(feature = "json")]
    pub fn as_json(&self, fields: &Fields) -> Result<serde_json::Value> {
        Ok(Param::Map(self.serializable_hash(fields)?).into())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<&Name> = self.methods.iter().map(|(name, _)| name).collect();
        f.debug_struct("Fields")
            .field("only", &self.only)
            .field("except", &self.except)
            .field("include", &self.include)
            .field("methods", &methods)
            .finish()
    }
}
