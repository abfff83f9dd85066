//! [`Channel`]: what a proxy sends into, and the calls that wait for an answer.
//!
//! Nobody needs to poll a remote for its answers to arrive. The pipe's waker is the channel itself: woken by whoever
//! delivered a message, with no lock held, it sorts the answers out at once and wakes the calls they belong to. It is also
//! what waits for room when there was none for a cancellation.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use mage_sched::sync::Mutex;

use super::call::{Call, Deadline};
use super::calls::{Asked, Calls, Ended, Left, Pending, Sorting, Watching};
use super::description::{Identity, extend};
use super::difference::{difference, method_named};
use super::header::{Answer, Answered, Header, Kind, read_answer};
use super::pipe::MessagePipe;
use super::reader::Reader;
use super::sleepers::Sleepers;
use super::value::Decode;
use super::writer::Writer;
use crate::error::{BadMessage, CallError, Difference, SendError, SendErrorKind, Why};
use crate::few::Few;
use crate::limits::DESCRIPTION_BYTES_MAX;
use crate::node::{Draft, Drained, EndRef, Incoming};

/// The sending side of a bound pipe.
pub struct Channel {
    lease: Arc<Lease>,
    deadline: Option<Arc<Deadline>>,
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
    sorting: Sorting,
    /// Somebody has seen to it, or is about to, that the pipe wakes us for as long as it is ours. Behind the calls, which say
    /// so first: whoever reads `true` here need not ask them.
    watched: AtomicBool,
    /// The pipe is somebody else's by now. Written before and read under the node's lock, which orders the two.
    given_back: AtomicBool,
}

impl Channel {
    pub(super) fn new(pipe: MessagePipe, identity: Identity) -> Self {
        let end = pipe.end().to_ref();
        let calls = Mutex::new(Calls::after(end.as_ref().map_or(0, EndRef::sent_messages)));
        let introduced = AtomicBool::new(identity.description.lineage.is_empty());
        let shared = Shared {
            end,
            identity,
            introduced,
            calls,
            sorting: Sorting::default(),
            watched: AtomicBool::new(false),
            given_back: AtomicBool::new(false),
        };
        let lease = Arc::new(Lease { pipe: Mutex::new(Some(pipe)), shared: Arc::new(shared) });
        Self { lease, deadline: None }
    }

    /// The same channel, whose calls are given up when the time is up.
    pub(super) fn with_deadline(&self, deadline: Deadline) -> Self {
        Self { lease: Arc::clone(&self.lease), deadline: Some(Arc::new(deadline)) }
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
        let header = Header::about(0, Kind::OneWay, shared.identity.fingerprint);
        shared.send(Header { method, ..header }, Some(()), write)?;
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
        let deadline_ms = self.deadline.as_ref().map_or(0, |deadline| deadline.milliseconds());
        let request = shared.begin();
        let header = Header::about(request.unwrap_or_default(), kind, shared.identity.fingerprint);
        match shared.send(Header { method, deadline_ms, ..header }, request, write) {
            Ok(request) => {
                shared.watch();
                Call::sent(Arc::clone(&self.lease), request, self.deadline.as_deref())
            }
            Err(error) => {
                request.into_iter().for_each(|request| shared.forget(request));
                Call::failed(CallError::NotSent(error))
            }
        }
    }

    pub(super) fn into_pipe(self) -> MessagePipe {
        let shared = self.shared();
        shared.cancel_all();
        shared.settle(&Ended::Withdrawn);
        // Whoever was just woken must not use the pipe once it is no longer ours.
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
        let mut seat = Seat::among(self.shared(), |calls| &mut calls.closed);
        poll_fn(|context| {
            seat.shared.poll_end(context, |calls, waker| calls.closed.park(&mut seat.number, waker))
        })
        .await
    }

    pub(super) fn poll_closed(&self, context: &mut Context<'_>) -> Poll<Why> {
        self.shared().poll_end(context, |calls, waker| calls.closed.park(&mut calls.poller, waker))
    }

