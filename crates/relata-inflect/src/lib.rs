//! English inflection by Rails' rules: plurals, singulars, letter case, table and key names.
//!
//! The free functions use Rails' English rules. [`Inflections`] is a set of rules of one's own,
//! with the same functions as methods. There are no dependencies, no regular expressions and no
//! global state, so a proc macro and the program it writes agree on every name.
//!
//! ```
//! use relata_inflect::{classify, foreign_key, pluralize, singularize, tableize};
//!
//! assert_eq!(tableize("AdminComment"), "admin_comments");
//! assert_eq!(classify("admin_comments"), "AdminComment");
//! assert_eq!(foreign_key("Person"), "person_id");
//! assert_eq!(pluralize("person"), "people");
//! assert_eq!(singularize("people"), "person");
//! ```
//!
//! # Where Rails is odd
//!
//! The rules of Rails have been frozen for years and are not always English. They are followed
//! all the same, because the tables they named exist. Among them:
//!
//! - `human` and `german` end in `man` and become `humen` and `germen`.
//! - A word in -s counts as a plural: `bonus` stays `bonus`, and `campus` has the singular
//!   `campu`.
//! - -ves goes back to -fe or -f: `waves` gives `wafe`, `curves` gives `curf`; `safe` becomes
//!   `saves`. -ies goes back to -y: `cookies` gives `cooky`. -ches loses its -es: `caches` gives
//!   `cach`.
//! - `bases` is taken for the plural of `basis`; `viri` is the plural of `virus`.
//! - `mouse`, `ox`, `axis` and the uncountable words are known only as whole words:
//!   `office_equipment` becomes `office_equipments`, and `computer_mouse` `computer_mouses`.
//!
//! [`Inflections`] has the means to mend any of these.
//!
//! # Where this differs from Rails
//!
//! - [`tableize`] joins nested names by `_`, as the tables of nested models are named.
//! - A word that needs no change keeps its capitals: `POSTS` is not made `POSTs`.
//! - Letters outside ASCII have their case changed too, and end words as others do.
//! - Of two acronyms that fit, the longer is taken, and one may follow an underscore.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable
)]
#![forbid(unsafe_code)]

mod acronyms;
mod case;
mod inflections;
mod nearest;
mod ordinal;
mod rules;

pub use inflections::Inflections;
pub use nearest::nearest;
pub use ordinal::ordinalize;

use inflections::ENGLISH;

/// The plural of a word; a plural is left as it is. Of a compound the last part is inflected.
///
/// ```
/// # use relata_inflect::pluralize;
/// assert_eq!(pluralize("post"), "posts");
/// assert_eq!(pluralize("posts"), "posts");
/// assert_eq!(pluralize("Person"), "People");
/// assert_eq!(pluralize("user_person"), "user_people");
/// assert_eq!(pluralize("sheep"), "sheep");
/// ```
pub fn pluralize(word: &str) -> String {
    ENGLISH.pluralize(word)
}

/// The singular of a word. Of a compound the last part is inflected.
///
/// ```
/// # use relata_inflect::singularize;
/// assert_eq!(singularize("posts"), "post");
/// assert_eq!(singularize("addresses"), "address");
/// assert_eq!(singularize("address"), "address");
/// assert_eq!(singularize("user_people"), "user_person");
/// ```
pub fn singularize(word: &str) -> String {
    ENGLISH.singularize(word)
}

/// Camel case to lower case with underscores; a path becomes one with slashes.
///
/// ```
/// # use relata_inflect::underscore;
/// assert_eq!(underscore("AdminComment"), "admin_comment");
/// assert_eq!(underscore("HTMLParser"), "html_parser");
/// assert_eq!(underscore("Admin::Post"), "admin/post");
/// ```
pub fn underscore(word: &str) -> String {
    ENGLISH.underscore(word)
}

/// Lower case with underscores to camel case; slashes become the separators of a path.
///
/// It undoes [`underscore`], except for runs of capitals, which need an
/// [`acronym`](Inflections::acronym).
///
/// ```
/// # use relata_inflect::camelize;
/// assert_eq!(camelize("admin_comment"), "AdminComment");
/// assert_eq!(camelize("admin/post"), "Admin::Post");
/// ```
pub fn camelize(term: &str) -> String {
    ENGLISH.camelize(term)
}

/// The table of a type: its name underscored and in the plural.
///
/// A nested type has its module in front, as the tables of nested models have in Rails.
///
/// ```
/// # use relata_inflect::tableize;
/// assert_eq!(tableize("Post"), "posts");
/// assert_eq!(tableize("AdminComment"), "admin_comments");
/// assert_eq!(tableize("Admin::Post"), "admin_posts");
/// ```
pub fn tableize(type_name: &str) -> String {
    ENGLISH.tableize(type_name)
}

/// The type of a table: its name in the singular and in camel case, without a schema.
///
/// ```
/// # use relata_inflect::classify;
/// assert_eq!(classify("posts"), "Post");
/// assert_eq!(classify("blog.admin_comments"), "AdminComment");
/// ```
pub fn classify(table: &str) -> String {
    ENGLISH.classify(table)
}

/// The column by which a row refers to a type. Modules leave no trace in it.
///
/// ```
/// # use relata_inflect::foreign_key;
/// assert_eq!(foreign_key("Person"), "person_id");
/// assert_eq!(foreign_key("Admin::Post"), "post_id");
/// ```
pub fn foreign_key(type_name: &str) -> String {
    ENGLISH.foreign_key(type_name)
}

/// A column as a reader would name it: without `_id`, in words, the first with a capital.
///
/// ```
/// # use relata_inflect::humanize;
/// assert_eq!(humanize("author_id"), "Author");
/// assert_eq!(humanize("hair_color"), "Hair color");
/// ```
pub fn humanize(name: &str) -> String {
    ENGLISH.humanize(name)
}

/// A name as a title, every word with a capital.
///
/// ```
/// # use relata_inflect::titleize;
/// assert_eq!(titleize("AdminComment"), "Admin Comment");
/// assert_eq!(titleize("hair_color"), "Hair Color");
/// ```
pub fn titleize(name: &str) -> String {
    ENGLISH.titleize(name)
}

/// Dashes for underscores.
///
/// ```
/// # use relata_inflect::dasherize;
/// assert_eq!(dasherize("admin_comment"), "admin-comment");
/// ```
pub fn dasherize(word: &str) -> String {
    ENGLISH.dasherize(word)
}

/// The last name of a path.
///
/// ```
/// # use relata_inflect::demodulize;
/// assert_eq!(demodulize("Admin::Post"), "Post");
/// assert_eq!(demodulize("admin::Post"), "Post");
/// assert_eq!(demodulize("Post"), "Post");
/// ```
pub fn demodulize(path: &str) -> &str {
    ENGLISH.demodulize(path)
}
