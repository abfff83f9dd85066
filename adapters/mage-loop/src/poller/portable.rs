//! Everywhere: the `polling` crate, one-shot and by level.
//!
//! Each wait for a descriptor is armed anew, so nothing has to be remembered between waits, at the price of more system calls.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{EVENTS_PER_WAIT_MAX, Event, Patience, Signal, Token, Wanted};

/// A poller of the `polling` crate, whose own key for notifications is `usize::MAX` as well.
#[derive(Debug)]
pub(crate) struct Poller {
    inner: polling::Poller,
}

/// Nothing stays armed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed;

/// Room for the events of one wait.
#[derive(Debug)]
pub(crate) struct Events {
    list: polling::Events,
}

impl Poller {
    /// What is not read is an event again and again, if somebody waits for it.
    pub(crate) const READS_ARE_EDGES: bool = false;

    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { inner: polling::Poller::new()? })
    }

    /// Registers `fd` for nothing yet.
    #[expect(unsafe_code, reason = "`polling` asks its caller to remove a descriptor before it is closed")]
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<Armed> {
        let nothing = polling::Event::none(token.0);
        // SAFETY: the descriptor must be removed from the poller before it is closed. The one caller is `Reactor::watch`,
        // which puts a share of the `OwnedFd` into the slot of this registration, so the descriptor stays open as long as
        // the slot exists. `Reactor::unwatch` calls `remove` before it gives up the slot, and nothing else gives one up.
        unsafe { self.inner.add(fd.as_raw_fd(), nothing)? };
        Ok(Armed)
    }

    /// Makes sure that an event will come for each direction in `wanted`, also if it is ready already.
    pub(crate) fn arm(
        &self,
        fd: BorrowedFd<'_>,
        token: Token,
        wanted: Wanted,
        _armed: &mut Armed,
    ) -> io::Result<()> {
        self.inner.modify(fd, polling::Event::new(token.0, wanted.read, wanted.write))
    }

    /// An event disarms its descriptor, also for the direction that it did not report.
    pub(crate) fn rearm(&self, fd: BorrowedFd<'_>, token: Token, wanted: Wanted) {
        // The descriptor is open and registered, so the kernel has no reason to refuse.
        let _ = self.inner.modify(fd, polling::Event::new(token.0, wanted.read, wanted.write));
    }

    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.inner.delete(fd)
    }

    pub(crate) fn wait(&self, events: &mut Events, patience: Patience) -> io::Result<()> {
        let timeout = match patience {
            Patience::Forever => None,
            Patience::None => Some(std::time::Duration::ZERO),
        };
        events.list.clear();
        match self.inner.wait(&mut events.list, timeout) {
            Ok(_count) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends the current or the next wait. Callable from any thread.
    pub(crate) fn notify(&self) -> io::Result<()> {
        self.inner.notify()
    }
}

impl Events {
    pub(crate) fn new() -> Self {
        let capacity = NonZeroUsize::new(EVENTS_PER_WAIT_MAX).unwrap_or(NonZeroUsize::MIN);
        Self { list: polling::Events::with_capacity(capacity) }
    }

    /// What the last wait brought.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> {
        self.list.iter().map(|event| {
            let signal = |ready| match ready {
                true if event.is_interrupt() => Signal::Closed,
                true => Signal::Ready,
                false => Signal::Silent,
            };
            Event { token: Token(event.key), read: signal(event.readable), write: signal(event.writable) }
        })
    }
}
