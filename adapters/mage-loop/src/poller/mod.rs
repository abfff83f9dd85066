//! The operating system's way to wait for descriptors.
//!
//! Two implementations with one face. `epoll` is for Linux: edge-triggered, so that a descriptor is registered once and
//! every wait is one system call. `portable` is for everything else, and for Linux under `--cfg mage_loop_portable`.

#[cfg(all(target_os = "linux", not(mage_loop_portable)))]
mod epoll;
#[cfg(any(not(target_os = "linux"), mage_loop_portable))]
mod portable;

#[cfg(all(target_os = "linux", not(mage_loop_portable)))]
pub(crate) use epoll::{Armed, Events, Poller};
#[cfg(any(not(target_os = "linux"), mage_loop_portable))]
pub(crate) use portable::{Armed, Events, Poller};

/// The most events one wait takes; the rest comes with the next.
const EVENTS_PER_WAIT_MAX: usize = 64;

/// Names a registration to the operating system: a slot, and which of its successive owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(usize);

/// The most descriptors one loop watches at a time. One less than fits, so that no token is
/// `usize::MAX`, which both pollers use for themselves.
pub(crate) const SLOTS_MAX: usize = (1 << (usize::BITS / 2)) - 1;

impl Token {
    /// `slot` is less than [`SLOTS_MAX`]. Of `generation` the lower half counts.
    pub(crate) fn new(slot: usize, generation: usize) -> Self {
        Self((generation << (usize::BITS / 2)) | slot)
    }

    pub(crate) fn slot(self) -> usize {
        self.0 & SLOTS_MAX
    }
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Until something happens.
    Forever,
    /// Not at all: take what is there.
    None,
}

/// What the operating system said about one registration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) token: Token,
    pub(crate) read: Signal,
    pub(crate) write: Signal,
}

/// What it said about one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Silent,
    /// Worth a try.
    Ready,
    /// Worth a try, and will stay so: there was a hang-up, an error, or the end of the stream.
    Closed,
}

/// Which directions somebody waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) read: bool,
    pub(crate) write: bool,
}
