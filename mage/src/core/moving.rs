//! An end that was sent in a message and whose new place has not answered yet.

use super::endpoint::{Incoming, Outgoing, State};
use super::frame::Body;
use super::name::{Address, EndpointName};
use super::probe::{Mutation, mutated};
use super::proxying::Proxying;
use super::router::Router;
use super::window::Count;
use crate::error::Why;

#[derive(Clone, Debug, Hash)]
pub(crate) struct Moving {
    /// Where the end sent before it moved; they must learn who speaks in its place.
    pub(crate) old: Address,
    /// The best credit that came meanwhile.
    pub(crate) slot: Option<Count>,
}

impl<H> Router<H> {
    /// The new place exists: it gets everything that waited here, and from now on what still comes is forwarded.
    pub(super) fn on_accepted(&mut self, name: EndpointName, from: Address) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        let State::Moving(moving) = &endpoint.state else { return };
        if endpoint.peer() != from && !mutated(Mutation::AcceptedOfStrangers) {
            return;
        }
        let (old, slot) = (moving.old, moving.slot);
        let peer = endpoint.peer();
        let incoming = endpoint.incoming;
        let place = Proxying::new(endpoint.window.read, endpoint.queue.count());
        let queue = endpoint.queue.take();
        let speaks = endpoint.outgoing != Outgoing::Told;
        endpoint.state = State::Proxying(Box::new(place));
        if speaks && !mutated(Mutation::OldPlaceForgotten) {
            self.post(name, old, Body::PrevIs(peer));
        }
        for message in queue {
            self.forward(name, peer, message);
        }
        if let Incoming::Ended(why) = incoming {
            self.post(name, peer, Body::End(why));
            self.erase(name);
            return;
        }
        if let Some(slot) = slot {
            self.post(name, peer, Body::Credit(slot));
        }
        self.ask_to_be_bypassed(name);
    }

    /// The place it was sent to is gone before it answered.
    pub(super) fn lose_moving(&mut self, name: EndpointName, old: Address, why: Why) {
        let Some(endpoint) = self.endpoints.get(&name) else { return };
        if endpoint.outgoing != Outgoing::Told && !mutated(Mutation::MovingLossUntold) {
            self.post(name, old, Body::End(why));
        }
        self.erase(name);
    }
}
