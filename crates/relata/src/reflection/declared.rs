//! Declarations in words, for models made at run time: a macro, a name, and options as a data file or a console says
//! them.
//!
//! Invariant: an option is taken, or it is an error: `Argument` where Rails refuses it too, with Rails' sentence,
//! `Unsupported` where relata does not have it yet. None is ignored.

mod words;

use std::sync::{Mutex, PoisonError};

use words::{BELONGS_TO, FOR_ALL, HAS_MANY, HAS_ONE, PASSED_ON, TAKEN};

use super::{
    AssociationReflection, Dependent, IndexErrors, InverseOf, JoinTable, Macro, Target, Touch,
};
use crate::callback::{DefaultTarget, EnsuringOwnerWas, MemberCallback};
use crate::error::{Error, ErrorKind, Result};
use crate::relation::Scope;

/// What an option is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// `nil`.
    Null,
    /// A truth value.
    Flag(bool),
    /// A name or a text.
    Text(String),
    /// Several names.
    Texts(Vec<String>),
    /// Options of the option: `{active: false, column: "posts_count"}`.
    Options(Vec<(String, Setting)>),
    /// A class itself, where its name is wanted.
    Class,
    /// Something that runs: a callable, a module.
    Code,
}

/// An association declared in words.
///
/// ```
/// use relata::reflection::{Declared, ModelBuilder, Setting};
///
/// let author = || Declared::new("Post", "belongs_to", "author");
/// let declared = author()?.option("class_name", Setting::Text("Person".into()))?;
/// let (person, _) = ModelBuilder::target(declared.class_name());
/// assert_eq!(declared.leading_to(person)?.target_name(), "Person");
///
/// let declared = author()?.option("class", Setting::Text("Person".into()))?;
/// assert!(declared.leading_to(person).unwrap_err().to_string().starts_with("Unknown key: :class. Valid keys are:"));
/// # Ok::<(), relata::Error>(())
/// ```
pub struct Declared {
    model: String,
    kind: Macro,
    name: String,
    options: Vec<(String, Setting)>,
    scope: Option<&'static Scope>,
    default: Option<DefaultTarget>,
    callbacks: Vec<MemberCallback>,
    ensuring: Option<EnsuringOwnerWas>,
    required: bool,
    inversing: bool,
    counts: bool,
    inverse_looked_for: bool,
    delegated: bool,
}

