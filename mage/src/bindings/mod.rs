//! The typed ends of pipes: the only ring with generics over user interfaces.

mod binder;
mod call;
mod channel;
mod codec;
mod containers;
mod crowd;
mod header;
mod interface;
mod pipe;
mod receiver;
mod receiver_set;
mod remote;
mod remote_set;
mod reply;
mod self_owned;
mod typed;
mod value;

pub use binder::{BinderMap, UnknownService};
pub use call::Call;
pub use channel::Channel;
pub use codec::{Array, Boxed, Bytes, DecodeAs, EncodeAs, FixedArray, Map, Optional, Text};
pub use crowd::EndId;
pub use header::Incoming;
pub(crate) use header::raw_call;
pub use interface::{Dispatch, Interface, Message, Proxy};
pub use pipe::{MessagePipe, RawMessage};
pub use receiver::Receiver;
pub use receiver_set::{ReceiverSet, ReceiverSetHandle, SetEvent};
pub use remote::Remote;
pub use remote_set::RemoteSet;
pub use reply::Reply;
pub use typed::{PendingReceiver, PendingRemote};
pub(crate) use value::decode_detached;
pub use value::{Decode, DecodeError, Encode, Reader, Writer};
