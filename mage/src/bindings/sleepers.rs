//! [`Sleepers`]: tasks that wait for one thing.

use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;

/// Wakers, each under a number that no other has, or has had: whoever waits no longer can take its own out, and nobody else's.
#[derive(Default)]
pub(super) struct Sleepers {
    numbers: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Sleepers {
    /// Parks the waker of somebody who may have a number already. Returns what was parked under it.
    pub(super) fn park(&mut self, number: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let number = *number.get_or_insert_with(|| {
            self.numbers += 1;
            self.numbers
        });
        self.wakers.insert(number, waker)
    }

    /// Returns what is parked under a number, to be dropped.
    pub(super) fn forget(&mut self, number: u64) -> Option<Waker> {
        self.wakers.remove(&number)
    }

    /// Everybody, to be woken.
    pub(super) fn take(&mut self) -> Vec<Waker> {
        if self.wakers.is_empty() {
            return Vec::new();
        }
        mem::take(&mut self.wakers).into_values().collect()
    }
}
