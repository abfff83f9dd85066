//! [`Channel`]: what a proxy sends into, and the calls that wait for an answer.
//!
//! Nobody needs to poll a remote for its answers to arrive. The pipe's waker is the channel itself: woken by whoever
//! delivered a message, with no lock held, it sorts the answers out at once and wakes the calls they belong to.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use mage_sched::sync::Mutex;
use slab::Slab;
use smallvec::SmallVec;

use super::call::Call;
use super::description::{Identity, extend};
use super::difference::{difference, method_named};
use super::header::{Answer, Answered, Header, Kind, read_answer};
use super::pipe::{MessagePipe, RawMessage};
use super::value::{Decode, Reader, Writer};
use crate::error::{BadMessage, CallError, Difference, SendError, SendErrorKind, Why};
use crate::limits::DESCRIPTION_BYTES_MAX;
use crate::node::{Draft, Drained, EndRef, Incoming};

/// The sending side of a bound pipe.
pub struct Channel {
    lease: Arc<Lease>,
}

/// Keeps the pipe open: held by the channel and by every call that waits for an answer.
pub(super) struct Lease {
    pipe: Mutex<Option<MessagePipe>>,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    /// Empty only if the pipe had been given away before it was bound.
    end: Option<EndRef>,
    pub(super) identity: Identity,
    /// The other end has been told which versions are known here.
    introduced: AtomicBool,
    calls: Mutex<Calls>,
    /// The pipe is somebody else's by now. Written before and read under the node's lock, which orders the two.
    given_back: AtomicBool,
}

#[derive(Default)]
struct Calls {
    /// How many requests there have been.
    requests: u64,
    pending: Slab<(u64, Pending)>,
    watching: Watching,
    sorting: Sorting,
    closed: Vec<Waker>,
}

/// Whether the pipe wakes us.
#[derive(Default)]
enum Watching {
    /// Nobody has asked for anything yet.
    #[default]
    Not,
    Yes,
    /// It has ended; nothing more will come.
    Ended(Ended),
}

/// Whether a thread sorts answers out. Only one does at a time: a second one could come upon the end of the pipe while the
/// first still has the answers before it in its hands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Sorting {
    #[default]
    Idle,
    Busy,
    /// Somebody else was woken meanwhile, and has left it to the one who is at it.
    BusyAgain,
}

#[derive(Clone, Debug)]
enum Ended {
    Gone(Why),
    Bad(BadMessage),
    /// The other end speaks another interface, and may have told which.
    Refused(Option<Difference>),
}

enum Pending {
    /// The caller, once it has polled.
    Waiting(Option<Waker>),
    Answered(Answer),
}

impl Channel {
    pub(super) fn new(pipe: MessagePipe, identity: Identity) -> Self {
        let shared = Shared {
            end: pipe.end().to_ref(),
            identity,
            introduced: AtomicBool::new(identity.description.lineage.is_empty()),
            calls: Mutex::new(Calls::default()),
            given_back: AtomicBool::new(false),
        };
        Self { lease: Arc::new(Lease { pipe: Mutex::new(Some(pipe)), shared: Arc::new(shared) }) }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.lease.shared
    }

    /// Sends a message that has no answer.
    ///
    /// # Errors
    /// If it was not taken; what it carried is in the error.
    pub fn notify(&self, method: u32, write: impl FnOnce(&mut Writer)) -> Result<(), SendError> {
        let shared = self.shared();
        shared.send(Kind::OneWay, 0, method, write)?;
        // Nothing will be answered; but the other end may refuse it, and say why.
        shared.watch();
        Ok(())
    }

    /// Sends a message that has an answer.
    pub fn call<T: Decode>(&self, method: u32, write: impl FnOnce(&mut Writer)) -> Call<T> {
        self.request(Kind::Request, method, write)
    }

    /// Asks the other end for its version.
    pub(super) fn query_version(&self) -> Call<u32> {
        self.request(Kind::QueryVersion, 0, |_| {})
    }

