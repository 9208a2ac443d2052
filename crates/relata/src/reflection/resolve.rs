//! What follows from a declaration: its target and its keys, and why.
//!
//! The foreign key, when it was not written: that of the inverse, if one was written; for a `belongs_to`
//! `<name>_id`; else `<owner>_id` if the target has it, else the key of the target's only `belongs_to` to the
//! owner. Its inverse is worked out in `inverse`.
//!
//! Invariant: the two keys have as many columns, and every one of them exists.

use super::inverse::inverse;
use super::polymorphic::ByClass;
use super::{
    AssociationReflection, InverseOf, InverseReason, Macro, ModelReflection, Target, Through,
};
use crate::error::{Error, ErrorKind, Result};

/// Where the foreign key of an association comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyReason {
    /// `foreign_key` was written.
    Written,
    /// It is the inverse's key.
    Inverse,
    /// By convention: `author_id`.
    Convention,
    /// It is the key of the target's only `belongs_to` to the owner.
    OnlyBelongsTo,
    /// The association goes through others, over their keys.
    Through,
}

/// An association, worked out.
#[derive(Debug)]
#[non_exhaustive]
pub struct Resolved {
    /// The model that declares it. Rails: `active_record`.
    pub owner: &'static ModelReflection,
    /// The model it leads to. Rails: `klass`.
    pub target: &'static ModelReflection,
    /// The two associations that it goes over, of a through; nothing of one over a key.
    pub through: Option<Through>,
    /// The positions of the key's columns on this model, where the way to the target begins.
    pub owner_key: Box<[usize]>,
    /// The positions of the key's columns on the target, where the way ends. Rails: `join_primary_key`.
    pub target_key: Box<[usize]>,
    /// What this model holds beside the key: of a polymorphic `belongs_to`. Rails: `foreign_type`.
    pub owner_type: Option<TypeColumn>,
    /// What the target holds beside the key: of an association with `as`. Rails: `type`.
    pub target_type: Option<TypeColumn>,
    /// Why these are the key.
    pub key_reason: KeyReason,
    /// The position of the inverse among the target's associations. Rails: `inverse_of`.
    pub inverse: Option<usize>,
    /// Why that is the inverse, or why there is none.
    pub inverse_reason: InverseReason,
    /// The owner's columns that decide where it leads: the key, and what says of which model that is.
    pub(crate) owner_columns: Box<[usize]>,
    /// The target's columns that hold the owner: the key, and what says of which model that is.
    pub(crate) target_columns: Box<[usize]>,
    /// Of a polymorphic `belongs_to`, as far as no owner is known: what follows once one is.
    pub(super) by_class: Option<ByClass>,
    /// The parent's, of which a subclass says more.
    amends: Option<&'static Resolved>,
    declaration: &'static AssociationReflection,
}

/// A column that says which model a key refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TypeColumn {
    /// Its position.
    pub column: usize,
    /// What it holds where the association leads to this target; none where it leads nowhere.
    pub name: Option<&'static str>,
}

impl Resolved {
    pub(super) fn find(owner: &'static ModelReflection, position: usize) -> Result<Self> {
        let declaration = &owner.reflections()[position];
        if declaration.through.is_some() {
            return Self::find_through(owner, position);
        }
        if declaration.is_polymorphic() {
            return Self::polymorphic(owner, position);
        }
        let target = target(owner, declaration)?;
        let target_type = match declaration.interface {
            Some(_) => Some(TypeColumn {
                column: type_column(owner, declaration, target)?,
                name: Some(owner.polymorphic_name()),
            }),
            None => None,
        };
        let keys = keys(owner, declaration, target)?;
        let mut resolved = Self::over(owner, declaration, target, keys, (None, target_type));
        (resolved.inverse, resolved.inverse_reason) = inverse(owner, position, &resolved)?;
        Ok(resolved)
    }

