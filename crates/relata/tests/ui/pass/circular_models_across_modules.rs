//! Models that refer to each other in a circle, in modules of their own, and to themselves.

mod person {
    use relata::model;

    #[model]
    pub struct Person {
        id: i64,
        name: String,
        mentor_id: Option<i64>,
        #[belongs_to(inverse_of = students)]
        mentor: Option<Person>,
        #[has_many(foreign_key = mentor_id, inverse_of = mentor)]
        students: Person,
        #[has_many(inverse_of = author)]
        posts: crate::post::Post,
        #[has_one]
        profile: Option<crate::post::comment::Profile>,
    }
}

mod post {
    use super::person::Person;
    use relata::model;

    #[model]
    pub struct Post {
        id: i64,
        author_id: i64,
        #[belongs_to(inverse_of = posts)]
        author: Person,
        #[has_many]
        comments: comment::Comment,
    }

    pub mod comment {
        use relata::model;

        #[model]
        pub struct Comment {
            id: i64,
            post_id: i64,
            #[belongs_to]
            post: super::Post,
        }

        #[model]
        pub struct Profile {
            id: i64,
            person_id: i64,
            #[belongs_to]
            person: crate::person::Person,
        }
    }
}

fn main() {
    use relata::Db;

    let db = Db::detached();
    let ann = person::Person::new(&db).with(|p| p.set_name("Ann"));
    let post = post::Post::build(&db, |p| p.set_author(&ann));
    assert_eq!(post.author().loaded(), Some(ann));
    let key = |model: &'static relata::reflection::ModelReflection, name: &str| {
        model.resolve(model.association(name).unwrap()).unwrap().foreign_key(model)
    };
    assert_eq!(key(person::Person::reflection(), "posts"), ["author_id"]);
    assert_eq!(key(person::Person::reflection(), "students"), ["mentor_id"]);
    assert_eq!(key(person::Person::reflection(), "profile"), ["person_id"]);
    assert_eq!(key(post::comment::Comment::reflection(), "post"), ["post_id"]);
}
