//! One end of a pipe, or the place that an end has left.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::task::Waker;

use super::frame::{Body, Parcel};
use super::held::Held;
use super::message::Message;
use super::moving::Moving;
use super::name::{Address, EndpointName, NodeName, PipeName};
use super::open::Open;
use super::probe::{Mutation, mutated};
use super::proxying::Proxying;
use super::window::{Count, Window};
use crate::error::Why;
use crate::seldom::Seldom;

/// The capacity of a queue that stays when it has been read.
const QUEUE_KEPT_MAX: usize = 64;

/// Which end of its pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    First,
    Second,
}

/// An endpoint: what it has in every state, and its state.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Endpoint<H> {
    pub(crate) pipe: PipeName,
    pub(crate) side: Side,
    neighbours: Neighbours,
    /// What prev is, as far as we have been told.
    pub(crate) standing: Standing,
    pub(crate) window: Window,
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
    pub(crate) queue: Queue<H>,
    pub(crate) held: Option<Box<Held<H>>>,
    carriage: Option<Box<Carriage>>,
    pub(crate) hops: Hops,
    pub(crate) state: State,
}

/// How often the last message that came had been passed on, its first sending included. It is for people, and changes nothing of
/// what a node does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hops(pub(crate) Option<NonZeroU16>);

impl std::hash::Hash for Hops {
    fn hash<S: std::hash::Hasher>(&self, _: &mut S) {}
}

/// Whom an endpoint speaks to, and whom it hears. At rest the two are one.
#[derive(Clone, Debug, Hash)]
struct Neighbours {
    peer: Address,
    /// Only if it is not the peer.
    prev: Option<Box<Address>>,
}

/// What an endpoint has to do with the messages that ends wait in. Most have nothing.
#[derive(Clone, Debug, Default, Hash)]
struct Carriage {
    carrier: Option<EndpointName>,
    carried: u32,
}

/// What an endpoint is.
#[derive(Clone, Debug, Hash)]
pub(crate) enum State {
    /// An end that a user holds, or will once the message it is in has been read.
    Open(Open),
    /// Sent in a message; the new place has not answered yet, so what arrives here waits.
    Moving(Box<Moving>),
    /// Lives elsewhere; forwards what still arrives here until everybody knows.
    Proxying(Box<Proxying>),
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    /// An end, at least when this was said.
    End,
    /// A place that an end has left, for ever.
    Place,
}

/// What can still come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Incoming {
    Open,
    /// Nothing more, for this reason, behind what is queued.
    Ended(Why),
}

/// What can still go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outgoing {
    Open,
    /// Nobody listens, and they have not been told that we know.
    Lost,
    /// `End` has been passed on; nothing may follow it.
    Told,
}

/// Unread messages. An end that never had one costs next to nothing.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Queue<H> {
    unread: Option<Box<Unread<H>>>,
}

/// Unread messages, with their sum.
#[derive(Clone, Debug, Hash)]
struct Unread<H> {
    messages: VecDeque<Message<H>>,
    bytes: u64,
}

impl<H> Queue<H> {
    pub(crate) fn count(&self) -> Count {
        self.unread.as_ref().map_or_else(Count::default, |unread| Count {
            messages: unread.messages.len() as u64,
            bytes: unread.bytes,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.unread.as_ref().is_none_or(|unread| unread.messages.is_empty())
    }

    pub(crate) fn push(&mut self, message: Message<H>) {
        let unread = self.unread.get_or_insert_default();
        unread.bytes = unread.bytes.saturating_add(message.cost());
        unread.messages.push_back(message);
    }

    pub(crate) fn pop(&mut self) -> Option<Message<H>> {
        let unread = self.unread.as_mut()?;
        let message = unread.messages.pop_front()?;
        unread.bytes = unread.bytes.saturating_sub(message.cost());
        if unread.messages.is_empty() && unread.messages.capacity() > QUEUE_KEPT_MAX {
            self.unread = None;
        }
        Some(message)
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.unread.as_ref().map_or(0, |unread| unread.messages.capacity())
    }

    /// The oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Message<H>> {
        self.unread.iter().flat_map(|unread| &unread.messages)
    }

    /// The ends that wait in these messages.
    pub(crate) fn ends(&self) -> impl Iterator<Item = EndpointName> {
        self.iter().flat_map(|message| message.ends.iter().copied())
    }

    pub(crate) fn take(&mut self) -> VecDeque<Message<H>> {
        self.unread.take().map(|unread| unread.messages).unwrap_or_default()
    }
}

impl<H> Default for Queue<H> {
    fn default() -> Self {
        Self { unread: None }
    }
}

impl<H> Default for Unread<H> {
    fn default() -> Self {
        Self { messages: VecDeque::new(), bytes: 0 }
    }
}

impl Neighbours {
    fn new(peer: Address, prev: Address) -> Self {
        Self { peer, prev: (prev != peer).then(|| Box::new(prev)) }
    }
}

impl<H> Endpoint<H> {
    pub(crate) fn new(pipe: PipeName, side: Side, peer: Address, prev: Address, window: Window) -> Self {
        Self {
            pipe,
            side,
            neighbours: Neighbours::new(peer, prev),
            standing: Standing::End,
            window,
            incoming: Incoming::Open,
            outgoing: Outgoing::Open,
            queue: Queue::default(),
            held: None,
            carriage: None,
            hops: Hops::default(),
            state: State::Open(Open::default()),
        }
    }

