//! Models made at run time: what was said of one, until it is leaked and as static as a compiled one.
//!
//! Invariant: what a compiled model could not be is refused when it is defined.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{
    AssociationReflection, Callbacks, Classes, Column, ColumnDefault, Enumeration, Inheritance,
    Locking, ModelReflection, NestedAttributes, Normalization, Registry, SecurePassword, Target,
    Timestamps, inheritance,
};
use crate::attribute::{AttributeType, Label};
use crate::callback::{Callback, TokenPurpose};
use crate::error::{Error, ErrorKind, Result};
use crate::relation::Scope;
use crate::validation::Validation;

/// Defines a model at run time, from a database or a data file.
///
/// What it makes is leaked: a process defines a model once and uses it to its end.
///
/// ```
/// use relata::attribute::{AttributeType, Kind};
/// use relata::reflection::{Column, ModelBuilder};
///
/// let planet = ModelBuilder::new("Planet", "planets")
///     .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
///     .column(Column::new("name", AttributeType::plain(Kind::Text, true)))
///     .primary_key(["id"])
///     .define()?;
/// assert_eq!(planet.column_position("name"), Some(1));
/// # Ok::<(), relata::Error>(())
/// ```
#[derive(Debug)]
pub struct ModelBuilder {
    name: String,
    table: String,
    columns: Vec<Column>,
    associations: Vec<AssociationReflection>,
    validations: Vec<Validation>,
    callbacks: Vec<Callback>,
    primary_key: Vec<String>,
    query_constraints: Vec<String>,
    strict_loading: bool,
    default_scope: Option<&'static Scope>,
    scopes: Vec<(&'static str, Scope)>,
    enumerations: Vec<Enumeration>,
    tokens: Vec<TokenPurpose>,
    timestamps: Timestamps,
    locking: Locking,
    parent: Option<&'static ModelReflection>,
    inheritance: Option<&'static str>,
    polymorphic_name: Option<&'static str>,
}

impl ModelBuilder {
    /// A model of that name on that table, without columns yet.
    #[must_use]
    pub fn new(name: impl Into<String>, table: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            table: table.into(),
            columns: Vec::new(),
            associations: Vec::new(),
            validations: Vec::new(),
            callbacks: Vec::new(),
            primary_key: Vec::new(),
            query_constraints: Vec::new(),
            strict_loading: false,
            default_scope: None,
            scopes: Vec::new(),
            enumerations: Vec::new(),
            tokens: Vec::new(),
            timestamps: Timestamps::Conventional,
            locking: Locking::Conventional,
            parent: None,
            inheritance: None,
            polymorphic_name: None,
        }
    }

    /// A subclass of a model whose rows say of which class they are: it has its table, columns, key, associations,
    /// validations and callbacks, and may declare associations anew. Rails: `class Admin < User`.
    #[must_use]
    pub fn inherits(name: impl Into<String>, parent: &'static ModelReflection) -> Self {
        Self {
            associations: inheritance::inherited(parent),
            parent: Some(parent),
            ..Self::new(name, parent.table())
        }
    }

    /// The rows of the table are of several classes, which [`inherits`](Self::inherits) defines; this attribute holds the
    /// name of a row's. Rails: `inheritance_column`.
    #[must_use]
    pub fn inheritance_column(mut self, name: impl Into<String>) -> Self {
        self.inheritance = Some(leak(name.into()));
        self
    }

    /// What type columns of polymorphic associations hold for the model, where it is not its name.
    /// Rails: `polymorphic_name`.
    #[must_use]
    pub fn polymorphic_name(mut self, name: impl Into<String>) -> Self {
        self.polymorphic_name = Some(leak(name.into()));
        self
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// Names the attributes of the primary key.
    #[must_use]
    pub fn primary_key<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.primary_key = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an association. Its target may be defined later: [`ModelBuilder::target`].
    #[must_use]
    pub fn association(mut self, mut association: AssociationReflection) -> Self {
        if association.counter_cache == Some(AssociationReflection::CONVENTIONAL_COUNTER) {
            let model = relata_inflect::underscore(relata_inflect::demodulize(&self.name));
            let column = format!("{}_count", relata_inflect::pluralize(&model));
            association.counter_cache = Some(leak(column));
        }
        if let Some(table) = association.join_table {
            let rows = leak(AssociationReflection::name_of_rows(
                &self.name,
                association.name,
            ));
            let source = leak(relata_inflect::singularize(association.name));
            self.associations
                .push(AssociationReflection::rows_of(rows, table));
            association = association.with_through(rows).with_source(source);
        }
        // What was inherited is declared anew, at its place.
        let known = self.associations.iter_mut();
        match known
            .into_iter()
            .find(|known| known.inherited && known.name == association.name)
        {
            Some(known) => *known = association,
            None => self.associations.push(association),
        }
        self
    }

    /// Names the attributes that name a row in every statement made from a record, as a shard's key and the primary key.
    /// Rails: `query_constraints`.
    #[must_use]
    pub fn query_constraints<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.query_constraints = names.into_iter().map(Into::into).collect();
        self
    }

