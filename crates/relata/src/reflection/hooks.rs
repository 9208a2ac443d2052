//! What runs when in the life of a model's records: the callbacks, and what associations do by themselves.
//!
//! An association's own hooks run at its place of declaration among the callbacks: one that was declared above it
//! runs before them, one below after them. The table is worked out once a model.
//!
//! Invariant: [`ACTS`] is the one list of what associations do, and of when.

use std::fmt::Write as _;

use super::{AssociationReflection, Dependent, Macro, ModelReflection};
use crate::callback::Event;

/// What an association does at an event of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// A `belongs_to` without target takes its default.
    TakeDefault,
    /// A `belongs_to`'s parent is saved, and its key taken.
    SaveParent,
    /// A `has_one`'s or `has_many`'s members are given the key and saved.
    SaveMembers,
    /// A counter of the parent follows a changed key.
    MoveCount,
    /// The other side is touched.
    Touch,
    /// Who relies on a `dependent` is told that the association is deprecated.
    TellDependent,
    /// Who relies on a `touch` is told that the association is deprecated.
    TellTouch,
    /// The targets are destroyed, deleted, let go, or forbid it.
    Dependent,
}

impl Act {
    const fn text(self) -> &'static str {
        match self {
            Self::TakeDefault => "takes its default where it has no target",
            Self::SaveParent => "saves its parent and takes its key",
            Self::SaveMembers => "gives its members the key and saves them",
            Self::MoveCount => "moves the count to the new parent",
            Self::Touch => "touches its target",
            Self::TellDependent | Self::TellTouch => "tells that it is deprecated",
            Self::Dependent => "does what `dependent` says",
        }
    }
}

type Asks = fn(&AssociationReflection) -> bool;

fn has_default(association: &AssociationReflection) -> bool {
    association.default.is_some()
}

fn saves(association: &AssociationReflection) -> bool {
    association.autosave != Some(false)
}

fn counts(association: &AssociationReflection) -> bool {
    association.counter_cache.is_some()
}

fn touches(association: &AssociationReflection) -> bool {
    association.touch.is_some()
}

fn depends(association: &AssociationReflection) -> bool {
    association.dependent.is_some()
}

const ANY: &[Macro] = &[Macro::BelongsTo, Macro::HasOne, Macro::HasMany];
const MEMBERS: &[Macro] = &[Macro::HasOne, Macro::HasMany, Macro::HasAndBelongsToMany];

/// When an association does what: the event, which macro, whether its options ask for it, and what.
#[rustfmt::skip] // one act, one line: this is a table
const ACTS: &[(Event, &[Macro], Asks, Act)] = &[
    (Event::BeforeDestroy,    ANY,                             AssociationReflection::depends_deprecated, Act::TellDependent),
    (Event::BeforeSave,       &[Macro::BelongsTo, Macro::HasOne], AssociationReflection::touches_deprecated, Act::TellTouch),
    (Event::BeforeDestroy,    &[Macro::BelongsTo, Macro::HasOne], AssociationReflection::touches_deprecated, Act::TellTouch),
    (Event::BeforeValidation, &[Macro::BelongsTo],              has_default, Act::TakeDefault),
    (Event::BeforeSave,       &[Macro::BelongsTo],              saves,       Act::SaveParent),
    (Event::AfterCreate,      MEMBERS,                         saves,       Act::SaveMembers),
    (Event::AfterUpdate,      MEMBERS,                         saves,       Act::SaveMembers),
    (Event::AfterUpdate,      &[Macro::BelongsTo],              counts,      Act::MoveCount),
    (Event::AfterCreate,      &[Macro::BelongsTo, Macro::HasOne], touches,   Act::Touch),
    (Event::AfterUpdate,      &[Macro::BelongsTo, Macro::HasOne], touches,   Act::Touch),
    (Event::AfterDestroy,     &[Macro::BelongsTo, Macro::HasOne], touches,   Act::Touch),
    (Event::AfterTouch,       &[Macro::BelongsTo, Macro::HasOne], touches,   Act::Touch),
    (Event::BeforeDestroy,    &[Macro::HasOne, Macro::HasMany], depends,     Act::Dependent),
    (Event::AfterDestroy,     &[Macro::BelongsTo],              depends,     Act::Dependent),
];

