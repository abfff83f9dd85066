//! A watched descriptor on the loop's reactor.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mage_sched::{Interest, Transfer, Watch};

use crate::poller::Token;
use crate::queue::Shared;
use crate::reactor::{Reactor, Signals, Tick};

/// Tries the descriptor only while the reactor holds it for ready, and remembers up to which signal a try has used it up.
pub(crate) struct LoopWatch {
    shared: Arc<Shared>,
    token: Token,
    fd: Arc<OwnedFd>,
    signals: Arc<Signals>,
    /// Up to which signal each direction has been tried until there was nothing left.
    read: Tick,
    write: Tick,
    /// Who waits to read, if that is for all signals to come.
    reader: Option<Waker>,
}

impl LoopWatch {
    pub(crate) fn new(shared: Arc<Shared>, fd: Arc<OwnedFd>) -> io::Result<Self> {
        let (token, signals) = shared.reactor.watch(&fd)?;
        Ok(Self { shared, token, fd, signals, read: Tick::default(), write: Tick::default(), reader: None })
    }
}

impl Watch for LoopWatch {
    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        let reactor = &self.shared.reactor;
        let seen = match interest {
            Interest::Read => &mut self.read,
            Interest::Write => &mut self.write,
        };
        loop {
            let signal = self.signals.last(interest)?;
            if signal.tick == *seen {
                let waits_on = Reactor::waits_on(interest);
                if waits_on && self.reader.as_ref().is_some_and(|reader| reader.will_wake(context.waker())) {
                    return Poll::Pending; // a signal that has come since has woken it
                }
                if reactor.poll_signal(self.token, interest, *seen, context)?.is_pending() {
                    if waits_on {
                        self.reader = Some(context.waker().clone());
                    }
                    return Poll::Pending;
                }
                continue;
            }
            match io(self.fd.as_fd()) {
                Ok(Transfer::More(bytes)) => return Poll::Ready(Ok(bytes)),
                Ok(Transfer::Drained(bytes)) => {
                    if !signal.closed {
                        *seen = signal.tick;
                    }
                    return Poll::Ready(Ok(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => *seen = signal.tick,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Drop for LoopWatch {
    fn drop(&mut self) {
        self.shared.reactor.unwatch(self.token); // before `fd` may close
    }
}

impl fmt::Debug for LoopWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopWatch").field("token", &self.token).field("fd", &self.fd).finish_non_exhaustive()
    }
}
