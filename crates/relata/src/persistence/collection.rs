//! Adding to a collection, and taking out of it.
//!
//! Invariant: on a saved owner rows and memory change together, several statements in one transaction; on a new one
//! everything waits in memory for the owner.

use super::counters;
use super::destroy::destroy;
use super::save::save;
use super::set_wise;
use super::through::{self, Leaving};
use super::unread::unread_if_rolled_back;
use crate::association::{Association, Removal};
use crate::attribute::value::Value;
use crate::callback::MemberEvent;
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::pending::Pending;
use crate::record::Record;
use crate::sql::expr::Node;

impl Association {
    /// Adds a record to a collection. On a saved owner it is saved; on a new owner it is saved with it. Rails: `<<`.
    ///
    /// `INSERT INTO "posts" ("title", "person_id") VALUES (?, ?)`, or an UPDATE of the key of what is saved.
    ///
    /// Errors: as [`concat`](Self::concat).
    #[track_caller]
    pub fn push(&self, member: &Record) -> Pending<()> {
        self.concat([member.clone()])
    }

    /// Adds records to a collection. On a saved owner they are saved, all or none, and stay in memory also when that
    /// fails; on a new owner they are saved with it. Rails: `concat`.
    ///
    /// The statement is that of [`push`](Self::push).
    ///
    /// Errors: `AssociationTypeMismatch`; what saving says of the first that cannot be saved.
    #[track_caller]
    pub fn concat(&self, members: impl IntoIterator<Item = Record>) -> Pending<()> {
        let (association, members) = (self.clone(), members.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            association.must_be_collection()?;
            association.check_not_nested()?;
            check_all(&association, &members)?;
            add(&association, &members).await
        })
    }

    /// Saves a new member that was made with [`build_member`](Self::build_member), on a saved owner. It joins the
    /// collection once it is saved. Rails: `create!`.
    ///
    /// `INSERT INTO "posts" ("title", "person_id") VALUES (?, ?)`
    ///
    /// Errors: `RecordNotSaved` on a new owner; what saving says.
    #[track_caller]
    pub fn create_member(&self, member: &Record) -> Pending<()> {
        let (association, member) = (self.clone(), member.clone());
        Pending::new(async move {
            association.must_be_collection()?;
            association.check_not_nested()?;
            association.must_be_saved()?;
            association.check_target(&member)?;
            if !association.is_watched() && !association.is_through() {
                save_in(&association, &through::Between::default(), &member).await?;
                association.remember(&member);
                return Ok(());
            }
            association.give_key_to(&member)?;
            let db = association.owner().db().clone();
            let members = std::slice::from_ref(&member);
            let added = db
                .transaction(async || add_watched(&association, members).await)
                .await;
            if added.is_err() {
                association.forget(|one| one.is(&member));
                if association.is_through() {
                    association.forget_joins(members, true).ok();
                }
            }
            added?;
            if association.holds(&member) {
                return Ok(());
            }
            let message = format!("a callback of {association:?} kept the new member out");
            Err(Error::new(ErrorKind::RecordNotSaved, message).with_record(member))
        })
    }

    /// A new member with what the association's scope says, not in the collection yet. Never touches the database.
    ///
    /// # Errors
    /// `Argument` for a singular association; what the scope's values make impossible.
    pub fn build_member(&self) -> Result<Record> {
        self.must_be_collection()?;
        self.build_target(|_| {})
    }

    /// Takes records out of the collection: one UPDATE sets their keys to null. The objects keep the key that they hold,
    /// as in Rails. What is not saved is only dropped. Gives the records that left: none where a callback kept them.
    /// Rails: `delete`.
    ///
    /// `UPDATE "posts" SET "person_id" = ? WHERE "posts"."person_id" = ? AND "posts"."id" IN (?, ?)`
    ///
    /// Errors: `AssociationTypeMismatch`; `NotNullViolation` when the key cannot be null; what the database says.
    #[track_caller]
    pub fn delete(&self, members: impl IntoIterator<Item = Record>) -> Pending<Vec<Record>> {
        let (association, members) = (self.clone(), members.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            association.must_be_collection()?;
            association.check_not_nested()?;
            check_all(&association, &members)?;
            let left = delete(&association, &members).await?;
            Ok(if left { members } else { Vec::new() })
        })
    }

    /// Takes the members with these keys out of the collection, as [`delete`](Self::delete). Rails: `delete(1, 2)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."id" IN (?, ?)`, then as [`delete`](Self::delete).
    ///
    /// Errors: `RecordNotFound` for one that is not a member; else as [`delete`](Self::delete).
    #[track_caller]
    pub fn delete_keys(&self, keys: Vec<Vec<Value<'static>>>) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            let members = by_keys(&association, keys).await?;
            let left = delete(&association, &members).await?;
            Ok(if left { members } else { Vec::new() })
        })
    }

    /// Destroys records, and takes them out of the collection. Gives the records that left: none where a callback kept them.
    /// Rails: `destroy`.
    ///
    /// `DELETE FROM "posts" WHERE "posts"."id" = ?` for each.
    ///
    /// Errors: `AssociationTypeMismatch`; what destroying says.
    #[track_caller]
    pub fn destroy(&self, members: impl IntoIterator<Item = Record>) -> Pending<Vec<Record>> {
        let (association, members) = (self.clone(), members.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            association.must_be_collection()?;
            association.check_not_nested()?;
            check_all(&association, &members)?;
            let left = destroy_members(&association, &members).await?;
            Ok(if left { members } else { Vec::new() })
        })
    }

    /// Destroys the members with these keys, as [`destroy`](Self::destroy). Rails: `destroy(1, 2)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."id" IN (?, ?)`, then as [`destroy`](Self::destroy).
    ///
    /// Errors: `RecordNotFound` for one that is not a member; else as [`destroy`](Self::destroy).
    #[track_caller]
    pub fn destroy_keys(&self, keys: Vec<Vec<Value<'static>>>) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            let members = by_keys(&association, keys).await?;
            let left = destroy_members(&association, &members).await?;
            Ok(if left { members } else { Vec::new() })
        })
    }

    /// Takes all members out of the collection: one UPDATE sets their keys to null. Nothing is loaded; the collection is
    /// loaded and empty then. Gives the number of rows. Rails: `delete_all`.
    ///
    /// `UPDATE "posts" SET "person_id" = ? WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `NotNullViolation` when the key cannot be null; what the database says.
    #[track_caller]
    pub fn delete_all(&self) -> Pending<u64> {
        self.delete_all_with(self.removal())
    }

    /// Takes all members out of the collection in this way, whatever the association's own is.
    /// Rails: `delete_all(:nullify)`, `delete_all(:delete_all)`.
    ///
    /// SQL: `UPDATE "posts" SET "author_id" = NULL WHERE "posts"."author_id" = ?`, or `DELETE FROM "posts" WHERE
    /// "posts"."author_id" = ?`; of a through, the `DELETE` of the rows between.
    ///
    /// Errors: as [`delete_all`](Self::delete_all).
    #[track_caller]
    pub fn delete_all_with(&self, removal: Removal) -> Pending<u64> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be_collection()?;
            association.check_not_nested()?;
            if association.is_through() {
                return through::empty(&association, Leaving::Removed(removal)).await;
            }
            let rows = remove_rows(&association, association.relation(), removal).await?;
            empty(&association);
            Ok(rows)
        })
    }

    /// Loads the members and destroys each, all or none; the collection is loaded and empty then. Gives the records.
    /// Rails: `destroy_all`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ?`, where they are not loaded; then `DELETE FROM "posts" WHERE "posts"."id" = ?` for each.
    ///
    /// Errors: `StrictLoadingViolation`; what destroying says.
    #[track_caller]
    pub fn destroy_all(&self) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be_collection()?;
            association.check_not_nested()?;
            let members = loading::load_many(&association).await?;
            destroy_members(&association, &members).await?;
            empty(&association);
            Ok(members)
        })
    }

    /// As [`delete_all`](Self::delete_all). Rails: `clear`.
    ///
    /// SQL: as [`delete_all`](Self::delete_all).
    ///
    /// Errors: as [`delete_all`](Self::delete_all).
    #[track_caller]
    pub fn clear(&self) -> Pending<()> {
        let deleted = self.delete_all();
        Pending::new(async move { deleted.await.map(drop) })
    }

    pub(super) fn must_be_saved(&self) -> Result<()> {
        if self.owner().is_persisted() {
            return Ok(());
        }
        let message = format!(
            "You cannot call create unless the parent is saved: save the {} before {self:?} creates",
            self.owner().reflection().name()
        );
        Err(self.error(ErrorKind::RecordNotSaved, message))
    }
}

