//! From an association and its owners to the query for their targets. The only place that does so.
//!
//! Invariant: a query for owners names all columns of the key, and the declared scope is part of it.

use super::Association;
use crate::attribute::value::Value;
use crate::db::Db;
use crate::record::Record;
use crate::reflection::{Hop, Resolved, TypeColumn};
use crate::relation::{Relation, scoping};
use crate::sql::expr::{Comparison, Node, Refusal};
use crate::sql::{Apart, Asks, Direction, Expr, JoinKind, Order, Place, Select, What};

/// Values of an association's key, comparable and hashable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    One(Part),
    Several(Box<[Part]>),
}

/// One value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Integer(i64),
    Wide(u128),
    Text(Box<str>),
    Bytes(Box<[u8]>),
}

impl Key {
    /// The key that a record holds in these columns; none if one of them is null.
    pub(crate) fn of(record: &Record, columns: &[usize]) -> Option<Self> {
        if let [column] = columns {
            return Part::of(&record.value(*column)).map(Self::One);
        }
        columns
            .iter()
            .map(|&column| Part::of(&record.value(column)))
            .collect::<Option<_>>()
            .map(Self::Several)
    }
}

impl Key {
    /// The key that these values are; none if one of them is null.
    pub(crate) fn of_values<'a>(
        values: impl IntoIterator<Item = &'a Value<'static>>,
    ) -> Option<Self> {
        let mut parts: Vec<Part> = values.into_iter().map(Part::of).collect::<Option<_>>()?;
        Some(match parts.len() {
            1 => Self::One(parts.swap_remove(0)),
            _ => Self::Several(parts.into()),
        })
    }
}

impl Part {
    fn of(value: &Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Int(integer) => Self::Integer(*integer),
            Value::Text(text) | Value::Decimal(text) | Value::Json(text) => {
                Self::Text(text.as_ref().into())
            }
            Value::Uuid(uuid) => Self::Wide(*uuid),
            Value::Bytes(bytes) => Self::Bytes(bytes.as_ref().into()),
            Value::Uint(number) => Self::Wide(u128::from(*number)),
            Value::Float(number) => Self::Wide(u128::from(number.to_bits())),
            Value::Timestamp(number) | Value::DateTime(number) | Value::Time(number) => {
                Self::Integer(*number)
            }
            Value::Date(days) => Self::Integer(i64::from(*days)),
            Value::Bool(value) => Self::Integer(i64::from(*value)),
        })
    }
}

/// The targets of an association, before anything is said of keys. A scope that differs by the owner is that of this one.
pub(crate) fn targets(resolved: &'static Resolved, db: &Db, owner: Option<&Record>) -> Relation {
    let all = match &resolved.through {
        None if scoping::lifts_default_scope(resolved.target, db) => {
            Relation::unscoped(resolved.target, db)
        }
        None => Relation::default_scoped(resolved.target, db),
        // Of a scope on the way, what narrows and orders is kept, and not what cuts.
        Some(through) => targets(through.source(), db, None).map(|core| {
            core.select.distinct = false;
            core.select.per_owner = false;
            if core.select.ordered_by_default {
                core.select.reorder(Vec::new());
            }
            (core.select.limit, core.select.offset) = (None, None);
        }),
    };
    let declaration = resolved.declaration();
    let all = match declaration.scope() {
        Some(scope) => scope.apply(all, owner),
        None => all,
    };
    match declaration.default_order {
        Some(order) => order.apply(all, owner),
        None => all,
    }
}

/// The query for the targets of the owners that hold these keys, the values of one key after those of another, and whose
/// scope is the given owner's.
pub(crate) fn targets_of(
    resolved: &'static Resolved,
    db: &Db,
    owner: Option<&Record>,
    keys: Vec<Value<'static>>,
) -> Relation {
    let mut all = targets(resolved, db, owner);
    if all.select().is_cut_per_owner() {
        all = all.map(|core| core.select.order_wholly());
    }
    let all = match resolved.scope_of_another() {
        Some(end) => all.map(|core| {
            let refusal = Refusal(resolved.has_no(end));
            core.select.filters.push(Node::Refused(refusal));
        }),
        None => all,
    };
    let (all, place, first) = match resolved.through {
        None => (all, Place::root(resolved.target), resolved),
        Some(_) if resolved.declaration().disable_joins => {
            return hop_by_hop(all, resolved, owner, keys);
        }
        Some(_) => way_back(all, resolved, owner),
    };
    let condition = match &*first.target_key {
        &[one] => Node::Column(place, one).among(keys),
        several => {
            let keys = keys.chunks(several.len()).map(<[_]>::to_vec);
            Node::key_among(place, several, keys.collect())
        }
    };
    let of_type = typed(first, place);
    // The key's condition comes first, as Rails writes it, but for that of which class the rows are.
    all.map(|core| {
        let filters = &mut core.select.filters;
        let at = usize::from(resolved.target.is_subclass()).min(filters.len());
        filters.splice(at..at, [condition].into_iter().chain(of_type));
    })
}

