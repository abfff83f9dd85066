//! [`Serving`]: what a receiver and its replies share: which calls are open, and who still wants to know.
//!
//! A cancellation is a message like any other and waits in the pipe until it is read. A handler that is at work reads
//! nothing, and is just the one that wants to hear of it. So whoever asks looks through what is unread, without taking
//! anything: the window is not moved, and no message overtakes another.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use mage_sched::sync::{AtomicBool, Mutex, Ordering};
use smallvec::SmallVec;

use super::bell::Bell;
use super::description::Identity;
use super::header::{Header, Kind, cancelled_request};
use super::pipe::MessagePipe;
use super::writer::Writer;
use crate::error::{BadMessage, BadMessageReport, SendError, SendErrorKind, Why};
use crate::limits::REJECTION_BYTES_MAX;
use crate::node::{Draft, EndRef, Incoming, Looked, Sender};

/// The receiving side of a bound pipe.
#[derive(Debug)]
pub(super) struct Serving {
    /// Empty only if the pipe had been given away before it was bound.
    end: Option<EndRef>,
    requests: Mutex<Requests>,
    /// Whether anybody waits for a cancellation. Written under the lock of the requests.
    watched: AtomicBool,
    /// The pipe is somebody else's by now. Written before and read under the node's lock, which orders the two.
    given_back: AtomicBool,
    identity: Identity,
    /// Why the pipe was closed, if it was for a message.
    fault: Mutex<Option<BadMessage>>,
}

#[derive(Debug, Default)]
struct Requests {
    /// By number, rising.
    open: Vec<Open>,
    /// Wakes the one who waits for messages, or has waited last: it is nearly always the same task.
    receiver: Option<Arc<Bell>>,
    /// The number of the first message that has not been looked at.
    looked: u64,
    /// Nobody waits for any answer.
    over: bool,
}

/// A call that has not been answered.
#[derive(Debug)]
struct Open {
    request: u64,
    cancelled: bool,
    watcher: Option<Waker>,
}

/// What has become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    Cancelled,
    /// It never came to be one, or its answer is no business of ours any more.
    Closed,
}

impl Serving {
    pub(super) fn new(pipe: &MessagePipe, identity: Identity) -> Self {
        Self {
            end: pipe.end().to_ref(),
            requests: Mutex::new(Requests::default()),
            watched: AtomicBool::new(false),
            given_back: AtomicBool::new(false),
            identity,
            fault: Mutex::new(None),
        }
    }

    /// The next message, whatever it is. Whoever waits for it is at this bell, and has said so before.
    pub(super) fn poll_receive(self: &Arc<Self>, bell: &Arc<Bell>) -> Poll<Result<Incoming, Why>> {
        let Some(end) = &self.end else { return Poll::Ready(Err(Why::Closed)) };
        if !bell.is_worth_a_look() {
            return Poll::Pending;
        }
        // Whoever waits for a cancellation is to hear of messages as well. That is asked under the node's lock, under which
        // that one has been parked, or will be.
        let waker = || match self.watched.load(Ordering::Relaxed) {
            true => Waker::from(Arc::clone(self)),
            false => Waker::from(Arc::clone(bell)),
        };
        let (received, waits) = end.receive(waker);
        if !waits {
            bell.keep_looking();
        }
        if let Poll::Ready(Err(_)) = received {
            self.end_all();
        }
        received
    }

    /// Notes who waits for messages.
    pub(super) fn await_messages(&self, bell: Arc<Bell>) {
        let old = self.requests.lock().receiver.replace(bell);
        drop(old);
    }

    /// A call has arrived.
    pub(super) fn open(&self, request: u64) -> Result<(), BadMessage> {
        let open_max = self.end.as_ref().map_or(0, EndRef::open_requests_max);
        let mut requests = self.requests.lock();
        if requests.open.len() >= open_max {
            return Err(BadMessage::TooManyRequests);
        }
        // An honest caller counts upwards, so this is nearly always the end.
        let place = requests.open.partition_point(|open| open.request < request);
        if requests.open.get(place).is_some_and(|open| open.request == request) {
            return Err(BadMessage::InvalidHeader);
        }
        requests.open.insert(place, Open { request, cancelled: false, watcher: None });
        // Its cancellation may be among what has been looked at already.
        requests.looked = 0;
        Ok(())
    }

    /// A call has been answered, or is none after all.
    pub(super) fn close(&self, request: u64) {
        let mut requests = self.requests.lock();
        let closed = requests.place(request).map(|place| requests.open.remove(place));
        if requests.open.is_empty() {
            self.watched.store(false, Ordering::Relaxed);
        }
        drop(requests);
        drop(closed);
    }

    /// The caller does not want this answer any more. If there is no such call, it has been answered meanwhile.
    pub(super) fn cancel(&self, request: u64) {
        let watcher = self.requests.lock().cancel(request);
        watcher.into_iter().for_each(Waker::wake);
    }

    /// What has become of a call, as far as has been seen.
    pub(super) fn standing(&self, request: u64) -> Standing {
        match self.requests.lock().open_mut(request) {
            Some(open) if open.cancelled => Standing::Cancelled,
            Some(_) => Standing::Open,
            None => Standing::Closed,
        }
    }

    /// Whether nobody waits for the answer to this call.
    pub(super) fn is_cancelled(self: &Arc<Self>, request: u64) -> bool {
        self.requests.lock().is_unwanted(request) || {
            self.look();
            self.requests.lock().is_unwanted(request)
        }
    }

