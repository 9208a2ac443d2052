//! A blog as a JSON API: `cargo run --example blog_api`, then `curl localhost:3000/posts`.
//!
//! A list with what belongs to each post, one post or 404, and a new post or 422 with the errors by field.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use relata::{Db, ErrorKind, model};
use serde::Deserialize;
use serde_json::{Value, json};

/// Who writes.
#[model]
pub struct Author {
    id: i64,
    #[validates(presence)]
    name: String,
    #[has_many]
    posts: Post,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    #[validates(presence)]
    title: String,
    body: Option<String>,
    author_id: i64,
    #[belongs_to]
    author: Author,
    #[has_many]
    comments: Comment,
}

/// What others say of it.
#[model]
pub struct Comment {
    id: i64,
    body: String,
    post_id: i64,
    #[belongs_to]
    post: Post,
}

/// What a client sends for a new post.
#[derive(Deserialize)]
struct NewPost {
    title: String,
    body: Option<String>,
    author_id: i64,
}

fn api(db: Db) -> Router {
    Router::new()
        .route("/posts", get(list).post(create))
        .route("/posts/{id}", get(show))
        .with_state(db)
}

/// Three queries, however many posts there are.
async fn list(State(db): State<Db>) -> Result<Json<Vec<Value>>, Failure> {
    let posts = Post::all(&db)
        .includes(|p| (p.author, p.comments))
        .order(|p| p.id.desc())
        .await?;
    let mut list = Vec::new();
    for post in &posts {
        list.push(as_json(post).await?);
    }
    Ok(Json(list))
}

async fn show(State(db): State<Db>, Path(id): Path<i64>) -> Result<Json<Value>, Failure> {
    let post = Post::find(&db, id).await?;
    Ok(Json(as_json(&post).await?))
}

async fn create(
    State(db): State<Db>,
    Json(new): Json<NewPost>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let post = Post::create(&db, |p| {
        p.set_title(&new.title)
            .set_body(new.body.as_deref())
            .set_author_id(new.author_id)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(as_json(&post).await?)))
}

async fn as_json(post: &Post) -> relata::Result<Value> {
    let author = post.author().await?;
    let comments = post.comments().await?;
    Ok(json!({
        "id": post.id(),
        "title": post.title(),
        "body": post.body(),
        "author": { "id": author.id(), "name": author.name() },
        "comments": comments.iter().map(Comment::body).collect::<Vec<_>>(),
    }))
}

/// An error of the library as an answer to a request.
struct Failure(relata::Error);

impl From<relata::Error> for Failure {
    fn from(error: relata::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let (status, errors) = match (error.kind(), error.erased_record()) {
            (ErrorKind::RecordInvalid, Some(record)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, record.errors().to_json())
            }
            (ErrorKind::RecordNotFound, _) => (StatusCode::NOT_FOUND, json!(error.to_string())),
            _ => {
                eprintln!("{error:?}");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    json!("something went wrong"),
                )
            }
        };
        (status, Json(json!({ "errors": errors }))).into_response()
    }
}

/// A database in memory with two posts.
async fn database() -> relata::Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([
        Author::reflection(),
        Post::reflection(),
        Comment::reflection(),
    ])
    .await?;
    let ann = Author::create(&db, |a| a.set_name("Ann")).await?;
    let first = ann.posts().create(|p| p.set_title("First")).await?;
    first.comments().create(|c| c.set_body("Nice")).await?;
    first.comments().create(|c| c.set_body("So so")).await?;
    ann.posts().create(|p| p.set_title("Second")).await?;
    Ok(db)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}/posts", listener.local_addr()?);
    axum::serve(listener, api(database().await?)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};
    use hyper::body::Bytes;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A server on a port of its own, and one connection to it.
    struct Client(Db, http1::SendRequest<Full<Bytes>>);

    impl Client {
        async fn new() -> Self {
            let db = database().await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let server = api(db.clone());
            tokio::spawn(async move { axum::serve(listener, server).await });
            let stream = TcpStream::connect(address).await.unwrap();
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            Self(db, sender)
        }

        async fn send(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
            let request = hyper::Request::builder()
                .method(method)
                .uri(path)
                .header("host", "blog")
                .header("content-type", "application/json")
                .body(Full::from(body.to_string()))
                .unwrap();
            let answer = self.1.send_request(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap())
        }

        async fn get(&mut self, path: &str) -> (u16, Value) {
            self.send("GET", path, Value::Null).await
        }
    }

    #[tokio::test]
    async fn the_list_nests_what_belongs_to_each_post_in_three_queries() {
        let mut client = Client::new().await;
        let capture = client.0.capture();
        let (status, posts) = client.get("/posts").await;
        assert_eq!(capture.count(), 3, "{:#?}", capture.texts());
        assert_eq!(status, 200);
        let ann = json!({ "id": 1, "name": "Ann" });
        let first = json!({ "id": 1, "title": "First", "body": null, "author": ann, "comments": ["Nice", "So so"] });
        let second =
            json!({ "id": 2, "title": "Second", "body": null, "author": ann, "comments": [] });
        assert_eq!(posts, json!([second, first]));
    }

    #[tokio::test]
    async fn one_post_is_shown_and_a_missing_one_is_404() {
        let mut client = Client::new().await;
        let (status, post) = client.get("/posts/1").await;
        assert_eq!(
            (status, &post["comments"]),
            (200, &json!(["Nice", "So so"]))
        );
        let (status, answer) = client.get("/posts/99").await;
        assert_eq!(
            (status, &answer["errors"]),
            (404, &json!("Couldn't find Post with 'id'=99"))
        );
    }

    #[tokio::test]
    async fn a_new_post_is_201_and_is_there() {
        let mut client = Client::new().await;
        let new = json!({ "title": "Third", "body": "Text", "author_id": 1 });
        let (status, made) = client.send("POST", "/posts", new).await;
        assert_eq!((status, &made["author"]["name"]), (201, &json!("Ann")));
        assert_eq!(client.get("/posts/3").await, (200, made));
    }

    #[tokio::test]
    async fn a_wrong_post_is_422_with_errors_by_field_and_no_row() {
        let mut client = Client::new().await;
        let new = json!({ "title": " ", "author_id": 99 });
        let (status, answer) = client.send("POST", "/posts", new).await;
        assert_eq!(status, 422);
        let errors = json!({
            "author": [{ "code": "blank", "message": "must exist" }],
            "title": [{ "code": "blank", "message": "can't be blank" }],
        });
        assert_eq!(answer, json!({ "errors": errors }));
        assert_eq!(Post::all(&client.0).count().await.unwrap(), 2);
    }
}
