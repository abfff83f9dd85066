//! Nodes are met and lost: what refers to a name asks for a link to it, what is sent to it waits for the link, and whoever
//! needs to hears that it will not come.

use super::effect::{Effect, LinkId};
use super::frame::{Body, Control, Frame, Parcel};
use super::message::cost;
use super::name::{EndpointName, NodeName};
use super::peers::{Broker, Link, Peer, Peers, Reach, RealmId, Stage};
use super::probe::{Mark, Mutation, mutated, reached};
use super::router::{Router, Work};
use crate::error::{InvitationError, PeerMisbehaved, Why};

impl<H> Router<H> {
    /// `name` refers to `node`, which `via` told us of: ask for a link to it, unless there is one or can be none.
    pub(super) fn refer(&mut self, name: EndpointName, node: NodeName, via: NodeName) {
        self.ask_for(node, via);
        self.note_reference(name, node);
    }

    /// `name` refers to `node`, and must hear of it if `node` cannot be met.
    pub(super) fn note_reference(&mut self, name: EndpointName, node: NodeName) {
        if mutated(Mutation::ReferenceForgotten) {
            return;
        }
        if let Some(Peer { reach: Reach::Asked { referrers, .. }, .. }) = self.peers.nodes.get_mut(&node) {
            let endpoints = &self.endpoints;
            referrers.add(name, |name| endpoints.get(name).is_some_and(|endpoint| endpoint.refers_to(node)));
        }
    }

    fn ask_for(&mut self, node: NodeName, via: NodeName) {
        if node.is_local() || self.peers.knows(node) || mutated(Mutation::ReferenceDoesNotAsk) {
            return;
        }
        let realm = self.peers.realm_of(via).unwrap_or(Peers::<H>::HOME);
        if self.peers.has_told_enough(via) || self.link_to_broker(realm).is_none() || !self.make_room() {
            return;
        }
        self.peers.expect(realm, node, via);
        self.peers.unasked.push(node);
    }

    /// Our link to the broker of a network, if that is another node.
    fn link_to_broker(&self, realm: RealmId) -> Option<LinkId> {
        match self.peers.realm(realm)?.broker {
            Broker::Node(broker) => self.peers.link_to(broker),
            Broker::Me | Broker::Lost => None,
        }
    }

    /// Asks the brokers for whom we have still not met. The word of a stranger and the introduction often come together, because
    /// the stranger has asked first; then there is nothing to ask, and nobody has to answer.
    pub(super) fn ask_for_introductions(&mut self) {
        for name in std::mem::take(&mut self.peers.unasked) {
            let Some(Peer { realm, reach: Reach::Asked { .. }, .. }) = self.peers.nodes.get(&name) else {
                continue;
            };
            if let Some(link) = self.link_to_broker(*realm) {
                let frame = Frame::Control(Control::RequestIntroduction { name });
                self.effects.list.push(Effect::Transmit { link, frame });
            }
        }
    }

    pub(super) fn make_room(&mut self) -> bool {
        self.peers.make_room(self.limits.known_nodes_max)
    }

    /// Registers a node that will be linked by a handshake of ours.
    pub(super) fn expect_guest(&mut self, realm: RealmId, node: NodeName) {
        self.peers.expect(realm, node, NodeName::LOCAL);
    }

    /// Whether nothing sent to `node` can ever arrive.
    pub(super) fn is_gone(&self, node: NodeName) -> bool {
        let unknown = !self.peers.knows(node) && !mutated(Mutation::BrokerLossUnnoticed);
        !node.is_local() && (unknown || self.peers.is_lost(node))
    }

    /// Whether `node` is gone, or belongs to another network than `via`, who told us of it: a name of one network says
    /// nothing in another.
    pub(super) fn is_beyond(&self, node: NodeName, via: NodeName) -> bool {
        let told_in = self.peers.realm_of(via);
        let known_in = self.peers.realm_of(node);
        let foreign = told_in.is_some() && known_in.is_some() && told_in != known_in;
        foreign || self.is_gone(node)
    }

    pub(super) fn next_number_for(&mut self, node: NodeName) -> u64 {
        let Some(peer) = self.peers.nodes.get_mut(&node) else { return 0 };
        peer.numbers_given += 1;
        peer.numbers_given
    }

