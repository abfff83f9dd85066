//! What carries a value whose type alone does not say how: one with bounds.
//!
//! Generated code writes `take_as::<Array<Text<64>, 1000>>()` where the interface says `array<string<64>> max 1000`, and
//! gets a `Vec<String>`. A length is checked before anything is reserved for it; the sending side checks the same.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::reader::Reader;
use super::value::{Decode, DecodeError, Encode, in_place};
use super::writer::Writer;
use crate::error::BadMessage;

/// Takes values out of messages. What needs no bounds carries itself.
pub trait DecodeAs {
    /// What comes out.
    type Value;
    /// As [`Decode::SIZE_MIN`].
    const SIZE_MIN: usize;

    /// Takes a value from the front.
    ///
    /// # Errors
    /// If the bytes are not those of such a value.
    fn decode_as(reader: &mut Reader) -> Result<Self::Value, DecodeError>;

    /// Takes several. That so many can have arrived is known.
    ///
    /// # Errors
    /// As [`DecodeAs::decode_as`].
    fn decode_array_as(count: usize, reader: &mut Reader) -> Result<Vec<Self::Value>, DecodeError> {
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(Self::decode_as(reader)?);
        }
        Ok(values)
    }

    /// Takes exactly so many, into their place.
    ///
    /// # Errors
    /// As [`DecodeAs::decode_as`].
    fn decode_fixed_as<const LENGTH: usize>(
        reader: &mut Reader,
    ) -> Result<[Self::Value; LENGTH], DecodeError> {
        in_place(|| Self::decode_as(reader))
    }
}

/// Puts values into messages.
pub trait EncodeAs<V> {
    /// Appends the value; one that breaks a bound keeps the message from being sent.
    fn encode_as(value: V, writer: &mut Writer);

    /// Appends several, one behind the other.
    fn encode_all_as(values: impl ExactSizeIterator<Item = V>, writer: &mut Writer) {
        for value in values {
            Self::encode_as(value, writer);
        }
    }
}

impl Writer {
    /// Appends a value with bounds.
    #[inline]
    pub fn put_as<C: EncodeAs<V>, V>(&mut self, value: V) {
        C::encode_as(value, self);
    }
}

impl Reader {
    /// Takes a value with bounds.
    ///
    /// # Errors
    /// If the message does not go on with such a value.
    #[inline]
    pub fn take_as<C: DecodeAs>(&mut self) -> Result<C::Value, DecodeError> {
        C::decode_as(self)
    }
}

impl<T: Decode> DecodeAs for T {
    type Value = T;
    const SIZE_MIN: usize = T::SIZE_MIN;

    fn decode_as(reader: &mut Reader) -> Result<T, DecodeError> {
        reader.take()
    }

    fn decode_array_as(count: usize, reader: &mut Reader) -> Result<Vec<T>, DecodeError> {
        T::decode_array(count, reader)
    }

    fn decode_fixed_as<const LENGTH: usize>(reader: &mut Reader) -> Result<[T; LENGTH], DecodeError> {
        T::decode_fixed(reader)
    }
}

impl<T: Encode> EncodeAs<T> for T {
    fn encode_as(value: T, writer: &mut Writer) {
        writer.put(value);
    }

    fn encode_all_as(values: impl ExactSizeIterator<Item = T>, writer: &mut Writer) {
        T::encode_all(values, writer);
    }
}

impl<'a, T> EncodeAs<&'a T> for T
where
    &'a T: Encode,
{
    fn encode_as(value: &'a T, writer: &mut Writer) {
        writer.put(value);
    }

    fn encode_all_as(values: impl ExactSizeIterator<Item = &'a T>, writer: &mut Writer) {
        <&T>::encode_all(values, writer);
    }
}

/// A text of at most so many bytes.
#[derive(Debug)]
pub struct Text<const MAX: u32>;

impl<const MAX: u32> DecodeAs for Text<MAX> {
    type Value = String;
    const SIZE_MIN: usize = 4;

    fn decode_as(reader: &mut Reader) -> Result<String, DecodeError> {
        reader.text(MAX)
    }
}

impl<V: AsRef<str>, const MAX: u32> EncodeAs<V> for Text<MAX> {
    fn encode_as(value: V, writer: &mut Writer) {
        writer.text(value.as_ref(), MAX);
    }
}

/// So many bytes at most.
#[derive(Debug)]
pub struct Bytes<const MAX: u32>;

impl<const MAX: u32> DecodeAs for Bytes<MAX> {
    type Value = Vec<u8>;
    const SIZE_MIN: usize = 4;

    fn decode_as(reader: &mut Reader) -> Result<Vec<u8>, DecodeError> {
        Array::<u8, MAX>::decode_as(reader)
    }
}

impl<V: AsRef<[u8]>, const MAX: u32> EncodeAs<V> for Bytes<MAX> {
    fn encode_as(value: V, writer: &mut Writer) {
        Array::<u8, MAX>::encode_as(value.as_ref(), writer);
    }
}

/// So many elements at most.
#[derive(Debug)]
pub struct Array<C, const MAX: u32>(PhantomData<C>);

impl<C: DecodeAs, const MAX: u32> DecodeAs for Array<C, MAX> {
    type Value = Vec<C::Value>;
    const SIZE_MIN: usize = 4;

    fn decode_as(reader: &mut Reader) -> Result<Self::Value, DecodeError> {
        let count = reader.length(MAX, C::SIZE_MIN)?;
        C::decode_array_as(count, reader)
    }
}

impl<'a, T, C: EncodeAs<&'a T>, const MAX: u32> EncodeAs<&'a [T]> for Array<C, MAX> {
    fn encode_as(value: &'a [T], writer: &mut Writer) {
        writer.length(value.len(), MAX);
        C::encode_all_as(value.iter(), writer);
    }
}

