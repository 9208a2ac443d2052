//! A blog as a JSON API: `cargo run --example blog_api`, then `curl localhost:3000/posts`.
//!
//! A list with what belongs to each post, one post or 404; a new post with its comments, or a change of both, in one
//! request and one transaction, or 422 with the errors by field. What a client may set stands in one list.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use relata::{Db, ErrorKind, Fields, Model, Params, Permit, model, permit};
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

/// What is written. A request may bring at most twenty comments with it.
#[model]
#[accepts_nested_attributes_for(comments(allow_destroy, limit = 20, reject_if = all_blank))]
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
    #[validates(presence)]
    body: String,
    approved: Option<bool>,
    post_id: i64,
    #[belongs_to]
    post: Post,
}

/// What a client may set; whether a comment is approved is not among it.
fn permitted() -> Permit {
    permit![title, body, author_id, comments: [id, body, _destroy]]
}

/// What a client sees.
fn seen() -> Fields {
    Fields::new()
        .except(["author_id"])
        .include("author", Fields::new())
        .include("comments", Fields::new().only(["id", "body"]))
}

fn api(db: Db) -> Router {
    Router::new()
        .route("/posts", get(list).post(create))
        .route("/posts/{id}", get(show).patch(update))
        .with_state(db)
}

/// Three queries, however many posts there are.
async fn list(State(db): State<Db>) -> Result<Json<Vec<Value>>, Failure> {
    let posts = Post::all(&db)
        .includes(|p| (p.author, p.comments))
        .order(|p| p.id.desc())
        .await?;
    let list = posts.iter().map(|post| post.as_json(&seen()));
    Ok(Json(list.collect::<relata::Result<_>>()?))
}

async fn show(State(db): State<Db>, Path(id): Path<i64>) -> Result<Json<Value>, Failure> {
    let post = Post::find(&db, id).await?;
    Ok(Json(as_json(&post).await?))
}

async fn create(
    State(db): State<Db>,
    Json(given): Json<Params>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let post = Post::create_from(&db, given, permitted()).await?;
    Ok((StatusCode::CREATED, Json(as_json(&post).await?)))
}

async fn update(
    State(db): State<Db>,
    Path(id): Path<i64>,
    Json(given): Json<Params>,
) -> Result<Json<Value>, Failure> {
    let post = Post::find(&db, id).await?;
    post.update_from(given, permitted()).await?;
    Ok(Json(as_json(&post).await?))
}

