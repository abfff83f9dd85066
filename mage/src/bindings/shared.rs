//! Texts and runs of bytes that are slices of the message they came in: `[Shared]` in the interface language.
//!
//! They travel as all others do. One that is received is neither copied nor allocated: it holds a share of the buffer of its
//! message, which is freed with the last of them. One that is sent is copied into its message, as all others are.

use std::marker::PhantomData;

use bytes::Bytes;
use bytestring::ByteString;

use super::codec::{self, DecodeAs, EncodeAs, Text};
use super::reader::Reader;
use super::value::{Decode, DecodeError, Encode};
use super::writer::Writer;
use crate::error::BadMessage;

/// As long as a number can say.
const ANY: u32 = u32::MAX;

impl Encode for &Bytes {
    fn encode(self, writer: &mut Writer) {
        writer.put(self.as_ref());
    }
}

impl Encode for Bytes {
    fn encode(self, writer: &mut Writer) {
        writer.put(&self);
    }
}

impl Decode for Bytes {
    const SIZE_MIN: usize = 4;

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Shared::<codec::Bytes<ANY>>::decode_as(reader)
    }
}

impl Encode for &ByteString {
    fn encode(self, writer: &mut Writer) {
        writer.put::<&str>(self);
    }
}

impl Encode for ByteString {
    fn encode(self, writer: &mut Writer) {
        writer.put(&self);
    }
}

impl Decode for ByteString {
    const SIZE_MIN: usize = 4;

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Shared::<Text<ANY>>::decode_as(reader)
    }
}

/// Carries what `C` carries, as a slice of the message.
#[derive(Debug)]
pub struct Shared<C>(PhantomData<C>);

impl<const MAX: u32> DecodeAs for Shared<codec::Bytes<MAX>> {
    type Value = Bytes;
    const SIZE_MIN: usize = 4;

    fn decode_as(reader: &mut Reader) -> Result<Bytes, DecodeError> {
        let length = reader.length(MAX, 1)?;
        reader.shared(length)
    }
}

impl<const MAX: u32> DecodeAs for Shared<Text<MAX>> {
    type Value = ByteString;
    const SIZE_MIN: usize = 4;

    fn decode_as(reader: &mut Reader) -> Result<ByteString, DecodeError> {
        let bytes = Shared::<codec::Bytes<MAX>>::decode_as(reader)?;
        ByteString::try_from(bytes).map_err(|_| BadMessage::InvalidText)
    }
}

impl<V, C: EncodeAs<V>> EncodeAs<V> for Shared<C> {
    fn encode_as(value: V, writer: &mut Writer) {
        C::encode_as(value, writer);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::bindings::codec::Map;
    use crate::bindings::value::decode_detached;

    /// Where the bytes of a message of these values are, and what reads it.
    fn written(write: impl FnOnce(&mut Writer)) -> (Range<*const u8>, Reader) {
        let mut writer = Writer::with_header(&[]);
        write(&mut writer);
        let bytes = writer.finish().bytes;
        (bytes.as_ptr_range(), Reader::of_bytes(bytes))
    }

    #[test]
    fn slices_are_where_the_message_is() {
        let (place, mut reader) = written(|writer| {
            writer.put("most of the message: it would take the buffer over, if others had no share of it");
            writer.put("one");
            writer.put(Bytes::from_static(b"two"));
            writer.put([ByteString::from("three"), ByteString::from("four")]);
        });
        reader.share();
        let own: String = reader.take().expect("it is there");
        let one: ByteString = reader.take().expect("it is there");
        let two: Bytes = reader.take().expect("it is there");
        let [three, four]: [ByteString; 2] = reader.take().expect("they are there");
        reader.finish().expect("that was all");
        assert!(!place.contains(&own.as_ptr()));
        let slices = [one.into_bytes(), two, three.into_bytes(), four.into_bytes()];
        for (slice, expected) in slices.iter().zip(["one", "two", "three", "four"]) {
            assert_eq!(slice, expected);
            let slice = slice.as_ptr_range();
            assert!(place.start <= slice.start && slice.end <= place.end, "{expected} is a copy");
        }
        // In whatever order they go, the others stay what they are.
        let [one, two, three, four] = slices;
        drop((one, three));
        assert_eq!((&*two, &*four), (&b"two"[..], &b"four"[..]));
        drop(two);
        assert_eq!(&*four, b"four");
    }

    /// What is behind one is read as before, in an envelope too, and what is empty has no share.
    #[test]
    fn whatever_is_behind_is_read() {
        let (_, mut reader) = written(|writer| {
            writer.envelope(|writer| {
                writer.put("text");
                writer.put(0xff_u8);
            });
            writer.put("");
            writer.put(7_u8);
            writer.put("end");
        });
        assert_eq!(reader.envelope(Reader::take::<ByteString>), Ok(ByteString::from("text")));
        assert_eq!(reader.take::<ByteString>(), Ok(ByteString::new()));
        assert_eq!(reader.take::<u8>(), Ok(7));
        assert_eq!(reader.take::<String>(), Ok("end".to_owned()));
        assert_eq!(reader.finish(), Ok(()));
    }

    /// Whoever has not said that there will be slices gets them all the same, but may get copies.
    #[test]
    fn behind_a_value_that_took_over() {
        let (_, mut reader) = written(|writer| {
            writer.put("x".repeat(100));
            writer.put("behind");
        });
        assert_eq!(reader.take::<String>().map(|text| text.len()), Ok(100));
        assert_eq!(reader.take::<ByteString>(), Ok(ByteString::from("behind")));
        assert_eq!(reader.finish(), Ok(()));
    }

    /// A key does not take over what values behind it are to be slices of.
    #[test]
    fn behind_a_key() {
        let (place, mut reader) = written(|writer| {
            writer.put(1_u32);
            writer.put("x".repeat(100));
            writer.put("value");
        });
        let map = reader.take_as::<Map<String, ByteString, 1>>().expect("it is there");
        assert!(map.values().all(|value| place.contains(&value.as_ptr())));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        assert_eq!(decode_detached::<ByteString>(&[2, 0, 0, 0, 0xc3, 0x28]), Err(BadMessage::InvalidText));
        assert_eq!(decode_detached::<Bytes>(&[3, 0, 0, 0, 1, 2]), Err(BadMessage::Truncated));
        assert_eq!(decode_detached::<Bytes>(&[1, 0]), Err(BadMessage::Truncated));
        let mut reader = Reader::of_bytes([5, 0, 0, 0, 1, 2, 3, 4, 5].to_vec());
        let taken = reader.take_as::<Shared<codec::Bytes<4>>>();
        assert_eq!(taken, Err(BadMessage::OutOfBounds { length: 5, length_max: 4 }));
        // What is read of an envelope ends with it.
        let bytes = [&[6, 0, 0, 0, 0, 0][..], &[4, 0, 0, 0], b"text"].concat();
        let mut reader = Reader::of_bytes(bytes);
        assert_eq!(reader.envelope(Reader::take::<Bytes>), Err(BadMessage::Truncated));
    }
}