    /// Makes an association that was added before take values for its members. Rails: `accepts_nested_attributes_for`.
    ///
    /// # Errors
    /// `Argument` when there is no such association.
    pub fn accepts_nested_attributes_for(
        mut self,
        association: &str,
        nested: NestedAttributes,
    ) -> Result<Self> {
        let found = self
            .associations
            .iter_mut()
            .find(|one| one.name == association);
        let Some(found) = found else {
            let message =
                format!("No association found for name `{association}'. Has it been defined yet?");
            let error = Error::new(ErrorKind::Argument, message);
            return Err(error
                .with_model(leak(self.name))
                .with_attribute(association));
        };
        *found = found.with_nested_attributes(nested);
        let named = found
            .options
            .iter()
            .any(|(option, _)| *option == "autosave");
        if !named {
            let written = found.options.iter().copied();
            found.options = written
                .chain([("autosave", "true")])
                .collect::<Vec<_>>()
                .leak();
        }
        Ok(self)
    }

    /// Adds a validation, below the associations that were added before it.
    #[must_use]
    pub fn validates(mut self, validation: Validation) -> Self {
        self.validations
            .push(validation.below(self.associations.len()));
        self
    }

    /// Adds a callback, below the associations that were added before it and above those that follow.
    #[must_use]
    pub fn callback(mut self, callback: Callback) -> Self {
        self.callbacks.push(callback.below(self.associations.len()));
        self
    }

