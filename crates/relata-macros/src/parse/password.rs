//! `#[has_secure_password(...)]`: a column that holds the digest of a password.

use proc_macro2::Ident;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, ExprLit, Lit, LitInt, Token};

use super::options::{Entry, Known, Value, of_attribute};
use crate::errors::Errors;
use crate::model::{Password, Reset, plain};

const KNOWN: Known<'static> = Known {
    attribute: "#[has_secure_password]",
    now: &["algorithm", "cost", "validations", "reset_token"],
    later: &[],
    instead: &[],
};

/// The cost of bcrypt where none is written, as in Rails.
const COST: u32 = 12;

/// What the attribute of a column says.
pub(super) fn password(
    attribute: &Attribute,
    column: &Ident,
    errors: &mut Errors,
) -> Option<Password> {
    let (mut bcrypt, mut cost, mut validations, mut reset) = (false, None, true, Reset::Usual);
    for entry in of_attribute(attribute, &KNOWN, errors) {
        match entry.name().as_str() {
            "algorithm" => {
                let Some(name) = errors.take(entry.ident("bcrypt")) else {
                    continue;
                };
                bcrypt = name == "bcrypt";
                if !bcrypt && name != "argon2" {
                    errors.at(name.span(), "`algorithm` is `argon2` or `bcrypt`");
                }
            }
            "cost" => match errors.take(entry.value("12")) {
                Some(Expr::Lit(ExprLit {
                    lit: Lit::Int(number),
                    ..
                })) if number
                    .base10_parse::<u32>()
                    .is_ok_and(|cost| (4..=31).contains(&cost)) =>
                {
                    cost = number.base10_parse().ok().map(|number| (number, entry));
                }
                Some(other) => errors.on(other, "the cost of bcrypt is a number from 4 to 31"),
                None => {}
            },
            "reset_token" => reset = errors.take(reset_token(&entry)).unwrap_or(Reset::Usual),
            _ => validations = errors.take(entry.flag()).unwrap_or(true),
        }
    }
    if let (false, Some((_, entry))) = (bcrypt, &cost) {
        errors.at(
            entry.name.span(),
            "`cost` is that of bcrypt: write `algorithm = bcrypt` too",
        );
    }
    let name = plain(column);
    let Some(name) = name.strip_suffix("_digest") else {
        let message = format!(
            "the column of a password is named after it: `#[has_secure_password] {name}_digest: Option<String>`"
        );
        errors.at(column.span(), message);
        return None;
    };
    Some(Password {
        name: name.to_owned(),
        bcrypt: bcrypt.then(|| cost.map_or(COST, |(cost, _)| cost)),
        validations,
        reset,
    })
}

/// `reset_token = false`, or `reset_token(expires_in = 3600)`.
fn reset_token(entry: &Entry) -> syn::Result<Reset> {
    let Value::List(group) = &entry.value else {
        let on = entry.flag()?;
        return Ok(if on { Reset::Usual } else { Reset::Off });
    };
    let seconds = |input: ParseStream<'_>| {
        let name: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        let number: LitInt = input.parse()?;
        if name != "expires_in" || !input.is_empty() {
            return Err(syn::Error::new(name.span(), ""));
        }
        number.base10_parse::<u64>()
    };
    let wrong = |_| {
        let message = "a token that resets a password says how many seconds it is good: \
                       `reset_token(expires_in = 3600)`";
        syn::Error::new(group.span(), message)
    };
    let seconds = seconds.parse2(group.stream()).map_err(wrong)?;
    Ok(Reset::Seconds(seconds))
}
