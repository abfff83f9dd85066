//! [`Receiver`]: the end of a pipe at which an interface is implemented.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::bell::Bell;
use super::bouncer::Bouncer;
use super::description::Identity;
use super::header::{HEADER_BYTES, Header, Incoming, Kind};
use super::interface::{Dispatch, Interface, Message};
use super::pipe::{MessagePipe, RawMessage};
use super::reader::Reader;
use super::serving::{Serving, Standing};
use super::writer::Writer;
use crate::error::{BadMessage, RecvError, Why};
use crate::limits::DESCRIPTION_BYTES_MAX;
use crate::node::{self, Sender};

/// Messages handled in one poll before other tasks get their turn.
pub(super) const MESSAGES_PER_POLL: u32 = 128;

/// Receives the messages of an interface.
///
/// What was sent before the receiver existed has waited and comes first. The messages come one at a time, in order, on
/// whatever thread or task polls: `serve` borrows its handler, so `&mut self` is all that a handler needs.
pub struct Receiver<T: Interface + ?Sized> {
    pipe: MessagePipe,
    serving: Arc<Serving>,
    /// Wakes the task that waits for messages, or has waited last: nearly always the same.
    bell: Option<Arc<Bell>>,
    /// Who has sent the last message.
    sender: Sender,
    /// Once somebody has asked for one.
    bouncer: OnceLock<Bouncer>,
    interface: PhantomData<fn(&T)>,
}

impl<T: Interface + ?Sized> Receiver<T> {
    /// Binds an end of a pipe.
    pub fn new(pipe: MessagePipe) -> Self {
        let serving = Arc::new(Serving::new(&pipe, Identity::of::<T>()));
        let bouncer = OnceLock::new();
        Self { pipe, serving, bell: None, sender: Sender::NOBODY, bouncer, interface: PhantomData }
    }

    /// The pipe again, with everything that has not been received. Calls that have not been answered are told that there
    /// will be no answer, and what is still sent by their [`Reply`](crate::Reply) is refused.
    pub fn into_pipe(self) -> MessagePipe {
        for request in self.serving.give_back(&self.pipe) {
            let refusal = Header::about(request, Kind::NoReply, T::FINGERPRINT);
            // Every honest caller has room for it.
            let _ =
                self.pipe.try_send(RawMessage { bytes: refusal.to_bytes().into(), ..RawMessage::default() });
        }
        self.pipe
    }

    /// What rejects the message that was received last, for a handler to keep while the receiver is served. Where there is a
    /// [`Reply`](crate::Reply), [`Reply::reject`](crate::Reply::reject) is simpler.
    pub fn bouncer(&self) -> Bouncer {
        self.bouncer.get_or_init(|| Bouncer::new(Arc::clone(&self.serving), self.sender)).clone()
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
        let bell = match self.bell.take().filter(|bell| bell.is_of(context.waker())) {
            Some(bell) => bell,
            None => {
                let bell = Arc::new(Bell::of(context.waker().clone()));
                self.serving.await_messages(Arc::clone(&bell));
                bell
            }
        };
        let polled = self.poll_messages(&bell, context);
        self.bell = Some(bell);
        polled
    }

    fn poll_messages(
        &mut self,
        bell: &Arc<Bell>,
        context: &Context<'_>,
    ) -> Poll<Result<Option<T::Message>, RecvError>> {
        for _ in 0..MESSAGES_PER_POLL {
            let incoming = match ready!(self.serving.poll_receive(bell)) {
                Ok(incoming) => incoming,
                Err(why) => return Poll::Ready(self.end(why)),
            };
            let sender = incoming.sender;
            self.sender = sender;
            if let Some(bouncer) = self.bouncer.get() {
                bouncer.saw(sender);
            }
            match self.decode(incoming) {
                Ok(Some(message)) => return Poll::Ready(Ok(Some(message))),
                Ok(None) => {}
                Err(bad) => {
                    self.serving.reject(sender, bad.clone());
                    return Poll::Ready(Err(RecvError::BadMessage(bad)));
                }
            }
        }
        // Nothing but cancellations, and perhaps no end of them: others have their turn.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Nothing more will come.
    fn end(&self, why: Why) -> Result<Option<T::Message>, RecvError> {
        match (self.serving.fault(), why) {
            (Some(fault), _) => Err(RecvError::BadMessage(fault)),
            (None, Why::Closed) => Ok(None),
            (None, why) => Err(RecvError::Disconnected(why)),
        }
    }

    /// Nothing reaches the user that did not validate in full, and nothing that is newer than what the user knows. `None` if
    /// it is not for the user at all.
    fn decode(&self, incoming: node::Incoming) -> Result<Option<T::Message>, BadMessage> {
        let identity = Identity::of::<T>();
        let (header, size) = Header::from_bytes(&incoming.bytes)?;
        let sender = incoming.sender;
        let extension = incoming.bytes.get(HEADER_BYTES..size).unwrap_or_default();
        identity.check(header.fingerprint, extension).inspect_err(|_| self.refuse(identity))?;
        let arguments = Reader::behind_header(incoming, size);
        match header.kind {
            Kind::Cancel => {
                self.serving.cancel(header.request);
                return arguments.finish().map(|()| None);
            }
            Kind::QueryVersion => {
                self.tell_version(Header { kind: Kind::Version, ..header }, identity);
                return arguments.finish().map(|()| None);
            }
            _ => {}
        }
        let mut incoming = Incoming::new(identity, header, arguments, &self.serving, sender)?;
        let request = incoming.request();
        let message = match T::Message::decode(&mut incoming) {
            Err(BadMessage::UnknownMethod { .. }) if identity.description.is_extensible => {
                if let Some(request) = request {
                    // It is dropped with the means to answer it, and would take another call of its number along.
                    if self.serving.standing(request) != Standing::Closed {
                        return Err(BadMessage::InvalidHeader);
                    }
                    self.tell_version(Header { kind: Kind::NoSuchMethod, ..header }, identity);
                }
                return Ok(None);
            }
            message => message?,
        };
        incoming.finish()?;
        // Until this, dropping its reply says nothing to anybody: a call of that number is not open. If one is, this says so,
        // and the pipe ends.
        request.map_or(Ok(()), |request| self.serving.open(request))?;
        Ok(Some(message))
    }

    /// Tells the other end what is spoken here, so that it can say what differs.
    #[cold]
    fn refuse(&self, identity: Identity) {
        let header = Header::about(0, Kind::Refused, identity.fingerprint);
        let mut writer = Writer::with_header(&header.to_bytes());
        let text = identity.description.text;
        // What is too long to be told has to be found by other means.
        writer.put(if text.len() <= DESCRIPTION_BYTES_MAX { text } else { "" });
        // The pipe is about to be closed in any case.
        let _ = self.serving.send(writer.finish());
    }

    /// Tells a caller which version is spoken here.
    fn tell_version(&self, header: Header, identity: Identity) {
        let mut writer = Writer::with_header(&Header { deadline_ms: 0, ..header }.to_bytes());
        writer.put(identity.description.version);
        // Whoever asked may be gone.
        let _ = self.serving.answer(writer.finish());
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
