//! The models of the programs, and their tables.

use std::sync::OnceLock;

use relata::attribute::{AttributeType, Kind as Type};
use relata::reflection::{AssociationReflection, Column, ModelBuilder, ModelReflection};
use relata::{Db, Raw, Result};

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Person,
    Post,
}

pub(crate) const KINDS: [Kind; 2] = [Kind::Person, Kind::Post];

/// A collection of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Reports,
    Posts,
}

impl List {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reports => "reports",
            Self::Posts => "posts",
        }
    }

    pub(crate) fn of(self) -> Kind {
        match self {
            Self::Reports => Kind::Person,
            Self::Posts => Kind::Post,
        }
    }
}

struct Models {
    person: &'static ModelReflection,
    post: &'static ModelReflection,
}

/// People have a boss and reports, who are people, posts, and the first of them as a `has_one`; a post without text is
/// refused by the database.
fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(|| {
        let column = |name, ty, null| Column::new(name, AttributeType::plain(ty, null));
        let (to_person, person_slot) = ModelBuilder::target("Person");
        let (to_post, post_slot) = ModelBuilder::target("Post");
        let person = ModelBuilder::new("Person", "people")
            .column(column("id", Type::Int, false))
            .column(column("text", Type::Text, true))
            .column(column("boss_id", Type::Int, true))
            .primary_key(["id"])
            .association(AssociationReflection::belongs_to("boss", to_person))
            .association(
                AssociationReflection::has_many("reports", to_person)
                    .with_foreign_key(&["boss_id"]),
            )
            .association(
                AssociationReflection::has_many("posts", to_post).with_foreign_key(&["author_id"]),
            )
            .association(
                AssociationReflection::has_one("first_post", to_post)
                    .with_foreign_key(&["author_id"]),
            )
            .define()
            .unwrap();
        let post = ModelBuilder::new("Post", "posts")
            .column(column("id", Type::Int, false))
            .column(column("text", Type::Text, false))
            .column(column("author_id", Type::Int, true))
            .primary_key(["id"])
            .association(AssociationReflection::belongs_to("author", to_person))
            .define()
            .unwrap();
        person_slot.set(person).unwrap();
        post_slot.set(post).unwrap();
        Models { person, post }
    })
}

impl Kind {
    pub(crate) fn model(self) -> &'static ModelReflection {
        match self {
            Self::Person => models().person,
            Self::Post => models().post,
        }
    }

    /// The association to the parent.
    pub(crate) fn parent(self) -> &'static str {
        match self {
            Self::Person => "boss",
            Self::Post => "author",
        }
    }

    /// Its key.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Person => "boss_id",
            Self::Post => "author_id",
        }
    }
}

pub(crate) async fn database() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables(KINDS.map(Kind::model)).await?;
    Ok(db)
}

/// Deletes every row: a database is made once for many programs.
pub(crate) async fn clear(db: &Db) -> Result<()> {
    for text in [
        "DELETE FROM posts",
        "UPDATE people SET boss_id = NULL",
        "DELETE FROM people",
        // So that each program gives the same keys.
        "DELETE FROM sqlite_sequence",
    ] {
        db.execute_sql(Raw::new(text)).await?;
    }
    Ok(())
}
