use relata::model;

#[model]
struct Person {
    id: i64,
}

#[model]
struct Post {
    id: i64,
    #[attr_readonly(true)]
    title: String,
    #[column(readonly)]
    slug: String,
    #[readonly]
    kind: String,
    person_id: i64,
    #[belongs_to]
    #[attr_readonly]
    person: Person,
}

fn main() {}
