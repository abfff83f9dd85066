//! The driver of one link: read, act, write, park.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use mage_sched::{Interest, Watch};

use super::inbox::{Inbox, Stop};
use super::outbox::{Ending, Outbox};
use super::socket::{self, Handle};
use crate::core::{Control, Frame, LinkId};
use crate::error::{InvitationError, PeerMisbehaved};
use crate::node::Shared;
use crate::wire::{Names, encode, lose_handles};

/// Reads in one poll before other tasks get their turn.
const READS_MAX: usize = 16;
/// Writes in one poll before it is time to read: a peer that only ever wrote would leave the answers unread.
const WRITES_MAX: usize = 16;
/// Bytes that are encoded ahead of a write.
const BATCH_BYTES: usize = 64 << 10;

/// A link at work. Dropping it closes the link.
#[derive(Debug)]
pub(crate) struct Driver {
    node: Arc<Shared>,
    link: LinkId,
    watch: Box<dyn Watch>,
    names: Names,
    inbox: Inbox<Handle>,
    outbox: Arc<Outbox>,
    /// Taken from the outbox, not yet encoded.
    batch: VecDeque<Frame<Handle>>,
    /// Encoded, not yet written: bytes from `written` on, and the descriptors that go with the first of them.
    bytes: Vec<u8>,
    written: usize,
    handles: Vec<Handle>,
    /// Decoded, to be acted upon.
    frames: Vec<Frame<Handle>>,
    /// The peer takes no more bytes of ours. What it sent before still counts: the link is over when that is read.
    deaf: bool,
    finished: bool,
}

/// How a link begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With a handshake.
    Handshake,
    /// With frames: the broker has vouched for both sides.
    Introduced,
}

/// Why a link is over.
#[derive(Debug)]
enum Over {
    /// We closed it.
    ByUs,
    /// The peer closed it.
    Closed,
    Io(io::Error),
    Misbehaved(PeerMisbehaved),
    /// We had no room for the socket that came with the welcome.
    LostWelcome,
}

impl From<Stop> for Over {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Misbehaved(fault) => Self::Misbehaved(fault),
            Stop::LostWelcome => Self::LostWelcome,
        }
    }
}

impl Driver {
    pub(crate) fn new(
        node: Arc<Shared>,
        link: LinkId,
        watch: Box<dyn Watch>,
        names: Names,
        outbox: Arc<Outbox>,
        start: Start,
    ) -> Self {
        Self {
            node,
            link,
            watch,
            names,
            inbox: Inbox::new(matches!(start, Start::Introduced)),
            outbox,
            batch: VecDeque::new(),
            bytes: Vec::new(),
            written: 0,
            handles: Vec::new(),
            frames: Vec::new(),
            deaf: false,
            finished: false,
        }
    }

    fn poll_link(&mut self, context: &mut Context<'_>) -> Poll<Over> {
        loop {
            if let Poll::Ready(over) = self.poll_write(context) {
                return Poll::Ready(over);
            }
            let more = match self.poll_read(context) {
                Ok(more) => more,
                Err(over) => return Poll::Ready(over),
            };
            if more || self.could_write() {
                // What has arrived wakes tasks that are about to send, and what the node itself has to say leaves
                // with what they send, in one write. And if the socket has more, the others had their turn.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.outbox.park(context.waker().clone(), self.is_stuck_writing()) {
                Ok(old) => {
                    drop(old);
                    return Poll::Pending;
                }
                Err(waker) => drop(waker), // something was appended meanwhile
            }
        }
    }

    /// Whether a write was attempted and the socket did not take it all.
    fn is_stuck_writing(&self) -> bool {
        self.written < self.bytes.len()
    }

    /// Whether there is something to write, and nothing in the way of it.
    fn could_write(&self) -> bool {
        !self.is_stuck_writing() && (!self.batch.is_empty() || self.outbox.has_frames())
    }

