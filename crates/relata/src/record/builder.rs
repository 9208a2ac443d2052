//! Builds a batch: the rows of one result, one after the other.
//!
//! Text is checked once for the whole result, when it ends: the bytes of a chunk are UTF-8, and no text begins inside a
//! character, so each text by itself is UTF-8.
//!
//! Invariants: words of a text or binary column are 0 or come from the arena of their kind; a batch is made only of text
//! that was checked.

use super::arena::Arena;
use super::batch::{Batch, Rows, StrictLoading, Terms, bit, set_bit};
use super::sync::Arc;
use crate::attribute::Stored;
use crate::attribute::value::{Kind, Value};
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::reflection::{Layout, ModelReflection, Slot};

/// Rows that are blanked in one go.
const ROWS_AT_ONCE: usize = 16;

/// Words up to which growing copies them: small enough that the copies cost little.
const SMALL: usize = 1 << 10;

/// Words that are asked for beyond that: so many that the system moves their pages, and copies none.
const LARGE: usize = 1 << 17;

/// Collects rows; what the loading room decodes into.
pub(crate) struct BatchBuilder {
    reflection: &'static ModelReflection,
    layout: &'static Layout,
    /// The rows, and room for more: all 0 from `used` on.
    words: Vec<u64>,
    used: usize,
    len: u32,
    steps: Steps,
    texts: Arena,
    /// Apart from the texts, which are checked as a whole.
    bytes: Option<Box<Arena>>,
    absent: Option<Box<[u64]>>,
}

/// How the columns of a row are filled.
enum Steps {
    /// The result has the model's columns, in their order: worked out once a model.
    Model(&'static [Step]),
    Own(Vec<Step>),
}

/// How one column of a row is filled from a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// The position in the result; past its end when it has no such column.
    pub(crate) cell: u32,
    /// The column's position.
    column: u32,
    pub(crate) nullable: bool,
    pub(crate) take: Take,
}

/// What is done with a cell: decided once a result, not once a row.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Take {
    /// Every integer is a value of the column.
    Int(IntSlot),
    /// Every text is a value of the column.
    Text(TextSlot),
    /// By way of its value.
    Value(AnySlot),
    /// The result has no such column.
    Absent,
}

/// The first word of a column of integers in the rows of one builder, which alone makes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntSlot(u32);

/// The first word of a column of text in the rows of one builder, which alone makes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextSlot(u32);

/// A column in the rows of one builder, which alone makes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnySlot(Slot);

/// The row that is being built: blank and not null until something is put there.
pub(crate) struct Row<'a> {
    words: &'a mut [u64],
    texts: &'a mut Arena,
    bytes: &'a mut Option<Box<Arena>>,
}

/// Why rows can be no batch.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// The text of this column is not UTF-8.
    NotText(usize),
    /// A row is of a class that is not known.
    NoClass(Error),
}

impl BatchBuilder {
    pub(crate) fn new(reflection: &'static ModelReflection) -> Self {
        Self {
            reflection,
            layout: reflection.layout(),
            words: Vec::new(),
            used: 0,
            len: 0,
            steps: Steps::Own(Vec::new()),
            texts: Arena::default(),
            bytes: None,
            absent: None,
        }
    }