impl std::fmt::Debug for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Declared")
            .field("macro", &self.kind)
            .field("name", &self.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Declared {
    /// The declaration of an association of a model by `belongs_to`, `has_one`, `has_many` or `has_and_belongs_to_many`.
    ///
    /// # Errors
    /// `Argument` for a name that every record answers to already; `Unsupported` for another macro.
    pub fn new(model: &str, kind: &str, name: &str) -> Result<Self> {
        let kind = match kind {
            "belongs_to" => Macro::BelongsTo,
            "has_one" => Macro::HasOne,
            "has_many" => Macro::HasMany,
            "has_and_belongs_to_many" => Macro::HasAndBelongsToMany,
            // A polymorphic `belongs_to` that names its models.
            "delegated_type" => {
                let declared = Self::new(model, "belongs_to", name)?;
                return Ok(Self {
                    delegated: true,
                    ..declared
                });
            }
            other => {
                let message = format!("the macro {other} is not supported");
                return Err(Error::new(ErrorKind::Unsupported, message).with_attribute(name));
            }
        };
        if TAKEN.contains(&name) {
            let message = format!(
                "You tried to define an association named {name} on the model {model}, but this will conflict with a \
                 method {name} already defined by Active Record. Please choose a different association name."
            );
            return Err(Error::new(ErrorKind::Argument, message).with_attribute(name));
        }
        Ok(Self {
            model: model.to_owned(),
            kind,
            name: name.to_owned(),
            options: Vec::new(),
            scope: None,
            default: None,
            callbacks: Vec::new(),
            ensuring: None,
            required: kind == Macro::BelongsTo,
            inversing: true,
            counts: true,
            inverse_looked_for: true,
            delegated: false,
        })
    }

    /// Sets an option. What was set before under that name is replaced.
    ///
    /// # Errors
    /// `Argument` for a class where its name is wanted.
    pub fn option(mut self, option: &str, setting: Setting) -> Result<Self> {
        if setting == Setting::Class {
            let message =
                format!("A class was passed to `:{option}` but we are expecting a string.");
            return Err(self.error(ErrorKind::Argument, message));
        }
        self.options.retain(|(known, _)| known != option);
        self.options.push((option.to_owned(), setting));
        Ok(self)
    }

    /// The scope that narrows and orders the target.
    #[must_use]
    pub fn scope(mut self, scope: &'static Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// What runs when members come or go, for the options `before_add` and the like.
    #[must_use]
    pub fn callback(mut self, callback: MemberCallback) -> Self {
        self.callbacks.push(callback);
        self
    }

    /// What a `belongs_to` without target takes, for the option `default`.
    #[must_use]
    pub fn default(mut self, default: DefaultTarget) -> Self {
        self.default = Some(default);
        self
    }

    /// When a job of `destroy_async` goes on although the owner is still there, for the option `ensuring_owner_was`.
    #[must_use]
    pub fn ensuring_owner_was(mut self, ensuring: EnsuringOwnerWas) -> Self {
        self.ensuring = Some(ensuring);
        self
    }

    /// A `belongs_to` is optional unless it says otherwise. Rails: `belongs_to_required_by_default = false`.
    #[must_use]
    pub fn optional_by_default(mut self) -> Self {
        self.required = false;
        self
    }

    /// The counter is kept, and `size` does not use it yet. Rails: `counter_cache: { active: false }`.
    #[must_use]
    pub fn with_inactive_counter(mut self) -> Self {
        self.counts = false;
        self
    }

    /// A collection is not told in memory of a record that was given its owner. Rails: `has_many_inversing = false`.
    #[must_use]
    pub fn without_inversing(mut self) -> Self {
        self.inversing = false;
        self
    }

    /// Where no inverse is written there is none: what leads back over the same key is not looked for, and what leads back
    /// does not find this one. Its options say nothing of that. Rails: what the option
    /// `foreign_key` does.
    #[must_use]
    pub fn without_automatic_inverse(mut self) -> Self {
        self.inverse_looked_for = false;
        self
    }

    /// The name of the target model, as written or by convention. Rails: `class_name`.
    #[must_use]
    pub fn class_name(&self) -> String {
        match self.setting("class_name") {
            Some(Setting::Text(name)) => name.clone(),
            _ if matches!(self.kind, Macro::HasMany | Macro::HasAndBelongsToMany) => {
                relata_inflect::camelize(&relata_inflect::singularize(&self.name))
            }
            _ => relata_inflect::camelize(&self.name),
        }
    }

    /// Whether which model it leads to is for each owner to say: its target is [`Target::AnyOf`]. Rails: `polymorphic`.
    #[must_use]
    pub fn is_polymorphic(&self) -> bool {
        self.delegated || self.setting("polymorphic") == Some(&Setting::Flag(true))
    }

    /// The association that the words declare, leading to `target`; one that goes through another leads where its source
    /// does.
    ///
    /// # Errors
    /// `Argument` for an option that the macro does not have, or that is set to something it cannot be;
    /// `Unsupported` for one that relata does not have yet.
    pub fn leading_to(&self, target: Target) -> Result<AssociationReflection> {
        // What a has_and_belongs_to_many does not have is passed over, as in Rails.
        if self.kind == Macro::HasAndBelongsToMany {
            return self.over_rows(target);
        }
        self.check_keys()?;
        if self.delegated && self.setting("types").is_none() {
            let message = "missing keyword: :types".to_owned();
            return Err(self.error(ErrorKind::Argument, message));
        }
        let name = leak(self.name.clone());
        let target = match self.setting("through") {
            Some(Setting::Text(_)) => Target::OfSource {
                name: leak(self.class_name()),
            },
            _ => target,
        };
        let mut association = AssociationReflection::new(self.kind, name, target);
        association.required = self.required;
        association.inversing = self.inversing;
        association.counter_active = self.counts;
        if !self.inverse_looked_for {
            association.inverse_of = InverseOf::Off;
        }
        association.scope = self.scope;
        for (option, setting) in &self.options {
            self.apply(&mut association, option, setting)?;
        }
        association.callbacks = Vec::leak(self.callbacks.clone());
        association.options = self.written();
        Ok(association)
    }

    /// The association over a table between two models.
    fn over_rows(&self, target: Target) -> Result<AssociationReflection> {
        let name = leak(self.name.clone());
        let text = |option: &str| match self.setting(option) {
            Some(Setting::Text(text)) => Some(leak(text.clone())),
            _ => None,
        };
        let mut table = JoinTable::new(name, target);
        if let Some(written) = text("join_table") {
            table = table.with_table(written);
        }
        if let Some(column) = text("foreign_key") {
            table = table.with_foreign_key(column);
        }
        if let Some(column) = text("association_foreign_key") {
            table = table.with_association_foreign_key(column);
        }
        let mut association =
            AssociationReflection::new(self.kind, name, target).with_join_table(leaked(table));
        association.scope = self.scope;
        for (option, setting) in &self.options {
            if PASSED_ON.contains(&option.as_str()) {
                self.apply(&mut association, option, setting)?;
            }
        }
        association.callbacks = Vec::leak(self.callbacks.clone());
        association.options = self.written();
        Ok(association)
    }

    fn apply(
        &self,
        association: &mut AssociationReflection,
        option: &str,
        setting: &Setting,
    ) -> Result<()> {
        match (option, setting) {
            // `extend` adds methods to the collection: they are the caller's. Rails takes a `join_table`, and asks nobody.
            ("class_name" | "extend" | "join_table", _) => {}
            ("deprecated", Setting::Flag(deprecated)) => association.deprecated = *deprecated,
            ("default_order", Setting::Text(order)) => {
                association.default_order = Some(Scope::ordering_by_default(order.clone()));
            }
            ("default_order", Setting::Texts(orders)) => {
                association.default_order = Some(Scope::ordering_by_default(orders.join(",")));
            }
            ("query_constraints", Setting::Text(_) | Setting::Texts(_)) => {
                let message = format!(
                    "Setting `query_constraints:` option on `{}.{} :{}` is not allowed. To get the same behavior, use the `foreign_key` option instead.",
                    self.model,
                    self.kind.name(),
                    self.name
                );
                return Err(self.error(ErrorKind::Configuration, message));
            }
            // The target says it.
            ("polymorphic", Setting::Flag(true)) => {}
            ("types", Setting::Text(_) | Setting::Texts(_)) if self.delegated => {
                association.delegates = names(setting);
            }
            ("as", Setting::Text(interface)) => {
                association.interface = Some(leak(interface.clone()))
            }
            ("foreign_type", Setting::Text(name)) => {
                association.foreign_type = Some(leak(name.clone()));
            }
            ("foreign_key", Setting::Text(_) | Setting::Texts(_)) => {
                association.foreign_key = names(setting);
            }
            ("primary_key", Setting::Text(_) | Setting::Texts(_)) => {
                association.primary_key = names(setting);
            }
            ("inverse_of", Setting::Text(inverse)) => {
                association.inverse_of = InverseOf::Named(leak(inverse.clone()));
            }
            ("inverse_of", Setting::Null | Setting::Flag(false)) => {
                association.inverse_of = InverseOf::Off;
            }
            ("through", Setting::Text(through)) => {
                association.through = Some(leak(through.clone()));
            }
            ("source", Setting::Text(source)) => association.source = Some(leak(source.clone())),
            ("source_type", Setting::Text(name)) => {
                association.source_type = Some(leak(name.clone()));
            }
            ("disable_joins", Setting::Flag(true)) => association.disable_joins = true,
            ("optional", Setting::Flag(optional)) => association.required = !optional,
            ("required", Setting::Flag(required)) => association.required = *required,
            ("strict_loading", Setting::Flag(strict)) => association.strict_loading = Some(*strict),
            ("autosave", Setting::Flag(autosave)) => association.autosave = Some(*autosave),
            ("validate", Setting::Flag(validate)) => association.validate = Some(*validate),
            ("touch", Setting::Flag(true)) => association.touch = Some(Touch::Timestamps),
            ("touch", Setting::Text(column)) => {
                association.touch = Some(Touch::Column(leak(column.clone())));
            }
            ("counter_cache", Setting::Flag(true)) => {
                association.counter_cache = Some(AssociationReflection::CONVENTIONAL_COUNTER);
            }
            ("counter_cache", Setting::Text(column)) => {
                association.counter_cache = Some(leak(column.clone()));
            }
            ("counter_cache", Setting::Options(parts)) => {
                association.counter_cache = Some(AssociationReflection::CONVENTIONAL_COUNTER);
                for (part, setting) in parts {
                    match (part.as_str(), setting) {
                        ("active", Setting::Flag(active)) => association.counter_active = *active,
                        ("column", Setting::Text(column)) => {
                            association.counter_cache = Some(leak(column.clone()));
                        }
                        ("column", Setting::Null) => {}
                        _ => return Err(self.lacking(&format!("counter_cache.{part}"))),
                    }
                }
            }
            ("before_add" | "after_add" | "before_remove" | "after_remove", _)
                if !self.callbacks.is_empty() => {}
            ("default", Setting::Code) if self.default.is_some() => {
                association.default = self.default;
            }
            ("ensuring_owner_was", Setting::Text(_) | Setting::Code) if self.ensuring.is_some() => {
                association.ensuring_owner_was = self.ensuring;
            }
            ("index_errors", Setting::Flag(true)) => {
                association.index_errors = Some(IndexErrors::Members);
            }
            ("index_errors", Setting::Text(by)) if by == "nested_attributes_order" => {
                association.index_errors = Some(IndexErrors::Assigned);
            }
            ("dependent", Setting::Text(dependent)) => {
                self.check_dependent(setting)?;
                association.dependent = Dependent::named(dependent);
            }
            // Off is what is done without them.
            (
                "polymorphic" | "counter_cache" | "touch" | "index_errors" | "disable_joins",
                Setting::Flag(false),
            )
            | (_, Setting::Null) => {}
            ("dependent", setting) => {
                self.check_dependent(setting)?;
                return Err(self.lacking(option));
            }
            _ => return Err(self.lacking(option)),
        }
        Ok(())
    }

    fn lacking(&self, option: &str) -> Error {
        let message = format!(
            "the option {option} of {} is not supported",
            self.kind.name()
        );
        self.error(ErrorKind::Unsupported, message)
    }

    /// The options that can be written together with those that are.
    fn valid_keys(&self) -> Vec<&'static str> {
        let is_set = |option: &str| self.setting(option).is_some();
        let own = match self.kind {
            Macro::BelongsTo => BELONGS_TO,
            Macro::HasOne => HAS_ONE,
            Macro::HasMany | Macro::HasAndBelongsToMany => HAS_MANY,
        };
        let mut keys = [FOR_ALL, own].concat();
        match (self.kind, is_set("polymorphic")) {
            (Macro::BelongsTo, _) if self.delegated => keys.extend(["foreign_type", "types"]),
            (Macro::BelongsTo, true) => keys.push("foreign_type"),
            (Macro::BelongsTo, false) => keys.push("class_name"),
            _ => {}
        }
        if self.kind != Macro::BelongsTo {
            if is_set("as") {
                keys.push("foreign_type");
            }
            if is_set("through") {
                keys.extend(["source", "source_type", "disable_joins"]);
            }
        }
        if self.setting("dependent") == Some(&Setting::Text("destroy_async".to_owned())) {
            keys.push("ensuring_owner_was");
        }
        keys
    }

    fn check_keys(&self) -> Result<()> {
        let valid = self.valid_keys();
        match self
            .options
            .iter()
            .find(|(option, _)| !valid.contains(&option.as_str()))
        {
            None => Ok(()),
            Some((unknown, _)) => {
                let valid: Vec<String> = valid.iter().map(|key| format!(":{key}")).collect();
                let message = format!(
                    "Unknown key: :{unknown}. Valid keys are: {}",
                    valid.join(", ")
                );
                Err(self.error(ErrorKind::Argument, message))
            }
        }
    }

    fn check_dependent(&self, setting: &Setting) -> Result<()> {
        let valid: &[&str] = match self.kind {
            Macro::BelongsTo => &["destroy", "delete", "destroy_async"],
            Macro::HasOne => &[
                "destroy",
                "destroy_async",
                "delete",
                "nullify",
                "restrict_with_error",
                "restrict_with_exception",
            ],
            Macro::HasMany | Macro::HasAndBelongsToMany => &[
                "destroy",
                "delete_all",
                "nullify",
                "restrict_with_error",
                "restrict_with_exception",
                "destroy_async",
            ],
        };
        let said = match setting {
            Setting::Text(text) if valid.contains(&text.as_str()) => return Ok(()),
            Setting::Text(text) => text.clone(),
            other => spelled(other),
        };
        let valid: Vec<String> = valid.iter().map(|one| format!(":{one}")).collect();
        let message = format!(
            "The :dependent option must be one of [{}], but is :{said}",
            valid.join(", ")
        );
        Err(self.error(ErrorKind::Argument, message))
    }

    fn setting(&self, option: &str) -> Option<&Setting> {
        self.options
            .iter()
            .find(|(known, _)| known == option)
            .map(|(_, setting)| setting)
    }

    /// The options as they were written; `required` says what `optional` says, as in Rails.
    fn written(&self) -> &'static [(&'static str, &'static str)] {
        let word = |(option, setting): &(String, Setting)| match (option.as_str(), setting) {
            ("required", Setting::Flag(required)) if self.kind == Macro::BelongsTo => {
                ("optional", leak((!required).to_string()))
            }
            (_, setting) => (leak(option.clone()), leak(spelled(setting))),
        };
        self.options.iter().map(word).collect::<Vec<_>>().leak()
    }

    fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message).with_attribute(format!("{}.{}", self.model, self.name))
    }
}

fn spelled(setting: &Setting) -> String {
    match setting {
        Setting::Null => "nil".to_owned(),
        Setting::Flag(value) => value.to_string(),
        Setting::Text(text) => text.clone(),
        Setting::Texts(texts) => texts.join(", "),
        Setting::Options(parts) => {
            let each = parts.iter();
            let each = each.map(|(name, setting)| format!("{name}: {}", spelled(setting)));
            format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
        }
        Setting::Class | Setting::Code => "code".to_owned(),
    }
}

fn names(setting: &Setting) -> &'static [&'static str] {
    let names = match setting {
        Setting::Text(one) => std::slice::from_ref(one),
        Setting::Texts(many) => many.as_slice(),
        _ => &[],
    };
    names
        .iter()
        .map(|name| leak(name.clone()))
        .collect::<Vec<_>>()
        .leak()
}

/// Leaks a table into a list of all of them, where tools that look for lost memory still find it.
fn leaked(table: JoinTable) -> &'static JoinTable {
    static DECLARED: Mutex<Vec<&'static JoinTable>> = Mutex::new(Vec::new());
    let table: &'static JoinTable = Box::leak(Box::new(table));
    DECLARED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(table);
    table
}

fn leak(text: String) -> &'static str {
    text.leak()
}
