//! Those who wait for something that happens to the node, until it does or they give up.

use std::collections::BTreeMap;
use std::task::Waker;

/// Who waits for one thing. What comes out of it is to be woken or dropped with no lock held.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    wakers: BTreeMap<Ticket, Waker>,
    last: Ticket,
}

/// A place among those who wait. It is given once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

impl Waiters {
    pub(super) fn is_empty(&self) -> bool {
        self.wakers.is_empty()
    }

    /// Has `waker` wait in this place, or in a new one if nobody waits there any more. A waker that is not needed comes back.
    pub(super) fn wait(&mut self, ticket: Option<Ticket>, waker: Waker) -> (Ticket, Option<Waker>) {
        if let Some((ticket, known)) = ticket.and_then(|ticket| Some((ticket, self.wakers.get_mut(&ticket)?)))
        {
            let unneeded = if known.will_wake(&waker) { waker } else { std::mem::replace(known, waker) };
            return (ticket, Some(unneeded));
        }
        self.last = Ticket(self.last.0 + 1);
        (self.last, self.wakers.insert(self.last, waker))
    }

    /// Somebody waits no longer.
    pub(super) fn give_up(&mut self, ticket: Ticket) -> Option<Waker> {
        self.wakers.remove(&ticket)
    }

    /// It has happened: everybody who waited.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_values()
    }
}
