//! What `accepts_nested_attributes_for` says of an association.
//!
//! Invariant: as written; what it means for a record is decided where values are assigned.

use super::{AssociationReflection, Setting};
use crate::callback::{MemberLimit, RejectIf};
use crate::error::{Error, ErrorKind, Result};

/// Which values from outside an association takes for its members. Rails: the options of
/// `accepts_nested_attributes_for`.
///
/// ```
/// use relata::callback::{MemberLimit, RejectIf};
/// use relata::reflection::{NestedAttributes, Setting};
///
/// let nested = NestedAttributes::new().allow_destroy().limit(MemberLimit::Number(3));
/// assert!(nested.allows_destroy());
///
/// let words = NestedAttributes::new().option("reject_if", &Setting::Text("all_blank".into()))?;
/// assert!(!words.allows_destroy());
/// assert!(words.option("reject", &Setting::Null).is_err());
/// # Ok::<(), relata::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct NestedAttributes {
    pub(crate) allow_destroy: bool,
    pub(crate) update_only: bool,
    pub(crate) reject_if: Option<RejectIf>,
    pub(crate) limit: Option<MemberLimit>,
}

impl NestedAttributes {
    /// Members are made and changed, and none is destroyed.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            allow_destroy: false,
            update_only: false,
            reject_if: None,
            limit: None,
        }
    }

    /// A member that comes with a true `_destroy` is destroyed when the record is saved.
    #[must_use]
    pub const fn allow_destroy(mut self) -> Self {
        self.allow_destroy = true;
        self
    }

    /// The target that is there is changed, whether or not its `id` is given, and never replaced. Of singular
    /// associations.
    #[must_use]
    pub const fn update_only(mut self) -> Self {
        self.update_only = true;
        self
    }

    /// Values for which this holds are passed over, unless they destroy their member.
    #[must_use]
    pub const fn reject_if(mut self, reject_if: RejectIf) -> Self {
        self.reject_if = Some(reject_if);
        self
    }

    /// How many members may come at a time. Of collections.
    #[must_use]
    pub const fn limit(mut self, limit: MemberLimit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// An option in words. Functions are given by [`reject_if`](Self::reject_if) and [`limit`](Self::limit).
    ///
    /// # Errors
    /// `Argument` for an option that there is not; `Unsupported` for what it cannot be set to.
    pub fn option(mut self, option: &str, setting: &Setting) -> Result<Self> {
        match (option, setting) {
            ("allow_destroy", Setting::Flag(on)) => self.allow_destroy = *on,
            ("update_only", Setting::Flag(on)) => self.update_only = *on,
            ("reject_if", Setting::Text(text)) if text == "all_blank" => {
                self.reject_if = Some(RejectIf::AllBlank);
            }
            ("reject_if", Setting::Text(_) | Setting::Code) if self.reject_if.is_some() => {}
            ("limit", Setting::Text(text)) if text.parse::<usize>().is_ok() => {
                self.limit = text.parse().ok().map(MemberLimit::Number);
            }
            ("limit", Setting::Text(_) | Setting::Code) if self.limit.is_some() => {}
            ("allow_destroy" | "update_only" | "reject_if" | "limit", Setting::Null) => {}
            ("allow_destroy" | "update_only" | "reject_if" | "limit", _) => {
                let message =
                    format!("the option {option} of accepts_nested_attributes_for cannot be that");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
            _ => {
                let message = format!(
                    "Unknown key: :{option}. Valid keys are: :allow_destroy, :reject_if, :limit, :update_only"
                );
                return Err(Error::new(ErrorKind::Argument, message));
            }
        }
        Ok(self)
    }

    /// Whether members can be destroyed by `_destroy`.
    #[must_use]
    pub fn allows_destroy(&self) -> bool {
        self.allow_destroy
    }

    /// Whether the target that is there is always the one that is changed.
    #[must_use]
    pub fn updates_only(&self) -> bool {
        self.update_only
    }
}

impl AssociationReflection {
    /// The record takes values for the members, which it saves with itself: `autosave` is on.
    #[must_use]
    pub const fn with_nested_attributes(mut self, nested: NestedAttributes) -> Self {
        self.nested = Some(nested);
        self.autosave = Some(true);
        self.amended = self.inherited;
        self
    }
}