    fn request<T: Decode>(&self, kind: Kind, method: u32, write: impl FnOnce(&mut Writer)) -> Call<T> {
        let shared = self.shared();
        let request = shared.calls.lock().begin(shared.pending_calls_max());
        match shared.send(kind, request.unwrap_or_default(), method, write) {
            Ok(()) => {
                shared.watch();
                Call::sent(Arc::clone(&self.lease), request.unwrap_or_default())
            }
            Err(error) => {
                shared.forget(request.unwrap_or_default());
                Call::failed(CallError::NotSent(error))
            }
        }
    }

    pub(super) fn into_pipe(self) -> MessagePipe {
        let shared = self.shared();
        shared.settle(&Ended::Gone(Why::Closed));
        // Whoever was just woken must not read from the pipe once it is no longer ours.
        shared.given_back.store(true, Ordering::Relaxed);
        let pipe = self.lease.pipe.lock().take();
        match pipe {
            Some(pipe) => {
                pipe.end().forget_reader();
                pipe
            }
            // A channel always has its pipe; only this function takes it, and it consumes the channel.
            None => MessagePipe::from_end(crate::node::End::nowhere()),
        }
    }

    pub(super) async fn closed(&self) -> Why {
        poll_fn(|context| self.poll_closed(context)).await
    }

    pub(super) fn poll_closed(&self, context: &mut Context<'_>) -> Poll<Why> {
        self.shared().watch();
        let waker = context.waker().clone();
        let mut calls = self.shared().calls.lock();
        match &calls.watching {
            Watching::Ended(Ended::Gone(why)) => Poll::Ready(*why),
            Watching::Ended(Ended::Bad(_)) => Poll::Ready(Why::BrokenRules),
            Watching::Ended(Ended::Refused(_)) => Poll::Ready(Why::Rejected),
            Watching::Not | Watching::Yes => {
                if !calls.closed.iter().any(|known| known.will_wake(&waker)) {
                    calls.closed.push(waker);
                }
                Poll::Pending
            }
        }
    }

    pub(super) fn difference(&self) -> Option<Difference> {
        match &self.shared().calls.lock().watching {
            Watching::Ended(Ended::Refused(difference)) => difference.clone(),
            _ => None,
        }
    }

    pub(super) async fn ready(&self) {
        let Some(end) = &self.shared().end else { return };
        poll_fn(|context| end.poll_ready(context)).await;
    }

    pub(super) fn is_direct(&self) -> bool {
        self.lease.pipe.lock().as_ref().is_some_and(MessagePipe::is_direct)
    }
}

impl Shared {
    fn pending_calls_max(&self) -> usize {
        self.end.as_ref().map_or(0, EndRef::pending_calls_max)
    }

    fn send(
        &self,
        kind: Kind,
        request: u64,
        method: u32,
        write: impl FnOnce(&mut Writer),
    ) -> Result<(), SendError> {
        let header = Header { kind, request, fingerprint: self.identity.fingerprint, method };
        // Until the versions have been sent once, everything has them: whatever is sent behind is sent after.
        let introduces = !self.introduced.load(Ordering::Acquire);
        let mut writer = match introduces {
            false => Writer::with_header(&header.to_bytes()),
            true => Writer::with_header(&extend(header.to_bytes(), self.identity.description.lineage)),
        };
        write(&mut writer);
        let fault = writer.fault();
        let Draft { bytes, pipes, handles } = writer.finish();
        if let Some(fault) = fault {
            return Err(SendError::new(fault, pipes, handles));
        }
        match &self.end {
            // A request without a number is one too many.
            Some(_) if kind != Kind::OneWay && request == 0 => {
                Err(SendError::new(SendErrorKind::Full, pipes, handles))
            }
            Some(end) => {
                end.send(Draft { bytes, pipes, handles })?;
                if introduces {
                    self.introduced.store(true, Ordering::Release);
                }
                Ok(())
            }
            None => Err(SendError::new(SendErrorKind::Disconnected, pipes, handles)),
        }
    }

