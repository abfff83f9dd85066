//! A watched descriptor on Tokio's reactor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use mage_sched::{Interest, Transfer, Watch};
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use crate::scheduler::register;

/// Tokio keeps the readiness of each direction until it is cleared through the guard under which the descriptor was tried.
/// A guard remembers the tick of the event it stands for and clears nothing newer, so no event is lost. The end of a
/// stream and a hang-up stay set.
///
/// Only reading is registered from the start. Were writing registered too, every message that the peer takes out of the
/// socket would make room and so wake us. A full socket registers a duplicate of the descriptor for writing, until it has
/// taken something.
#[derive(Debug)]
pub(crate) struct TokioWatch {
    reading: AsyncFd<Arc<OwnedFd>>,
    /// Only while the descriptor is full.
    writing: Option<AsyncFd<Arc<OwnedFd>>>,
    handle: Handle,
}

type Io<'a> = &'a mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>;

impl TokioWatch {
    pub(crate) fn new(reading: AsyncFd<Arc<OwnedFd>>, handle: Handle) -> Self {
        Self { reading, writing: None, handle }
    }

    fn poll_read(&self, context: &mut Context<'_>, io: Io<'_>) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.reading.poll_read_ready(context))?;
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

    fn poll_write(&mut self, context: &mut Context<'_>, io: Io<'_>) -> Poll<io::Result<usize>> {
        if self.writing.is_none() {
            match io(self.reading.get_ref().as_fd()) {
                Ok(transfer) => return Poll::Ready(Ok(transfer.bytes())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            self.writing = Some(self.register_for_writing()?);
        }
        let Some(writing) = &self.writing else { return Poll::Pending };
        loop {
            let mut ready = ready!(writing.poll_write_ready(context))?;
            match io(ready.get_inner().as_fd()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                result => {
                    drop(ready);
                    self.writing = None;
                    return Poll::Ready(result.map(Transfer::bytes));
                }
            }
        }
    }

    fn register_for_writing(&self) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
        let duplicate = Arc::new(self.reading.get_ref().try_clone()?);
        let _entered = self.handle.enter();
        register(duplicate, tokio::io::Interest::WRITABLE)
    }
}

impl Watch for TokioWatch {
    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        match interest {
            Interest::Read => self.poll_read(context, io),
            Interest::Write => self.poll_write(context, io),
        }
    }
}
