//! What stands for a handle: something that is counted, so that a leak is seen, and that knows where it is dropped.

use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

thread_local! {
    /// Whether the core is running on this thread.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// How many tokens were dropped while it was.
    static DROPPED_INSIDE: Cell<usize> = const { Cell::new(0) };
}

/// A handle. Its destructor may run anything, so the core must hand it out instead of dropping it.
pub(super) struct Token {
    pub(super) kind: Kind,
    alive: Rc<Cell<usize>>,
}

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A file of a user's.
    File(usize),
    /// One half of a channel of the simulated world.
    Socket { channel: usize, side: usize },
}

impl Token {
    pub(super) fn new(kind: Kind, alive: &Rc<Cell<usize>>) -> Self {
        alive.set(alive.get() + 1);
        Self { kind, alive: Rc::clone(alive) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl Hash for Token {
    fn hash<S: Hasher>(&self, state: &mut S) {
        self.kind.hash(state);
    }
}

impl Clone for Token {
    fn clone(&self) -> Self {
        Self::new(self.kind, &self.alive)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.alive.set(self.alive.get() - 1);
        if INSIDE.get() {
            DROPPED_INSIDE.set(DROPPED_INSIDE.get() + 1);
        }
    }
}

/// Runs a call into the core; true beside its result if the core has dropped a token by itself.
pub(super) fn inside<R>(call: impl FnOnce() -> R) -> (R, bool) {
    INSIDE.set(true);
    let result = call();
    INSIDE.set(false);
    (result, DROPPED_INSIDE.replace(0) > 0)
}
