//! Blocks that take a relation for the scope of its model.
//!
//! Invariant: the scope is there while the block's own future is polled, and at no other time.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::relation::{Relation, Scoped};

impl<M> Relation<M> {
    /// Runs `body` with this relation as the scope of its model: `Post::all`, `find`, and what is chained from them,
    /// begin with it, and records that are made are what its conditions say by equality. Associations, `Post::unscoped`
    /// and other databases are as they are outside. A block inside another has the inner relation, which holds the outer
    /// one's conditions too if it was begun inside. A task that is spawned inside is outside. It asks the database nothing
    /// by itself; what `body` awaits names its own place in the events. Rails: `scoping`.
    ///
    /// ```
    /// # use relata::{Db, Model, model};
    /// # #[model] pub struct Post { id: i64, blog: i64 }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Post::reflection()]).await?;
    /// let mine = Post::all(&db).filter(|p| p.blog.eq(7));
    /// let post = mine.scoping(async || Post::create(&db, |p| p).await).await?;
    /// assert_eq!(post.blog(), 7);
    /// # Ok(()) }).unwrap();
    /// ```
    pub fn scoping<T, F>(&self, body: F) -> Scoping<impl Future<Output = T> + use<T, F, M>>
    where
        F: AsyncFnOnce() -> T,
    {
        Scoping {
            scoped: Scoped::of(self),
            body: Box::pin(async move { body().await }),
        }
    }
}

/// What [`Relation::scoping`] gives: await it. Nothing runs before.
///
/// Its type parameter is the future of the body, which has no name.
#[must_use = "nothing runs until it is awaited"]
pub struct Scoping<B> {
    scoped: Scoped,
    body: Pin<Box<B>>,
}

impl<B> Scoping<B> {
    /// The rows of single records are asked for the relation's conditions too, when they are changed, deleted and read
    /// again: a save of one that does not meet them is `RecordNotSaved`, a reload `RecordNotFound`. A block inside cannot
    /// take it back. Such a write is an `Argument` error where a condition leads through an association.
    /// Rails: `scoping(all_queries: true)`.
    pub fn all_queries(mut self) -> Self {
        self.scoped.all_queries = true;
        self
    }
}

impl<B: Future> Future for Scoping<B> {
    type Output = B::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<B::Output> {
        let Self { scoped, body } = &mut *self;
        scoped.around(|| body.as_mut().poll(context))
    }
}

impl<B> fmt::Debug for Scoping<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoping")
            .field("relation", &self.scoped.relation())
            .field("all_queries", &self.scoped.all_queries)
            .finish_non_exhaustive()
    }
}
