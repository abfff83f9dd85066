//! Watched descriptors that deliver in pieces.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType, recvmsg, sendmsg, shutdown,
    socketpair, sockopt,
};

use super::Shared;
use super::random::Random;
use crate::{Interest, Transfer, Watch, set_nonblocking};

/// The most bytes that are delivered at once; often far fewer.
const PIECE_BYTES_MAX: usize = 4096;

/// The most descriptors that Linux lets one message carry.
const HANDLES_MAX: usize = 253;

/// How often a poll is told to wait though it need not: once in this many.
const POLLS_PER_STALL: usize = 8;

/// A watched descriptor, as the simulator sees it.
#[derive(Debug)]
pub(super) struct Wire {
    fd: Arc<OwnedFd>,
    feed: Option<Feed>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What stands in for a stream when it is read: the simulator moves pieces of it from the real one to the inlet.
#[derive(Debug)]
struct Feed {
    inlet: OwnedFd,
    outlet: Arc<OwnedFd>,
}

/// Something a wire can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// Move a piece to the reader, or tell it that the descriptor is readable.
    Read,
    /// Tell the writer that there is room.
    Write,
}

impl Wire {
    pub(super) fn new(fd: Arc<OwnedFd>) -> io::Result<Self> {
        set_nonblocking(&fd)?;
        let feed = if is_stream(&fd) { Some(Feed::new()?) } else { None };
        Ok(Self { fd, feed, reader: None, writer: None })
    }

    /// What this wire can do for those who wait.
    pub(super) fn ready(&self) -> impl Iterator<Item = Delivery> {
        let read = self.reader.is_some() && is_ready(&self.fd, PollFlags::IN);
        let write = self.writer.is_some() && is_ready(&self.fd, PollFlags::OUT);
        [read.then_some(Delivery::Read), write.then_some(Delivery::Write)].into_iter().flatten()
    }

    /// Does it, and returns the size of the piece and who has to be woken.
    pub(super) fn deliver(&mut self, delivery: Delivery, random: &mut Random) -> (usize, Option<Waker>) {
        match (delivery, &self.feed) {
            (Delivery::Write, _) => (0, self.writer.take()),
            (Delivery::Read, None) => (0, self.reader.take()),
            (Delivery::Read, Some(feed)) => {
                // Small pieces are as likely as large ones: first how many digits, then which number.
                let digits = random.below(PIECE_BYTES_MAX.ilog2() as usize + 1);
                let size = 1 + random.below(1 << digits);
                let moved = feed.pull(self.fd.as_fd(), size).unwrap_or(0);
                if moved == 0 {
                    // The end, or an error, which the reader sees as the end. Refused if the reader is gone.
                    let _ = shutdown(&feed.inlet, Shutdown::Write);
                }
                (moved, self.reader.take())
            }
        }
    }
}

impl Feed {
    fn new() -> io::Result<Self> {
        let (inlet, outlet) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)?;
        for end in [&inlet, &outlet] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            set_nonblocking(end)?;
        }
        Ok(Self { inlet, outlet: Arc::new(outlet) })
    }

    /// Moves up to `size` bytes, with the descriptors that come with them. The outlet is empty when this is called, because
    /// its reader waits, so one piece always finds room.
    fn pull(&self, from: BorrowedFd<'_>, size: usize) -> io::Result<usize> {
        let mut bytes = [0; PIECE_BYTES_MAX];
        let room = bytes.get_mut(..size).unwrap_or_default();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDLES_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let moved = recvmsg(from, &mut [IoSliceMut::new(room)], &mut control, receive_flags())?.bytes;
        let mut handles = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                handles.extend(received);
            }
        }
        let Some(piece) = bytes.get(..moved).filter(|piece| !piece.is_empty()) else { return Ok(0) };
        let handles: Vec<BorrowedFd<'_>> = handles.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDLES_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !handles.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&handles));
        }
        Ok(sendmsg(&self.inlet, &[IoSlice::new(piece)], &mut control, SendFlags::NOSIGNAL)?)
    }
}

/// The guard of a wire.
#[derive(Debug)]
pub(super) struct SimWatch {
    shared: Arc<Shared>,
    slot: usize,
    fd: Arc<OwnedFd>,
    outlet: Option<Arc<OwnedFd>>,
}

impl SimWatch {
    pub(super) fn new(shared: Arc<Shared>, fd: Arc<OwnedFd>) -> io::Result<Self> {
        let wire = Wire::new(Arc::clone(&fd))?;
        let outlet = wire.feed.as_ref().map(|feed| Arc::clone(&feed.outlet));
        let slot = shared.state.lock().wires.insert(wire);
        Ok(Self { shared, slot, fd, outlet })
    }

    /// Keeps `waker` until the wire has something, and returns what it takes the place of.
    fn park(&self, interest: Interest, waker: Waker) -> Option<Waker> {
        let mut state = self.shared.state.lock();
        let wire = state.wires.get_mut(self.slot)?;
        match interest {
            Interest::Read => wire.reader.replace(waker),
            Interest::Write => wire.writer.replace(waker),
        }
    }
}

impl Watch for SimWatch {
    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        let stalls = self.shared.state.lock().random.one_in(POLLS_PER_STALL);
        if stalls {
            context.waker().wake_by_ref(); // it would have blocked just now; some time later it will not
            return Poll::Pending;
        }
        let fd = match (interest, &self.outlet) {
            (Interest::Read, Some(outlet)) => outlet.as_fd(),
            (Interest::Read, None) | (Interest::Write, _) => self.fd.as_fd(),
        };
        match io(fd) {
            Ok(transfer) => Poll::Ready(Ok(transfer.bytes())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                drop(self.park(interest, context.waker().clone()));
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for SimWatch {
    fn drop(&mut self) {
        let wire = self.shared.state.lock().wires.try_remove(self.slot);
        drop(wire); // outside the lock: wakers are foreign code
    }
}

/// Whether `fd` is a connected stream socket, whose bytes may come in any pieces.
fn is_stream(fd: &OwnedFd) -> bool {
    let listens = sockopt::socket_acceptconn(fd);
    sockopt::socket_type(fd) == Ok(SocketType::STREAM) && listens == Ok(false)
}

/// Looks, and does not wait.
fn is_ready(fd: &OwnedFd, flags: PollFlags) -> bool {
    let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(fd, flags)], Some(&zero)) == Ok(1)
}

#[cfg(not(target_vendor = "apple"))]
fn receive_flags() -> RecvFlags {
    RecvFlags::CMSG_CLOEXEC
}

#[cfg(target_vendor = "apple")]
fn receive_flags() -> RecvFlags {
    RecvFlags::empty()
}
