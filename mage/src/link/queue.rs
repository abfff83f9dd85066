//! What waits to be written, in the order in which it was appended.

use std::collections::VecDeque;
use std::mem;

use super::handle::Handle;
use crate::core::{Body, Frame};
use crate::wire::{Names, encode};

/// A longer payload is encoded by whoever writes it: nothing long is copied while the node is locked.
const ENCODED_AT_ONCE_MAX: usize = 1 << 10;
/// When encoded frames begin another piece.
const PIECE_BYTES: usize = 64 << 10;

/// Frames, the short ones as bytes already: what a message was made of is free again at once, and nothing has to be moved
/// about. Empty queues keep their buffers.
#[derive(Debug, Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    /// Encoded, and behind all `items`.
    tail: Vec<u8>,
    /// How many frames all of it is.
    count: usize,
}

#[derive(Debug)]
pub(super) enum Item {
    Frame(Frame<Handle>),
    /// Frames without handles.
    Encoded(Vec<u8>),
}

impl Queue {
    /// How many frames wait.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.tail.is_empty()
    }

    /// Appends a frame; encoded, if it is short and the names for that are known.
    pub(super) fn push(&mut self, frame: Frame<Handle>, names: Option<Names>) {
        self.count += 1;
        match names {
            Some(names) if is_short(&frame) => {
                if self.tail.len() >= PIECE_BYTES {
                    self.close_tail();
                }
                encode(frame, names, &mut self.tail, &mut Vec::new());
            }
            _ => {
                self.close_tail();
                self.items.push_back(Item::Frame(frame));
            }
        }
    }

    /// Moves everything to `other`, which is empty, except bytes that can be written at once: these go to `bytes`, which is
    /// empty as well.
    pub(super) fn take(&mut self, other: &mut VecDeque<Item>, bytes: &mut Vec<u8>) {
        self.count = 0;
        if self.items.is_empty() {
            return mem::swap(&mut self.tail, bytes);
        }
        self.close_tail();
        mem::swap(&mut self.items, other);
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.items.push_back(Item::Encoded(mem::take(&mut self.tail)));
        }
    }
}

fn is_short(frame: &Frame<Handle>) -> bool {
    match frame {
        Frame::Endpoint { body: Body::User(parcel), .. } => {
            parcel.bytes.len() <= ENCODED_AT_ONCE_MAX && parcel.handles.is_empty() && !parcel.handles_lost
        }
        Frame::Endpoint { .. } => true,
        Frame::Control(_) => false,
    }
}