impl<'a, T, C: EncodeAs<&'a T>, const MAX: u32> EncodeAs<&'a Vec<T>> for Array<C, MAX> {
    fn encode_as(value: &'a Vec<T>, writer: &mut Writer) {
        Self::encode_as(value.as_slice(), writer);
    }
}

impl<T, C: EncodeAs<T>, const MAX: u32> EncodeAs<Vec<T>> for Array<C, MAX> {
    fn encode_as(value: Vec<T>, writer: &mut Writer) {
        writer.length(value.len(), MAX);
        C::encode_all_as(value.into_iter(), writer);
    }
}

/// Exactly so many elements.
#[derive(Debug)]
pub struct FixedArray<C, const LENGTH: usize>(PhantomData<C>);

impl<C: DecodeAs, const LENGTH: usize> DecodeAs for FixedArray<C, LENGTH> {
    type Value = [C::Value; LENGTH];
    const SIZE_MIN: usize = C::SIZE_MIN * LENGTH;

    fn decode_as(reader: &mut Reader) -> Result<Self::Value, DecodeError> {
        C::decode_fixed_as(reader)
    }
}

impl<'a, T, C: EncodeAs<&'a T>, const LENGTH: usize> EncodeAs<&'a [T; LENGTH]> for FixedArray<C, LENGTH> {
    fn encode_as(value: &'a [T; LENGTH], writer: &mut Writer) {
        C::encode_all_as(value.iter(), writer);
    }
}

impl<T, C: EncodeAs<T>, const LENGTH: usize> EncodeAs<[T; LENGTH]> for FixedArray<C, LENGTH> {
    fn encode_as(value: [T; LENGTH], writer: &mut Writer) {
        C::encode_all_as(value.into_iter(), writer);
    }
}

/// So many entries at most.
#[derive(Debug)]
pub struct Map<K, V, const MAX: u32>(PhantomData<(K, V)>);

impl<K: DecodeAs<Value: Ord>, V: DecodeAs, const MAX: u32> DecodeAs for Map<K, V, MAX> {
    type Value = BTreeMap<K::Value, V::Value>;
    const SIZE_MIN: usize = 4;

    fn decode_as(reader: &mut Reader) -> Result<Self::Value, DecodeError> {
        let count = reader.length(MAX, K::SIZE_MIN + V::SIZE_MIN)?;
        let mut map = BTreeMap::new();
        for _ in 0..count {
            // Values behind it may have to be slices of the buffer.
            let key = reader.sparing(K::decode_as)?;
            // One map has one form: no key is there twice, and the order is that of the keys.
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(BadMessage::InvalidValue);
            }
            map.insert(key, V::decode_as(reader)?);
        }
        Ok(map)
    }
}

impl<'a, KT, VT, K, V, const MAX: u32> EncodeAs<&'a BTreeMap<KT, VT>> for Map<K, V, MAX>
where
    K: EncodeAs<&'a KT>,
    V: EncodeAs<&'a VT>,
{
    fn encode_as(value: &'a BTreeMap<KT, VT>, writer: &mut Writer) {
        writer.length(value.len(), MAX);
        for (key, value) in value {
            K::encode_as(key, writer);
            V::encode_as(value, writer);
        }
    }
}

impl<KT, VT, K: EncodeAs<KT>, V: EncodeAs<VT>, const MAX: u32> EncodeAs<BTreeMap<KT, VT>> for Map<K, V, MAX> {
    fn encode_as(value: BTreeMap<KT, VT>, writer: &mut Writer) {
        writer.length(value.len(), MAX);
        for (key, value) in value {
            K::encode_as(key, writer);
            V::encode_as(value, writer);
        }
    }
}

/// What may be absent.
#[derive(Debug)]
pub struct Optional<C>(PhantomData<C>);

impl<C: DecodeAs> DecodeAs for Optional<C> {
    type Value = Option<C::Value>;
    const SIZE_MIN: usize = 1;

    fn decode_as(reader: &mut Reader) -> Result<Self::Value, DecodeError> {
        if reader.take::<bool>()? { C::decode_as(reader).map(Some) } else { Ok(None) }
    }
}

impl<T, C: EncodeAs<T>> EncodeAs<Option<T>> for Optional<C> {
    fn encode_as(value: Option<T>, writer: &mut Writer) {
        writer.put(value.is_some());
        if let Some(value) = value {
            C::encode_as(value, writer);
        }
    }
}

impl<'a, T, C: EncodeAs<&'a T>> EncodeAs<&'a Option<T>> for Optional<C> {
    fn encode_as(value: &'a Option<T>, writer: &mut Writer) {
        Self::encode_as(value.as_ref(), writer);
    }
}

/// What is kept in a box.
#[derive(Debug)]
pub struct Boxed<C>(PhantomData<C>);

impl<C: DecodeAs> DecodeAs for Boxed<C> {
    type Value = Box<C::Value>;
    const SIZE_MIN: usize = C::SIZE_MIN;

    fn decode_as(reader: &mut Reader) -> Result<Self::Value, DecodeError> {
        C::decode_as(reader).map(Box::new)
    }
}

impl<T, C: EncodeAs<T>> EncodeAs<Box<T>> for Boxed<C> {
    fn encode_as(value: Box<T>, writer: &mut Writer) {
        C::encode_as(*value, writer);
    }
}

impl<'a, T, C: EncodeAs<&'a T>> EncodeAs<&'a Box<T>> for Boxed<C> {
    fn encode_as(value: &'a Box<T>, writer: &mut Writer) {
        C::encode_as(value, writer);
    }
}
