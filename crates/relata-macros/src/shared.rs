//! Abstract base classes: what several models with tables of their own have in common is declared once, and stands in each
//! of them as if it were written there.
//!
//! `abstract_class` makes a macro of what is declared; `abstract_base` names it, and hands it the model, which comes back
//! with the common part in front. So a model costs what it would cost in full, and what is wrong is told where it stands.
//!
//! Invariant: nothing of it is left when a model is parsed; a declaration that names neither is looked at once and left alone.

use std::hash::{DefaultHasher, Hash, Hasher};

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Fields, ItemImpl, ItemStruct, Meta, Path, Token, Type};

use crate::errors::Errors;

const CLASS: &str = "abstract_class";
const BASE: &str = "abstract_base";

/// Which attribute stands at the common part.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Model,
    Callbacks,
    Scopes,
}

impl Part {
    /// The attribute, as it comes back.
    fn attribute(self) -> TokenStream {
        match self {
            Self::Model => quote!(::relata::model),
            Self::Callbacks => quote!(::relata::callbacks),
            Self::Scopes => quote!(::relata::scopes),
        }
    }

    /// What the macro of an abstract class is called.
    fn macro_of(self, class: &Ident) -> Ident {
        let name = crate::model::plain(class);
        match self {
            Self::Model => class.clone(),
            Self::Callbacks => Ident::new(&format!("{name}_callbacks"), class.span()),
            Self::Scopes => Ident::new(&format!("{name}_scopes"), class.span()),
        }
    }
}

/// What the attribute expands to, where its options name an abstract class or are those of one.
pub(crate) fn expand(part: Part, options: &TokenStream, item: &TokenStream) -> Option<TokenStream> {
    let named = options.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == CLASS || ident == BASE,
        _ => false,
    });
    if !named {
        return None;
    }
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    // What cannot be read is told by who reads the options for what they say.
    let all = parser.parse2(options.clone()).ok()?;
    let (ours, others): (Vec<Meta>, Vec<Meta>) = all
        .into_iter()
        .partition(|one| one.path().is_ident(CLASS) || one.path().is_ident(BASE));
    let mut errors = Errors::default();
    let expanded = stands(part, ours, others, item, &mut errors);
    let errors = errors.into_tokens();
    Some(quote!(#errors #expanded))
}

fn stands(
    part: Part,
    ours: Vec<Meta>,
    mut others: Vec<Meta>,
    item: &TokenStream,
    errors: &mut Errors,
) -> TokenStream {
    let (classes, bases): (Vec<Meta>, Vec<Meta>) =
        ours.into_iter().partition(|one| one.path().is_ident(CLASS));
    let mut paths = Vec::new();
    for base in &bases {
        if let Some(named) = errors.take(named(base)) {
            paths.extend(named);
        }
    }
    for class in &classes {
        if !matches!(class, Meta::Path(_)) {
            errors.on(class, "`abstract_class` stands alone: it is a flag");
        }
    }
    // The last is taken in now, and the others when the model comes back, each in front of those before.
    let Some(last) = paths.pop() else {
        return match classes.first() {
            Some(_) if part == Part::Model => class_of_models(&others, item, errors),
            Some(_) => class_of_functions(part, item, errors),
            None => TokenStream::new(),
        };
    };
    others.extend(classes);
    let rest = (!paths.is_empty()).then(|| {
        let base = Ident::new(BASE, Span::call_site());
        quote!(#base = (#(#paths,)*))
    });
    let options = others.iter().map(ToTokens::to_token_stream).chain(rest);
    let options = quote!(#(#options),*);
    match part {
        Part::Model => model(&last, &options, item, errors),
        _ => functions(part, &last, &options, item, errors),
    }
}

/// `abstract_base = Audited`, `abstract_base = (Audited, Sluggish)`.
fn named(base: &Meta) -> syn::Result<Vec<Path>> {
    let one = |value: &Expr| match value {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => Err(syn::Error::new_spanned(
            other,
            "`abstract_base` names what was declared with `abstract_class`",
        )),
    };
    match base {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Tuple(several) => several.elems.iter().map(one).collect(),
            Expr::Paren(inner) => Ok(vec![one(&inner.expr)?]),
            value => Ok(vec![one(value)?]),
        },
        other => Err(syn::Error::new_spanned(
            other,
            "`abstract_base` needs a value: `abstract_base = Audited`",
        )),
    }
}

/// A macro of the common part. It goes by the class's name in paths, also in those of other crates, and by one of its own
/// where it stands, so that the two are never confused.
fn made(name: &Ident, rule: TokenStream) -> TokenStream {
    let hidden = hidden(name, &rule);
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros, non_local_definitions)]
        #[macro_export]
        macro_rules! #hidden { #rule }
        #[doc(hidden)]
        #[allow(unused_imports, unreachable_pub)]
        pub use #hidden as #name;
    }
}

