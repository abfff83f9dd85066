//! Values to bytes and back: what generated code is made of.
//!
//! All numbers are little-endian and fixed in size. A `bool` is one byte, 0 or 1. A `string` is its length in bytes as a
//! `u32`, then UTF-8. A pipe or handle has no bytes: attachments are taken in order. What is made of several values is
//! in `containers.rs`.

use std::os::fd::OwnedFd;

use super::pipe::MessagePipe;
use crate::error::{BadMessage, SendErrorKind};
use crate::limits::VALUE_DEPTH_MAX;
use crate::node::Draft;

/// What is wrong with the bytes of a value.
pub type DecodeError = BadMessage;

/// A message being written.
#[derive(Debug)]
pub struct Writer {
    draft: Draft,
    /// How many values that may contain themselves surround what is being written.
    depth: u32,
    /// The first value that no reader would take.
    fault: Option<SendErrorKind>,
}

/// A value that can be put into a message.
pub trait Encode {
    /// Appends the value.
    fn encode(self, writer: &mut Writer);

    /// Appends several, one behind the other.
    fn encode_all(values: impl ExactSizeIterator<Item = Self>, writer: &mut Writer)
    where
        Self: Sized,
    {
        for value in values {
            value.encode(writer);
        }
    }
}

/// A value that can be taken out of a message.
pub trait Decode: Sized {
    /// The least that such a value takes, in bytes and attachments; never zero, so that what a message declares can be
    /// held against what has arrived.
    const SIZE_MIN: usize = 1;

    /// Takes the value from the front.
    ///
    /// # Errors
    /// If the bytes are not those of such a value. Nothing is allocated that has not arrived.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Takes several. That so many can have arrived is known.
    ///
    /// # Errors
    /// As [`Decode::decode`].
    fn decode_array(count: usize, reader: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(Self::decode(reader)?);
        }
        Ok(values)
    }
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

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.draft.bytes.extend_from_slice(bytes);
    }

    /// Room for so many bytes, to be filled.
    fn room(&mut self, length: usize) -> &mut [u8] {
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

/// A message being read.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    pipes: std::vec::IntoIter<MessagePipe>,
    handles: std::vec::IntoIter<OwnedFd>,
    /// How many values that may contain themselves surround what is being read.
    depth: u32,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], pipes: Vec<MessagePipe>, handles: Vec<OwnedFd>) -> Self {
        Self { bytes, pipes: pipes.into_iter(), handles: handles.into_iter(), depth: 0 }
    }

    /// Takes a value.
    ///
    /// # Errors
    /// If the message does not go on with such a value.
    #[inline]
    pub fn take<T: Decode>(&mut self) -> Result<T, DecodeError> {
        T::decode(self)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or(BadMessage::Truncated)?;
        self.bytes = rest;
        Ok(*head)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(BadMessage::Truncated)?;
        self.bytes = rest;
        Ok(head)
    }

    /// Takes the length of what follows: at most `length_max`, and no more than can have arrived of something that takes
    /// at least `size_min` each.
    pub(super) fn length(&mut self, length_max: u32, size_min: usize) -> Result<usize, DecodeError> {
        let length = self.take::<u32>()?;
        if length > length_max {
            return Err(BadMessage::OutOfBounds { length, length_max });
        }
        let left = self.bytes.len() + self.pipes.len() + self.handles.len();
        let length = length as usize;
        if length > left / size_min.max(1) { Err(BadMessage::Truncated) } else { Ok(length) }
    }

    /// Takes a value that may contain others of its kind.
    ///
    /// # Errors
    /// As `read`, and if too many surround it already.
    pub fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth == VALUE_DEPTH_MAX {
            return Err(BadMessage::TooDeep);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// Takes what [`Writer::envelope`] wrote, and skips whatever of it `read` does not take.
    ///
    /// # Errors
    /// As `read`, and if it takes more than the envelope has.
    pub fn envelope<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let length = self.take::<u32>()?;
        let [pipes, handles] = self.array()?;
        let inside = self.slice(length as usize)?;
        let behind =
            |left: usize, inside: u8| left.checked_sub(inside.into()).ok_or(BadMessage::MissingAttachment);
        let pipes_behind = behind(self.pipes.len(), pipes)?;
        let handles_behind = behind(self.handles.len(), handles)?;
        let behind = std::mem::replace(&mut self.bytes, inside);
        let value = self.nested(read)?;
        self.bytes = behind;
        if self.pipes.len() < pipes_behind || self.handles.len() < handles_behind {
            return Err(BadMessage::InvalidValue);
        }
        while self.pipes.len() > pipes_behind {
            drop(self.pipes.next());
        }
        while self.handles.len() > handles_behind {
            drop(self.handles.next());
        }
        Ok(value)
    }

    /// Takes a value that an older writer does not write: without one, it is `default`.
    ///
    /// # Errors
    /// As `read`.
    pub fn take_or<T>(
        &mut self,
        default: impl FnOnce() -> T,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.bytes.is_empty() { Ok(default()) } else { read(self) }
    }

    /// Whether everything has been taken.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        let empty = self.bytes.is_empty() && self.pipes.len() == 0 && self.handles.len() == 0;
        if empty { Ok(()) } else { Err(BadMessage::TrailingData) }
    }
}

