//! One declaration of an association, as it was written: name, macro, target and options.
//!
//! Invariant: nothing is worked out here; keys and inverses that were not written are found in `resolve`.

mod default_order;
mod deprecated;

pub(super) use deprecated::nothing_at;
pub(crate) use deprecated::{allowed_position, is_any_deprecated, refused_position};

use std::sync::OnceLock;

use super::{Classes, JoinTable, ModelReflection, NestedAttributes};
use crate::callback::{DefaultTarget, EnsuringOwnerWas, MemberCallback};
use crate::relation::Scope;

/// Which macro declared the association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Macro {
    /// The key is on this model.
    BelongsTo,
    /// The key is on the target; at most one.
    HasOne,
    /// The key is on the target; any number.
    HasMany,
    /// Any number, through a table of nothing but the keys of both sides.
    HasAndBelongsToMany,
}

impl Macro {
    /// The macro as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BelongsTo => "belongs_to",
            Self::HasOne => "has_one",
            Self::HasMany => "has_many",
            Self::HasAndBelongsToMany => "has_and_belongs_to_many",
        }
    }
}

/// How the target model of an association is found.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Target {
    /// A model of the program.
    Model(fn() -> &'static ModelReflection),
    /// That of its source, for an association that goes through another.
    OfSource {
        /// The name that was written, or follows from the association's.
        name: &'static str,
    },
    /// The model of a table between two models, which nobody declares.
    Between(&'static JoinTable),
    /// A model made at run time, which may be defined after the association that names it.
    Later {
        /// The name that was written.
        name: &'static str,
        /// Filled when the model is defined.
        model: &'static OnceLock<&'static ModelReflection>,
    },
    /// Any of several models: which one, a type column of the owner says. Rails: `polymorphic: true`.
    AnyOf(Classes),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Model(model) => f.write_str(model().name()),
            Self::Between(table) => table.fmt(f),
            Self::OfSource { name } | Self::Later { name, .. } => f.write_str(name),
            Self::AnyOf(classes) => classes.fmt(f),
        }
    }
}

/// What was written for `inverse_of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InverseOf {
    /// Nothing: it is looked for.
    Automatic,
    /// `inverse_of = none`.
    Off,
    /// The name of an association of the target.
    Named(&'static str),
}

/// What becomes of an association's targets when their owner is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dependent {
    /// Each is destroyed, with its callbacks and its own dependents.
    Destroy,
    /// The one is deleted, without callbacks. Of a `belongs_to` or `has_one`.
    Delete,
    /// All are deleted in one statement, without callbacks. Of a `has_many`.
    DeleteAll,
    /// Their keys become null, without callbacks.
    Nullify,
    /// A job to destroy each is given to the database's queue. They outlive their owner for a while: no foreign key
    /// constraint may stand between the tables.
    DestroyAsync,
    /// Where there is one, an error on the record keeps it from being destroyed.
    RestrictWithError,
    /// Where there is one, destroying fails with `DeleteRestriction`.
    RestrictWithException,
}

/// Which columns a touch sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Touch {
    /// `updated_at`.
    Timestamps,
    /// This one, and `updated_at`.
    Column(&'static str),
}

/// How the errors of members say which one they are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexErrors {
    /// By its place among the members: `posts[1].title`.
    Members,
    /// By its place in the values that were assigned last. Rails: `:nested_attributes_order`.
    Assigned,
}

