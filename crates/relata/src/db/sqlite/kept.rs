//! What a connection keeps for each text: the statements that it prepared, up to a number.
//!
//! Invariant: one text has one slot, whose number holds until the next [`Kept::slot`].

use std::collections::HashMap;
use std::sync::Arc;

use crate::hashing::Hashing;

/// Statements that a connection keeps prepared.
const KEPT: usize = 256;

/// Addresses of texts that are remembered.
const RECENT: usize = 32;

/// One thing a text; the one that was not used for the longest time makes room. What nobody expects again goes first.
pub(super) struct Kept<T> {
    slots: Vec<Slot<T>>,
    by_text: HashMap<Arc<str>, usize, Hashing>,
    /// Where a text was last found, by its address.
    recent: [usize; RECENT],
    uses: u64,
}

struct Slot<T> {
    text: Arc<str>,
    thing: T,
    used: u64,
}

impl<T> Kept<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            by_text: HashMap::default(),
            recent: [0; RECENT],
            uses: 0,
        }
    }

    /// The number of the text's slot. What is to be in it is made if it is not there, and is the first to make room unless
    /// the text returns.
    #[inline]
    pub(super) fn slot<E>(
        &mut self,
        text: &Arc<str>,
        returns: bool,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<usize, E> {
        self.uses += 1;
        let hint = (text.as_ptr().addr() >> 4) % RECENT;
        let known = self.recent[hint];
        // A slot keeps its text, so nothing else can be at that address.
        if let Some(slot) = self.slots.get_mut(known)
            && Arc::ptr_eq(&slot.text, text)
        {
            slot.used = self.uses;
            return Ok(known);
        }
        let found = match self.by_text.get(text) {
            Some(&found) => {
                self.slots[found].used = self.uses;
                found
            }
            None => self.keep(text, returns, make()?),
        };
        self.recent[hint] = found;
        Ok(found)
    }

    fn keep(&mut self, text: &Arc<str>, returns: bool, thing: T) -> usize {
        let new = Slot {
            text: Arc::clone(text),
            thing,
            used: if returns { self.uses } else { 0 },
        };
        let slot = if self.slots.len() < KEPT {
            self.slots.push(new);
            self.slots.len() - 1
        } else {
            let slots = self.slots.iter().enumerate();
            let oldest = slots
                .min_by_key(|(_, slot)| slot.used)
                .map_or(0, |(position, _)| position);
            self.by_text.remove(&self.slots[oldest].text);
            self.slots[oldest] = new;
            oldest
        };
        self.by_text.insert(Arc::clone(text), slot);
        slot
    }

    /// What is in a slot.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.slots.get_mut(slot).map(|slot| &mut slot.thing)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use super::{KEPT, Kept};

    #[test]
    fn what_was_not_used_for_longest_makes_room_and_a_text_is_found_by_what_it_says() {
        let mut kept = Kept::new();
        let mut made = 0;
        let mut find = |kept: &mut Kept<String>, text: &Arc<str>| {
            let slot = kept.slot(text, true, || {
                made += 1;
                Ok::<_, Infallible>(text.to_string())
            });
            let slot = slot.unwrap();
            assert_eq!(kept.get_mut(slot).map(|text| &**text), Some(&**text));
            (made, slot)
        };
        let texts: Vec<Arc<str>> = (0..=KEPT).map(|n| Arc::from(format!("text {n}"))).collect();
        for (n, text) in texts[..KEPT].iter().enumerate() {
            assert_eq!(find(&mut kept, text), (n + 1, n));
        }
        // The same text, at the same address and at another.
        assert_eq!(find(&mut kept, &texts[0]), (KEPT, 0));
        assert_eq!(find(&mut kept, &Arc::from("text 0")), (KEPT, 0));
        // The second is now the oldest.
        assert_eq!(find(&mut kept, &texts[KEPT]), (KEPT + 1, 1));
        assert_eq!(find(&mut kept, &texts[0]), (KEPT + 1, 0));
        assert_eq!(find(&mut kept, &texts[1]), (KEPT + 2, 2));
        assert!(kept.get_mut(KEPT).is_none());
    }

    #[test]
    fn texts_that_do_not_return_push_out_each_other() {
        let mut kept = Kept::new();
        let mut made = 0;
        let mut find = |kept: &mut Kept<()>, text: &str, returns| {
            let slot = kept.slot(&Arc::from(text), returns, || {
                made += 1;
                Ok::<_, Infallible>(())
            });
            (slot.unwrap(), made)
        };
        for n in 0..KEPT {
            find(&mut kept, &format!("text {n}"), true);
        }
        let (slot, _) = find(&mut kept, "once", false);
        assert_eq!(find(&mut kept, "once more", false).0, slot);
        assert_eq!(find(&mut kept, "and more", false), (slot, KEPT + 3));
        for n in 1..KEPT {
            assert_eq!(find(&mut kept, &format!("text {n}"), true), (n, KEPT + 3));
        }
        // What returned after all is as good as any other.
        find(&mut kept, "and more", false);
        assert_eq!(find(&mut kept, "new", true), (1, KEPT + 4));
        assert_eq!(find(&mut kept, "and more", false), (slot, KEPT + 4));
    }
}
