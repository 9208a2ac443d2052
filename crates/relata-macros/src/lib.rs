//! The declarations of relata: `#[model]`, `#[derive(Attribute)]` and `#[relata::test]`.
//!
//! ```text
//! tokens ──parse──> model ──check──> emit
//!             └──────┬──────┘   every mistake is collected, at the user's own token; what is wrong is left
//!                errors         out, and the rest is emitted, so that one mistake gives one message
//! ```
//!
//! Invariant: this crate links nothing of the library; it emits paths into `::relata`.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable
)]

mod attribute;
mod callbacks;
mod check;
mod emit;
mod errors;
mod fallback;
mod model;
mod parse;
mod polymorphic;
mod scopes;
mod shared;
mod test;

use proc_macro::TokenStream;
use shared::Part;

/// Declares a model: a struct whose fields are columns and associations.
///
/// ```ignore
/// #[model]
/// pub struct Post {
///     id: i64,
///     #[validates(presence)]
///     title: String,
///     author_id: i64,
///     #[belongs_to]
///     author: Person,
///     #[has_many]
///     comments: Comment,
/// }
/// ```
///
/// The struct becomes a cheap handle to one shared record. Each column gives a reader, a setter, `_changed`,
/// `_was` and `saved_change_to_`; each association its reader and the methods that Rails gives it.
///
/// Options of the model: `table = "..."`, `primary_key = id`, `(a, b)` or `none`, `query_constraints = (shop_id, id)`,
/// `strict_loading`, `timestamps = (inserted_at, changed_at)` or `none`, `locking_column = version` or `none` (a row's
/// version is in `lock_version`, where there is one), `default_scope = |posts| posts.filter(...)`; for several classes in
/// one table `subclasses = (Car, Truck)` and `inheritance_column = kind` of the base, `base = Vehicle` of a subclass;
/// `polymorphic_name = "Picture"`, what polymorphic associations store for it.
///
/// A struct with `#[model(abstract_class)]` is no model: its fields and options are those of each model that names it,
/// `#[model(abstract_base = Audited)]`, or `abstract_base = (Audited, Sluggish)`, in front of the model's own. It is also a
/// trait of these models, `M: Audited`. `#[callbacks(abstract_class)] impl Audited` and `#[scopes(abstract_class)]` hold
/// functions for blocks with `abstract_base = Audited`, named by the path of its module. Within one crate.
///
/// `#[accepts_nested_attributes_for(comments(allow_destroy, limit = 3, reject_if = all_blank), profile(update_only))]`, on
/// the struct, lets `assign` and `update_from` take values for the members of these associations.
///
/// Of a column: `#[column(name = "...", default = ..., secret, index, unique)]`.
///
/// A column with `#[attr_readonly]` is set while the record is new; a saved record keeps it.
///
/// A column with `#[normalizes(with = |email| email.trim().to_lowercase())]` keeps, and is compared with, what the
/// function gives; with `apply_to_null` the function is given null too.
///
/// A column whose type is an enum may name its variants, `#[enumeration(values = (Draft, Live))]`: then records answer to
/// `is_draft()` and `draft()`, which saves, and relations to `draft()` and `not_draft()`, by the trait `PostEnums` that
/// stands beside the model. `prefix` and `suffix` (of the column's name, or `prefix = "kind"`) make names differ;
/// `scopes = false` and `methods = false` leave them out.
///
/// A column `password_digest` with `#[has_secure_password]` holds the digest of a password, by argon2 or, with
/// `algorithm = bcrypt` and `cost`, by bcrypt: `set_password`, `set_password_confirmation`, `authenticate_password`,
/// `password_reset_token`. The feature `password` of relata must be on.
///
/// Of columns and associations: `#[validates(presence, length(max = 80))]`; the rules are `presence`, `absence`, `length`,
/// `numericality`, `comparison`, `format`, `inclusion`, `exclusion`, `confirmation`, `acceptance`, `uniqueness`,
/// `associated` and `custom`, with `message`, `allow_null`, `allow_blank`, `strict`, `on`, `if` and `unless`.
///
/// Of every association: `foreign_key`, `primary_key`, `inverse_of`, `strict_loading`, `autosave`, `validate`, `dependent`,
/// `ensuring_owner_was`, `deprecated` (who uses it is told, by the compiler and at run time),
/// and `scope = |posts| posts.order(|p| p.id.desc())`, or `|posts, owner| ...` where it differs by the owner (such a scope
/// cannot be joined). Of a `belongs_to` also `counter_cache`, `touch`, `default`, and `optional` or `required`, which must
/// agree with the type, `polymorphic` and `foreign_type`; with `as = subject` a `has_one` or `has_many` is the other side of a
/// polymorphic one; with `through = memberships` it leads over that association, by `source`, with `source_type = Club` to one of
/// the models of a polymorphic source, with `disable_joins` by a statement for each hop. `#[has_and_belongs_to_many]`
/// takes `join_table` and `association_foreign_key`. `#[delegated_type(types = (Message, Comment))]` is a polymorphic `belongs_to` that has, for each type, a
/// predicate, an accessor, its key and a scope. Further, of a `has_one` `touch` and `required`; of a `has_many` `counter_cache`, `index_errors`,
/// `default_order = |p| p.id.desc()` (where no other order is given),
/// `before_add`, `after_add`, `before_remove` and `after_remove`.
#[proc_macro_attribute]
pub fn model(options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, item) = (options.into(), item.into());
    match shared::expand(Part::Model, &options, &item) {
        Some(expanded) => expanded.into(),
        None => emit::model(options, item).into(),
    }
}