    pub(super) fn over(
        owner: &'static ModelReflection,
        declaration: &'static AssociationReflection,
        target: &'static ModelReflection,
        (owner_key, target_key, key_reason): Keys,
        (owner_type, target_type): (Option<TypeColumn>, Option<TypeColumn>),
    ) -> Self {
        let with = |key: &[usize], ty: Option<TypeColumn>| {
            key.iter().copied().chain(ty.map(|ty| ty.column)).collect()
        };
        Self {
            owner,
            target,
            through: None,
            owner_columns: with(&owner_key, owner_type),
            target_columns: with(&target_key, target_type),
            owner_key,
            target_key,
            owner_type,
            target_type,
            key_reason,
            inverse: None,
            inverse_reason: InverseReason::NotFound,
            by_class: None,
            amends: None,
            declaration,
        }
    }

    /// The same, as a subclass declares it that says more of what it inherits. Where an owner says which model it leads to it
    /// stays as it is.
    pub(super) fn amended(
        &'static self,
        declaration: &'static AssociationReflection,
    ) -> &'static Self {
        if self.by_class.is_some() {
            return self;
        }
        Box::leak(Box::new(Self {
            owner: self.owner,
            target: self.target,
            through: self.through,
            owner_key: self.owner_key.clone(),
            target_key: self.target_key.clone(),
            owner_type: self.owner_type,
            target_type: self.target_type,
            key_reason: self.key_reason,
            inverse: self.inverse,
            inverse_reason: self.inverse_reason,
            owner_columns: self.owner_columns.clone(),
            target_columns: self.target_columns.clone(),
            by_class: None,
            amends: Some(self),
            declaration,
        }))
    }

    /// What it is for loading, whatever a subclass says of it beside: that of its parent.
    pub(crate) fn as_loaded(&'static self) -> &'static Self {
        let mut resolved = self;
        while let Some(amends) = resolved.amends {
            resolved = amends;
        }
        resolved
    }

    /// The declaration.
    #[must_use]
    pub fn declaration(&self) -> &'static AssociationReflection {
        self.declaration
    }

    /// The association that leads back, if one is known.
    #[must_use]
    pub fn inverse_reflection(&self) -> Option<&'static AssociationReflection> {
        self.target.reflections().get(self.inverse?)
    }

    /// Whether the key refers to one row by what the target declares, so that the database can hold it to that.
    pub(crate) fn refers_to_one_row(&self) -> bool {
        let unique = |&column: &usize| self.target.columns()[column].unique;
        *self.target_key == *self.target.primary_key() || self.target_key.iter().any(unique)
    }

    /// The attributes that hold the key; of a through, those of its source. Rails: `foreign_key`.
    #[must_use]
    pub fn foreign_key(&self, owner: &'static ModelReflection) -> Vec<&'static str> {
        if let Some(through) = &self.through {
            return through.source().foreign_key(through.middle());
        }
        let (model, key) = match self.declaration.kind {
            Macro::BelongsTo => (owner, &self.owner_key),
            _ => (self.target, &self.target_key),
        };
        key.iter()
            .filter_map(|&column| model.columns().get(column))
            .map(super::Column::name)
            .collect()
    }
}

impl ModelReflection {
    /// The attributes that hold the key of an association, as written or by convention, whether or not they match what
    /// they refer to. Rails: `foreign_key`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name; what is wrong with the declaration.
    pub fn foreign_key_of(&'static self, association: &str) -> Result<Vec<&'static str>> {
        let position = self.association(association)?;
        let declaration = &self.reflections()[position];
        if declaration.inherited
            && let Some(parent) = self.parent()
        {
            return parent.foreign_key_of(association);
        }
        if declaration.through.is_some() {
            return Ok(self.resolve(position)?.foreign_key(self));
        }
        // The key of a `belongs_to` is on this model, whatever it leads to.
        let target = match declaration.is_polymorphic() {
            true => self,
            false => target(self, declaration)?,
        };
        foreign_key(self, declaration, target).map(|(key, _)| key)
    }
}

pub(super) type Keys = (Box<[usize]>, Box<[usize]>, KeyReason);

/// The target of an association over a key.
pub(super) fn target(
    owner: &'static ModelReflection,
    declaration: &AssociationReflection,
) -> Result<&'static ModelReflection> {
    if let Target::Between(table) = declaration.target {
        return table.model(owner);
    }
    declaration.target.model().map_err(|error| {
        Error::new(
            error.kind(),
            format!(
                "Missing model class {} for the {}#{} association.{}",
                declaration.target_name(),
                owner.name(),
                declaration.name,
                if declaration.names_target() {
                    ""
                } else {
                    " You can specify a different model class with the :class_name option: in a declaration that is the \
                     field's type, at run time the name given to `ModelBuilder::target`."
                }
            ),
        )
        .with_model(owner.name())
        .with_attribute(declaration.name)
    })
}

