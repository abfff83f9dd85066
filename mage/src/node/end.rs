//! A pipe end in its user's hands: the owning side of an endpoint's name.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::room::{Room, poll_ready};
use super::{NamedDraft, User};
use crate::bindings::{MessagePipe, RawMessage};
use crate::core::{EndpointName, Message, NodeName, Reader, Received, Refused, Status};
use crate::error::{BadMessageReport, FuseError, SendError, SendErrorKind, Why};
use crate::few::Few;
use crate::link::Handle;
use crate::seldom::Seldom;
use crate::waiters::Ticket;

/// An owned end. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct End {
    /// Empty once the end has been given away.
    user: Option<Arc<User>>,
    name: EndpointName,
}

/// A message on its way out, with what it owns.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pipes: Vec<MessagePipe>,
    pub(crate) handles: Vec<OwnedFd>,
}

/// A message that has been read, with what it owns.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pipes: Seldom<MessagePipe>,
    pub(crate) handles: Seldom<OwnedFd>,
    pub(crate) sender: Sender,
}

/// A message that has come some other way than through a pipe of interfaces.
impl From<RawMessage> for Incoming {
    fn from(RawMessage { bytes, pipes, handles }: RawMessage) -> Self {
        Self { bytes, pipes: pipes.into(), handles: handles.into(), sender: Sender::NOBODY }
    }
}

/// Who has sent a message, as far as is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub(crate) node: NodeName,
    /// Whether others have passed it on.
    pub(crate) forwarded: bool,
}

impl Sender {
    /// Nobody has sent anything yet.
    pub(crate) const NOBODY: Self = Self { node: NodeName::LOCAL, forwarded: false };
}

/// What comes behind the messages that were taken.
#[derive(Debug)]
pub(crate) enum Drained {
    /// Nothing yet.
    Empty,
    /// Perhaps more messages.
    More,
    /// Nothing ever again.
    Ended(Why),
}

/// What was seen of what is unread.
#[derive(Debug)]
pub(crate) enum Looked {
    /// It has been seen as far as the message before the one with this number.
    UpTo(u64),
    /// Nothing more will come, or the end is somebody else's.
    Ended,
}

/// Messages that are taken under one lock.
const DRAINED_MAX: usize = 64;

/// An end by name only: it can be used for as long as its owner keeps it, and keeps nothing alive itself but the node.
#[derive(Clone, Debug)]
pub(crate) struct EndRef {
    user: Arc<User>,
    name: EndpointName,
}

impl End {
    pub(crate) fn new(user: Arc<User>, name: EndpointName) -> Self {
        Self { user: Some(user), name }
    }

    /// An end of nothing: closed from the start.
    pub(crate) fn nowhere() -> Self {
        let name = EndpointName { creator: NodeName::LOCAL, number: 0 };
        Self { user: None, name }
    }

    /// The same end by name, to use it and to share.
    pub(crate) fn to_ref(&self) -> Option<EndRef> {
        Some(EndRef { user: Arc::clone(self.user.as_ref()?), name: self.name })
    }

    pub(crate) fn send(&self, draft: Draft) -> Result<(), SendError> {
        match &self.user {
            Some(user) => send(user, self.name, draft, || true),
            None => {
                let Draft { bytes, pipes, handles } = draft;
                Err(SendError::new(SendErrorKind::Disconnected, pipes, handles).with_bytes(bytes))
            }
        }
    }

    pub(crate) fn poll_receive(&self, context: &mut Context<'_>) -> Poll<Result<Incoming, Why>> {
        match &self.user {
            Some(user) => {
                // Cloning and dropping a waker runs foreign code: neither happens under the lock.
                let mut waker = Some(context.waker().clone());
                receive(user, self.name, Reader::new(|| waker.take())).0
            }
            None => Poll::Ready(Err(Why::Closed)),
        }
    }

