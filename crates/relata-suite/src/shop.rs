//! Owners and what they own: keys that may be null, so that what belongs to somebody can be taken away.
//!
//! Invariant: the same models for every test of writing.

use relata::{Db, Result, Value, model};

use crate::Backend;

/// Who owns.
#[model]
pub struct Owner {
    id: i64,
    #[validates(presence)]
    name: String,
    #[has_many]
    toys: Toy,
    #[has_many(scope = |toys| toys.filter(|t| t.kind.eq("soft")))]
    soft_toys: Toy,
    #[has_many(validate = false)]
    loose: Toy,
    #[has_many(inverse_of = owner)]
    named: Toy,
    #[has_one]
    badge: Option<Badge>,
}

/// What is owned.
#[model]
pub struct Toy {
    id: i64,
    #[validates(presence)]
    title: String,
    #[column(default = "hard")]
    kind: Option<String>,
    #[column(default = 0)]
    stars: i64,
    sold: Option<bool>,
    owner_id: Option<i64>,
    #[belongs_to]
    owner: Option<Owner>,
}

/// At most one an owner.
#[model]
pub struct Badge {
    id: i64,
    #[validates(presence)]
    label: String,
    owner_id: Option<i64>,
    #[belongs_to]
    owner: Option<Owner>,
}

/// One whose badge is required, and which a badge cannot be without.
#[model]
pub struct Member {
    id: i64,
    name: String,
    #[has_one]
    card: Option<Card>,
}

/// A member's: never without one.
#[model]
pub struct Card {
    id: i64,
    #[validates(presence)]
    number: String,
    member_id: Option<i64>,
    #[belongs_to(foreign_key = member_id)]
    member: Option<Member>,
    #[validates(presence)]
    seal: Option<String>,
}

/// Its songs are saved with it, whatever happened to them.
#[model]
pub struct Album {
    id: i64,
    name: String,
    #[has_many(autosave)]
    songs: Song,
    #[has_one(autosave = false)]
    cover: Option<Cover>,
}

/// A song saves its writer with it.
#[model]
pub struct Song {
    id: i64,
    #[validates(presence)]
    title: String,
    album_id: Option<i64>,
    #[belongs_to]
    album: Option<Album>,
    writer_id: Option<i64>,
    #[belongs_to(autosave)]
    writer: Option<Writer>,
}

/// Who wrote it.
#[model]
pub struct Writer {
    id: i64,
    #[validates(presence)]
    name: String,
}

/// Never saved with its album.
#[model]
pub struct Cover {
    id: i64,
    album_id: Option<i64>,
    #[belongs_to(autosave = false)]
    album: Option<Album>,
}

/// A node of a tree whose root may be anything: new records that need each other.
#[model]
pub struct Node {
    id: i64,
    label: String,
    parent_id: Option<i64>,
    #[belongs_to(inverse_of = children)]
    parent: Option<Node>,
    #[has_many(foreign_key = parent_id, inverse_of = parent)]
    children: Node,
    favourite_id: Option<i64>,
    #[belongs_to]
    favourite: Option<Node>,
}

/// The tables, without rows.
pub async fn shop(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([
        Owner::reflection(),
        Toy::reflection(),
        Badge::reflection(),
        Member::reflection(),
        Card::reflection(),
        Album::reflection(),
        Writer::reflection(),
        Song::reflection(),
        Cover::reflection(),
        Node::reflection(),
    ])
    .await?;
    Ok(db)
}

/// Ann with the toys a, b and c, read afresh so that nothing of hers is in memory.
pub async fn ann(db: &Db) -> Result<Owner> {
    let ann = Owner::create(db, |o| o.set_name("Ann")).await?;
    for title in ["a", "b", "c"] {
        Toy::create(db, |t| t.set_title(title).set_owner(&ann)).await?;
    }
    Owner::find(db, ann.id()).await
}

/// Every toy: its title and whose it is.
pub async fn toys(db: &Db) -> Result<Vec<(String, Option<i64>)>> {
    Toy::all(db)
        .order(|t| t.id.asc())
        .pluck(|t| (t.title, t.owner_id))
        .await
}

/// What `toys` gives for these.
pub fn rows(toys: &[(&str, Option<i64>)]) -> Vec<(String, Option<i64>)> {
    let row = |(title, owner): &(&str, Option<i64>)| ((*title).to_owned(), *owner);
    toys.iter().map(row).collect()
}

/// The values of an erased key.
pub fn key(id: i64) -> Vec<Value<'static>> {
    vec![Value::Int(id)]
}
