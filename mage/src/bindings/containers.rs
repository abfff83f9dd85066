//! Values made of values: arrays, maps, what may be absent, and results.
//!
//! An array is the number of its elements as a `u32`, then the elements; one of a fixed length is only the elements. A map
//! is the number of its entries, then key and value of each, in the order of the keys. What may be absent is one byte, 0
//! or 1, and the value if it is there; a result is one byte, 0 or 1, and the value or the error.

use std::collections::BTreeMap;

use super::codec::{Array, DecodeAs, EncodeAs, FixedArray, Map, Optional};
use super::reader::Reader;
use super::value::{Decode, DecodeError, Encode};
use super::writer::Writer;
use crate::error::BadMessage;

/// As many as a number can say.
const ANY: u32 = u32::MAX;

impl<'a, T> Encode for &'a [T]
where
    &'a T: Encode,
{
    fn encode(self, writer: &mut Writer) {
        Array::<T, ANY>::encode_as(self, writer);
    }
}

impl<'a, T> Encode for &'a Vec<T>
where
    &'a T: Encode,
{
    fn encode(self, writer: &mut Writer) {
        writer.put(self.as_slice());
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(self, writer: &mut Writer) {
        Array::<T, ANY>::encode_as(self, writer);
    }
}

impl<T: Decode> Decode for Vec<T> {
    const SIZE_MIN: usize = 4;

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Array::<T, ANY>::decode_as(reader)
    }
}

impl<'a, T, const LENGTH: usize> Encode for &'a [T; LENGTH]
where
    &'a T: Encode,
{
    fn encode(self, writer: &mut Writer) {
        FixedArray::<T, LENGTH>::encode_as(self, writer);
    }
}

impl<T: Encode, const LENGTH: usize> Encode for [T; LENGTH] {
    fn encode(self, writer: &mut Writer) {
        FixedArray::<T, LENGTH>::encode_as(self, writer);
    }
}

impl<T: Decode, const LENGTH: usize> Decode for [T; LENGTH] {
    const SIZE_MIN: usize = T::SIZE_MIN * LENGTH;

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        FixedArray::<T, LENGTH>::decode_as(reader)
    }
}

impl<'a, K, V> Encode for &'a BTreeMap<K, V>
where
    &'a K: Encode,
    &'a V: Encode,
{
    fn encode(self, writer: &mut Writer) {
        Map::<K, V, ANY>::encode_as(self, writer);
    }
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode(self, writer: &mut Writer) {
        Map::<K, V, ANY>::encode_as(self, writer);
    }
}

impl<K: Decode + Ord, V: Decode> Decode for BTreeMap<K, V> {
    const SIZE_MIN: usize = 4;

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Map::<K, V, ANY>::decode_as(reader)
    }
}

impl<'a, T> Encode for &'a Option<T>
where
    &'a T: Encode,
{
    fn encode(self, writer: &mut Writer) {
        writer.put(self.as_ref());
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(self, writer: &mut Writer) {
        Optional::<T>::encode_as(self, writer);
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Optional::<T>::decode_as(reader)
    }
}

impl<'a, T> Encode for &'a Box<T>
where
    &'a T: Encode,
{
    fn encode(self, writer: &mut Writer) {
        writer.put(self.as_ref());
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(self, writer: &mut Writer) {
        writer.put(*self);
    }
}

impl<T: Decode> Decode for Box<T> {
    const SIZE_MIN: usize = T::SIZE_MIN;

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.take().map(Self::new)
    }
}

impl<T: Encode, E: Encode> Encode for Result<T, E> {
    fn encode(self, writer: &mut Writer) {
        writer.put(self.is_err());
        match self {
            Ok(value) => writer.put(value),
            Err(error) => writer.put(error),
        }
    }
}

impl<T: Decode, E: Decode> Decode for Result<T, E> {
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        match reader.take::<u8>()? {
            0 => reader.take().map(Ok),
            1 => reader.take().map(Err),
            _ => Err(BadMessage::InvalidValue),
        }
    }
}
