//! The answer of a workload as one figure: every value of every row goes into it.
//!
//! Timed runs touch each value lightly, so that reading is what is measured; comparing runs read every byte.
//! Invariant: the order of rows does not matter, which row hangs below which does.

/// Adds up rows.
#[derive(Debug)]
pub struct Sum {
    total: u64,
    bytes: bool,
}

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Sum {
    /// Touches each value: number, length, first byte.
    pub const fn touching() -> Self {
        Self {
            total: 0,
            bytes: false,
        }
    }

    /// Reads each value to its last byte.
    pub const fn reading() -> Self {
        Self {
            total: 0,
            bytes: true,
        }
    }

    /// The sum.
    pub const fn figure(&self) -> u64 {
        self.total
    }

    #[inline]
    fn text(&self, text: &str) -> u64 {
        if self.bytes {
            return text
                .bytes()
                .fold(ODD, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(ODD));
        }
        text.len() as u64
            ^ text
                .as_bytes()
                .first()
                .map_or(0, |&byte| u64::from(byte) << 8)
    }

    #[inline]
    fn add(&mut self, parts: [u64; 4]) {
        let mixed = parts.iter().fold(ODD, |hash, part| {
            (hash.rotate_left(23) ^ part).wrapping_mul(ODD)
        });
        self.total = self.total.wrapping_add(mixed);
    }

    /// A user.
    #[inline]
    pub fn user(&mut self, id: i64, name: &str, hair_color: Option<&str>) {
        let hair = hair_color.map_or(u64::MAX, |text| self.text(text));
        self.add([1, id as u64, self.text(name), hair]);
    }

    /// A post below the user that it was reached from, or that was reached from it.
    #[inline]
    pub fn post(&mut self, user: i64, id: i64, title: &str) {
        self.add([2, user as u64, id as u64, self.text(title)]);
    }

    /// A comment below the post that it was reached from.
    #[inline]
    pub fn comment(&mut self, post: i64, id: i64, body: &str) {
        self.add([3, post as u64, id as u64, self.text(body)]);
    }

    /// A person that was inserted; its id depends on what was inserted before, so only its presence counts.
    #[inline]
    pub fn inserted(&mut self, id: i64, name: &str) {
        self.add([4, u64::from(id > 0), self.text(name), 0]);
    }
}
