//! An end that a user holds.

use std::mem;
use std::task::Waker;

use super::endpoint::{Endpoint, Incoming, Outgoing, State};
use super::frame::Body;
use super::message::Message;
use super::name::{Address, EndpointName};
use super::probe::{Mutation, mutated};
use super::router::Router;
use crate::error::Why;
use crate::waiters::{Ticket, Waiters};

/// Who waits for this end. An end that nobody has waited for costs next to nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Open {
    waiting: Option<Box<Waiting>>,
}

#[derive(Clone, Debug, Default)]
struct Waiting {
    /// The one reader.
    reader: Option<Waker>,
    /// Everybody who waits for room.
    writers: Waiters,
}

impl Open {
    #[cfg(test)]
    pub(crate) fn has_reader(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.reader.is_some())
    }

    #[cfg(test)]
    pub(crate) fn has_writers(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| !waiting.writers.is_empty())
    }

    /// Parks the one who waits to read, or nobody; returns who did before.
    pub(crate) fn swap_reader(&mut self, reader: Option<Waker>) -> Option<Waker> {
        if reader.is_none() && self.waiting.is_none() {
            return None;
        }
        mem::replace(&mut self.waiting.get_or_insert_default().reader, reader)
    }

    /// Parks somebody who waits for room, in the place of this ticket; returns the waker that is not needed.
    pub(crate) fn add_writer(&mut self, ticket: &mut Option<Ticket>, writer: Waker) -> Option<Waker> {
        self.waiting.get_or_insert_default().writers.wait(ticket, writer)
    }

    /// Somebody waits for room no longer.
    pub(crate) fn forget_writer(&mut self, ticket: Ticket) -> Option<Waker> {
        self.waiting.as_mut()?.writers.give_up(ticket)
    }

    pub(crate) fn take_reader(&mut self) -> Option<Waker> {
        self.waiting.as_mut()?.reader.take()
    }

    pub(crate) fn take_writers(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.waiting.as_mut().map(|waiting| waiting.writers.take()).into_iter().flatten()
    }
}

/// Who waits changes nothing of what a node does.
impl std::hash::Hash for Open {
    fn hash<S: std::hash::Hasher>(&self, _: &mut S) {}
}

/// What a read found.
#[derive(Debug)]
pub(crate) enum Received<H> {
    Message(Message<H>),
    /// Nothing now.
    Empty,
    /// Nothing ever again.
    Ended(Why),
}

/// Somebody who reads, and may be ready to wait.
pub(crate) struct Reader<W> {
    /// What wakes the one who would wait, if anything does. Asked under the node's lock: no foreign code is run for it.
    waker: W,
    /// Whoever waited before, to be dropped with no lock held.
    before: Option<Waker>,
    /// Whether to wait already when the last message is taken, and not only when there is none.
    eager: bool,
    waits: bool,
}

impl<W: FnMut() -> Option<Waker>> Reader<W> {
    /// Waits when there is nothing to read.
    pub(crate) fn new(waker: W) -> Self {
        Self { waker, before: None, eager: false, waits: false }
    }

    /// Waits as soon as nothing is left to read.
    pub(crate) fn eager(waker: W) -> Self {
        Self { eager: true, ..Self::new(waker) }
    }

    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// Whoever waited before.
    pub(crate) fn into_before(self) -> Option<Waker> {
        self.before
    }

    pub(super) fn wait<H>(&mut self, endpoint: &mut Endpoint<H>) {
        if let State::Open(open) = &mut endpoint.state
            && !self.waits
            && let Some(waker) = (self.waker)()
        {
            self.before = open.swap_reader(Some(waker));
            self.waits = true;
        }
    }
}

