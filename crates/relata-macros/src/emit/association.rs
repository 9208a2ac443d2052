//! The methods of an association: its reader, and what Rails gives each macro beside it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Visibility;

use super::{docs, types};
use crate::model::{Association, Macro, Model, delegate_of, doc_of, ids_of, plain};

/// The methods of an association.
pub(crate) fn methods(
    model: &Model,
    association: &Association,
    index: &TokenStream,
) -> TokenStream {
    let vis = association.vis.as_ref().unwrap_or(&model.vis);
    let attrs = &association.attrs;
    let doc = docs::association(association, &model.name(), !doc_of(attrs).is_empty());
    let reader = &association.ident;
    let target = types::at(association.span, &association.target);
    let span = association.span;
    let proxy = match association.kind {
        kind if kind.is_collection() => quote_spanned!(span=> ::relata::Collection),
        _ => quote_spanned!(span=> ::relata::Singular),
    };
    if association.polymorphic {
        return polymorphic(model, association, index);
    }
    let (gone, at) = (
        deprecated(model, association),
        position(association, index, &association.name),
    );
    let given = given(association, &target);
    let record = types::at(span, quote!(&self.0));
    let others = match association.kind {
        kind if kind.is_collection() => ids(vis, association, &target, &gone, index),
        _ => {
            let sets = (!model.is_nested(association))
                .then(|| setting(vis, association, &target, &gone, index));
            let others = singular(vis, association, &target, &given, &gone, index);
            quote!(#sets #others)
        }
    };
    let reader = quote! {
        #(#attrs)*
        #gone
        #doc
        #[track_caller]
        #[inline]
        #vis fn #reader(&self)
    };
    let rest = quote_spanned! {span=>
        -> #proxy<'_, #given> { #proxy::new(#record, #at) }
    };
    let writer = association.nested.as_ref().map(|_| {
        let method = format!("{}_attributes", association.name);
        let index = position(association, index, &method);
        writer(vis, &association.ident, &gone, &index)
    });
    quote!(#reader #rest #others #writer)
}

/// The methods of associations that a subclass inherits, and takes values for the members of.
pub(crate) fn inherited(model: &Model) -> TokenStream {
    let (vis, ident) = (&model.vis, &model.ident);
    let all = model.inherited_nested.iter().enumerate();
    all.map(|(at, (name, _))| writer(vis, name, &None, &quote!(#ident::__ACCEPTED[#at])))
        .collect()
}

/// `comments_attributes`: values for the members.
fn writer(
    vis: &Visibility,
    association: &Ident,
    gone: &Option<TokenStream>,
    index: &TokenStream,
) -> TokenStream {
    let name = plain(association);
    let method = format_ident!("{name}_attributes", span = association.span());
    let doc = docs::attributes(&name);
    quote! {
        #gone
        #doc
        #[track_caller]
        #[inline]
        #vis fn #method(
            &self,
            given: impl ::core::convert::Into<::relata::Param>,
            permit: impl ::core::borrow::Borrow<::relata::Permit>,
        ) -> ::relata::Pending<()> {
            ::relata::__private::__assign_attributes(&self.0, #index, given, permit)
        }
    }
}

/// What awaiting a singular association gives: the target, or an `Option` of it.
fn given(association: &Association, target: &TokenStream) -> TokenStream {
    if association.optional && !association.kind.is_collection() {
        let span = association.span;
        quote_spanned!(span=> ::core::option::Option<#target>)
    } else {
        target.clone()
    }
}

fn ids(
    vis: &Visibility,
    association: &Association,
    target: &TokenStream,
    gone: &Option<TokenStream>,
    index: &TokenStream,
) -> TokenStream {
    let name = ids_of(&association.name);
    let method = Ident::new(&name, association.ident.span());
    let doc = docs::ids(&association.name, &name);
    let span = association.span;
    let record = types::at(span, quote!(&self.0));
    let index = position(association, index, &name);
    let rest = quote_spanned! {span=>
        -> ::relata::Pending<::std::vec::Vec<<#target as ::relata::Model>::Key>> {
            <#target as ::relata::Model>::__ids(#record, #index)
        }
    };
    quote! {
        #gone
        #doc
        #[track_caller]
        #[inline]
        #vis fn #method(&self) #rest
    }
}

/// What makes a record the target.
fn setting(
    vis: &Visibility,
    association: &Association,
    target: &TokenStream,
    gone: &Option<TokenStream>,
    index: &TokenStream,
) -> TokenStream {
    let (name, at, span) = (
        &association.name,
        association.ident.span(),
        association.span,
    );
    let [set, build, create] =
        ["set", "build", "create"].map(|verb| format_ident!("{verb}_{name}", span = at));
    let value = Ident::new("target", span);
    let (generics, taken, some) = if association.optional {
        (
            quote!(<'target>),
            quote_spanned!(span=> impl ::core::convert::Into<::core::option::Option<&'target #target>>),
            quote_spanned!(span=> ::core::convert::Into::into(#value)),
        )
    } else {
        (
            TokenStream::new(),
            quote_spanned!(span=> &#target),
            quote_spanned!(span=> ::core::option::Option::Some(#value)),
        )
    };
    let record = types::at(span, quote!(&self.0));
    let filled = quote_spanned!(span=> impl ::core::ops::FnOnce(&#target) -> &#target);
    let (set_doc, build_doc, create_doc) = (
        docs::set_association(association),
        docs::build(name),
        docs::create(name),
    );
    let call = |method: &str, index: TokenStream, argument: &dyn ToTokens| {
        let method = Ident::new(method, span);
        quote_spanned!(span=> <#target as ::relata::Model>::#method(#record, #index, #argument))
    };
    let told = |method: &Ident| position_told(association, index, &method.to_string());
    let (setting, building, creating) = (
        call("__set", told(&set), &some),
        call("__build", told(&build), &value),
        call(
            "__create",
            position(association, index, &create.to_string()),
            &value,
        ),
    );
    let pending = quote_spanned!(span=> ::relata::Pending<#target>);
    // The place of the call is what is told.
    let caller = gone.is_some().then(|| quote!(#[track_caller]));
    quote! {
        #gone
        #set_doc
        #caller
        #[inline]
        #vis fn #set #generics(&self, #value: #taken) -> &Self { #setting; self }
        #gone
        #build_doc
        #caller
        #[inline]
        #vis fn #build(&self, #value: #filled) -> #target { #building }
        #gone
        #create_doc
        #[track_caller]
        #[inline]
        #vis fn #create(&self, #value: #filled) -> #pending { #creating }
    }
}

/// What reads the target again or forgets it, and says whether it is another.
fn singular(
    vis: &Visibility,
    association: &Association,
    target: &TokenStream,
    given: &TokenStream,
    gone: &Option<TokenStream>,
    index: &TokenStream,
) -> TokenStream {
    let (name, at, span) = (
        &association.name,
        association.ident.span(),
        association.span,
    );
    let [reload, reset] = ["reload", "reset"].map(|verb| format_ident!("{verb}_{name}", span = at));
    let record = types::at(span, quote!(&self.0));
    let reload_body = if association.optional {
        Ident::new("__reload_optional", span)
    } else {
        Ident::new("__reload", span)
    };
    let (reload_doc, reset_doc) = (docs::reload(name), docs::reset(name));
    let reloaded = quote_spanned!(span=> ::relata::Pending<#given>);
    let reload_at = position(association, index, &reload.to_string());
    let reset_at = position_told(association, index, &reset.to_string());
    let reloading =
        quote_spanned!(span=> <#target as ::relata::Model>::#reload_body(#record, #reload_at));
    // The place of the call is what is told.
    let caller = gone.is_some().then(|| quote!(#[track_caller]));
    let changes = if association.kind == Macro::BelongsTo {
        changes(vis, association, gone, index)
    } else {
        TokenStream::new()
    };
    quote! {
        #gone
        #reload_doc
        #[track_caller]
        #[inline]
        #vis fn #reload(&self) -> #reloaded { #reloading }
        #gone
        #reset_doc
        #caller
        #[inline]
        #vis fn #reset(&self) { ::relata::__private::reset(&self.0, #reset_at); }
        #changes
    }
}

/// The methods of a polymorphic `belongs_to`: nothing says which model a new target would be of.
fn polymorphic(model: &Model, association: &Association, index: &TokenStream) -> TokenStream {
    let vis = association.vis.as_ref().unwrap_or(&model.vis);
    let (name, span) = (&association.name, association.span);
    let (attrs, reader) = (&association.attrs, &association.ident);
    let target = types::at(span, &association.target);
    let given = given(association, &target);
    let [set, reload, reset] =
        ["set", "reload", "reset"].map(|verb| format_ident!("{verb}_{name}", span = reader.span()));
    let (generics, taken, record) = if association.optional {
        (
            quote!(<'target>),
            quote_spanned!(span=> impl ::relata::Towards<'target, #target>),
            quote!(::relata::Towards::towards(target)),
        )
    } else {
        (
            TokenStream::new(),
            quote_spanned!(span=> &impl ::relata::Among<#target>),
            quote!(::core::option::Option::Some(::relata::Among::as_target(
                target
            ))),
        )
    };
    let doc = docs::association(association, &model.name(), !doc_of(attrs).is_empty());
    let (set_doc, reload_doc, reset_doc) = (
        docs::set_association(association),
        docs::reload(name),
        docs::reset(name),
    );
    let gone = deprecated(model, association);
    let caller = gone.is_some().then(|| quote!(#[track_caller]));
    let changes = changes(vis, association, &gone, index);
    let at = position(association, index, name);
    let reload_at = position(association, index, &reload.to_string());
    let set_at = position_told(association, index, &set.to_string());
    let reset_at = position_told(association, index, &reset.to_string());
    let delegates = association
        .delegates
        .iter()
        .map(|ty| delegate(model, vis, association, ty, index));
    quote! {
        #(#attrs)*
        #gone
        #doc
        #[track_caller]
        #[inline]
        #vis fn #reader(&self) -> ::relata::Singular<'_, #given> { ::relata::Singular::new(&self.0, #at) }
        #gone
        #set_doc
        #caller
        #[inline]
        #vis fn #set #generics(&self, target: #taken) -> &Self {
            ::relata::__private::lead(&self.0, #set_at, #record);
            self
        }
        #gone
        #reload_doc
        #[track_caller]
        #[inline]
        #vis fn #reload(&self) -> ::relata::Pending<#given> {
            ::relata::Singular::<#given>::new(&self.0, #reload_at).reload()
        }
        #gone
        #reset_doc
        #caller
        #[inline]
        #vis fn #reset(&self) { ::relata::__private::reset(&self.0, #reset_at); }
        #changes
        #(#delegates)*
    }
}

/// What a delegated type has for one of its types.
fn delegate(
    model: &Model,
    vis: &Visibility,
    association: &Association,
    ty: &Ident,
    index: &TokenStream,
) -> TokenStream {
    let (one, span) = (delegate_of(ty), ty.span());
    let [is, accessor, key, scope] = [
        format!("is_{one}"),
        one.clone(),
        format!("{one}_id"),
        relata_inflect::pluralize(&one),
    ]
    .map(|name| Ident::new(&name, span));
    let target = quote_spanned!(span=> <#ty as ::relata::Model>);
    let key_ty = association
        .key_names()
        .first()
        .and_then(|name| model.position(name))
        .map(|at| model.columns[at].ty.clone());
    let (is_doc, accessor_doc, scope_doc) = (
        docs::is_delegate(association, &one),
        docs::delegate(association, &one),
        docs::delegates(&model.name(), association, &one),
    );
    let gone = deprecated(model, association);
    let at = position(association, index, &accessor.to_string());
    let key_reader = key_ty.map(|_| {
        let doc = docs::delegate_key(&one);
        quote! {
            #gone
            #doc
            #[must_use]
            #[inline]
            #vis fn #key(&self) -> ::core::option::Option<#target::Key> {
                ::relata::__private::delegate_key::<#ty>(&self.0, #index)
            }
        }
    });
    quote! {
        #gone
        #is_doc
        #[must_use]
        #[inline]
        #vis fn #is(&self) -> ::core::primitive::bool { ::relata::__private::is_delegate::<#ty>(&self.0, #index) }
        #gone
        #accessor_doc
        #[track_caller]
        #[inline]
        #vis fn #accessor(&self) -> ::relata::Pending<::core::option::Option<#ty>> {
            ::relata::__private::delegate::<#ty>(&self.0, #at)
        }
        #key_reader
        #gone
        #scope_doc
        #[inline]
        #vis fn #scope(db: &::relata::Db) -> ::relata::Relation<Self> {
            ::relata::__private::delegates::<Self, #ty>(db, #index)
        }
    }
}

fn changes(
    vis: &Visibility,
    association: &Association,
    gone: &Option<TokenStream>,
    index: &TokenStream,
) -> TokenStream {
    let (name, at) = (&association.name, association.ident.span());
    let changed = format_ident!("{name}_changed", span = at);
    let was_changed = format_ident!("{name}_previously_changed", span = at);
    let (changed_doc, was_changed_doc) = (
        docs::association_changed(name),
        docs::association_was_changed(name),
    );
    let caller = gone.is_some().then(|| quote!(#[track_caller]));
    let at = position_told(association, index, &changed.to_string());
    let was_at = position_told(association, index, &was_changed.to_string());
    quote! {
        #gone
        #changed_doc
        #caller
        #[inline]
        #vis fn #changed(&self) -> ::core::primitive::bool { ::relata::__private::association_changed(&self.0, #at) }
        #gone
        #was_changed_doc
        #caller
        #[inline]
        #vis fn #was_changed(&self) -> ::core::primitive::bool {
            ::relata::__private::association_previously_changed(&self.0, #was_at)
        }
    }
}

/// What the compiler tells who uses a deprecated association; one that is marked so itself says it itself.
pub(super) fn deprecated(model: &Model, association: &Association) -> Option<TokenStream> {
    let own = association
        .attrs
        .iter()
        .any(|one| one.path().is_ident("deprecated"));
    if !association.deprecated || own {
        return None;
    }
    let note = format!(
        "the association {}#{} is deprecated",
        model.name(),
        association.name
    );
    Some(quote!(#[deprecated(note = #note)]))
}

/// The position, told of the call of a method where the association is deprecated.
fn position(association: &Association, index: &TokenStream, method: &str) -> TokenStream {
    match association.deprecated {
        true => quote!(::relata::__private::deprecated(&self.0, #index, #method)),
        false => index.clone(),
    }
}

/// The same, for a method that gives no error.
fn position_told(association: &Association, index: &TokenStream, method: &str) -> TokenStream {
    match association.deprecated {
        true => quote!(::relata::__private::deprecated_anyway(&self.0, #index, #method)),
        false => index.clone(),
    }
}