/// One association of a model, built in a `const`.
#[derive(Clone, Copy)]
pub struct AssociationReflection {
    pub(crate) name: &'static str,
    pub(crate) kind: Macro,
    pub(crate) target: Target,
    pub(crate) foreign_key: &'static [&'static str],
    pub(crate) primary_key: &'static [&'static str],
    /// The polymorphic `belongs_to` of the target whose key this is. Rails: `as`.
    pub(crate) interface: Option<&'static str>,
    /// Whether it is declared by the parent of its model, and not anew.
    pub(crate) inherited: bool,
    /// Whether the model says more of it than the parent that declares it: that it takes values for its members.
    pub(crate) amended: bool,
    pub(crate) foreign_type: Option<&'static str>,
    /// The names of the models that a delegated type leads to. Rails: `delegated_type`.
    pub(crate) delegates: &'static [&'static str],
    pub(crate) inverse_of: InverseOf,
    /// The association of the same model that it goes through.
    pub(crate) through: Option<&'static str>,
    /// The association of what that leads to, where it is not found by name.
    pub(crate) source: Option<&'static str>,
    /// The model behind a polymorphic source, by its stored name.
    pub(crate) source_type: Option<&'static str>,
    /// Whether the model behind a polymorphic source is the target that was written.
    pub(crate) source_typed: bool,
    /// The names of the models that a polymorphic one leads to, where only these will do.
    pub(crate) models: &'static [&'static str],
    /// Whether what it goes through is asked for hop by hop.
    pub(crate) disable_joins: bool,
    /// The table between, until the association over its rows is declared too.
    pub(super) join_table: Option<&'static JoinTable>,
    /// Whether it is there for another one only, and nobody is shown it.
    pub(crate) hidden: bool,
    pub(crate) required: bool,
    /// Whether a collection is told in memory of a record that was given its owner.
    pub(crate) inversing: bool,
    pub(crate) strict_loading: Option<bool>,
    pub(crate) scope: Option<&'static Scope>,
    pub(crate) default_order: Option<&'static Scope>,
    pub(crate) deprecated: bool,
    pub(crate) autosave: Option<bool>,
    pub(crate) validate: Option<bool>,
    pub(crate) counter_cache: Option<&'static str>,
    pub(crate) counter_active: bool,
    pub(crate) touch: Option<Touch>,
    pub(crate) dependent: Option<Dependent>,
    pub(crate) ensuring_owner_was: Option<EnsuringOwnerWas>,
    pub(crate) default: Option<DefaultTarget>,
    pub(crate) index_errors: Option<IndexErrors>,
    pub(crate) nested: Option<NestedAttributes>,
    pub(crate) callbacks: &'static [MemberCallback],
    pub(crate) options: &'static [(&'static str, &'static str)],
    pub(crate) doc: &'static str,
}

impl AssociationReflection {
    /// A counter whose column is named after the model, which is known once the association is part of one.
    pub(crate) const CONVENTIONAL_COUNTER: &'static str = "";

    pub(super) const fn new(kind: Macro, name: &'static str, target: Target) -> Self {
        Self {
            name,
            kind,
            target,
            foreign_key: &[],
            primary_key: &[],
            interface: None,
            inherited: false,
            amended: false,
            foreign_type: None,
            delegates: &[],
            inverse_of: InverseOf::Automatic,
            through: None,
            source: None,
            source_type: None,
            source_typed: false,
            models: &[],
            disable_joins: false,
            join_table: None,
            hidden: false,
            required: false,
            inversing: true,
            strict_loading: None,
            scope: None,
            default_order: None,
            deprecated: false,
            autosave: None,
            validate: None,
            counter_cache: None,
            counter_active: true,
            touch: None,
            dependent: None,
            ensuring_owner_was: None,
            default: None,
            index_errors: None,
            nested: None,
            callbacks: &[],
            options: &[],
            doc: "",
        }
    }

    /// The table between, of the rows of a `has_and_belongs_to_many` that a model made at run time declares.
    pub(super) const fn with_join_table(mut self, table: &'static JoinTable) -> Self {
        self.join_table = Some(table);
        self
    }

    /// A `belongs_to`.
    #[must_use]
    pub const fn belongs_to(name: &'static str, target: Target) -> Self {
        Self::new(Macro::BelongsTo, name, target)
    }

    /// A `has_one`.
    #[must_use]
    pub const fn has_one(name: &'static str, target: Target) -> Self {
        Self::new(Macro::HasOne, name, target)
    }

    /// A `has_many`.
    #[must_use]
    pub const fn has_many(name: &'static str, target: Target) -> Self {
        Self::new(Macro::HasMany, name, target)
    }

