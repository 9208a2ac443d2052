//! The text and bytes of a batch: added to, never moved, never freed before the batch.
//!
//! Invariant: bytes that were added stay where they are and are not written to again: a chunk is never grown past
//! the capacity it was made with, and what is kept once and does not fit into a small chunk is in a vector of its own.
//! Words of rows point at them. Others may read them while more are added: what is added is copied behind them, and no
//! unique reference to a chunk's bytes is ever made.

use std::collections::HashSet;

/// The smallest chunk. One row's texts usually fit.
const SMALLEST: usize = 64;
/// Chunks double up to this size; a larger value gets a chunk of its own.
const LARGEST: usize = 1 << 20;

/// Append-only bytes.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    open: Vec<u8>,
    full: Vec<Vec<u8>>,
    /// What was set after the rows were loaded, beyond what the first chunk has room for. Vectors, not boxes: moving a
    /// box would claim its bytes for itself.
    #[expect(
        clippy::box_collection,
        reason = "rarely there: a batch is moved often"
    )]
    once: Option<Box<HashSet<Vec<u8>>>>,
    bytes: usize,
}

impl Arena {
    /// Keeps `bytes`; the words are their address and their length.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) -> [u64; 2] {
        if self.open.capacity() - self.open.len() < bytes.len() {
            self.make_room(bytes.len());
        }
        let start = self.open.len();
        self.open.extend_from_slice(bytes);
        let address = self.open.as_ptr().wrapping_add(start).expose_provenance();
        [address as u64, bytes.len() as u64]
    }

    /// Keeps `bytes` unless they were kept by this before: setting the same values in turn takes no memory.
    pub(crate) fn push_once(&mut self, bytes: &[u8]) -> [u64; 2] {
        if self.open.capacity() == 0 && bytes.len() <= SMALLEST {
            self.make_room(bytes.len());
        }
        // The few texts of one record lie in one small chunk: looking through it takes less than keeping a set.
        if self.open.capacity() <= SMALLEST {
            if let Some(start) = find(&self.open, bytes) {
                let address = self.open.as_ptr().wrapping_add(start).expose_provenance();
                return [address as u64, bytes.len() as u64];
            }
            if self.open.capacity() - self.open.len() >= bytes.len() {
                return self.push(bytes);
            }
        }
        let words = |kept: &Vec<u8>| [kept.as_ptr().expose_provenance() as u64, kept.len() as u64];
        let once = self.once.get_or_insert_default();
        if let Some(kept) = once.get(bytes) {
            return words(kept);
        }
        let kept = bytes.to_vec();
        let words = words(&kept);
        self.bytes += kept.capacity();
        once.insert(kept);
        words
    }

    /// Takes over what another holds; its bytes stay where they are.
    pub(crate) fn append(&mut self, other: Self) {
        if other.bytes == 0 {
            return;
        }
        self.bytes += other.bytes;
        self.full.extend(other.full);
        self.full.push(other.open);
        if let Some(once) = other.once {
            self.once.get_or_insert_default().extend(*once);
        }
    }

    /// Whether everything that was pushed is UTF-8 as far as each chunk tells; else the address of what is not.
    pub(crate) fn check_utf8(&self) -> Result<(), u64> {
        let check = |chunk: &Vec<u8>| {
            if !chunk.is_ascii()
                && let Err(error) = std::str::from_utf8(chunk)
            {
                let at = chunk.as_ptr().wrapping_add(error.valid_up_to());
                return Err(at.addr() as u64);
            }
            Ok(())
        };
        self.full.iter().try_for_each(check)?;
        check(&self.open)
    }

    #[cold]
    fn make_room(&mut self, length: usize) {
        let size = (self.bytes).clamp(SMALLEST, LARGEST).max(length);
        self.bytes += size;
        let previous = std::mem::replace(&mut self.open, Vec::with_capacity(size));
        if previous.capacity() > 0 {
            self.full.push(previous);
        }
    }

    /// Bytes held, used or not.
    pub(crate) fn size(&self) -> usize {
        self.bytes
    }
}

/// Where `bytes` stand in `chunk`, as a text of their own or within others.
fn find(chunk: &[u8], bytes: &[u8]) -> Option<usize> {
    let Some(&first) = bytes.first() else {
        return Some(0);
    };
    let last = chunk.len().checked_sub(bytes.len())?;
    (0..=last).find(|&start| {
        chunk.get(start) == Some(&first) && chunk.get(start..start + bytes.len()) == Some(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_where_they_are() {
        let mut arena = Arena::default();
        let first = arena.push(b"first");
        for round in 0..10_000 {
            arena.push(format!("text number {round}").as_bytes());
        }
        let again = arena.full.first().unwrap().as_ptr().expose_provenance() as u64;
        assert_eq!(first, [again, 5]);
        assert_eq!(&arena.full.first().unwrap()[..5], b"first");
    }

    #[test]
    fn what_is_kept_once_stays_where_it_is_and_takes_no_more_room() {
        let mut arena = Arena::default();
        let words: Vec<_> = (0..1000)
            .map(|round| arena.push_once(format!("text {round}").as_bytes()))
            .collect();
        let size = arena.size();
        for (round, words) in words.iter().enumerate() {
            assert_eq!(*words, arena.push_once(format!("text {round}").as_bytes()));
        }
        assert_eq!(arena.size(), size);
    }

    #[test]
    fn the_few_texts_of_a_record_take_one_small_chunk() {
        let mut arena = Arena::default();
        let texts = [
            "Matz",
            "black",
            "",
            "Mat",
            "a text that is much longer",
            "Matz",
        ];
        let words = texts.map(|text| arena.push_once(text.as_bytes()));
        assert_eq!((arena.size(), arena.once.is_none()), (SMALLEST, true));
        assert_eq!(words[0], words[5]);
        assert_eq!(words[3], [words[0][0], 3]);
        assert_eq!(arena.open, b"Matzblacka text that is much longer");
        // What has no room goes elsewhere, and what came first stays.
        let long = arena.push_once(&[b'x'; SMALLEST]);
        assert_eq!(long, arena.push_once(&[b'x'; SMALLEST]));
        assert_eq!(arena.push_once(b"black"), words[1]);
        assert_eq!(arena.open.as_ptr().expose_provenance() as u64, words[0][0]);
    }

    #[test]
    fn a_large_value_gets_a_chunk_of_its_own() {
        let mut arena = Arena::default();
        let large = vec![7u8; LARGEST * 3];
        let words = arena.push(&large);
        assert_eq!(words[1], large.len() as u64);
        assert!(arena.size() >= large.len());
    }
}
