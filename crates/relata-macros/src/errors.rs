//! The mistakes of one declaration, collected so that all are told at once.
//!
//! Invariant: a mistake is told once, in a sentence that says what to write, at the user's own token.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>, usize);

impl Errors {
    /// A mistake at a place.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    /// A mistake at all of some tokens.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// A mistake that the parser found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.1 += 1;
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// The value, or its mistake taken in.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// The mistakes as one error.
    pub(crate) fn into_first(self) -> Option<syn::Error> {
        self.0
    }

    /// How many mistakes were told.
    pub(crate) fn count(&self) -> usize {
        self.1
    }

    /// Whether nothing is wrong yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` a mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0
            .map_or_else(TokenStream::new, syn::Error::into_compile_error)
    }
}

/// A list for people: "a, b and c".
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{}`", one.as_ref()),
        [first @ .., last] => {
            let first: Vec<_> = first
                .iter()
                .map(|name| format!("`{}`", name.as_ref()))
                .collect();
            format!("{} and `{}`", first.join(", "), last.as_ref())
        }
    }
}

/// "; did you mean `x`?", when one of the candidates is near.
pub(crate) fn hint(word: &str, candidates: &[&str]) -> String {
    relata_inflect::nearest(word, candidates)
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}
