//! How to connect.
//!
//! Invariant: an option that is not set is the safe one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How to connect.
#[derive(Debug, Clone)]
pub struct Options {
    pub(super) deadline: Duration,
    pub(super) log: bool,
    pub(super) log_binds: bool,
    pub(super) strict: Violation,
    pub(super) token_key: Option<TokenKey>,
}

/// The key that tokens are signed with. It is never printed.
#[derive(Clone)]
pub(super) struct TokenKey(Arc<[u8]>);

impl TokenKey {
    #[cfg(feature = "tokens")]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({} bytes)", self.0.len())
    }
}

/// What a lazy load that strict loading forbids comes to. Rails: `action_on_strict_loading_violation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Violation {
    /// It is an error.
    #[default]
    Raise,
    /// It is told, to standard error or to `tracing`, and done.
    Log,
}

/// Longer than anybody waits, and short enough to be added to any time.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl Default for Options {
    fn default() -> Self {
        let log =
            std::env::var_os("RELATA_LOG").is_some_and(|value| value != "0" && !value.is_empty());
        Self {
            deadline: Duration::from_secs(5),
            log,
            log_binds: false,
            strict: Violation::default(),
            token_key: None,
        }
    }
}

impl Options {
    /// The usual ones: waits end after 5 seconds; statements are logged if the environment has `RELATA_LOG=1`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long anything waits: for the writer, a connection, a nested transaction, another process's lock. More than 30
    /// years count as 30 years: clocks cannot tell what comes after any time.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST);
        self
    }

    /// Whether every statement is printed to standard error.
    #[must_use]
    pub fn log(mut self, log: bool) -> Self {
        self.log = log;
        self
    }

    /// What a lazy load that strict loading forbids comes to: an error, unless this says otherwise.
    #[must_use]
    pub fn strict_loading_violation(mut self, comes_to: Violation) -> Self {
        self.strict = comes_to;
        self
    }

    /// The key that tokens are signed with: 32 random bytes or more, from the environment or a vault and never from the
    /// source. Whoever has it can make tokens for every record. Rails: `secret_key_base`.
    #[must_use]
    pub fn token_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.token_key = Some(TokenKey(Arc::from(key.as_ref())));
        self
    }

    /// Whether events show the values of statements. They may be secrets: off by default.
    #[must_use]
    pub fn log_binds(mut self, show: bool) -> Self {
        self.log_binds = show;
        self
    }
}