    /// Somebody who waits until a message can be sent, or never will be.
    pub(crate) fn room(&self) -> Option<Room<'_>> {
        Some(Room::new(self.user.as_ref()?, self.name))
    }

    /// Ready when a message can be sent, or never will be. Until then this waits in the place of `ticket`.
    pub(crate) fn poll_ready(&self, ticket: &mut Option<Ticket>, context: &mut Context<'_>) -> Poll<()> {
        let Some(user) = &self.user else { return Poll::Ready(()) };
        poll_ready(user, self.name, ticket, context)
    }

    /// Forgets whoever waited to read.
    pub(crate) fn forget_reader(&self) {
        if let Some(user) = &self.user {
            let old = user.shared.act(|router| router.swap_reader(self.name, None));
            drop(old);
        }
    }

    pub(crate) fn status(&self) -> Option<Status> {
        self.user.as_ref()?.shared.act(|router| router.status(self.name))
    }

    /// Gives up ownership without closing.
    pub(crate) fn into_name(mut self) -> EndpointName {
        self.user = None;
        self.name
    }

    fn is_of(&self, user: &Arc<User>) -> bool {
        self.user.as_ref().is_some_and(|own| Arc::ptr_eq(own, user))
    }

    /// Whether it lives on this node.
    pub(crate) fn belongs_to(&self, node: &super::Node) -> bool {
        self.is_of(&node.user)
    }

    /// Makes one pipe of the pipes of two ends.
    pub(crate) fn fuse(self, other: Self) -> Result<(), (FuseError, Self, Self)> {
        let Some(user) = self.user.clone().filter(|user| other.is_of(user)) else {
            return Err((FuseError::OtherNetwork, self, other));
        };
        match user.shared.act(|router| router.fuse(self.name, other.name)) {
            Ok(()) => {
                self.into_name();
                other.into_name();
                Ok(())
            }
            Err(error) => Err((error, self, other)),
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(user) = &self.user {
            user.shared.act(|router| router.close(self.name, Why::Closed));
        }
    }
}

impl EndRef {
    pub(crate) fn send(&self, draft: Draft) -> Result<(), SendError> {
        send(&self.user, self.name, draft, || true)
    }

    /// Sends if `is_ours`, which is asked under the node's lock, says yes.
    pub(crate) fn send_if(&self, is_ours: impl FnOnce() -> bool, draft: Draft) -> Result<(), SendError> {
        send(&self.user, self.name, draft, is_ours)
    }

    /// Takes the next message. If there is nothing more for now, what `waker` makes under the node's lock is parked, which is said
    /// as well.
    pub(crate) fn receive(&self, mut waker: impl FnMut() -> Waker) -> (Poll<Result<Incoming, Why>>, bool) {
        receive(&self.user, self.name, Reader::eager(|| Some(waker())))
    }

    /// Shows each unread message from number `from` on to `see`, and parks `waker` until there are more. Both happen
    /// under the node's lock, if `is_ours` says yes there.
    pub(crate) fn look(
        &self,
        from: u64,
        waker: Waker,
        is_ours: impl FnOnce() -> bool,
        see: impl FnMut(&[u8]),
    ) -> Looked {
        let (looked, left) = self.user.shared.act(|router| {
            if !is_ours() {
                return (Looked::Ended, Some(waker));
            }
            let Some((next, messages)) = router.look(self.name, from) else {
                return (Looked::Ended, Some(waker));
            };
            messages.map(|message| message.bytes.as_slice()).for_each(see);
            (Looked::UpTo(next), router.swap_reader(self.name, Some(waker)))
        });
        drop(left);
        looked
    }

    /// How many messages have been sent from this end, wherever it was then.
    pub(crate) fn sent_messages(&self) -> u64 {
        self.user.shared.act(|router| router.sent_messages(self.name))
    }

    /// Adds every message that there is to `messages`, up to a bound, and says what comes behind them. What `waker` makes is
    /// parked if that is nothing yet. It is asked under the node's lock, as is `is_ours`: if that says no, there is nothing ever
    /// again.
    pub(crate) fn drain(
        &self,
        mut waker: impl FnMut() -> Waker,
        is_ours: impl FnOnce() -> bool,
        messages: &mut Few<Incoming>,
    ) -> Drained {
        let (drained, left) = self.user.shared.act(|router| {
            if !is_ours() {
                return (Drained::Ended(Why::Closed), None);
            }
            let mut reader = Reader::eager(|| Some(waker()));
            loop {
                match router.receive_or_wait(self.name, &mut reader) {
                    Received::Message(message) => messages.push(own(&self.user, message)),
                    Received::Empty => return (Drained::Empty, reader.into_before()),
                    Received::Ended(why) => return (Drained::Ended(why), None),
                }
                if reader.waits() {
                    return (Drained::Empty, reader.into_before());
                }
                if messages.len() >= DRAINED_MAX {
                    return (Drained::More, None);
                }
            }
        });
        drop(left);
        drained
    }