    /// Attributes that a saved record keeps; a name that is no column of those added so far is passed over.
    /// Rails: `attr_readonly`.
    #[must_use]
    pub fn attr_readonly<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            let named = self.columns.iter_mut().filter(|column| column.name == name);
            named.for_each(|column| column.readonly = true);
        }
        self
    }

    /// What values of an attribute become before they are kept; a name that is no column of those added so far is passed
    /// over. Rails: `normalizes`.
    #[must_use]
    pub fn normalizes(mut self, name: &str, normalization: Normalization) -> Self {
        let named = self.columns.iter_mut().filter(|column| column.name == name);
        named.for_each(|column| column.normalization = Some(normalization));
        self
    }

    /// Every record of the model refuses lazy loading.
    #[must_use]
    pub fn strict_loading(mut self) -> Self {
        self.strict_loading = true;
        self
    }

    /// Every query for the model begins with this scope.
    #[must_use]
    pub fn default_scope(mut self, scope: &'static Scope) -> Self {
        self.default_scope = Some(scope);
        self
    }

    /// The value that a new record has of an attribute; a name that is no column of those added so far is passed over.
    /// Rails: `attribute :status, default: 1`.
    #[must_use]
    pub fn column_default(mut self, name: &str, default: ColumnDefault) -> Self {
        let named = self.columns.iter_mut().filter(|column| column.name == name);
        named.for_each(|column| column.default = Some(default));
        self
    }

    /// Adds what tokens of the model's records are for. Rails: `generates_token_for`.
    #[must_use]
    pub fn generates_token_for(mut self, purpose: TokenPurpose) -> Self {
        self.tokens.push(purpose);
        self
    }

    /// Keeps a password as a digest, in the column `password_digest` for one called `password`. Unless it says otherwise
    /// the password is validated, below what was added so far. A column that is not among those added so far is an error
    /// when the model is defined. Rails: `has_secure_password`.
    #[must_use]
    pub fn has_secure_password(mut self, password: SecurePassword) -> Self {
        let digest = format!("{}_digest", password.name);
        let named = self
            .columns
            .iter_mut()
            .filter(|column| column.name == digest);
        named.for_each(|column| *column = column.has_secure_password(password));
        self.validates(Validation::secure_password(password.name))
    }

    /// Adds a scope that is called by name. Rails: `scope`.
    #[must_use]
    pub fn scope(mut self, name: impl Into<String>, scope: Scope) -> Self {
        self.scopes.push((leak(name.into()), scope));
        self
    }

    /// Gives the values of an attribute labels, and names after them. A column that is not among those added so far is
    /// an error when the model is defined. Rails: `enum :status, [:draft, :live]`.
    #[must_use]
    pub fn enumeration(mut self, enumeration: Enumeration, labels: &'static [Label]) -> Self {
        let attribute = enumeration.attribute();
        let named = self
            .columns
            .iter_mut()
            .filter(|column| column.name == attribute);
        named.for_each(|column| column.ty.labels = labels);
        self.enumerations.push(enumeration);
        match enumeration.validation() {
            Some(true) => self.validates(Validation::labels(attribute).allow_null()),
            Some(false) => self.validates(Validation::labels(attribute)),
            None => self,
        }
    }

    /// Where the times of creation and change are kept, where it is not in the columns of Rails' names.
    #[must_use]
    pub fn timestamps(mut self, timestamps: Timestamps) -> Self {
        self.timestamps = timestamps;
        self
    }

    /// Where the version of a row is kept, where it is not in `lock_version`. Rails: `locking_column`.
    #[must_use]
    pub fn locking(mut self, locking: Locking) -> Self {
        self.locking = locking;
        self
    }

    /// A target that is filled in when its model is defined.
    #[must_use]
    pub fn target(
        name: impl Into<String>,
    ) -> (Target, &'static OnceLock<&'static ModelReflection>) {
        let model: &'static OnceLock<&'static ModelReflection> =
            Box::leak(Box::new(OnceLock::new()));
        (
            Target::Later {
                name: leak(name.into()),
                model,
            },
            model,
        )
    }

    fn check(&self) -> Result<()> {
        let refused = |message: String, name: &str| {
            let error = Error::new(ErrorKind::Configuration, message);
            let error = error.with_model(leak(self.name.clone()));
            Err(error.with_attribute(name))
        };
        for (what, name) in [("model", &self.name), ("table", &self.table)] {
            if name.trim().is_empty() {
                let message = format!(
                    "a model needs the name of its {what}: `ModelBuilder::new(\"Planet\", \"planets\")`"
                );
                return refused(message, name);
            }
        }
        if let Some(parent) = self.parent {
            if let Some(column) = self.columns.first() {
                let message = format!(
                    "{} has the columns of {}, of which it is a subclass: add {} there",
                    self.name,
                    parent.name(),
                    column.name()
                );
                return refused(message, column.name());
            }
            if parent.type_column().is_none() {
                let message = format!(
                    "{} cannot be a subclass of {}, whose rows do not say of which class they are: name the \
                     inheritance_column there",
                    self.name,
                    parent.name()
                );
                return refused(message, parent.name());
            }
        }
        let mut names = HashSet::new();
        let columns = self.columns.iter().map(Column::name);
        let associations = self.associations.iter().map(AssociationReflection::name);
        for name in columns.chain(associations) {
            if !names.insert(name) {
                let message = format!(
                    "{}.{name} is declared twice: give one of them another name",
                    self.name
                );
                return refused(message, name);
            }
        }
        super::enumeration::check(&self.name, &self.columns, &self.enumerations)?;
        super::store::check(&self.name, &self.columns)?;
        let passwords = self.validations.iter().filter(|one| one.is_of_password());
        for name in passwords.map(Validation::attribute) {
            let held = |column: &Column| column.password.is_some_and(|one| one.name == name);
            if !self.columns.iter().any(held) {
                let message = format!(
                    "{}: the password {name} needs a column {name}_digest",
                    self.name
                );
                return refused(message, name);
            }
        }
        if let Locking::Named(name) = self.locking
            && self.locking.position(&self.columns).is_none()
        {
            let message = format!(
                "{}: the locking column {name} is no whole number among its columns",
                self.name
            );
            return refused(message, name);
        }
        for callback in &self.callbacks {
            if let Some(problem) = callback.problem() {
                return refused(
                    format!("{}: {callback:?} {problem}", self.name),
                    callback.name(),
                );
            }
        }
        Ok(())
    }

    /// Makes the model. It stays for the rest of the process.
    ///
    /// # Errors
    /// `UnknownAttribute` when the primary key names a column that was not added; `Configuration` for a name that stands
    /// twice, for a locking column that is no whole number and for a callback that its event could not run.
    pub fn define(self) -> Result<&'static ModelReflection> {
        self.check()?;
        let columns = match self.parent {
            Some(parent) => parent.columns(),
            None => Vec::leak(self.columns),
        };
        let mut model = ModelReflection::new(leak(self.name), leak(self.table))
            .with_columns(columns)
            .with_associations(Vec::leak(self.associations))
            .with_validations(Vec::leak(self.validations))
            .with_callbacks(
                &Callbacks::new(Vec::leak(self.callbacks), &[]).with_tokens(Vec::leak(self.tokens)),
            )
            .with_timestamps(self.timestamps)
            .with_locking(self.locking);
        if self.strict_loading {
            model = model.with_strict_loading();
        }
        model = model
            .with_scopes(Vec::leak(self.scopes))
            .with_enumerations(Vec::leak(self.enumerations));
        if let Some(scope) = self.default_scope {
            model = model.with_default_scope(scope);
        }
        if let Some(name) = self.polymorphic_name {
            model = model.with_polymorphic_name(name);
        }
        if let Some(parent) = self.parent {
            let slot = OnceLock::from(parent);
            model = model
                .with_parent(Target::Later {
                    name: parent.name(),
                    model: Box::leak(Box::new(slot)),
                })
                .with_primary_key(parent.primary_key());
            let model = keep(model);
            if let Some(Classes::Open(classes)) = model.base().inheritance.map(|one| one.classes) {
                classes.add(model);
            }
            return Ok(model);
        }
        if let Some(column) = self.inheritance {
            model.attribute(column)?;
            model = model.with_inheritance(Inheritance {
                column,
                classes: Classes::Open(Box::leak(Box::new(Registry::new()))),
            });
        }
        let positions = |names: &[String]| {
            let positions = names.iter().map(|name| model.attribute(name));
            positions.collect::<Result<Vec<_>>>().map(Vec::leak)
        };
        let (key, constraints) = (
            positions(&self.primary_key)?,
            positions(&self.query_constraints)?,
        );
        Ok(keep(
            model
                .with_primary_key(key)
                .with_query_constraints(constraints),
        ))
    }
}