pub(super) fn check_all(association: &Association, members: &[Record]) -> Result<()> {
    members
        .iter()
        .try_for_each(|member| association.check_target(member))
}

async fn by_keys(association: &Association, keys: Vec<Vec<Value<'static>>>) -> Result<Vec<Record>> {
    association.must_be_collection()?;
    association.check_not_nested()?;
    let found = match <[_; 1]>::try_from(keys) {
        Ok([key]) => association
            .relation()
            .find_key(key)
            .await
            .map(|one| vec![one]),
        Err(keys) => association.relation().find_keys(keys).await,
    };
    found.map_err(|error| association.asked(error))
}

fn empty(association: &Association) {
    association.forget(|_| true);
    association.complete();
    unread_if_rolled_back(association);
}

async fn add(association: &Association, members: &[Record]) -> Result<()> {
    if association.owner().is_new_record() {
        if association.can_query() {
            loading::load_to_replace(association).await?;
        }
        for member in members {
            if association.tell(MemberEvent::BeforeAdd, member)? {
                association.give_key_to(member)?;
                association.own(member);
                association.remember(member);
                if association.is_through() {
                    association.build_join(member)?;
                }
                association.tell(MemberEvent::AfterAdd, member)?;
            }
        }
        association.complete();
        return Ok(());
    }
    if association.is_watched() {
        let db = association.owner().db().clone();
        return db
            .transaction(async || add_watched(association, members).await)
            .await;
    }
    let added = save_all(association, members).await;
    if added.is_err() && association.is_through() {
        association.forget_joins(members, true).ok();
    }
    for member in members {
        association.give_key_to(member)?;
        association.own(member);
        association.remember(member);
    }
    added
}

