//! [`MessagePipe`]: one end of a pipe, without a type.

use std::fmt;
use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::error::{FuseFailure, SendError, SendErrorKind, Why};
use crate::node::{Draft, End};

/// One end of a message pipe: a capability to talk to whoever holds the other.
///
/// It is a value. Put it in a message and it travels, with everything that waits in it, to wherever the message is read;
/// the other end need not know. Bind it with [`Remote::new`](crate::Remote::new) or
/// [`Receiver::new`](crate::Receiver::new), or use it as it is. Dropping it closes it, and the other end learns, after the
/// last message.
pub struct MessagePipe {
    end: End,
}

assert_impl_all!(MessagePipe: Send, Sync);
assert_not_impl_any!(MessagePipe: Clone);

/// A message without a type: bytes, and what travels beside them.
#[derive(Debug, Default)]
pub struct RawMessage {
    /// The payload. Ends that are bound to an interface expect a header in it; bare pipes take anything.
    pub bytes: Vec<u8>,
    /// Pipe ends. They leave this process's hands when the message is sent.
    pub pipes: Vec<MessagePipe>,
    /// Descriptors.
    pub handles: Vec<OwnedFd>,
}

impl MessagePipe {
    pub(crate) fn from_end(end: End) -> Self {
        Self { end }
    }

    pub(crate) fn end(&self) -> &End {
        &self.end
    }

    pub(crate) fn into_end(self) -> End {
        self.end
    }

    /// Sends a message now, or gives it back. Never blocks.
    ///
    /// # Errors
    /// [`SendError`], with the whole message: [`SendErrorKind::Full`] if the other end has to read first.
    pub fn try_send(&self, message: RawMessage) -> Result<(), SendError> {
        let RawMessage { bytes, pipes, handles } = message;
        self.end.send(Draft { bytes, pipes, handles })
    }

    /// Sends a message as soon as there is room. It is sent when the future says so and not before: dropping the future earlier
    /// drops the message, and with it the pipes and handles in it. To keep them, wait with [`MessagePipe::ready`] and then
    /// [`MessagePipe::try_send`].
    ///
    /// # Errors
    /// As [`MessagePipe::try_send`], without [`SendErrorKind::Full`].
    pub async fn send(&self, mut message: RawMessage) -> Result<(), SendError> {
        loop {
            match self.try_send(message) {
                Err(error) if error.kind() == SendErrorKind::Full => message = error.into_message(),
                sent => return sent,
            }
            self.ready().await;
        }
    }

    /// Waits until there is room for a message, or until waiting is of no use because the other end is gone.
    /// Cancellation-safe.
    pub async fn ready(&self) {
        let Some(mut room) = self.end.room() else { return };
        poll_fn(|context| room.poll(context)).await;
    }

    /// Waits for the next message. `Err(Why::Closed)` after the last one is the ordinary end. Cancellation-safe: a message
    /// is either returned or still there. One task at a time: a second one takes the place of the first.
    ///
    /// # Errors
    /// Why nothing more will come.
    pub async fn recv(&self) -> Result<RawMessage, Why> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// [`MessagePipe::recv`] as a poll.
    pub fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Result<RawMessage, Why>> {
        self.end.poll_receive(context).map_ok(|incoming| RawMessage {
            bytes: incoming.bytes,
            pipes: incoming.pipes.into_vec(),
            handles: incoming.handles.into_vec(),
        })
    }

    /// Makes one pipe of two: what is sent into the far end of this one comes out of the far end of the other, beginning
    /// with what waits already, wherever the two have travelled. Both near ends are used up.
    ///
    /// # Errors
    /// If the two ends belong to one pipe, or to different nodes or networks, or if either has been used: something was
    /// sent from it or read from it. Both come back.
    pub fn fuse(self, other: Self) -> Result<(), FuseFailure> {
        self.end.fuse(other.end).map_err(|(error, first, second)| FuseFailure {
            error,
            first: Self { end: first },
            second: Self { end: second },
        })
    }

    /// Whether what is sent here goes straight to the node of the other end, and comes straight from it.
    pub fn is_direct(&self) -> bool {
        self.end.status().is_some_and(|status| status.direct)
    }
}

impl fmt::Debug for MessagePipe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MessagePipe").field("status", &self.end.status()).finish()
    }
}
