//! Where code runs: [`SequenceId`] and [`SequenceChecker`].

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::thread::{self, ThreadId};

use crate::TaskSink;

/// Names one sequence. Two ids are equal exactly when they name the same sequence.
///
/// An id is compared by the address of a marker that it keeps alive, so ids need no global counter and are never
/// reused while anybody remembers them.
#[derive(Clone)]
pub struct SequenceId {
    marker: Arc<Marker>,
}

/// Not zero-sized, so that two of them can never share an address.
struct Marker(#[expect(dead_code, reason = "only the address is used")] u8);

impl SequenceId {
    pub(crate) fn new() -> Self {
        Self { marker: Arc::new(Marker(0)) }
    }

    /// The id of the sequence whose job is running on this thread right now, if one is.
    ///
    /// ```
    /// assert_eq!(mage_sched::SequenceId::current(), None);
    /// ```
    pub fn current() -> Option<Self> {
        TaskSink::current().map(|sink| sink.id())
    }

    fn address(&self) -> *const Marker {
        Arc::as_ptr(&self.marker)
    }
}

impl PartialEq for SequenceId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.marker, &other.marker)
    }
}

impl Eq for SequenceId {}

impl Hash for SequenceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl fmt::Debug for SequenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SequenceId({:p})", self.address())
    }
}

/// Remembers where it was made, and says on demand whether that is where we are now.
///
/// Made inside a job of a [sequence](crate::sequence), "where" is that sequence, whichever thread carries it.
/// Made anywhere else, it is the thread. An object that must stay at home keeps one and asks it at each entry:
///
/// ```
/// use mage_sched::SequenceChecker;
///
/// struct Cache {
///     home: SequenceChecker,
/// }
/// impl Cache {
///     fn lookup(&self) {
///         debug_assert!(self.home.check(), "a Cache is used on the sequence that made it");
///     }
/// }
/// let cache = Cache { home: SequenceChecker::new() };
/// cache.lookup();
/// std::thread::spawn(move || assert!(!cache.home.check())).join().unwrap();
/// ```
///
/// Where the type may be made `!Send` (an `Rc` field is enough), do that instead: the compiler then checks it.
#[derive(Debug)]
pub struct SequenceChecker {
    home: Home,
}

#[derive(Debug, PartialEq, Eq)]
enum Home {
    Sequence(SequenceId),
    Thread(ThreadId),
}

impl Home {
    fn here() -> Self {
        match SequenceId::current() {
            Some(id) => Self::Sequence(id),
            None => Self::Thread(thread::current().id()),
        }
    }
}

impl SequenceChecker {
    /// Remembers the current sequence, or the current thread outside of any sequence.
    pub fn new() -> Self {
        Self { home: Home::here() }
    }

    /// Whether the caller runs where this checker was made. A thread is no longer home while a sequence's job runs on it.
    pub fn check(&self) -> bool {
        self.home == Home::here()
    }
}

impl Default for SequenceChecker {
    fn default() -> Self {
        Self::new()
    }
}