    pub(super) fn difference(&self) -> Option<Difference> {
        match &self.shared().calls.lock().watching {
            Watching::Ended(Ended::Refused(difference)) => difference.clone(),
            _ => None,
        }
    }

    pub(super) async fn ready(&self) {
        let mut seat = Seat::among(self.shared(), |calls| &mut calls.crowd);
        poll_fn(|context| seat.shared.poll_ready(&mut seat.number, context)).await;
    }

    pub(super) fn is_direct(&self) -> bool {
        self.lease.pipe.lock().as_ref().is_some_and(MessagePipe::is_direct)
    }
}

impl Shared {
    fn pending_calls_max(&self) -> usize {
        self.end.as_ref().map_or(0, EndRef::pending_calls_max)
    }

    fn is_ours(&self) -> bool {
        !self.given_back.load(Ordering::Relaxed)
    }

    /// Ready when nothing more will come; until then, somebody has `park`ed.
    fn poll_end(
        self: &Arc<Self>,
        context: &mut Context<'_>,
        park: impl FnOnce(&mut Calls, Waker) -> Option<Waker>,
    ) -> Poll<Why> {
        self.watch();
        let waker = context.waker().clone();
        let left = {
            let mut calls = self.calls.lock();
            if let Watching::Ended(ended) = &calls.watching {
                return Poll::Ready(ended.why());
            }
            park(&mut calls, waker)
        };
        drop(left);
        Poll::Pending
    }

    /// Ready when there is room for one more call, or never will be.
    fn poll_ready(&self, number: &mut Option<u64>, context: &mut Context<'_>) -> Poll<()> {
        let Some(end) = &self.end else { return Poll::Ready(()) };
        let mut waker = Some(context.waker().clone());
        let place = self.calls.lock().await_place(self.pending_calls_max(), number, &mut waker);
        if place.is_ready() { end.poll_ready(context) } else { Poll::Pending }
    }

    /// The number of a new request, unless too many are unanswered.
    fn begin(self: &Arc<Self>) -> Option<u64> {
        let (request, untold) = {
            let mut calls = self.calls.lock();
            (calls.begin(self.pending_calls_max()), calls.has_untold())
        };
        if untold {
            self.tell(); // older, and as worthy of the room that there may be
        }
        request
    }

    /// Sends what has a place among those under way, which is returned; what has none is one too many.
    fn send<P>(
        &self,
        header: Header,
        place: Option<P>,
        write: impl FnOnce(&mut Writer),
    ) -> Result<P, SendError> {
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
        match (&self.end, place) {
            (Some(end), Some(place)) => {
                end.send_if(|| self.is_ours(), Draft { bytes, pipes, handles })?;
                if introduces {
                    self.introduced.store(true, Ordering::Release);
                }
                Ok(place)
            }
            (Some(_), None) => Err(SendError::new(SendErrorKind::Full, pipes, handles)),
            (None, _) => Err(SendError::new(SendErrorKind::Disconnected, pipes, handles)),
        }
    }

    /// Sees to it that the pipe wakes us.
    fn watch(self: &Arc<Self>) {
        if self.watched.load(Ordering::Acquire) {
            return;
        }
        let mut calls = self.calls.lock();
        let is_first = matches!(calls.watching, Watching::Not);
        if is_first {
            calls.watching = Watching::Yes;
        }
        drop(calls);
        if is_first {
            self.drain();
        }
        self.watched.store(true, Ordering::Release);
    }

    /// Sorts out every answer that has arrived, or leaves it to the thread that is at it.
    fn drain(self: &Arc<Self>) {
        let Some(end) = &self.end else { return };
        if !self.sorting.begin() {
            return;
        }
        // Wakers and unwanted answers are foreign code: theirs is the turn when ours is over.
        let mut left = Left::new();
        let (ended, untold) = loop {
            let (ended, untold) = self.sort(end, &mut left);
            let again = self.sorting.go_on();
            if ended.is_some() || !again {
                break (ended, untold);
            }
        };
        if let Some(ended) = ended {
            self.settle(&ended);
        } else if untold {
            self.tell();
        }
        left.each(|pending| match pending {
            Pending::Waiting(waker) => waker.into_iter().for_each(Waker::wake),
            Pending::Answered(_) | Pending::Cancelled | Pending::Detached(_) => drop(pending),
        });
    }

