//! Joins: the tables at the places of a query, each with what ties it to the table before it.
//!
//! A through is joined hop by hop. What narrows the table that a hop leads to, a scope or a default scope, is part of its
//! condition, so that an outer join keeps the rows that it leaves out.
//!
//! Invariant: a place is named before a condition names it.

use super::expr::Node;
use super::place::Place;
use super::select::{Join, JoinKind, Select};
use super::writer::Writer;
use crate::attribute::value::Value;
use crate::error::Result;
use crate::reflection::{Hop, TypeColumn};

impl Writer {
    /// Names the tables of joins: the target of a through, then those on its way, from the last to the first.
    pub(super) fn name_all(&mut self, joins: &[Join]) -> Result<()> {
        for join in joins {
            self.alias(join.place);
            let (ways, _) = ways(join.place)?;
            ways.into_iter().rev().for_each(|way| self.alias(way));
        }
        Ok(())
    }

    /// The joins that lead to a place from the one above it.
    pub(super) fn join(&mut self, place: Place, kind: JoinKind) -> Result<()> {
        let kind = match kind {
            JoinKind::Inner => " INNER JOIN ",
            JoinKind::Left => " LEFT OUTER JOIN ",
        };
        let Some(mut before) = place.above() else {
            return Ok(());
        };
        if let Some(over) = place.is_back_over() {
            // What narrows the tables on the way back stands among the filters.
            self.push(kind);
            self.table_as(place);
            self.push(" ON ");
            self.keys((before, &over.target_key), (place, &over.owner_key));
            return Ok(());
        }
        let (ways, hops) = ways(place)?;
        for (at, hop) in hops.iter().enumerate() {
            let next = ways.get(at).copied().unwrap_or(place);
            self.push(kind);
            self.table_as(next);
            self.push(" ON ");
            self.hop(hop, next, before)?;
            before = next;
        }
        Ok(())
    }

    /// That a type column says the name of its model.
    fn named(&mut self, place: Place, ty: Option<TypeColumn>) {
        if let Some(TypeColumn {
            column,
            name: Some(name),
        }) = ty
        {
            self.column(place, column);
            self.push(" = ")
                .value(Value::Text(name.into()))
                .push(" AND ");
        }
    }

    /// What ties the table that a hop leads to to the one before it.
    fn hop(&mut self, hop: &Hop, next: Place, before: Place) -> Result<()> {
        let over = hop.over;
        // They come first, as Rails writes it, but for that of which class the rows are.
        for condition in conditions(hop, next, before)? {
            self.grouped(&condition);
            self.push(" AND ");
        }
        self.named(next, over.target_type);
        self.named(before, over.owner_type);
        self.keys((next, &over.target_key), (before, &over.owner_key));
        if let Some(condition) = next.type_condition() {
            self.push(" AND ").node(&condition);
        }
        Ok(())
    }

    /// That a place has a target of which a condition is true, as a query within the query. Its tables are the place's and
    /// those below it; what ties it to the query around stands among its conditions.
    pub(super) fn exists(&mut self, place: Place, condition: &Node) -> Result<()> {
        let Some(above) = place.above() else {
            return Ok(());
        };
        let (ways, hops) = ways(place)?;
        let Some((first, further)) = hops.split_first() else {
            return Ok(());
        };
        let around = self.within(|known| known.is_within(place) || ways.contains(&known));
        let mut below = Select::of(place.model());
        below.root = place;
        below.filters.push(condition.clone());
        let joins = below.all_joins();
        ways.iter().for_each(|&way| self.alias(way));
        self.alias(place);
        self.name_all(&joins)?;
        let start = ways.first().copied().unwrap_or(place);
        self.push("EXISTS (SELECT 1 AS one FROM ");
        self.table_as(start);
        let mut before = start;
        for (at, hop) in further.iter().enumerate() {
            let next = ways.get(at + 1).copied().unwrap_or(place);
            self.push(" INNER JOIN ");
            self.table_as(next);
            self.push(" ON ");
            self.hop(hop, next, before)?;
            before = next;
        }
        for join in &joins {
            self.join(join.place, join.kind)?;
        }
        self.push(" WHERE ");
        self.hop(first, start, above)?;
        if *condition != Node::Always(true) {
            self.push(" AND ");
            self.grouped(condition);
        }
        self.push(")");
        self.around(around);
        Ok(())
    }

    fn keys(&mut self, one: (Place, &[usize]), other: (Place, &[usize])) {
        let pairs = one.1.iter().zip(other.1);
        self.list(pairs, " AND ", |this, (&left, &right)| {
            this.column(one.0, left);
            this.push(" = ");
            this.column(other.0, right);
        });
    }
}

impl Select {
    /// The first place of a table that is joined, on the way of a through too: the one that has the table's own name in the
    /// text, if it is not the root's.
    pub(crate) fn joined_table(&self, table: &str) -> Option<Place> {
        let places = self.joins.iter().flat_map(|join| join.place.path());
        let mut all = places.flat_map(|place| {
            let ways = ways(place).map(|(ways, _)| ways);
            ways.unwrap_or_default().into_iter().chain([place])
        });
        all.find(|place| place.model().table() == table)
    }
}

/// The places on the way to one, and the hops that lead there.
fn ways(place: Place) -> Result<(Vec<Place>, Vec<Hop>)> {
    let (Some((above, resolved)), Some(association)) = (place.resolved()?, place.step()) else {
        return Ok((Vec::new(), Vec::new()));
    };
    // One that differs by the owner of the association itself is refused where its conditions are written.
    if resolved.through.is_some()
        && let Some(end) = resolved.scope_of_owner()
        && !std::ptr::eq(end, resolved)
    {
        return Err(resolved.has_no(end));
    }
    let hops = resolved.hops();
    let on_way = hops.iter().take(hops.len() - 1).enumerate();
    let ways = on_way.map(|(at, hop)| above.way(association, at + 1, hop.over));
    Ok((ways.collect(), hops))
}

/// What narrows the table that a hop leads to. Scopes are functions of the relation room, kept by declarations: they are
/// only called here.
fn conditions(hop: &Hop, place: Place, before: Place) -> Result<Vec<Node>> {
    // What a scope says of the rows between is said of those that lead here.
    let met = |of_scope: Place| of_scope.met(place, hop.over, before);
    let mut all: Vec<Node> = Vec::new();
    let mut narrow = |condition: Node| {
        let several = match condition {
            Node::And(several) => several,
            Node::Always(true) => Vec::new(),
            one => vec![one],
        };
        for one in several {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    };
    let scopes: Vec<_> = hop.ends.iter().filter_map(|end| end.scope()).collect();
    for scope in &scopes {
        narrow(scope.conditions(place, &met)?);
    }
    if scopes.is_empty()
        && let Some(default) = place.model().default_scopes().first()
    {
        narrow(default.default_conditions(place, &met)?);
    }
    Ok(all)
}
