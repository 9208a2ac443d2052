//! The clock that timestamps come from.
//!
//! Invariant: one clock a database; a test that stops it sees only the times it sets.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, Default)]
pub(super) struct Clock {
    stopped: AtomicBool,
    micros: AtomicI64,
}

impl Clock {
    pub(super) fn now(&self) -> i64 {
        if self.stopped.load(Ordering::Acquire) {
            return self.micros.load(Ordering::Acquire);
        }
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    pub(super) fn stop_at(&self, micros: i64) {
        self.micros.store(micros, Ordering::Release);
        self.stopped.store(true, Ordering::Release);
    }
}
