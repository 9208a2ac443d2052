//! Passwords that are kept as digests: set, hashed, validated, asked for.
//!
//! Invariants: hashing runs on the blocking pool, and before a save opens its transaction, so that nobody waits for it
//! behind the writer; the text of a password is wiped once its digest is saved, and stands in no event, error or
//! printed record; who asks with a wrong name waits as long as who asks with a wrong password.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash as Parsed, PasswordHasher, PasswordVerifier, SaltString};
use zeroize::Zeroizing;

use super::errors::Keeping;
use super::rules::unconfirmed;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::model::FromRecord;
use crate::pending::Pending;
use crate::record::Record;
use crate::reflection::{ModelReflection, PasswordHash, SecurePassword};
use crate::relation::Relation;

/// The text of a password, wiped when nobody holds it any more.
type Text = Arc<Zeroizing<String>>;

/// What one record was told of its passwords: what was set and is not saved, what was typed beside it.
#[derive(Default)]
pub(super) struct Secrets(Mutex<Told>);

#[derive(Default)]
struct Told {
    set: Vec<Secret>,
    /// What was typed a second time.
    confirmations: Vec<(&'static str, Option<Text>)>,
    challenges: Vec<Challenge>,
}

struct Secret {
    name: &'static str,
    text: Text,
    /// Whether the digest of this text is in its column.
    hashed: bool,
}

/// What was given as the password that the record has.
#[derive(Clone)]
struct Challenge {
    name: &'static str,
    text: Text,
    /// The digest that it was held against, and whether it is of it.
    asked: Option<(Option<String>, bool)>,
}

impl Secrets {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, name: &'static str, text: Option<Text>) {
        let all = &mut self.lock().set;
        all.retain(|secret| secret.name != name);
        all.extend(text.map(|text| Secret {
            name,
            text,
            hashed: false,
        }));
    }

    fn text(&self, name: &str) -> Option<Text> {
        let told = self.lock();
        let found = told.set.iter().find(|secret| secret.name == name);
        found.map(|secret| Arc::clone(&secret.text))
    }

    fn unhashed(&self, name: &str) -> Option<Text> {
        let told = self.lock();
        let unhashed = |secret: &&Secret| secret.name == name && !secret.hashed;
        let found = told.set.iter().find(unhashed);
        found.map(|secret| Arc::clone(&secret.text))
    }

    fn hashed(&self, text: &Text) {
        for secret in &mut self.lock().set {
            secret.hashed |= Arc::ptr_eq(&secret.text, text);
        }
    }

    fn confirm(&self, name: &'static str, text: Option<Text>) {
        let all = &mut self.lock().confirmations;
        all.retain(|(known, _)| *known != name);
        all.push((name, text));
    }

    /// What was typed a second time, if anything was.
    fn confirmation(&self, name: &str) -> Option<Text> {
        let told = self.lock();
        let found = told.confirmations.iter().find(|(known, _)| *known == name);
        found.and_then(|(_, text)| text.clone())
    }

    fn challenge(&self, name: &'static str, text: Option<Text>) {
        let all = &mut self.lock().challenges;
        all.retain(|one| one.name != name);
        all.extend(text.map(|text| Challenge {
            name,
            text,
            asked: None,
        }));
    }

    fn challenged(&self, name: &str) -> Option<Challenge> {
        let told = self.lock();
        told.challenges.iter().find(|one| one.name == name).cloned()
    }

    fn answered(&self, text: &Text, answer: (Option<String>, bool)) {
        let mut told = self.lock();
        let asked = told.challenges.iter_mut();
        if let Some(one) = asked.into_iter().find(|one| Arc::ptr_eq(&one.text, text)) {
            one.asked = Some(answer);
        }
    }

    /// Wipes what is saved.
    fn forget(&self) {
        let mut told = self.lock();
        told.set.retain(|secret| !secret.hashed);
        told.challenges.clear();
    }
}

/// Keeps what was typed a second time, where it is of a password. Gives it back where it is not.
pub(super) fn confirm(
    record: &Record,
    attribute: &str,
    value: Value<'static>,
) -> Option<Value<'static>> {
    let mut passwords = record.reflection().secure_passwords().iter();
    let found = passwords.find(|(_, password)| password.name == attribute);
    let (Some((_, password)), Some(keeping)) = (found, record.keeping()) else {
        return Some(value);
    };
    let text = match value {
        Value::Text(text) => Some(Arc::new(Zeroizing::new(text.into_owned()))),
        _ => None,
    };
    keeping.secrets.confirm(password.name, text);
    None
}

