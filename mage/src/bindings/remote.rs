//! [`Remote`]: the end of a pipe through which an interface is called.

use std::fmt;
use std::ops::Deref;
use std::task::{Context, Poll};

use super::channel::Channel;
use super::interface::{Interface, Proxy};
use super::pipe::MessagePipe;
use crate::error::Why;

/// Calls an object that lives anywhere. Its methods are those of the generated proxy, by `Deref`; its own functions are
/// associated ones, so that they never hide a method of an interface.
///
/// One-way methods return at once. Methods with an answer return a [`Call`](crate::Call), a future that settles
/// whatever happens to the other side. Calls of one remote arrive in the order in which they were made.
pub struct Remote<T: Interface + ?Sized> {
    proxy: T::Proxy,
}

impl<T: Interface + ?Sized> Remote<T> {
    /// Binds an end of a pipe. What is called before the other end is bound waits there.
    pub fn new(pipe: MessagePipe) -> Self {
        Self { proxy: T::Proxy::new(Channel::new(pipe, T::NAME, T::FINGERPRINT)) }
    }

    /// The pipe again. Calls that are still unanswered settle as if the other end were closed.
    pub fn into_pipe(remote: Self) -> MessagePipe {
        remote.proxy.into_channel().into_pipe()
    }

    /// Waits until the other end is closed or unreachable, and says why. Cancellation-safe; any number of tasks may wait.
    pub async fn closed(remote: &Self) -> Why {
        remote.proxy.channel().closed().await
    }

    /// [`Remote::closed`] as a poll.
    pub fn poll_closed(remote: &Self, context: &mut Context<'_>) -> Poll<Why> {
        remote.proxy.channel().poll_closed(context)
    }

    /// Waits until there is room for one more message, or until waiting is of no use because the other end is gone.
    /// Cancellation-safe.
    pub async fn ready(remote: &Self) {
        remote.proxy.channel().ready().await;
    }

    /// Whether calls go straight to the node of the other end, with no process in between.
    pub fn is_direct(remote: &Self) -> bool {
        remote.proxy.channel().is_direct()
    }
}

impl<T: Interface + ?Sized> Deref for Remote<T> {
    type Target = T::Proxy;

    fn deref(&self) -> &T::Proxy {
        &self.proxy
    }
}

impl<T: Interface + ?Sized> fmt::Debug for Remote<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Remote").field("interface", &T::NAME).finish_non_exhaustive()
    }
}
