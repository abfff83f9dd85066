//! The driver of one link: read, act, write, park.

use std::future::Future;
use std::io;
use std::mem;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use mage_sched::{Interest, Watch};

use super::handle::{Allowance, Handle};
use super::inbox::{Inbox, Stop};
use super::outbox::{Ending, Outbox, Parked};
use super::socket::check_stream_socket;
use super::writer::{Via, Writer, is_hang_up};
use crate::core::{Control, Frame, LinkId, Welcome};
use crate::error::{InvitationError, PeerMisbehaved};
use crate::node::Shared;
use crate::wire::Names;

/// Reads in one poll before other tasks get their turn.
const READS_MAX: usize = 16;

/// A link at work. Dropping it closes the link.
#[derive(Debug)]
pub(crate) struct Driver {
    node: Arc<Shared>,
    link: LinkId,
    watch: Box<dyn Watch>,
    names: Names,
    inbox: Inbox<Handle>,
    allowance: Allowance,
    outbox: Arc<Outbox>,
    /// Empty while somebody writes to whom it was lent, or could.
    writer: Option<Box<Writer>>,
    /// Decoded, to be acted upon.
    frames: Vec<Frame<Handle>>,
    /// How many frames have come since the driver last slept.
    heard: usize,
    /// Whether it has left something to be written.
    writes: bool,
    finished: bool,
}

/// A socket, and the scheduler's guard of it.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) socket: Arc<OwnedFd>,
    pub(crate) watch: Box<dyn Watch>,
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
        Watched { socket, watch }: Watched,
        names: Names,
        outbox: Arc<Outbox>,
        start: Start,
    ) -> Self {
        let allowance = Allowance::new(&node.limits, Arc::clone(&node.handles));
        Self {
            node,
            link,
            watch,
            names,
            inbox: Inbox::new(matches!(start, Start::Introduced)),
            allowance,
            outbox,
            writer: Some(Box::new(Writer::new(socket, names))),
            frames: Vec::new(),
            heard: 0,
            writes: false,
            finished: false,
        }
    }

    fn poll_link(&mut self, context: &mut Context<'_>) -> Poll<Over> {
        if (mem::take(&mut self.writes) || self.outbox.is_calling())
            && let Poll::Ready(over) = self.poll_write(context)
        {
            return Poll::Ready(over);
        }
        loop {
            let more = match self.poll_read(context) {
                Ok(more) => more,
                Err(over) => return Poll::Ready(over),
            };
            let heard = mem::take(&mut self.heard);
            if !more && self.park(context, heard) {
                return Poll::Pending;
            }
            if more || heard > 0 || !self.writer_is_idle() {
                // What has arrived wakes tasks that are about to send, and what the node itself has to say leaves
                // with what they send, in one write. And if the socket has more, the others had their turn.
                self.writes = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Something was appended meanwhile.
            if let Poll::Ready(over) = self.poll_write(context) {
                return Poll::Ready(over);
            }
        }
    }

    /// Goes to sleep, having heard so many frames; false if there is something to do.
    ///
    /// In a dialogue whoever speaks next may write by itself. In a stream it is better to wait for more to write. And a
    /// welcome is for this driver alone to write: from then on it knows what the names mean that it reads.
    fn park(&mut self, context: &Context<'_>, heard: usize) -> bool {
        let lends = heard == 1 && self.names.are_known();
        let idle = self.writer_is_idle();
        let mut fresh = None;
        loop {
            let (waker, writer) = (context.waker(), &mut self.writer);
            let (parked, left) = self.outbox.park(waker, fresh.take(), writer, self.names, lends);
            drop(left);
            match parked {
                Parked::Asleep => {
                    self.writes = !idle;
                    return true;
                }
                Parked::Urgent => return false,
                Parked::Unknown => fresh = Some(waker.clone()),
            }
        }
    }

    /// Whether there is nothing that it could have written already.
    fn writer_is_idle(&self) -> bool {
        self.writer.as_ref().is_none_or(|writer| writer.is_idle())
    }

    /// Reads until there is nothing, or for long enough. `Ok(true)`: there may be more.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Result<bool, Over> {
        for _ in 0..READS_MAX {
            let (inbox, allowance) = (&mut self.inbox, &mut self.allowance);
            let fill = &mut |socket: BorrowedFd<'_>| inbox.fill(socket, allowance);
            let read = self.watch.poll_io(context, Interest::Read, fill);
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
        let was_named = self.names.me.is_some();
        let decoded = self.inbox.decode(&mut self.names, &self.node.limits, &mut self.frames);
        if !was_named && self.names.me.is_some() {
            self.check_welcome().map_err(Over::Misbehaved)?;
        }
        if !self.frames.is_empty() {
            self.heard += self.frames.len();
            self.node.on_frames(self.link, &mut self.frames).map_err(Over::Misbehaved)?;
        }
        Ok(decoded?)
    }

    /// The socket that comes with a welcome is the link to the broker, without which there is nothing to join.
    fn check_welcome(&self) -> Result<(), PeerMisbehaved> {
        let is_none = |frame: &Frame<Handle>| match frame {
            Frame::Control(Control::Welcome(Welcome { socket: Some(socket), .. })) => {
                check_stream_socket(socket).is_err()
            }
            _ => false,
        };
        if self.frames.iter().any(is_none) { Err(PeerMisbehaved::NotASocket) } else { Ok(()) }
    }

    /// Writes what there is, for long enough. Ready only when the link is over.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Over> {
        let (ending, took_all) = self.outbox.take(&mut self.writer);
        match ending {
            Some(Ending::Now) => return Poll::Ready(Over::ByUs),
            Some(Ending::Overrun) => return Poll::Ready(Over::Misbehaved(PeerMisbehaved::TooManyRequests)),
            Some(Ending::Flush) | None => {}
        }
        let Some(writer) = &mut self.writer else { return Poll::Pending };
        writer.names = self.names;
        let written = writer.write(Via::Watch(&mut *self.watch, context));
        self.names = writer.names;
        match written {
            Ok(()) => {}
            Err(error) if is_hang_up(&error) => writer.grow_deaf(),
            Err(error) => return Poll::Ready(Over::Io(error)),
        }
        if took_all && ending.is_some() && writer.is_idle() { Poll::Ready(Over::ByUs) } else { Poll::Pending }
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