    /// Somebody who waits until a message can be sent, or never will be.
    pub(crate) fn room(&self) -> Room<'_> {
        Room::new(&self.user, self.name)
    }

    /// Ready when a message can be sent, or never will be. Until then this waits in the place of `ticket`.
    pub(crate) fn poll_ready(&self, ticket: &mut Option<Ticket>, context: &mut Context<'_>) -> Poll<()> {
        poll_ready(&self.user, self.name, ticket, context)
    }

    /// How many calls through this end may be unanswered: so few that their answers always fit into one window.
    pub(crate) fn pending_calls_max(&self) -> usize {
        let limits = &self.user.shared.limits;
        let half_window = usize::try_from(limits.window_messages / 2).unwrap_or(usize::MAX).max(1);
        limits.pending_calls_max.min(half_window)
    }

    /// A message of this end was bad: tells whoever wants to know.
    pub(crate) fn report(&self, report: &BadMessageReport) {
        self.user.shared.report(report);
    }

    /// How many calls may arrive at this end and be unanswered.
    pub(crate) fn open_requests_max(&self) -> usize {
        self.user.shared.limits.open_requests_max
    }

    pub(crate) fn close(&self, why: Why) {
        self.close_if(|| true, why);
    }

    /// Closes if `is_ours`, which is asked under the node's lock, says yes.
    pub(crate) fn close_if(&self, is_ours: impl FnOnce() -> bool, why: Why) {
        self.user.shared.act(|router| {
            if is_ours() {
                router.close(self.name, why);
            }
        });
    }
}

fn send(
    user: &Arc<User>,
    name: EndpointName,
    draft: Draft,
    is_ours: impl FnOnce() -> bool,
) -> Result<(), SendError> {
    let Draft { bytes, pipes, handles } = draft;
    if pipes.iter().any(|pipe| !pipe.end().is_of(user)) {
        return Err(SendError::new(SendErrorKind::OtherNetwork, pipes, handles).with_bytes(bytes));
    }
    let ends = Seldom::from(pipes).map(|pipe| pipe.into_end().into_name());
    let handles = Seldom::from(handles).map(Handle::from);
    let draft = NamedDraft { bytes, ends, handles };
    let sent = user.shared.act(|router| {
        if is_ours() {
            router.send(name, draft)
        } else {
            Err(Refused { why: SendErrorKind::Disconnected, message: draft })
        }
    });
    sent.map_err(|refused| {
        let message = refused.message;
        let own = |name| MessagePipe::from_end(End::new(Arc::clone(user), name));
        let handles = message.handles.into_iter().map(Handle::into_descriptor).collect();
        let pipes = message.ends.into_iter().map(own).collect();
        SendError::new(refused.why, pipes, handles).with_bytes(message.bytes)
    })
}

fn receive<W: FnMut() -> Option<Waker>>(
    user: &Arc<User>,
    name: EndpointName,
    mut reader: Reader<W>,
) -> (Poll<Result<Incoming, Why>>, bool) {
    let received = user.shared.act(|router| router.receive_or_wait(name, &mut reader));
    let waits = reader.waits();
    drop(reader.into_before());
    let received = match received {
        Received::Empty => Poll::Pending,
        Received::Ended(why) => Poll::Ready(Err(why)),
        Received::Message(message) => Poll::Ready(Ok(own(user, message))),
    };
    (received, waits)
}

/// The message with its ends in their user's hands.
fn own(user: &Arc<User>, message: Message<Handle>) -> Incoming {
    let sender = Sender { node: message.source, forwarded: message.was_forwarded() };
    let Message { bytes, ends, handles, .. } = message;
    let own = |name| MessagePipe::from_end(End::new(Arc::clone(user), name));
    Incoming { bytes, pipes: ends.map(own), handles: handles.map(Handle::into_descriptor), sender }
}
