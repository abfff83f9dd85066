//! Messages and the ends in them: how ends are made, who carries them, and what becomes of what nobody wants.

use super::endpoint::{Endpoint, Outgoing, Standing};
use super::frame::{Body, Descriptor, Ends, Parcel};
use super::message::Message;
use super::name::{Address, EndpointName, NodeName};
use super::probe::{Mark, Mutation, mutated, reached};
use super::router::{Router, Work};
use super::window::Window;
use crate::error::Why;
use crate::limits::CARRIED_MAX;

impl<H> Router<H> {
    /// Turns a parcel into a message: makes the ends it brings.
    pub(super) fn open_parcel(
        &mut self,
        node: NodeName,
        parcel: Parcel<H>,
        carrier: Option<EndpointName>,
    ) -> Message<H> {
        let Parcel { sequence, hops, bytes, ends, handles, handles_lost: _ } = parcel;
        let ends = match ends {
            Ends::Here(ends) => ends,
            Ends::Moved(descriptors) => {
                descriptors.into_iter().map(|descriptor| self.bind(node, descriptor)).collect()
            }
        };
        if let Some(carrier) = carrier {
            for &end in &ends {
                self.carry(end, carrier);
            }
        }
        Message { sequence, hops, source: node, bytes, ends, handles }
    }

    /// Makes the end that a descriptor describes, and tells its old place.
    pub(super) fn bind(&mut self, node: NodeName, descriptor: Descriptor) -> EndpointName {
        let name = EndpointName { creator: self.peers.mask.apply(node), number: descriptor.number };
        let origin = Address { node, endpoint: descriptor.origin };
        let window = self.mutate_window(descriptor.window);
        let generous = window.is_beyond(Window::most(&self.limits));
        let mut endpoint = Endpoint::new(descriptor.pipe, descriptor.side, descriptor.peer, origin, window);
        endpoint.standing = Standing::Place;
        if descriptor.mute && !mutated(Mutation::MuteForgotten) {
            endpoint.outgoing = Outgoing::Lost;
        }
        self.endpoints.insert(name, endpoint);
        self.post(name, origin, Body::Accepted);
        self.refer(name, descriptor.peer.node, node);
        let crowded = self.is_crowded_by(node);
        if self.is_gone(node) || crowded {
            self.end_incoming(name, if crowded { Why::Unreachable } else { Why::PeerDied });
        }
        if generous {
            // Whoever says this of either reader wants more kept here than this node keeps for anybody.
            self.end_incoming(name, Why::BrokenRules);
        }
        if self.is_beyond(descriptor.peer.node, node) {
            self.lose_peer(name, Why::PeerDied);
        }
        name
    }

    /// Whether there are more endpoints here than this node is to have, or more than `node` may bring.
    pub(super) fn is_crowded_by(&self, node: NodeName) -> bool {
        let theirs = self.endpoints.named_by(self.peers.mask.apply(node));
        let crowded =
            theirs > self.limits.link_endpoints_max || self.endpoints.len() > self.limits.endpoints_max;
        if crowded {
            reached(Mark::Crowded);
        }
        crowded && !mutated(Mutation::CrowdUnbounded)
    }

    /// What a mistaken node would make of the numbers that an end brings.
    pub(super) fn mutate_window(&self, mut window: Window) -> Window {
        let fresh = Window::new(&self.limits);
        if mutated(Mutation::LimitStaysBehind) {
            window.limit = fresh.limit;
        }
        if mutated(Mutation::SentStaysBehind) {
            window.sent = fresh.sent;
        }
        if mutated(Mutation::ReadStaysBehind) {
            window.read = fresh.read;
        }
        if mutated(Mutation::GrantedRecomputed) {
            window.granted = window.read.joined(fresh.limit);
        }
        window
    }

    /// A frame that nobody wants: what it carries is closed.
    pub(super) fn discard(&mut self, node: NodeName, body: Body<H>) {
        self.refuse(node, body, Why::Closed);
    }

    /// A frame that cannot be taken: what it carries is closed for this reason.
    pub(super) fn refuse(&mut self, node: NodeName, body: Body<H>, why: Why) {
        let Body::User(parcel) = body else { return };
        let message = self.open_parcel(node, parcel, None);
        self.discard_message(message, why);
    }

    pub(super) fn discard_message(&mut self, message: Message<H>, why: Why) {
        if !mutated(Mutation::RefusedEndsStayOpen) {
            message.ends.into_iter().for_each(|end| self.later(Work::Close(end, why)));
        }
        if !mutated(Mutation::HandlesDropped) {
            self.effects.trash.extend(message.handles);
        }
    }

    /// A frame is forgotten, ends and all: whoever sent it is not believed.
    pub(super) fn trash_body(&mut self, body: Body<H>) {
        if let Body::User(parcel) = body {
            self.effects.trash.extend(parcel.handles);
        }
    }

    /// `carrier` now has `end` in its unread messages.
    pub(super) fn carry(&mut self, end: EndpointName, carrier: EndpointName) {
        self.uncarry(end);
        if let Some(endpoint) = self.endpoints.get_mut(&end) {
            endpoint.swap_carrier(Some(carrier));
            if let Some(carrier) = self.endpoints.get_mut(&carrier) {
                carrier.set_carried(carrier.carried().saturating_add(1));
            }
        }
    }

    pub(super) fn uncarry(&mut self, end: EndpointName) {
        let Some(carrier) = self.endpoints.get_mut(&end).and_then(|endpoint| endpoint.swap_carrier(None))
        else {
            return;
        };
        if let Some(carrier) = self.endpoints.get_mut(&carrier) {
            carrier.set_carried(carrier.carried().saturating_sub(1));
        }
    }

    /// Whether putting `ends` into the queue of `name` would close a circle of pipes that wait in each other, which
    /// nobody could ever reach again.
    pub(super) fn would_enclose(&self, name: EndpointName, ends: &[EndpointName]) -> bool {
        let mut at = name;
        for _ in 0..=self.endpoints.len() {
            if ends.contains(&at) {
                return true;
            }
            match self.endpoints.get(&at).and_then(Endpoint::carrier) {
                Some(carrier) => at = carrier,
                None => return false,
            }
        }
        true // a circle there already
    }

    /// Whether `name` may bring that many more ends; the deeper it waits itself, the fewer.
    pub(super) fn is_overloaded(&self, name: EndpointName, more: usize) -> bool {
        let carrier = |at: &EndpointName| self.endpoints.get(at).and_then(Endpoint::carrier);
        let depth = std::iter::successors(carrier(&name), carrier).take(CARRIED_MAX.len()).count();
        let allowed = CARRIED_MAX.get(depth).copied().unwrap_or(0);
        let carried = self.endpoints.get(&name).map_or(0, Endpoint::carried);
        carried as usize + more > allowed as usize && !mutated(Mutation::AllowanceUnbounded)
    }
}
