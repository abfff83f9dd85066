//! The sending half of a link: frames in, bytes out.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use mage_sched::sync::outside;
use mage_sched::{Interest, Transfer, Watch};

use super::handle::Handle;
use super::queue::{Item, Queue};
use super::socket;
use crate::core::{Control, Frame};
use crate::wire::{Names, encode, lose_handles};

/// Writes in one go before it is time to read: a peer that only ever wrote would leave the answers unread.
const WRITES_MAX: usize = 16;
/// Bytes that are encoded ahead of a write.
const BATCH_BYTES: usize = 64 << 10;

/// What is on its way out. Whoever owns it may write to the socket: the link's driver, or for one write the sender to whom a
/// sleeping driver has lent it.
#[derive(Debug)]
pub(crate) struct Writer {
    socket: Arc<OwnedFd>,
    pub(super) names: Names,
    /// Taken from the outbox, not yet encoded.
    batch: VecDeque<Item>,
    /// Encoded, not yet written: bytes from `written` on, and the descriptors that go with the first of them.
    bytes: Vec<u8>,
    written: usize,
    handles: Vec<Handle>,
    /// The peer takes no more bytes of ours.
    deaf: bool,
}

/// How to reach the socket.
pub(super) enum Via<'a, 'b> {
    /// As a task of the scheduler, which wakes it when there is room again.
    Watch(&'a mut dyn Watch, &'a mut Context<'b>),
    /// Once, now.
    Socket,
}

impl Writer {
    pub(super) fn new(socket: Arc<OwnedFd>, names: Names) -> Self {
        Self {
            socket,
            names,
            batch: VecDeque::new(),
            bytes: Vec::new(),
            written: 0,
            handles: Vec::new(),
            deaf: false,
        }
    }

    /// Whether everything that was taken has been written.
    pub(super) fn is_idle(&self) -> bool {
        self.batch.is_empty() && !self.is_stuck()
    }

    /// Whether a write was attempted and the socket did not take it all.
    pub(super) fn is_stuck(&self) -> bool {
        self.written < self.bytes.len()
    }

    pub(super) fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// Moves `queue` here if there is nothing else to write. What cannot be written yet stays where it is counted.
    pub(super) fn take(&mut self, queue: &mut Queue) -> bool {
        let idle = self.is_idle();
        if idle {
            queue.take(&mut self.batch, &mut self.bytes);
        }
        idle
    }

    /// Writes what there is, until the socket is full or for long enough; the rest stays.
    pub(super) fn write(&mut self, mut via: Via<'_, '_>) -> io::Result<()> {
        if self.deaf {
            self.forget();
        }
        for _ in 0..WRITES_MAX {
            if self.is_idle() {
                break;
            }
            if !self.is_stuck() {
                self.encode_some();
            }
            match self.poll_write_encoded(&mut via) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// The peer takes no more bytes. What it sent before still counts: the link is over when that is read.
    pub(super) fn grow_deaf(&mut self) {
        self.deaf = true;
        self.forget();
    }

    fn forget(&mut self) {
        self.batch.clear();
        self.bytes.clear();
        self.handles.clear();
        self.written = 0;
    }

    /// Encodes frames until the batch is large enough, or a frame brings descriptors: these go with its first byte.
    fn encode_some(&mut self) {
        self.bytes.clear();
        self.written = 0;
        while let Some(item) = self.batch.front() {
            let starts_a_write = matches!(item, Item::Frame(frame) if frame.has_handles());
            if !self.bytes.is_empty() && (starts_a_write || self.bytes.len() >= BATCH_BYTES) {
                return;
            }
            match self.batch.pop_front() {
                Some(Item::Frame(frame)) => {
                    if let Frame::Control(Control::Welcome(welcome)) = &frame {
                        self.names = Names::of_inviter(welcome, self.names.mask);
                    }
                    encode(frame, self.names, &mut self.bytes, &mut self.handles);
                }
                Some(Item::Encoded(encoded)) if self.bytes.is_empty() => self.bytes = encoded,
                Some(Item::Encoded(encoded)) => self.bytes.extend_from_slice(&encoded),
                None => return,
            }
        }
    }

    fn poll_write_encoded(&mut self, via: &mut Via<'_, '_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            let handles = &self.handles;
            let mut write = |socket: BorrowedFd<'_>| socket::write(socket, rest, handles);
            let sent = match via.poll(self.socket.as_fd(), &mut write) {
                Poll::Ready(Ok(sent)) => sent,
                Poll::Ready(Err(error)) if !is_hang_up(&error) && self.lose_handles() => continue,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
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
}

impl Via<'_, '_> {
    fn poll(
        &mut self,
        socket: BorrowedFd<'_>,
        write: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Watch(watch, context) => watch.poll_io(context, Interest::Write, write),
            Self::Socket => {
                outside();
                match write(socket) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                    result => Poll::Ready(result.map(Transfer::bytes)),
                }
            }
        }
    }
}

/// Whether the socket only says that nobody is at its other end: with unread bytes of ours over there, the end of the
/// stream comes as one of these.
pub(super) fn is_hang_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
