use relata::{callbacks, model};

#[model]
struct User {
    id: i64,
    #[has_secure_password]
    password: Option<String>,
    #[has_secure_password(algorithm = md5)]
    word_digest: Option<String>,
    #[has_secure_password(cost = 12)]
    code_digest: Option<String>,
    #[has_secure_password(algorithm = bcrypt, cost = 3)]
    pin_digest: Option<String>,
    #[has_secure_password(reset_token(expires = 3600))]
    key_digest: Option<String>,
    #[has_secure_password(reset_token(expires_in = "1h"))]
    tag_digest: Option<String>,
    #[has_secure_password(reset_token = 3600)]
    sign_digest: Option<String>,
}

#[callbacks]
impl User {
    #[generates_token_for]
    async fn invitation(&self) -> i64 {
        1
    }
}

fn main() {}
