//! Deprecated associations: whoever uses one is told, or stopped.
//!
//! Invariant: a program without one pays a look at one flag where a query is made, and nothing where memory is read.

use std::backtrace::Backtrace;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::pending;
pub(crate) use crate::reflection::is_any_deprecated as is_any;
use crate::reflection::{AssociationReflection, ModelReflection, Resolved};
use crate::warning::{About, warn};

/// One use of a deprecated association. Rails: the payload of `deprecated_association.active_record`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeprecatedUse {
    /// The model that declares it.
    pub model: &'static ModelReflection,
    /// The association.
    pub association: &'static AssociationReflection,
    /// What is said of the use: `The association User#posts is deprecated, the method posts was invoked (src/main.rs:7:9)`.
    pub message: String,
    /// The line of the program, if it is known.
    pub location: Option<&'static Location<'static>>,
    /// What called what, where that is asked for.
    pub backtrace: Option<String>,
}

type Listener = dyn Fn(&DeprecatedUse) + Send + Sync;

/// What the use of a deprecated association comes to: it is told, unless this says otherwise. Given to
/// [`Db::set_deprecated_associations`]. Rails: `deprecated_associations_options`.
#[derive(Clone, Default)]
pub struct DeprecatedAssociations {
    mode: Mode,
    backtrace: bool,
}

#[derive(Clone, Default)]
enum Mode {
    #[default]
    Warn,
    Raise,
    Notify(Option<Arc<Listener>>),
}

impl fmt::Debug for DeprecatedAssociations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Warn => "warn",
            Mode::Raise => "raise",
            Mode::Notify(_) => "notify",
        };
        f.debug_struct("DeprecatedAssociations")
            .field("mode", &mode)
            .field("backtrace", &self.backtrace)
            .finish()
    }
}

impl DeprecatedAssociations {
    fn of(mode: Mode) -> Self {
        Self {
            mode,
            backtrace: false,
        }
    }

    /// Each use is told, to standard error or to `tracing`, and done. Rails: `mode: :warn`.
    #[must_use]
    pub fn warn() -> Self {
        Self::of(Mode::Warn)
    }

    /// Each use is an error, `DeprecatedAssociation`; what is done in memory and gives no `Result`, as `set_author`, is told
    /// and done. Rails: `mode: :raise`.
    #[must_use]
    pub fn raise() -> Self {
        Self::of(Mode::Raise)
    }

    /// Each use is given to a function, and done. Rails: `mode: :notify`.
    #[must_use]
    pub fn notify(listener: impl Fn(&DeprecatedUse) + Send + Sync + 'static) -> Self {
        Self::of(Mode::Notify(Some(Arc::new(listener))))
    }

    /// The mode of that name: `warn`, `raise`, or `notify`, which then nobody hears.
    ///
    /// # Errors
    /// `Argument` for another name.
    pub fn named(mode: &str) -> Result<Self> {
        Ok(match mode {
            "warn" => Self::warn(),
            "raise" => Self::raise(),
            "notify" => Self::of(Mode::Notify(None)),
            other => {
                let message = format!(
                    "invalid deprecated associations mode :{other} (valid modes are :warn, :raise, and :notify)"
                );
                return Err(Error::new(ErrorKind::Argument, message));
            }
        })
    }

    /// Whether what called what is told too. Rails: `backtrace: true`.
    #[must_use]
    pub fn backtrace(mut self, on: bool) -> Self {
        self.backtrace = on;
        self
    }
}

/// What a database was told about it.
#[derive(Default)]
pub(crate) struct Said(Mutex<DeprecatedAssociations>);

