//! [`Calls`]: the calls of a channel that have no answer yet, as a table.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Poll, Waker};

use mage_sched::sync::{AtomicU8, Ordering};
use slab::Slab;

use super::channel::Lease;
use super::header::Answer;
use crate::error::{BadMessage, CallError, Difference, Why};
use crate::few::Few;
use crate::limits::STRAY_ANSWERS_MAX;
use crate::node::Incoming;
use crate::waiters::{Ticket, Waiters};

/// The calls of a channel, and what the channel does about them. Nothing in here runs foreign code; what is to be woken or
/// dropped is returned.
#[derive(Default)]
pub(super) struct Calls {
    /// More than the messages that had been sent when the channel was made, and the requests that were settled since. Of two
    /// requests of one pipe, however often it is bound, the later one has a higher number or another place.
    requests: u64,
    pending: Slab<(u64, Pending)>,
    /// Answers that were to nothing.
    strays: u64,
    /// Calls that nobody waits for, and of which the other side has not been told for want of room.
    untold: VecDeque<u64>,
    /// Where the channel waits for that room.
    pub(super) room: Option<Ticket>,
    pub(super) watching: Watching,
    /// Those who wait for the end.
    pub(super) closed: Waiters,
    /// Whoever polls for the end, and may leave without a word: one of them.
    pub(super) poller: Option<Ticket>,
    /// Those who wait for a place among the pending calls, and whether one has become free.
    pub(super) crowd: Waiters,
    freed: bool,
}

/// Whether the pipe wakes the channel.
#[derive(Default)]
pub(super) enum Watching {
    /// Nobody has asked for anything yet.
    #[default]
    Not,
    Yes,
    /// It has ended; nothing more will come.
    Ended(Ended),
}

/// Whether a thread sorts answers out. Only one does at a time: a second one could come upon the end of the pipe while the
/// first still has the answers before it in its hands.
#[derive(Debug)]
pub(super) struct Sorting(AtomicU8);

/// Why nothing more will come.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    Gone(Why),
    Bad(BadMessage),
    /// The other end speaks another interface, and may have told which.
    Refused(Option<Difference>),
    /// The pipe was taken back from the remote.
    Withdrawn,
}

/// A call that the other side has not settled. It keeps its place until that has happened, whoever waits: so there are never
/// more answers under way than there is room for.
pub(super) enum Pending {
    /// The caller, once it has polled.
    Waiting(Option<Waker>),
    Answered(Answer),
    /// Nobody waits any more.
    Cancelled,
    /// Nobody waits, but it goes on, and keeps the pipe open for it.
    Detached(#[expect(dead_code, reason = "it is kept")] Arc<Lease>),
}

/// Whoever is to be woken, and what is to be dropped, with no lock held.
pub(super) type Left = Few<Pending>;

/// What there is for somebody who asks for an answer.
pub(super) enum Asked {
    Answer(Answer),
    Ended(Ended),
    /// Nothing; the waker is parked.
    Parked,
    /// Nothing, and there is no waker.
    Nothing,
}

/// The low bits of a request's number are its place among the pending ones.
const PLACE_BITS: u32 = 20;
/// The other bits.
const REQUESTS_MAX: u64 = u64::MAX >> PLACE_BITS;

/// The one after that. Never zero, which in a header is no number; a peer that sends an end has it begin anywhere.
fn following(requests: u64) -> u64 {
    (requests.wrapping_add(1) & REQUESTS_MAX).max(1)
}

impl Calls {
    /// None yet, in a pipe through which so many messages have gone.
    pub(super) fn after(messages: u64) -> Self {
        Self { requests: following(messages), ..Self::default() }
    }

    fn has_place(&self, pending_max: usize) -> bool {
        self.pending.len() < pending_max.min(1 << PLACE_BITS)
    }

