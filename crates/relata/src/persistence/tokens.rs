//! Tokens that stand for a record: signed, for one purpose, good for a while, and void once what they are bound to has
//! changed.
//!
//! ```text
//! token    = hex(payload) "-" hex(HMAC(key, table, purpose, payload))
//! payload  = when it expires, a tag of what it is bound to, the record's key
//! ```
//!
//! Invariants: the signature is looked at before the database is asked; signatures and tags are compared in constant
//! time; the key comes from the database's options and stands nowhere else.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::attribute::value::{Kind, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::model::FromRecord;
use crate::pending::Pending;
use crate::record::Record;
use crate::reflection::ModelReflection;
use crate::relation::Relation;

type Signature = Hmac<Sha256>;

/// Bytes of a payload: the time, then the tag.
const TIME: usize = 8;
const TAG: usize = 16;

impl Record {
    /// A token that stands for the record, for one purpose: `find_by_token_for` finds the record by it until it expires, or
    /// what it is bound to has changed. A password `password` gives the purpose `password_reset`: good for 15 minutes
    /// unless it says otherwise, and bound to the digest. Never touches the database. Rails: `generate_token_for`.
    ///
    /// # Errors
    /// `Argument` for a purpose that the model does not declare; `Configuration` without
    /// [`Options::token_key`](crate::Options::token_key), or with one that is too short; `NotPersisted` for a record that
    /// is not saved.
    pub fn generate_token_for(&self, purpose: &str) -> Result<String> {
        if !self.is_persisted() {
            let message = "only a saved record has tokens: save it first";
            return Err(Error::new(ErrorKind::NotPersisted, message).with_record(self.clone()));
        }
        let bound = bound(self, purpose)?;
        let now = self.db().now();
        let expires = lifetime(self.reflection(), purpose)?
            .and_then(|micros| now.checked_add(micros))
            .unwrap_or(i64::MAX);
        let mut payload = expires.to_be_bytes().to_vec();
        payload.extend(tag(self, purpose, &bound)?);
        payload.extend(key_text(self)?.bytes());
        let signature = signed(self.reflection(), key(self.db())?, purpose, &payload)?;
        let signature = signature.finalize().into_bytes();
        Ok(format!("{}-{}", hex(&payload), hex(&signature)))
    }
}

impl<M: FromRecord> Relation<M> {
    /// The record that a token stands for, if it is good, for this purpose, and the relation has the record. One query; none
    /// for what is no token or has expired. Rails: `find_by_token_for`.
    ///
    /// SQL: `SELECT ... WHERE "users"."id" = ? LIMIT 1`.
    ///
    /// Errors: `Argument` for a purpose that the model does not declare; `Configuration` without
    /// [`Options::token_key`](crate::Options::token_key); what the database says.
    #[track_caller]
    pub fn find_by_token_for(&self, purpose: &str, token: &str) -> Pending<Option<M>> {
        let (relation, purpose) = (self.clone().erased(), purpose.to_owned());
        let read = read(&relation, &purpose, token);
        Pending::new(async move {
            let Some((tagged, keys)) = read? else {
                return Ok(None);
            };
            let Some(record) = relation.with_rows(vec![keys]).take().await? else {
                return Ok(None);
            };
            let bound = bound(&record, &purpose)?;
            let good = verified(&record, &purpose, &bound, &tagged)?;
            good.then(|| M::cast(record)).transpose()
        })
    }

    /// As [`find_by_token_for`](Self::find_by_token_for), where it must be good. Rails: `find_by_token_for!`.
    ///
    /// SQL: as there.
    ///
    /// Errors: `InvalidSignature` for a token that is not good; else as `find_by_token_for`.
    #[track_caller]
    pub fn find_by_token_for_or_fail(&self, purpose: &str, token: &str) -> Pending<M> {
        let (found, model) = (self.find_by_token_for(purpose, token), self.reflection());
        let message = format!(
            "the token is none for {purpose} of {}, or no longer",
            model.name()
        );
        Pending::new(async move {
            let error =
                || Error::new(ErrorKind::InvalidSignature, message).with_model(model.name());
            found.await?.ok_or_else(error)
        })
    }
}