/// One thing that runs at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    /// The callback at that position.
    Callback(usize),
    /// What the association at that position does.
    Association(usize, Act),
}

/// One thing that is looked at when a record is validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// The association at that position must have a target.
    Required(usize),
    /// The members of the association at that position must be valid.
    Members(usize),
    /// The validation at that position.
    Rule(usize),
}

/// What runs at each event, in order.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    rows: [Box<[Hook]>; Event::ALL.len()],
    looked: Box<[Looked]>,
    /// The associations over rows between two models, which go with the owner.
    rows_between: Box<[usize]>,
    /// Whether a save may run more than the record's own statement.
    more: bool,
    destroys_more: bool,
}

impl Hooks {
    pub(super) fn of(model: &ModelReflection) -> Self {
        let mut rows: [Vec<Hook>; Event::ALL.len()] = Default::default();
        let mut looked = Vec::new();
        let associations = model.reflections();
        for place in 0..=associations.len() {
            let here = |below: usize| below.min(associations.len()) == place;
            for (position, callback) in model.callbacks().enumerate() {
                if here(callback.below) {
                    rows[callback.event.row()].push(Hook::Callback(position));
                }
            }
            for (position, validation) in model.validations().enumerate() {
                if here(validation.below) {
                    looked.push(Looked::Rule(position));
                }
            }
            let Some(association) = associations.get(place) else {
                continue;
            };
            for (event, macros, asks, act) in ACTS {
                if macros.contains(&association.kind) && asks(association) {
                    rows[event.row()].push(Hook::Association(place, *act));
                }
            }
            if association.required {
                looked.push(Looked::Required(place));
            }
            if association.validates() {
                looked.push(Looked::Members(place));
            }
        }
        let hidden = (0..).zip(associations).filter(|(_, one)| one.hidden);
        let rows_between: Box<[usize]> = hidden.map(|(position, _)| position).collect();
        let own = |hook: &Hook| {
            matches!(
                hook,
                Hook::Association(_, Act::SaveParent | Act::SaveMembers)
            )
        };
        let silent = [Event::AfterFind.row(), Event::AfterInitialize.row()];
        let destroying = [
            Event::BeforeDestroy,
            Event::AfterDestroy,
            Event::AfterCommit,
            Event::AfterRollback,
        ]
        .map(Event::row);
        let counts = associations
            .iter()
            .any(|one| one.is_belongs_to() && counts(one));
        let is_more =
            |row: usize| !silent.contains(&row) && rows[row].iter().any(|hook| !own(hook));
        Self {
            more: counts
                || (0..rows.len()).any(|row| {
                    is_more(row)
                        && row != Event::BeforeDestroy.row()
                        && row != Event::AfterDestroy.row()
                }),
            destroys_more: counts
                || !rows_between.is_empty()
                || destroying.into_iter().any(is_more),
            rows_between,
            looked: looked.into_boxed_slice(),
            rows: rows.map(Vec::into_boxed_slice),
        }
    }

    /// What runs at an event, in order; for a `before`, the `around`s among it.
    pub(crate) fn at(&self, event: Event) -> &[Hook] {
        &self.rows[event.row()]
    }

    /// What is looked at in a validation, in order.
    pub(crate) fn looked(&self) -> &[Looked] {
        &self.looked
    }

    /// The associations over rows between two models: the rows go before the owner's.
    pub(crate) fn rows_between(&self) -> &[usize] {
        &self.rows_between
    }

    /// Whether a save may do more than its own statement and what its neighbours in memory need.
    pub(crate) fn saves_more(&self) -> bool {
        self.more
    }

    /// Whether a touch may do more than its own statement.
    pub(crate) fn touches_more(&self) -> bool {
        [Event::AfterTouch, Event::AfterCommit, Event::AfterRollback]
            .iter()
            .any(|event| !self.at(*event).is_empty())
    }

    /// Whether a destroy may do more than its own statement.
    pub(crate) fn destroys_more(&self) -> bool {
        self.destroys_more
    }
}

