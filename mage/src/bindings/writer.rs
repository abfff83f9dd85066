//! [`Writer`]: a message being written.

use std::os::fd::OwnedFd;

use super::pipe::MessagePipe;
use super::value::Encode;
use crate::error::SendErrorKind;
use crate::limits::VALUE_DEPTH_MAX;
use crate::node::Draft;

/// A message being written.
#[derive(Debug)]
pub struct Writer {
    draft: Draft,
    /// How many values that may contain themselves surround what is being written.
    depth: u32,
    /// The first value that no reader would take.
    fault: Option<SendErrorKind>,
}

impl Writer {
    pub(crate) fn with_header(header: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(header.len() + 96);
        bytes.extend_from_slice(header);
        Self { draft: Draft { bytes, ..Draft::default() }, depth: 0, fault: None }
    }

    /// Appends a value.
    #[inline]
    pub fn put<T: Encode>(&mut self, value: T) {
        value.encode(self);
    }

    /// Appends bytes as they are.
    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.draft.bytes.extend_from_slice(bytes);
    }

    /// Room for so many bytes, to be filled.
    pub(super) fn room(&mut self, length: usize) -> &mut [u8] {
        let start = self.draft.bytes.len();
        self.draft.bytes.resize(start + length, 0);
        self.draft.bytes.get_mut(start..).unwrap_or_default()
    }

    /// Appends the length of what follows, which must not be more than `length_max`.
    pub(super) fn length(&mut self, length: usize, length_max: u32) {
        // What is longer than any number is refused as a whole when it is sent: no message may be that large.
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if length > length_max {
            self.fail(SendErrorKind::OutOfBounds { length, length_max });
        }
        self.put(length);
    }

    /// Appends a text of at most so many bytes.
    pub(super) fn text(&mut self, text: &str, length_max: u32) {
        self.length(text.len(), length_max);
        self.bytes(text.as_bytes());
    }

    pub(super) fn pipe(&mut self, pipe: MessagePipe) {
        self.draft.pipes.push(pipe);
    }

    pub(super) fn handle(&mut self, handle: OwnedFd) {
        self.draft.handles.push(handle);
    }

    /// Appends a value that may contain others of its kind.
    pub fn nested(&mut self, write: impl FnOnce(&mut Self)) {
        if self.depth == VALUE_DEPTH_MAX {
            return self.fail(SendErrorKind::TooDeep);
        }
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    /// Appends what a reader can skip without knowing it: its length, how many pipes and handles it has, and itself.
    pub fn envelope(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.draft.bytes.len();
        let (pipes, handles) = (self.draft.pipes.len(), self.draft.handles.len());
        self.bytes(&[0; ENVELOPE_BYTES]);
        self.nested(write);
        // More than these numbers can say is refused when it is sent.
        let length = self.draft.bytes.len() - start - ENVELOPE_BYTES;
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        let count = |now: usize, before: usize| u8::try_from(now - before).unwrap_or(u8::MAX);
        let attachments = [count(self.draft.pipes.len(), pipes), count(self.draft.handles.len(), handles)];
        if let Some(header) = self.draft.bytes.get_mut(start..start + ENVELOPE_BYTES) {
            let (head, tail) = header.split_at_mut(length.len());
            head.copy_from_slice(&length);
            tail.copy_from_slice(&attachments);
        }
    }

    /// Stands for the value of a member of a union that is not known here. Nobody who knows the member would take it without its
    /// value, so the message is not sent.
    pub fn unknown_member(&mut self, number: u32) {
        self.fail(SendErrorKind::UnknownMember { number });
    }

    fn fail(&mut self, fault: SendErrorKind) {
        self.fault.get_or_insert(fault);
    }

    /// Why what has been written cannot be sent, if it cannot.
    pub(crate) fn fault(&self) -> Option<SendErrorKind> {
        self.fault
    }

    pub(crate) fn finish(self) -> Draft {
        self.draft
    }
}

/// The length as a `u32`, and the numbers of pipes and of handles as a `u8` each.
const ENVELOPE_BYTES: usize = 6;
