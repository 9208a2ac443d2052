//! The methods of a password whose digest a column holds.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use crate::model::{Column, Model, Password, Reset};

/// Setter, confirmation, question, and the token that resets it.
pub(crate) fn methods(model: &Model) -> TokenStream {
    let all = model.columns.iter().filter_map(|column| {
        let password = column.password.as_ref()?;
        Some(of_column(model, column, password))
    });
    quote!(#(#all)*)
}

fn of_column(model: &Model, column: &Column, password: &Password) -> TokenStream {
    let vis = column.vis.as_ref().unwrap_or(&model.vis);
    let (name, at) = (&password.name, column.ident.span());
    let set = format_ident!("set_{name}", span = at);
    let confirm = format_ident!("set_{name}_confirmation", span = at);
    let authenticate = format_ident!("authenticate_{name}", span = at);
    let challenge = format_ident!("set_{name}_challenge", span = at);
    let token = format_ident!("{name}_reset_token", span = at);
    let purpose = format!("{name}_reset");
    let good = match password.reset {
        Reset::Seconds(seconds) => format!("{seconds} seconds"),
        Reset::Usual | Reset::Off => String::from("15 minutes"),
    };
    let docs = [
        format!(
            "Sets the {name}: its digest is made when the record is saved, on the blocking pool. An empty text changes \
             nothing. Never touches the database. Rails: `{name}=`."
        ),
        format!(
            "What the user typed a second time: saving refuses a {name} that differs. Never touches the database. \
             Rails: `{name}_confirmation=`."
        ),
        format!(
            "What the user gives as the {name} that the record has: saving refuses another. Never touches the \
             database. Rails: `{name}_challenge=`."
        ),
        format!(
            "Whether this is the {name}. Hashes on the blocking pool; never touches the database. \
             Rails: `authenticate_{name}`."
        ),
        format!(
            "A token that resets the {name}: good for {good}, until the {name} changes. \
             `find_by_token_for(\"{purpose}\", token)` finds the record. Never touches the database. \
             Rails: `{name}_reset_token`.\n\n# Errors\n`Configuration` without `Options::token_key`; `NotPersisted`."
        ),
    ];
    let [
        set_doc,
        confirm_doc,
        challenge_doc,
        authenticate_doc,
        token_doc,
    ] = docs;
    let reset = (!matches!(password.reset, Reset::Off)).then(|| {
        quote! {
            #[doc = #token_doc]
            #[inline]
            #vis fn #token(&self) -> ::relata::Result<::std::string::String> {
                self.0.generate_token_for(#purpose)
            }
        }
    });
    let methods = quote! {
        #[doc = #set_doc]
        #[inline]
        #vis fn #set(&self, text: impl ::core::convert::AsRef<::core::primitive::str>) -> &Self {
            ::relata::__private::set_password(&self.0, #name, ::core::convert::AsRef::as_ref(&text));
            self
        }
        #[doc = #confirm_doc]
        #[inline]
        #vis fn #confirm(&self, text: impl ::core::convert::AsRef<::core::primitive::str>) -> &Self {
            let text = ::std::borrow::ToOwned::to_owned(::core::convert::AsRef::<::core::primitive::str>::as_ref(&text));
            self.0.set_confirmation(#name, text);
            self
        }
        #[doc = #challenge_doc]
        #[inline]
        #vis fn #challenge(&self, text: impl ::core::convert::AsRef<::core::primitive::str>) -> &Self {
            ::relata::__private::set_challenge(&self.0, #name, ::core::convert::AsRef::as_ref(&text));
            self
        }
        #[doc = #authenticate_doc]
        #[track_caller]
        #[inline]
        #vis fn #authenticate(&self, text: &::core::primitive::str) -> ::relata::Pending<::core::primitive::bool> {
            self.0.authenticate_with(#name, text)
        }
        #reset
    };
    quote_spanned!(at=> ::relata::__with_passwords! { #methods })
}

/// `.has_secure_password(...)` of a column.
pub(crate) fn declared(column: &Column) -> Option<TokenStream> {
    let Password {
        name,
        bcrypt,
        validations,
        reset,
    } = column.password.as_ref()?;
    let hash = bcrypt.map(|cost| quote!(.hash(::relata::reflection::PasswordHash::Bcrypt(#cost))));
    let validations = (!validations).then(|| quote!(.without_validations()));
    let reset = match reset {
        Reset::Usual => None,
        Reset::Off => Some(quote!(.without_reset_token())),
        Reset::Seconds(seconds) => Some(quote!(
            .reset_token_expires_in(::core::time::Duration::from_secs(#seconds))
        )),
    };
    Some(quote!(
        .has_secure_password(::relata::reflection::SecurePassword::new(#name) #hash #validations #reset)
    ))
}
