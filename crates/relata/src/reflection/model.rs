//! The description of one model, built in a `static` by the macro or leaked by [`ModelBuilder`] at run time.
//!
//! Invariant: a column's or association's position never changes; records and links are indexed by it.

mod written;

use std::any::Any;
use std::fmt;
use std::sync::OnceLock;

use super::association::nothing_at;
use super::hooks::Hooks;
use super::resolve::Resolved;
use super::{
    AssociationReflection, Column, Enumeration, Inheritance, Layout, Locking, Macro, Reflected,
    SecurePassword, Stamps, Target, Timestamps,
};
use crate::attribute::value::Value;
use crate::callback::{Callback, TokenPurpose};
use crate::error::{Error, ErrorKind, Result};
use crate::relation::Scope;
use crate::sql::Place;
use crate::validation::Validation;

/// What stands in `#[callbacks] impl Post`.
#[derive(Debug)]
pub struct Callbacks {
    callbacks: &'static [Callback],
    validations: &'static [Validation],
    tokens: &'static [TokenPurpose],
}

impl Callbacks {
    /// None.
    pub const NONE: Self = Self::new(&[], &[]);

    /// Callbacks and validations by functions, in the order of declaration.
    #[must_use]
    pub const fn new(callbacks: &'static [Callback], validations: &'static [Validation]) -> Self {
        Self {
            callbacks,
            validations,
            tokens: &[],
        }
    }

    /// What tokens are for. Rails: `generates_token_for`.
    #[must_use]
    pub const fn with_tokens(mut self, tokens: &'static [TokenPurpose]) -> Self {
        self.tokens = tokens;
        self
    }
}

/// Everything that is known about a model.
///
/// Compared by address: a model has exactly one reflection.
pub struct ModelReflection {
    name: &'static str,
    table: &'static str,
    doc: &'static str,
    primary_key: &'static [usize],
    pub(super) query_constraints: &'static [usize],
    columns: &'static [Column],
    associations: &'static [AssociationReflection],
    validations: &'static [Validation],
    more_validations: &'static [Validation],
    callbacks: &'static [Callback],
    hooks: OnceLock<Hooks>,
    counters: OnceLock<Vec<usize>>,
    strict_loading: bool,
    pub(super) stored_name: Option<&'static str>,
    pub(super) parent: Option<Target>,
    pub(super) above: OnceLock<Option<&'static ModelReflection>>,
    pub(super) inheritance: Option<Inheritance>,
    pub(super) default_scope: Option<&'static Scope>,
    scopes: &'static [(&'static str, Scope)],
    enumerations: &'static [Enumeration],
    timestamps: Timestamps,
    pub(super) locking: Locking,
    locked: OnceLock<Option<usize>>,
    tokens: &'static [TokenPurpose],
    passwords: OnceLock<Vec<(usize, SecurePassword)>>,
    layout: OnceLock<Layout>,
    stamps: OnceLock<Stamps>,
    resolved: OnceLock<Box<[OnceLock<Result<&'static Resolved>>]>>,
    texts: OnceLock<Box<dyn Any + Send + Sync>>,
    place: OnceLock<Place>,
}

impl ModelReflection {
    /// A model of that name on that table; the other parts follow as `with_*`.
    #[must_use]
    pub const fn new(name: &'static str, table: &'static str) -> Self {
        Self {
            name,
            table,
            doc: "",
            primary_key: &[],
            query_constraints: &[],
            columns: &[],
            associations: &[],
            validations: &[],
            more_validations: &[],
            callbacks: &[],
            hooks: OnceLock::new(),
            counters: OnceLock::new(),
            strict_loading: false,
            stored_name: None,
            parent: None,
            above: OnceLock::new(),
            inheritance: None,
            default_scope: None,
            scopes: &[],
            enumerations: &[],
            timestamps: Timestamps::Conventional,
            locking: Locking::Conventional,
            locked: OnceLock::new(),
            tokens: &[],
            passwords: OnceLock::new(),
            layout: OnceLock::new(),
            stamps: OnceLock::new(),
            resolved: OnceLock::new(),
            texts: OnceLock::new(),
            place: OnceLock::new(),
        }
    }

