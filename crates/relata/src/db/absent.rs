//! What stands in the adapter's place when the crate is built without any: nothing can be connected to, and a detached
//! `Db` still works.
//!
//! Invariant: no value of these types exists.

use std::sync::Arc;
use std::time::Duration;

use super::adapter::{Decode, Outcome, Statement};
use crate::error::{Error, ErrorKind, Result};

pub(super) enum Sqlite {}

pub(super) enum Writer {}

/// As the real one: what holds it gives something back when it goes.
impl Drop for Writer {
    fn drop(&mut self) {}
}

impl Sqlite {
    pub(super) fn open(_path: &str, _deadline: Duration) -> Result<Arc<Self>> {
        let message = "relata was built without the feature `sqlite`";
        Err(Error::new(ErrorKind::Configuration, message))
    }

    pub(super) fn bind_limit(&self) -> usize {
        match *self {}
    }

    pub(super) fn leased(&self) -> usize {
        match *self {}
    }

    pub(super) fn note_held(&self) {
        match *self {}
    }

    pub(super) fn note_used(&self) {
        match *self {}
    }

    pub(super) async fn writer(self: &Arc<Self>) -> Result<Writer> {
        match **self {}
    }

    pub(super) async fn run<D: Decode>(
        self: &Arc<Self>,
        _statement: &Statement,
        _decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        match **self {}
    }
}

impl Writer {
    pub(super) fn run_now<D: Decode>(
        &mut self,
        _statement: &Statement,
        _decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        match *self {}
    }

    pub(super) fn command(&mut self, _text: &str) -> Result<()> {
        match *self {}
    }

    pub(super) async fn begin(&mut self) -> Result<()> {
        match *self {}
    }

    pub(super) fn commit(&mut self) -> Result<()> {
        match *self {}
    }

    pub(super) fn waits_for_disk(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        match *self {}
    }
}