/// Makes an enum without fields, or a struct of one field, a type that columns can have.
///
/// An enum is stored as text, the variant's name in snake case; `#[attribute(rename = "...")]` on a variant
/// names another text, `#[attribute(repr = i64)]` on the enum stores the discriminants. An unset column reads as
/// the variant marked `#[default]`, else as the first. A newtype is stored as what it holds.
#[proc_macro_derive(Attribute, attributes(attribute, default))]
pub fn attribute(item: TokenStream) -> TokenStream {
    attribute::derive(item.into()).into()
}

/// Makes an enum of models what a polymorphic association leads to.
///
/// ```ignore
/// #[derive(Polymorphic)]
/// enum Subject { Post(Post), Photo(Photo) }
///
/// #[model]
/// struct Comment {
///     id: i64,
///     subject_id: i64,
///     subject_type: String,
///     #[belongs_to(polymorphic)]
///     subject: Subject,
/// }
/// ```
///
/// Awaiting `comment.subject()` gives the enum, to be matched without a rest; `set_subject(&post)` takes a record of one
/// of its models, and of no other. A variant holds one model. The enum implements `Clone`, `From` each of its models, and
/// can be what a relation without types gives: `Relation::typed`.
#[proc_macro_derive(Polymorphic)]
pub fn polymorphic(item: TokenStream) -> TokenStream {
    polymorphic::derive(item.into()).into()
}

/// Says which functions of a model run in the life of its records, and which validate them.
///
/// ```ignore
/// #[callbacks]
/// impl Post {
///     #[before_validation]
///     fn trim(&self) { self.set_title(&self.title().trim().to_owned()); }
///
///     #[before_destroy(prepend, unless = Post::is_draft)]
///     async fn keep_what_was_read(&self) -> relata::Result<()> { ... }
///
///     #[validate(on = publish)]
///     fn has_a_picture(&self) { ... }
/// }
/// ```
///
/// Functions run in the order of declaration, after what the model's associations do at the same event; with `prepend`
/// before it, with `before = comments` or `after = comments` before or after what that association does. An error of one
/// before the statement halts: `Err(Abort)`. Options: `if`, `unless`, `on`, `prepend`, `before`, `after`.
/// A model has one such block.
///
/// `#[generates_token_for(expires_in = 900)] fn confirmation(&self) -> String` says what tokens for `confirmation` are
/// bound to, and how many seconds they are good: `generate_token_for`, `find_by_token_for` (feature `tokens`).
#[proc_macro_attribute]
pub fn callbacks(options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, item) = (options.into(), item.into());
    match shared::expand(Part::Callbacks, &options, &item) {
        Some(expanded) => expanded.into(),
        None => callbacks::expand(options, item).into(),
    }
}

/// Says which functions of a model are scopes: what makes a relation of a relation.
///
/// ```ignore
/// #[scopes]
/// impl Post {
///     #[scope]
///     fn recent(posts: Relation<Self>) -> Relation<Self> { posts.order(|p| p.id.desc()).limit(10) }
///
///     #[scope]
///     fn by(posts: Relation<Self>, name: &str) -> Relation<Self> { posts.filter(|p| p.author.name.eq(name)) }
/// }
///
/// Post::all(&db).by("Ann").recent()
/// ```
///
/// The trait `PostScopes` that stands beside the block has them as methods of relations and collections. By name,
/// `scope_named("recent")` calls those that take nothing else. A model has one such block.
#[proc_macro_attribute]
pub fn scopes(options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, item) = (options.into(), item.into());
    match shared::expand(Part::Scopes, &options, &item) {
        Some(expanded) => expanded.into(),
        None => scopes::expand(options, item).into(),
    }
}

/// A test with a fresh database: `#[relata::test] async fn saves(db: Db) { ... }`.
///
/// The database is SQLite in memory; `#[relata::test(file)]` gives a temporary file instead. After the body the
/// test fails if a connection is still leased or a transaction still open, in this database or in one that it opened;
/// the failure names where the database was opened, and where the transaction was begun.
///
/// A test that takes no database is not async, and opens what it needs itself: `#[relata::test] fn two() { ... }`. Below
/// the attribute of another runtime it watches what a test of that runtime opens: `#[tokio::test] #[relata::test] async
/// fn`.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    test::expand(options.into(), item.into()).into()
}