/// That targets say they are of the owner's model: of an association with `as`.
pub(crate) fn typed(resolved: &Resolved, place: Place) -> Option<Node> {
    named(resolved.target_type?, place)
}

fn named(ty: TypeColumn, place: Place) -> Option<Node> {
    let name = ty.name.map_or(Value::Null, |name| Value::Text(name.into()));
    Some(Node::Column(place, ty.column).compare(Comparison::Equal, name))
}

/// The place of a through's first table, where the owner's key is, in the query for its targets.
pub(crate) fn first_place(resolved: &'static Resolved) -> (Place, &'static [usize]) {
    let hops = resolved.hops();
    // The rows between are of the model that the hop before leads to, a subclass of the one that declares the next too.
    let back = hops.iter().zip(hops.iter().skip(1)).rev();
    let place = back.fold(Place::root(resolved.target), |place, (before, hop)| {
        place.back(hop.over, before.over.target)
    });
    let first = hops.first().map_or(resolved, |hop| hop.over);
    (place, &first.target_key)
}

/// Joins the tables on the way of a through to its targets, back to the first: `FROM clubs INNER JOIN memberships`. What
/// narrows and orders them is part of the query.
fn way_back(
    all: Relation,
    resolved: &'static Resolved,
    owner: Option<&Record>,
) -> (Relation, Place, &'static Resolved) {
    let hops = resolved.hops();
    let (last, _) = first_place(resolved);
    let db = all.db().clone();
    let all = all.map(|core| {
        core.select.join(last, JoinKind::Inner);
        let path = last.path();
        // What the scope says of the rows between is said of those that lead to the target.
        let root = core.select.root;
        if let (Some(hop), Some(&way)) = (hops.last(), path.first()) {
            let met = |place: Place| Ok(place.met(root, hop.over, way));
            for filter in &mut core.select.filters {
                *filter = filter.with_places(&met).unwrap_or_else(|_| filter.clone());
            }
        }
        // What says of which model a row is, or is led to, is a condition as a key is.
        let mut target = core.select.root;
        for (hop, &place) in hops.iter().rev().zip(&path) {
            core.select.filters.extend(typed(hop.over, target));
            let named = hop.over.owner_type.and_then(|ty| named(ty, place));
            core.select.filters.extend(named);
            target = place;
        }
        // The table that a hop leads to is the one that the hop after it starts from.
        for (hop, &place) in hops.iter().rev().skip(1).zip(&path) {
            // Those that differ by an owner are this one's own: others were refused.
            let middle = Relation::default_scoped(place.model(), &db);
            let middle = hop
                .ends
                .iter()
                .fold(middle, |middle, end| match end.scope() {
                    Some(scope) => scope.apply(middle, owner),
                    None => middle,
                });
            let select = middle.select();
            for join in &select.joins {
                match join.place.moved(place) {
                    Ok(at) => core.select.join(at, join.kind),
                    Err(error) => core.select.filters.push(Node::Refused(Refusal(error))),
                }
            }
            let joined_sql = select.joined_sql.iter().cloned();
            core.select.joined_sql.extend(joined_sql);
            for filter in &select.filters {
                let moved = filter.moved(place);
                let refused = |error| Node::Refused(Refusal(error));
                core.select.filters.push(moved.unwrap_or_else(refused));
            }
            let own = select.orders.iter().filter(|_| !select.ordered_by_default);
            core.select.order(own.filter_map(|order| {
                let by = order.by.moved(place).ok()?;
                let direction = order.direction;
                Some(Order { by, direction })
            }));
        }
    });
    let first = hops.first().map_or(resolved, |hop| hop.over);
    (all, last, first)
}

/// The rows that a hop leads to, from keys that the table before it holds; with what its scopes narrow and order, beside
/// the key.
fn hop_rows(hop: &Hop, next: Option<&Hop>, db: &Db, owner: Option<&Record>) -> Relation {
    let place = Place::root(hop.over.target);
    let all = Relation::of(hop.over.target, db);
    // Those that differ by an owner are the association's own: others were refused.
    let scopes = hop.ends.iter().filter_map(|end| end.scope());
    let all = scopes.fold(all, |all, scope| scope.apply(all, owner));
    let of_next = next.and_then(|next| named(next.over.owner_type?, place));
    all.map(|core| {
        core.select.filters.extend(typed(hop.over, place));
        core.select.filters.extend(of_next);
        // Of a scope on the way, what narrows and orders is kept, and not what cuts.
        core.select.distinct = false;
        (core.select.limit, core.select.offset) = (None, None);
    })
}

