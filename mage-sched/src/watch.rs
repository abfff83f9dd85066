//! [`Watch`]: waiting for a file descriptor.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll};

/// Which direction of a file descriptor to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Until it can be read: bytes, the end of the stream, or an error.
    Read,
    /// Until it can be written: room, a hang-up of the peer, or an error.
    Write,
}

/// What one attempt on a file descriptor achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Moved this many bytes; there may be more at once. Right whenever one is not sure, and for the end of a stream.
    More(usize),
    /// Moved this many bytes and left the descriptor drained (a short read) or full (a short write):
    /// the next `poll_io` may wait without trying first, which saves one system call that would fail.
    ///
    /// A `recvmsg` that brought descriptors along stops early for that reason alone, so a short read with descriptors is
    /// [`Transfer::More`].
    Drained(usize),
}

impl Transfer {
    /// Judges a transfer by its length: short but not empty means drained, or full.
    ///
    /// ```
    /// use mage_sched::Transfer;
    /// assert_eq!(Transfer::of(10, 64), Transfer::Drained(10));
    /// assert_eq!(Transfer::of(64, 64), Transfer::More(64));
    /// assert_eq!(Transfer::of(0, 64), Transfer::More(0)); // the end of a stream stays the end
    /// ```
    pub fn of(moved: usize, asked: usize) -> Self {
        if 0 < moved && moved < asked { Self::Drained(moved) } else { Self::More(moved) }
    }

    /// How many bytes were moved.
    pub fn bytes(self) -> usize {
        match self {
            Self::More(bytes) | Self::Drained(bytes) => bytes,
        }
    }
}

/// A watched file descriptor. Dropping it unwatches; only after that can the last `Arc<OwnedFd>` close the descriptor.
///
/// One task per guard: it keeps one waker per direction, so one task may wait for both directions at once, but a second
/// task polling the same direction takes the place of the first.
///
/// # For those who implement it
/// - Call `io` again only after `WouldBlock`, and wait for the descriptor in between. Looping on anything else spins.
/// - Readiness that arrives while `io` runs, or between its return and the record of `Drained`, must not be lost, also when
///   it is reported on another thread.
/// - A hang-up or an error of the descriptor makes both directions ready. The end of a stream that arrived together with the
///   last bytes must still be reported after a `Drained`.
/// - A guard of a reused descriptor number must never see an event meant for the one before it.
///
/// The `conformance` suite checks all of this.
pub trait Watch: fmt::Debug + Send {
    /// Attempts `io` once the descriptor may be ready for `interest`, and again for as long as it returns `WouldBlock`.
    ///
    /// Returns `Pending` only after it has registered the waker of `context`, and then `io` has either returned
    /// `WouldBlock` or was not called because of an earlier `WouldBlock` or [`Transfer::Drained`]. Any other result, good or
    /// bad, is returned as it is. The number is the bytes moved.
    ///
    /// `io` makes its system call on the descriptor it is given, which is the watched one in all runtimes and a stand-in
    /// for it in the simulator. Cancellation-safe: nothing is read or written behind the caller's back.
    ///
    /// # Errors
    /// Those of `io` except `WouldBlock`, and those of the runtime when it has shut down.
    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>>;
}

/// Makes `fd` non-blocking: a service to those who implement [`Scheduler::watch`](crate::Scheduler::watch).
///
/// The flag belongs to the open file, so it shows through every duplicate of the descriptor, also in other processes.
///
/// # Errors
/// Those of the system call.
pub fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    rustix::io::ioctl_fionbio(fd, true).map_err(io::Error::from)
}
