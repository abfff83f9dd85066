//! [`Receiver`]: the end of a pipe at which an interface is implemented.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;

use super::description::Identity;
use super::header::{HEADER_BYTES, Header, Incoming, Kind};
use super::interface::{Dispatch, Interface, Message};
use super::pipe::{MessagePipe, RawMessage};
use super::reply::ReplyTo;
use super::value::{Reader, Writer};
use crate::error::{BadMessage, RecvError, Why};
use crate::limits::DESCRIPTION_BYTES_MAX;
use crate::node::EndRef;

/// Messages handled in one poll before other tasks get their turn.
pub(super) const MESSAGES_PER_POLL: u32 = 128;

/// Receives the messages of an interface.
///
/// What was sent before the receiver existed has waited and comes first. The messages come one at a time, in order, on
/// whatever thread or task polls: `serve` borrows its handler, so `&mut self` is all that a handler needs.
pub struct Receiver<T: Interface + ?Sized> {
    pipe: MessagePipe,
    interface: PhantomData<fn(&T)>,
}

impl<T: Interface + ?Sized> Receiver<T> {
    /// Binds an end of a pipe.
    pub fn new(pipe: MessagePipe) -> Self {
        Self { pipe, interface: PhantomData }
    }

    /// The pipe again, with everything that has not been received.
    pub fn into_pipe(self) -> MessagePipe {
        self.pipe.end().forget_reader();
        self.pipe
    }

    /// Waits for the next message; `None` when the other end has been closed and everything was received.
    /// Cancellation-safe: a message is either returned or still there.
    ///
    /// # Errors
    /// If the way to the other end broke, or what came is not a message of this interface. Both are final.
    pub async fn recv(&mut self) -> Result<Option<T::Message>, RecvError> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// [`Receiver::recv`] as a poll.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<T::Message>, RecvError>> {
        for _ in 0..MESSAGES_PER_POLL {
            let raw = match std::task::ready!(self.pipe.poll_recv(context)) {
                Ok(raw) => raw,
                Err(Why::Closed) => return Poll::Ready(Ok(None)),
                Err(why) => return Poll::Ready(Err(RecvError::Disconnected(why))),
            };
            match self.decode(raw) {
                Ok(Some(message)) => return Poll::Ready(Ok(Some(message))),
                // It was not for the user.
                Ok(None) => {}
                Err(bad) => {
                    if let Some(end) = self.pipe.end().to_ref() {
                        end.close(Why::Rejected);
                    }
                    return Poll::Ready(Err(RecvError::BadMessage(bad)));
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Nothing reaches the user that did not validate in full, and nothing that is newer than what the user knows.
    fn decode(&self, raw: RawMessage) -> Result<Option<T::Message>, BadMessage> {
        let RawMessage { bytes, pipes, handles } = raw;
        let end = || self.pipe.end().to_ref();
        let identity = Identity::of::<T>();
        let (header, size) = Header::from_bytes(&bytes)?;
        let extension = bytes.get(HEADER_BYTES..size).unwrap_or_default();
        identity.check(header.fingerprint, extension).inspect_err(|_| refuse(identity, end()))?;
        let arguments = Reader::new(bytes.get(size..).unwrap_or_default(), pipes, handles);
        if header.kind == Kind::QueryVersion {
            tell_version(identity, header, end());
            return arguments.finish().map(|()| None);
        }
        let mut incoming = Incoming::new(identity, header, arguments, end)?;
        let message = match T::Message::decode(&mut incoming) {
            Err(BadMessage::UnknownMethod { .. }) if identity.description.is_extensible => {
                incoming.answer_that_it_is_newer();
                return Ok(None);
            }
            message => message?,
        };
        incoming.finish()?;
        Ok(Some(message))
    }

    /// Handles every message until the other end is closed. The future is `Send` exactly when the handler is; dropping it
    /// closes the pipe.
    ///
    /// A long run of messages is interrupted now and then for other tasks.
    ///
    /// # Errors
    /// As [`Receiver::recv`], and [`RecvError::HandlerPanicked`] if the handler panics: the panic goes no further.
    pub async fn serve<H: ?Sized>(mut self, handler: &mut H) -> Result<(), RecvError>
    where
        T::Message: Dispatch<H>,
    {
        let mut budget = MESSAGES_PER_POLL;
        while let Some(message) = self.recv().await? {
            let dispatched = catch_unwind(AssertUnwindSafe(|| message.dispatch(handler)));
            if dispatched.is_err() {
                return Err(RecvError::HandlerPanicked);
            }
            budget -= 1;
            if budget == 0 {
                budget = MESSAGES_PER_POLL;
                yield_now().await;
            }
        }
        Ok(())
    }
}

/// Tells the other end what is spoken here, so that it can say what differs.
#[cold]
fn refuse(identity: Identity, end: Option<EndRef>) {
    let header = Header { kind: Kind::Refused, request: 0, fingerprint: identity.fingerprint, method: 0 };
    let mut writer = Writer::with_header(&header.to_bytes());
    let text = identity.description.text;
    // What is too long to be told has to be found by other means.
    writer.put(if text.len() <= DESCRIPTION_BYTES_MAX { text } else { "" });
    if let Some(end) = end {
        // The pipe is about to be closed in any case.
        let _ = end.send(writer.finish());
    }
}

fn tell_version(identity: Identity, header: Header, end: Option<EndRef>) {
    if let Some(end) = end {
        // Whoever asked may be gone.
        let version = identity.description.version;
        let _ = ReplyTo::new(end, header).answer(Kind::Version, |writer| writer.put(version));
    }
}

/// Lets other tasks have their turn.
pub(super) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<T: Interface + ?Sized> Stream for Receiver<T> {
    type Item = Result<T::Message, RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(context).map(Result::transpose)
    }
}

impl<T: Interface + ?Sized> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").field("interface", &T::NAME).field("pipe", &self.pipe).finish()
    }
}