/// The targets of a through whose tables are not joined: each hop is asked for by itself, from the keys that the one before
/// it found. Where nothing else orders them they stand in the order of what is on the way. Rails: `disable_joins`.
fn hop_by_hop(
    all: Relation,
    resolved: &'static Resolved,
    owner: Option<&Record>,
    keys: Vec<Value<'static>>,
) -> Relation {
    let hops = resolved.hops();
    let db = all.db().clone();
    let mut before: Option<(Select, bool)> = None;
    let mut left = hops.iter().peekable();
    while let Some(hop) = left.next() {
        let next = left.peek().copied();
        let rows = match next {
            Some(_) => hop_rows(hop, next, &db, owner),
            None => all.clone().map(|core| {
                let place = core.select.root;
                core.select.filters.extend(typed(hop.over, place));
            }),
        };
        let place = rows.select().root;
        let is_last = next.is_none();
        let mut core = rows.into_core();
        let select = &mut core.select;
        let key = hop.over.target_key.to_vec();
        let mut is_ordered = !select.orders.is_empty();
        let condition = match before.take() {
            None => {
                let keys = keys.chunks(key.len().max(1)).map(<[_]>::to_vec);
                Node::key_among(place, &key, keys.collect())
            }
            Some((from, was_ordered)) => {
                select.asks = select.asks.max(Asks::Apart);
                let apart = Node::Apart(Box::new(Apart { place, key, from }));
                if was_ordered && !is_ordered {
                    is_ordered = true;
                    select.orders.push(Order {
                        by: apart.clone(),
                        direction: Direction::Ascending,
                    });
                }
                apart
            }
        };
        let at = usize::from(place.model().is_subclass()).min(select.filters.len());
        select.filters.insert(at, condition);
        if is_last {
            return Relation::from_core(core);
        }
        if let Some(next) = next {
            let column = |&column: &usize| Node::Column(place, column);
            select.what = What::Values(next.over.owner_key.iter().map(column).collect());
        }
        before = Some((core.select, is_ordered));
    }
    all
}

/// Whether the query for one owner is cut to one row. Rails asks for one; a `belongs_to` over a primary key can have no
/// other.
pub(crate) fn asks_for_one(resolved: &Resolved) -> bool {
    let one = resolved.declaration();
    let refers_to_row =
        one.is_belongs_to() && *resolved.target_key == *resolved.target.primary_key();
    !one.is_collection() && !refers_to_row
}

impl Resolved {
    /// Whether an owner's type column says that it leads to this target, where there is one.
    pub(crate) fn is_led_from(&self, owner: &Record) -> bool {
        let says = |ty: TypeColumn| owner.value(ty.column).as_str() == ty.name;
        self.owner_type.is_none_or(says)
    }
}

impl Association {
    /// The values of the owner's key.
    pub(crate) fn owner_key(&self) -> Vec<Value<'static>> {
        self.resolved
            .owner_key
            .iter()
            .map(|&column| self.owner.value(column).into_owned())
            .collect()
    }

    /// The values of the columns that decide where it leads.
    pub(crate) fn owner_values(&self) -> Vec<Value<'static>> {
        let columns = self.resolved.owner_columns.iter();
        columns
            .map(|&column| self.owner.value(column).into_owned())
            .collect()
    }

    /// Whether the owner's key has all its values, so that a query can find something.
    pub(crate) fn has_key(&self) -> bool {
        let null = |&column: &usize| self.owner.value(column).is_null();
        !self.resolved.owner_key.iter().any(null) && !matches!(self.klass(), Ok(None))
    }

    /// The query for this owner's targets, as a relation to be narrowed. On an owner without a key it is empty and
    /// runs no statement. Never touches the database. Rails: `scope`.
    pub fn relation(&self) -> Relation {
        let db = self.owner.db();
        let relation = if self.has_key() && !self.resolved.is_nowhere() {
            targets_of(self.resolved, db, Some(&self.owner), self.owner_key())
        } else {
            targets(self.resolved, db, Some(&self.owner)).map(|core| {
                core.select.filter(Expr(Node::Always(false)));
                core.select.asks = Asks::Nothing;
            })
        };
        let origin = (self.owner.clone(), self.position);
        relation.map(|core| core.origin = Some(origin))
    }

    /// The SQL that loading it would run, with the values in the text. Never touches the database.
    #[must_use]
    pub fn to_sql(&self) -> String {
        let relation = self.relation();
        if self.reflection().is_collection() {
            relation.to_sql()
        } else {
            relation.limit(1).to_sql()
        }
    }
}
