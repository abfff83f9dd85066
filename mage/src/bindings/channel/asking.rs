//! What a call asks of its channel, and what the other side is told of calls that nobody waits for.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::{Lease, Shared};
use crate::bindings::calls::{Asked, Ended, Left};
use crate::bindings::difference::method_named;
use crate::bindings::header::{Answer, Header, Kind};
use crate::bindings::writer::Writer;
use crate::error::{BadMessage, CallError, SendErrorKind};
use crate::node::{Draft, Incoming};

impl Shared {
    /// For a call: its answer, if there is one.
    pub(in crate::bindings) fn poll_answer(
        &self,
        request: u64,
        has_waited: bool,
        context: &mut Context<'_>,
    ) -> Poll<Result<(Incoming, usize), CallError>> {
        // Whoever has waited before is here for the answer, most likely, and needs no other waker.
        let asked = match has_waited {
            true => self.ask(request, None),
            false => Asked::Nothing,
        };
        let asked = match asked {
            Asked::Nothing => self.ask(request, Some(context.waker().clone())),
            asked => asked,
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

    /// An answer leaves room for another call.
    fn ask(&self, request: u64, mut waker: Option<Waker>) -> Asked {
        let (asked, crowd) = {
            let mut calls = self.calls.lock();
            (calls.ask(request, &mut waker), calls.take_crowd())
        };
        drop(waker); // another one was parked before, or it was not needed
        if let Some(crowd) = crowd {
            crowd.for_each(Waker::wake);
        }
        asked
    }

    #[cold]
    pub(super) fn has_method(&self, method: u32) -> bool {
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
    pub(in crate::bindings) fn reject(&self, bad: &BadMessage) {
        self.settle(&Ended::Bad(bad.clone()));
    }

    /// For a call that was never sent.
    pub(super) fn forget(&self, request: u64) {
        let (left, crowd) = {
            let mut calls = self.calls.lock();
            (calls.forget(request), calls.take_crowd())
        };
        drop(left);
        crowd.into_iter().flatten().for_each(Waker::wake);
    }

    /// For a call: nobody waits for its answer any more, and the other side should know.
    pub(in crate::bindings) fn give_up(self: &Arc<Self>, request: u64) {
        let (left, untold, crowd) = {
            let mut calls = self.calls.lock();
            (calls.give_up(request), calls.has_untold(), calls.take_crowd())
        };
        if untold {
            self.tell();
        }
        drop(left);
        crowd.into_iter().flatten().for_each(Waker::wake);
    }

    /// For a call: nobody waits for its answer any more, and it goes on.
    pub(in crate::bindings) fn detach(&self, request: u64, lease: Arc<Lease>) {
        let mut left = Left::new();
        let crowd = {
            let mut calls = self.calls.lock();
            calls.detach(request, lease, &mut left);
            calls.take_crowd()
        };
        drop(left);
        crowd.into_iter().flatten().for_each(Waker::wake);
    }

    /// Tells the other side which calls nobody waits for, as far as there is room, and waits for more if there is not.
    pub(super) fn tell(self: &Arc<Self>) {
        let Some(end) = &self.end else { return };
        loop {
            let Some(request) = self.calls.lock().next_untold() else { return };
            match end.send_if(|| self.is_ours(), self.cancellation(request)) {
                Ok(()) => {}
                Err(error) if error.kind() == SendErrorKind::Full => {
                    let mut ticket = self.calls.lock().still_untold(request);
                    let waker = Waker::from(Arc::clone(self));
                    let room = end.poll_ready(&mut ticket, &mut Context::from_waker(&waker));
                    self.calls.lock().room = ticket;
                    if room.is_pending() {
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
    pub(super) fn cancel_all(&self) {
        let Some(end) = &self.end else { return };
        let waiting: Vec<u64> = self.calls.lock().waiting().collect();
        for request in waiting {
            if end.send(self.cancellation(request)).is_err() {
                return;
            }
        }
    }
}
