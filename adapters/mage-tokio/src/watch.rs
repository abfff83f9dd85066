//! A watched descriptor on Tokio's reactor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use mage_sched::{Interest, Transfer, Watch};
use tokio::io::unix::AsyncFd;

/// Tokio keeps the readiness of each direction until it is cleared through the guard under which the descriptor was tried.
/// A guard remembers the tick of the event it stands for and clears nothing newer, so no event is lost. The end of a
/// stream and a hang-up stay set.
#[derive(Debug)]
pub(crate) struct TokioWatch {
    fd: AsyncFd<Arc<OwnedFd>>,
}

impl TokioWatch {
    pub(crate) fn new(fd: AsyncFd<Arc<OwnedFd>>) -> Self {
        Self { fd }
    }
}

impl Watch for TokioWatch {
    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(match interest {
                Interest::Read => self.fd.poll_read_ready(context),
                Interest::Write => self.fd.poll_write_ready(context),
            })?;
            match io(ready.get_inner().as_fd()) {
                Ok(Transfer::More(bytes)) => return Poll::Ready(Ok(bytes)),
                Ok(Transfer::Drained(bytes)) => {
                    ready.clear_ready();
                    return Poll::Ready(Ok(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}