impl<H> Router<H> {
    /// [`Self::receive_or_wait`] for somebody who does not wait.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn receive(&mut self, name: EndpointName) -> Received<H> {
        self.receive_or_wait(name, &mut Reader::new(|| None))
    }

    /// Takes the next message of `name`. The ends it carries now belong to the caller.
    pub(crate) fn receive_or_wait<W: FnMut() -> Option<Waker>>(
        &mut self,
        name: EndpointName,
        reader: &mut Reader<W>,
    ) -> Received<H> {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return Received::Ended(Why::Closed) };
        let Some(mut message) = endpoint.queue.pop() else {
            return match endpoint.incoming {
                Incoming::Open => {
                    reader.wait(endpoint);
                    Received::Empty
                }
                Incoming::Ended(why) => Received::Ended(why),
            };
        };
        if reader.eager && endpoint.queue.is_empty() && endpoint.incoming == Incoming::Open {
            reader.wait(endpoint);
        }
        if message.was_forwarded() {
            // Whoever passed it on is no sender; but whoever gave us this end has said where the other one is.
            message.source = endpoint.peer().node;
        }
        let credit = endpoint.window.consume(message.cost(), &self.limits);
        let speaks = endpoint.outgoing == Outgoing::Open;
        if let Some(limit) = credit.filter(|_| speaks) {
            let peer = if mutated(Mutation::CreditToPrev) { endpoint.prev() } else { endpoint.peer() };
            self.post(name, peer, Body::Credit(limit));
        }
        if !mutated(Mutation::CarrierNotCleared) {
            message.ends.iter().for_each(|end| self.uncarry(*end));
        }
        self.settle();
        Received::Message(message)
    }

    /// The unread messages of `name` from this number on, and the number behind them; `None` if nothing more will come.
    pub(crate) fn look(
        &self,
        name: EndpointName,
        from: u64,
    ) -> Option<(u64, impl Iterator<Item = &Message<H>>)> {
        let endpoint = self.endpoints.get(&name).filter(|endpoint| endpoint.incoming == Incoming::Open)?;
        let first = endpoint.window.read.messages;
        let next = first.saturating_add(endpoint.queue.count().messages);
        let known = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        Some((next, endpoint.queue.iter().skip(known)))
    }

    /// How many messages have been sent from `name`, wherever it was then.
    pub(crate) fn sent_messages(&self, name: EndpointName) -> u64 {
        self.endpoints.get(&name).map_or(0, |endpoint| endpoint.window.sent.messages)
    }

    /// Closes `name`. Its peer learns, after everything that was sent before.
    pub(crate) fn close(&mut self, name: EndpointName, why: Why) {
        self.close_now(name, why);
        self.settle();
    }

    pub(super) fn close_now(&mut self, name: EndpointName, why: Why) {
        let Some(endpoint) = self.endpoints.get(&name) else { return };
        if !endpoint.is_open() {
            return;
        }
        if endpoint.outgoing != Outgoing::Told {
            let peer = endpoint.peer();
            self.post(name, peer, Body::End(why));
        }
        self.erase(name);
    }

    /// The peer asks to be bypassed.
    pub(super) fn on_bypass(&mut self, name: EndpointName, from: Address, target: Address) {
        let is_moving_away_from = |state: &State| match state {
            State::Moving(moving) => moving.old == from,
            State::Open(_) | State::Proxying(_) => false,
        };
        match self.endpoints.get_mut(&name) {
            Some(endpoint) if endpoint.peer() == from || mutated(Mutation::BypassOfStrangers) => {
                let committed = match &endpoint.state {
                    State::Open(_) => false,
                    State::Proxying(proxying) => proxying.asked && !mutated(Mutation::CommittedPlaceRepoints),
                    State::Moving(_) => true,
                };
                if committed {
                    return; // it will ask again when our own place in the ring has settled
                }
                endpoint.set_peer(target);
                self.post(name, from, Body::Ack);
                self.refer(name, target.node, from.node);
                if self.is_beyond(target.node, from.node) {
                    self.lose_peer(name, Why::PeerDied);
                }
            }
            Some(endpoint) if is_moving_away_from(&endpoint.state) => {}
            _ if mutated(Mutation::GoneUnanswered) => {}
            _ => self.post(name, from, Body::Gone),
        }
    }
}
