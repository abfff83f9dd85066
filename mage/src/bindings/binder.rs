//! [`BinderMap`]: services by name.

use std::collections::BTreeMap;
use std::fmt;

use super::interface::Interface;
use super::pipe::MessagePipe;
use super::typed::PendingReceiver;

/// Which service is made how: names, and what binds the end of a pipe to a new object, or to one that there is.
///
/// It is the one place where a process says what another may ask it for. What is not in it cannot be had, and whoever asks
/// gets an answer that says so.
///
/// ```
/// use mage::{BinderMap, MessagePipe, PendingReceiver, Reply};
/// # mod fixtures { mage_macros::magen! {
/// #   interface Logger { Log(string text); }
/// #   interface Clock { Now() => (long ticks); }
/// #   enum BindError { UNKNOWN_SERVICE }
/// #   interface Services { Bind(string<64> name, MessagePipe receiver) => () error BindError; }
/// # } }
/// # use fixtures::*;
/// // enum BindError { UNKNOWN_SERVICE }
/// // interface Services { Bind(string<64> name, MessagePipe receiver) => () error BindError; }
/// struct Offered {
///     services: BinderMap,
/// }
///
/// impl Services for Offered {
///     fn bind(&mut self, name: String, receiver: MessagePipe, reply: Reply<Result<(), BindError>>) {
///         let bound = self.services.bind(&name, receiver);
///         let _ = reply.send(bound.map_err(|_| BindError::UnknownService));
///     }
/// }
///
/// let mut services = BinderMap::new();
/// services.add(|receiver: PendingReceiver<dyn Logger>| drop(receiver)); // serve it, in life
/// services.add_named("wall clock", |receiver: PendingReceiver<dyn Clock>| drop(receiver));
/// # let event_loop = mage::event_loop::EventLoop::new()?;
/// # let node = mage::Node::new(event_loop.scheduler());
/// # let (_kept, pipe) = node.create_message_pipes();
/// services.bind("Logger", pipe)?;
/// # let (_kept, pipe) = node.create_message_pipes();
/// assert_eq!(services.bind("Printer", pipe).unwrap_err().name, "Printer");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct BinderMap {
    binders: BTreeMap<String, Box<dyn FnMut(MessagePipe) + Send>>,
}

/// A service that was asked for is not offered. The pipe is still here.
#[derive(Debug)]
pub struct UnknownService {
    /// What was asked for.
    pub name: String,
    /// The end that was to be bound.
    pub pipe: MessagePipe,
}

impl BinderMap {
    /// A map without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Offers an interface under its own name, with its module before it if it has one. What was offered under that name is
    /// offered no more.
    pub fn add<T: Interface + ?Sized>(&mut self, bind: impl FnMut(PendingReceiver<T>) + Send + 'static) {
        self.add_named(T::NAME, bind);
    }

    /// Offers an interface under a name.
    pub fn add_named<T: Interface + ?Sized>(
        &mut self,
        name: impl Into<String>,
        mut bind: impl FnMut(PendingReceiver<T>) + Send + 'static,
    ) {
        self.binders.insert(name.into(), Box::new(move |pipe| bind(PendingReceiver::new(pipe))));
    }

    /// Offers a service no more. What has been bound stays bound. Returns whether it was offered.
    pub fn remove(&mut self, name: &str) -> bool {
        self.binders.remove(name).is_some()
    }

    /// The names of the services, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.binders.keys().map(String::as_str)
    }

    /// Binds the end of a pipe to the service of this name, whose other end may have been called through already.
    ///
    /// A pipe of another interface is bound like any, and ends with its first message, as every such pipe does.
    ///
    /// # Errors
    /// If no such service is offered; the pipe is in the error.
    pub fn bind(&mut self, name: &str, pipe: MessagePipe) -> Result<(), UnknownService> {
        match self.binders.get_mut(name) {
            Some(bind) => {
                bind(pipe);
                Ok(())
            }
            None => Err(UnknownService { name: name.to_owned(), pipe }),
        }
    }

    /// [`BinderMap::bind`], under the name of the interface.
    ///
    /// # Errors
    /// If no such service is offered; the pipe is in the error.
    pub fn bind_pending<T: Interface + ?Sized>(
        &mut self,
        receiver: PendingReceiver<T>,
    ) -> Result<(), UnknownService> {
        self.bind(T::NAME, receiver.into_pipe())
    }
}

impl fmt::Debug for BinderMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.names()).finish()
    }
}

impl fmt::Display for UnknownService {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no service called {:?}", self.name)
    }
}

impl std::error::Error for UnknownService {}
