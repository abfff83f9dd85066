//! [`Reader`]: a message being read.

use std::os::fd::OwnedFd;

use bytes::{Buf, Bytes};

use super::pipe::{MessagePipe, RawMessage};
use super::value::{Decode, DecodeError};
use crate::error::BadMessage;
use crate::limits::{BUFFER_SLACK_MAX, VALUE_DEPTH_MAX};
use crate::node::Incoming;
use crate::seldom;

/// A message being read.
///
/// It owns the buffer that the message came in, because a text or a run of bytes that is most of it becomes its next owner:
/// what arrives in one piece is not copied into another. Those that the interface says are shared are slices of it instead,
/// however many.
#[derive(Debug)]
pub struct Reader {
    buffer: Buffer,
    /// Whether it has to stay whole, because values are to be slices of it.
    is_shared: bool,
    /// How much of the buffer has not been read.
    left: usize,
    /// How much of that is behind the envelope that is being read.
    behind: usize,
    pipes: seldom::IntoIter<MessagePipe>,
    handles: seldom::IntoIter<OwnedFd>,
    /// How many values that may contain themselves surround what is being read.
    depth: u32,
}

impl Reader {
    /// What is behind the header of this message, which is so long.
    pub(crate) fn behind_header(message: impl Into<Incoming>, header_bytes: usize) -> Self {
        let Incoming { bytes, pipes, handles, sender: _ } = message.into();
        let left = bytes.len().saturating_sub(header_bytes);
        let (pipes, handles) = (pipes.into_iter(), handles.into_iter());
        Self { buffer: Buffer::Whole(bytes), is_shared: false, left, behind: 0, pipes, handles, depth: 0 }
    }

    /// These bytes, and nothing else.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        Self::behind_header(RawMessage { bytes, ..RawMessage::default() }, 0)
    }

    /// Takes a value.
    ///
    /// # Errors
    /// If the message does not go on with such a value.
    #[inline]
    pub fn take<T: Decode>(&mut self) -> Result<T, DecodeError> {
        T::decode(self)
    }

    /// How many bytes there are up to the end of the envelope.
    #[inline]
    fn bytes_left(&self) -> usize {
        self.left - self.behind
    }

    /// Takes so many bytes.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.slice(N)?.first_chunk().copied().ok_or(BadMessage::Truncated)
    }

    /// Takes so many bytes, as they are in the buffer.
    #[inline]
    pub(super) fn slice(&mut self, length: usize) -> Result<&[u8], DecodeError> {
        if length > self.bytes_left() {
            return Err(BadMessage::Truncated);
        }
        let bytes = self.buffer.last(self.left);
        self.left -= length;
        bytes.get(..length).ok_or(BadMessage::Truncated)
    }

    /// Takes so many bytes, in the buffer if that is worth it.
    pub(super) fn run(&mut self, length: usize) -> Result<Vec<u8>, DecodeError> {
        if length > self.bytes_left() {
            return Err(BadMessage::Truncated);
        }
        if !self.is_shared
            && let Some(bytes) = self.buffer.give(length, self.left - length)
        {
            self.left -= length;
            return Ok(bytes);
        }
        self.slice(length).map(<[u8]>::to_vec)
    }

    /// Says that values to come are slices of the buffer, so that none before them takes it over.
    pub fn share(&mut self) {
        self.is_shared = true;
    }

    /// Takes so many bytes, as a slice of the buffer.
    pub(super) fn shared(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length > self.bytes_left() {
            return Err(BadMessage::Truncated);
        }
        let bytes = self.buffer.share(self.left, length).ok_or(BadMessage::Truncated)?;
        self.left -= length;
        Ok(bytes)
    }

    /// Takes something small with `read`, which does not get the buffer.
    pub(super) fn sparing<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.is_shared, true);
        let value = read(self);
        self.is_shared = outer;
        value
    }

    /// Takes a text of at most so many bytes.
    pub(super) fn text(&mut self, length_max: u32) -> Result<String, DecodeError> {
        let length = self.length(length_max, 1)?;
        String::from_utf8(self.run(length)?).map_err(|_| BadMessage::InvalidText)
    }

    pub(super) fn pipe(&mut self) -> Result<MessagePipe, DecodeError> {
        self.pipes.next().ok_or(BadMessage::MissingAttachment)
    }

    pub(super) fn handle(&mut self) -> Result<OwnedFd, DecodeError> {
        self.handles.next().ok_or(BadMessage::MissingAttachment)
    }

    /// Takes the length of what follows: at most `length_max`, and no more than can have arrived of something that takes
    /// at least `size_min` each.
    pub(super) fn length(&mut self, length_max: u32, size_min: usize) -> Result<usize, DecodeError> {
        let length = self.take::<u32>()?;
        if length > length_max {
            return Err(BadMessage::OutOfBounds { length, length_max });
        }
        let left = self.bytes_left() + self.pipes.len() + self.handles.len();
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

    /// Takes what [`Writer::envelope`](super::Writer::envelope) wrote, and skips whatever of it `read` does not take.
    ///
    /// # Errors
    /// As `read`, and if it takes more than the envelope has.
    pub fn envelope<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let length = self.take::<u32>()?;
        let [pipes, handles] = self.array()?;
        let bytes_behind = self.bytes_left().checked_sub(length as usize).ok_or(BadMessage::Truncated)?;
        let behind =
            |left: usize, inside: u8| left.checked_sub(inside.into()).ok_or(BadMessage::MissingAttachment);
        let pipes_behind = behind(self.pipes.len(), pipes)?;
        let handles_behind = behind(self.handles.len(), handles)?;
        let outer = self.behind;
        self.behind += bytes_behind;
        let value = self.nested(read)?;
        self.left = self.behind;
        self.behind = outer;
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
        if self.bytes_left() == 0 { Ok(default()) } else { read(self) }
    }

    /// Whether everything has been taken.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        let empty = self.left == 0 && self.pipes.len() == 0 && self.handles.len() == 0;
        if empty { Ok(()) } else { Err(BadMessage::TrailingData) }
    }
}

