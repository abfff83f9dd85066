//! Repeatable choices.

/// A generator of numbers that depend on the seed alone (splitmix64), and a hash over the choices made with it.
#[derive(Debug)]
pub(super) struct Random {
    state: u64,
    trace: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed, trace: 0xcbf2_9ce4_8422_2325 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `bound`, and 0 if that is 0. The remainder's bias is of no concern here.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// Whether something with this chance happens.
    pub(super) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    /// Adds what was done to the trace (FNV-1a over its bytes).
    pub(super) fn record(&mut self, what: &[usize]) {
        for byte in what.iter().flat_map(|number| number.to_le_bytes()) {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(super) fn trace(&self) -> u64 {
        self.trace
    }
}
