//! [`PendingRemote`] and [`PendingReceiver`]: ends of a pipe that are known by their interface and not bound yet.

use std::fmt;
use std::marker::PhantomData;

use super::interface::Interface;
use super::pipe::MessagePipe;
use super::reader::Reader;
use super::receiver::Receiver;
use super::remote::Remote;
use super::value::{Decode, DecodeError, Encode};
use super::writer::Writer;
use crate::node::Node;

/// The end through which an interface will be called, on its way to whoever will call.
///
/// It can be sent in messages, and calls wait in the pipe until its other end is bound.
pub struct PendingRemote<T: ?Sized> {
    pipe: MessagePipe,
    interface: PhantomData<fn(&T)>,
}

/// The end at which an interface will be implemented, on its way to whoever will implement it.
///
/// It can be sent in messages; what was called before it is bound waits in it.
pub struct PendingReceiver<T: ?Sized> {
    pipe: MessagePipe,
    interface: PhantomData<fn(&T)>,
}

impl<T: Interface + ?Sized> PendingRemote<T> {
    /// A new pipe of this interface: the end that calls, and the end that is called.
    ///
    /// ```ignore
    /// let (logger, receiver) = PendingRemote::<dyn Logger>::create(&node);
    /// ```
    pub fn create(node: &Node) -> (Self, PendingReceiver<T>) {
        let (remote, receiver) = node.create_message_pipes();
        (Self::new(remote), PendingReceiver::new(receiver))
    }

    /// The remote itself, to be called through.
    pub fn bind(self) -> Remote<T> {
        Remote::new(self.pipe)
    }
}

impl<T: Interface + ?Sized> PendingReceiver<T> {
    /// The receiver itself, to be served.
    pub fn bind(self) -> Receiver<T> {
        Receiver::new(self.pipe)
    }
}

macro_rules! pending {
    ($($name:ident)*) => {$(
        impl<T: ?Sized> $name<T> {
            /// Says what interface an end of a pipe has.
            pub fn new(pipe: MessagePipe) -> Self {
                Self { pipe, interface: PhantomData }
            }

            /// The pipe again.
            pub fn into_pipe(self) -> MessagePipe {
                self.pipe
            }
        }

        impl<T: ?Sized> Encode for $name<T> {
            fn encode(self, writer: &mut Writer) {
                writer.put(self.pipe);
            }
        }

        impl<T: ?Sized> Decode for $name<T> {
            fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
                reader.take().map(Self::new)
            }
        }

        impl<T: ?Sized> fmt::Debug for $name<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).field("pipe", &self.pipe).finish()
            }
        }
    )*};
}

pending!(PendingRemote PendingReceiver);