/// The value that these bytes are, all of them.
pub(crate) fn decode_detached<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes, Vec::new(), Vec::new());
    let value = reader.take()?;
    reader.finish()?;
    Ok(value)
}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Encode for $number {
            #[inline]
            fn encode(self, writer: &mut Writer) {
                writer.bytes(&self.to_le_bytes());
            }
        }

        impl Encode for &$number {
            #[inline]
            fn encode(self, writer: &mut Writer) {
                writer.put(*self);
            }

            fn encode_all(values: impl ExactSizeIterator<Item = Self>, writer: &mut Writer) {
                const SIZE: usize = size_of::<$number>();
                let room = writer.room(values.len() * SIZE);
                for (place, value) in room.chunks_exact_mut(SIZE).zip(values) {
                    place.copy_from_slice(&value.to_le_bytes());
                }
            }
        }

        impl Decode for $number {
            const SIZE_MIN: usize = size_of::<Self>();

            #[inline]
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.array().map(Self::from_le_bytes)
            }

            fn decode_array(count: usize, reader: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
                const SIZE: usize = size_of::<$number>();
                let bytes = reader.slice(count.saturating_mul(SIZE))?;
                let (numbers, _) = bytes.as_chunks::<SIZE>();
                Ok(numbers.iter().map(|number| Self::from_le_bytes(*number)).collect())
            }
        }
    )*};
}

number!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

impl Encode for bool {
    fn encode(self, writer: &mut Writer) {
        writer.put(u8::from(self));
    }
}

impl Encode for &bool {
    fn encode(self, writer: &mut Writer) {
        writer.put(*self);
    }
}

impl Decode for bool {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.take::<u8>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(BadMessage::InvalidValue),
        }
    }
}

impl Encode for () {
    fn encode(self, _writer: &mut Writer) {}
}

impl Decode for () {
    fn decode(_reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

impl Writer {
    /// Appends a text of at most so many bytes.
    pub(super) fn text(&mut self, text: &str, length_max: u32) {
        self.length(text.len(), length_max);
        self.bytes(text.as_bytes());
    }
}

impl Reader<'_> {
    /// Takes a text of at most so many bytes.
    pub(super) fn text(&mut self, length_max: u32) -> Result<String, DecodeError> {
        let length = self.length(length_max, 1)?;
        let bytes = self.slice(length)?;
        std::str::from_utf8(bytes).map(String::from).map_err(|_| BadMessage::InvalidText)
    }
}

impl Encode for &str {
    fn encode(self, writer: &mut Writer) {
        writer.text(self, u32::MAX);
    }
}

impl Encode for &String {
    fn encode(self, writer: &mut Writer) {
        writer.put(self.as_str());
    }
}

impl Encode for String {
    fn encode(self, writer: &mut Writer) {
        writer.put(self.as_str());
    }
}

impl Decode for String {
    const SIZE_MIN: usize = 4;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.text(u32::MAX)
    }
}

impl Encode for MessagePipe {
    fn encode(self, writer: &mut Writer) {
        writer.draft.pipes.push(self);
    }
}

impl Decode for MessagePipe {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.pipes.next().ok_or(BadMessage::MissingAttachment)
    }
}

impl Encode for OwnedFd {
    fn encode(self, writer: &mut Writer) {
        writer.draft.handles.push(self);
    }
}

impl Decode for OwnedFd {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.handles.next().ok_or(BadMessage::MissingAttachment)
    }
}
