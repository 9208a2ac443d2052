//! What a typed model tells of its associations: everything that Rails' reflections tell, and why.

use relata::reflection::{Dependent, InverseOf, InverseReason, KeyReason, Macro, ModelReflection};
use relata::{ErrorKind, Result, model};

#[model]
pub struct Author {
    id: i64,
    name: String,
    books_count: i64,
    #[has_many(dependent = nullify, scope = |books| books.order(|b| b.title))]
    books: Book,
    #[has_many(foreign_key = critic_id, inverse_of = critic)]
    critiques: Review,
    #[has_one(inverse_of = none)]
    desk: Option<Desk>,
}

#[model]
pub struct Book {
    id: i64,
    title: String,
    writer_id: Option<i64>,
    #[belongs_to(foreign_key = writer_id, counter_cache, touch)]
    writer: Option<Author>,
    #[has_many]
    reviews: Review,
}

#[model]
pub struct Review {
    id: i64,
    book_id: i64,
    critic_id: i64,
    #[belongs_to]
    book: Book,
    #[belongs_to]
    critic: Author,
}

#[model]
pub struct Desk {
    id: i64,
    author_id: i64,
    #[belongs_to]
    author: Author,
}

/// What is told of one association.
struct Told {
    of: &'static ModelReflection,
    name: &'static str,
    kind: Macro,
    class: &'static str,
    options: &'static [&'static str],
    /// The columns on this side and on the other.
    keys: ([&'static str; 1], [&'static str; 1]),
    why_keys: KeyReason,
    inverse: (Option<&'static str>, InverseReason),
}

/// A line of the table: the model, its association, and all that follows.
macro_rules! told {
    ($model:ident . $name:ident: $kind:ident $class:literal [$($option:literal)*] $mine:literal => $theirs:literal ($why:ident), $inverse:expr, $because:ident) => {
        Told {
            of: $model::reflection(),
            name: stringify!($name),
            kind: Macro::$kind,
            class: $class,
            options: &[$($option),*],
            keys: ([$mine], [$theirs]),
            why_keys: KeyReason::$why,
            inverse: ($inverse, InverseReason::$because),
        }
    };
}

#[test]
fn a_typed_model_tells_all_of_its_associations() -> Result<()> {
    #[rustfmt::skip] // a table
    let all = [
        told!(Author.books:     HasMany   "Book"   ["dependent" "scope"] "id" => "writer_id" (OnlyBelongsTo), Some("writer"), SameKey),
        told!(Author.critiques: HasMany   "Review" ["foreign_key" "inverse_of"] "id" => "critic_id" (Written), Some("critic"), Written),
        told!(Author.desk:      HasOne    "Desk"   ["inverse_of"] "id" => "author_id" (Convention), None, Off),
        told!(Book.writer:      BelongsTo "Author" ["foreign_key" "counter_cache" "touch"] "writer_id" => "id" (Written), None, Scoped),
        told!(Book.reviews:     HasMany   "Review" [] "id" => "book_id" (Convention), Some("book"), SameKey),
        told!(Review.book:      BelongsTo "Book"   [] "book_id" => "id" (Convention), None, Collection),
        told!(Review.critic:    BelongsTo "Author" [] "critic_id" => "id" (Convention), None, Collection),
        told!(Desk.author:      BelongsTo "Author" [] "author_id" => "id" (Convention), None, NotFound),
    ];
    for told in all {
        let (model, name) = (told.of, told.name);
        let Some(one) = model.reflect_on_association(name) else {
            panic!("{} does not tell of {name}", model.name());
        };
        assert_eq!(
            (one.name(), one.macro_kind(), one.target_name()),
            (name, told.kind, told.class)
        );
        assert_eq!(one.is_collection(), told.kind == Macro::HasMany, "{name}");
        assert_eq!(one.is_belongs_to(), told.kind == Macro::BelongsTo, "{name}");
        assert_eq!(one.is_has_one(), told.kind == Macro::HasOne, "{name}");
        let options: Vec<&str> = one.options().iter().map(|(option, _)| *option).collect();
        assert_eq!(options, told.options, "{name}");
        let resolved = model.resolve(model.association(name)?)?;
        assert_eq!(resolved.target.name(), told.class);
        let names = |model: &'static ModelReflection, key: &[usize]| -> Vec<&str> {
            key.iter()
                .map(|&column| model.columns()[column].name())
                .collect()
        };
        assert_eq!(names(model, &resolved.owner_key), told.keys.0, "{name}");
        assert_eq!(
            names(resolved.target, &resolved.target_key),
            told.keys.1,
            "{name}"
        );
        let foreign = if one.is_belongs_to() {
            told.keys.0
        } else {
            told.keys.1
        };
        assert_eq!(model.foreign_key_of(name)?, foreign);
        assert_eq!(resolved.key_reason, told.why_keys, "{name}");
        let inverse = resolved.inverse_reflection().map(|inverse| inverse.name());
        assert_eq!((inverse, resolved.inverse_reason), told.inverse, "{name}");
    }
    Ok(())
}

#[test]
fn options_scopes_and_counters_are_told_as_they_were_written() -> Result<()> {
    let (author, book) = (Author::reflection(), Book::reflection());
    let told = |model: &'static ModelReflection, name: &str| -> Result<_> {
        Ok(&model.reflections()[model.association(name)?])
    };
    let (books, writer, desk) = (
        told(author, "books")?,
        told(book, "writer")?,
        told(author, "desk")?,
    );
    assert_eq!(books.options()[0], ("dependent", "nullify"));
    assert_eq!(books.dependent(), Some(Dependent::Nullify));
    assert!(books.scope().is_some_and(|scope| !scope.is_of_owner()));
    assert!(writer.scope().is_none());
    assert_eq!(
        writer.counter_cache(),
        Some("books_count"),
        "the column on the parent"
    );
    assert_eq!(books.counter_cache(), None);
    assert_eq!(
        (desk.inverse_of(), writer.inverse_of()),
        (InverseOf::Off, InverseOf::Automatic)
    );
    assert!(!writer.is_required() && told(Review::reflection(), "critic")?.is_required());

    let names = |kind| {
        author
            .reflect_on_all_associations(kind)
            .map(|one| one.name())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(None), ["books", "critiques", "desk"]);
    assert_eq!(names(Some(Macro::HasMany)), ["books", "critiques"]);
    assert_eq!(names(Some(Macro::HasOne)), ["desk"]);
    assert_eq!(names(Some(Macro::BelongsTo)), [""; 0]);
    assert_eq!(author.reflections().len(), 3);
    assert!(author.reflect_on_association("bocks").is_none());
    let unknown = author.association("bocks").unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::AssociationNotFound);
    assert!(
        unknown.to_string().contains("did you mean `books`?"),
        "{unknown}"
    );
    Ok(())
}

/// Who is followed, and says so itself: nobody's `belongs_to` keeps the counter.
#[relata::model]
pub struct Idol {
    id: i64,
    fans_count: i64,
    #[has_many(counter_cache)]
    fans: Fan,
}

/// Who follows.
#[relata::model]
pub struct Fan {
    id: i64,
    idol_id: i64,
    #[belongs_to]
    idol: Idol,
}

/// It was called after the owner: `idols_count`.
#[test]
fn the_counter_that_a_collection_names_by_itself_is_called_after_it() {
    let fans = Idol::reflect_on_association("fans").unwrap();
    assert_eq!(fans.counter_cache(), Some("fans_count"));
    assert!(
        Idol::new(&relata::Db::detached())
            .fans()
            .erased()
            .unwrap()
            .has_counter()
    );
}
