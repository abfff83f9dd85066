//! [`Waiters`]: those who wait for one thing, until it happens or they give up.

use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;

/// Who waits for one thing. What comes out of it is to be woken or dropped with no lock held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiters {
    wakers: BTreeMap<Ticket, Waker>,
    last: Ticket,
}

/// A place among those who wait. Nobody else has it, or has had it: whoever waits no longer takes out its own waker, and nobody
/// else's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

impl Waiters {
    pub(crate) fn is_empty(&self) -> bool {
        self.wakers.is_empty()
    }

    /// Has `waker` wait in the place of this ticket, which is given out now if there is none. A waker that is not needed
    /// comes back.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: Waker) -> Option<Waker> {
        let ticket = *ticket.get_or_insert_with(|| {
            self.last = Ticket(self.last.0 + 1);
            self.last
        });
        self.wakers.insert(ticket, waker)
    }

    /// Somebody waits no longer.
    pub(crate) fn give_up(&mut self, ticket: Ticket) -> Option<Waker> {
        self.wakers.remove(&ticket)
    }

    /// It has happened: everybody who waited.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        mem::take(&mut self.wakers).into_values()
    }
}