/// Adds members to a collection of a saved owner, with its callbacks: those that one aborts for are left out.
async fn add_watched(association: &Association, members: &[Record]) -> Result<()> {
    let between = through::Between::before(association, members)?;
    for member in members {
        if !association.tell(MemberEvent::BeforeAdd, member)? {
            continue;
        }
        let saved = save_in(association, &between, member).await;
        association.remember(member);
        saved?;
        association.tell(MemberEvent::AfterAdd, member)?;
    }
    Ok(())
}

/// Gives the owner's key to the members and saves them, all or none.
async fn save_all(association: &Association, members: &[Record]) -> Result<()> {
    if members.len() < 2 && !association.is_through() {
        return save_each(association, members).await;
    }
    let db = association.owner().db().clone();
    db.transaction(async || save_each(association, members).await)
        .await
}

/// Gives the owner's key to the members and saves one after the other.
pub(super) async fn save_each(association: &Association, members: &[Record]) -> Result<()> {
    let between = through::Between::before(association, members)?;
    for member in members {
        if !association.tell(MemberEvent::BeforeAdd, member)? {
            continue;
        }
        save_in(association, &between, member).await?;
        association.tell(MemberEvent::AfterAdd, member)?;
    }
    Ok(())
}

/// Saves a record as a member of a saved owner: with the owner's key, or with the row between that leads to it.
async fn save_in(
    association: &Association,
    between: &through::Between,
    member: &Record,
) -> Result<()> {
    if association.is_through() {
        return through::join(association, between, member).await;
    }
    association.give_key_to(member)?;
    association.own(member);
    save(member).await?;
    counters::remember(association)
}

