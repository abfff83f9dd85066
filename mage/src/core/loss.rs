//! The end of what comes in, and the loss of what it goes to.

use super::endpoint::{Incoming, Outgoing, State};
use super::frame::Body;
use super::name::{EndpointName, NodeName};
use super::probe::{Mutation, mutated};
use super::router::Router;
use crate::error::Why;

impl<H> Router<H> {
    /// Nothing more will come from prev, behind what is already here.
    pub(super) fn end_incoming(&mut self, name: EndpointName, why: Why) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        if endpoint.incoming != Incoming::Open {
            return;
        }
        endpoint.incoming = Incoming::Ended(why);
        let peer = endpoint.peer();
        if matches!(endpoint.state, State::Proxying(_)) {
            self.post(name, peer, Body::End(why));
            self.erase(name);
            return;
        }
        let held = endpoint.held.take();
        let open = endpoint.is_open();
        endpoint.outgoing = if open { Outgoing::Told } else { Outgoing::Lost };
        self.effects.wake.extend(endpoint.take_reader());
        let writers = endpoint.take_writers();
        self.effects.wake.extend(writers);
        if open && !mutated(Mutation::EndNotPassedOn) {
            self.post(name, peer, Body::End(why));
        }
        for (node, body) in held.into_iter().flat_map(|held| held.into_bodies()) {
            self.discard(node, body);
        }
    }

    /// `node` cannot be reached any more: whatever of these hears it or speaks to it ends.
    pub(super) fn lose_node(&mut self, node: NodeName, touched: Vec<EndpointName>, why: Why) {
        for name in touched {
            let hears = self.endpoints.get(&name).is_some_and(|endpoint| endpoint.prev().node == node);
            if hears && !mutated(Mutation::PrevLossIgnored) {
                self.end_incoming(name, why);
            }
            if self.endpoints.get(&name).is_some_and(|endpoint| endpoint.peer().node == node) {
                self.lose_peer(name, why);
            }
        }
    }

    /// The place this endpoint sends to is gone.
    pub(super) fn lose_peer(&mut self, name: EndpointName, why: Why) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        if endpoint.outgoing == Outgoing::Open {
            endpoint.outgoing = Outgoing::Lost;
        }
        match &endpoint.state {
            // The incoming side is told by the ring, in order.
            State::Open(_) => {
                let writers = endpoint.take_writers();
                self.effects.wake.extend(writers);
            }
            State::Moving(moving) => {
                let old = moving.old;
                self.lose_moving(name, old, why);
            }
            State::Proxying(_) => self.erase(name),
        }
    }
}
