//! [`Remote`]: the end of a pipe through which an interface is called.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::task::{Context, Poll};
use std::time::Duration;

use super::call::Deadline;
use super::channel::Channel;
use super::description::Identity;
use super::interface::{Interface, Proxy};
use super::pipe::MessagePipe;
use crate::error::{CallError, Difference, Why};

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
        Self { proxy: T::Proxy::new(Channel::new(pipe, Identity::of::<T>())) }
    }

    /// The same remote for calls that may take so long: a call that has no answer then settles with
    /// [`CallError::Deadline`] and is cancelled at the other side. The handler sees the time in
    /// [`Reply::deadline`](crate::Reply::deadline). One-way methods are not concerned. Keep what is returned for as many
    /// calls as you like; it keeps the pipe open.
    ///
    /// mage has no clock of its own: `sleep` makes a future that is ready when the time is up. It is called once for each
    /// call and polled by whoever awaits the call.
    ///
    /// ```ignore
    /// let patient = Remote::with_deadline(&remote, Duration::from_secs(2), tokio::time::sleep);
    /// let answer = patient.fetch(url).await;
    /// ```
    pub fn with_deadline<S>(
        remote: &Self,
        time: Duration,
        sleep: impl Fn(Duration) -> S + Send + Sync + 'static,
    ) -> T::Proxy
    where
        S: Future + Send + 'static,
    {
        T::Proxy::new(remote.proxy.channel().with_deadline(Deadline::new(time, sleep)))
    }

    /// The pipe again. Calls that are still unanswered settle with
    /// [`CallError::Cancelled`], and are cancelled at the other side if there is room to say so.
    pub fn into_pipe(remote: Self) -> MessagePipe {
        remote.proxy.into_channel().into_pipe()
    }

    /// Waits until the other end is closed or unreachable, and says why. Cancellation-safe; any number of tasks may wait.
    pub async fn closed(remote: &Self) -> Why {
        remote.proxy.channel().closed().await
    }

    /// [`Remote::closed`] as a poll. One task at a time: a second one that polls takes the place of the first.
    pub fn poll_closed(remote: &Self, context: &mut Context<'_>) -> Poll<Why> {
        remote.proxy.channel().poll_closed(context)
    }

    /// Waits until there is room for one more call, or until waiting is of no use because the other end is gone.
    /// Cancellation-safe.
    pub async fn ready(remote: &Self) {
        remote.proxy.channel().ready().await;
    }

    /// Asks the other end which version of the interface it has: what its interface file says with `[MinVersion=n]` at
    /// most. It answers in its turn, as to any call, without bothering its handler. Cancellation-safe.
    ///
    /// # Errors
    /// As for any call.
    pub async fn query_version(remote: &Self) -> Result<u32, CallError> {
        remote.proxy.channel().query_version().await
    }

    /// Asks the other end whether it has at least this version of the interface. Cancellation-safe.
    ///
    /// # Errors
    /// [`CallError::OlderVersion`] if not, and as for any call.
    pub async fn require_version(remote: &Self, required: u32) -> Result<(), CallError> {
        let version = Self::query_version(remote).await?;
        if version >= required {
            return Ok(());
        }
        Err(CallError::OlderVersion { interface: T::NAME, required, version })
    }

    /// What the interface at the other end has that differs from this one, if it has refused a message for that and has
    /// told. Every call that was made ends in [`CallError::OtherInterface`] then; this is for those that were one-way.
    pub fn difference(remote: &Self) -> Option<Difference> {
        remote.proxy.channel().difference()
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
