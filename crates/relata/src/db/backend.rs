//! The adapters that are compiled in, as one: calls are matched, not made through pointers, since a decoder is a type.
//!
//! Another adapter is its folder and one line of the table at the end.

use std::sync::Arc;
use std::time::Duration;

use super::adapter::{Adapter, Capabilities, Decode, Figures, Job, Ran, Session};
use super::faults::{Faults, Faulty};
use super::transaction::Terms;
use super::turns::Held;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Dialect;

macro_rules! adapters {
    ($($(#[$on:meta])* $name:ident: $adapter:path;)*) => {
        /// A database that was connected to.
        pub(super) enum Backend {
            $($(#[$on])* $name(Arc<Faulty<$adapter>>),)*
        }

        /// A connection that a transaction holds.
        #[derive(Clone)]
        pub(super) enum Lease {
            $($(#[$on])* $name(Arc<<Faulty<$adapter> as Adapter>::Session>),)*
        }

        /// The schemes of URLs that can be connected to.
        const SCHEMES: &[&str] = &[$($(#[$on])* <$adapter as Adapter>::SCHEME,)*];

        #[allow(unused_variables, reason = "without an adapter there is nobody to give them to")]
        impl Backend {
            pub(super) async fn open(url: &str, deadline: Duration, faults: &Arc<Faults>) -> Result<Self> {
                let (scheme, address) = url.split_once(':').unwrap_or((url, ""));
                $($(#[$on])* if scheme == <$adapter as Adapter>::SCHEME {
                    let adapter = <$adapter as Adapter>::open(address, deadline).await?;
                    return Ok(Self::$name(Arc::new(Faulty::new(adapter, Arc::clone(faults)))));
                })*
                Err(unknown(scheme))
            }

            pub(super) fn dialect(&self) -> Dialect {
                match *self { $($(#[$on])* Self::$name(ref adapter) => adapter.dialect(),)* }
            }

            pub(super) fn capabilities(&self) -> Capabilities {
                match *self { $($(#[$on])* Self::$name(ref adapter) => adapter.capabilities(),)* }
            }

            pub(super) fn begin(&self, terms: Terms) -> &'static str {
                match *self { $($(#[$on])* Self::$name(ref adapter) => adapter.begin(terms),)* }
            }

            pub(super) async fn run<D: Decode + 'static>(&self, job: &mut Job<D>) -> Result<Ran> {
                match *self { $($(#[$on])* Self::$name(ref adapter) => adapter.run(job).await,)* }
            }

            pub(super) async fn session(&self, reads_only: bool) -> Result<Lease> {
                match *self {
                    $($(#[$on])* Self::$name(ref adapter) => Ok(Lease::$name(adapter.session(reads_only).await?)),)*
                }
            }

            pub(super) fn figures(&self) -> Figures {
                match *self { $($(#[$on])* Self::$name(ref adapter) => adapter.figures(),)* }
            }
        }

        #[allow(unused_variables, reason = "without an adapter there is nobody to give them to")]
        impl Lease {
            pub(super) fn note_holder(&self, held: &Arc<Held>) {
                match *self { $($(#[$on])* Self::$name(ref session) => session.note_holder(held),)* }
            }

            pub(super) async fn run<D: Decode + 'static>(&self, job: &mut Job<D>) -> Result<Ran> {
                match *self { $($(#[$on])* Self::$name(ref session) => session.run(job).await,)* }
            }

            pub(super) async fn command(&self, text: &str) -> Result<()> {
                match *self { $($(#[$on])* Self::$name(ref session) => session.command(text).await,)* }
            }

            pub(super) async fn commit(&self) -> Result<()> {
                match *self { $($(#[$on])* Self::$name(ref session) => session.commit().await,)* }
            }

            pub(super) fn undo(&self, texts: [&str; 2]) {
                match *self { $($(#[$on])* Self::$name(ref session) => session.undo(texts),)* }
            }

            pub(super) fn end(&self) -> bool {
                match *self { $($(#[$on])* Self::$name(ref session) => session.end(),)* }
            }
        }
    };
}
adapters! {
    #[cfg(feature = "sqlite")] Sqlite: super::sqlite::Sqlite;
    #[cfg(all(test, feature = "sqlite"))] Pipelined: super::tests::Pipelined;
}

fn unknown(scheme: &str) -> Error {
    // The rest of the URL may hold a password.
    let message = format!(
        "cannot connect to a `{scheme}` URL: relata was built for {SCHEMES:?}. Write sqlite::memory: or sqlite:path"
    );
    Error::new(ErrorKind::Configuration, message)
}
