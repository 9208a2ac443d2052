//! Cuts a query for several owners so that each has its first rows.
//!
//! Invariant: a query is cut so, or it is refused; a limit for each owner never becomes one of all.

use super::first_place;
use crate::error::{Error, ErrorKind, Result};
use crate::reflection::Resolved;
use crate::relation::Core;
use crate::sql::expr::Node;
use crate::sql::{Each, What};

/// Cuts the query for an association's targets, where its limit is that of each owner. One without a limit stays as it is.
#[inline(never)]
pub(crate) fn cut_each(core: &mut Core, resolved: &'static Resolved) -> Result<()> {
    if !core.select.is_cut_per_owner() {
        return Ok(());
    }
    let why = if core.select.raw.is_some() {
        Some("its scope is a statement of your own")
    } else if !core.joined_includes()?.is_empty() {
        Some("its scope loads other associations by a join")
    } else {
        None
    };
    if let Some(why) = why {
        let name = core.select.model().name();
        let message = format!(
            "{name} cannot be loaded with a limit for each owner, for {why}: leave out `per_owner`, or what cannot be \
             numbered"
        );
        return Err(Error::new(ErrorKind::Unsupported, message).with_model(name));
    }
    let (place, key) = first_place(resolved);
    let of = key.iter().map(|&column| Node::Column(place, column));
    let of = of.collect();
    let select = &mut core.select;
    select.order_wholly();
    let what = std::mem::replace(&mut select.what, What::Records);
    select.what = What::Each(Box::new(Each {
        what,
        of,
        limit: select.limit.take(),
        offset: select.offset.take(),
    }));
    Ok(())
}
