//! What belongs to signing in, apart from the community.

use relata::model;

/// That another program may act for a user.
#[model(table = "oauth_access_grants")]
pub struct AccessGrant {
    id: i64,
    resource_owner_id: i64,
    #[column(unique, secret)]
    token: String,
    #[belongs_to]
    resource_owner: crate::models::User,
}
