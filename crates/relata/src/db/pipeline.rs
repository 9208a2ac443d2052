//! Reads that do not wait for each other, sent together over one connection that pipelines.
//!
//! Invariant: each read comes to what it would have come to alone, and all are over before anybody is answered.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use super::Db;
use super::levels::{self, Scope, Way};
use crate::error::Result;

impl Db {
    /// Whether a connection takes statements before it answered the ones before them.
    #[inline]
    pub(crate) fn pipelines(&self) -> bool {
        self.0.pipelines
    }

    /// Runs reads at the same time: their statements go out one after the other, over the connection of the open
    /// transaction, or over one that is taken for them. The answers stand in the order of the reads.
    ///
    /// Errors: that of the first read, in their order, that failed.
    pub(crate) async fn together<T, F>(&self, reads: Vec<Pin<Box<F>>>) -> Result<Vec<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let mut reads = std::pin::pin!(all(reads));
        if levels::way(self).is_some() {
            return reads.await;
        }
        let connection = self.backend()?.session(true).await?;
        let scope = Scope::new(self, Way::Connection(connection.clone()));
        let answers =
            std::future::poll_fn(|context| scope.within(|| reads.as_mut().poll(context))).await;
        connection.end();
        answers
    }
}

/// What all of them come to, once the last one is over.
async fn all<T, F: Future<Output = Result<T>>>(mut reads: Vec<Pin<Box<F>>>) -> Result<Vec<T>> {
    let mut answers: Vec<Option<Result<T>>> = reads.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut over = Poll::Ready(());
        for (read, answer) in reads.iter_mut().zip(&mut answers) {
            if answer.is_some() {
                continue;
            }
            match read.as_mut().poll(context) {
                Poll::Ready(answered) => *answer = Some(answered),
                Poll::Pending => over = Poll::Pending,
            }
        }
        over
    })
    .await;
    answers.into_iter().flatten().collect()
}
