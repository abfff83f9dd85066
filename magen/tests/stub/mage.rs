//! The part of `mage` that generated code names, over a queue in memory: enough to compile generated code in a second,
//! and to see that what one side sends is what the other side gets.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

/// One end of a pipe; here, a number.
#[derive(Debug, PartialEq, Eq)]
pub struct MessagePipe(pub u8);

/// The message was not sent.
#[derive(Debug)]
pub struct SendError;

/// The bytes of one answer, once it is there.
type Answer = Arc<Mutex<Option<Vec<u8>>>>;

/// Answers one call.
pub struct Reply<T> {
    answer: Answer,
    value: PhantomData<fn(T)>,
}

impl<T: codegen::Encode> Reply<T> {
    /// Answers.
    pub fn send(self, value: T) {
        let mut writer = codegen::Writer::default();
        writer.put(value);
        *self.answer.lock().unwrap() = Some(writer.bytes);
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reply")
    }
}

/// The answer to come.
#[must_use]
#[derive(Debug)]
pub struct Call<T> {
    answer: Answer,
    value: PhantomData<fn() -> T>,
}

impl<T: codegen::Decode> Call<T> {
    /// The answer, which must have been sent.
    pub fn take(self) -> T {
        let bytes = self.answer.lock().unwrap().take().unwrap();
        let mut reader = codegen::Reader { bytes: &bytes };
        let value = reader.take().unwrap();
        assert!(reader.bytes.is_empty());
        value
    }
}

/// An interface.
pub trait Interface {
    /// Its name.
    const NAME: &'static str;
    /// Its fingerprint.
    const FINGERPRINT: u64;
    /// What sends its messages.
    type Proxy: codegen::Proxy + fmt::Debug + Send + Sync;
    /// Its messages.
    type Message: codegen::Message + fmt::Debug + Send;
}

/// A message that can be handed to `Handler`.
pub trait Dispatch<Handler: ?Sized> {
    /// Calls the method of `handler` that the message stands for.
    fn dispatch(self, handler: &mut Handler);
}

/// What only generated code uses.
pub mod codegen {
    use super::*;

    /// A value that can be sent.
    pub trait Encode {
        /// Writes it.
        fn encode(self, writer: &mut Writer);
    }

    /// A value that can arrive.
    pub trait Decode: Sized {
        /// Reads it.
        fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    }

    /// What arrived is not what was expected.
    #[derive(Debug)]
    pub struct DecodeError(pub u32);

    /// Takes values.
    #[derive(Debug, Default)]
    pub struct Writer {
        pub(super) bytes: Vec<u8>,
    }

    impl Writer {
        /// Appends a value.
        pub fn put<T: Encode>(&mut self, value: T) {
            value.encode(self);
        }
    }

    /// Gives values.
    #[derive(Debug)]
    pub struct Reader<'a> {
        pub(super) bytes: &'a [u8],
    }

    impl Reader<'_> {
        /// The next value.
        pub fn take<T: Decode>(&mut self) -> Result<T, DecodeError> {
            T::decode(self)
        }
    }

    /// One message on its way.
    #[derive(Debug)]
    pub struct Sent {
        method: u32,
        bytes: Vec<u8>,
        answer: Answer,
    }

    impl Sent {
        /// The message as it arrives.
        pub fn arrive<M: Message>(&self) -> Result<M, DecodeError> {
            let reader = Reader { bytes: &self.bytes };
            let mut incoming = Incoming { method: self.method, reader, answer: self.answer.clone() };
            let message = M::decode(&mut incoming)?;
            assert!(incoming.reader.bytes.is_empty());
            Ok(message)
        }
    }

    /// A message that has arrived.
    #[derive(Debug)]
    pub struct Incoming<'a> {
        method: u32,
        reader: Reader<'a>,
        answer: Answer,
    }

    impl Incoming<'_> {
        /// The ordinal of its method.
        pub fn method(&self) -> u32 {
            self.method
        }

        /// The next argument.
        pub fn take<T: Decode>(&mut self) -> Result<T, DecodeError> {
            self.reader.take()
        }

        /// What answers it.
        pub fn reply<T: Encode>(&mut self) -> Result<Reply<T>, DecodeError> {
            Ok(Reply { answer: self.answer.clone(), value: PhantomData })
        }

        /// The error for an ordinal that no method has.
        pub fn unknown_method(&self, method: u32) -> DecodeError {
            DecodeError(method)
        }
    }

    /// The messages of an interface.
    pub trait Message: Sized {
        /// Reads one.
        fn decode(incoming: &mut Incoming<'_>) -> Result<Self, DecodeError>;
    }

    /// What sends the messages of an interface.
    pub trait Proxy {
        /// One that sends over `channel`.
        fn new(channel: Channel) -> Self;
        /// What it sends over.
        fn channel(&self) -> &Channel;
        /// Ends it.
        fn into_channel(self) -> Channel;
    }

    /// A queue.
    #[derive(Debug, Default)]
    pub struct Channel {
        sent: Mutex<Vec<Sent>>,
    }

    impl Channel {
        /// Everything that was sent.
        pub fn sent(self) -> Vec<Sent> {
            self.sent.into_inner().unwrap()
        }

        /// Sends a message.
        pub fn notify(&self, method: u32, arguments: impl FnOnce(&mut Writer)) -> Result<(), SendError> {
            let _: Call<()> = self.call(method, arguments);
            Ok(())
        }

        /// Sends a message that has an answer.
        pub fn call<T: Decode>(&self, method: u32, arguments: impl FnOnce(&mut Writer)) -> Call<T> {
            let mut writer = Writer::default();
            arguments(&mut writer);
            let answer = Answer::default();
            self.sent.lock().unwrap().push(Sent { method, bytes: writer.bytes, answer: answer.clone() });
            Call { answer, value: PhantomData }
        }
    }

    macro_rules! numbers {
        ($($number:ty)*) => {$(
            impl Encode for $number {
                fn encode(self, writer: &mut Writer) {
                    writer.bytes.extend(self.to_le_bytes());
                }
            }

            impl Decode for $number {
                fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                    let (bytes, rest) = reader.bytes.split_first_chunk().ok_or(DecodeError(0))?;
                    reader.bytes = rest;
                    Ok(Self::from_le_bytes(*bytes))
                }
            }
        )*};
    }

    numbers!(u8 u32 i32 i64 f64);

    impl Encode for bool {
        fn encode(self, writer: &mut Writer) {
            writer.put(u8::from(self));
        }
    }

    impl Decode for bool {
        fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
            Ok(reader.take::<u8>()? == 1)
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
            writer.put(self.len() as u32);
            writer.bytes.extend(self.as_bytes());
        }
    }

    impl Encode for String {
        fn encode(self, writer: &mut Writer) {
            writer.put(self.as_str());
        }
    }

    impl Decode for String {
        fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
            let length = reader.take::<u32>()? as usize;
            let (text, rest) = reader.bytes.split_at_checked(length).ok_or(DecodeError(0))?;
            reader.bytes = rest;
            String::from_utf8(text.to_vec()).map_err(|_| DecodeError(0))
        }
    }

    impl Encode for MessagePipe {
        fn encode(self, writer: &mut Writer) {
            writer.put(self.0);
        }
    }

    impl Decode for MessagePipe {
        fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
            Ok(MessagePipe(reader.take()?))
        }
    }
}
