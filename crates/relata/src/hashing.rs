//! The hash of our own tables: keys of rows, texts of statements, addresses of graphs.
//!
//! It mixes words by a multiplication, which is several times faster than the standard one for short keys. Somebody who
//! chooses the keys of rows can make them collide: that slows down one load of those very rows, whose number the
//! query bounds. No table that outlives a load is keyed by what comes from outside.
//!
//! Invariant: equal keys hash alike within a process; nothing else is promised.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds [`WordHasher`]s.
pub(crate) type Hashing = BuildHasherDefault<WordHasher>;

/// Mixes what it is given word by word.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    #[inline]
    fn write_i64(&mut self, word: i64) {
        self.write_u64(word.cast_unsigned());
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    #[inline]
    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }

    #[inline]
    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    #[inline]
    fn finish(&self) -> u64 {
        // Tables take the upper bits for tags and the lower ones for places.
        self.0 ^ self.0 >> 32
    }
}