impl Target {
    /// The target model.
    ///
    /// # Errors
    /// `Configuration` when a model that was to be defined at run time has not been.
    pub fn model(&self) -> Result<&'static ModelReflection> {
        match self {
            Self::Model(model) => Ok(model()),
            Self::Between(table) => table.made().ok_or_else(|| {
                let message = format!("{table:?} was not asked for yet");
                Error::new(ErrorKind::Configuration, message)
            }),
            Self::OfSource { name } => {
                let message = format!("{name} is known by the source of the association alone");
                Err(Error::new(ErrorKind::Configuration, message).with_model(name))
            }
            Self::Later { name, model } => model.get().copied().ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    format!("Missing model class {name}: define it first"),
                )
                .with_model(name)
            }),
            Self::AnyOf(_) => Err(Error::new(
                ErrorKind::EagerLoadPolymorphic,
                "a polymorphic association leads to no one model: ask with a record of which it is",
            )),
        }
    }
}

impl AttributeType {
    /// The type of a column of a model made at run time.
    #[must_use]
    pub const fn plain(kind: crate::attribute::Kind, nullable: bool) -> Self {
        Self {
            name: kind.name(),
            kind,
            nullable,
            check: None,
            labels: &[],
        }
    }
}

/// Leaks a model into a list of all of them, where tools that look for lost memory still find it.
fn keep(model: ModelReflection) -> &'static ModelReflection {
    static DEFINED: Mutex<Vec<&'static ModelReflection>> = Mutex::new(Vec::new());
    let model: &'static ModelReflection = Box::leak(Box::new(model));
    DEFINED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(model);
    model
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}
