//! Enums of a model: which attribute has labels, and what its predicates, setters and scopes are called.
//!
//! Invariant: every label of a declared enum gives names that nothing else of the model has.

use super::{Column, ModelReflection};
use crate::attribute::Label;
use crate::error::{Error, ErrorKind, Result};

/// An attribute whose values have labels. Rails: `enum :status, [:draft, :live]`.
#[derive(Debug, Clone, Copy)]
pub struct Enumeration {
    attribute: &'static str,
    prefix: Option<&'static str>,
    suffix: Option<&'static str>,
    scopes: bool,
    methods: bool,
    validate: Option<AllowNull>,
}

/// Whether null is valid.
type AllowNull = bool;

impl Enumeration {
    /// The enum of that attribute. The labels are those of the attribute's type.
    #[must_use]
    pub const fn new(attribute: &'static str) -> Self {
        Self {
            attribute,
            prefix: None,
            suffix: None,
            scopes: true,
            methods: true,
            validate: None,
        }
    }

    /// What stands before every name. Rails: `prefix`.
    #[must_use]
    pub const fn prefix(mut self, prefix: &'static str) -> Self {
        self.prefix = Some(prefix);
        self
    }

    /// What stands behind every name. Rails: `suffix`.
    #[must_use]
    pub const fn suffix(mut self, suffix: &'static str) -> Self {
        self.suffix = Some(suffix);
        self
    }

    /// No scopes. Rails: `scopes: false`.
    #[must_use]
    pub const fn without_scopes(mut self) -> Self {
        self.scopes = false;
        self
    }

    /// No predicates and setters. Rails: `instance_methods: false`.
    #[must_use]
    pub const fn without_methods(mut self) -> Self {
        self.methods = false;
        self
    }

    /// What is no label may be set by name and from outside, and the record is invalid then, as it is with null.
    /// Rails: `validate: true`.
    #[must_use]
    pub const fn validated(mut self) -> Self {
        self.validate = Some(false);
        self
    }

    /// As [`validated`](Self::validated), and null is valid. Rails: `validate: { allow_nil: true }`.
    #[must_use]
    pub const fn validated_or_null(mut self) -> Self {
        self.validate = Some(true);
        self
    }

    /// Whether what is no label is invalid, in place of refused where it is set; and whether null is valid then.
    #[must_use]
    pub fn validation(&self) -> Option<bool> {
        self.validate
    }

    /// The attribute.
    #[must_use]
    pub fn attribute(&self) -> &'static str {
        self.attribute
    }

    /// Whether the labels are scopes of the model's relations.
    #[must_use]
    pub fn has_scopes(&self) -> bool {
        self.scopes
    }

    /// Whether the labels are predicates and setters of the model's records.
    #[must_use]
    pub fn has_methods(&self) -> bool {
        self.methods
    }

    /// What predicate, setter and scope of a label are called, `kind_a_type`.
    #[must_use]
    pub fn name_of(&self, label: &Label) -> String {
        let parts = [self.prefix, Some(label.name()), self.suffix];
        parts.into_iter().flatten().collect::<Vec<_>>().join("_")
    }
}

impl Enumeration {
    /// The names of all labels.
    pub(crate) fn names(&self, model: &ModelReflection) -> Vec<String> {
        let column = model.column_position(self.attribute);
        let column = column.and_then(|position| model.columns().get(position));
        let labels = column.map_or(&[][..], |column| column.attribute_type().labels());
        labels.iter().map(|label| self.name_of(label)).collect()
    }
}

impl ModelReflection {
    /// The enum's label that a predicate, setter or scope is named after.
    #[must_use]
    pub fn enum_named(&self, name: &str) -> Option<(&'static Enumeration, &'static Label)> {
        self.enumerations().iter().find_map(|one| {
            let column = self.columns().get(self.column_position(one.attribute)?)?;
            let mut labels = column.attribute_type().labels().iter();
            let label = labels.find(|label| one.name_of(label) == name)?;
            Some((one, label))
        })
    }
}

impl ModelReflection {
    /// Whether a column takes what is no label, to be told by its validation.
    pub(crate) fn validates_labels(&self, column: usize) -> bool {
        let name = self.columns().get(column).map(Column::name);
        let mut all = self.enumerations().iter();
        all.any(|one| one.validate.is_some() && Some(one.attribute) == name)
    }
}

/// Refuses enums that could not be told apart.
pub(super) fn check(model: &str, columns: &[Column], enumerations: &[Enumeration]) -> Result<()> {
    let refused =
        |kind, message: String, name: &str| Err(Error::new(kind, message).with_attribute(name));
    let mut names: Vec<String> = Vec::new();
    for one in enumerations {
        let attribute = one.attribute;
        let Some(column) = columns.iter().find(|column| column.name() == attribute) else {
            let message = format!(
                "Undeclared attribute type for enum '{attribute}' in {model}: an enum is backed by a column"
            );
            return refused(ErrorKind::Configuration, message, attribute);
        };
        let labels = column.attribute_type().labels();
        if labels.is_empty() || labels.iter().any(|label| label.name().trim().is_empty()) {
            let message = format!(
                "Enum values of {model}.{attribute} must not be empty, nor contain a blank name."
            );
            return refused(ErrorKind::Argument, message, attribute);
        }
        for label in labels {
            let name = one.name_of(label);
            if names.contains(&name) {
                let message = format!(
                    "You tried to define an enum named \"{attribute}\" on the model \"{model}\", but this will \
                     generate a instance method \"{name}?\", which is already defined by another enum. Give it a prefix \
                     or a suffix."
                );
                return refused(ErrorKind::Argument, message, attribute);
            }
            names.push(name);
        }
    }
    Ok(())
}
