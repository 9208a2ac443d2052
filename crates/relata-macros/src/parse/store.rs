//! `#[store_accessor(...)]`: values inside the document of a column that are read and set as attributes are.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Lit, LitBool, LitStr, Meta, Token, Type};

use crate::errors::Errors;
use crate::model::{StoreAccessor, is_plain, plain};

const FORM: &str = "`#[store_accessor(color: String, size: Option<i64>)]`";

/// One thing that stands in the list.
enum Part {
    Value(Ident, Box<Type>),
    Prefix(Option<String>),
    Suffix(Option<String>),
}

/// What the attribute of a column says.
pub(super) fn accessors(
    attribute: &Attribute,
    column: &Ident,
    ty: &Type,
    errors: &mut Errors,
) -> Vec<StoreAccessor> {
    let Meta::List(list) = &attribute.meta else {
        errors.on(
            attribute,
            format!("`#[store_accessor]` names values and their types: {FORM}"),
        );
        return Vec::new();
    };
    if is_plain(ty) {
        let message = format!(
            "`{}` holds no document: `#[store_accessor]` stands on a column of `serde_json::Value` or `Json<...>`",
            plain(column)
        );
        errors.on(attribute.path(), message);
        return Vec::new();
    }
    let name = plain(column);
    let read = |input: ParseStream<'_>| {
        let mut parts = Vec::new();
        while !input.is_empty() {
            parts.push(part(input, &name)?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(parts)
    };
    let parts = errors.take(read.parse2(list.tokens.clone()));
    let (mut values, mut prefix, mut suffix) = (Vec::new(), None, None);
    for part in parts.unwrap_or_default() {
        match part {
            Part::Value(ident, ty) => values.push((ident, ty)),
            Part::Prefix(text) => prefix = text,
            Part::Suffix(text) => suffix = text,
        }
    }
    if values.is_empty() && errors.is_empty() {
        errors.on(
            attribute,
            format!("`#[store_accessor]` names values and their types: {FORM}"),
        );
    }
    let named = |(ident, ty): (Ident, Box<Type>)| {
        let key = plain(&ident);
        let parts = [prefix.as_deref(), Some(&*key), suffix.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        StoreAccessor {
            name: parts.join("_"),
            key,
            ident,
            ty: *ty,
        }
    };
    values.into_iter().map(named).collect()
}

/// `color: String`, `prefix`, `prefix = "theme"`.
fn part(input: ParseStream<'_>, column: &str) -> syn::Result<Part> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("the name of a value is expected: {FORM}")));
    }
    let ident = Ident::parse_any(input)?;
    if input.peek(Token![:]) {
        input.parse::<Token![:]>()?;
        return Ok(Part::Value(ident, Box::new(input.parse()?)));
    }
    match plain(&ident).as_str() {
        "prefix" => Ok(Part::Prefix(affix(input, column)?)),
        "suffix" => Ok(Part::Suffix(affix(input, column)?)),
        name => Err(syn::Error::new(
            ident.span(),
            format!("`{name}` needs a type: `{name}: String`; what may be missing is an `Option`"),
        )),
    }
}

/// Nothing, which is the column's name; a text; `true` or `false`.
fn affix(input: ParseStream<'_>, column: &str) -> syn::Result<Option<String>> {
    if !input.peek(Token![=]) {
        return Ok(Some(column.to_owned()));
    }
    input.parse::<Token![=]>()?;
    match input.parse::<Lit>()? {
        Lit::Bool(LitBool { value, .. }) => Ok(value.then(|| column.to_owned())),
        Lit::Str(text) if is_name(&text) => Ok(Some(text.value())),
        other => Err(syn::Error::new_spanned(
            other,
            "what stands before or behind a name is a part of one: `prefix = \"theme\"`",
        )),
    }
}

fn is_name(text: &LitStr) -> bool {
    syn::parse_str::<Ident>(&text.value()).is_ok()
}
