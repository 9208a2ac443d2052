use relata::model;

#[model]
#[accepts_nested_attributes_for(coments, posts(allow_destory, update_only), profile(limit = 2), posts)]
pub struct Person {
    id: i64,
    #[has_many]
    posts: Post,
    #[has_one]
    profile: Option<Profile>,
    #[has_many(autosave = false)]
    notes: Note,
}

#[model]
#[accepts_nested_attributes_for]
pub struct Post {
    id: i64,
    person_id: i64,
    #[belongs_to]
    #[accepts_nested_attributes_for(person)]
    person: Person,
}

#[model]
#[accepts_nested_attributes_for(person(reject_if = "all_blank"))]
pub struct Profile {
    id: i64,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

#[model]
#[accepts_nested_attributes_for(person = true)]
pub struct Note {
    id: i64,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

fn main() {}