    /// Where everything goes that this endpoint sends.
    pub(crate) fn peer(&self) -> Address {
        self.neighbours.peer
    }

    /// The only one whose messages this endpoint takes; others wait in `held`.
    pub(crate) fn prev(&self) -> Address {
        self.neighbours.prev.as_deref().copied().unwrap_or(self.neighbours.peer)
    }

    /// Whether it speaks to somebody there, or hears somebody there.
    pub(crate) fn refers_to(&self, node: NodeName) -> bool {
        self.peer().node == node || self.prev().node == node
    }

    pub(crate) fn set_peer(&mut self, peer: Address) {
        self.neighbours = Neighbours::new(peer, self.prev());
    }

    pub(crate) fn set_prev(&mut self, prev: Address) {
        self.neighbours = Neighbours::new(self.peer(), prev);
    }

    /// The endpoint in whose unread messages this one waits, or that forwarded it and still stands.
    pub(crate) fn carrier(&self) -> Option<EndpointName> {
        self.carriage.as_ref()?.carrier
    }

    /// How many live endpoints name this one as their carrier.
    pub(crate) fn carried(&self) -> u32 {
        self.carriage.as_ref().map_or(0, |carriage| carriage.carried)
    }

    pub(crate) fn swap_carrier(&mut self, carrier: Option<EndpointName>) -> Option<EndpointName> {
        let old = self.carrier();
        if carrier != old {
            self.set_carriage(carrier, self.carried());
        }
        old
    }

    pub(crate) fn set_carried(&mut self, carried: u32) {
        self.set_carriage(self.carrier(), carried);
    }

    fn set_carriage(&mut self, carrier: Option<EndpointName>, carried: u32) {
        if carrier.is_none() && carried == 0 {
            self.carriage = None;
        } else {
            **self.carriage.get_or_insert_default() = Carriage { carrier, carried };
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// A message is there to be read. Returns whoever waits for it.
    pub(crate) fn arrive(&mut self, message: Message<H>) -> Option<Waker> {
        self.hops = Hops(NonZeroU16::new(message.hops));
        self.queue.push(message);
        if mutated(Mutation::ReaderNotWoken) { None } else { self.take_reader() }
    }

    /// A message like nearly every one, which brings nothing that could be wrong or has to be made, is there to be read.
    /// Returns whoever waits for it. Anything else comes back.
    pub(crate) fn take_plain(&mut self, body: Body<H>) -> Result<Option<Waker>, Body<H>> {
        match body {
            Body::User(parcel)
                if !matches!(self.state, State::Proxying(_))
                    && parcel.ends.is_empty()
                    && !parcel.handles_lost
                    && (self.window.admits(parcel.sequence, self.queue.count())
                        || mutated(Mutation::WindowUnchecked)) =>
            {
                let Parcel { sequence, hops, bytes, handles, .. } = parcel;
                let source = self.prev().node;
                Ok(self.arrive(Message { sequence, hops, source, bytes, ends: Seldom::new(), handles }))
            }
            body => Err(body),
        }
    }

    /// Takes the waker of whoever waits to read, if it should look again.
    pub(crate) fn take_reader(&mut self) -> Option<Waker> {
        match &mut self.state {
            State::Open(open) => open.take_reader(),
            State::Moving(_) | State::Proxying(_) => None,
        }
    }

    /// Takes the wakers of whoever waits to send.
    pub(crate) fn take_writers(&mut self) -> impl Iterator<Item = Waker> + use<H> {
        let open = match &mut self.state {
            State::Open(open) => Some(open),
            State::Moving(_) | State::Proxying(_) => None,
        };
        open.map(Open::take_writers).into_iter().flatten()
    }
}

/// The state of an endpoint, without what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Open,
    Moving,
    Proxying,
}

/// What can be seen of an endpoint from outside, as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) role: Role,
    pub(crate) unread_messages: u64,
    pub(crate) unread_bytes: u64,
    pub(crate) room_messages: u64,
    pub(crate) peer: Address,
    pub(crate) prev: Address,
    /// How often the last message that came had been passed on, if one has come.
    pub(crate) hops: Option<NonZeroU16>,
    /// Whether the two ends send to each other with nobody in between, as far as this side can know.
    pub(crate) direct: bool,
    pub(crate) ended: Option<Why>,
}
