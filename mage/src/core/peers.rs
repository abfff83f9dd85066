//! The nodes this one knows, its links to them, and the networks it is a member of.
//!
//! A name is unknown, asked for, linked or lost; lost is for ever. Whatever refers to a name asks for a link to it, not
//! only what has something to send: an endpoint that only reads must learn that its prev is gone, too.

use std::collections::{BTreeMap, VecDeque};

use super::admission::Guests;
use super::broker::Introduced;
use super::effect::{Effect, LinkId};
use super::frame::{Body, Control, Frame, Parcel};
use super::held::Acquaintance;
use super::invitation::Inviting;
use super::message::cost;
use super::name::{Address, EndpointName, Mask, NodeName};
use super::probe::{Mark, Mutation, mutated, reached};
use super::referrers::Referrers;
use super::router::{Router, Work};
use crate::error::{InvitationError, PeerMisbehaved, Why};
use crate::limits::ASKED_NAMES_MAX;

#[derive(Clone, Debug, Hash)]
pub(super) struct Peers<H> {
    nodes: BTreeMap<NodeName, Peer<H>>,
    pub(super) links: BTreeMap<LinkId, Link>,
    pub(super) realms: Vec<Realm>,
    /// As broker: who has been introduced to whom.
    pub(super) introduced: Introduced,
    last_link: u64,
    /// As broker: how many guests of each member are being admitted.
    pub(super) admissions: BTreeMap<NodeName, usize>,
    /// As broker: whose guest somebody is, of those that we have invited ourselves.
    pub(super) guests: Guests,
    /// As member: the broker's sockets for guests that have not said hello yet.
    pub(super) sockets: BTreeMap<LinkId, H>,
    /// Names that have just come up, and whose introduction is asked for when everything that has come in has been looked at.
    unasked: Vec<NodeName>,
    /// The names that are lost, in the order in which they were.
    lost: VecDeque<NodeName>,
    /// How many names that each node has told us of are asked for at the moment.
    told: BTreeMap<NodeName, usize>,
    /// How many names have ever been known.
    names_known: u64,
    /// What the names of endpoints here have in this life.
    pub(super) mask: Mask,
    /// Whether there was once no room for a name. Whoever is unknown then stays unknown: a name that was taken for
    /// gone must not come back.
    full: bool,
}

/// One network that this node is in. A pipe never leaves the network it has reached.
#[derive(Clone, Debug, Hash)]
pub(super) struct Realm {
    pub(super) me: Option<NodeName>,
    pub(super) broker: Broker,
    /// Whether guests of ours join it.
    pub(super) is_open: bool,
}

impl Realm {
    /// One that this node founds, or will if it invites anybody.
    pub(super) fn founded(is_open: bool) -> Self {
        Self { me: None, broker: Broker::Me, is_open }
    }

    /// Whether nobody can introduce us any more.
    pub(super) fn is_bereft(&self) -> bool {
        self.broker == Broker::Lost
    }