/// The column that says which model the key refers to, on the model that holds it.
pub(super) fn type_column(
    owner: &'static ModelReflection,
    declaration: &AssociationReflection,
    holder: &'static ModelReflection,
) -> Result<usize> {
    let name = declaration.type_name().unwrap_or_default();
    let found = positions(owner, declaration, holder, &[name.as_str()])?;
    Ok(found.first().copied().unwrap_or_default())
}

pub(super) fn keys(
    owner: &'static ModelReflection,
    declaration: &AssociationReflection,
    target: &'static ModelReflection,
) -> Result<Keys> {
    let belongs_to = declaration.kind == Macro::BelongsTo;
    let (holder, referred) = if belongs_to {
        (owner, target)
    } else {
        (target, owner)
    };
    let (foreign, reason) = foreign_key(owner, declaration, target)?;
    let foreign = positions(owner, declaration, holder, &foreign)?;
    let primary: Box<[usize]> = if declaration.primary_key.is_empty() {
        referred_key(referred, foreign.len())
    } else {
        positions(owner, declaration, referred, declaration.primary_key)?
    };
    if primary.is_empty() {
        let message = format!(
            "Unknown primary key for table {} in model {}, which {}#{} refers to: write `primary_key`",
            referred.table(),
            referred.name(),
            owner.name(),
            declaration.name
        );
        return Err(problem(
            ErrorKind::UnknownPrimaryKey,
            owner,
            declaration,
            message,
        ));
    }
    if primary.len() != foreign.len() {
        let name = |model: &ModelReflection, key: &[usize]| {
            let columns = key.iter().filter_map(|&column| model.columns().get(column));
            match columns.map(|column| column.name()).collect::<Vec<_>>()[..] {
                [one] => one.to_owned(),
                ref several => format!("{several:?}"),
            }
        };
        let message = format!(
            "Association {}#{} primary key {} doesn't match with foreign key {}. Please specify query_constraints, or primary_key and foreign_key values.",
            owner.name(),
            declaration.name,
            name(referred, &primary),
            name(holder, &foreign)
        );
        return Err(problem(
            ErrorKind::CompositePrimaryKeyMismatch,
            owner,
            declaration,
            message,
        ));
    }
    Ok(if belongs_to {
        (foreign, primary, reason)
    } else {
        (primary, foreign, reason)
    })
}

/// What a foreign key of so many columns refers to: the query constraints, or the primary key; by one column, the `id` in a
/// primary key of several.
fn referred_key(model: &ModelReflection, columns: usize) -> Box<[usize]> {
    let key = model.primary_key();
    if columns == model.query_constraints().len() {
        return model.query_constraints().into();
    }
    let id = key.iter().find(|&&column| {
        model
            .columns()
            .get(column)
            .is_some_and(|c| c.name() == "id")
    });
    match id {
        Some(&id) if columns == 1 => [id].into(),
        _ => key.into(),
    }
}