    pub(crate) fn reflection(&self) -> &'static ModelReflection {
        self.reflection
    }

    /// Forgets all rows, so that the query can be run again.
    pub(crate) fn restart(&mut self) {
        self.words.clear();
        self.used = 0;
        self.len = 0;
        self.texts = Arena::default();
        self.bytes = None;
    }

    /// The result has the model's columns, in their order.
    pub(crate) fn expect_all(&mut self) {
        self.absent = None;
        let make = || {
            let columns = 0..self.reflection.columns().len();
            let steps = columns.filter_map(|column| self.step(column, Some(column)));
            steps.collect::<Box<[Step]>>()
        };
        match self.layout.steps(make) {
            Some(steps) => self.steps = Steps::Model(steps),
            None => self.steps = Steps::Own(make().into()),
        }
    }

    /// The model's columns are at these positions of the result, or are not in it.
    pub(crate) fn expect(&mut self, cells: &[Option<usize>]) {
        self.absent = None;
        let mut steps = Vec::with_capacity(cells.len());
        for (column, &cell) in cells.iter().enumerate() {
            if cell.is_none() {
                let words = self.reflection.columns().len().div_ceil(64);
                let absent = self.absent.get_or_insert_with(|| vec![0; words].into());
                set_bit(absent, column, true);
            }
            steps.extend(self.step(column, cell));
        }
        self.steps = Steps::Own(steps);
    }

    fn step(&self, column: usize, cell: Option<usize>) -> Option<Step> {
        let slot = *self.layout.slots.get(column)?;
        let ty = self.reflection.columns().get(column)?.ty;
        let cell = cell.and_then(|cell| u32::try_from(cell).ok());
        let take = match (cell, slot.kind, ty.check) {
            (None, ..) => Take::Absent,
            (_, Kind::Int, None) => Take::Int(IntSlot(slot.offset)),
            (_, Kind::Text, None) => Take::Text(TextSlot(slot.offset)),
            _ => Take::Value(AnySlot(slot)),
        };
        Some(Step {
            cell: cell.unwrap_or(u32::MAX),
            column: u32::try_from(column).ok()?,
            nullable: ty.nullable,
            take,
        })
    }

    /// Adds a row: calls `fill` for each expected column.
    ///
    /// # Errors
    /// What `fill` gives; `RangeError` beyond 2^32 rows.
    #[inline]
    pub(crate) fn row(
        &mut self,
        mut fill: impl FnMut(&Step, &mut Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let end = self.used + self.layout.stride;
        if self.words.len() < end || self.len == u32::MAX {
            self.make_room()?;
        }
        let Some(words) = self.words.get_mut(self.used..end) else {
            return Ok(());
        };
        self.used = end;
        self.len += 1;
        let mut row = Row {
            words,
            texts: &mut self.texts,
            bytes: &mut self.bytes,
        };
        let steps = match &self.steps {
            Steps::Model(steps) => steps,
            Steps::Own(steps) => steps.as_slice(),
        };
        steps.iter().try_for_each(|step| fill(step, &mut row))
    }

    #[cold]
    fn make_room(&mut self) -> Result<()> {
        if self.len == u32::MAX {
            let name = self.reflection.name();
            let message = format!("a query for {name} gave more than 2^32 rows");
            return Err(Error::new(ErrorKind::RangeError, message));
        }
        // The first row alone: most results are one row, or many.
        let rows = if self.len == 0 { 1 } else { ROWS_AT_ONCE };
        let end = self.words.len() + rows * self.layout.stride;
        if end > self.words.capacity() {
            // Growing moves all rows, so it is done in few steps. Room that no row comes to use is given back in the end.
            let room = match self.words.capacity() {
                room if room < SMALL => room * 4,
                room => (room * 2).max(LARGE),
            };
            let room = room.max(end);
            match self.words.capacity() {
                // Nothing grows, and asking for it is the shorter way.
                0 => self.words = Vec::with_capacity(room),
                _ => self.words.reserve_exact(room - self.words.len()),
            }
        }
        self.words.resize(end, 0);
        Ok(())
    }

    /// Ends the batch, and takes what was collected.
    ///
    /// # Errors
    /// When a text is not UTF-8; when the type column of a row names no class.
    pub(crate) fn finish(&mut self, db: &Db, terms: Terms) -> Result<Arc<Batch>, Unfit> {
        if let Err(address) = self.texts.check_utf8() {
            return Err(Unfit::NotText(self.column_at(address)));
        }
        let classes = match self.reflection.is_inherited() {
            true => self.classes().map_err(Unfit::NoClass)?,
            false => None,
        };
        self.words.truncate(self.used);
        if let Some(bytes) = self.bytes.take() {
            self.texts.append(*bytes);
        }
        let rows = Rows {
            words: std::mem::take(&mut self.words),
            len: std::mem::take(&mut self.len),
            arena: std::mem::take(&mut self.texts),
            absent: self.absent.take(),
            classes,
        };
        self.used = 0;
        Ok(Batch::new(self.reflection, db, rows, terms, false))
    }

    /// The classes of the rows, by their type column; none where all are of the model that was asked for.
    #[inline(never)]
    fn classes(&self) -> Result<Option<Box<[&'static ModelReflection]>>> {
        let Some(column) = self.reflection.type_column() else {
            return Ok(None);
        };
        let (Some(&slot), false) = (
            self.layout.slots.get(column),
            self.absent
                .as_ref()
                .is_some_and(|absent| bit(absent, column)),
        ) else {
            return Ok(None);
        };
        let mut classes = Vec::with_capacity(self.len as usize);
        let mut last: Option<(&str, &'static ModelReflection)> = None;
        for row in self
            .words
            .chunks_exact(self.layout.stride.max(1))
            .take(self.len as usize)
        {
            let stored = super::stored(row, column, slot);
            let name = match slot.kind.is_text() && !stored.is_null() {
                true => stored.text(),
                false => "",
            };
            let class = match last {
                Some((known, class)) if known == name => class,
                // A row that names none is of the base.
                _ if name.is_empty() => self.reflection.class_without_name()?,
                _ => self.reflection.subclass(name)?,
            };
            last = Some((name, class));
            classes.push(class);
        }
        let mixed = classes.iter().any(|class| *class != self.reflection);
        Ok(mixed.then(|| classes.into()))
    }

    /// The column whose text lies at that address.
    fn column_at(&self, address: u64) -> usize {
        let rows = self.words.chunks_exact(self.layout.stride.max(1));
        let mut cells = rows.flat_map(|row| {
            let slots = self.layout.slots.iter().enumerate();
            slots.map(|(column, slot)| (column, slot.kind, super::words(row, *slot)))
        });
        let found = cells.find(|(_, kind, [start, length])| {
            kind.is_text() && (*start..start + length).contains(&address)
        });
        found.map_or(0, |(column, ..)| column)
    }

    /// A batch of one new row without values: every column is null until it is set.
    pub(crate) fn blank(reflection: &'static ModelReflection, db: &Db) -> Arc<Batch> {
        let strict = reflection
            .is_strict_loading_by_default()
            .then_some(StrictLoading::All);
        let terms = Terms {
            strict,
            ..Terms::default()
        };
        Batch::new(reflection, db, one_row(None), terms, true)
    }

    /// As [`blank`](Self::blank), of a class of that batch, with its terms and without the columns that it lacks.
    pub(super) fn blank_copy(reflection: &'static ModelReflection, of: &Batch) -> Arc<Batch> {
        let rows = one_row(of.absent().map(Box::from));
        Batch::new(reflection, of.db(), rows, of.terms, true)
    }
}

/// One row that has no words of its own.
fn one_row(absent: Option<Box<[u64]>>) -> Rows {
    Rows {
        words: Vec::new(),
        len: 1,
        arena: Arena::default(),
        absent,
        classes: None,
    }
}

impl Step {
    /// The column's position.
    pub(crate) fn column(&self) -> usize {
        self.column as usize
    }
}

impl Row<'_> {
    /// Makes a column null.
    #[inline]
    pub(crate) fn null(&mut self, step: &Step) {
        set_bit(self.words, step.column(), true);
    }

    /// Puts an integer.
    #[inline]
    pub(crate) fn int(&mut self, slot: IntSlot, value: i64) {
        self.put_word(slot.0, value.cast_unsigned());
    }

    /// Puts text, to be checked when the batch ends. False when it can be no text by itself.
    #[inline]
    pub(crate) fn text(&mut self, slot: TextSlot, text: &[u8]) -> bool {
        // What begins with the rest of a character might end one of the text before it.
        if text.first().is_some_and(|first| first & 0xc0 == 0x80) {
            return false;
        }
        let words = self.texts.push(text);
        self.put_words(slot.0, words);
        true
    }

    /// Puts a value of the column's kind that is not null. False when it is text and can be none by itself.
    pub(crate) fn value(&mut self, AnySlot(slot): AnySlot, value: &Value<'_>) -> bool {
        let stored = Stored::of(value);
        if value.is_null() || stored.kind() != slot.kind {
            return true;
        }
        match slot.kind {
            kind if kind.is_text() => return self.text(TextSlot(slot.offset), stored.bytes()),
            Kind::Bytes => {
                let words = self.bytes.get_or_insert_default().push(stored.bytes());
                self.put_words(slot.offset, words);
            }
            Kind::Uuid => self.put_words(slot.offset, stored.words()),
            _ => self.put_word(slot.offset, stored.words()[0]),
        }
        true
    }

    #[inline]
    fn put_word(&mut self, offset: u32, word: u64) {
        if let Some(place) = self.words.get_mut(offset as usize) {
            *place = word;
        }
    }

    #[inline]
    fn put_words(&mut self, offset: u32, words: [u64; 2]) {
        let start = offset as usize;
        if let Some(place) = self.words.get_mut(start..start + 2) {
            place.copy_from_slice(&words);
        }
    }
}