    /// Takes what has arrived, until there is nothing or the end. What is to be woken or dropped is added to `left`. Also says
    /// whether the other side is still to be told of calls that nobody waits for.
    fn sort(self: &Arc<Self>, end: &EndRef, left: &mut Left) -> (Option<Ended>, bool) {
        loop {
            let mut messages = Few::new();
            let waker = Waker::from(Arc::clone(self));
            let drained = end.drain(waker, || self.is_ours(), &mut messages);
            let mut answers = Few::new();
            let mut fault = None;
            messages.each(|message| match fault {
                None => match self.read_answer(message) {
                    Ok(answer) => answers.push(answer),
                    Err(ended) => fault = Some(ended),
                },
                Some(_) => drop(message),
            });
            let (crowd, untold) = {
                let mut calls = self.calls.lock();
                answers.each(|(request, answer)| calls.answered(request, answer, left));
                (calls.take_crowd(), calls.has_untold())
            };
            left.extend(crowd.into_iter().map(|waker| Pending::Waiting(Some(waker))));
            match (fault, drained) {
                (Some(fault), _) => return (Some(fault), untold),
                (None, Drained::Ended(why)) => return (Some(Ended::Gone(why)), untold),
                (None, Drained::Empty) => return (None, untold),
                (None, Drained::More) => {}
            }
        }
    }

    /// What has come, as the answer to a request; or why it is the last that is read.
    fn read_answer(&self, message: Incoming) -> Result<(u64, Answer), Ended> {
        match read_answer(self.identity.fingerprint, message) {
            Ok(Answered::To(_, Answer::NoSuchMethod { method, .. })) if !self.has_method(method) => {
                Err(Ended::Bad(BadMessage::UnknownMethod { interface: self.identity.name, method }))
            }
            Ok(Answered::To(request, answer)) => Ok((request, answer)),
            Ok(Answered::Refused(message, size)) => Err(Ended::Refused(self.difference(message, size))),
            Ok(Answered::Rejected(text)) => Err(Ended::Bad(BadMessage::Rejected { text })),
            Err(bad) => Err(Ended::Bad(bad)),
        }
    }

    /// Where the interface that the other end describes differs from ours.
    #[cold]
    fn difference(&self, message: Incoming, size: usize) -> Option<Difference> {
        if message.bytes.len().saturating_sub(size) > size_of::<u32>() + DESCRIPTION_BYTES_MAX {
            return None;
        }
        let theirs: String = Reader::behind_header(message, size).take().ok()?;
        difference(self.identity.description.text, &theirs)
    }

    /// Nothing more will come, and if that is for what came, the pipe is closed.
    fn settle(&self, ended: &Ended) {
        let (wake, left) = self.calls.lock().end(ended);
        // After the calls know: closing wakes us, and we would take it for the peer's. And before what is left is dropped:
        // a lease may be among it, which closes the pipe as if nothing were wrong.
        if let (Some(end), Ended::Bad(_) | Ended::Refused(_)) = (&self.end, ended) {
            end.close_if(|| self.is_ours(), Why::Rejected);
        }
        drop(left);
        wake.into_iter().for_each(Waker::wake);
    }

    /// For a call: its answer, if there is one.
    pub(super) fn poll_answer(
        &self,
        request: u64,
        has_waited: bool,
        context: &mut Context<'_>,
    ) -> Poll<Result<(Incoming, usize), CallError>> {
        // Whoever has waited before is here for the answer, most likely, and needs no other waker.
        let mut waker = (!has_waited).then(|| context.waker().clone());
        let asked = loop {
            let (asked, crowd) = {
                let mut calls = self.calls.lock();
                (calls.ask(request, &mut waker), calls.take_crowd())
            };
            crowd.into_iter().for_each(Waker::wake);
            match asked {
                Asked::Nothing => waker = Some(context.waker().clone()),
                asked => break asked,
            }
        };
        match asked {
            Asked::Answer(Answer::Value(message, size)) => Poll::Ready(Ok((message, size))),
            Asked::Answer(Answer::NoReply) => Poll::Ready(Err(CallError::NoReply)),
            Asked::Answer(Answer::NoSuchMethod { method, version }) => {
                Poll::Ready(Err(self.no_such_method(method, version)))
            }
            Asked::Ended(ended) => Poll::Ready(Err(ended.into_error(self.identity.name))),
            Asked::Parked | Asked::Nothing => Poll::Pending,
        }
    }

