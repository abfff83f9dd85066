//! A watched descriptor on async-io's reactor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_io::Async;
use mage_sched::{Interest, Transfer, Watch};

/// The reactor arms a descriptor anew for each wait, by level: whatever is there when the wait begins is reported. So a
/// descriptor may be tried first and waited for after, and nothing that arrived in between is lost.
#[derive(Debug)]
pub(crate) struct SmolWatch {
    fd: Async<Arc<OwnedFd>>,
    read: Next,
    write: Next,
}

/// What the next `poll_io` of one direction begins with.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The descriptor may be ready.
    Try,
    /// The descriptor was drained, or a wait is under way.
    Wait,
}

impl SmolWatch {
    pub(crate) fn new(fd: Async<Arc<OwnedFd>>) -> Self {
        Self { fd, read: Next::Try, write: Next::Try }
    }
}

impl Watch for SmolWatch {
    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        let next = match interest {
            Interest::Read => &mut self.read,
            Interest::Write => &mut self.write,
        };
        loop {
            if let Next::Wait = *next {
                ready!(match interest {
                    Interest::Read => self.fd.poll_readable(context),
                    Interest::Write => self.fd.poll_writable(context),
                })?;
                *next = Next::Try;
            }
            match io(self.fd.as_fd()) {
                Ok(Transfer::More(bytes)) => return Poll::Ready(Ok(bytes)),
                Ok(Transfer::Drained(bytes)) => {
                    *next = Next::Wait;
                    return Poll::Ready(Ok(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => *next = Next::Wait,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}