fn secrets(record: &Record) -> Option<&Secrets> {
    let keeping = record.existing_extension::<Keeping>()?;
    Some(&keeping.secrets)
}

/// The password of that name, and the column of its digest.
fn named(model: &'static ModelReflection, name: &str) -> Result<(usize, SecurePassword)> {
    let all = model.secure_passwords();
    let found = all.iter().find(|(_, password)| password.name == name);
    found.copied().ok_or_else(|| {
        let message = format!(
            "{} has no password {name}: declare `#[has_secure_password] {name}_digest: Option<String>`",
            model.name()
        );
        Error::new(ErrorKind::UnknownAttribute, message)
            .with_model(model.name())
            .with_attribute(name)
    })
}

impl Record {
    /// Sets the password of that name. Its digest is made when the record is saved, on the blocking pool; the text stays
    /// with the record until then, and is shown nowhere. `None` takes the digest away; an empty text changes nothing.
    /// Never touches the database. Rails: `password=`.
    ///
    /// # Errors
    /// `UnknownAttribute` for a password that the model does not have.
    pub fn set_secret<'a>(&self, name: &str, text: impl Into<Option<&'a str>>) -> Result<&Self> {
        let (column, password) = named(self.reflection(), name)?;
        let text = text.into();
        if text.is_some_and(str::is_empty) {
            return Ok(self);
        }
        if text.is_none() {
            self.set_value(column, Value::Null)?;
        }
        if let Some(keeping) = self.keeping() {
            let text = text.map(|text| Arc::new(Zeroizing::new(text.to_owned())));
            keeping.secrets.set(password.name, text);
        }
        Ok(self)
    }

    /// Gives the password of that name that the record has: saving refuses another with the error `invalid` of
    /// `password_challenge`, so that who changes a password knows the old one. It is wiped once the record is saved.
    /// `None` takes it back. Never touches the database. Rails: `password_challenge=`.
    ///
    /// # Errors
    /// `UnknownAttribute` for a password that the model does not have.
    pub fn set_challenge<'a>(&self, name: &str, text: impl Into<Option<&'a str>>) -> Result<&Self> {
        let (_, password) = named(self.reflection(), name)?;
        let text = text.into().map(|text| Zeroizing::new(text.to_owned()));
        if let Some(keeping) = self.keeping() {
            keeping.secrets.challenge(password.name, text.map(Arc::new));
        }
        Ok(self)
    }

    /// Whether a password of that name was set and is not saved. Never touches the database.
    #[must_use]
    pub fn is_secret_set(&self, name: &str) -> bool {
        secrets(self).is_some_and(|secrets| secrets.text(name).is_some())
    }

    /// Whether this is the password of that name. Hashes on the blocking pool; never touches the database.
    /// Rails: `authenticate_password`.
    ///
    /// Errors: `UnknownAttribute` for a password that the model does not have.
    #[track_caller]
    pub fn authenticate_with(&self, name: &str, text: &str) -> Pending<bool> {
        let found = named(self.reflection(), name);
        let (record, text) = (self.clone(), Zeroizing::new(text.to_owned()));
        Pending::new(async move {
            let (column, _) = found?;
            digest(&record).await?;
            let digest = record.value(column).as_str().map(str::to_owned);
            match digest {
                Some(digest) => aside(move || is_of(&text, &digest)).await,
                None => Ok(false),
            }
        })
    }
}

impl<M: FromRecord> Relation<M> {
    /// The relation's first record, if this is its password of that name. One query, and one hash also where there is no
    /// record, or one without a password, so that the time does not tell which names exist. Rails: `authenticate_by`.
    ///
    /// SQL: `SELECT ... WHERE ... LIMIT 1`.
    ///
    /// Errors: `UnknownAttribute` for a password that the model does not have; what the database says.
    #[track_caller]
    pub fn authenticate_by(&self, name: &str, text: &str) -> Pending<Option<M>> {
        let found = named(self.reflection(), name);
        let record = self.clone().erased().take();
        let (name, text) = (name.to_owned(), Zeroizing::new(text.to_owned()));
        Pending::new(async move {
            let (column, password) = found?;
            match record.await? {
                Some(record) if !record.value(column).is_null() => {
                    let is = record.authenticate_with(&name, &text).await?;
                    is.then(|| M::cast(record)).transpose()
                }
                Some(_) | None => {
                    let hash = password.hash;
                    aside(move || make(hash, &text)).await?.map(|_| None)
                }
            }
        })
    }
}

