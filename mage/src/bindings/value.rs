//! Values to bytes and back: what generated code is made of.
//!
//! All numbers are little-endian and fixed in size. A `bool` is one byte, 0 or 1. A `string` is its length in bytes as a
//! `u32`, then UTF-8. A pipe or handle has no bytes: attachments are taken in order.

use std::os::fd::OwnedFd;

use super::pipe::MessagePipe;
use crate::error::BadMessage;
use crate::node::Draft;

/// What is wrong with the bytes of a value.
pub type DecodeError = BadMessage;

/// A message being written.
#[derive(Debug)]
pub struct Writer {
    draft: Draft,
}

/// A value that can be put into a message.
pub trait Encode {
    /// Appends the value.
    fn encode(self, writer: &mut Writer);
}

/// A value that can be taken out of a message.
pub trait Decode: Sized {
    /// Takes the value from the front.
    ///
    /// # Errors
    /// If the bytes are not those of such a value. Nothing is allocated that has not arrived.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

impl Writer {
    pub(crate) fn with_header(header: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(header.len() + 96);
        bytes.extend_from_slice(header);
        Self { draft: Draft { bytes, ..Draft::default() } }
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

    pub(crate) fn finish(self) -> Draft {
        self.draft
    }
}

/// A message being read.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    pipes: std::vec::IntoIter<MessagePipe>,
    handles: std::vec::IntoIter<OwnedFd>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], pipes: Vec<MessagePipe>, handles: Vec<OwnedFd>) -> Self {
        Self { bytes, pipes: pipes.into_iter(), handles: handles.into_iter() }
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

    /// Whether everything has been taken.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        let empty = self.bytes.is_empty() && self.pipes.len() == 0 && self.handles.len() == 0;
        if empty { Ok(()) } else { Err(BadMessage::TrailingData) }
    }
}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Encode for $number {
            #[inline]
            fn encode(self, writer: &mut Writer) {
                writer.bytes(&self.to_le_bytes());
            }
        }

        impl Decode for $number {
            #[inline]
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.array().map(Self::from_le_bytes)
            }
        }
    )*};
}

number!(i32, i64, f64, u8, u32);

impl Encode for bool {
    fn encode(self, writer: &mut Writer) {
        writer.put(u8::from(self));
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

impl Encode for &str {
    fn encode(self, writer: &mut Writer) {
        // A longer string is refused as a whole when it is sent: no message may be that large.
        writer.put(u32::try_from(self.len()).unwrap_or(u32::MAX));
        writer.bytes(self.as_bytes());
    }
}

impl Encode for String {
    fn encode(self, writer: &mut Writer) {
        writer.put(self.as_str());
    }
}

impl Decode for String {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.take::<u32>()?;
        let bytes = reader.slice(length as usize)?;
        std::str::from_utf8(bytes).map(Self::from).map_err(|_| BadMessage::InvalidText)
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