    /// Reads until there is nothing, or for long enough. `Ok(true)`: there may be more.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Result<bool, Over> {
        for _ in 0..READS_MAX {
            let inbox = &mut self.inbox;
            let read = self.watch.poll_io(context, Interest::Read, &mut |socket| inbox.fill(socket));
            let Poll::Ready(read) = read else { return Ok(false) };
            match read {
                Ok(0) => return Err(Over::Closed),
                Ok(_) => self.act()?,
                Err(error) => return Err(Over::Io(error)),
            }
        }
        Ok(true)
    }

    /// Gives the node every frame that has arrived whole.
    fn act(&mut self) -> Result<(), Over> {
        let decoded = self.inbox.decode(&mut self.names, &self.node.limits, &mut self.frames);
        if !self.frames.is_empty() {
            self.node.on_frames(self.link, &mut self.frames).map_err(Over::Misbehaved)?;
        }
        Ok(decoded?)
    }

    /// Writes what there is, for long enough. Ready only when the link is over.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Over> {
        // What cannot be written yet stays where it is counted.
        let idle = self.batch.is_empty() && !self.is_stuck_writing();
        let ending = self.outbox.take(idle.then_some(&mut self.batch));
        match ending {
            Some(Ending::Now) => return Poll::Ready(Over::ByUs),
            Some(Ending::Overrun) => return Poll::Ready(Over::Misbehaved(PeerMisbehaved::TooManyRequests)),
            Some(Ending::Flush) | None => {}
        }
        if self.deaf {
            self.forget_unwritten();
        }
        for _ in 0..WRITES_MAX {
            if self.batch.is_empty() && !self.is_stuck_writing() {
                return if idle && ending.is_some() { Poll::Ready(Over::ByUs) } else { Poll::Pending };
            }
            if !self.is_stuck_writing() {
                self.encode_some();
            }
            if let Err(error) = ready!(self.poll_write_encoded(context)) {
                if !is_hang_up(&error) {
                    return Poll::Ready(Over::Io(error));
                }
                self.deaf = true;
                self.forget_unwritten();
            }
        }
        Poll::Pending
    }

    /// Encodes frames until the batch is large enough, or a frame brings descriptors: these go with its first byte.
    fn encode_some(&mut self) {
        self.bytes.clear();
        self.written = 0;
        while let Some(frame) = self.batch.front() {
            let starts_a_write = frame.has_handles();
            if !self.bytes.is_empty() && (starts_a_write || self.bytes.len() >= BATCH_BYTES) {
                return;
            }
            let Some(frame) = self.batch.pop_front() else { return };
            if let Frame::Control(Control::Welcome(welcome)) = &frame {
                self.names = Names::of_inviter(welcome);
            }
            encode(frame, self.names, &mut self.bytes, &mut self.handles);
        }
    }

    fn poll_write_encoded(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            let handles = &self.handles;
            let write = |socket: std::os::fd::BorrowedFd<'_>| socket::write(socket, rest, handles);
            let sent = match ready!(self.watch.poll_io(context, Interest::Write, &mut { write })) {
                Ok(sent) => sent,
                Err(error) if !is_hang_up(&error) && self.lose_handles() => continue,
                Err(error) => return Poll::Ready(Err(error)),
            };
            if sent > 0 {
                self.handles.clear(); // the kernel has them
            }
            self.written += sent;
        }
        if self.bytes.capacity() > 4 * BATCH_BYTES {
            self.bytes = Vec::new();
        } else {
            self.bytes.clear();
        }
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// The kernel has refused a write. If it was for the handles, the frame goes without them and says so: too many may
    /// be in flight, or they are of a sort that cannot be passed. If it was not, the next attempt fails as well.
    fn lose_handles(&mut self) -> bool {
        if self.handles.is_empty() || !lose_handles(&mut self.bytes) {
            return false;
        }
        self.handles.clear();
        true
    }

    fn forget_unwritten(&mut self) {
        self.batch.clear();
        self.bytes.clear();
        self.handles.clear();
        self.written = 0;
    }

    fn finish(&mut self, over: Over) {
        if mem::replace(&mut self.finished, true) {
            return;
        }
        drop(self.outbox.abandon());
        match over {
            Over::ByUs => self.node.on_link_down(self.link, InvitationError::Closed),
            Over::Closed => self.node.on_link_down(self.link, InvitationError::Closed),
            Over::Io(error) if is_hang_up(&error) => {
                self.node.on_link_down(self.link, InvitationError::Closed)
            }
            Over::Io(error) => self.node.on_link_down(self.link, error.into()),
            Over::Misbehaved(fault) => self.node.on_misbehaviour(self.link, fault),
            Over::LostWelcome => self.node.on_link_down(self.link, InvitationError::HandlesLost),
        }
    }
}

/// Whether the socket only says that nobody is at its other end: with unread bytes of ours over there, the end of the
/// stream comes as one of these.
fn is_hang_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let over = ready!(self.poll_link(context));
        self.finish(over);
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.finish(Over::ByUs);
    }
}
