//! The words of errors: texts under Rails' keys, and where they are looked for.
//!
//! Invariant: a text is found by key or is not there; nothing here knows a record or a rule.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

/// Where the texts of errors come from. The keys are those of Rails' locale files, without the locale:
/// `errors.messages.blank`, `activerecord.errors.models.post.attributes.title.blank`,
/// `activerecord.attributes.post.title`, `errors.format`; a text that counts has `.one` and `.other` below its key.
///
/// ```
/// use relata::{Db, Messages, model};
/// use std::borrow::Cow;
///
/// struct German;
///
/// impl Messages for German {
///     fn text(&self, key: &str) -> Option<Cow<'static, str>> {
///         match key {
///             "errors.messages.blank" => Some("muss ausgefüllt werden".into()),
///             "activerecord.attributes.user.name" => Some("Der Name".into()),
///             _ => relata::English.text(key),
///         }
///     }
/// }
///
/// #[model]
/// pub struct User {
///     id: i64,
///     #[validates(presence)]
///     name: String,
/// }
///
/// # relata::run(async {
/// let db = Db::detached();
/// db.set_messages(German);
/// let user = User::new(&db);
/// assert!(!user.is_valid().await?);
/// assert_eq!(user.errors().full_messages(), ["Der Name muss ausgefüllt werden"]);
/// # Ok(()) }).unwrap();
/// ```
pub trait Messages: Send + Sync {
    /// The text under a key, with `%{count}` and the like where values go; `None` lets the next key be tried.
    fn text(&self, key: &str) -> Option<Cow<'static, str>>;
}

/// Rails' English.
#[derive(Debug, Clone, Copy, Default)]
pub struct English;

impl Messages for English {
    fn text(&self, key: &str) -> Option<Cow<'static, str>> {
        let found = TEXTS.iter().find(|(known, _)| *known == key);
        found.map(|(_, text)| Cow::Borrowed(*text))
    }
}

#[rustfmt::skip] // one text, one line: this is a table
const TEXTS: &[(&str, &str)] = &[
    ("errors.format", "%{attribute} %{message}"),
    ("errors.messages.inclusion", "is not included in the list"),
    ("errors.messages.exclusion", "is reserved"),
    ("errors.messages.invalid", "is invalid"),
    ("errors.messages.confirmation", "doesn't match %{attribute}"),
    ("errors.messages.accepted", "must be accepted"),
    ("errors.messages.empty", "can't be empty"),
    ("errors.messages.blank", "can't be blank"),
    ("errors.messages.present", "must be blank"),
    ("errors.messages.required", "must exist"),
    ("errors.messages.taken", "has already been taken"),
    ("errors.messages.too_long.one", "is too long (maximum is 1 character)"),
    ("errors.messages.too_long.other", "is too long (maximum is %{count} characters)"),
    ("errors.messages.too_short.one", "is too short (minimum is 1 character)"),
    ("errors.messages.too_short.other", "is too short (minimum is %{count} characters)"),
    ("errors.messages.wrong_length.one", "is the wrong length (should be 1 character)"),
    ("errors.messages.wrong_length.other", "is the wrong length (should be %{count} characters)"),
    ("errors.messages.password_too_long", "is too long"),
    ("errors.messages.not_a_number", "is not a number"),
    ("errors.messages.not_an_integer", "must be an integer"),
    ("errors.messages.greater_than", "must be greater than %{count}"),
    ("errors.messages.greater_than_or_equal_to", "must be greater than or equal to %{count}"),
    ("errors.messages.equal_to", "must be equal to %{count}"),
    ("errors.messages.less_than", "must be less than %{count}"),
    ("errors.messages.less_than_or_equal_to", "must be less than or equal to %{count}"),
    ("errors.messages.other_than", "must be other than %{count}"),
    ("errors.messages.in", "must be in %{count}"),
    ("errors.messages.odd", "must be odd"),
    ("errors.messages.even", "must be even"),
    ("errors.messages.record_invalid", "Validation failed: %{errors}"),
    ("errors.messages.restrict_dependent_destroy.has_one", "Cannot delete record because a dependent %{record} exists"),
    ("errors.messages.restrict_dependent_destroy.has_many", "Cannot delete record because dependent %{record} exist"),
];

/// The source that a database's records take their texts from. Replaceable at any time.
#[derive(Clone)]
pub(crate) struct Source(Arc<RwLock<Arc<dyn Messages>>>);

impl Default for Source {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(Arc::new(English))))
    }
}

impl Source {
    pub(crate) fn replace(&self, with: impl Messages + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(with);
    }

    fn messages(&self) -> Arc<dyn Messages> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is wrong with an attribute of a model: the most particular text that there is, with its values put in.
    /// Rails: `generate_message`.
    pub(crate) fn problem(
        &self,
        model: &str,
        attribute: &str,
        kind: &str,
        values: &[(&str, String)],
    ) -> String {
        let messages = self.messages();
        let (model_key, kind_key) = (relata_inflect::underscore(model), kind);
        let keys = [
            format!("activerecord.errors.models.{model_key}.attributes.{attribute}.{kind_key}"),
            format!("activerecord.errors.models.{model_key}.{kind_key}"),
            format!("activerecord.errors.messages.{kind_key}"),
            format!("errors.attributes.{attribute}.{kind_key}"),
            format!("errors.messages.{kind_key}"),
        ];
        let count = values.iter().find(|(name, _)| *name == "count");
        let plural = count.map(|(_, count)| if count == "1" { "one" } else { "other" });
        let text = keys.iter().find_map(|key| {
            plural
                .and_then(|plural| messages.text(&format!("{key}.{plural}")))
                .or_else(|| messages.text(key))
        });
        let text = text.unwrap_or_else(|| Cow::Owned(relata_inflect::humanize(kind)));
        self.filled(model, attribute, &text, values)
    }

    /// A text with its values put in; `%{attribute}` and `%{model}` are there always.
    pub(crate) fn filled(
        &self,
        model: &str,
        attribute: &str,
        text: &str,
        values: &[(&str, String)],
    ) -> String {
        if !text.contains("%{") {
            return text.to_owned();
        }
        let mut filled = text.to_owned();
        for (name, value) in values {
            filled = filled.replace(&format!("%{{{name}}}"), value);
        }
        filled = filled.replace("%{model}", &self.model_name(model));
        if filled.contains("%{attribute}") {
            filled = filled.replace("%{attribute}", &self.attribute_name(model, attribute));
        }
        filled
    }

    /// The attribute's name for people. Rails: `human_attribute_name`.
    pub(crate) fn attribute_name(&self, model: &str, attribute: &str) -> String {
        let key = format!(
            "activerecord.attributes.{}.{attribute}",
            relata_inflect::underscore(model)
        );
        match self.messages().text(&key) {
            Some(name) => name.into_owned(),
            None => relata_inflect::humanize(&attribute.replace('.', "_")),
        }
    }

    fn model_name(&self, model: &str) -> String {
        let key = relata_inflect::underscore(model);
        match self.messages().text(&format!("activerecord.models.{key}")) {
            Some(name) => name.into_owned(),
            None => relata_inflect::humanize(&key),
        }
    }

    /// The sentence that a message makes with its attribute. Rails: `full_message`.
    pub(crate) fn sentence(&self, model: &str, attribute: &str, message: &str) -> String {
        if attribute == "base" {
            return message.to_owned();
        }
        let format = self.messages().text("errors.format");
        format
            .as_deref()
            .unwrap_or("%{attribute} %{message}")
            .replace("%{attribute}", &self.attribute_name(model, attribute))
            .replace("%{message}", message)
    }
}