impl Said {
    pub(crate) fn replace(&self, said: DeprecatedAssociations) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = said;
    }

    fn get(&self) -> DeprecatedAssociations {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Why an association counts as used.
#[derive(Clone, Copy)]
pub(crate) enum Why<'a> {
    /// A method of that name was called.
    Method(&'a str),
    Joined,
    Preloaded,
    Dependent,
    Touch,
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(name) => write!(f, "the method {name} was invoked"),
            Self::Joined => f.write_str("referenced in query to join its table"),
            Self::Preloaded => f.write_str("referenced in query to preload records"),
            Self::Dependent => f.write_str(":dependent has a side effect here"),
            Self::Touch => f.write_str(":touch has a side effect here"),
        }
    }
}

/// Tells of the use of an association, if it is deprecated or goes through one that is.
///
/// # Errors
/// `DeprecatedAssociation`, where a use is to be one.
#[cold]
#[inline(never)]
pub(crate) fn used(db: &Db, resolved: &'static Resolved, why: Why<'_>) -> Result<()> {
    affected(db, resolved, why)?;
    through(db, resolved)
}

/// The same, of what is used at a line of the program.
///
/// # Errors
/// `DeprecatedAssociation`, where a use is to be one.
#[cold]
#[inline(never)]
pub(crate) fn used_at(
    at: &'static Location<'static>,
    db: &Db,
    resolved: &'static Resolved,
    why: Why<'_>,
) -> Result<()> {
    pending::called_from(at, || used(db, resolved, why))
}

/// Tells of what an association that is deprecated does by itself.
///
/// # Errors
/// `DeprecatedAssociation`, where a use is to be one.
#[cold]
#[inline(never)]
pub(crate) fn affected(db: &Db, resolved: &'static Resolved, why: Why<'_>) -> Result<()> {
    let own = resolved.declaration();
    match own.is_deprecated() {
        true => tell(db, resolved.owner, own, &why),
        false => Ok(()),
    }
}

/// Tells of the use of an association by a method that gives no `Result`, and is done whatever is said.
#[cold]
#[inline(never)]
pub(crate) fn used_anyway(db: &Db, resolved: &'static Resolved, method: &str) {
    if let Err(error) = used(db, resolved, Why::Method(method)) {
        warn(About::DeprecatedAssociation, &error.to_string());
    }
}

/// Tells of those that an association goes through.
///
/// # Errors
/// `DeprecatedAssociation`, where a use is to be one.
#[cold]
#[inline(never)]
pub(crate) fn through(db: &Db, resolved: &'static Resolved) -> Result<()> {
    let mut left = vec![resolved];
    while let Some(one) = left.pop() {
        let Some(through) = &one.through else {
            continue;
        };
        for part in [through.source(), through.over()] {
            if part.declaration().is_deprecated() {
                let (model, name) = (resolved.owner.name(), resolved.declaration().name());
                let why = format!("referenced as nested association of the through {model}#{name}");
                tell(db, part.owner, part.declaration(), &why)?;
            }
            left.push(part);
        }
    }
    Ok(())
}

fn tell(
    db: &Db,
    model: &'static ModelReflection,
    association: &'static AssociationReflection,
    why: &dyn fmt::Display,
) -> Result<()> {
    let location = pending::caller();
    let (owner, name) = (model.name(), association.name());
    let mut message = format!("The association {owner}#{name} is deprecated, {why}");
    if let Some(location) = location {
        message.push_str(&format!(" ({location})"));
    }
    let said = db.deprecated_associations().get();
    let backtrace = said
        .backtrace
        .then(|| Backtrace::force_capture().to_string());
    match said.mode {
        Mode::Warn => {
            if let Some(backtrace) = backtrace {
                message.push('\n');
                message.push_str(&backtrace);
            }
            warn(About::DeprecatedAssociation, &message);
            Ok(())
        }
        Mode::Raise => Err(Error::new(ErrorKind::DeprecatedAssociation, message)
            .with_model(owner)
            .with_attribute(name)),
        Mode::Notify(None) => Ok(()),
        Mode::Notify(Some(listener)) => {
            listener(&DeprecatedUse {
                model,
                association,
                message,
                location,
                backtrace,
            });
            Ok(())
        }
    }
}
