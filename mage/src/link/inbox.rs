//! Bytes and descriptors in, frames out.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;

use mage_sched::Transfer;

use super::handle::{Allowance, Handle};
use super::socket;
use crate::core::{Control, Frame};
use crate::error::PeerMisbehaved;
use crate::limits::Limits;
use crate::wire::{Batch, Decoded, Names, check_arrived, decode, decode_first};

/// What is read at once, when nothing says that more is coming.
const READ_BYTES: usize = 64 << 10;
/// The same on a new link. Many links never have more to read at once, and clearing a whole buffer would be much of what an
/// introduction costs.
const READ_BYTES_FIRST: usize = 4 << 10;

#[derive(Debug)]
#[cfg_attr(any(fuzzing, test), derive(Clone))]
pub(crate) struct Inbox<H> {
    buffer: Vec<u8>,
    /// The bytes in `buffer` that have been read from the socket and not yet decoded.
    start: usize,
    end: usize,
    /// How many bytes the frame at the front needs, as far as is known.
    needed: usize,
    /// What is read at once: more, once a read has filled what there was.
    read_bytes: usize,
    /// What has arrived beside these bytes: never more than the front frame's batch and the next one's.
    arrived: VecDeque<Batch<H>>,
    greeted: bool,
}

/// Why nothing more can be read from a link.
#[derive(Debug)]
pub(crate) enum Stop {
    Misbehaved(PeerMisbehaved),
    /// The welcome came without its socket, which this process had no room for.
    LostWelcome,
}

impl From<PeerMisbehaved> for Stop {
    fn from(fault: PeerMisbehaved) -> Self {
        Self::Misbehaved(fault)
    }
}

impl Inbox<Handle> {
    /// Reads once. The buffer grows by what has arrived, never by what a frame promises.
    pub(super) fn fill(&mut self, socket: BorrowedFd<'_>, allowance: &mut Allowance) -> io::Result<Transfer> {
        self.make_room();
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let (transfer, batch) = socket::read(socket, free)?;
        self.take_in(transfer.bytes(), batch.map(|batch| allowance.admit(batch)));
        Ok(transfer)
    }
}

impl<H> Inbox<H> {
    /// For a link whose first frame is a hello, or one that was introduced and needs none.
    pub(crate) fn new(greeted: bool) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            end: 0,
            needed: 0,
            read_bytes: READ_BYTES_FIRST,
            arrived: VecDeque::new(),
            greeted,
        }
    }

    /// So many bytes have been read into the buffer, and this beside them.
    fn take_in(&mut self, bytes: usize, batch: Option<Batch<H>>) {
        self.arrived.extend(batch);
        self.end += bytes;
        if self.end == self.buffer.len() {
            self.read_bytes = READ_BYTES;
        }
    }

    /// Reads from memory what a socket would have brought in one piece; returns how much of it there was room for.
    #[cfg(any(fuzzing, test))]
    pub(crate) fn fill_from(&mut self, bytes: &[u8], batch: Option<Batch<H>>) -> usize {
        self.make_room();
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = bytes.len().min(free.len());
        free[..count].copy_from_slice(&bytes[..count]);
        self.take_in(count, batch);
        count
    }

    fn make_room(&mut self) {
        let unread = self.end - self.start;
        if unread == 0 {
            (self.start, self.end) = (0, 0);
            if self.buffer.len() > 16 * READ_BYTES {
                self.buffer = Vec::new();
            }
        }
        let missing = self.needed.saturating_sub(unread);
        let wanted = missing.clamp(self.read_bytes, self.read_bytes.max(unread));
        if self.buffer.len() - self.end >= wanted.min(self.read_bytes) && self.start < self.read_bytes {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, unread);
        if self.buffer.len() < unread + wanted {
            self.buffer.resize(unread + wanted, 0);
        }
    }

    /// Decodes every whole frame that has arrived.
    pub(crate) fn decode(
        &mut self,
        names: &mut Names,
        limits: &Limits,
        frames: &mut Vec<Frame<H>>,
    ) -> Result<(), Stop> {
        loop {
            let input = self.buffer.get(self.start..self.end).unwrap_or_default();
            if input.is_empty() {
                return Ok(check_arrived(input, &self.arrived)?);
            }
            let decoded = if self.greeted {
                decode(input, *names, &mut self.arrived, limits)
            } else {
                decode_first(input, &mut self.arrived, limits)
            };
            match decoded? {
                Decoded::NeedBytes(needed) => {
                    self.needed = needed;
                    return Ok(check_arrived(input, &self.arrived)?);
                }
                Decoded::LostWelcome => return Err(Stop::LostWelcome),
                Decoded::Skip { bytes, handles } => {
                    self.advance(bytes);
                    drop(handles);
                }
                Decoded::Frame { frame, bytes } => {
                    self.advance(bytes);
                    self.greeted = true;
                    if let Frame::Control(Control::Welcome(welcome)) = &frame {
                        *names = Names::of_acceptor(welcome, names.mask);
                    }
                    frames.push(frame);
                }
            }
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
        self.needed = 0;
    }
}
