//! Passwords of a model: which column holds the digest, and how it is made.
//!
//! Invariant: a column that holds a digest is secret.

use std::time::Duration;

/// How the digest of a new password is made. Whatever this says, digests of both kinds are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordHash {
    /// Argon2id, with the parameters that its specification recommends.
    Argon2,
    /// Bcrypt with this cost, as Rails writes it. It takes at most 72 bytes.
    Bcrypt(u32),
}

/// A password that is kept as a digest. Rails: `has_secure_password`.
#[derive(Debug, Clone, Copy)]
pub struct SecurePassword {
    pub(crate) name: &'static str,
    pub(crate) hash: PasswordHash,
    pub(crate) validations: bool,
    pub(crate) reset: Option<Duration>,
}

impl SecurePassword {
    /// A password of that name, `password`, whose digest is in the column `password_digest`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            hash: PasswordHash::Argon2,
            validations: true,
            reset: Some(Duration::from_secs(15 * 60)),
        }
    }

    /// How the digest of a new password is made. Rails: `algorithm`.
    #[must_use]
    pub const fn hash(mut self, hash: PasswordHash) -> Self {
        self.hash = hash;
        self
    }

    /// A record is valid without one. Rails: `validations: false`.
    #[must_use]
    pub const fn without_validations(mut self) -> Self {
        self.validations = false;
        self
    }

    /// How long a token that resets it is good, in place of 15 minutes. Rails: `reset_token: { expires_in: ... }`.
    #[must_use]
    pub const fn reset_token_expires_in(mut self, time: Duration) -> Self {
        self.reset = Some(time);
        self
    }

    /// There are no tokens that reset it. Rails: `reset_token: false`.
    #[must_use]
    pub const fn without_reset_token(mut self) -> Self {
        self.reset = None;
        self
    }

    /// The password's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether bcrypt would cut the text.
    #[cfg(feature = "password")]
    pub(crate) fn is_too_long(&self, text: &str) -> bool {
        matches!(self.hash, PasswordHash::Bcrypt(_)) && text.len() > 72
    }
}
