use relata::{Params, model};

#[model]
pub struct Post {
    id: i64,
    title: String,
}

async fn without_a_list(post: &Post, params: Params) -> relata::Result<()> {
    post.assign(params).await
}

fn main() {
    let _ = without_a_list;
}
