//! What has arrived, sorted out by whoever delivered it.

use std::sync::Arc;
use std::task::Waker;

use super::Shared;
use crate::bindings::calls::{Ended, Left, Pending};
use crate::bindings::difference::difference;
use crate::bindings::header::{Answer, Answered, read_answer};
use crate::bindings::reader::Reader;
use crate::error::{BadMessage, Difference};
use crate::few::Few;
use crate::limits::DESCRIPTION_BYTES_MAX;
use crate::node::{Drained, EndRef, Incoming};

impl Shared {
    /// Sorts out every answer that has arrived, or leaves it to the thread that is at it.
    pub(super) fn drain(self: &Arc<Self>) {
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
            let waker = || Waker::from(Arc::clone(self));
            let drained = end.drain(waker, || self.is_ours(), &mut messages);
            let (mut fault, mut untold) = (None, None);
            messages.each(|message| {
                if fault.is_some() {
                    return;
                }
                let read = self.read_answer(message);
                match read.and_then(|(request, answer)| self.deliver(request, answer, left)) {
                    Ok(is_untold) => untold = Some(is_untold),
                    Err(ended) => fault = Some(ended),
                }
            });
            // Where nothing has come, there may be room for a word.
            let untold = untold.unwrap_or_else(|| self.calls.lock().has_untold());
            match (fault, drained) {
                (Some(fault), _) => return (Some(fault), untold),
                (None, Drained::Ended(why)) => return (Some(Ended::Gone(why)), untold),
                (None, Drained::Empty) => return (None, untold),
                (None, Drained::More) => {}
            }
        }
    }

    /// Gives an answer to the call that it is for. Says whether the other side is still to be told of some that nobody waits for.
    fn deliver(&self, request: u64, answer: Answer, left: &mut Left) -> Result<bool, Ended> {
        let mut calls = self.calls.lock();
        calls.answered(request, answer, left)?;
        if let Some(crowd) = calls.take_crowd() {
            left.extend(crowd.map(|waker| Pending::Waiting(Some(waker))));
        }
        Ok(calls.has_untold())
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
}