pub(super) fn foreign_key(
    owner: &'static ModelReflection,
    declaration: &AssociationReflection,
    target: &'static ModelReflection,
) -> Result<(Vec<&'static str>, KeyReason)> {
    if !declaration.foreign_key.is_empty() {
        return Ok((declaration.foreign_key.to_vec(), KeyReason::Written));
    }
    if declaration.kind == Macro::BelongsTo {
        let name = format!("{}_id", declaration.name);
        let known = owner.columns().iter().find(|column| column.name() == name);
        return match known {
            Some(column) => Ok((
                constrained(owner, declaration, column.name())?,
                KeyReason::Convention,
            )),
            None => {
                let message = format!(
                    "`{}` belongs to `{}`, but has no foreign key column: add `{name}`, or name another with foreign_key",
                    owner.name(),
                    declaration.name
                );
                Err(problem(
                    ErrorKind::UnknownAttribute,
                    owner,
                    declaration,
                    message,
                ))
            }
        };
    }
    if let Some(interface) = declaration.interface {
        let name: &'static str = match target.column_position(&format!("{interface}_id")) {
            Some(column) => target.columns()[column].name(),
            None => return Err(no_interface(owner, declaration, target, interface)),
        };
        return Ok((vec![name], KeyReason::Convention));
    }
    if let Target::Between(_) = declaration.target
        && let Some(side) = target.reflections().first()
    {
        return Ok((side.foreign_key.to_vec(), KeyReason::Convention));
    }
    if let InverseOf::Named(inverse) = declaration.inverse_of
        && let Some(inverse) = target.reflect_on_association(inverse)
        && inverse.kind == Macro::BelongsTo
    {
        return foreign_key(target, &inverse, owner).map(|(key, _)| (key, KeyReason::Inverse));
    }
    let convention = relata_inflect::foreign_key(owner.name());
    if let Some(column) = target
        .columns()
        .iter()
        .find(|column| column.name() == convention)
    {
        let key = constrained(owner, declaration, column.name())?;
        return Ok((key, KeyReason::Convention));
    }
    let mut back = target
        .reflect_on_all_associations(Macro::BelongsTo)
        .filter(|association| association.target.model().is_ok_and(|model| model == owner));
    match (back.next(), back.next()) {
        (Some(only), None) => {
            foreign_key(target, &only, owner).map(|(key, _)| (key, KeyReason::OnlyBelongsTo))
        }
        (first, _) => {
            let cause = if first.is_none() {
                "has no belongs_to for it"
            } else {
                "has several belongs_to for it"
            };
            let message = format!(
                "`{}.{}`: `{}` has no column `{convention}` and {cause}; name the column with foreign_key",
                owner.name(),
                declaration.name,
                target.name()
            );
            Err(problem(
                ErrorKind::UnknownAttribute,
                owner,
                declaration,
                message,
            ))
        }
    }
}

/// The key that a column by convention comes to: with the other one of the owner's two query constraints, in their order.
fn constrained(
    owner: &'static ModelReflection,
    declaration: &AssociationReflection,
    column: &'static str,
) -> Result<Vec<&'static str>> {
    if !owner.has_query_constraints() {
        return Ok(vec![column]);
    }
    let constraints = owner.query_constraints();
    let name = |&at: &usize| owner.columns().get(at).map_or("", |column| column.name());
    let names: Vec<&'static str> = constraints.iter().map(name).collect();
    if names.contains(&column) {
        return Ok(vec![column]);
    }
    let why = match (names.as_slice(), owner.primary_key()) {
        (&[shard, _], &[key]) if constraints[1] == key => return Ok(vec![shard, column]),
        (&[_, shard], &[key]) if constraints[0] == key => return Ok(vec![column, shard]),
        (several, _) if several.len() > 2 => "have more than 2 attributes",
        _ => "do not include the primary key",
    };
    let message = format!(
        "The query constraints {names:?} of `{}` {why}, so the key of `{}` cannot be derived from them: write `foreign_key`",
        owner.name(),
        declaration.name
    );
    Err(problem(ErrorKind::Argument, owner, declaration, message))
}

fn no_interface(
    owner: &'static ModelReflection,
    declaration: &AssociationReflection,
    target: &'static ModelReflection,
    interface: &str,
) -> Error {
    let message = format!(
        "`{}.{}`: `{}` has no column `{interface}_id`, which `as = {interface}` asks for; name the column with \
         foreign_key",
        owner.name(),
        declaration.name,
        target.name()
    );
    problem(ErrorKind::UnknownAttribute, owner, declaration, message)
}

pub(super) fn positions(
    owner: &'static ModelReflection,
    declaration: &AssociationReflection,
    model: &'static ModelReflection,
    names: &[&str],
) -> Result<Box<[usize]>> {
    names
        .iter()
        .map(|name| {
            model.attribute(name).map_err(|error| {
                let message = format!("`{}.{}`: {error}", owner.name(), declaration.name);
                problem(ErrorKind::UnknownAttribute, owner, declaration, message)
            })
        })
        .collect()
}

pub(super) fn problem(
    kind: ErrorKind,
    owner: &ModelReflection,
    declaration: &AssociationReflection,
    message: String,
) -> Error {
    Error::new(kind, message)
        .with_model(owner.name())
        .with_attribute(declaration.name)
}
