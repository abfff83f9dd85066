//! The part of `mage` that generated code names, over a queue in memory: enough to compile generated code in a second,
//! and to see that what one side sends is what the other side gets.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

// To the codec, the crates that it uses are here.
extern crate self as bytes;
extern crate self as bytestring;
extern crate self as smallvec;

// The codec is the real one.
#[path = "../../../mage/src/error/mod.rs"]
pub mod error;
#[path = "../../../mage/src/bindings/codec.rs"]
mod codec;
#[path = "../../../mage/src/bindings/containers.rs"]
mod containers;
#[path = "../../../mage/src/bindings/reader.rs"]
mod reader;
#[path = "../../../mage/src/seldom.rs"]
#[allow(dead_code)]
mod seldom;
#[path = "../../../mage/src/bindings/shared.rs"]
mod shared;
mod slices;
mod small;
#[path = "../../../mage/src/bindings/value.rs"]
mod value;
#[path = "../../../mage/src/bindings/writer.rs"]
mod writer;

pub use error::{BadMessage, SendError, SendErrorKind};
pub use pipe::MessagePipe;
pub use slices::{Buf, ByteString, Bytes};
pub use small::SmallVec;

mod core {
    /// What a node is called.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct NodeName;
}

mod bindings {
    pub use crate::pipe::{MessagePipe, RawMessage};
}

mod limits {
    pub const VALUE_DEPTH_MAX: u32 = 64;
    pub const BUFFER_SLACK_MAX: usize = 256;
}

mod node {
    #[derive(Debug, Default)]
    pub struct Draft {
        pub bytes: Vec<u8>,
        pub pipes: Vec<crate::MessagePipe>,
        pub handles: Vec<std::os::fd::OwnedFd>,
    }

    pub struct Incoming {
        pub bytes: Vec<u8>,
        pub pipes: crate::seldom::Seldom<crate::MessagePipe>,
        pub handles: crate::seldom::Seldom<std::os::fd::OwnedFd>,
        pub sender: (),
    }

    impl From<crate::pipe::RawMessage> for Incoming {
        fn from(crate::pipe::RawMessage { bytes, pipes, handles }: crate::pipe::RawMessage) -> Self {
            Self { bytes, pipes: pipes.into(), handles: handles.into(), sender: () }
        }
    }
}

mod pipe {
    /// One end of a pipe; here, a number.
    #[derive(Debug, PartialEq, Eq)]
    pub struct MessagePipe(pub u8);

    /// A message without a type.
    #[derive(Debug, Default)]
    pub struct RawMessage {
        pub bytes: Vec<u8>,
        pub pipes: Vec<MessagePipe>,
        pub handles: Vec<std::os::fd::OwnedFd>,
    }
}

macro_rules! pending {
    ($($name:ident)*) => {$(
        /// An end of a pipe with an interface.
        pub struct $name<T: ?Sized>(pub MessagePipe, PhantomData<fn(&T)>);

        impl<T: ?Sized> $name<T> {
            /// That end.
            pub fn new(pipe: MessagePipe) -> Self {
                Self(pipe, PhantomData)
            }
        }

        impl<T: ?Sized> fmt::Debug for $name<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{:?}", self.0)
            }
        }

        impl<T: ?Sized> codegen::Encode for $name<T> {
            fn encode(self, writer: &mut codegen::Writer) {
                writer.put(self.0);
            }
        }

        impl<T: ?Sized> codegen::Decode for $name<T> {
            fn decode(reader: &mut codegen::Reader) -> Result<Self, BadMessage> {
                reader.take().map(Self::new)
            }
        }
    )*};
}

pending!(PendingRemote PendingReceiver);

/// The end of a stream.
pub struct StreamReceiver<T, E = std::convert::Infallible>(pub MessagePipe, PhantomData<fn(T, E)>);

impl<T, E> fmt::Debug for StreamReceiver<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

impl<T, E> codegen::Encode for StreamReceiver<T, E> {
    fn encode(self, writer: &mut codegen::Writer) {
        writer.put(self.0);
    }
}

impl<T, E> codegen::Decode for StreamReceiver<T, E> {
    fn decode(reader: &mut codegen::Reader) -> Result<Self, BadMessage> {
        Ok(Self(reader.take()?, PhantomData))
    }
}

/// Draws what is written out of `write`.
fn written(write: impl FnOnce(&mut codegen::Writer)) -> Result<node::Draft, SendError> {
    let mut writer = codegen::Writer::with_header(&[]);
    write(&mut writer);
    let fault = writer.fault();
    let draft = writer.finish();
    match fault {
        None => Ok(draft),
        Some(fault) => Err(SendError::new(fault, draft.pipes, draft.handles)),
    }
}

/// Reads bytes without attachments as `T`, for tests of decoders.
pub fn decode_bytes<T: codegen::Decode>(bytes: &[u8]) -> Result<T, BadMessage> {
    let mut reader = codegen::Reader::of_bytes(bytes.to_vec());
    let value = reader.take()?;
    reader.finish()?;
    Ok(value)
}

/// The bytes of a value without attachments.
pub fn encode_bytes(value: impl codegen::Encode) -> Result<Vec<u8>, SendErrorKind> {
    written(|writer| writer.put(value)).map(|draft| draft.bytes).map_err(|error| error.kind())
}

/// The bytes of one answer, once it is there.
type Answer = Arc<Mutex<Option<Result<node::Draft, ()>>>>;

/// Answers one call.
pub struct Reply<T> {
    answer: Answer,
    value: PhantomData<fn(T)>,
}

