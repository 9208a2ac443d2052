//! Which targets belong to which owners: the owners' keys are numbered, and the targets sorted by these numbers.
//!
//! A key costs one number, whatever it is: no list a key, and for keys that are close together no hashing either.
//!
//! Invariant: owners with equal keys have one number; the targets of a number stand in the order they were found in.

use std::collections::HashMap;

use crate::association::Key;
use crate::attribute::AttributeType;
use crate::attribute::value::Value;
use crate::hashing::Hashing;
use crate::record::Record;
use crate::reflection::Resolved;

/// The number of an owner without a key, and of a target that nobody asked for.
const NONE: u32 = u32::MAX;

/// The keys of some owners, numbered in the order in which they first appear.
pub(super) struct OwnerKeys {
    /// By owner.
    numbers: Vec<u32>,
    /// The values of each key, one after the other.
    values: Vec<Value<'static>>,
    index: Index,
    count: u32,
}

/// From a key to its number.
enum Index {
    /// Of integers close together: by their distance from the least.
    Near {
        least: i64,
        numbers: Vec<u32>,
    },
    Any(HashMap<Key, u32, Hashing>),
}

/// The types of the key by which owners hold their targets, which a query for targets reads beside them.
pub(super) fn types(
    owner: &Record,
    resolved: &Resolved,
) -> impl Iterator<Item = Option<AttributeType>> {
    let columns = owner.reflection().columns();
    let key = resolved.owner_key.iter();
    key.map(|&column| columns.get(column).map(|column| *column.attribute_type()))
}

impl OwnerKeys {
    /// The keys that owners hold in these columns.
    pub(super) fn of(owners: &[Record], columns: &[usize]) -> Self {
        let mut keys = Self {
            numbers: Vec::new(),
            values: Vec::new(),
            index: Index::Any(HashMap::default()),
            count: 0,
        };
        match columns {
            [column] if keys.number_near(owners, *column) => {}
            _ => keys.number_any(owners, columns),
        }
        keys
    }

    /// Numbers keys that are integers close together. False when they are not. (All owners are of one model: what is no
    /// integer in a column that has some is null.)
    fn number_near(&mut self, owners: &[Record], column: usize) -> bool {
        let integers = Record::integers(owners, column);
        let ends = |(least, greatest): (i64, i64), &key: &i64| (least.min(key), greatest.max(key));
        let Some(first) = integers.iter().flatten().next() else {
            return false;
        };
        let (least, greatest) = integers.iter().flatten().fold((*first, *first), ends);
        // A table that would be mostly empty costs more than hashing.
        let span = distance(least, greatest);
        if span > owners.len().saturating_mul(4).saturating_add(64) {
            return false;
        }
        let mut numbers = vec![NONE; span + 1];
        self.values.reserve(numbers.len().min(owners.len()));
        let number_of = |integer: &Option<i64>| {
            let slot = integer.and_then(|key| numbers.get_mut(distance(least, key)));
            match slot {
                Some(slot) if *slot == NONE => {
                    *slot = self.count;
                    self.count += 1;
                    self.values.extend(integer.map(Value::Int));
                    *slot
                }
                Some(slot) => *slot,
                None => NONE,
            }
        };
        self.numbers = integers.iter().map(number_of).collect();
        self.index = Index::Near { least, numbers };
        true
    }

    fn number_any(&mut self, owners: &[Record], columns: &[usize]) {
        let mut numbers = HashMap::<Key, u32, Hashing>::default();
        self.numbers.reserve(owners.len());
        for owner in owners {
            let number = match Key::of(owner, columns) {
                Some(key) => *numbers.entry(key).or_insert_with(|| {
                    let values = columns.iter().map(|&column| owner.value(column));
                    self.values.extend(values.map(Value::into_owned));
                    self.count += 1;
                    self.count - 1
                }),
                None => NONE,
            };
            self.numbers.push(number);
        }
        self.index = Index::Any(numbers);
    }

