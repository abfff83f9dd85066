//! Two nodes with a link between them, and no runtime.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use mage::{MessagePipe, Node};
use mage_sched::sync::Mutex;
use mage_sched::{BoxFuture, Interest, Scheduler, Transfer, Watch, set_nonblocking};

use super::{poll_once, poll_pinned};

/// A scheduler that runs nothing: whoever made it takes the tasks and polls them.
#[derive(Default)]
pub struct ByHand {
    tasks: Mutex<Vec<BoxFuture<'static, ()>>>,
    transfers: Arc<AtomicUsize>,
}

impl ByHand {
    fn take_driver(&self) -> Driver {
        let mut tasks = mem::take(&mut *self.tasks.lock());
        let task = tasks.pop();
        assert!(task.is_some() && tasks.is_empty(), "a link has one driver");
        Driver { task, transfers: Arc::clone(&self.transfers) }
    }
}

impl Scheduler for ByHand {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.tasks.lock().push(task);
    }

    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        set_nonblocking(&fd)?;
        Ok(Box::new(Attempt { fd, transfers: Arc::clone(&self.transfers) }))
    }
}

/// Attempts what is asked for. Nobody is woken when the socket becomes ready: the model polls again.
#[derive(Debug)]
struct Attempt {
    fd: Arc<OwnedFd>,
    transfers: Arc<AtomicUsize>,
}

impl Watch for Attempt {
    fn poll_io(
        &mut self,
        _context: &mut Context<'_>,
        _interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        match io(self.fd.as_fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            result => {
                self.transfers.fetch_add(1, Ordering::Relaxed);
                Poll::Ready(result.map(Transfer::bytes))
            }
        }
    }
}

/// The driver of one end of a link. It closes its socket when the link is over.
pub struct Driver {
    task: Option<BoxFuture<'static, ()>>,
    transfers: Arc<AtomicUsize>,
}

impl Driver {
    /// Polls once, as a scheduler would that nobody has to wake.
    pub fn turn(&mut self) {
        let _ = poll_once(self);
    }

    /// Whether the link is over.
    pub fn is_over(&self) -> bool {
        self.task.is_none()
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(task) = &mut self.task else { return Poll::Ready(()) };
        let polled = task.as_mut().poll(context);
        if polled.is_ready() {
            self.task = None;
        }
        polled
    }
}

/// A node, its end of a link, and its end of the pipe to the node beyond.
#[derive(Debug)]
pub struct Side {
    /// The node.
    pub node: Node,
    /// The first pipe over the link.
    pub pipe: MessagePipe,
    /// What moves frames.
    pub driver: Driver,
}

/// Two nodes on one link, with the handshake behind them.
///
/// # Panics
/// If they do not come together.
pub fn join() -> (Side, Side) {
    let by_hand = Arc::new(ByHand::default());
    let scheduler: Arc<dyn Scheduler> = Arc::<ByHand>::clone(&by_hand);
    let (inviter, guest) = (Node::new(Arc::clone(&scheduler)), Node::new(scheduler));
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let near_pipe = inviter.send_invitation(ours).expect("a stream socket");
    let mut near_driver = by_hand.take_driver();
    let (far_pipe, far_driver) = {
        let mut acceptance = std::pin::pin!(guest.accept_invitation(theirs));
        assert!(poll_pinned(acceptance.as_mut()).is_pending());
        let mut far_driver = by_hand.take_driver();
        pump(&mut near_driver, &mut far_driver);
        match poll_pinned(acceptance) {
            Poll::Ready(pipe) => (pipe.expect("the invitation is accepted"), far_driver),
            Poll::Pending => panic!("the handshake has not ended"),
        }
    };
    let near = Side { node: inviter, pipe: near_pipe, driver: near_driver };
    (near, Side { node: guest, pipe: far_pipe, driver: far_driver })
}

/// Polls both drivers until neither moves anything.
pub fn pump(near: &mut Driver, far: &mut Driver) {
    loop {
        let before = near.transfers.load(Ordering::Relaxed);
        near.turn();
        far.turn();
        if near.transfers.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

impl fmt::Debug for ByHand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ByHand").finish_non_exhaustive()
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Driver").field("is_over", &self.is_over()).finish_non_exhaustive()
    }
}