#[rustfmt::skip]
const SAVE: &[(&str, &[Event])] = &[
    ("validation", &[Event::BeforeValidation]),
    ("", &[Event::AfterValidation]),
    ("save", &[Event::BeforeSave, Event::BeforeCreate, Event::BeforeUpdate]),
    ("the row is written, and counted", &[Event::AfterCreate, Event::AfterUpdate, Event::AfterSave]),
    ("the transaction is committed", &[Event::AfterCommit]),
];

#[rustfmt::skip]
const DESTROY: &[(&str, &[Event])] = &[
    ("destroy", &[Event::BeforeDestroy]),
    ("the row is deleted, and counted out", &[Event::AfterDestroy]),
    ("the transaction is committed", &[Event::AfterCommit]),
];

impl ModelReflection {
    /// What saving a record of this model runs, in order, for people. Never touches the database.
    #[must_use]
    pub fn explain_save(&self) -> String {
        self.explain_run(SAVE)
    }

    /// What destroying a record of this model runs, in order, for people. Never touches the database.
    #[must_use]
    pub fn explain_destroy(&self) -> String {
        self.explain_run(DESTROY)
    }

    /// What one association does by itself, in the order of events, and what is looked at of it in a validation.
    pub(crate) fn explain_association(
        &self,
        position: usize,
    ) -> (Vec<(Event, String)>, Vec<String>) {
        let hooks = self.hooks();
        // An `around` shares the row of its `before`.
        let events = Event::ALL
            .into_iter()
            .filter(|event| !event.name().starts_with("around"));
        let acts = events.flat_map(|event| {
            hooks.at(event).iter().filter_map(move |hook| match hook {
                Hook::Association(at, act) if *at == position => {
                    Some((event, self.said(position, *act)))
                }
                _ => None,
            })
        });
        let looked = hooks.looked().iter().filter(|looked| {
            matches!(looked, Looked::Required(at) | Looked::Members(at) if *at == position)
        });
        (
            acts.collect(),
            looked.map(|looked| self.looked_at(looked)).collect(),
        )
    }

    /// What an association does, in words.
    fn said(&self, association: usize, act: Act) -> String {
        let dependent = self
            .reflections()
            .get(association)
            .and_then(|one| one.dependent);
        match dependent.filter(|_| act == Act::Dependent) {
            Some(dependent) => format!("{}: {}", act.text(), dependent.name()),
            None => act.text().to_owned(),
        }
    }

    fn looked_at(&self, looked: &Looked) -> String {
        let name = |at: &usize| self.reflections().get(*at).map_or("?", |one| one.name);
        match looked {
            Looked::Required(at) => format!("required {}", name(at)),
            Looked::Members(at) => format!("the members of {}", name(at)),
            Looked::Rule(at) => match self.validations().nth(*at) {
                Some(rule) => format!("{rule:?}"),
                None => String::new(),
            },
        }
    }

    fn explain_run(&self, parts: &[(&str, &[Event])]) -> String {
        let hooks = self.hooks();
        let mut text = String::new();
        for (heading, events) in parts {
            if !heading.is_empty() {
                let _ = writeln!(text, "{heading}");
            }
            for event in *events {
                for hook in hooks.at(*event) {
                    let _ = match hook {
                        Hook::Callback(at) => match self.callback(*at) {
                            Some(callback) => writeln!(text, "  {callback:?}"),
                            None => Ok(()),
                        },
                        Hook::Association(at, act) => {
                            let name = self.reflections().get(*at).map_or("?", |one| one.name);
                            let said = self.said(*at, *act);
                            writeln!(text, "  {} {name} {said}", event.name())
                        }
                    };
                }
                if *event == Event::BeforeValidation {
                    for looked in hooks.looked() {
                        let _ = writeln!(text, "  validates {}", self.looked_at(looked));
                    }
                }
            }
        }
        text
    }
}

impl Dependent {
    /// The value of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Destroy,
            Self::DestroyAsync,
            Self::Delete,
            Self::DeleteAll,
            Self::Nullify,
            Self::RestrictWithError,
            Self::RestrictWithException,
        ];
        all.into_iter().find(|dependent| dependent.name() == name)
    }

    /// The value as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::DestroyAsync => "destroy_async",
            Self::Delete => "delete",
            Self::DeleteAll => "delete_all",
            Self::Nullify => "nullify",
            Self::RestrictWithError => "restrict_with_error",
            Self::RestrictWithException => "restrict_with_exception",
        }
    }
}