    /// The number of a new request, unless too many are unanswered.
    pub(super) fn begin(&mut self, pending_max: usize) -> Option<u64> {
        if !self.has_place(pending_max) {
            return None;
        }
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

    /// Forgets a call that is settled.
    fn remove(&mut self, request: u64) -> Option<Pending> {
        let removed = self.forget(request)?;
        // Before its place is used again. Until then the place tells it from others.
        self.requests = following(self.requests);
        Some(removed)
    }

    /// Forgets a call that was never sent. No number is lost.
    pub(super) fn forget(&mut self, request: u64) -> Option<Pending> {
        self.find(request)?;
        self.freed = true;
        Some(self.pending.remove(Self::place(request)).1)
    }

    /// The answer to a request has come. The caller, to be woken, is added to `left`, or what nobody waits for: the answer
    /// is to nothing we asked, or the caller has gone.
    ///
    /// # Errors
    /// If that happens too often. Whoever sorts out answers does so until there are no more, and those to what we asked come to an end
    /// by themselves: their callers hear of them only then.
    pub(super) fn answered(&mut self, request: u64, answer: Answer, left: &mut Left) -> Result<(), Ended> {
        match self.find(request) {
            Some(pending @ Pending::Waiting(_)) => {
                left.push(mem::replace(pending, Pending::Answered(answer)))
            }
            Some(Pending::Cancelled | Pending::Detached(_)) => {
                left.extend(self.remove(request));
                left.push(Pending::unwanted(answer));
            }
            Some(Pending::Answered(_)) | None => {
                left.push(Pending::unwanted(answer));
                self.strays += 1;
                if self.strays > STRAY_ANSWERS_MAX {
                    return Err(Ended::Bad(BadMessage::TooManyAnswers));
                }
            }
        }
        Ok(())
    }

    /// For whoever awaits a call: what there is. If that is nothing, the waker is parked if there is one, and what was parked
    /// is left.
    pub(super) fn ask(&mut self, request: u64, waker: &mut Option<Waker>) -> Asked {
        let is_over = matches!(self.watching, Watching::Ended(_));
        match self.find(request) {
            Some(Pending::Answered(_)) => match self.remove(request) {
                Some(Pending::Answered(answer)) => Asked::Answer(answer),
                _ => Asked::Answer(Answer::NoReply),
            },
            Some(Pending::Waiting(_)) if !is_over && waker.is_none() => Asked::Nothing,
            Some(Pending::Waiting(parked)) if !is_over => {
                mem::swap(parked, waker);
                Asked::Parked
            }
            _ => Asked::Ended(match &self.watching {
                Watching::Ended(ended) => ended.clone(),
                Watching::Not | Watching::Yes => Ended::Withdrawn,
            }),
        }
    }

    /// Nobody waits for the answer any more. Returns what is to be dropped.
    pub(super) fn give_up(&mut self, request: u64) -> Option<Pending> {
        let ended = matches!(self.watching, Watching::Ended(_));
        match self.find(request)? {
            pending @ Pending::Waiting(_) if !ended => {
                let left = mem::replace(pending, Pending::Cancelled);
                self.untold.push_back(request);
                Some(left)
            }
            _ => self.remove(request),
        }
    }

    /// Nobody waits for the answer any more, and the call goes on. What is to be dropped is added to `left`: it may be the
    /// lease, and the last one.
    pub(super) fn detach(&mut self, request: u64, lease: Arc<Lease>, left: &mut Left) {
        let ended = matches!(self.watching, Watching::Ended(_));
        let detached = Pending::Detached(lease);
        match self.find(request) {
            Some(pending @ Pending::Waiting(_)) if !ended => left.push(mem::replace(pending, detached)),
            _ => {
                left.extend(self.remove(request));
                left.push(detached);
            }
        }
    }

    /// Those who wait for a place, if one has become free.
    pub(super) fn take_crowd(&mut self) -> Option<impl Iterator<Item = Waker> + use<>> {
        let freed = mem::take(&mut self.freed);
        (freed && !self.crowd.is_empty()).then(|| self.crowd.take())
    }

    /// Parks somebody who waits for a place, if there is none and it is of use. What was parked is left.
    pub(super) fn await_place(
        &mut self,
        pending_max: usize,
        ticket: &mut Option<Ticket>,
        waker: &mut Option<Waker>,
    ) -> Poll<()> {
        if self.has_place(pending_max) || matches!(self.watching, Watching::Ended(_)) {
            return Poll::Ready(());
        }
        *waker = waker.take().and_then(|waker| self.crowd.wait(ticket, waker));
        Poll::Pending
    }

    pub(super) fn has_untold(&self) -> bool {
        !self.untold.is_empty()
    }

    /// The next call to tell the other side about. One that was answered meanwhile needs no word.
    pub(super) fn next_untold(&mut self) -> Option<u64> {
        loop {
            let request = self.untold.pop_front()?;
            if self.find(request).is_some() {
                return Some(request);
            }
        }
    }

    /// There was no room to tell. Returns where the channel waits for some.
    pub(super) fn still_untold(&mut self, request: u64) -> Option<Ticket> {
        self.untold.push_front(request);
        self.room
    }

    /// The requests whose callers still wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = u64> {
        self.pending.iter().filter_map(|(_, (request, pending))| match pending {
            Pending::Waiting(_) => Some(*request),
            Pending::Answered(_) | Pending::Cancelled | Pending::Detached(_) => None,
        })
    }

