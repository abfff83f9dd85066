//! What the fuzzer has thought up, read as choices.

use crate::core::NodeName;

/// A node's name of sixteen equal bytes.
pub(super) fn name(byte: u8) -> NodeName {
    NodeName::from_bytes([byte.max(1); 16]).expect("not all zeros")
}

/// Bytes, from front to back. At the end there are only noughts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A place in something that has so many.
    pub(super) fn index(&mut self, count: usize) -> Option<usize> {
        usize::from(self.byte()).checked_rem(count)
    }

    /// At most so many bytes.
    pub(super) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A number: small ones, and now and then one at the edge of what there is.
    pub(super) fn number(&mut self) -> u64 {
        match self.byte() {
            small @ 0..240 => u64::from(small),
            edge @ 240..248 => 1 << (8 * (edge - 240) + 7),
            edge => u64::MAX >> (8 * (edge - 248)),
        }
    }
}
