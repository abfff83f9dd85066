//! What generated code implements.

use std::fmt;

use super::channel::Channel;
use super::description::Description;
use super::header::Incoming;
use super::value::DecodeError;

/// An interface: implemented by generated code for `dyn Foo`, which is only a name for "some implementor of `Foo`,
/// elsewhere". No trait object is ever made.
pub trait Interface {
    /// Its name in the `.magen` file.
    const NAME: &'static str;
    /// A number that changes with anything the wire can notice, except what is added to what is extensible.
    const FINGERPRINT: u64;
    /// What else the other end may have to know of it.
    const DESCRIPTION: &'static Description;
    /// What calls its methods from afar.
    type Proxy: Proxy + fmt::Debug + Send + Sync;
    /// Its messages.
    type Message: Message + fmt::Debug + Send;
}

/// The sending side of an interface.
pub trait Proxy {
    /// A proxy that sends into this channel.
    fn new(channel: Channel) -> Self;
    /// Its channel.
    fn channel(&self) -> &Channel;
    /// Its channel, taken back.
    fn into_channel(self) -> Channel;
}

/// The receiving side of an interface: one of its messages.
pub trait Message: Sized {
    /// Decodes the arguments.
    ///
    /// # Errors
    /// If they are not those of a method of this interface.
    fn decode(incoming: &mut Incoming) -> Result<Self, DecodeError>;
}

/// A message that `Handler` can handle. With the message as `Self` this can be implemented for every implementor of a
/// user's trait, statically, so that serving is `Send` exactly when the handler is.
pub trait Dispatch<Handler: ?Sized> {
    /// Calls the handler's method.
    fn dispatch(self, handler: &mut Handler);
}