    #[cold]
    fn has_method(&self, method: u32) -> bool {
        method_named(self.identity.description.text, method).is_some()
    }

    fn no_such_method(&self, method: u32, version: u32) -> CallError {
        let interface = self.identity.name;
        match method_named(self.identity.description.text, method) {
            Some((method, since)) => CallError::NoSuchMethod { interface, method, since, version },
            // We have never called such a method.
            None => CallError::BadMessage(BadMessage::UnknownMethod { interface, method }),
        }
    }

    /// For a call: its answer does not decode.
    pub(super) fn reject(&self, bad: &BadMessage) {
        self.settle(&Ended::Bad(bad.clone()));
    }

    /// For a call that was never sent.
    fn forget(&self, request: u64) {
        let (left, crowd) = {
            let mut calls = self.calls.lock();
            (calls.forget(request), calls.take_crowd())
        };
        drop(left);
        crowd.into_iter().for_each(Waker::wake);
    }

    /// For a call: nobody waits for its answer any more, and the other side should know.
    pub(super) fn give_up(self: &Arc<Self>, request: u64) {
        let (left, untold, crowd) = {
            let mut calls = self.calls.lock();
            (calls.give_up(request), calls.has_untold(), calls.take_crowd())
        };
        if untold {
            self.tell();
        }
        drop(left);
        crowd.into_iter().for_each(Waker::wake);
    }

    /// For a call: nobody waits for its answer any more, and it goes on.
    pub(super) fn detach(&self, request: u64, lease: Arc<Lease>) {
        let mut left = Left::new();
        let crowd = {
            let mut calls = self.calls.lock();
            calls.detach(request, lease, &mut left);
            calls.take_crowd()
        };
        drop(left);
        crowd.into_iter().for_each(Waker::wake);
    }

    /// Tells the other side which calls nobody waits for, as far as there is room, and waits for more if there is not.
    fn tell(self: &Arc<Self>) {
        let Some(end) = &self.end else { return };
        loop {
            let Some(request) = self.calls.lock().next_untold() else { return };
            match end.send_if(|| self.is_ours(), self.cancellation(request)) {
                Ok(()) => {}
                Err(error) if error.kind() == SendErrorKind::Full => {
                    self.calls.lock().still_untold(request);
                    let waker = Waker::from(Arc::clone(self));
                    if end.poll_ready(&mut Context::from_waker(&waker)).is_pending() {
                        return;
                    }
                }
                Err(_) => return, // nobody is there to be told
            }
        }
    }

    fn cancellation(&self, request: u64) -> Draft {
        let header = Header::about(request, Kind::Cancel, self.identity.fingerprint);
        Writer::with_header(&header.to_bytes()).finish()
    }

    /// The pipe is about to get another owner. What does not fit in is not said: this cannot wait.
    fn cancel_all(&self) {
        let Some(end) = &self.end else { return };
        let waiting: Vec<u64> = self.calls.lock().waiting().collect();
        for request in waiting {
            if end.send(self.cancellation(request)).is_err() {
                return;
            }
        }
    }
}

/// Where somebody waits, among others, until this is dropped.
struct Seat<'a> {
    shared: &'a Arc<Shared>,
    line: fn(&mut Calls) -> &mut Sleepers,
    number: Option<u64>,
}

impl<'a> Seat<'a> {
    fn among(shared: &'a Arc<Shared>, line: fn(&mut Calls) -> &mut Sleepers) -> Self {
        Self { shared, line, number: None }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let left = (self.line)(&mut self.shared.calls.lock()).forget(number);
        drop(left);
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
