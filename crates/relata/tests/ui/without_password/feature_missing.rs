//! A password without the feature that hashes it.

use relata::model;

#[model]
pub struct User {
    id: i64,
    #[has_secure_password]
    password_digest: Option<String>,
}

fn main() {}
