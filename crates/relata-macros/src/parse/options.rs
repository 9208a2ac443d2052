//! Option lists: `name`, `name = value`, `name(...)`, separated by commas, inside one attribute.
//!
//! Invariant: an option that is not known, not yet supported or given twice is an error at its name; nothing is
//! skipped silently.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Token};

use crate::errors::{Errors, hint, list};

/// What follows an option's name.
pub(crate) enum Value {
    /// Nothing: a flag.
    None,
    /// `= expression`.
    Expr(Box<Expr>),
    /// `(...)`.
    List(Group),
}

/// One option as it was written.
pub(crate) struct Entry {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

impl Entry {
    /// The option's name.
    pub(crate) fn name(&self) -> String {
        self.name.unraw().to_string()
    }

    /// The option as text, for the reflection.
    pub(crate) fn text(&self) -> String {
        match &self.value {
            Value::None => String::from("true"),
            Value::Expr(value) => plain(value.to_token_stream()),
            Value::List(group) => plain(group.to_token_stream()),
        }
    }

    /// The value, or a sentence about what to write.
    fn expr(&self, example: &str) -> syn::Result<&Expr> {
        match &self.value {
            Value::Expr(value) => Ok(value),
            Value::None | Value::List(_) => Err(syn::Error::new(
                self.name.span(),
                format!("`{0}` needs a value: `{0} = {example}`", self.name()),
            )),
        }
    }

    /// A flag: `name`, `name = true`, `name = false`.
    pub(crate) fn flag(&self) -> syn::Result<bool> {
        match &self.value {
            Value::None => Ok(true),
            Value::Expr(value) => match &**value {
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Bool(flag),
                    ..
                }) => Ok(flag.value),
                other => Err(syn::Error::new_spanned(
                    other,
                    format!("`{}` is `true` or `false`", self.name()),
                )),
            },
            Value::List(group) => Err(syn::Error::new(
                group.span(),
                format!(
                    "`{0}` takes no list; write `{0}` or `{0} = false`",
                    self.name()
                ),
            )),
        }
    }

    /// A text: `name = "..."`.
    pub(crate) fn text_value(&self, example: &str) -> syn::Result<syn::LitStr> {
        let quoted = format!("{example:?}");
        match self.expr(&quoted)? {
            Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) if !text.value().is_empty() => Ok(text.clone()),
            other => Err(syn::Error::new_spanned(
                other,
                format!("`{0}` is a text: `{0} = {quoted}`", self.name()),
            )),
        }
    }

    /// One name: `name = posts`.
    pub(crate) fn ident(&self, example: &str) -> syn::Result<Ident> {
        let value = self.expr(example)?;
        one_name(value, &self.name(), example)
    }

    /// One name or several: `name = id`, `name = (shop_id, id)`.
    pub(crate) fn idents(&self, example: &str) -> syn::Result<Vec<Ident>> {
        match self.expr(example)? {
            Expr::Tuple(tuple) if tuple.elems.is_empty() => Err(syn::Error::new_spanned(
                tuple,
                format!(
                    "`{0}` names at least one column: `{0} = {example}`",
                    self.name()
                ),
            )),
            Expr::Tuple(tuple) => tuple
                .elems
                .iter()
                .map(|one| one_name(one, &self.name(), example))
                .collect(),
            Expr::Paren(inner) => Ok(vec![one_name(&inner.expr, &self.name(), example)?]),
            other => Ok(vec![one_name(other, &self.name(), example)?]),
        }
    }

    /// The expression: `name = ...`.
    pub(crate) fn value(&self, example: &str) -> syn::Result<&Expr> {
        self.expr(example)
    }

    /// Where the value stands, or the name if there is none.
    pub(crate) fn span(&self) -> Span {
        match &self.value {
            Value::Expr(value) => syn::spanned::Spanned::span(&**value),
            _ => self.name.span(),
        }
    }
}

fn one_name(value: &Expr, option: &str, example: &str) -> syn::Result<Ident> {
    match value {
        Expr::Path(path) if path.qself.is_none() => {
            if let Some(name) = path.path.get_ident() {
                return Ok(name.clone());
            }
        }
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => {
            let message = format!(
                "names are written without quotes: `{option} = {}`",
                text.value()
            );
            return Err(syn::Error::new_spanned(value, message));
        }
        _ => {}
    }
    Err(syn::Error::new_spanned(
        value,
        format!("`{option}` is a name: `{option} = {example}`"),
    ))
}

/// Tokens as a person would write them.
fn plain(tokens: TokenStream) -> String {
    tokens
        .to_string()
        .replace(" , ", ", ")
        .replace("( ", "(")
        .replace(" )", ")")
        .replace(" . ", ".")
}