/// A name that no other macro of the crate has: they are all at its root, whatever module the class is in.
fn hidden(name: &Ident, rule: &TokenStream) -> Ident {
    let mut hasher = DefaultHasher::new();
    rule.to_string().hash(&mut hasher);
    if proc_macro::is_available() {
        let place = name.span().unwrap();
        (place.file(), place.line(), place.column()).hash(&mut hasher);
    }
    format_ident!(
        "__relata_{}_{:x}",
        crate::model::plain(name),
        hasher.finish()
    )
}

/// What is common to models: their fields, and what stands at the struct.
fn class_of_models(options: &[Meta], item: &TokenStream, errors: &mut Errors) -> TokenStream {
    let Some(item) = errors.take(syn::parse2::<ItemStruct>(item.clone())) else {
        return TokenStream::new();
    };
    let Fields::Named(fields) = &item.fields else {
        errors.on(
            &item.ident,
            "an abstract class has named fields, those of each model that takes it",
        );
        return TokenStream::new();
    };
    let fields = fields.named.iter();
    let (docs, attributes): (Vec<_>, Vec<_>) = item
        .attrs
        .iter()
        .partition(|one| one.path().is_ident("doc"));
    let rule = quote! {
        ([$($options:tt)*] [$($head:tt)*] [$($own:tt)*] $($is:tt)*) => {
            #[::relata::model(#(#options,)* $($options)*)]
            #(#attributes)*
            $($head)* { #(#fields,)* $($own)* }
            $($is)*
        };
    };
    let made = made(&Part::Model.macro_of(&item.ident), rule);
    let (vis, ident) = (&item.vis, &item.ident);
    quote! {
        #(#docs)*
        #[allow(dead_code)]
        #vis trait #ident: ::relata::Model {}
        #made
    }
}

/// What is common to the functions of models.
fn class_of_functions(part: Part, item: &TokenStream, errors: &mut Errors) -> TokenStream {
    let Some(item) = errors.take(syn::parse2::<ItemImpl>(item.clone())) else {
        return TokenStream::new();
    };
    let Some(class) = class_named(&item.self_ty) else {
        errors.on(&item.self_ty, "name the abstract class: `impl Audited`");
        return TokenStream::new();
    };
    let (attribute, own) = (part.attribute(), &item.items);
    let rule = quote! {
        ([$($options:tt)*] [$($head:tt)*] [$($more:tt)*]) => {
            #[#attribute($($options)*)]
            $($head)* { #(#own)* $($more)* }
        };
    };
    made(&part.macro_of(class), rule)
}

fn class_named(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

/// A model, with the common part of the class in front.
fn model(
    class: &Path,
    options: &TokenStream,
    item: &TokenStream,
    errors: &mut Errors,
) -> TokenStream {
    let Some(item) = errors.take(syn::parse2::<ItemStruct>(item.clone())) else {
        return TokenStream::new();
    };
    let Fields::Named(fields) = &item.fields else {
        errors.on(
            &item.ident,
            "the fields of a model are named: `struct Post { title: String }`",
        );
        return TokenStream::new();
    };
    let fields = &fields.named;
    let (attributes, vis, ident, generics) = (&item.attrs, &item.vis, &item.ident, &item.generics);
    let is = (!options.to_string().contains(CLASS)).then(|| {
        quote! {
            #[automatically_derived]
            impl #class for #ident {}
        }
    });
    // Within what the class makes, so that one that is not there is missed once.
    quote! {
        #class! { [#options] [#(#attributes)* #vis struct #ident #generics] [#fields] #is }
    }
}

/// Functions of a model, with those of the class in front.
fn functions(
    part: Part,
    class: &Path,
    options: &TokenStream,
    item: &TokenStream,
    errors: &mut Errors,
) -> TokenStream {
    let Some(item) = errors.take(syn::parse2::<ItemImpl>(item.clone())) else {
        return TokenStream::new();
    };
    let mut path = class.clone();
    if let Some(last) = path.segments.last_mut() {
        last.ident = part.macro_of(&last.ident);
    }
    let (attributes, generics, this, own) =
        (&item.attrs, &item.generics, &item.self_ty, &item.items);
    quote! {
        #path! { [#options] [#(#attributes)* impl #generics #this] [#(#own)*] }
    }
}
