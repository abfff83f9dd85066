//! The only source of chance in these tests: a small generator that the same seed always drives the same way.

use std::ops::Range;

/// SplitMix64: one word of state, and good enough to pick the next frame.
#[derive(Clone, Debug)]
pub(super) struct Chooser {
    state: u64,
}

impl Chooser {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(0x9e37_79b9_7f4a_7c15) }
    }

    fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number of this range, which must not be empty.
    pub(super) fn number(&mut self, range: Range<usize>) -> usize {
        range.start + (self.word() % (range.end - range.start) as u64) as usize
    }

    /// True that many times in a thousand.
    pub(super) fn chance(&mut self, per_mille: usize) -> bool {
        self.number(0..1000) < per_mille
    }

    /// One of these, or `None` if there are none.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.number(0..from.len())])
    }
}
