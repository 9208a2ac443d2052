//! A fair queue for places: connections, or the one connection of a transaction. First come, first served.
//!
//! A place that is given back is handed to whoever has waited longest, under the same lock, so that nobody who comes
//! later can be quicker. Nothing here knows time or databases: a model checker runs this very file.
//!
//! Invariants: a place is free, handed to one waiter, or taken; a free place and a waiter never exist together; a
//! waiter that goes away passes on what it was handed.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use super::lock::{Mutex, MutexGuard};

pub(crate) struct Queue<T>(Mutex<State<T>>);

struct State<T> {
    free: Vec<T>,
    /// Tickets in the order they were drawn.
    waiting: VecDeque<(u64, Waker)>,
    /// Places that belong to a waiter which has not come for them yet.
    handed: Vec<(u64, T)>,
    next: u64,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn of(places: impl IntoIterator<Item = T>) -> Self {
        Self(Mutex::new(State {
            free: places.into_iter().collect(),
            waiting: VecDeque::new(),
            handed: Vec::new(),
            next: 0,
            closed: false,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, if one is free.
    #[inline]
    pub(crate) fn try_take(&self) -> Option<T> {
        self.state().free.pop()
    }

    /// A place, when it is this caller's turn; `None` once the queue is closed.
    pub(crate) fn take(&self) -> Waiting<'_, T> {
        Waiting {
            queue: self,
            ticket: None,
        }
    }

    /// Gives a place to whoever waits longest. It comes back if the queue is closed.
    #[inline]
    pub(crate) fn give(&self, place: T) -> Option<T> {
        let mut state = self.state();
        if state.closed {
            return Some(place);
        }
        match state.waiting.pop_front() {
            None => state.free.push(place),
            Some((ticket, waker)) => {
                state.handed.push((ticket, place));
                drop(state);
                waker.wake();
            }
        }
        None
    }

    /// No place is handed out any more; who waits is told so. Gives the places that were free.
    pub(crate) fn close(&self) -> Vec<T> {
        let mut state = self.state();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        let free = std::mem::take(&mut state.free);
        drop(state);
        for (_, waker) in waiting {
            waker.wake();
        }
        free
    }

    /// How many places are free.
    pub(crate) fn free(&self) -> usize {
        self.state().free.len()
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }
}

/// Waits for a turn. Dropping it gives the turn up.
pub(crate) struct Waiting<'a, T> {
    queue: &'a Queue<T>,
    ticket: Option<u64>,
}

impl<T> Future for Waiting<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.queue.state();
        let Some(ticket) = self.ticket else {
            if let Some(place) = state.free.pop() {
                return Poll::Ready(Some(place));
            }
            if state.closed {
                return Poll::Ready(None);
            }
            let ticket = state.next;
            state.next += 1;
            state.waiting.push_back((ticket, context.waker().clone()));
            drop(state);
            self.ticket = Some(ticket);
            return Poll::Pending;
        };
        if let Some(at) = state.handed.iter().position(|(other, _)| *other == ticket) {
            let (_, place) = state.handed.swap_remove(at);
            drop(state);
            self.ticket = None;
            return Poll::Ready(Some(place));
        }
        let closed = state.closed;
        if let Some((_, waker)) = state.waiting.iter_mut().find(|(other, _)| *other == ticket) {
            waker.clone_from(context.waker());
        }
        drop(state);
        if closed {
            self.ticket = None;
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.queue.state();
        state.waiting.retain(|(other, _)| *other != ticket);
        let handed = state.handed.iter().position(|(other, _)| *other == ticket);
        let place = handed.map(|at| state.handed.swap_remove(at).1);
        drop(state);
        if let Some(place) = place {
            // A place may do things when it goes: not under the lock.
            drop(self.queue.give(place));
        }
    }
}
