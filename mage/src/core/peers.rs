//! The nodes this one knows, its links to them, and the networks it is a member of. How they are met and lost is in
//! [`super::meeting`].
//!
//! A name is unknown, asked for, linked or lost; lost is for ever. Whatever refers to a name asks for a link to it, not
//! only what has something to send: an endpoint that only reads must learn that its prev is gone, too.

use std::collections::{BTreeMap, VecDeque};

use super::admission::Guests;
use super::broker::Introduced;
use super::effect::LinkId;
use super::frame::Frame;
use super::held::Acquaintance;
use super::invitation::Inviting;
use super::name::{Address, Mask, NodeName};
use super::probe::{Mutation, mutated};
use super::referrers::Referrers;
use crate::limits::ASKED_NAMES_MAX;

#[derive(Clone, Debug, Hash)]
pub(super) struct Peers<H> {
    pub(super) nodes: BTreeMap<NodeName, Peer<H>>,
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
    pub(super) unasked: Vec<NodeName>,
    /// The names that are lost, in the order in which they were.
    pub(super) lost: VecDeque<NodeName>,
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
    /// The link of the invitation by which this node has joined it.
    pub(super) joined_by: Option<LinkId>,
}

impl Realm {
    /// One that this node founds, or will if it invites anybody.
    pub(super) fn founded(is_open: bool) -> Self {
        Self { me: None, broker: Broker::Me, is_open, joined_by: None }
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
pub(super) struct Peer<H> {
    pub(super) realm: RealmId,
    /// How many names were known before this one.
    since: u64,
    pub(super) reach: Reach<H>,
    /// The last number we gave to an endpoint over there.
    pub(super) numbers_given: u64,
    /// The highest number it gave to an endpoint here.
    numbers_taken: u64,
}

#[derive(Clone, Debug, Hash)]
pub(super) enum Reach<H> {
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

    /// One more network. It takes the place of one that nobody else can join or be met in any more: whoever was in it is lost.
    pub(super) fn add_realm(&mut self, realm: Realm) -> RealmId {
        let is_over = |index: &usize| {
            let is_closed = self.realms.get(*index).is_some_and(|realm| !realm.is_open);
            is_closed && self.links.values().all(|link| link.realm != RealmId(*index))
        };
        let over = (1..self.realms.len()).find(is_over);
        match over.and_then(|index| Some((index, self.realms.get_mut(index)?))) {
            Some((index, entry)) => {
                *entry = realm;
                RealmId(index)
            }
            None => {
                self.realms.push(realm);
                RealmId(self.realms.len() - 1)
            }
        }
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

    /// The network that this node has joined by an invitation over this link, which may be gone since.
    pub(super) fn joined_by(&self, link: LinkId) -> Option<RealmId> {
        self.realms.iter().position(|realm| realm.joined_by == Some(link)).map(RealmId)
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
        let fresh = Self { last_link: self.last_link, mask, ..Self::default() };
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
        if let Some(entry) = self.realms.get_mut(realm.0) {
            *entry = Realm::founded(true);
        }
        let kept = self.realms.iter().rposition(|realm| realm.me.is_some()).unwrap_or(Self::HOME.0);
        self.realms.truncate(kept + 1);
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
    pub(super) fn would_tell(&self, node: NodeName, name: super::name::EndpointName) -> bool {
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

    #[cfg(test)]
    pub(super) fn knows_nobody(&self) -> bool {
        self.nodes.is_empty()
    }

    /// One of the names that `teller` has told us of is asked for no more.
    pub(super) fn has_answer_for(&mut self, teller: NodeName) {
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
    pub(super) fn has_told_enough(&self, teller: NodeName) -> bool {
        let told = self.told.get(&teller).copied().unwrap_or(0);
        told >= ASKED_NAMES_MAX && !teller.is_local() && !mutated(Mutation::NamesUnbounded)
    }

    pub(super) fn expect(&mut self, realm: RealmId, node: NodeName, teller: NodeName) {
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
