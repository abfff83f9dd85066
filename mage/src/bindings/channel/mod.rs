//! [`Channel`]: what a proxy sends into, and the calls that wait for an answer.
//!
//! Nobody needs to poll a remote for its answers to arrive. The pipe's waker is the channel itself: woken by whoever
//! delivered a message, with no lock held, it sorts the answers out at once and wakes the calls they belong to. It is also
//! what waits for room when there was none for a cancellation.

mod asking;
mod sorting;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};

use mage_sched::sync::{AtomicBool, Mutex, Ordering};

use super::call::{Call, Deadline};
use super::calls::{Calls, Ended, Sorting, Watching};
use super::description::{Identity, extend};
use super::header::{Header, Kind};
use super::pipe::MessagePipe;
use super::value::Decode;
use super::writer::Writer;
use crate::error::{CallError, Difference, SendError, SendErrorKind, Why};
use crate::node::{Draft, EndRef};
use crate::waiters::{Ticket, Waiters};

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
            seat.shared.poll_end(context, |calls, waker| calls.closed.wait(&mut seat.ticket, waker))
        })
        .await
    }

    pub(super) fn poll_closed(&self, context: &mut Context<'_>) -> Poll<Why> {
        self.shared().poll_end(context, |calls, waker| calls.closed.wait(&mut calls.poller, waker))
    }

    pub(super) fn difference(&self) -> Option<Difference> {
        match &self.shared().calls.lock().watching {
            Watching::Ended(Ended::Refused(difference)) => difference.clone(),
            _ => None,
        }
    }

    pub(super) async fn ready(&self) {
        let Some(end) = &self.shared().end else { return };
        let mut seat = Seat::among(self.shared(), |calls| &mut calls.crowd);
        let mut room = end.room();
        poll_fn(|context| {
            ready!(seat.shared.poll_place(&mut seat.ticket, context));
            room.poll(context)
        })
        .await;
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

    /// Ready when one more call may be unanswered, or never will.
    fn poll_place(&self, ticket: &mut Option<Ticket>, context: &mut Context<'_>) -> Poll<()> {
        let mut waker = Some(context.waker().clone());
        self.calls.lock().await_place(self.pending_calls_max(), ticket, &mut waker)
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
}

/// Where somebody waits, among others, until this is dropped.
struct Seat<'a> {
    shared: &'a Arc<Shared>,
    line: fn(&mut Calls) -> &mut Waiters,
    ticket: Option<Ticket>,
}

impl<'a> Seat<'a> {
    fn among(shared: &'a Arc<Shared>, line: fn(&mut Calls) -> &mut Waiters) -> Self {
        Self { shared, line, ticket: None }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let left = (self.line)(&mut self.shared.calls.lock()).give_up(ticket);
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