/// Holds what was given as the password that the record has against its digest, as that was saved.
async fn ask(record: &Record, column: usize, name: &str) -> Result<Option<bool>> {
    let Some(secrets) = secrets(record) else {
        return Ok(None);
    };
    let Some(challenge) = secrets.challenged(name) else {
        return Ok(None);
    };
    let digest = record.saved_value(column).as_str().map(str::to_owned);
    if let Some((of, holds)) = challenge.asked
        && of == digest
    {
        return Ok(Some(holds));
    }
    let holds = match digest.clone() {
        Some(digest) => {
            let text = Arc::clone(&challenge.text);
            aside(move || is_of(&text, &digest)).await?
        }
        None => false,
    };
    secrets.answered(&challenge.text, (digest, holds));
    Ok(Some(holds))
}

/// Makes the digests of passwords that were set, and asks whether those that were given are the record's.
pub(super) async fn digest(record: &Record) -> Result<()> {
    let Some(secrets) = secrets(record) else {
        return Ok(());
    };
    for &(column, password) in record.reflection().secure_passwords() {
        ask(record, column, password.name).await?;
        let Some(text) = secrets.unhashed(password.name) else {
            continue;
        };
        // Its validation says so; past that, the write does.
        if password.is_too_long(&text) {
            continue;
        }
        let (hash, of) = (password.hash, Arc::clone(&text));
        let digest = aside(move || make(hash, &of)).await??;
        record.set_value(column, Value::from(digest))?;
        secrets.hashed(&text);
    }
    Ok(())
}

/// Makes what is missing, before the row is written.
pub(super) async fn complete(record: &Record) -> Result<()> {
    digest(record).await?;
    for (_, password) in record.reflection().secure_passwords() {
        if secrets(record).is_some_and(|secrets| secrets.unhashed(password.name).is_some()) {
            let message = format!(
                "{} is longer than the 72 bytes that bcrypt takes",
                password.name
            );
            return Err(Error::new(ErrorKind::ValueTooLong, message)
                .with_record(record.clone())
                .with_attribute(password.name));
        }
    }
    Ok(())
}

/// Wipes the texts whose digests are saved.
pub(super) fn saved(record: &Record) {
    if let Some(secrets) = secrets(record) {
        secrets.forget();
    }
}

/// Whether a save would write a password.
pub(super) fn is_pending(record: &Record) -> bool {
    secrets(record).is_some_and(|secrets| secrets.lock().set.iter().any(|secret| !secret.hashed))
}

/// Validates a password.
pub(super) async fn look(record: &Record, name: &str) -> Result<()> {
    let Ok((column, password)) = named(record.reflection(), name) else {
        return Ok(());
    };
    if !password.validations {
        return Ok(());
    }
    let held = ask(record, column, name).await?;
    let text = secrets(record).and_then(|secrets| secrets.text(name));
    let errors = record.errors();
    let digest = record.value(column);
    if text.is_none() && digest.as_str().is_none_or(str::is_empty) {
        errors.add_kind(name, "blank");
    }
    if held == Some(false) {
        errors.add_kind(format!("{name}_challenge"), "invalid");
    }
    let Some(text) = text else { return Ok(()) };
    if password.is_too_long(&text) {
        errors.add_kind(name, "password_too_long");
    }
    let confirmed = secrets(record).and_then(|secrets| secrets.confirmation(name));
    if confirmed.is_some_and(|given| given.as_str() != text.as_str()) {
        let (about, details) = unconfirmed(record, name);
        errors.push(about, "confirmation", details, None);
    }
    Ok(())
}

/// Runs what takes long on the blocking pool.
async fn aside<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(run).await.map_err(Error::other)
}

/// The digest of a password.
fn make(hash: PasswordHash, text: &str) -> Result<String> {
    let failed = |why: String| {
        let message = format!("the password was not hashed: {why}");
        Error::new(ErrorKind::Other, message)
    };
    match hash {
        PasswordHash::Argon2 => {
            let salt = SaltString::generate(&mut OsRng);
            let digest = Argon2::default().hash_password(text.as_bytes(), &salt);
            let digest = digest.map_err(|error| failed(error.to_string()))?;
            Ok(digest.to_string())
        }
        PasswordHash::Bcrypt(cost) => {
            bcrypt::hash(text, cost).map_err(|error| failed(error.to_string()))
        }
    }
}

/// Whether a digest, of either kind, is that of a password. What is no digest is of none.
fn is_of(text: &str, digest: &str) -> bool {
    if digest.starts_with("$argon2") {
        return Parsed::new(digest).is_ok_and(|parsed| {
            let verified = Argon2::default().verify_password(text.as_bytes(), &parsed);
            verified.is_ok()
        });
    }
    bcrypt::verify(text, digest).unwrap_or(false)
}
