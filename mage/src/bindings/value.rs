//! Values to bytes and back: what generated code is made of.
//!
//! All numbers are little-endian and fixed in size. A `bool` is one byte, 0 or 1. A `string` is its length in bytes as a
//! `u32`, then UTF-8. A pipe or handle has no bytes: attachments are taken in order. What is made of several values is
//! in `containers.rs`.

use std::os::fd::OwnedFd;

use smallvec::SmallVec;

use super::pipe::MessagePipe;
use super::reader::Reader;
use super::writer::Writer;
use crate::error::BadMessage;

/// What is wrong with the bytes of a value.
pub type DecodeError = BadMessage;

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
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError>;

    /// Takes several. That so many can have arrived is known.
    ///
    /// # Errors
    /// As [`Decode::decode`].
    fn decode_array(count: usize, reader: &mut Reader) -> Result<Vec<Self>, DecodeError> {
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(Self::decode(reader)?);
        }
        Ok(values)
    }

    /// Takes exactly so many, into their place.
    ///
    /// # Errors
    /// As [`Decode::decode`].
    fn decode_fixed<const LENGTH: usize>(reader: &mut Reader) -> Result<[Self; LENGTH], DecodeError> {
        in_place(|| Self::decode(reader))
    }
}

/// As many values as there is room for; none is allocated.
pub(super) fn in_place<T, const LENGTH: usize>(
    mut read: impl FnMut() -> Result<T, DecodeError>,
) -> Result<[T; LENGTH], DecodeError> {
    let mut values = SmallVec::<[T; LENGTH]>::new();
    for _ in 0..LENGTH {
        values.push(read()?);
    }
    values.into_inner().map_err(|_| BadMessage::Truncated)
}

/// The value that these bytes are, all of them.
pub(crate) fn decode_detached<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::of_bytes(bytes.to_vec());
    let value = reader.take()?;
    reader.finish()?;
    Ok(value)
}

macro_rules! encode_number {
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
    )*};
}

encode_number!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

macro_rules! decode_number {
    ($($number:ty),*) => {$(
        impl Decode for $number {
            const SIZE_MIN: usize = size_of::<Self>();

            #[inline]
            fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
                reader.array().map(Self::from_le_bytes)
            }

            fn decode_array(count: usize, reader: &mut Reader) -> Result<Vec<Self>, DecodeError> {
                const SIZE: usize = size_of::<$number>();
                let bytes = reader.slice(count.saturating_mul(SIZE))?;
                let (numbers, _) = bytes.as_chunks::<SIZE>();
                Ok(numbers.iter().map(|number| Self::from_le_bytes(*number)).collect())
            }

            fn decode_fixed<const LENGTH: usize>(reader: &mut Reader) -> Result<[Self; LENGTH], DecodeError> {
                const SIZE: usize = size_of::<$number>();
                let bytes = reader.slice(LENGTH.saturating_mul(SIZE))?;
                let (numbers, _) = bytes.as_chunks::<SIZE>();
                let mut values = [Self::default(); LENGTH];
                for (value, number) in values.iter_mut().zip(numbers) {
                    *value = Self::from_le_bytes(*number);
                }
                Ok(values)
            }
        }
    )*};
}

decode_number!(i8, i16, i32, i64, u16, u32, u64, f32, f64);

impl Decode for u8 {
    #[inline]
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.array().map(|[byte]| byte)
    }

    fn decode_array(count: usize, reader: &mut Reader) -> Result<Vec<Self>, DecodeError> {
        reader.run(count)
    }

    fn decode_fixed<const LENGTH: usize>(reader: &mut Reader) -> Result<[Self; LENGTH], DecodeError> {
        reader.array()
    }
}

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
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
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
    fn decode(_reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(())
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

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.text(u32::MAX)
    }
}

impl Encode for MessagePipe {
    fn encode(self, writer: &mut Writer) {
        writer.pipe(self);
    }
}

impl Decode for MessagePipe {
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.pipe()
    }
}

impl Encode for OwnedFd {
    fn encode(self, writer: &mut Writer) {
        writer.handle(self);
    }
}

impl Decode for OwnedFd {
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.handle()
    }
}
