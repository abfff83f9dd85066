//! The typed ends of pipes: the only ring with generics over user interfaces.

mod call;
mod channel;
mod codec;
mod containers;
mod header;
mod interface;
mod pipe;
mod receiver;
mod remote;
mod reply;
mod typed;
mod value;

pub use call::Call;
pub use channel::Channel;
pub use codec::{Array, Boxed, Bytes, DecodeAs, EncodeAs, FixedArray, Map, Optional, Text};
pub use header::Incoming;
pub use interface::{Dispatch, Interface, Message, Proxy};
pub use pipe::{MessagePipe, RawMessage};
pub use receiver::Receiver;
pub use remote::Remote;
pub use reply::Reply;
pub use typed::{PendingReceiver, PendingRemote};
pub use value::{Decode, DecodeError, Encode, Reader, Writer};
