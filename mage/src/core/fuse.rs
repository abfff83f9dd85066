//! Fusing: two half-open pipes become one.
//!
//! ```text
//!   A ◄────► b        c ◄────► D        b and c are held here and have never been used
//!   A ◄──────── b ═══ c ────────► D     b forwards to D, c forwards to A
//!   A ◄──────────────────────────► D     and both are bypassed, by the ordinary rules
//! ```
//!
//! Each of the two tells its own far end that the other speaks in its place, and then is a proxy like any other. Nothing
//! new is needed on the wire, and no authority moves that the two did not have.

use super::endpoint::{Endpoint, Incoming, Outgoing, State};
use super::frame::Body;
use super::name::{Address, EndpointName};
use super::probe::{Mark, reached};
use super::proxying::Proxying;
use super::router::Router;
use crate::error::FuseError;

impl<H> Router<H> {
    /// Joins the pipes of `first` and `second`. What their far ends have sent so far, and what they have been granted,
    /// goes on as if they had always been one pipe.
    pub(crate) fn fuse(&mut self, first: EndpointName, second: EndpointName) -> Result<(), FuseError> {
        self.may_fuse(first, second)?;
        let (Some(one), Some(other)) = (self.place(first), self.place(second)) else {
            return Err(FuseError::Used);
        };
        // Last words before anything is forwarded: from now on the other one speaks in this place.
        for (name, (peer, speaks), successor) in [(first, one, second), (second, other, first)] {
            if speaks {
                self.post(name, peer, Body::PrevIsPlace(Address::here(successor)));
            }
        }
        self.become_proxy(first, other.0);
        self.become_proxy(second, one.0);
        self.settle();
        Ok(())
    }

    fn may_fuse(&self, first: EndpointName, second: EndpointName) -> Result<(), FuseError> {
        let (Some(one), Some(other)) = (self.endpoints.get(&first), self.endpoints.get(&second)) else {
            return Err(FuseError::Used);
        };
        let ring = self.leads_to(first, second) || self.leads_to(second, first);
        if one.pipe == other.pipe || ring {
            return Err(FuseError::SamePipe);
        }
        let unused = |endpoint: &Endpoint<H>| {
            endpoint.is_open() && endpoint.window.sent.messages == 0 && endpoint.window.read.messages == 0
        };
        if !unused(one) || !unused(other) {
            return Err(FuseError::Used);
        }
        if one.window.granted != other.window.limit || other.window.granted != one.window.limit {
            return Err(FuseError::OtherWindow);
        }
        match (self.network_of(first), self.network_of(second)) {
            (Some(one), Some(other)) if one != other => Err(FuseError::OtherNetwork),
            _ => Ok(()),
        }
    }

    /// Whether what `from` says arrives at `to` without leaving this node: two pipes that were fused before bear two
    /// names, and are one.
    pub(super) fn leads_to(&self, from: EndpointName, to: EndpointName) -> bool {
        let mut at = from;
        for _ in 0..=self.endpoints.len() {
            let Some(endpoint) = self.endpoints.get(&at) else { return false };
            if !endpoint.peer().node.is_local() || (at != from && endpoint.is_open()) {
                return false;
            }
            at = endpoint.peer().endpoint;
            if at == to {
                return true;
            }
        }
        false
    }

    /// Where an end sends, and whether it may still say something there.
    fn place(&self, name: EndpointName) -> Option<(Address, bool)> {
        let endpoint = self.endpoints.get(&name)?;
        Some((endpoint.peer(), endpoint.outgoing != Outgoing::Told))
    }

    /// An open end forwards to `peer` from now on, beginning with what it has queued.
    fn become_proxy(&mut self, name: EndpointName, peer: Address) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        let incoming = endpoint.incoming;
        let place = Proxying::new(endpoint.window.read, endpoint.queue.count());
        let queue = endpoint.queue.take();
        reached(if queue.is_empty() { Mark::Fused } else { Mark::FusedUnread });
        endpoint.set_peer(peer);
        if let Some(state) = self.endpoints.vacate(&name, State::Proxying(Box::new(place))) {
            self.discard_state(state);
        }
        self.note_reference(name, peer.node);
        for message in queue {
            self.forward(name, peer, message);
        }
        match incoming {
            Incoming::Open => self.ask_to_be_bypassed(name),
            Incoming::Ended(why) => {
                self.post(name, peer, Body::End(why));
                self.erase(name);
            }
        }
    }
}