    /// Sees to it that the pipe wakes us.
    fn watch(self: &Arc<Self>) {
        let mut calls = self.calls.lock();
        if matches!(calls.watching, Watching::Not) {
            calls.watching = Watching::Yes;
            drop(calls);
            self.drain();
        }
    }

    /// Sorts out every answer that has arrived, or leaves it to the thread that is at it.
    fn drain(self: &Arc<Self>) {
        let Some(end) = &self.end else { return };
        if !self.calls.lock().sorting.begin() {
            return;
        }
        // Wakers and unwanted answers are foreign code: theirs is the turn when ours is over.
        let mut left = SmallVec::<[Pending; 1]>::new();
        let ended = loop {
            let ended = self.sort(end, &mut left);
            let again = self.calls.lock().sorting.go_on();
            if ended.is_some() || !again {
                break ended;
            }
        };
        if let Some(ended) = ended {
            self.settle(&ended);
            if !matches!(ended, Ended::Gone(_)) {
                end.close(Why::Rejected);
            }
        }
        for pending in left {
            match pending {
                Pending::Waiting(waker) => waker.into_iter().for_each(Waker::wake),
                Pending::Answered(answer) => drop(answer),
            }
        }
    }

    /// Takes what has arrived, until there is nothing or the end. What is to be woken or dropped is added to `left`.
    fn sort(self: &Arc<Self>, end: &EndRef, left: &mut SmallVec<[Pending; 1]>) -> Option<Ended> {
        loop {
            let waker = Waker::from(Arc::clone(self));
            let (messages, drained) = end.drain(waker, || !self.given_back.load(Ordering::Relaxed));
            for Incoming { bytes, pipes, handles } in messages {
                match read_answer(self.identity.fingerprint, RawMessage { bytes, pipes, handles }) {
                    Ok(Answered::To(request, answer)) => left.push(self.answered(request, answer)),
                    Ok(Answered::Refused(message, size)) => {
                        return Some(Ended::Refused(self.difference(message, size)));
                    }
                    Err(bad) => return Some(Ended::Bad(bad)),
                }
            }
            match drained {
                Drained::More => {}
                Drained::Empty => return None,
                Drained::Ended(why) => return Some(Ended::Gone(why)),
            }
        }
    }

    /// Where the interface that the other end describes differs from ours.
    #[cold]
    fn difference(&self, message: RawMessage, size: usize) -> Option<Difference> {
        let RawMessage { bytes, pipes, handles } = message;
        let body = bytes.get(size..).unwrap_or_default();
        if body.len() > size_of::<u32>() + DESCRIPTION_BYTES_MAX {
            return None;
        }
        let theirs: String = Reader::new(body, pipes, handles).take().ok()?;
        difference(self.identity.description.text, &theirs)
    }

    /// Returns the caller, to be woken, or the answer if nobody waits for it: it is to nothing we asked, or the caller has
    /// gone.
    fn answered(&self, request: u64, answer: Answer) -> Pending {
        let answered = Pending::Answered(answer);
        let mut calls = self.calls.lock();
        match calls.find(request) {
            Some(pending) => mem::replace(pending, answered),
            None => answered,
        }
    }

    /// Nothing more will come.
    fn settle(&self, ended: &Ended) {
        let mut wake = Vec::new();
        {
            let mut calls = self.calls.lock();
            if !matches!(calls.watching, Watching::Ended(_)) {
                calls.watching = Watching::Ended(ended.clone());
            }
            wake.append(&mut calls.closed);
            for (_, (_, pending)) in &mut calls.pending {
                if let Pending::Waiting(waker) = pending {
                    wake.extend(waker.take());
                }
            }
        }
        wake.into_iter().for_each(Waker::wake);
    }

