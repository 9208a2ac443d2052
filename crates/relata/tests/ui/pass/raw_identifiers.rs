//! Fields and models whose names are keywords.

use relata::{Db, model};

#[model]
pub struct r#Type {
    id: i64,
    r#match: String,
    r#loop_id: Option<i64>,
    #[belongs_to]
    r#loop: Option<Type>,
    #[has_many(foreign_key = r#loop_id, inverse_of = r#loop)]
    r#fn: Type,
}

fn main() {
    let db = Db::detached();
    let one = Type::new(&db).with(|one| one.set_match("x"));
    assert_eq!(one.r#match(), "x");
    assert!(one.match_changed());
    let two = Type::new(&db).with(|two| two.set_loop(&one));
    assert!(two.r#loop().loaded().is_some());
    assert_eq!(Type::reflection().columns()[1].name(), "match");
    assert!(Type::reflect_on_association("fn").is_some());
    assert!(Type::all(&db).filter(|t| t.r#match.eq("x")).to_sql().contains("match"));
}
