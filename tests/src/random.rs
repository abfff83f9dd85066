//! The chance in these tests.

use std::env;

/// SplitMix64: numbers that depend on nothing but their seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Those of the seed in `MAGE_TEST_SEED`, or of a new one. Whichever it is, it is printed, so that a run that fails can be had again.
    ///
    /// # Panics
    /// If what is in `MAGE_TEST_SEED` is no number, or the system has no random bytes.
    pub fn of_this_run() -> Self {
        let seed = match env::var("MAGE_TEST_SEED") {
            Ok(seed) => seed.parse().expect("MAGE_TEST_SEED is a number"),
            Err(_) => {
                let mut fresh = [0; 8];
                let flags = rustix::rand::GetRandomFlags::empty();
                rustix::rand::getrandom(&mut fresh, flags).expect("random bytes");
                u64::from_le_bytes(fresh)
            }
        };
        eprintln!("MAGE_TEST_SEED={seed}");
        Self(seed)
    }

    /// The next number, of all that there are.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.any() % bound
    }
}
