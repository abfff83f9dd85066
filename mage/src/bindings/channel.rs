//! [`Channel`]: what a proxy sends into, and the calls that wait for an answer.
//!
//! Nobody needs to poll a remote for its answers to arrive. The pipe's waker is the channel itself: woken by whoever
//! delivered a message, with no lock held, it sorts the answers out at once and wakes the calls they belong to.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use mage_sched::sync::Mutex;
use slab::Slab;

use super::call::Call;
use super::header::{Answer, Header, Kind, read_answer};
use super::pipe::{MessagePipe, RawMessage};
use super::value::{Decode, Writer};
use crate::error::{BadMessage, CallError, SendError, SendErrorKind, Why};
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
    fingerprint: u64,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    /// How many requests there have been.
    requests: u64,
    pending: Slab<(u64, Pending)>,
    watching: Watching,
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

#[derive(Clone, Debug)]
enum Ended {
    Gone(Why),
    Bad(BadMessage),
}

enum Pending {
    /// The caller, once it has polled.
    Waiting(Option<Waker>),
    Answered(Answer),
}

impl Channel {
    pub(crate) fn new(pipe: MessagePipe, _interface: &'static str, fingerprint: u64) -> Self {
        let end = pipe.end().to_ref();
        let shared = Shared { end, fingerprint, calls: Mutex::new(Calls::default()) };
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
        self.shared().send(Kind::OneWay, 0, method, write)
    }

    /// Sends a message that has an answer.
    pub fn call<T: Decode>(&self, method: u32, write: impl FnOnce(&mut Writer)) -> Call<T> {
        let shared = self.shared();
        let request = shared.calls.lock().begin(shared.pending_calls_max());
        match shared.send(Kind::Request, request.unwrap_or_default(), method, write) {
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
        self.shared().watch();
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut calls = self.shared().calls.lock();
            match &calls.watching {
                Watching::Ended(Ended::Gone(why)) => Poll::Ready(*why),
                Watching::Ended(Ended::Bad(_)) => Poll::Ready(Why::BrokenRules),
                Watching::Not | Watching::Yes => {
                    if !calls.closed.iter().any(|known| known.will_wake(&waker)) {
                        calls.closed.push(waker);
                    }
                    Poll::Pending
                }
            }
        })
        .await
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
        let header = Header { kind, request, fingerprint: self.fingerprint, method };
        let mut writer = Writer::with_header(&header.to_bytes());
        write(&mut writer);
        let Draft { bytes, pipes, handles } = writer.finish();
        match &self.end {
            // A request without a number is one too many.
            Some(_) if kind == Kind::Request && request == 0 => {
                Err(SendError::new(SendErrorKind::Full, pipes, handles))
            }
            Some(end) => end.send(Draft { bytes, pipes, handles }),
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

    /// Sorts out every answer that has arrived.
    fn drain(self: &Arc<Self>) {
        let Some(end) = &self.end else { return };
        loop {
            let (messages, drained) = end.drain(Waker::from(Arc::clone(self)));
            for Incoming { bytes, pipes, handles } in messages {
                match read_answer(self.fingerprint, RawMessage { bytes, pipes, handles }) {
                    Ok((request, answer)) => self.answered(request, answer),
                    Err(bad) => {
                        end.close(Why::Rejected);
                        return self.settle(&Ended::Bad(bad));
                    }
                }
            }
            match drained {
                Drained::More => {}
                Drained::Empty => return,
                Drained::Ended(why) => return self.settle(&Ended::Gone(why)),
            }
        }
    }

    fn answered(&self, request: u64, answer: Answer) {
        let mut calls = self.calls.lock();
        // An answer to nothing we asked, or to a caller who has gone, is dropped, with no lock held.
        let left = match calls.find(request) {
            Some(pending) => mem::replace(pending, Pending::Answered(answer)),
            None => Pending::Answered(answer),
        };
        drop(calls);
        match left {
            Pending::Waiting(waker) => waker.into_iter().for_each(Waker::wake),
            Pending::Answered(answer) => drop(answer),
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
            (Some(Pending::Waiting(_)), Some(Ended::Bad(bad))) => Poll::Ready(Err(CallError::BadMessage(bad))),
            (Some(Pending::Waiting(parked)), None) => {
                let old = parked.replace(waker);
                drop(calls);
                drop(old);
                Poll::Pending
            }
            (Some(Pending::Answered(_)), _) => match calls.remove(request) {
                Some(Pending::Answered(Answer::Value(message, size))) => Poll::Ready(Ok((message, size))),
                _ => Poll::Ready(Err(CallError::NoReply)),
            },
            (None, _) => Poll::Ready(Err(CallError::PeerGone(Why::Closed))),
        }
    }

    /// For a call: its answer does not decode.
    pub(super) fn reject(&self, bad: &BadMessage) {
        if let Some(end) = &self.end {
            end.close(Why::Rejected);
        }
        self.settle(&Ended::Bad(bad.clone()));
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
