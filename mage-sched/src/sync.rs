//! The one lock of the project, and the atomics that models look at: std's, or loom's when a model runs.
//!
//! This is the only file that names `std::sync::Mutex`. Under `--cfg loom` the same name stands for loom's mutex, so
//! the code that a model checks is the code that ships.
#![cfg_attr(
    not(loom),
    expect(clippy::disallowed_types, reason = "this is the facade that the lint points everybody to")
)]

use std::fmt;
use std::sync::PoisonError;

#[cfg(loom)]
use loom::sync as imp;
#[cfg(not(loom))]
use std::sync as imp;

pub use imp::MutexGuard;
pub use imp::atomic::{AtomicBool, AtomicU8, Ordering};

/// A mutex that ignores poison.
///
/// Foreign code (wakers, jobs, destructors) never runs under a lock of this project, and every critical section leaves
/// its data consistent at each step, so a panic in another thread is no reason to refuse the data to this one.
///
/// ```
/// let count = mage_sched::sync::Mutex::new(1);
/// *count.lock() += 1;
/// assert_eq!(*count.lock(), 2);
/// ```
#[derive(Default)]
pub struct Mutex<T> {
    inner: imp::Mutex<T>,
}

impl<T> Mutex<T> {
    /// A free mutex around `value`.
    pub fn new(value: T) -> Self {
        Self { inner: imp::Mutex::new(value) }
    }

    /// Waits for the mutex and locks it until the guard is dropped. Never panics; locking twice on one thread blocks.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(loom)]
loom::lazy_static! {
    static ref OUTSIDE: imp::atomic::AtomicUsize = imp::atomic::AtomicUsize::new(0);
}

/// Says that what follows is seen outside of the process, such as a write to a socket. A model checker knows of locks and
/// atomics only, and would take the order of two such things for one that cannot matter.
#[inline]
pub fn outside() {
    #[cfg(loom)]
    OUTSIDE.fetch_add(1, Ordering::AcqRel);
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}
