//! `#[callbacks] impl Post { ... }`: which of its functions run when.
//!
//! Invariant: the functions stay as they are written; what is added is one `const` table of them.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, FnArg, ImplItem, ImplItemFn, ItemImpl, ReturnType};

use crate::emit;
use crate::errors::{Errors, hint};
use crate::model::{Only, plain};
use crate::parse::{Entry, Known, narrow, of_attribute};

/// Events, and whether a function for it may be `async`.
const EVENTS: &[(&str, &str, bool)] = &[
    ("before_validation", "BeforeValidation", true),
    ("after_validation", "AfterValidation", true),
    ("before_save", "BeforeSave", true),
    ("around_save", "AroundSave", true),
    ("after_save", "AfterSave", true),
    ("before_create", "BeforeCreate", true),
    ("around_create", "AroundCreate", true),
    ("after_create", "AfterCreate", true),
    ("before_update", "BeforeUpdate", true),
    ("around_update", "AroundUpdate", true),
    ("after_update", "AfterUpdate", true),
    ("before_destroy", "BeforeDestroy", true),
    ("around_destroy", "AroundDestroy", true),
    ("after_destroy", "AfterDestroy", true),
    ("after_touch", "AfterTouch", true),
    ("after_commit", "AfterCommit", true),
    ("after_rollback", "AfterRollback", false),
    ("after_find", "AfterFind", false),
    ("after_initialize", "AfterInitialize", false),
];

/// What marks a function that says what tokens are bound to; they are for what it is called.
const TOKEN: &str = "generates_token_for";

