//! What threads share in this room: all of it comes from here.
//!
//! Under `--cfg shuttle` the room's own tests get locks and atomics that let a scheduler decide who goes on, at each of
//! them: `tests/orders.rs` tries the orders. Every other build has the standard library's and nothing of this.

#[cfg(not(all(test, shuttle)))]
pub(super) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64};
#[cfg(not(all(test, shuttle)))]
pub(super) use std::sync::{
    Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

pub(super) use std::sync::atomic::Ordering;
pub(super) use std::sync::{Arc, PoisonError, Weak};

#[cfg(all(test, shuttle))]
pub(super) use scheduled::OnceLock;
#[cfg(all(test, shuttle))]
pub(super) use shuttle::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64};
#[cfg(all(test, shuttle))]
pub(super) use shuttle::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(all(test, shuttle))]
mod scheduled {
    use super::{AtomicBool, Mutex, Ordering, PoisonError};

    /// A cell that is set once. Each look at it, and the wait for who sets it, is the scheduler's to order.
    pub(crate) struct OnceLock<T> {
        cell: std::sync::OnceLock<T>,
        is_set: AtomicBool,
        setting: Mutex<()>,
    }

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            Self::new()
        }
    }

    impl<T> OnceLock<T> {
        pub(crate) const fn new() -> Self {
            Self {
                cell: std::sync::OnceLock::new(),
                is_set: AtomicBool::new(false),
                setting: Mutex::new(()),
            }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            self.is_set
                .load(Ordering::Acquire)
                .then(|| self.cell.get())
                .flatten()
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            let _setting = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
            let set = self.cell.set(value);
            self.is_set.store(true, Ordering::Release);
            set
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            if let Some(value) = self.get() {
                return value;
            }
            let _setting = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
            let value = self.cell.get_or_init(make);
            self.is_set.store(true, Ordering::Release);
            value
        }

        pub(crate) fn take(&mut self) -> Option<T> {
            self.cell.take()
        }
    }
}