    /// Nothing more will come. Returns who is to be woken, and what is to be dropped.
    pub(super) fn end(&mut self, ended: &Ended) -> (Vec<Waker>, Vec<Pending>) {
        if !matches!(self.watching, Watching::Ended(_)) {
            self.watching = Watching::Ended(ended.clone());
        }
        self.untold.clear();
        let mut wake: Vec<Waker> = self.closed.take().chain(self.crowd.take()).collect();
        let unawaited: Vec<usize> = self
            .pending
            .iter()
            .filter(|(_, (_, pending))| matches!(pending, Pending::Cancelled | Pending::Detached(_)))
            .map(|(place, _)| place)
            .collect();
        let left = unawaited.into_iter().map(|place| self.pending.remove(place).1).collect();
        for (_, (_, pending)) in &mut self.pending {
            if let Pending::Waiting(waker) = pending {
                wake.extend(waker.take());
            }
        }
        (wake, left)
    }
}

impl Pending {
    /// An answer that nobody waits for. What it carries is dropped later; its bytes, of which there may be many, are of no use.
    fn unwanted(answer: Answer) -> Self {
        Self::Answered(match answer {
            Answer::Value(message, size) => Answer::Value(Incoming { bytes: Vec::new(), ..message }, size),
            Answer::NoReply | Answer::NoSuchMethod { .. } => answer,
        })
    }
}

impl Ended {
    /// What a call of this interface says of it.
    pub(super) fn into_error(self, interface: &'static str) -> CallError {
        match self {
            // What it had to say about it has no place in an end.
            Self::Gone(Why::Rejected) => CallError::BadMessage(BadMessage::Rejected { text: String::new() }),
            Self::Gone(why) => CallError::PeerGone(why),
            Self::Bad(bad) => CallError::BadMessage(bad),
            Self::Refused(difference) => {
                CallError::OtherInterface { interface, difference: difference.map(Box::new) }
            }
            Self::Withdrawn => CallError::Cancelled,
        }
    }

    pub(super) fn why(&self) -> Why {
        match self {
            Self::Gone(why) => *why,
            Self::Refused(_) | Self::Bad(BadMessage::Rejected { .. }) => Why::Rejected,
            Self::Bad(_) => Why::BrokenRules,
            Self::Withdrawn => Why::Closed,
        }
    }
}

impl Sorting {
    const IDLE: u8 = 0;
    const BUSY: u8 = 1;
    /// Somebody else was woken meanwhile, and has left it to the one who is at it.
    const BUSY_AGAIN: u8 = 2;

    /// Whether the turn is the caller's.
    pub(super) fn begin(&self) -> bool {
        let take = |now| Some(if now == Self::IDLE { Self::BUSY } else { Self::BUSY_AGAIN });
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, take) == Ok(Self::IDLE)
    }

    /// Whether there is more to do for the one whose turn it is. If not, the turn is over.
    pub(super) fn go_on(&self) -> bool {
        let over = self.0.compare_exchange(Self::BUSY, Self::IDLE, Ordering::AcqRel, Ordering::Acquire);
        if over.is_err() {
            self.0.store(Self::BUSY, Ordering::Release);
        }
        over.is_err()
    }
}

impl Default for Sorting {
    fn default() -> Self {
        Self(AtomicU8::new(Self::IDLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::RawMessage;

    #[test]
    fn an_answer_that_nobody_waits_for_keeps_no_bytes() {
        let answer = || {
            let message = RawMessage { bytes: vec![7; 1 << 20], ..RawMessage::default() };
            Answer::Value(message.into(), 32)
        };
        let kept = |left: Left| {
            let mut bytes = 0;
            left.each(|pending| {
                if let Pending::Answered(Answer::Value(message, _)) = pending {
                    bytes += message.bytes.capacity();
                }
            });
            bytes
        };
        let mut calls = Calls::after(0);
        let [cancelled, twice] = [(); 2].map(|()| calls.begin(2).expect("there is room"));
        drop(calls.give_up(cancelled));
        for request in [cancelled, twice, twice, 99 << PLACE_BITS] {
            let mut left = Left::new();
            assert!(calls.answered(request, answer(), &mut left).is_ok());
            assert_eq!(kept(left), 0, "of the answer to {request}");
        }
        assert!(matches!(
            calls.ask(twice, &mut None),
            Asked::Answer(Answer::Value(message, 32)) if message.bytes.len() == 1 << 20
        ));
    }

    #[test]
    fn a_request_has_a_number_wherever_they_begin() {
        for messages in [0, 1, REQUESTS_MAX - 1, REQUESTS_MAX, REQUESTS_MAX + 1, u64::MAX] {
            let mut calls = Calls::after(messages);
            let mut before = Vec::new();
            for _ in 0..4 {
                let request = calls.begin(1).expect("there is room");
                assert_ne!(request, 0, "after {messages} messages");
                assert!(!before.contains(&request), "after {messages} messages");
                assert_eq!(calls.begin(1), None);
                assert!(calls.remove(request).is_some(), "it is found again");
                before.push(request);
            }
        }
    }
}