    /// The attributes that hold the key: on this model for a `belongs_to`, else on the target.
    #[must_use]
    pub const fn with_foreign_key(mut self, names: &'static [&'static str]) -> Self {
        self.foreign_key = names;
        self
    }

    /// The attributes that the key refers to, where they are not the primary key.
    #[must_use]
    pub const fn with_primary_key(mut self, names: &'static [&'static str]) -> Self {
        self.primary_key = names;
        self
    }

    /// The polymorphic `belongs_to` of the target that leads back: its key and type columns are this association's.
    /// Rails: `as`.
    #[must_use]
    pub const fn with_interface(mut self, interface: &'static str) -> Self {
        self.interface = Some(interface);
        self
    }

    /// The attribute that says which model the key refers to, where it is not the interface's name and `_type`.
    /// Rails: `foreign_type`.
    #[must_use]
    pub const fn with_foreign_type(mut self, name: &'static str) -> Self {
        self.foreign_type = Some(name);
        self
    }

    /// The names of the models that a polymorphic `belongs_to` delegates to. Rails: `delegated_type`.
    #[must_use]
    pub const fn with_delegates(mut self, names: &'static [&'static str]) -> Self {
        self.delegates = names;
        self
    }

    /// The inverse, as it was written.
    #[must_use]
    pub const fn with_inverse_of(mut self, inverse: InverseOf) -> Self {
        self.inverse_of = inverse;
        self
    }

    /// Makes the target required: a record without one is not valid.
    #[must_use]
    pub const fn with_required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Forbids (or allows, on a strict record) lazy loading of this association.
    #[must_use]
    pub const fn with_strict_loading(mut self, strict: bool) -> Self {
        self.strict_loading = Some(strict);
        self
    }

    /// The scope that narrows and orders the target.
    #[must_use]
    pub const fn with_scope(mut self, scope: &'static Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// `autosave = true` or `false`.
    #[must_use]
    pub const fn with_autosave(mut self, autosave: bool) -> Self {
        self.autosave = Some(autosave);
        self
    }

    /// `validate = true` or `false`.
    #[must_use]
    pub const fn with_validate(mut self, validate: bool) -> Self {
        self.validate = Some(validate);
        self
    }

    /// The column on the parent that counts the children.
    #[must_use]
    pub const fn with_counter_cache(mut self, column: &'static str) -> Self {
        self.counter_cache = Some(column);
        self
    }

    /// Counts, but is not to be trusted yet: `size` does not use it. Rails: `counter_cache: {active: false}`.
    #[must_use]
    pub const fn with_inactive_counter(mut self) -> Self {
        self.counter_active = false;
        self
    }

    /// Touches the other side when the record is created, changed, touched or destroyed.
    #[must_use]
    pub const fn with_touch(mut self, touch: Touch) -> Self {
        self.touch = Some(touch);
        self
    }

    /// What becomes of the targets when the record is destroyed.
    #[must_use]
    pub const fn with_dependent(mut self, dependent: Dependent) -> Self {
        self.dependent = Some(dependent);
        self
    }

    /// When a job of `dependent = destroy_async` goes on although the owner is still there.
    #[must_use]
    pub const fn with_ensuring_owner_was(mut self, ensuring: EnsuringOwnerWas) -> Self {
        self.ensuring_owner_was = Some(ensuring);
        self
    }

    /// What a `belongs_to` without target takes before it is validated.
    #[must_use]
    pub const fn with_default(mut self, default: DefaultTarget) -> Self {
        self.default = Some(default);
        self
    }

    /// What runs when members come and go, in this order.
    #[must_use]
    pub const fn with_callbacks(mut self, callbacks: &'static [MemberCallback]) -> Self {
        self.callbacks = callbacks;
        self
    }

    /// The errors of members say which one: `posts[1].title`.
    #[must_use]
    pub const fn with_index_errors(mut self, by: IndexErrors) -> Self {
        self.index_errors = Some(by);
        self
    }

    /// The options as they were written, for people and tools.
    #[must_use]
    pub const fn with_options(mut self, options: &'static [(&'static str, &'static str)]) -> Self {
        self.options = options;
        self
    }

    /// The doc comment of the field.
    #[must_use]
    pub const fn with_doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// The name of the association.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The macro that declared it. Rails: `macro`.
    #[must_use]
    pub fn macro_kind(&self) -> Macro {
        self.kind
    }

    /// Whether it has many targets. Rails: `collection?`.
    #[must_use]
    pub fn is_collection(&self) -> bool {
        matches!(self.kind, Macro::HasMany | Macro::HasAndBelongsToMany)
    }

    /// Whether it is a `belongs_to`. Rails: `belongs_to?`.
    #[must_use]
    pub fn is_belongs_to(&self) -> bool {
        self.kind == Macro::BelongsTo
    }

    /// Whether it is a `has_one`. Rails: `has_one?`.
    #[must_use]
    pub fn is_has_one(&self) -> bool {
        self.kind == Macro::HasOne
    }

    /// Whether its owner says which model it leads to. Rails: `polymorphic?`.
    #[must_use]
    pub fn is_polymorphic(&self) -> bool {
        matches!(self.target, Target::AnyOf(_))
    }

    /// Whether it was declared by `delegated_type`.
    #[must_use]
    pub fn is_delegated(&self) -> bool {
        !self.delegates.is_empty()
    }

    /// The names of the models that a delegated type leads to. Rails: `entryable_types`.
    #[must_use]
    pub fn delegates(&self) -> &'static [&'static str] {
        self.delegates
    }

    /// The polymorphic `belongs_to` of the target whose key this is. Rails: the option `as`.
    #[must_use]
    pub fn interface(&self) -> Option<&'static str> {
        self.interface
    }

    /// The attribute that says which model a polymorphic key refers to: on this model for a `belongs_to`, on the target
    /// for one with `as`. Rails: `foreign_type`, `type`.
    #[must_use]
    pub fn type_name(&self) -> Option<String> {
        let interface = self
            .interface
            .or(self.is_polymorphic().then_some(self.name))?;
        let conventional = || format!("{interface}_type");
        Some(self.foreign_type.map_or_else(conventional, str::to_owned))
    }

    /// Whether records of a model can be its targets.
    #[must_use]
    pub fn leads_to(&self, model: &'static ModelReflection) -> bool {
        match self.target {
            Target::AnyOf(classes) => classes.member(model).is_some(),
            _ => self.target.model().is_ok_and(|target| model.is_a(target)),
        }
    }

    /// Whether a record without target is not valid.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// `autosave`, if it was written.
    #[must_use]
    pub fn autosave(&self) -> Option<bool> {
        self.autosave
    }

    /// Which values the record takes for the members, if it takes any. Rails: `nested_attributes_options`.
    #[must_use]
    pub fn nested_attributes(&self) -> Option<NestedAttributes> {
        self.nested
    }

    /// The column that counts, if one was declared. Rails: `counter_cache_column`.
    #[must_use]
    pub fn counter_cache(&self) -> Option<&'static str> {
        self.counter_cache
    }

    /// What becomes of the targets when the record is destroyed.
    #[must_use]
    pub fn dependent(&self) -> Option<Dependent> {
        self.dependent
    }

    /// When a job goes on although the owner is still there, if that was written. Rails: `ensuring_owner_was`.
    #[must_use]
    pub fn ensuring_owner_was(&self) -> Option<EnsuringOwnerWas> {
        self.ensuring_owner_was
    }

    /// Whether its members are validated with the record: by default those of a collection, and of what is autosaved.
    /// Rails: `validate?`.
    #[must_use]
    pub fn validates(&self) -> bool {
        self.validate
            .unwrap_or(self.is_collection() || self.autosave == Some(true))
    }

    /// The options as they were written. Rails: `options`.
    #[must_use]
    pub fn options(&self) -> &'static [(&'static str, &'static str)] {
        self.options
    }

    /// The scope, if one was declared. Rails: `scope`.
    #[must_use]
    pub fn scope(&self) -> Option<&'static Scope> {
        self.scope
    }

    /// What was written for `inverse_of`.
    #[must_use]
    pub fn inverse_of(&self) -> InverseOf {
        self.inverse_of
    }

    /// The name of the target model. Rails: `class_name`.
    #[must_use]
    pub fn target_name(&self) -> &'static str {
        match self.target {
            Target::Model(model) => model().name(),
            Target::Between(table) => table.made().map_or("", ModelReflection::name),
            Target::OfSource { name } | Target::Later { name, .. } => name,
            // Rails says the name of the association, as a class that is not there.
            Target::AnyOf(_) => self.name,
        }
    }

    /// Whether the target was written, and not found by the association's name.
    pub(super) fn names_target(&self) -> bool {
        self.options
            .iter()
            .any(|(option, _)| *option == "class_name")
    }

    /// The doc comment of the field.
    #[must_use]
    pub fn documentation(&self) -> &'static str {
        self.doc
    }

    /// The names of the methods that `#[model]` gives a record for it; [`Reflected::methods`](super::Reflected::methods)
    /// knows which of them the model leaves out.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        let name = self.name;
        let mut methods = vec![name.to_owned()];
        if self.nested.is_some() {
            methods.push(format!("{name}_attributes"));
        }
        if self.is_collection() {
            methods.push(format!("{}_ids", relata_inflect::singularize(name)));
            return methods;
        }
        let verbs = match self.is_polymorphic() {
            true => &["set", "reload", "reset"][..],
            false => &["set", "build", "create", "reload", "reset"],
        };
        methods.extend(verbs.iter().map(|verb| format!("{verb}_{name}")));
        if self.is_belongs_to() {
            methods.extend(["changed", "previously_changed"].map(|what| format!("{name}_{what}")));
        }
        methods
    }
}

impl std::fmt::Debug for AssociationReflection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssociationReflection")
            .field("macro", &self.kind.name())
            .field("name", &self.name)
            .field("target", &self.target_name())
            .field("options", &self.options)
            .finish()
    }
}