    /// Sends a frame to a node, or keeps it until there is a link.
    pub(super) fn transmit(&mut self, node: NodeName, frame: Frame<H>) {
        let frame = match self.peers.nodes.get_mut(&node).map(|peer| &mut peer.reach) {
            Some(Reach::Linked(link)) => {
                let link = *link;
                return self.effects.list.push(Effect::Transmit { link, frame });
            }
            Some(Reach::Asked { pending, bytes, .. }) => {
                *bytes += bytes_of(&frame);
                if pending.len() < self.limits.pending_frames_max
                    && *bytes <= self.limits.pending_bytes_max as u64
                {
                    return pending.push_back(frame);
                }
                frame
            }
            Some(Reach::Lost) | None => return self.trash_frame(frame),
        };
        reached(Mark::PendingOverflow);
        if mutated(Mutation::OverflowDropsFrame) {
            return self.trash_frame(frame);
        }
        // Too much waits: the name is lost at once, so that there is no gap, and the endpoints learn in their turn.
        self.trash_frame(frame);
        let touched = self.mark_lost(node);
        self.later(Work::Lose { node, touched });
    }

    pub(super) fn trash_frame(&mut self, frame: Frame<H>) {
        match frame {
            Frame::Endpoint { body, .. } => self.trash_body(body),
            Frame::Control(Control::Introduce { socket, .. } | Control::Admit { socket, .. }) => {
                self.effects.trash.push(socket);
            }
            Frame::Control(Control::Welcome(welcome)) => self.effects.trash.extend(welcome.socket),
            Frame::Control(_) => {}
        }
    }

    /// `node` is lost for ever; what waited for it is forgotten. Returns the endpoints that speak to it or hear it, and that nobody
    /// has told yet.
    #[must_use]
    pub(super) fn mark_lost(&mut self, node: NodeName) -> Vec<EndpointName> {
        let Some(peer) = self.peers.nodes.get_mut(&node) else { return Vec::new() };
        let reach = std::mem::replace(&mut peer.reach, Reach::Lost);
        if !matches!(reach, Reach::Lost) {
            self.peers.lost.push_back(node);
        }
        match reach {
            Reach::Asked { teller, pending, referrers, .. } => {
                self.peers.has_answer_for(teller);
                pending.into_iter().for_each(|frame| self.trash_frame(frame));
                referrers.into_names()
            }
            Reach::Linked(_) => {
                let touched = self.endpoints.iter().filter(|(_, endpoint)| endpoint.refers_to(node));
                touched.map(|(name, _)| name).collect()
            }
            Reach::Lost => Vec::new(),
        }
    }

    /// `link` now leads to `node`; what waited is the head of its outbox.
    pub(super) fn link_up(&mut self, link: LinkId, realm: RealmId, node: NodeName) {
        if let Some(entry) = self.peers.links.get_mut(&link) {
            entry.stage = Stage::Up { peer: node };
        }
        if !self.peers.knows(node) {
            self.peers.expect(realm, node, NodeName::LOCAL);
        }
        let Some(peer) = self.peers.nodes.get_mut(&node) else { return };
        let reach = std::mem::replace(&mut peer.reach, Reach::Linked(link));
        let Reach::Asked { teller, mut pending, .. } = reach else { return };
        self.peers.has_answer_for(teller);
        if mutated(Mutation::PendingReversed) {
            pending.make_contiguous().reverse();
        }
        if mutated(Mutation::PendingDropped) {
            return pending.into_iter().for_each(|frame| self.trash_frame(frame));
        }
        if !pending.is_empty() {
            reached(Mark::PendingFlushed);
        }
        self.effects.list.extend(pending.into_iter().map(|frame| Effect::Transmit { link, frame }));
    }

    /// The link is gone, whoever's doing it was.
    pub(crate) fn on_link_down(&mut self, link: LinkId, why: InvitationError) {
        self.forget_link(link, why);
        self.settle();
    }