/// The post as a client sees it, with what belongs to it loaded.
async fn as_json(post: &Post) -> relata::Result<Value> {
    post.author().await?;
    post.comments().await?;
    post.as_json(&seen())
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
            (ErrorKind::Argument | ErrorKind::TooManyRecords, _) => {
                (StatusCode::BAD_REQUEST, json!(error.to_string()))
            }
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

    fn two_comments() -> Value {
        json!([{ "id": 1, "body": "Nice" }, { "id": 2, "body": "So so" }])
    }

    #[tokio::test]
    #[relata::test]
    async fn the_list_nests_what_belongs_to_each_post_in_three_queries() {
        let mut client = Client::new().await;
        let capture = client.0.capture();
        let (status, posts) = client.get("/posts").await;
        assert_eq!(capture.count(), 3, "{:#?}", capture.texts());
        assert_eq!(status, 200);
        let ann = json!({ "id": 1, "name": "Ann" });
        let first = json!({ "id": 1, "title": "First", "body": null, "author": ann, "comments": two_comments() });
        let second =
            json!({ "id": 2, "title": "Second", "body": null, "author": ann, "comments": [] });
        assert_eq!(posts, json!([second, first]));
    }

    #[tokio::test]
    #[relata::test]
    async fn one_post_is_shown_and_a_missing_one_is_404() {
        let mut client = Client::new().await;
        let (status, post) = client.get("/posts/1").await;
        assert_eq!((status, &post["comments"]), (200, &two_comments()));
        let (status, answer) = client.get("/posts/99").await;
        assert_eq!(
            (status, &answer["errors"]),
            (404, &json!("Couldn't find Post with 'id'=99"))
        );
    }

    #[tokio::test]
    #[relata::test]
    async fn a_new_post_is_201_and_is_there() {
        let mut client = Client::new().await;
        let new = json!({ "title": "Third", "body": "Text", "author_id": 1 });
        let (status, made) = client.send("POST", "/posts", new).await;
        assert_eq!((status, &made["author"]["name"]), (201, &json!("Ann")));
        assert_eq!(client.get("/posts/3").await, (200, made));
    }

    #[tokio::test]
    #[relata::test]
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

    #[tokio::test]
    #[relata::test]
    async fn a_new_post_comes_with_its_comments_in_one_transaction() {
        let mut client = Client::new().await;
        let comments =
            json!([{ "body": "One" }, { "body": " " }, { "body": "Two", "approved": true }]);
        let new =
            json!({ "title": "Third", "author_id": 1, "comments_attributes": comments, "id": 77 });
        let capture = client.0.capture();
        let (status, made) = client.send("POST", "/posts", new).await;
        let written = capture.texts();
        let written = written.iter().filter(|text| text.starts_with("INSERT"));
        assert_eq!((status, written.count()), (201, 3));
        assert_eq!(made["id"], json!(3));
        let bodies = json!([{ "id": 3, "body": "One" }, { "id": 4, "body": "Two" }]);
        assert_eq!(made["comments"], bodies);
        // Nobody approves a comment of their own.
        let approved = Comment::all(&client.0).pluck(|c| c.approved).await.unwrap();
        assert_eq!(approved, [None; 4]);
    }

    #[tokio::test]
    #[relata::test]
    async fn one_request_changes_adds_and_takes_away_comments() {
        let mut client = Client::new().await;
        let comments = json!({
            "0": { "id": 1, "body": "Very nice" },
            "1": { "id": "2", "_destroy": "1" },
            "new": { "body": "Late" },
        });
        let change = json!({ "title": "New title", "comments_attributes": comments });
        let (status, post) = client.send("PATCH", "/posts/1", change).await;
        assert_eq!((status, &post["title"]), (200, &json!("New title")));
        let bodies = json!([{ "id": 1, "body": "Very nice" }, { "id": 3, "body": "Late" }]);
        assert_eq!(post["comments"], bodies);
        assert_eq!(client.get("/posts/1").await, (200, post));
    }

    #[tokio::test]
    #[relata::test]
    async fn a_wrong_comment_is_422_and_nothing_is_changed() {
        let mut client = Client::new().await;
        let (_, before) = client.get("/posts/1").await;
        let comments = json!([{ "id": 1, "body": "changed" }, { "id": 2, "body": "" }]);
        let change = json!({ "title": "New", "comments_attributes": comments });
        let (status, answer) = client.send("PATCH", "/posts/1", change).await;
        assert_eq!(status, 422);
        let blank = json!([{ "code": "blank", "message": "can't be blank" }]);
        assert_eq!(answer, json!({ "errors": { "comments.body": blank } }));
        assert_eq!(client.get("/posts/1").await, (200, before));
    }

    #[tokio::test]
    #[relata::test]
    async fn what_is_not_of_the_post_or_not_of_its_shape_is_refused() {
        let mut client = Client::new().await;
        let (_, before) = client.get("/posts/1").await;
        let of_another = json!({ "comments_attributes": [{ "id": 1, "body": "mine" }] });
        let (status, answer) = client.send("PATCH", "/posts/2", of_another).await;
        let sentence = json!("Couldn't find Comment with ID=1 for Post with ID=2");
        assert_eq!((status, &answer["errors"]), (404, &sentence));
        let many = json!({ "comments_attributes": vec![json!({ "body": "x" }); 21] });
        assert_eq!(client.send("PATCH", "/posts/1", many).await.0, 400);
        let shapeless = json!({ "comments_attributes": "all" });
        assert_eq!(client.send("PATCH", "/posts/1", shapeless).await.0, 400);
        let no_number = json!({ "author_id": "Ann" });
        let (status, answer) = client.send("PATCH", "/posts/1", no_number).await;
        assert_eq!(
            (status, &answer["errors"]["author_id"][0]["code"]),
            (422, &json!("invalid"))
        );
        assert_eq!(client.get("/posts/1").await, (200, before));
    }
}
