//! `#[scopes] impl Post { ... }`: which of its functions are scopes.
//!
//! Invariant: the functions stay as they are written; what is added is a trait that calls them on whatever is a relation
//! of the model, and one `const` table of those that need nothing else, to be called by name.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, FnArg, ImplItem, ImplItemFn, ItemImpl, Pat, ReturnType, Type};

use crate::errors::Errors;
use crate::model::plain;
use crate::parse::{Known, of_attribute};

const EXAMPLE: &str = "fn recent(posts: Relation<Self>) -> Relation<Self>";

/// What the attribute expands to.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    if !options.is_empty() {
        errors.on(&options, "`#[scopes]` takes no options");
    }
    let mut block = match syn::parse2::<ItemImpl>(item.clone()) {
        Ok(block) if block.trait_.is_none() && block.generics.params.is_empty() => block,
        _ => {
            errors.on(
                item.clone().into_iter().next(),
                "`#[scopes]` stands at the model's own block: `#[scopes] impl Post { ... }`",
            );
            let errors = errors.into_tokens();
            return quote!(#errors #item);
        }
    };
    let model = block.self_ty.clone();
    let (mut vis, mut declared, mut defined, mut named) =
        (None, Vec::new(), Vec::new(), Vec::new());
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else {
            continue;
        };
        let (ours, others): (Vec<_>, Vec<_>) = std::mem::take(&mut function.attrs)
            .into_iter()
            .partition(|attribute| attribute.path().is_ident("scope"));
        function.attrs = others;
        let Some(attribute) = ours.first() else {
            continue;
        };
        let Some(scope) = scope(attribute, function, &model, &mut errors) else {
            continue;
        };
        vis.get_or_insert_with(|| function.vis.clone());
        declared.push(scope.declared);
        defined.push(scope.defined);
        named.extend(scope.named);
    }
    if declared.is_empty() && errors.is_empty() {
        let message = format!("mark the functions that are scopes: `#[scope] {EXAMPLE}`");
        errors.on(&block.self_ty, message);
    }
    let name = last(&model).map(|ident| plain(&ident)).unwrap_or_default();
    let of = format_ident!("{name}Scopes");
    let doc = format!("The scopes of `{name}`, on its relations and collections.");
    let errors = errors.into_tokens();
    quote! {
        #errors
        #block
        #[doc = #doc]
        #[allow(dead_code, private_interfaces, unreachable_pub)]
        #vis trait #of: ::core::marker::Sized { #(#declared)* }
        #[automatically_derived]
        impl<__All: ::core::convert::Into<::relata::Relation<#model>>> #of for __All { #(#defined)* }
        impl #model {
            #[doc(hidden)]
            pub const __SCOPES: &'static [(&'static ::core::primitive::str, ::relata::relation::Scope)] =
                &[#(#named),*];
        }
    }
}

fn last(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(path) => Some(path.path.segments.last()?.ident.clone()),
        _ => None,
    }
}

struct Emitted {
    declared: TokenStream,
    defined: TokenStream,
    /// For the table of names, where nothing else is needed.
    named: Option<TokenStream>,
}

fn scope(
    attribute: &Attribute,
    function: &ImplItemFn,
    model: &Type,
    errors: &mut Errors,
) -> Option<Emitted> {
    let known = Known {
        attribute: "#[scope]",
        now: &[],
        later: &[],
        instead: &[],
    };
    of_attribute(attribute, &known, errors);
    let signature = &function.sig;
    let ident = &signature.ident;
    let takes_relation = matches!(signature.inputs.first(), Some(FnArg::Typed(_)));
    let gives = !matches!(signature.output, ReturnType::Default);
    if !takes_relation || !gives || signature.asyncness.is_some() {
        let message =
            format!("a scope makes a relation of a relation, and runs nothing: `{EXAMPLE}`");
        errors.on(ident, message);
        return None;
    }
    let (mut parameters, mut names) = (Vec::new(), Vec::new());
    for input in signature.inputs.iter().skip(1) {
        let FnArg::Typed(typed) = input else { continue };
        let Pat::Ident(name) = &*typed.pat else {
            errors.on(&typed.pat, "a parameter of a scope has a name");
            return None;
        };
        let (name, ty) = (&name.ident, of_model(typed.ty.to_token_stream(), model));
        parameters.push(quote!(#name: #ty));
        names.push(name);
    }
    let (generics, bounds) = (&signature.generics, &signature.generics.where_clause);
    let output = of_model(signature.output.to_token_stream(), model);
    let docs = function
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"));
    let head = quote!(fn #ident #generics (self, #(#parameters),*) #output #bounds);
    let shown = plain(ident);
    let alone = names.is_empty() && generics.params.is_empty();
    Some(Emitted {
        declared: quote!(#(#docs)* #head;),
        defined: quote!(#head { <#model>::#ident(::core::convert::Into::into(self), #(#names),*) }),
        named: alone.then(|| {
            quote!((#shown, ::relata::relation::Scope::new(&|relation| {
                <#model as ::relata::Model>::__scope(relation, |all| <#model>::#ident(all))
            })))
        }),
    })
}

/// The tokens, where `Self` is the model.
fn of_model(tokens: TokenStream, model: &Type) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|tree| match tree {
            TokenTree::Ident(ident) if ident == "Self" => model.to_token_stream(),
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), of_model(group.stream(), model));
                inner.set_span(group.span());
                TokenTree::Group(inner).to_token_stream()
            }
            other => other.to_token_stream(),
        })
        .collect()
}