    /// Drops a link of ours, for a fault of the peer's or without one. Nothing happens if it is over already: a fault
    /// costs the link once.
    pub(crate) fn drop_link(&mut self, link: LinkId, fault: Option<PeerMisbehaved>) {
        if !self.peers.links.contains_key(&link) {
            return;
        }
        self.effects.list.push(Effect::Drop { link, fault });
        self.forget_link(link, fault.map_or(InvitationError::Closed, InvitationError::Misbehaved));
        if !mutated(Mutation::DropUnsettled) {
            self.settle();
        }
    }

    pub(super) fn forget_link(&mut self, link: LinkId, why: InvitationError) {
        let Some(Link { realm, stage }) = self.peers.links.remove(&link) else { return };
        self.effects.trash.extend(self.peers.sockets.remove(&link));
        let node = match stage {
            Stage::Inviting(inviting) => return self.lose_guest(inviting),
            Stage::Up { peer } if self.peers.link_to(peer) == Some(link) => peer,
            Stage::Up { .. } => return,
            Stage::AwaitingHello | Stage::AwaitingWelcome => {
                return self.effects.list.push(Effect::NotAccepted { link, why });
            }
        };
        self.peers.admissions.remove(&node);
        self.peers.guests.remove(node);
        self.peers.introduced.forget(node);
        let touched = self.mark_lost(node);
        self.lose_node(node, touched, Why::PeerDied);
        self.lose_broker(realm, node);
    }

    /// If `node` was the broker, nobody can introduce us any more.
    fn lose_broker(&mut self, realm: RealmId, node: NodeName) {
        let Some(entry) = self.peers.realms.get_mut(realm.0) else { return };
        if entry.broker != Broker::Node(node) {
            return;
        }
        entry.broker = Broker::Lost;
        if realm == Peers::<H>::HOME {
            self.effects.list.push(Effect::BrokerLost);
        }
        let asked: Vec<NodeName> = self
            .peers
            .nodes
            .iter()
            .filter(|(_, peer)| {
                peer.realm == realm
                    && (matches!(peer.reach, Reach::Asked { .. }) || mutated(Mutation::BrokerLossLosesAll))
            })
            .map(|(name, _)| *name)
            .collect();
        if mutated(Mutation::BrokerLossKeepsAsked) {
            return;
        }
        for name in asked {
            let touched = self.mark_lost(name);
            self.lose_node(name, touched, Why::Unreachable);
        }
        self.lose_unadmitted_guests(realm);
    }

    /// The nodes that this one has a link to, and whether each is the broker.
    pub(crate) fn linked_nodes(&self) -> Vec<(NodeName, LinkId, bool)> {
        let linked = |(name, peer): (&NodeName, &Peer<H>)| {
            let broker =
                self.peers.realm(peer.realm).is_some_and(|realm| realm.broker == Broker::Node(*name));
            let Reach::Linked(link) = peer.reach else { return None };
            Some((*name, link, broker))
        };
        self.peers.nodes.iter().filter_map(linked).collect()
    }

    /// The nodes that this one is to meet, and how many frames wait for each.
    pub(crate) fn awaited_nodes(&self) -> Vec<(NodeName, usize)> {
        let awaited = |(name, peer): (&NodeName, &Peer<H>)| match &peer.reach {
            Reach::Asked { pending, .. } => Some((*name, pending.len())),
            Reach::Linked(_) | Reach::Lost => None,
        };
        self.peers.nodes.iter().filter_map(awaited).collect()
    }

    /// Whether nothing waits for a node that has not been met.
    pub(super) fn has_said_everything(&self) -> bool {
        let waits =
            |peer: &Peer<H>| matches!(&peer.reach, Reach::Asked { pending, .. } if !pending.is_empty());
        !self.peers.nodes.values().any(waits)
    }

    /// What this node is called, in each network it is in.
    pub(crate) fn names(&self) -> Vec<NodeName> {
        self.peers.realms.iter().filter_map(|realm| realm.me).collect()
    }
}

fn bytes_of<H>(frame: &Frame<H>) -> u64 {
    match frame {
        Frame::Endpoint { body: Body::User(Parcel { bytes, ends, handles, .. }), .. } => {
            cost(bytes.len(), ends.len(), handles.len())
        }
        _ => 0,
    }
}