impl<T: codegen::Encode> Reply<T> {
    /// Answers.
    pub fn send(self, value: T) -> Result<(), SendError> {
        let draft = written(|writer| writer.put(value));
        let (answer, result) = match draft {
            Ok(draft) => (Ok(draft), Ok(())),
            Err(error) => (Err(()), Err(error)),
        };
        *self.answer.lock().unwrap() = Some(answer);
        result
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
        let draft = self.answer.lock().unwrap().take().unwrap().unwrap();
        let node::Draft { bytes, pipes, handles } = draft;
        let mut reader = codegen::Reader::behind_header(pipe::RawMessage { bytes, pipes, handles }, 0);
        let value = reader.take().unwrap();
        reader.finish().unwrap();
        value
    }
}

/// An interface.
pub trait Interface {
    /// Its name.
    const NAME: &'static str;
    /// Its fingerprint.
    const FINGERPRINT: u64;
    /// What else is known of it.
    const DESCRIPTION: &'static codegen::Description;
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

    pub use crate::codec::{Array, Boxed, Bytes, DecodeAs, EncodeAs, FixedArray, Map, Optional, Text};
    pub use crate::reader::Reader;
    pub use crate::shared::Shared;
    pub use crate::value::{Decode, DecodeError, Encode};
    pub use crate::writer::Writer;

    /// An interface.
    #[derive(Debug)]
    pub struct Description {
        /// Its newest version.
        pub version: u32,
        /// Whether there may be newer ones.
        pub is_extensible: bool,
        /// Its versions.
        pub lineage: &'static [Stage],
        /// All of it.
        pub text: &'static str,
    }

    /// One version of one definition.
    #[derive(Debug)]
    pub struct Stage(pub u64, pub u32, pub u64);

    impl Stage {
        /// A version with its hashes.
        pub const fn new(definition: u64, version: u32, fingerprint: u64) -> Self {
            Self(definition, version, fingerprint)
        }
    }

    /// One message on its way.
    #[derive(Debug)]
    pub struct Sent {
        method: u32,
        draft: node::Draft,
        answer: Answer,
    }

    impl Sent {
        /// The message as it arrives.
        pub fn arrive<M: Message>(self) -> Result<M, DecodeError> {
            let node::Draft { bytes, pipes, handles } = self.draft;
            arrive(self.method, bytes, pipes, handles, self.answer)
        }
    }

    fn arrive<M: Message>(
        method: u32,
        bytes: Vec<u8>,
        pipes: Vec<MessagePipe>,
        handles: Vec<OwnedFd>,
        answer: Answer,
    ) -> Result<M, DecodeError> {
        let reader = Reader::behind_header(pipe::RawMessage { bytes, pipes, handles }, 0);
        let mut incoming = Incoming { method, reader, answer };
        let message = M::decode(&mut incoming)?;
        incoming.reader.finish()?;
        Ok(message)
    }

    /// The message with these bytes and this many attachments.
    pub fn arrive_bytes<M: Message>(method: u32, bytes: &[u8], pipes: u8) -> Result<M, DecodeError> {
        arrive(method, bytes.to_vec(), (0..pipes).map(MessagePipe).collect(), Vec::new(), Answer::default())
    }

    /// A message that has arrived.
    #[derive(Debug)]
    pub struct Incoming {
        method: u32,
        reader: Reader,
        answer: Answer,
    }

    impl Incoming {
        /// The ordinal of its method.
        pub fn method(&self) -> u32 {
            self.method
        }

        /// Arguments are slices of the message.
        pub fn share(&mut self) {
            self.reader.share();
        }

        /// The next argument.
        pub fn take<T: Decode>(&mut self) -> Result<T, DecodeError> {
            self.reader.take()
        }

        /// The next argument, with bounds.
        pub fn take_as<C: DecodeAs>(&mut self) -> Result<C::Value, DecodeError> {
            self.reader.take_as::<C>()
        }

        /// The next argument, or a default.
        pub fn take_or<T>(
            &mut self,
            default: impl FnOnce() -> T,
            read: impl FnOnce(&mut Reader) -> Result<T, DecodeError>,
        ) -> Result<T, DecodeError> {
            self.reader.take_or(default, read)
        }

        /// What answers it.
        pub fn reply<T: Encode>(&mut self) -> Result<Reply<T>, DecodeError> {
            Ok(Reply { answer: self.answer.clone(), value: PhantomData })
        }

        /// The error for an ordinal that no method has.
        pub fn unknown_method(&self, method: u32) -> DecodeError {
            DecodeError::UnknownMethod { interface: "", method }
        }
    }

    /// The messages of an interface.
    pub trait Message: Sized {
        /// Reads one.
        fn decode(incoming: &mut Incoming) -> Result<Self, DecodeError>;
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
        pub fn notify(&self, method: u32, write: impl FnOnce(&mut Writer)) -> Result<(), SendError> {
            self.send(method, write).map(drop)
        }

        /// Sends a message that has an answer.
        pub fn call<T: Decode>(&self, method: u32, write: impl FnOnce(&mut Writer)) -> Call<T> {
            Call { answer: self.send(method, write).unwrap(), value: PhantomData }
        }

        fn send(&self, method: u32, write: impl FnOnce(&mut Writer)) -> Result<Answer, SendError> {
            let draft = written(write)?;
            let answer = Answer::default();
            self.sent.lock().unwrap().push(Sent { method, draft, answer: answer.clone() });
            Ok(answer)
        }
    }
}
