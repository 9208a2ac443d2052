//! Files of relata under a model checker, which runs every interleaving of a few tasks. They are the very files of the
//! library; only its locks are replaced.

#[path = "../../crates/relata/src/db/queue.rs"]
#[allow(dead_code)]
mod queue;

/// The locks of the queue.
mod lock {
    pub(super) use loom::sync::{Mutex, MutexGuard};
}

#[cfg(test)]
mod tests;
