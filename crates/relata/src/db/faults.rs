//! Faults: makes the Nth statement fail, wait or lose its connection, to test what a program does then.
//!
//! Invariant: costs one look at a flag when nothing is planned.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// The faults planned for a database.
#[derive(Debug, Default)]
pub struct Faults {
    armed: AtomicBool,
    seen: AtomicU64,
    planned: Mutex<Vec<(u64, Fault)>>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Fail(ErrorKind),
    Delay(Duration),
}

impl Faults {
    fn plan(&self, nth: u64, fault: Fault) {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.armed.swap(true, Ordering::AcqRel) {
            self.seen.store(0, Ordering::Release);
        }
        planned.push((nth, fault));
    }

    /// The statement number `nth` from now, counted from 1, fails with an error of this kind and is not sent.
    /// BEGIN, COMMIT and savepoints count; ROLLBACK does not.
    pub fn fail_nth(&self, nth: u64, kind: ErrorKind) {
        self.plan(nth, Fault::Fail(kind));
    }

    /// The statement number `nth` from now is sent only after a time.
    pub fn delay_nth(&self, nth: u64, time: Duration) {
        self.plan(nth, Fault::Delay(time));
    }

    /// The connection is lost at the statement number `nth` from now.
    pub fn cut_nth(&self, nth: u64) {
        self.plan(nth, Fault::Fail(ErrorKind::ConnectionNotEstablished));
    }

    /// Nothing fails any more. Gives the number of statements since the first fault was planned.
    pub fn clear(&self) -> u64 {
        self.planned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.armed.store(false, Ordering::Release);
        self.seen.load(Ordering::Acquire)
    }

    fn next(&self) -> Option<Fault> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        let number = self.seen.fetch_add(1, Ordering::AcqRel) + 1;
        let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned
            .iter()
            .find(|(nth, _)| *nth == number)
            .map(|(_, fault)| *fault)
    }

    pub(super) async fn before_statement(&self) -> Result<()> {
        match self.next() {
            None => Ok(()),
            Some(Fault::Fail(kind)) => Err(planned(kind)),
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
        }
    }

    /// For statements that are sent where nothing can be awaited: a delay is none.
    pub(super) fn before_command(&self) -> Result<()> {
        match self.next() {
            Some(Fault::Fail(kind)) => Err(planned(kind)),
            _ => Ok(()),
        }
    }
}

fn planned(kind: ErrorKind) -> Error {
    Error::new(kind, format!("a planned fault: {kind:?}"))
}