    /// The scopes that are called by name.
    #[must_use]
    pub fn scopes(&self) -> &'static [(&'static str, Scope)] {
        match (self.scopes, self.parent()) {
            ([], Some(parent)) => parent.scopes(),
            (own, _) => own,
        }
    }

    /// The attributes whose values have labels. Rails: `defined_enums`.
    #[must_use]
    pub fn enumerations(&self) -> &'static [Enumeration] {
        match (self.enumerations, self.parent()) {
            ([], Some(parent)) => parent.enumerations(),
            (own, _) => own,
        }
    }

    /// The scope that every query for the model begins with. Rails: `default_scope`.
    #[must_use]
    pub fn default_scope(&self) -> Option<&'static Scope> {
        self.default_scope
    }

    /// The column that holds the version of a row, if the model has one: a record that is not of the row's version is
    /// not written. Rails: `locking_column`, `locking_enabled?`.
    #[must_use]
    pub fn locking_column(&self) -> Option<&'static Column> {
        self.columns.get(self.locking_position()?)
    }

    #[inline]
    pub(crate) fn locking_position(&self) -> Option<usize> {
        *self
            .locked
            .get_or_init(|| self.locking().position(self.columns))
    }

    // What the rows of a table keep is said once for all classes of it.
    fn locking(&self) -> Locking {
        self.parent().map_or(self.locking, Self::locking)
    }

    fn timestamps(&self) -> Timestamps {
        self.parent().map_or(self.timestamps, Self::timestamps)
    }

    /// The columns that hold digests of passwords, and what these are called.
    pub fn secure_passwords(&self) -> &[(usize, SecurePassword)] {
        self.passwords.get_or_init(|| {
            let columns = self.columns.iter().enumerate();
            columns
                .filter_map(|(position, column)| Some((position, column.password?)))
                .collect()
        })
    }

    /// What tokens of the model's records are for. Rails: `generates_token_for`.
    #[must_use]
    pub fn token_purposes(&self) -> &'static [TokenPurpose] {
        match (self.tokens, self.parent()) {
            ([], Some(parent)) => parent.tokens,
            (own, _) => own,
        }
    }

    /// The model's name, `Post`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The table's name, `posts`. Rails: `table_name`.
    #[must_use]
    pub fn table(&self) -> &'static str {
        self.table
    }

    /// The doc comment of the struct.
    #[must_use]
    pub fn documentation(&self) -> &'static str {
        self.doc
    }

    /// The columns, in the order of the fields.
    #[must_use]
    pub fn columns(&self) -> &'static [Column] {
        self.columns
    }

    /// The positions of the primary key's columns. Rails: `primary_key`.
    #[must_use]
    pub fn primary_key(&self) -> &'static [usize] {
        self.primary_key
    }

    /// The positions of the columns that name a row in every statement made from a record: those that were declared, as
    /// a shard's key and the primary key, or else the primary key. Rails: `query_constraints_list`.
    #[must_use]
    pub fn query_constraints(&self) -> &'static [usize] {
        match (self.query_constraints, self.parent()) {
            ([], Some(parent)) => parent.query_constraints(),
            ([], None) => self.primary_key,
            (declared, _) => declared,
        }
    }

    /// Whether `query_constraints` was written. Rails: `has_query_constraints?`.
    #[must_use]
    pub fn has_query_constraints(&self) -> bool {
        !self.query_constraints.is_empty() || self.parent().is_some_and(Self::has_query_constraints)
    }

    /// The names of the primary key's attributes.
    pub fn primary_key_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.primary_key
            .iter()
            .filter_map(|&position| self.columns.get(position))
            .map(Column::name)
    }

    /// The validations: those of the fields, then those of functions, each in the order of declaration.
    /// Rails: `validators`.
    pub fn validations(&self) -> impl Iterator<Item = &'static Validation> + use<> {
        self.all_validations().into_iter()
    }

    /// Those of its parent come first.
    fn all_validations(&self) -> Vec<&'static Validation> {
        let mut all = self.parent().map_or_else(Vec::new, Self::all_validations);
        all.extend(self.validations.iter().chain(self.more_validations));
        all
    }

    pub(crate) fn validation(&self, position: usize) -> Option<&'static Validation> {
        let position = match self.parent() {
            Some(parent) => match parent.validation(position) {
                Some(inherited) => return Some(inherited),
                None => position - parent.all_validations().len(),
            },
            None => position,
        };
        match self.validations.get(position) {
            Some(validation) => Some(validation),
            None => self.more_validations.get(position - self.validations.len()),
        }
    }

    /// The callbacks, in the order of declaration.
    pub fn callbacks(&self) -> impl Iterator<Item = &'static Callback> + use<> {
        self.all_callbacks().into_iter()
    }

    /// Those of its parent come first.
    fn all_callbacks(&self) -> Vec<&'static Callback> {
        let mut all = self.parent().map_or_else(Vec::new, Self::all_callbacks);
        all.extend(self.callbacks);
        all
    }

    pub(crate) fn callback(&self, position: usize) -> Option<&'static Callback> {
        match self.parent() {
            Some(parent) => match parent.callback(position) {
                Some(inherited) => Some(inherited),
                None => self.callbacks.get(position - parent.all_callbacks().len()),
            },
            None => self.callbacks.get(position),
        }
    }

    /// The columns that count other rows, found once.
    pub(crate) fn counters(&self, find: impl FnOnce() -> Vec<usize>) -> &[usize] {
        self.counters.get_or_init(find)
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        self.hooks.get_or_init(|| Hooks::of(self))
    }

    /// Whether records of the model refuse lazy loading from the start.
    #[must_use]
    pub fn is_strict_loading_by_default(&self) -> bool {
        self.strict_loading
            || self
                .parent()
                .is_some_and(Self::is_strict_loading_by_default)
    }

    /// The position of the attribute of that name.
    #[must_use]
    pub fn column_position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The position of the attribute of that name, or an error with the nearest name.
    ///
    /// # Errors
    /// `UnknownAttribute` when there is no such attribute.
    pub fn attribute(&self, name: &str) -> Result<usize> {
        self.column_position(name).ok_or_else(|| {
            let nearest = relata_inflect::nearest(name, self.columns.iter().map(Column::name));
            let hint = nearest
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            Error::new(
                ErrorKind::UnknownAttribute,
                format!("unknown attribute `{name}` for {}{hint}", self.name),
            )
            .with_model(self.name)
            .with_attribute(name)
        })
    }

    /// The names of the attributes that a saved record keeps. Rails: `readonly_attributes`.
    pub fn readonly_attributes(&self) -> impl Iterator<Item = &'static str> + use<> {
        let readonly = self.columns.iter().filter(|column| column.readonly);
        readonly.map(Column::name)
    }

    /// The value as the attribute keeps it. Never touches the database. Rails: `normalize_value_for`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name; `InvalidValue` for what the attribute cannot hold.
    pub fn normalize_value_for(
        &self,
        name: &str,
        value: impl Into<Value<'static>>,
    ) -> Result<Value<'static>> {
        self.kept_value(self.attribute(name)?, value.into())
    }

    /// The value as a column keeps it: of its type, and normalised.
    pub(crate) fn kept_value<'a>(&self, column: usize, value: Value<'a>) -> Result<Value<'a>> {
        let Some(reflection) = self.columns.get(column) else {
            return Ok(value);
        };
        let refused = |problem: String| self.refused(column, &problem);
        let value = reflection.ty.cast(value).map_err(refused)?;
        if reflection.normalization.is_none() {
            return Ok(value);
        }
        let normalized = reflection.normalized(value);
        reflection.ty.cast(normalized).map_err(refused)
    }

    /// The error about a value that a column cannot hold. What a secret column was to hold is not shown.
    pub(crate) fn refused(&self, column: usize, problem: &str) -> Error {
        let (name, secret) = self
            .columns
            .get(column)
            .map_or(("?", true), |column| (column.name, column.secret));
        let problem = if secret {
            "is not one of its type"
        } else {
            problem
        };
        let labelled = self
            .columns
            .get(column)
            .is_some_and(|column| !column.ty.labels.is_empty());
        let kind = if labelled {
            ErrorKind::Argument
        } else {
            ErrorKind::InvalidValue
        };
        let message = format!("{}.{name}: the value {problem}", self.name);
        Error::new(kind, message)
            .with_model(self.name)
            .with_attribute(name)
    }

    /// The error of a model without a key, where one is needed.
    pub(crate) fn unknown_key(&self) -> Error {
        let message = format!(
            "Unknown primary key for table {} in model {}",
            self.table, self.name
        );
        Error::new(ErrorKind::UnknownPrimaryKey, message).with_model(self.name)
    }

    /// All associations, in the order of declaration; of one macro, if given.
    /// Rails: `reflect_on_all_associations`.
    pub fn reflect_on_all_associations(
        &'static self,
        of: impl Into<Option<Macro>>,
    ) -> impl Iterator<Item = Reflected> {
        let of = of.into();
        let all = self.associations.iter().enumerate();
        all.filter(|(_, one)| !one.hidden)
            .map(move |(position, one)| Reflected::new(self, position, one))
            .filter(move |one| of.is_none_or(|kind| one.kind == kind))
    }

    /// The associations that people are shown.
    pub(super) fn visible(&self) -> impl Iterator<Item = &'static AssociationReflection> + use<> {
        self.associations.iter().filter(|one| !one.hidden)
    }

    /// The association of that name. Rails: `reflect_on_association`.
    #[must_use]
    pub fn reflect_on_association(&'static self, name: &str) -> Option<Reflected> {
        let mut all = self.reflect_on_all_associations(None);
        all.find(|association| association.name == name)
    }

    /// All associations, those that are there for others included. Rails: `_reflections`.
    #[must_use]
    pub fn reflections(&self) -> &'static [AssociationReflection] {
        self.associations
    }

    /// The position of the association of that name, or an error with the nearest name.
    ///
    /// # Errors
    /// `AssociationNotFound` when there is no such association.
    pub fn association(&self, name: &str) -> Result<usize> {
        self.associations.iter().position(|association| association.name == name).ok_or_else(|| {
            let nearest = relata_inflect::nearest(name, self.associations.iter().map(|a| a.name));
            let hint = nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Error::new(
                ErrorKind::AssociationNotFound,
                format!("Association named '{name}' was not found on {}; perhaps you misspelled it?{hint}", self.name),
            )
            .with_model(self.name)
            .with_attribute(name)
        })
    }

    /// Keys, target and inverse of the association at that position, worked out once.
    ///
    /// # Errors
    /// What is wrong with the declaration: a key that does not exist, an inverse that is not there.
    #[inline]
    pub fn resolve(&'static self, association: usize) -> Result<&'static Resolved> {
        let known = self
            .resolved
            .get()
            .and_then(|all| all.get(association)?.get());
        match known {
            Some(Ok(resolved)) => Ok(resolved),
            _ => self.resolve_first(association),
        }
    }

    #[cold]
    fn resolve_first(&'static self, association: usize) -> Result<&'static Resolved> {
        let all = self
            .resolved
            .get_or_init(|| self.associations.iter().map(|_| OnceLock::new()).collect());
        let slot = all
            .get(association)
            .ok_or_else(|| nothing_at(self, association))?;
        self.associations[association].note_deprecated();
        slot.get_or_init(|| match self.parent() {
            // What a subclass does not declare anew is its parent's, keys and all.
            Some(parent) if self.associations[association].inherited => {
                let declared = parent.resolve(association)?;
                Ok(match self.associations[association].amended {
                    true => declared.amended(&self.associations[association]),
                    false => declared,
                })
            }
            _ => Resolved::find(self, association).map(|resolved| &*Box::leak(Box::new(resolved))),
        })
        .clone()
    }

    pub(crate) fn layout(&self) -> &Layout {
        self.layout.get_or_init(|| Layout::of(self.columns))
    }

    /// The columns that saving fills with the time.
    pub(crate) fn stamps(&self) -> &Stamps {
        self.stamps
            .get_or_init(|| Stamps::of(self.timestamps(), self.columns))
    }

    pub(crate) fn root_place(&self, make: impl FnOnce() -> Place) -> &Place {
        self.place.get_or_init(make)
    }

    /// A place where the SQL room keeps the statement texts of this model.
    pub(crate) fn texts<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.texts.get_or_init(|| Box::new(make())).downcast_ref()
    }
}

impl PartialEq for ModelReflection {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for ModelReflection {}

impl fmt::Debug for ModelReflection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelReflection")
            .field("name", &self.name)
            .field("table", &self.table)
            .field(
                "columns",
                &self.columns.iter().map(|c| c.name).collect::<Vec<_>>(),
            )
            .field(
                "associations",
                &self.associations.iter().map(|a| a.name).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}
