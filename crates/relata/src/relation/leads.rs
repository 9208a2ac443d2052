//! Conditions that an association leads to certain records. They compare keys, and of a polymorphic `belongs_to` the type
//! too, so that nothing is joined. Rails: `where(author: ann)`.
//!
//! Invariant: what each row of a polymorphic association leads to is compared within one model.

use std::fmt;
use std::marker::PhantomData;

use super::{Paths, Relation};
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Among, Model};
use crate::record::Record;
use crate::reflection::{ModelReflection, Resolved};
use crate::sql::expr::{Comparison, Node, Refusal, Told};
use crate::sql::{Expr, Place, What};

/// "The association leads to one of these records."
pub(super) fn to_any<'a>(
    above: Place,
    association: usize,
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<Node> {
    let mut database = None;
    let records = records.into_iter().inspect(|record| {
        let of = record.db().identity();
        // Those of two databases are told by the first that is another's: one of them is not that of the relation.
        if database.is_none_or(|known| known == of) {
            database = Some(of);
        } else {
            database = Some(ELSEWHERE);
        }
    });
    let node = keys_of(above, association, records)?;
    Ok(match database {
        Some(database) => node.told_by(database, (above.model(), association)),
        None => node,
    })
}

/// The database of records that are of several: no relation's.
const ELSEWHERE: usize = 0;

fn keys_of<'a>(
    above: Place,
    association: usize,
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<Node> {
    let any = above.model().resolve(association)?;
    if any.through.is_some() {
        // It has no column here that says which target it is: its table is joined.
        let key = any.target.primary_key();
        let keys = records.into_iter().map(|record| {
            let value = |&column: &usize| record.value(column).into_owned();
            key.iter().map(value).collect()
        });
        return Ok(Node::key_among(
            above.through(association)?,
            key,
            keys.collect(),
        ));
    }
    let mut parts: Vec<(&'static Resolved, Vec<Vec<Value<'static>>>)> = Vec::new();
    for record in records {
        let resolved = any.of_class(record.reflection())?;
        let key = resolved.target_key.iter();
        let key = key
            .map(|&column| record.value(column).into_owned())
            .collect();
        match parts
            .iter_mut()
            .find(|(known, _)| std::ptr::eq(*known, resolved))
        {
            Some((_, keys)) => keys.push(key),
            None => parts.push((resolved, vec![key])),
        }
    }
    if let [(resolved, keys)] = parts.as_mut_slice() {
        let keys = std::mem::take(keys);
        return Ok(Node::all(
            named(above, resolved)
                .into_iter()
                .chain([among(above, resolved, keys)]),
        ));
    }
    let Some((first, _)) = parts.first() else {
        return Ok(Node::Always(false));
    };
    let ty = first.owner_type.map(|ty| Node::Column(above, ty.column));
    let columns = ty.into_iter().chain(columns(above, first)).collect();
    let tuples = parts.into_iter().flat_map(|(resolved, keys)| {
        let name = resolved.owner_type.and_then(|ty| ty.name);
        let name = name.map(|name| Value::Text(name.into()));
        keys.into_iter()
            .map(move |key| name.clone().into_iter().chain(key).collect())
    });
    let whole = |tuple: &Vec<Value<'static>>| !tuple.iter().any(Value::is_null);
    let tuples: Vec<Vec<Value<'static>>> = tuples.filter(whole).collect();
    Ok(match tuples.is_empty() {
        true => Node::Always(false),
        false => Node::InTuples(columns, tuples),
    })
}

/// "The association leads to one of the rows of that relation."
pub(super) fn to_rows(above: Place, association: usize, rows: Relation) -> Result<Node> {
    let resolved = above
        .model()
        .resolve(association)?
        .of_class(rows.reflection())?;
    let database = rows.db().identity();
    let mut select = rows.into_core().select;
    let root = select.root;
    let key = resolved.target_key.iter();
    select.what = What::Values(key.map(|&column| Node::Column(root, column)).collect());
    let within = Node::InSelect(columns(above, resolved).collect(), Box::new(select));
    let node = Node::all(named(above, resolved).into_iter().chain([within]));
    Ok(node.told_by(database, (above.model(), association)))
}

/// "The association leads nowhere": its key is null.
pub(super) fn to_nothing(above: Place, association: usize) -> Result<Node> {
    let resolved = above.model().resolve(association)?;
    let null = |column| Node::IsNull(Box::new(column));
    if resolved.through.is_some() {
        let place = above.through(association)?;
        let key = resolved.target.primary_key().iter().take(1);
        return Ok(Node::all(
            key.map(|&column| null(Node::Column(place, column))),
        ));
    }
    Ok(Node::all(columns(above, resolved).map(null)))
}

fn columns(above: Place, resolved: &Resolved) -> impl Iterator<Item = Node> + '_ {
    let key = resolved.owner_key.iter();
    key.map(move |&column| Node::Column(above, column))
}

/// "The type column names the target's model."
fn named(above: Place, resolved: &Resolved) -> Option<Node> {
    let ty = resolved.owner_type?;
    let name = Value::Text(ty.name?.into());
    Some(Node::Column(above, ty.column).compare(Comparison::Equal, name))
}

fn among(above: Place, resolved: &Resolved, keys: Vec<Vec<Value<'static>>>) -> Node {
    Node::key_among(above, &resolved.owner_key, keys)
}