/// Asks the callbacks whether members may leave: all of them, or none.
fn may_leave(association: &Association, members: &[Record]) -> Result<bool> {
    for member in members {
        if !association.tell(MemberEvent::BeforeRemove, member)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn have_left(association: &Association, members: &[Record]) -> Result<()> {
    let told = |member| association.tell(MemberEvent::AfterRemove, member).map(drop);
    members.iter().try_for_each(told)
}

/// Takes members out, and says whether they left: a callback may keep them.
pub(super) async fn delete(association: &Association, members: &[Record]) -> Result<bool> {
    if association.is_through() {
        return part(association, members, Leaving::of(association)).await;
    }
    if association.destroys_what_leaves() {
        return destroy_members(association, members).await;
    }
    if !may_leave(association, members)? {
        return Ok(false);
    }
    let saved = members.iter().filter(|member| !member.is_new_record());
    let saved: Vec<Record> = saved.cloned().collect();
    let written = !saved.is_empty() && association.has_key();
    let take_out = async || {
        if written {
            let rows = association.of_rows(&saved)?;
            remove_rows(association, rows, association.removal()).await?;
        }
        association.forget_all(members);
        unread_if_rolled_back(association);
        have_left(association, members)
    };
    as_one(association, written, take_out).await?;
    Ok(true)
}

/// Runs what takes members out. What was written is undone where a callback fails after it.
async fn as_one(
    association: &Association,
    writes: bool,
    take_out: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    if !writes || !association.is_watched() {
        return take_out().await;
    }
    let db = association.owner().db().clone();
    db.transaction(take_out).await
}

/// Members leave a collection that goes through others: the rows between go.
async fn part(association: &Association, members: &[Record], leaving: Leaving) -> Result<bool> {
    association.changeable()?;
    if !may_leave(association, members)? {
        return Ok(false);
    }
    let take_out = async || {
        through::part(association, members, leaving).await?;
        association.forget_all(members);
        have_left(association, members)
    };
    let written = association.owner().is_persisted() && !members.is_empty();
    as_one(association, written, take_out).await?;
    Ok(true)
}

pub(super) async fn remove_rows(
    association: &Association,
    rows: crate::relation::Relation,
    removal: Removal,
) -> Result<u64> {
    if association.counter().is_none() {
        return take_out(association, &rows, removal).await;
    }
    let db = association.owner().db().clone();
    db.transaction(async || {
        let gone = take_out(association, &rows, removal).await?;
        counters::forget(association, gone).await?;
        Ok(gone)
    })
    .await
}

pub(super) async fn take_out(
    association: &Association,
    rows: &crate::relation::Relation,
    removal: Removal,
) -> Result<u64> {
    match removal {
        Removal::Nullify => {
            association.check_nullable()?;
            let keys = &association.resolved().target_columns;
            let nulls = keys
                .iter()
                .map(|&column| (column, Node::Value(Value::Null)))
                .collect();
            set_wise::update_all(rows.core(), nulls).await
        }
        Removal::Delete => set_wise::delete_all(rows.core()).await,
    }
}

async fn destroy_members(association: &Association, members: &[Record]) -> Result<bool> {
    if association.is_through() {
        return part(association, members, Leaving::Destroyed).await;
    }
    if !may_leave(association, members)? {
        return Ok(false);
    }
    // What has no row only leaves.
    let saved: Vec<&Record> = members.iter().filter(|one| !one.is_new_record()).collect();
    let destroy_each = async || {
        for member in &saved {
            destroy(member).await?;
        }
        Ok(())
    };
    let take_out = async || {
        if saved.len() < 2 {
            destroy_each().await?;
        } else {
            let db = association.owner().db().clone();
            db.transaction(destroy_each).await?;
        }
        association.forget_all(members);
        have_left(association, members)
    };
    as_one(association, !saved.is_empty(), take_out).await?;
    Ok(true)
}