/// The names that one attribute takes.
pub(crate) struct Known<'a> {
    /// As it is written: `#[has_many]`.
    pub(crate) attribute: &'a str,
    /// Those that work.
    pub(crate) now: &'a [&'a str],
    /// Those that Rails has and that are not supported yet.
    pub(crate) later: &'a [&'a str],
    /// Those that have another form here, with a sentence about it.
    pub(crate) instead: &'a [(&'a str, &'a str)],
}

impl Known<'_> {
    fn judge(&self, entry: &Entry) -> Result<(), String> {
        let name = entry.name();
        let name = name.as_str();
        if self.now.contains(&name) {
            return Ok(());
        }
        if self.later.contains(&name) {
            return Err(format!(
                "`{name}` is not supported yet in {}",
                self.attribute
            ));
        }
        if let Some((_, sentence)) = self.instead.iter().find(|(other, _)| *other == name) {
            return Err((*sentence).to_owned());
        }
        let all: Vec<&str> = self.now.iter().chain(self.later).copied().collect();
        let valid = if self.now.is_empty() {
            String::from("it takes none")
        } else {
            format!("its options are {}", list(self.now))
        };
        Err(format!(
            "{} has no option `{name}`{}\n{valid}",
            self.attribute,
            hint(name, &all)
        ))
    }
}

/// The options of one attribute that are known and well formed; the others are told.
pub(crate) fn entries(tokens: TokenStream, known: &Known<'_>, errors: &mut Errors) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let parsed = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let entry = entry(input, known)?;
            if let Err(message) = known.judge(&entry) {
                errors.at(entry.name.span(), message);
            } else if entries.iter().any(|earlier| earlier.name == entry.name) {
                errors.at(
                    entry.name.span(),
                    format!("`{}` is given twice", entry.name),
                );
            } else {
                entries.push(entry);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = parsed.parse2(tokens) {
        errors.push(error);
    }
    entries
}

/// Names of the user's own, each with what follows it.
pub(crate) fn names(tokens: TokenStream, example: &str) -> syn::Result<Vec<Entry>> {
    let parsed = |input: ParseStream<'_>| {
        let mut all = Vec::new();
        while !input.is_empty() {
            if !input.peek(Ident::peek_any) {
                return Err(input.error(format!("a name is expected, for example `{example}`")));
            }
            all.push(named(input)?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(all)
    };
    parsed.parse2(tokens)
}

fn entry(input: ParseStream<'_>, known: &Known<'_>) -> syn::Result<Entry> {
    if input.peek(Ident::peek_any) {
        return named(input);
    }
    let example = known
        .now
        .first()
        .map(|name| format!(", for example `{name}`"))
        .unwrap_or_default();
    Err(input.error(format!(
        "{} takes names of options{example}",
        known.attribute
    )))
}

fn named(input: ParseStream<'_>) -> syn::Result<Entry> {
    let name = Ident::parse_any(input)?;
    let value = if input.peek(Token![=]) && !input.peek(Token![=>]) {
        input.parse::<Token![=]>()?;
        ruby(input, &name)?;
        Value::Expr(Box::new(input.parse()?))
    } else if input.peek(syn::token::Paren) {
        Value::List(input.parse()?)
    } else if input.peek(Token![:]) || input.peek(Token![=>]) {
        let message = format!("an option is written with `=`: `{name} = ...`");
        return Err(input.error(message));
    } else {
        Value::None
    };
    Ok(Entry { name, value })
}

/// Tells a value that is written as in Ruby.
fn ruby(input: ParseStream<'_>, name: &Ident) -> syn::Result<()> {
    let ahead = input.fork();
    let message = if input.peek(Token![:]) && !input.peek(Token![::]) {
        String::from("names are written without a colon")
    } else if input.peek(Token![->]) {
        format!("a function is a closure here: `{name} = |all| ...`")
    } else if ahead.parse::<Ident>().is_ok_and(|word| word == "nil") {
        format!(
            "Rust has no `nil`: leave `{name}` out, or write what it takes for nothing, as `none` or `false`"
        )
    } else {
        return Ok(());
    };
    Err(input.error(message))
}

/// The options inside `#[name(...)]`; none for `#[name]`.
pub(crate) fn of_attribute(
    attribute: &syn::Attribute,
    known: &Known<'_>,
    errors: &mut Errors,
) -> Vec<Entry> {
    match &attribute.meta {
        syn::Meta::Path(_) => Vec::new(),
        syn::Meta::List(meta) => entries(meta.tokens.clone(), known, errors),
        syn::Meta::NameValue(meta) => {
            errors.on(
                meta,
                format!(
                    "write the options in parentheses: `{}`",
                    known.attribute.replace(']', "(...)]")
                ),
            );
            Vec::new()
        }
    }
}
