//! Trees: what an association leads to, from the rows of a relation on, over any number of steps.
//!
//! Invariant: the result is a relation as any other, of the same model; the typed forms and those by name make the same one.

use super::{Computed, Path, Relation};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::sql::expr::{Node, Refusal};
use crate::sql::{Asks, Place, Select, Tree};

impl<M: Model> Relation<M> {
    /// These rows, and all that an association leads to from them, from those, and so on: with a `has_many` what is below
    /// them, with a `belongs_to` what is above. The path may go over several associations, and ends at the same model.
    /// A row is there once, however many ways lead to it, and rows that lead to each other are no endless loop.
    /// Rails: `with_recursive`.
    ///
    /// Scopes of the associations hold for each step. An order stays that of the result; a limit is that of the rows it begins
    /// with, and one that is given afterwards that of the result. For those that a record leads to, without itself, begin with
    /// its association: `category.children().with_recursive(|c| c.children)`.
    ///
    /// ```
    /// # use relata::prelude::*;
    /// # #[model] struct Category { id: i64, name: String, parent_id: Option<i64>, #[belongs_to] parent: Option<Category>,
    /// # #[has_many(foreign_key = parent_id, inverse_of = parent)] children: Category }
    /// # let db = Db::detached();
    /// let below = Category::all(&db).filter(|c| c.name.eq("Tools")).with_recursive(|c| c.children);
    /// assert_eq!(
    ///     below.to_sql(),
    ///     "SELECT \"categories\".* FROM \"categories\" WHERE \"categories\".\"id\" IN (\
    ///      WITH RECURSIVE \"categories_tree\" (\"id\") AS (\
    ///      SELECT \"categories\".\"id\" FROM \"categories\" WHERE \"categories\".\"name\" = 'Tools' UNION \
    ///      SELECT \"categories\".\"id\" FROM \"categories_tree\" \
    ///      INNER JOIN \"categories\" ON \"categories\".\"parent_id\" = \"categories_tree\".\"id\") \
    ///      SELECT \"categories_tree\".\"id\" FROM \"categories_tree\")"
    /// );
    /// ```
    ///
    /// When it is awaited: `UnknownPrimaryKey` for a model without a key; what is wrong with the declaration of an association.
    pub fn with_recursive(self, over: impl FnOnce(&'static M::Columns) -> Path<M>) -> Self {
        let over = over(self.columns()).place();
        self.walked_or_refused(over, None)
    }

    /// As [`with_recursive`](Self::with_recursive), over that many steps at most: `0` are the rows themselves, `1` also what
    /// the association leads to from them.
    pub fn with_recursive_within(
        self,
        steps: u64,
        over: impl FnOnce(&'static M::Columns) -> Path<M>,
    ) -> Self {
        let over = over(self.columns()).place();
        self.walked_or_refused(over, Some(steps))
    }
}

impl<M> Relation<M> {
    /// These rows, and all that an association, `children` or `group.members`, leads to from them, from those, and so on.
    /// The erased form of `with_recursive`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name; `IncompatibleRelation` for an association that leads to another model;
    /// `UnknownPrimaryKey` for a model without a key.
    pub fn with_recursive_named(self, path: &str) -> Result<Self> {
        let over = self.place_named(path)?;
        self.walked(over, None)
    }

    /// As [`with_recursive_named`](Self::with_recursive_named), over that many steps at most.
    ///
    /// # Errors
    /// As [`with_recursive_named`](Self::with_recursive_named).
    pub fn with_recursive_within_named(self, steps: u64, path: &str) -> Result<Self> {
        let over = self.place_named(path)?;
        self.walked(over, Some(steps))
    }

    /// How many steps lead to a row of the tree, the fewest there are: 0 for the rows that it begins with. A value to order
    /// by, to compare, to pluck: of the tree that was asked for last. Never touches the database. By name it is `tree_depth`.
    ///
    /// Rows that lead to each other are counted once: a way back is no step. It is a query of its own within the statement,
    /// which names the rows of the tree and counts the steps to each:
    ///
    /// ```
    /// # use relata::prelude::*;
    /// # #[model] struct Category { id: i64, name: String, parent_id: Option<i64>, #[belongs_to] parent: Option<Category>,
    /// # #[has_many(foreign_key = parent_id, inverse_of = parent)] children: Category }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Category::reflection()]).await?;
    /// let tools = Category::create(&db, |c| c.set_name("Tools")).await?;
    /// let saws = tools.children().create(|c| c.set_name("Saws")).await?;
    /// saws.children().create(|c| c.set_name("Band saws")).await?;
    ///
    /// let tree = Category::all(&db).filter(|c| c.id.eq(tools.id())).with_recursive(|c| c.children);
    /// let depth = tree.tree_depth();
    /// let deepest_first = tree.clone().order(|c| (depth.clone().desc(), c.name));
    /// assert_eq!(
    ///     deepest_first.pluck(|c| (c.name, depth.clone())).await?,
    ///     [("Band saws".to_owned(), 2), ("Saws".to_owned(), 1), ("Tools".to_owned(), 0)]
    /// );
    /// assert_eq!(tree.filter(|_| depth.le(1)).count().await?, 2);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// Where the relation is no tree, a statement with it is refused with `IncompatibleRelation`.
    #[must_use]
    pub fn tree_depth(&self) -> Computed<i64> {
        let (root, model) = (self.core().select.root, self.reflection());
        let Some(tree) = self.tree() else {
            let message = format!(
                "tree_depth is that of a tree, and this relation of {} is none: ask for it by with_recursive first",
                model.name()
            );
            let error = Error::new(ErrorKind::IncompatibleRelation, message);
            return Computed::new(Node::Refused(Refusal(error.with_model(model.name()))));
        };
        let key = model.primary_key().iter();
        let key = key.map(|&column| Node::Column(root, column)).collect();
        Computed::new(Node::TreeDepth(key, Box::new(tree.clone())))
    }

    pub(super) fn has_tree(&self) -> bool {
        self.tree().is_some()
    }

    /// The tree that was asked for last.
    fn tree(&self) -> Option<&Tree> {
        let mut filters = self.core().select.filters.iter().rev();
        filters.find_map(|filter| match filter {
            Node::InTree(_, tree) => Some(&**tree),
            _ => None,
        })
    }

    fn walked_or_refused(self, over: Place, most: Option<u64>) -> Self {
        let all = self.clone();
        self.walked(over, most)
            .unwrap_or_else(|error| all.refuse(error))
    }

    fn walked(self, over: Place, most: Option<u64>) -> Result<Self> {
        let root = self.core().select.root;
        let model = root.model();
        if over.model() != model {
            let message = format!(
                "{over:?} leads to {}: a step of a tree ends at the model it begins with, {}",
                over.model().name(),
                model.name()
            );
            let error = Error::new(ErrorKind::IncompatibleRelation, message);
            return Err(error.with_model(model.name()));
        }
        if model.primary_key().is_empty() {
            let message = format!(
                "{} has no primary key: the rows of a tree are known by theirs",
                model.name()
            );
            let error = Error::new(ErrorKind::UnknownPrimaryKey, message);
            return Err(error.with_model(model.name()));
        }
        Ok(self.map(|core| {
            let whole = Select {
                root,
                what: core.select.what.clone(),
                lock: core.select.lock.take(),
                annotations: std::mem::take(&mut core.select.annotations),
                asks: match core.select.asks {
                    Asks::Nothing => Asks::Nothing,
                    _ => Asks::Rows,
                },
                ..Select::of(model)
            };
            let start = std::mem::replace(&mut core.select, whole);
            // An order by what was joined for the beginning is no order of the whole.
            let own = start.orders.iter().filter(|order| {
                let mut is_own = true;
                order
                    .by
                    .places(false, &mut |place, _| is_own &= place == root);
                is_own
            });
            core.select.orders = own.cloned().collect();
            let key = model.primary_key().iter();
            let key = key.map(|&column| Node::Column(root, column)).collect();
            let tree = Tree { start, over, most };
            core.select.filters.push(Node::InTree(key, Box::new(tree)));
            // What is found is not that of one owner, nor holds what the beginning's conditions say.
            core.origin = None;
            core.values.clear();
        }))
    }
}