/// What an association is compared with by `eq`: nothing, for it is no column. This tells what to write.
#[diagnostic::on_unimplemented(
    message = "an association is compared with records by `is`, and not by `eq` or `ne`",
    label = "not compared with an association like this",
    note = "write `p.author.is(&ann)`, `!p.author.is(&ann)` or `p.author.is_null()`; a key is compared in its column: \
            `p.author_id.eq(1)`"
)]
pub trait ComparedByEq {}

/// A path over a polymorphic association: `c.subject`. It is compared and included, and never joined.
pub struct AnyPath<P> {
    above: Place,
    association: usize,
    leads_to: PhantomData<fn() -> P>,
}

impl<P> Clone for AnyPath<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for AnyPath<P> {}

impl<P> fmt::Debug for AnyPath<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.above.model().reflections();
        let name = all.get(self.association).map_or("?", |one| one.name());
        write!(f, "{:?}.{name}", self.above)
    }
}

impl<P> AnyPath<P> {
    /// The path over the association number `association` of the model at a place. Called by generated code.
    #[must_use]
    pub fn new(above: Place, association: usize) -> Self {
        Self {
            above,
            association,
            leads_to: PhantomData,
        }
    }

    /// Leads to this record: its type and its key are compared. Rails: `where(subject: post)`.
    pub fn is(self, record: &impl Among<P>) -> Expr {
        self.said(to_any(self.above, self.association, [record.as_target()]))
    }

    /// Leads to one of these records, of one model or, as the enum, of several. Rails: `where(subject: [post, photo])`.
    pub fn is_in<'a, T: Among<P> + 'a>(self, records: impl IntoIterator<Item = &'a T>) -> Expr {
        let records = records.into_iter().map(Among::as_target);
        self.said(to_any(self.above, self.association, records))
    }

    /// Leads to one of the rows of a relation. Rails: `where(subject: Post.where(...))`.
    pub fn is_among<M: Model + Among<P>>(self, rows: Relation<M>) -> Expr {
        self.said(to_rows(self.above, self.association, rows.erased()))
    }

    #[doc(hidden)]
    pub fn eq(self, _: impl ComparedByEq) -> Expr {
        Expr(Node::Always(false))
    }

    #[doc(hidden)]
    pub fn ne(self, _: impl ComparedByEq) -> Expr {
        Expr(Node::Always(false))
    }

    /// Leads to nothing: the key is null. Rails: `where(subject: nil)`.
    pub fn is_null(self) -> Expr {
        self.said(to_nothing(self.above, self.association))
    }

    fn said(self, condition: Result<Node>) -> Expr {
        // What is wrong is told when the statement is made.
        Expr(condition.unwrap_or_else(|error| Node::Refused(Refusal(error))))
    }
}

impl<P> Paths for AnyPath<P> {
    fn places(self) -> Vec<Place> {
        let above = self.above.model();
        let resolved = above.resolve(self.association);
        let target = resolved.map_or(above, |resolved| resolved.target);
        vec![self.above.child(self.association, target)]
    }
}

impl<M> Relation<M> {
    /// Keeps the rows whose association, `author` or `post.author`, leads to one of these records. Of a polymorphic one
    /// they may be of several models. Rails: `where(author: ann)`, `where(author: [ann, bob])`.
    ///
    /// `WHERE "comments"."subject_type" = ? AND "comments"."subject_id" = ?`
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name; `AssociationTypeMismatch` for a record of a model that it cannot lead
    /// to, or of another database.
    pub fn filter_records<'a>(
        self,
        path: &str,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<Self> {
        let (above, association) = self.step_named(path)?;
        let records: Vec<&Record> = records.into_iter().collect();
        for record in &records {
            check(above.model(), association, record.reflection())?;
            check_database(above.model(), association, record.db() == self.db())?;
        }
        let condition = to_any(above, association, records)?;
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }

    /// Keeps the rows whose association leads to one of the rows of a relation. Rails: `where(author: people)`.
    ///
    /// `WHERE "posts"."author_id" IN (SELECT "people"."id" FROM "people" WHERE ...)`
    ///
    /// # Errors
    /// As [`filter_records`](Self::filter_records).
    pub fn filter_rows(self, path: &str, rows: Relation) -> Result<Self> {
        let (above, association) = self.step_named(path)?;
        check(above.model(), association, rows.reflection())?;
        check_database(above.model(), association, rows.db() == self.db())?;
        let condition = to_rows(above, association, rows)?;
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }

    /// Keeps the rows whose association leads nowhere: its key is null. Of a `belongs_to`. Rails: `where(author: nil)`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn filter_nowhere(self, path: &str) -> Result<Self> {
        let (above, association) = self.step_named(path)?;
        let condition = to_nothing(above, association)?;
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }
}

/// Refuses records of another database, whose keys mean nothing here.
fn check_database(owner: &'static ModelReflection, association: usize, own: bool) -> Result<()> {
    if own {
        return Ok(());
    }
    Err(Told::elsewhere(owner, association))
}

/// Refuses records of a model that an association cannot lead to.
fn check(
    owner: &'static ModelReflection,
    association: usize,
    given: &'static ModelReflection,
) -> Result<()> {
    let reflection = owner.reflections().get(association);
    if reflection.is_none_or(|one| one.leads_to(given)) {
        return Ok(());
    }
    let name = reflection.map_or("?", |one| one.name());
    let message = format!(
        "{} expected for {}.{name}, got a record of {}",
        reflection.map_or("?", |one| one.target_name()),
        owner.name(),
        given.name()
    );
    Err(Error::new(ErrorKind::AssociationTypeMismatch, message)
        .with_model(owner.name())
        .with_attribute(name))
}