    /// For a call: its answer, if there is one.
    pub(super) fn poll_answer(
        &self,
        request: u64,
        context: &mut Context<'_>,
    ) -> Poll<Result<(RawMessage, usize), CallError>> {
        let waker = context.waker().clone();
        let mut calls = self.calls.lock();
        let ended = match &calls.watching {
            Watching::Ended(ended) => Some(ended.clone()),
            Watching::Not | Watching::Yes => None,
        };
        match (calls.find(request), ended) {
            (Some(Pending::Waiting(_)), Some(Ended::Gone(why))) => Poll::Ready(Err(CallError::PeerGone(why))),
            (Some(Pending::Waiting(_)), Some(Ended::Bad(bad))) => {
                Poll::Ready(Err(CallError::BadMessage(bad)))
            }
            (Some(Pending::Waiting(_)), Some(Ended::Refused(difference))) => {
                let (interface, difference) = (self.identity.name, difference.map(Box::new));
                Poll::Ready(Err(CallError::OtherInterface { interface, difference }))
            }
            (Some(Pending::Waiting(parked)), None) => {
                let old = parked.replace(waker);
                drop(calls);
                drop(old);
                Poll::Pending
            }
            (Some(Pending::Answered(_)), _) => match calls.remove(request) {
                Some(Pending::Answered(Answer::Value(message, size))) => Poll::Ready(Ok((message, size))),
                Some(Pending::Answered(Answer::NoSuchMethod { method, version })) => {
                    Poll::Ready(Err(self.no_such_method(method, version)))
                }
                _ => Poll::Ready(Err(CallError::NoReply)),
            },
            (None, _) => Poll::Ready(Err(CallError::PeerGone(Why::Closed))),
        }
    }

    fn no_such_method(&self, method: u32, version: u32) -> CallError {
        match method_named(self.identity.description.text, method) {
            Some((name, since)) => {
                CallError::NoSuchMethod { interface: self.identity.name, method: name, since, version }
            }
            // We have never called such a method.
            None => {
                CallError::BadMessage(BadMessage::UnknownMethod { interface: self.identity.name, method })
            }
        }
    }

    /// For a call: its answer does not decode.
    pub(super) fn reject(&self, bad: &BadMessage) {
        // In this order: closing wakes us, and we would take it for the peer's.
        self.settle(&Ended::Bad(bad.clone()));
        if let Some(end) = &self.end {
            end.close(Why::Rejected);
        }
    }

    /// For a call: nobody waits for its answer any more.
    pub(super) fn forget(&self, request: u64) {
        let left = self.calls.lock().remove(request);
        drop(left);
    }
}

/// The low bits of a request's number are its place among the pending ones.
const PLACE_BITS: u32 = 20;

impl Calls {
    /// The number of a new request, unless too many are unanswered.
    fn begin(&mut self, pending_max: usize) -> Option<u64> {
        if self.pending.len() >= pending_max.min(1 << PLACE_BITS) {
            return None;
        }
        self.requests += 1;
        let entry = self.pending.vacant_entry();
        let request = self.requests << PLACE_BITS | entry.key() as u64;
        entry.insert((request, Pending::Waiting(None)));
        Some(request)
    }

    fn place(request: u64) -> usize {
        (request & ((1 << PLACE_BITS) - 1)) as usize
    }

    fn find(&mut self, request: u64) -> Option<&mut Pending> {
        let (number, pending) = self.pending.get_mut(Self::place(request))?;
        (*number == request).then_some(pending)
    }

    fn remove(&mut self, request: u64) -> Option<Pending> {
        self.find(request)?;
        Some(self.pending.remove(Self::place(request)).1)
    }
}

impl Sorting {
    /// Whether the turn is the caller's.
    fn begin(&mut self) -> bool {
        let idle = *self == Self::Idle;
        *self = if idle { Self::Busy } else { Self::BusyAgain };
        idle
    }

    /// Whether there is more to do for the one whose turn it is. If not, the turn is over.
    fn go_on(&mut self) -> bool {
        let again = *self == Self::BusyAgain;
        *self = if again { Self::Busy } else { Self::Idle };
        again
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.drain();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.drain();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Closing erases the endpoint, and with it the waker that leads back to us.
        let pipe = self.pipe.lock().take();
        drop(pipe);
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Channel").finish_non_exhaustive()
    }
}
