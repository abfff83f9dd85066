//! [`Reply`]: the handler's side of a method with an answer.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::header::{Header, Kind};
use super::serving::{Serving, Standing};
use super::value::Encode;
use super::writer::Writer;
use crate::error::{SendError, SendErrorKind};
use crate::node::{Draft, Sender};

/// The right to answer one call, once. It can be moved anywhere, into a task or to another thread, and used when the
/// answer is there. Dropping it tells the caller that there will be none.
///
/// A caller may change its mind. Work that is worth giving up asks [`Reply::cancelled`]:
///
/// ```
/// use futures::future::{Either, select};
/// use mage::Reply;
///
/// async fn answer(work: impl Future<Output = String> + Unpin, reply: Reply<String>) {
///     let done = match select(work, std::pin::pin!(reply.cancelled())).await {
///         Either::Left((text, _)) => Some(text),
///         Either::Right(_) => None, // nobody waits any more: the work is dropped
///     };
///     if let Some(text) = done {
///         let _ = reply.send(text);
///     }
/// }
/// ```
pub struct Reply<T> {
    to: ReplyTo,
    value: PhantomData<fn(T)>,
}

impl<T: Encode> Reply<T> {
    pub(super) fn new(to: ReplyTo) -> Self {
        Self { to, value: PhantomData }
    }

    /// Answers. Never blocks: a caller always has room for the answers it waits for. If the caller has cancelled the call,
    /// the value is dropped and all is well.
    ///
    /// # Errors
    /// If the caller is gone, or the receiver has given its pipe back, which a handler may well ignore; or if the value
    /// cannot be sent, and then the caller is told that there is no answer.
    pub fn send(mut self, value: T) -> Result<(), SendError> {
        self.to.answer(Kind::Reply, |writer| writer.put(value))
    }
}

impl<T> Reply<T> {
    /// Rejects the call as one that no honest caller makes. The pipe is closed at once; the receiver ends with
    /// [`BadMessage::RejectedByHandler`](crate::BadMessage::RejectedByHandler), and every call through the pipe with
    /// [`BadMessage::Rejected`](crate::BadMessage::Rejected) and this text, of which it gets
    /// [`REJECTION_BYTES_MAX`](crate::limits::REJECTION_BYTES_MAX) bytes at most. Whoever watches this node is told whose
    /// message it was: [`NodeBuilder::on_bad_message`](crate::NodeBuilder::on_bad_message).
    pub fn reject(mut self, text: impl Into<String>) {
        if let Some(serving) = self.to.serving.take() {
            serving.reject_for(self.to.sender, text.into());
        }
    }

    /// Waits until nobody waits for this answer: the caller has dropped its [`Call`](crate::Call), its time is up, or the
    /// pipe has ended. It works while the receiver's messages are not being read. Cancellation-safe; the last one who asks
    /// is woken.
    pub async fn cancelled(&self) {
        poll_fn(|context| self.poll_cancelled(context)).await;
    }

    /// [`Reply::cancelled`] as a poll.
    pub fn poll_cancelled(&self, context: &mut Context<'_>) -> Poll<()> {
        match &self.to.serving {
            Some(serving) => serving.poll_cancelled(self.to.header.request, context),
            None => Poll::Ready(()),
        }
    }

    /// Whether nobody waits for this answer any more.
    pub fn is_cancelled(&self) -> bool {
        self.to.serving.as_ref().is_none_or(|serving| serving.is_cancelled(self.to.header.request))
    }

    /// How long the caller was going to wait when it made the call, to the millisecond; `None` is for ever. How much of it
    /// was spent on the way is not known, for no two processes have one clock.
    pub fn deadline(&self) -> Option<Duration> {
        let deadline_ms = self.to.header.deadline_ms;
        (deadline_ms != 0).then(|| Duration::from_millis(deadline_ms.into()))
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reply").finish_non_exhaustive()
    }
}

/// Where an answer goes.
#[derive(Debug)]
pub(super) struct ReplyTo {
    /// Empty once the answer has been given.
    serving: Option<Arc<Serving>>,
    header: Header,
    sender: Sender,
}

impl ReplyTo {
    pub(super) fn new(serving: Arc<Serving>, header: Header, sender: Sender) -> Self {
        Self { serving: Some(serving), header, sender }
    }

    fn answer(&mut self, kind: Kind, write: impl FnOnce(&mut Writer)) -> Result<(), SendError> {
        let Some(serving) = self.serving.take() else { return Ok(()) };
        let request = self.header.request;
        let refusal = Header { deadline_ms: 0, kind: Kind::NoReply, ..self.header };
        let refuse = || serving.answer(Writer::with_header(&refusal.to_bytes()).finish());
        let standing = serving.standing(request);
        let result = if standing == Standing::Cancelled {
            refuse()
        } else {
            let mut writer = Writer::with_header(&Header { kind, ..refusal }.to_bytes());
            write(&mut writer);
            let fault = writer.fault();
            let draft = writer.finish();
            match fault {
                _ if standing == Standing::Closed => Err(refused(SendErrorKind::Disconnected, draft)),
                Some(fault) => Err(refused(fault, draft)),
                None => serving.answer(draft),
            }
        };
        match result.as_ref().map_err(SendError::kind) {
            Ok(()) | Err(SendErrorKind::Disconnected | SendErrorKind::Full) => {}
            // The caller must not wait for an answer that cannot be sent.
            Err(_) => drop(refuse()),
        }
        serving.close(request);
        result
    }
}

fn refused(why: SendErrorKind, draft: Draft) -> SendError {
    SendError::new(why, draft.pipes, draft.handles)
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        // Nobody is left to tell if this fails.
        let _ = self.answer(Kind::NoReply, |_| {});
    }
}