/// What a good signature says: the tag, and the key of the row.
type Payload = (Vec<u8>, Vec<Value<'static>>);

fn read(relation: &Relation, purpose: &str, token: &str) -> Result<Option<Payload>> {
    let (model, db) = (relation.reflection(), relation.db());
    let key = key(db)?;
    lifetime(model, purpose)?;
    let parts = token.split_once('-');
    let Some((payload, signature)) = parts.and_then(|(one, two)| Some((bytes(one)?, bytes(two)?)))
    else {
        return Ok(None);
    };
    let good = signed(model, key, purpose, &payload)?.verify_slice(&signature);
    if good.is_err() {
        return Ok(None);
    }
    let Some((time, rest)) = payload.split_at_checked(TIME) else {
        return Ok(None);
    };
    let expires = time.try_into().map_or(0, i64::from_be_bytes);
    let parts = rest.split_at_checked(TAG);
    let Some((tagged, text)) = parts.filter(|_| expires > db.now()) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(text).into_owned();
    let keys: Vec<Value<'static>> = model
        .query_constraints()
        .iter()
        .zip(text.split(SEPARATOR))
        .map(|(&column, part)| model.kept_value(column, Value::from(part.to_owned())))
        .collect::<Result<_>>()?;
    Ok((keys.len() == model.query_constraints().len()).then(|| (tagged.to_vec(), keys)))
}

fn key(db: &crate::db::Db) -> Result<&[u8]> {
    let problem = match db.token_key() {
        Some(key) if key.len() >= 32 => return Ok(key),
        Some(_) => "is shorter than 32 bytes",
        None => "is missing",
    };
    let message = format!(
        "the key that tokens are signed with {problem}: give `Options::token_key` 32 random bytes from your environment"
    );
    Err(Error::new(ErrorKind::Configuration, message))
}

/// A hash of everything that a token says, by the key.
fn signed(model: &ModelReflection, key: &[u8], purpose: &str, payload: &[u8]) -> Result<Signature> {
    let mut signature = Signature::new_from_slice(key).map_err(Error::other)?;
    for part in [
        b"relata",
        model.table().as_bytes(),
        purpose.as_bytes(),
        payload,
    ] {
        // With its length, so that no two lists of parts are the same bytes.
        signature.update(&(part.len() as u64).to_be_bytes());
        signature.update(part);
    }
    Ok(signature)
}

/// A tag of what a token is bound to, which tells nothing about it.
fn tagging(record: &Record, purpose: &str, bound: &[u8]) -> Result<Signature> {
    let purpose = format!("{purpose} is bound to");
    signed(record.reflection(), key(record.db())?, &purpose, bound)
}

fn tag(record: &Record, purpose: &str, bound: &[u8]) -> Result<Vec<u8>> {
    let whole = tagging(record, purpose, bound)?.finalize().into_bytes();
    Ok(whole.into_iter().take(TAG).collect())
}

fn verified(record: &Record, purpose: &str, bound: &[u8], tagged: &[u8]) -> Result<bool> {
    let tagging = tagging(record, purpose, bound)?;
    Ok(tagging.verify_truncated_left(tagged).is_ok())
}

fn undeclared(model: &ModelReflection, purpose: &str) -> Error {
    let message = format!(
        "{} declares no tokens for {purpose}: mark the function that says what they are bound to with \
         `#[generates_token_for]`",
        model.name()
    );
    Error::new(ErrorKind::Argument, message).with_model(model.name())
}

/// How long a token is good, in microseconds.
fn lifetime(model: &'static ModelReflection, purpose: &str) -> Result<Option<i64>> {
    let mut declared = model.token_purposes().iter();
    let time = match declared.find(|one| one.name() == purpose) {
        Some(declared) => declared.lifetime(),
        #[cfg(feature = "password")]
        None if let Some((_, time)) = reset(model, purpose) => Some(time),
        None => return Err(undeclared(model, purpose)),
    };
    Ok(time.map(|time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX)))
}

/// What a token of the record is bound to now.
fn bound(record: &Record, purpose: &str) -> Result<Vec<u8>> {
    let model = record.reflection();
    let mut declared = model.token_purposes().iter();
    let value = match declared.find(|one| one.name() == purpose) {
        Some(declared) => declared.bound_to(record),
        #[cfg(feature = "password")]
        None if let Some((digest, _)) = reset(model, purpose) => record.value(digest).into_owned(),
        None => return Err(undeclared(model, purpose)),
    };
    Ok(match value {
        Value::Bytes(bytes) => bytes.into_owned(),
        other => format!("{other:?}").into_bytes(),
    })
}

/// The digest of the password that tokens for a purpose reset, `password_reset`, and how long they are good.
#[cfg(feature = "password")]
fn reset(model: &ModelReflection, purpose: &str) -> Option<(usize, std::time::Duration)> {
    let name = purpose.strip_suffix("_reset")?;
    let mut passwords = model.secure_passwords().iter();
    let (digest, password) = passwords.find(|(_, password)| password.name() == name)?;
    Some((*digest, password.reset?))
}

/// What stands between the parts of a key.
const SEPARATOR: char = '\u{1f}';

fn key_text(record: &Record) -> Result<String> {
    let mut text = String::new();
    for (index, value) in record.saved_key().iter().enumerate() {
        if index > 0 {
            text.push(SEPARATOR);
        }
        match (value.kind(), value.as_str()) {
            (_, Some(part)) if !part.contains(SEPARATOR) => text.push_str(part),
            (Some(Kind::Int | Kind::Uint | Kind::Uuid), _) => text.push_str(&format!("{value:?}")),
            _ => return Err(unheld(record)),
        }
    }
    Ok(text)
}

fn unheld(record: &Record) -> Error {
    let message = format!(
        "{} has a primary key that no token can hold: an integer, a uuid or a text can",
        record.reflection().name()
    );
    Error::new(ErrorKind::Unsupported, message).with_record(record.clone())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}