/// The bytes of a message. What is left of them is counted from the back, where it stays when the rest is given away.
#[derive(Debug)]
enum Buffer {
    Whole(Vec<u8>),
    /// What is left of it, or more; values have slices of it.
    Shared(Bytes),
    /// All but the end belongs to a value already.
    End([u8; END_BYTES]),
}

/// So much may be behind a value that takes over the buffer: a few small values.
const END_BYTES: usize = 64;

impl Buffer {
    /// The last bytes.
    #[inline]
    fn last(&self, count: usize) -> &[u8] {
        let bytes = match self {
            Self::Whole(bytes) => bytes.as_slice(),
            Self::Shared(bytes) => bytes,
            Self::End(bytes) => bytes,
        };
        bytes.get(bytes.len().saturating_sub(count)..).unwrap_or_default()
    }

    /// The first `length` of the last `left` bytes, as a slice. Where others share the buffer with it, they are counted, in a
    /// small allocation beside it, which the first of them makes for all; the last value of a message that shares it with no
    /// other needs none. `None` if there are not so many.
    fn share(&mut self, left: usize, length: usize) -> Option<Bytes> {
        if length == 0 {
            return Some(Bytes::new());
        }
        if let Self::Whole(bytes) = self {
            *self = Self::Shared(Bytes::from(std::mem::take(bytes)));
        }
        let Self::Shared(rest) = self else {
            // A value has taken it over, and nobody had said that others would share it.
            return self.last(left).get(..length).map(Bytes::copy_from_slice);
        };
        rest.advance(rest.len().checked_sub(left)?);
        (length <= rest.len()).then(|| rest.split_to(length))
    }

    /// The buffer itself, cut to a value of this length with so much behind it. `None` if the value is too small a part of it:
    /// whoever keeps the value would keep too much.
    fn give(&mut self, length: usize, behind: usize) -> Option<Vec<u8>> {
        let Self::Whole(buffer) = self else { return None };
        let kept_max = length.saturating_mul(2).saturating_add(BUFFER_SLACK_MAX);
        if length == 0 || behind > END_BYTES || buffer.capacity() > kept_max {
            return None;
        }
        let mut end = [0; END_BYTES];
        let value_end = buffer.len().checked_sub(behind)?;
        end.get_mut(END_BYTES - behind..)?.copy_from_slice(buffer.get(value_end..)?);
        let mut value = std::mem::take(buffer);
        *self = Self::End(end);
        value.truncate(value_end);
        value.drain(..value_end.saturating_sub(length));
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of this length between other values, and whether it took the buffer over.
    fn taken(before: usize, length: usize, behind: usize) -> (String, bool) {
        let mut bytes = vec![0; before];
        bytes.extend((length as u32).to_le_bytes());
        bytes.extend(std::iter::repeat_n(b'x', length));
        bytes.extend(0..behind as u8);
        bytes.shrink_to_fit();
        let mut reader = Reader::of_bytes(bytes);
        reader.slice(before).expect("they are there");
        let text = reader.text(u32::MAX).expect("it is there");
        // What is behind is read as before, wherever it is.
        let rest: Vec<u8> = (0..behind).map(|_| reader.take().expect("it is there")).collect();
        assert_eq!(rest, (0..behind as u8).collect::<Vec<_>>());
        let is_given = matches!(reader.buffer, Buffer::End(_));
        reader.finish().expect("that was all");
        (text, is_given)
    }

    #[test]
    fn what_is_most_of_a_buffer_takes_it_over() {
        for (before, length, behind, is_expected) in [
            (0, 64, 0, true),
            (32, 64, 0, true),
            (32, 1, END_BYTES, true),
            (32, 1000, END_BYTES + 1, false),
            (32, 0, 0, false),
            (9_000, 10_000, 1, true),
            (30_000, 10_000, 1, false),
        ] {
            let (text, is_given) = taken(before, length, behind);
            assert_eq!(text, "x".repeat(length));
            assert_eq!(is_given, is_expected, "{length} bytes with {before} before and {behind} behind");
        }
    }

    #[test]
    fn in_an_envelope() {
        // A text of four in an envelope of nine with a byte that nobody knows, and a number behind it.
        let bytes = [&[9, 0, 0, 0, 0, 0][..], &[4, 0, 0, 0], b"text", &[0xff, 7]].concat();
        let mut reader = Reader::of_bytes(bytes);
        assert_eq!(reader.envelope(|reader| reader.text(9)), Ok("text".to_owned()));
        assert!(matches!(reader.buffer, Buffer::End(_)));
        assert_eq!(reader.take::<u8>(), Ok(7));
        assert_eq!(reader.finish(), Ok(()));
        // What is read of an envelope ends with it.
        let bytes = [&[6, 0, 0, 0, 0, 0][..], &[4, 0, 0, 0], b"text"].concat();
        let mut reader = Reader::of_bytes(bytes);
        assert_eq!(reader.envelope(|reader| reader.text(9)), Err(BadMessage::Truncated));
    }
}
