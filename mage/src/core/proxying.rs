//! A place that an end has left: it forwards until everybody who sends here has been told not to.

use super::endpoint::{Standing, State};
use super::frame::{Body, Descriptor, Ends, Parcel};
use super::message::Message;
use super::moving::Moving;
use super::name::{Address, EndpointName, NodeName};
use super::probe::{Mutation, hops_max, mutated};
use super::router::Router;
use super::window::Count;
use crate::error::Why;
use crate::seldom::Seldom;

/// What a place knows. Messages are numbered and credits only rise, so a frame that comes by again is known: places that a
/// liar has joined into a ring without an end pass nothing round it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Proxying {
    /// Whether prev has been asked to send to our peer instead. Until it answers, the peer stays what prev was told.
    pub(crate) asked: bool,
    /// The number of the message that is to be forwarded next.
    next: u64,
    /// The most that has been granted through here.
    granted: Count,
}

impl Proxying {
    /// A place whose end had read so much, and leaves so much to be forwarded.
    pub(super) fn new(read: Count, queued: Count) -> Self {
        Self { asked: false, next: read.joined(queued).messages, granted: Count::default() }
    }

    /// Whether this is the message that is to be forwarded next.
    pub(super) fn admits(&self, sequence: u64) -> bool {
        sequence == self.next || mutated(Mutation::RingsTurn)
    }

    /// A message has come and is forwarded.
    pub(super) fn pass(&mut self) {
        self.next = self.next.saturating_add(1);
    }

    /// Takes note of a credit; true if it is worth passing on, because it says more than any before.
    pub(super) fn grant(&mut self, limit: Count) -> bool {
        let before = self.granted;
        self.granted = before.max(limit);
        self.granted != before || mutated(Mutation::RingsTurn)
    }
}

impl<H> Router<H> {
    /// Passes a message on from `name` to `peer`.
    pub(super) fn forward(&mut self, name: EndpointName, peer: Address, message: Message<H>) {
        let Message { sequence, hops, bytes, ends, handles, source: _ } = message;
        // Saturating: plain messages may hop for ever, and must not turn the forwarder into a violator.
        let most = if mutated(Mutation::HopsNotSaturating) { u16::MAX } else { hops_max() + 1 };
        let hops = hops.saturating_add(1).min(most);
        if ends.is_empty() {
            // Nearly every message: nothing that could be lost on the way to a node that is gone.
            let ends = Ends::Moved(Seldom::new());
            let parcel = Parcel { sequence, hops, bytes, ends, handles, handles_lost: false };
            return self.post(name, peer, Body::User(parcel));
        }
        let parcel = |ends| Parcel { sequence, hops, bytes, ends, handles, handles_lost: false };
        if peer.node.is_local() {
            return self.post(name, peer, Body::User(parcel(Ends::Here(ends))));
        }
        let moved = ends.iter().filter_map(|&end| self.depart(end, peer.node)).collect();
        self.post(name, peer, Body::User(parcel(Ends::Moved(moved))));
        if self.is_gone(peer.node) {
            for end in ends {
                self.lose_peer(end, Why::PeerDied);
            }
        }
    }

    /// An end leaves for `node`: it stays behind as a forwarder.
    pub(super) fn depart(&mut self, end: EndpointName, node: NodeName) -> Option<Descriptor> {
        self.pack(end);
        self.address_to(end, node)
    }

    /// An end leaves, and it is not known yet where to. What arrives here waits.
    pub(super) fn pack(&mut self, end: EndpointName) {
        let Some(endpoint) = self.endpoints.get_mut(&end) else { return };
        let old = endpoint.peer();
        endpoint.set_peer(Address::here(EndpointName::NONE));
        let moving = Box::new(Moving { old, slot: None });
        if let Some(state) = self.endpoints.vacate(&end, State::Moving(moving)) {
            self.discard_state(state);
        }
    }

    /// The end that was packed leaves for `node`.
    pub(super) fn address_to(&mut self, end: EndpointName, node: NodeName) -> Option<Descriptor> {
        let number = self.next_number_for(node);
        let endpoint = self.endpoints.get_mut(&end)?;
        let State::Moving(moving) = &endpoint.state else { return None };
        let descriptor = Descriptor {
            number,
            pipe: endpoint.pipe,
            side: endpoint.side,
            mute: endpoint.outgoing != super::endpoint::Outgoing::Open,
            peer: moving.old,
            origin: end,
            window: endpoint.window,
        };
        endpoint.set_peer(Address { node, endpoint: EndpointName { creator: NodeName::LOCAL, number } });
        self.note_reference(end, node);
        Some(descriptor)
    }

    /// Asks prev to send to our peer instead of to us, if that is our turn.
    ///
    /// An end is always asked. A place is asked only by its better in rank, for a place that has asked cannot be asked
    /// in its turn: it must remain what prev has been told. So in a chain of places every other one at least is free,
    /// and the chain shortens everywhere at once rather than from its end. Whoever may not ask waits: its prev is a
    /// place, and no place goes without naming its successor.
    pub(super) fn ask_to_be_bypassed(&mut self, name: EndpointName) {
        let Some(endpoint) = self.endpoints.get(&name) else { return };
        let (peer, prev) = (endpoint.peer(), endpoint.prev());
        let asked = endpoint.standing == Standing::End || self.outranks(name, prev);
        if let Some(State::Proxying(proxying)) =
            self.endpoints.get_mut(&name).map(|endpoint| &mut endpoint.state)
        {
            proxying.asked = asked;
        }
        if asked {
            self.post(name, prev, Body::Bypass(peer));
        }
    }

    /// Breaks the tie between two places. Any order will do, and the two need not agree.
    fn outranks(&self, name: EndpointName, prev: Address) -> bool {
        if prev.node.is_local() {
            return name > prev.endpoint;
        }
        let me = self.peers.realm_of(prev.node).and_then(|realm| self.peers.realm(realm)?.me);
        me.is_none_or(|me| me > prev.node)
    }

    /// Nobody sends to this proxy any more: whoever did speaks to the end directly, in this place.
    pub(super) fn on_ack(&mut self, name: EndpointName, from: Address) {
        let Some(endpoint) = self.endpoints.get(&name) else { return };
        let heard = endpoint.prev() == from || mutated(Mutation::AckOfStrangers);
        if !matches!(endpoint.state, State::Proxying(_)) || !heard {
            return;
        }
        let (peer, prev) = (endpoint.peer(), endpoint.prev());
        let succession = match endpoint.standing {
            Standing::End => Body::PrevIs(prev),
            Standing::Place => Body::PrevIsPlace(prev),
        };
        if !mutated(Mutation::AckWithoutSuccession) {
            self.post(name, peer, succession);
        }
        self.erase(name);
    }
}
