//! The one named future of the public API.
//!
//! A method that may touch the database is a plain function marked `#[track_caller]` that returns a [`Pending`]; the
//! place it was called from travels with it, and the events of its statements name it.
//!
//! Invariant: while a `Pending` is polled, [`caller`] is the place where the outermost one was made.

use std::cell::Cell;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Result;

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'static>>;

thread_local! {
    static CALLER: Cell<Option<&'static Location<'static>>> = const { Cell::new(None) };
}

/// Where the user called the method whose statement is running, if that is known.
pub(crate) fn caller() -> Option<&'static Location<'static>> {
    CALLER.get()
}

/// Runs a poll with `at` as the caller, unless an outer one is known.
pub(crate) fn called_from<T>(at: &'static Location<'static>, poll: impl FnOnce() -> T) -> T {
    /// Puts the outer caller back, also when the poll panics.
    struct Back(Option<&'static Location<'static>>);
    impl Drop for Back {
        fn drop(&mut self) {
            CALLER.set(self.0);
        }
    }
    let _back = Back(CALLER.get());
    if CALLER.get().is_none() {
        CALLER.set(Some(at));
    }
    poll()
}

/// A result that is on its way: await it. Nothing runs before it is awaited.
///
/// # Errors
/// Each method names what it can give. What only reads can give, whatever it reads:
///
/// - of the query: `InvalidValue` for a value in it that is none of its column's, `StatementInvalid` when the database does
///   not understand it (SQL of yours, a column that the table does not have);
/// - of a row: `InvalidValue` for what the attribute's type cannot hold;
/// - of a declaration that is wrong, where a model made at run time has one: what resolving it says;
/// - of the database: `ConnectionNotEstablished`, `PoolExhausted` and `LockWaitTimeout` when the wait for a connection,
///   or for who holds a lock, was too long, `QueryCanceled`.
#[must_use = "nothing runs until it is awaited"]
pub struct Pending<T> {
    state: State<T>,
    at: &'static Location<'static>,
}

enum State<T> {
    /// Known without asking; `None` once it was given.
    Ready(Option<Result<T>>),
    Running(Boxed<T>),
}

impl<T> Pending<T> {
    /// A result of your own that is on its way: what a callback or a default of a model made at run time gives.
    ///
    /// ```
    /// # relata::run(async {
    /// assert_eq!(relata::Pending::of(async { Ok(7) }).await?, 7);
    /// # Ok(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn of(future: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self::new(future)
    }

    /// A result that has to be worked out.
    #[track_caller]
    pub(crate) fn new(future: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self {
            state: State::Running(Box::pin(future)),
            at: Location::caller(),
        }
    }

    /// A result that has to be worked out by a future that is made where it stays: for the shortest ways, where moving
    /// it is felt.
    #[track_caller]
    pub(crate) fn made<F>(make: impl FnOnce() -> F) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let future = Box::write(Box::new_uninit(), make());
        Self {
            state: State::Running(Box::into_pin(future)),
            at: Location::caller(),
        }
    }

    /// A result that is known.
    #[track_caller]
    pub(crate) fn ready(result: Result<T>) -> Self {
        Self {
            state: State::Ready(Some(result)),
            at: Location::caller(),
        }
    }
}

impl<T> Unpin for Pending<T> {}

impl<T> Future for Pending<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let at = self.at;
        match &mut self.state {
            State::Ready(result) => match result.take() {
                Some(result) => Poll::Ready(result),
                // Polled after it was ready: the contract of futures leaves this open; it stays pending.
                None => Poll::Pending,
            },
            State::Running(future) => called_from(at, || future.as_mut().poll(context)),
        }
    }
}

impl<T> std::fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({})", self.at)
    }
}

/// The future, with the place it was made as the caller of its statements.
pub(crate) async fn at<F: Future>(at: &'static Location<'static>, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| called_from(at, || future.as_mut().poll(context))).await
}