    /// The values of all keys, each once, taken out: what the query is bound to.
    pub(super) fn take_values(&mut self) -> Vec<Value<'static>> {
        std::mem::take(&mut self.values)
    }

    /// Sorts targets, which hold the keys in these columns.
    pub(super) fn sort(self, targets: &[Record], columns: &[usize]) -> Sorted {
        let numbers = self.numbers_of(targets, columns);
        let rows = (0..).zip(&numbers).map(|(row, &number)| (number, row));
        Sorted::new(self.numbers, self.count, rows)
    }

    /// Sorts rows of targets by the values of the key that each belongs to, which are of the owners' [`types`]: a database
    /// has no type of its own for many, and what it gives for them is another key.
    pub(super) fn sort_pairs(self, pairs: Vec<(&[Value<'static>], u32)>) -> Sorted {
        let number = |key: &[Value<'static>]| match (&self.index, key) {
            (Index::Near { least, numbers }, [Value::Int(key)]) => {
                numbers.get(distance(*least, *key)).copied()
            }
            (Index::Near { .. }, _) => None,
            (Index::Any(numbers), key) => {
                Key::of_values(key).and_then(|key| numbers.get(&key).copied())
            }
        };
        let rows: Vec<(u32, u32)> = pairs
            .into_iter()
            .map(|(key, row)| (number(key).unwrap_or(NONE), row))
            .collect();
        Sorted::new(self.numbers, self.count, rows.into_iter())
    }

    /// The number of each target's key; none where nobody asked for it.
    fn numbers_of(&self, targets: &[Record], columns: &[usize]) -> Vec<u32> {
        match (&self.index, columns) {
            (Index::Near { least, numbers }, [column]) => Record::integers(targets, *column)
                .into_iter()
                .map(|key| {
                    let number = key.and_then(|key| numbers.get(distance(*least, key)));
                    number.copied().unwrap_or(NONE)
                })
                .collect(),
            (Index::Any(numbers), _) => targets
                .iter()
                .map(|target| {
                    let number = Key::of(target, columns).and_then(|key| numbers.get(&key));
                    number.copied().unwrap_or(NONE)
                })
                .collect(),
            (Index::Near { .. }, _) => vec![NONE; targets.len()],
        }
    }
}

/// How far `key` is above `least`; what is below it is very far.
fn distance(least: i64, key: i64) -> usize {
    usize::try_from(key.wrapping_sub(least).cast_unsigned()).unwrap_or(usize::MAX)
}

/// Targets by owner.
pub(super) struct Sorted {
    /// By owner: the number of its key.
    numbers: Vec<u32>,
    /// By number: where its part of `rows` starts, which is where the one before ends.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Sorted {
    /// Rows of targets with the number that each belongs to.
    fn new(
        numbers: Vec<u32>,
        count: u32,
        targets: impl Iterator<Item = (u32, u32)> + Clone,
    ) -> Self {
        // Counted two places up, then summed: one place up stands where the next target of a number goes, and in the end
        // where they end, which is where those of the next number start.
        let mut starts = vec![0u32; count as usize + 2];
        let place = |number: u32, up: usize| (number as usize).saturating_add(up);
        for (number, _) in targets.clone() {
            if let Some(count) = starts.get_mut(place(number, 2)) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut rows = vec![0u32; sum as usize];
        for (number, row) in targets {
            if number < count
                && let Some(next) = starts.get_mut(place(number, 1))
                && let Some(slot) = rows.get_mut(*next as usize)
            {
                *slot = row;
                *next += 1;
            }
        }
        Self {
            numbers,
            starts,
            rows,
        }
    }

    /// Of that many owners: pairs of an owner's place and a target's row, in the order of the targets.
    pub(super) fn of_pairs(owners: usize, pairs: &[(u32, u32)]) -> Self {
        let count = u32::try_from(owners).unwrap_or(u32::MAX);
        Self::new((0..count).collect(), count, pairs.iter().copied())
    }

    /// The row of the first target of each owner from that place on.
    #[inline]
    pub(super) fn firsts(&self, start: usize) -> impl Iterator<Item = Option<u32>> {
        let (starts, rows) = (&*self.starts, &*self.rows);
        let numbers = self.numbers.get(start..).unwrap_or_default();
        numbers.iter().map(move |&number| {
            let end = *starts.get((number as usize).checked_add(1)?)?;
            let start = *starts.get(number as usize)?;
            (start < end).then(|| rows.get(start as usize).copied())?
        })
    }

    /// The rows of the targets of the owner at that place.
    #[inline]
    pub(super) fn of(&self, owner: usize) -> &[u32] {
        let number = self.numbers.get(owner).map_or(NONE, |&number| number) as usize;
        match self.starts.get(number..number.saturating_add(2)) {
            Some(&[start, end]) => self
                .rows
                .get(start as usize..end as usize)
                .unwrap_or_default(),
            _ => &[],
        }
    }
}