    /// Ready when nobody waits for the answer to this call.
    pub(super) fn poll_cancelled(self: &Arc<Self>, request: u64, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut requests = self.requests.lock();
        self.watched.store(true, Ordering::Relaxed);
        let left = match requests.open_mut(request) {
            Some(open) => open.watcher.replace(waker),
            None => Some(waker),
        };
        drop(requests);
        drop(left);
        if self.is_cancelled(request) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Looks through what is unread for cancellations, and sees to it that we are woken when there is more.
    fn look(self: &Arc<Self>) {
        let Some(end) = &self.end else { return self.end_all() };
        let from = self.requests.lock().looked;
        let mut cancelled = SmallVec::<[u64; 8]>::new();
        let see = |bytes: &[u8]| cancelled.extend(cancelled_request(bytes));
        match end.look(from, Waker::from(Arc::clone(self)), || self.is_ours(), see) {
            Looked::UpTo(next) => {
                let mut requests = self.requests.lock();
                // A call that has come meanwhile begins anew.
                if requests.looked == from {
                    requests.looked = next;
                }
                let wake: SmallVec<[Waker; 8]> =
                    cancelled.into_iter().filter_map(|request| requests.cancel(request)).collect();
                drop(requests);
                wake.into_iter().for_each(Waker::wake);
            }
            Looked::Ended => self.end_all(),
        }
    }

    /// Nobody waits for any answer any more.
    fn end_all(&self) {
        let mut requests = self.requests.lock();
        requests.over = true;
        let wake: SmallVec<[Waker; 8]> =
            requests.open.iter_mut().filter_map(|open| open.watcher.take()).collect();
        drop(requests);
        wake.into_iter().for_each(Waker::wake);
    }

    fn is_ours(&self) -> bool {
        !self.given_back.load(Ordering::Relaxed)
    }

    pub(super) fn send(&self, draft: Draft) -> Result<(), SendError> {
        match &self.end {
            Some(end) => end.send_if(|| self.is_ours(), draft),
            None => Err(SendError::new(SendErrorKind::Disconnected, draft.pipes, draft.handles)),
        }
    }

    /// Sends the last word about a call. Every honest caller keeps room for it: one that does not read loses the pipe.
    pub(super) fn answer(&self, draft: Draft) -> Result<(), SendError> {
        let sent = self.send(draft);
        if let Err(error) = &sent
            && error.kind() == SendErrorKind::Full
        {
            self.end_pipe(Why::BrokenRules);
        }
        sent
    }

    /// The handler rejects what this node sent, and the sender is told why.
    pub(super) fn reject_for(&self, sender: Sender, mut text: String) {
        let most = (0..=REJECTION_BYTES_MAX).rev().find(|&most| text.is_char_boundary(most));
        text.truncate(most.unwrap_or_default());
        let header = Header::about(0, Kind::Rejected, self.identity.fingerprint);
        let mut writer = Writer::with_header(&header.to_bytes());
        writer.put(text.as_str());
        // Without room for the words, the end of the pipe says it.
        let _ = self.send(writer.finish());
        self.reject(sender, BadMessage::RejectedByHandler { text });
    }

    /// A message of this sender's was bad: closes the pipe, and tells whoever watches the node, once.
    #[cold]
    pub(super) fn reject(&self, sender: Sender, fault: BadMessage) {
        {
            let mut known = self.fault.lock();
            if known.is_some() || !self.is_ours() {
                return;
            }
            *known = Some(fault.clone());
        }
        self.end_pipe(Why::Rejected);
        let Sender { node, forwarded } = sender;
        let sender = (!node.is_local()).then_some(node);
        let report = BadMessageReport { interface: self.identity.name, fault, sender, forwarded };
        if let Some(end) = &self.end {
            end.report(&report);
        }
    }

    /// Why the pipe was closed, if it was for a message.
    pub(super) fn fault(&self) -> Option<BadMessage> {
        self.fault.lock().clone()
    }

    /// Ends the pipe.
    fn end_pipe(&self, why: Why) {
        if let Some(end) = &self.end {
            end.close_if(|| self.is_ours(), why);
        }
    }

    /// The pipe gets another owner. Returns the calls that will have no answer from here.
    pub(super) fn give_back(&self, pipe: &MessagePipe) -> impl Iterator<Item = u64> + use<> {
        self.given_back.store(true, Ordering::Relaxed);
        pipe.end().forget_reader();
        // Whoever answers from now on is refused under the node's lock. An answer that came before it may still be in this
        // list; that there is none besides is then no news to the caller.
        self.end_all();
        let open = std::mem::take(&mut self.requests.lock().open);
        open.into_iter().map(|open| open.request)
    }
}

impl Requests {
    fn place(&self, request: u64) -> Option<usize> {
        self.open.binary_search_by_key(&request, |open| open.request).ok()
    }

    fn open_mut(&mut self, request: u64) -> Option<&mut Open> {
        let place = self.place(request)?;
        self.open.get_mut(place)
    }

    /// Returns who is to be woken.
    fn cancel(&mut self, request: u64) -> Option<Waker> {
        let open = self.open_mut(request)?;
        open.cancelled = true;
        open.watcher.take()
    }

    fn is_unwanted(&mut self, request: u64) -> bool {
        self.over || self.open_mut(request).is_none_or(|open| open.cancelled)
    }
}

impl Wake for Serving {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let receiver = self.requests.lock().receiver.clone();
        if self.watched.load(Ordering::Relaxed) {
            self.look();
        }
        if let Some(receiver) = receiver {
            receiver.wake_by_ref();
        }
    }
}
