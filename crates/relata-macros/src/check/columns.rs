//! What a column's type must not be, as far as its tokens tell.

use quote::ToTokens;

use crate::errors::Errors;
use crate::model::{Model, owned_path};

/// A null cannot say which of two `Option`s is empty.
pub(crate) fn check(model: &Model, errors: &mut Errors) {
    let inner = |ty| match owned_path(ty) {
        Some((name, _, inner)) if name == "Option" => inner,
        _ => None,
    };
    for column in &model.columns {
        if let Some(held) = inner(&column.ty)
            && inner(held).is_some()
        {
            let message = format!(
                "a column is null or has a value, and an `Option` within an `Option` is neither: write `{}`",
                held.to_token_stream().to_string().replace(' ', "")
            );
            errors.on(&column.ty, message);
        }
    }
}