    /// The name of its broker.
    pub(super) fn broker_name(&self) -> Option<NodeName> {
        match self.broker {
            Broker::Me => self.me,
            Broker::Node(broker) => Some(broker),
            Broker::Lost => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Broker {
    Me,
    Node(NodeName),
    /// It is gone; whom we have not met we shall not meet.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RealmId(pub(super) usize);

#[derive(Clone, Debug, Hash)]
pub(super) struct Link {
    pub(super) realm: RealmId,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug, Hash)]
pub(super) enum Stage {
    /// We invite, and wait for the other side's hello, or for the broker to admit it, or for both.
    Inviting(Inviting),
    AwaitingHello,
    AwaitingWelcome,
    Up {
        peer: NodeName,
    },
}

#[derive(Clone, Debug, Hash)]
struct Peer<H> {
    realm: RealmId,
    /// How many names were known before this one.
    since: u64,
    reach: Reach<H>,
    /// The last number we gave to an endpoint over there.
    numbers_given: u64,
    /// The highest number it gave to an endpoint here.
    numbers_taken: u64,
}

#[derive(Clone, Debug, Hash)]
enum Reach<H> {
    /// A link is being made, for somebody whom `teller` has named; these frames are its head.
    Asked {
        teller: NodeName,
        pending: VecDeque<Frame<H>>,
        bytes: u64,
        referrers: Referrers,
    },
    Linked(LinkId),
    Lost,
}

impl<H> Default for Peers<H> {
    fn default() -> Self {
        Self {
            nodes: BTreeMap::new(),
            links: BTreeMap::new(),
            realms: vec![Realm::founded(true)],
            introduced: Introduced::default(),
            last_link: 0,
            admissions: BTreeMap::new(),
            guests: Guests::default(),
            sockets: BTreeMap::new(),
            unasked: Vec::new(),
            lost: VecDeque::new(),
            told: BTreeMap::new(),
            names_known: 0,
            mask: Mask::default(),
            full: false,
        }
    }
}

impl<H> Peers<H> {
    /// The first network: the one this node founds, or the first it joins.
    pub(super) const HOME: RealmId = RealmId(0);

    pub(super) fn add_link(&mut self, realm: RealmId, stage: Stage) -> LinkId {
        self.last_link += 1;
        let link = LinkId(self.last_link);
        self.links.insert(link, Link { realm, stage });
        link
    }

    /// The node at the other end of a link whose handshake is done.
    pub(super) fn node_of(&self, link: LinkId) -> Option<NodeName> {
        match self.links.get(&link)?.stage {
            Stage::Up { peer } => Some(peer),
            _ => None,
        }
    }

    pub(super) fn realm(&self, id: RealmId) -> Option<&Realm> {
        self.realms.get(id.0)
    }

    pub(super) fn realm_of(&self, node: NodeName) -> Option<RealmId> {
        self.nodes.get(&node).map(|peer| peer.realm)
    }

    pub(super) fn knows(&self, node: NodeName) -> bool {
        self.nodes.contains_key(&node)
    }

    pub(super) fn is_linked(&self, node: NodeName) -> bool {
        self.link_to(node).is_some()
    }

    pub(super) fn link_to(&self, node: NodeName) -> Option<LinkId> {
        match self.nodes.get(&node)?.reach {
            Reach::Linked(link) => Some(link),
            _ => None,
        }
    }

    pub(super) fn is_lost(&self, node: NodeName) -> bool {
        matches!(self.nodes.get(&node), Some(Peer { reach: Reach::Lost, .. }))
    }

    /// Forgets everybody, and begins another life. What there was comes back.
    pub(super) fn renew(&mut self, mask: Mask) -> Self {
        let fresh =
            Self { last_link: self.last_link, names_known: self.names_known, mask, ..Self::default() };
        std::mem::replace(self, fresh)
    }

    /// Everything that waits for somebody who has not been met.
    pub(super) fn into_pending(self) -> impl Iterator<Item = Frame<H>> {
        self.nodes.into_values().flat_map(|peer| match peer.reach {
            Reach::Asked { pending, .. } => pending,
            Reach::Linked(_) | Reach::Lost => VecDeque::new(),
        })
    }

    /// Forgets everybody in this network, all of whom are lost.
    pub(super) fn forget_realm(&mut self, realm: RealmId) {
        self.nodes.retain(|_, peer| peer.realm != realm);
        self.lost.retain(|name| self.nodes.contains_key(name));
        let is_home = realm == Self::HOME;
        if !is_home && realm.0 + 1 == self.realms.len() {
            self.realms.pop();
        } else if let Some(entry) = self.realms.get_mut(realm.0) {
            *entry = Realm::founded(is_home);
        }
    }

    /// Takes note of a number that `node` gave to an endpoint here; false if it is not above all earlier ones.
    pub(super) fn admit_number(&mut self, node: NodeName, number: u64) -> bool {
        let Some(peer) = self.nodes.get_mut(&node) else { return false };
        let rises = number > peer.numbers_taken;
        peer.numbers_taken = peer.numbers_taken.max(number);
        rises
    }

    /// Names whose introduction has been asked for and not answered.
    #[cfg(test)]
    pub(super) fn asked(&self) -> usize {
        self.nodes.values().filter(|peer| matches!(peer.reach, Reach::Asked { .. })).count()
    }

    /// How many names are asked for on each node's word.
    #[cfg(test)]
    pub(super) fn told(&self) -> &BTreeMap<NodeName, usize> {
        &self.told
    }

    /// Frames and bytes that wait for introductions, for each name.
    #[cfg(test)]
    pub(super) fn pending(&self) -> impl Iterator<Item = (usize, u64)> {
        self.nodes.values().filter_map(|peer| match &peer.reach {
            Reach::Asked { pending, bytes, .. } => Some((pending.len(), *bytes)),
            Reach::Linked(_) | Reach::Lost => None,
        })
    }

    /// Whether it is known that this endpoint must hear of the loss of `node`, which has not been met.
    #[cfg(test)]
    pub(super) fn would_tell(&self, node: NodeName, name: EndpointName) -> bool {
        match self.nodes.get(&node).map(|peer| &peer.reach) {
            Some(Reach::Asked { referrers, .. }) => referrers.contains(name),
            _ => true,
        }
    }

    /// How many names are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn knows_nobody(&self) -> bool {
        self.nodes.is_empty()
    }

    /// One of the names that `teller` has told us of is asked for no more.
    fn has_answer_for(&mut self, teller: NodeName) {
        if let Some(told) = self.told.get_mut(&teller) {
            *told = told.saturating_sub(1);
            if *told == 0 {
                self.told.remove(&teller);
            }
        }
    }

    /// Makes room for one more name by forgetting one that is lost; a forgotten name that comes up again is asked for
    /// again, and refused again. False if there is no room.
    pub(super) fn make_room(&mut self, known_nodes_max: usize) -> bool {
        if !self.full && self.nodes.len() >= known_nodes_max {
            let is_lost =
                |name: &NodeName| matches!(self.nodes.get(name), Some(Peer { reach: Reach::Lost, .. }));
            let lost = std::iter::from_fn(|| self.lost.pop_front()).find(is_lost);
            self.full = lost.is_none_or(|name| self.nodes.remove(&name).is_none());
            if mutated(Mutation::NoRoomForgotten) {
                return !std::mem::take(&mut self.full);
            }
        }
        !self.full
    }

    /// Whether `teller` has named as many nodes as may be asked for at the same time on one node's word.
    fn has_told_enough(&self, teller: NodeName) -> bool {
        let told = self.told.get(&teller).copied().unwrap_or(0);
        told >= ASKED_NAMES_MAX && !teller.is_local() && !mutated(Mutation::NamesUnbounded)
    }

    fn expect(&mut self, realm: RealmId, node: NodeName, teller: NodeName) {
        let (pending, referrers) = (VecDeque::new(), Referrers::default());
        let reach = Reach::Asked { teller, pending, bytes: 0, referrers };
        *self.told.entry(teller).or_default() += 1;
        let since = self.names_known;
        self.names_known += 1;
        self.nodes.insert(node, Peer { realm, since, reach, numbers_given: 0, numbers_taken: 0 });
    }
}

impl<H> Acquaintance for Peers<H> {
    fn maker_of(&self, at: Address) -> NodeName {
        let maker = at.endpoint.creator;
        if at.node.is_local() { self.mask.apply(maker) } else { maker }
    }

    fn known_since(&self, name: NodeName) -> Option<u64> {
        if name.is_local() { Some(0) } else { self.nodes.get(&name).map(|peer| peer.since) }
    }

    fn names_known(&self) -> u64 {
        self.names_known
    }
}

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

    /// Whether there are any of these.
    pub(super) fn has_unasked(&self) -> bool {
        !self.peers.unasked.is_empty()
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
