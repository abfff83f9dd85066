//! Sending: every check that can be made before a message leaves, so that a refused one comes back whole.

use std::collections::BTreeSet;

use super::endpoint::{Outgoing, State};
use super::message::{Draft, Message, Refused, cost};
use super::name::{EndpointName, NodeName};
use super::peers::{Link, Peers, RealmId, Stage};
use super::probe::{Mutation, mutated};
use super::router::Router;
use crate::error::SendErrorKind;
use crate::limits::{MESSAGE_HANDLES_MAX, MESSAGE_PIPES_MAX};

impl<H> Router<H> {
    /// Sends a message from `name`. The ends in it leave this user, or come back with the rest in the error.
    pub(crate) fn send(&mut self, name: EndpointName, message: Draft<H>) -> Result<(), Refused<H>> {
        if let Err(why) = self.may_attach(name, &message) {
            return Err(Refused { why, message });
        }
        let Some(endpoint) = self.endpoints.get_mut(&name).filter(|end| end.outgoing == Outgoing::Open)
        else {
            return Err(Refused { why: SendErrorKind::Disconnected, message });
        };
        if !endpoint.window.has_room() && !mutated(Mutation::LimitIgnored) {
            return Err(Refused { why: SendErrorKind::Full, message });
        }
        let Draft { bytes, ends, handles } = message;
        let sequence = endpoint.window.spend(cost(bytes.len(), ends.len(), handles.len()));
        let peer = endpoint.peer();
        self.forward(
            name,
            peer,
            Message { sequence, hops: 0, source: NodeName::LOCAL, bytes, ends, handles },
        );
        self.settle();
        Ok(())
    }

    /// Whether there is room for one more message, or no use in waiting for any.
    pub(crate) fn is_ready(&self, name: EndpointName) -> bool {
        self.endpoints
            .get(&name)
            .is_none_or(|endpoint| endpoint.outgoing != Outgoing::Open || endpoint.window.has_room())
    }

    fn may_attach(&self, name: EndpointName, message: &Draft<H>) -> Result<(), SendErrorKind> {
        if message.bytes.len() > self.limits.message_bytes_max
            || message.ends.len() > MESSAGE_PIPES_MAX
            || message.handles.len() > MESSAGE_HANDLES_MAX
        {
            return Err(SendErrorKind::TooLarge);
        }
        if message.ends.is_empty() {
            return Ok(());
        }
        self.may_carry(name, &message.ends)
    }

    /// The checks that need a walk: circles of pipes that wait in each other, and networks.
    ///
    /// A circle is refused here if all of it waits on this node. What users of other nodes send at the same time cannot be
    /// known; a circle that they close with us comes to light on delivery (see docs/adr/0011).
    fn may_carry(&self, name: EndpointName, ends: &[EndpointName]) -> Result<(), SendErrorKind> {
        let endpoint = self.endpoints.get(&name).ok_or(SendErrorKind::Disconnected)?;
        if ends.iter().any(|end| self.endpoints.get(end).is_none()) {
            return Err(SendErrorKind::OverItself);
        }
        let unchecked = mutated(Mutation::CircleAtSend) || mutated(Mutation::CircleAnywhere);
        if endpoint.peer().node.is_local() && self.would_enclose(endpoint.peer().endpoint, ends) && !unchecked
        {
            return Err(SendErrorKind::OverItself);
        }
        let several = self.peers.realms.len() > 1 && !mutated(Mutation::NetworksMix);
        let destination = if several { self.network_of(name) } else { None };
        // The ends, and whatever waits in them: a work list, never recursion.
        let mut seen = BTreeSet::new();
        let mut todo = ends.to_vec();
        while let Some(end) = todo.pop() {
            let Some(carried) = self.endpoints.get(&end) else { continue };
            if carried.pipe == endpoint.pipe && !unchecked && !mutated(Mutation::CircleByName) {
                return Err(SendErrorKind::OverItself);
            }
            if let Some(destination) = destination
                && self.network_of(end).is_some_and(|network| network != destination)
            {
                return Err(SendErrorKind::OtherNetwork);
            }
            if carried.carried() > 0 && seen.insert(end) {
                todo.extend(carried.queue.ends());
            }
        }
        Ok(())
    }

    /// The network that the pipe of `name` has reached, if it has left this node at all.
    pub(super) fn network_of(&self, name: EndpointName) -> Option<RealmId> {
        let mut at = name;
        for _ in 0..=self.endpoints.len() {
            let endpoint = self.endpoints.get(&at)?;
            for address in [endpoint.peer(), endpoint.prev()] {
                if !address.node.is_local() {
                    return Some(self.peers.realm_of(address.node).unwrap_or(Peers::<H>::HOME));
                }
            }
            if let Some(network) = self.invited_into(at) {
                return Some(network);
            }
            at = endpoint.peer().endpoint;
            if at == name {
                return None;
            }
            if matches!(self.endpoints.get(&at)?.state, State::Open(_)) {
                at = self.leaves_by(at)?;
            }
        }
        None
    }

    /// The network that an end will reach which goes with an invitation that nobody has accepted yet.
    fn invited_into(&self, end: EndpointName) -> Option<RealmId> {
        let goes = |link: &Link| match &link.stage {
            Stage::Inviting(inviting) => inviting.ends.iter().any(|(_, invited)| *invited == end),
            _ => false,
        };
        let link = self.peers.links.values().find(|link| goes(link))?;
        (!mutated(Mutation::DepartureOverlooked)).then_some(link.realm)
    }

    /// The place by which an unread end is about to leave this node, together with what it waits in.
    fn leaves_by(&self, end: EndpointName) -> Option<EndpointName> {
        let mut at = self.endpoints.get(&end)?.carrier()?;
        for _ in 0..=self.endpoints.len() {
            let endpoint = self.endpoints.get(&at)?;
            if !endpoint.is_open() {
                return Some(at).filter(|_| !mutated(Mutation::DepartureOverlooked));
            }
            at = endpoint.carrier()?;
        }
        None
    }
}