/// `#[generates_token_for(expires_in = 900)] fn confirmation(&self) -> String`.
fn token(attribute: &Attribute, function: &ImplItemFn, errors: &mut Errors) -> Option<TokenStream> {
    if function.sig.asyncness.is_some()
        || !takes(function, false)
        || matches!(function.sig.output, ReturnType::Default)
    {
        let message =
            "what tokens are bound to is a value of the record: `fn confirmation(&self) -> String`";
        errors.on(&function.sig.ident, message);
        return None;
    }
    let known = Known {
        attribute: "#[generates_token_for]",
        now: &["expires_in"],
        later: &[],
        instead: &[],
    };
    let mut expires = None;
    for option in of_attribute(attribute, &known, errors) {
        let seconds = errors.take(option.value("900"));
        expires =
            seconds.map(|seconds| quote!(.expires_in(::core::time::Duration::from_secs(#seconds))));
    }
    let (shown, call) = (plain(&function.sig.ident), &function.sig.ident);
    Some(
        quote!(::relata::callback::TokenPurpose::new(#shown, &|record| {
        ::relata::__private::computed::<Self, _>(record, |this| Self::#call(this))
    }) #expires),
    )
}

/// What the attribute expands to.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    if !options.is_empty() {
        errors.on(
            &options,
            "`#[callbacks]` takes no options: they stand at the functions",
        );
    }
    let mut block = match syn::parse2::<ItemImpl>(item.clone()) {
        Ok(block) if block.trait_.is_none() && block.generics.params.is_empty() => block,
        _ => {
            errors.on(
                item.clone().into_iter().next(),
                "`#[callbacks]` stands at the model's own block: `#[callbacks] impl Post { ... }`",
            );
            let errors = errors.into_tokens();
            return quote!(#errors #item);
        }
    };
    let (mut callbacks, mut validations, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else {
            continue;
        };
        let (ours, others): (Vec<_>, Vec<_>) = std::mem::take(&mut function.attrs)
            .into_iter()
            .partition(is_ours);
        function.attrs = others;
        for attribute in &ours {
            if named(attribute) == TOKEN {
                tokens.extend(token(attribute, function, &mut errors));
                continue;
            }
            entry(
                attribute,
                function,
                &mut callbacks,
                &mut validations,
                &mut errors,
            );
        }
    }
    let (this, errors) = (&block.self_ty, errors.into_tokens());
    let tokens = (!tokens.is_empty()).then(|| quote!(.with_tokens(&[#(#tokens),*])));
    quote! {
        #errors
        #block
        impl #this {
            #[doc(hidden)]
            pub const __CALLBACKS: ::relata::reflection::Callbacks =
                ::relata::reflection::Callbacks::new(&[#(#callbacks),*], &[#(#validations),*]) #tokens;
        }
    }
}

fn named(attribute: &Attribute) -> String {
    let last = attribute.path().segments.last();
    last.map(|segment| plain(&segment.ident))
        .unwrap_or_default()
}

/// Whether an attribute is one of ours, or was meant to be.
fn is_ours(attribute: &Attribute) -> bool {
    let name = named(attribute);
    name == "validate"
        || name == TOKEN
        || EVENTS.iter().any(|(known, ..)| *known == name)
        || ["before_", "after_", "around_"]
            .iter()
            .any(|start| name.starts_with(start))
}

fn entry(
    attribute: &Attribute,
    function: &ImplItemFn,
    callbacks: &mut Vec<TokenStream>,
    validations: &mut Vec<TokenStream>,
    errors: &mut Errors,
) {
    let name = named(attribute);
    let validates = name == "validate";
    let event = EVENTS.iter().find(|(known, ..)| *known == name);
    if event.is_none() && !validates {
        let known: Vec<&str> = EVENTS.iter().map(|(name, ..)| *name).collect();
        let message = format!("there is no callback `{name}`{}", hint(&name, &known));
        return errors.on(attribute.path(), message);
    }
    let later = function.sig.asyncness.is_some();
    if let Some((_, _, false)) = event
        && later
    {
        let message =
            format!("`{name}` runs where nothing can be awaited: its function is not `async`");
        return errors.on(function.sig.asyncness, message);
    }
    let around = name.starts_with("around_");
    if around && !later {
        let message = format!(
            "`{name}` awaits what it surrounds: `async fn {}(&self, inside: Inside) -> Result<()>`",
            function.sig.ident
        );
        return errors.on(&function.sig.ident, message);
    }
    if !takes(function, around) {
        let what = if around {
            "`&self` and `Inside`"
        } else {
            "`&self` and nothing else"
        };
        return errors.on(&function.sig.ident, format!("a `{name}` takes {what}"));
    }
    let (only, place) = options(attribute, &name, validates, errors);
    let (shown, only) = (plain(&function.sig.ident), emit::only(&quote!(Self), &only));
    let run = closure(function, around, later);
    if validates {
        let make = if later {
            quote!(custom_later)
        } else {
            quote!(custom)
        };
        validations.push(quote!(::relata::validation::Validation::#make(#shown, #run) #only));
        return;
    }
    let make = match (around, later) {
        (true, _) => quote!(around),
        (false, true) => quote!(later),
        (false, false) => quote!(new),
    };
    let event = event.map(|(_, event, _)| format_ident!("{event}"));
    callbacks.push(quote!(
        ::relata::callback::Callback::#make(::relata::callback::Event::#event, #shown, #run) #only #place
    ));
}

/// When it runs, and where among the others.
fn options(
    attribute: &Attribute,
    name: &str,
    validates: bool,
    errors: &mut Errors,
) -> (Only, Option<TokenStream>) {
    let mut now = vec!["if", "unless", "on"];
    if !validates {
        now.extend(["prepend", "before", "after"]);
    }
    let known = Known {
        attribute: &format!("#[{name}]"),
        now: &now,
        later: &[],
        instead: &[(
            "message",
            "the function says what is wrong: `self.errors().add(\"title\", \"invalid\", \"is no good\")`",
        )],
    };
    let (mut only, mut place) = (Only::default(), None);
    for option in of_attribute(attribute, &known, errors) {
        let found = match option.name().as_str() {
            "prepend" => errors
                .take(Entry::flag(&option))
                .filter(|on| *on)
                .map(|_| quote!(.below(0))),
            side @ ("before" | "after") => {
                let association = errors.take(option.ident("comments"));
                association.map(|association| beside(side, &association))
            }
            _ => {
                errors.take(narrow(&option, &mut only));
                // Of a transaction it is what was done that counts, and nobody can name more of that.
                let of_transaction = name.ends_with("_commit") || name == "after_rollback";
                let done = ["create", "update", "destroy"];
                let is_done = |context: &&Ident| done.iter().any(|known| *context == known);
                if let Some(context) = only.on.iter().find(|context| !is_done(context))
                    && of_transaction
                {
                    let message = format!(
                        "`{name}` runs on `create`, `update` or `destroy`, and not on `{context}`"
                    );
                    errors.on(context, message);
                }
                None
            }
        };
        if found.is_some() && place.is_some() {
            let message =
                "`prepend`, `before` and `after` each say where it runs: write one of them";
            errors.on(&option.name, message);
        }
        place = place.or(found);
    }
    (only, place)
}

/// The function as a closure over a record.
fn closure(function: &ImplItemFn, around: bool, later: bool) -> TokenStream {
    let call = &function.sig.ident;
    let ran = match &function.sig.output {
        ReturnType::Default if later => quote!({
            call.await;
            ::core::result::Result::Ok(())
        }),
        ReturnType::Default => quote!({
            call;
            ::core::result::Result::Ok(())
        }),
        ReturnType::Type(..) if later => quote!(::relata::__private::ran(call.await)),
        ReturnType::Type(..) => quote!(::relata::__private::ran(call)),
    };
    let this = quote!(let this = ::relata::__private::whole::<Self>(record););
    match (around, later) {
        (true, _) => quote!(&|record, inside| {
            #this
            ::relata::__private::__later(async move { let this = this?; let call = Self::#call(&this, inside); #ran })
        }),
        (false, true) => quote!(&|record| {
            #this
            ::relata::__private::__later(async move { let this = this?; let call = Self::#call(&this); #ran })
        }),
        (false, false) => {
            quote!(&|record| { #this let this = this?; let call = Self::#call(&this); #ran })
        }
    }
}

/// The place of a callback beside an association, which the compiler looks for.
fn beside(side: &str, association: &Ident) -> TokenStream {
    let (side, name) = (format_ident!("{side}"), plain(association));
    let place = quote_spanned!(association.span()=> <Self as ::relata::Model>::SHAPE.#side(#name));
    quote!(.below(#place))
}

/// Whether the function takes the record by reference, and beside it only what an `around` takes.
fn takes(function: &ImplItemFn, around: bool) -> bool {
    let by_reference = match function.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => receiver.to_token_stream().to_string() == "& self",
        _ => false,
    };
    by_reference && function.sig.inputs.len() == 1 + usize::from(around)
}
