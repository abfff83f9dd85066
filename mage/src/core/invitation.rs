//! Invitations: the first connection of two nodes.
//!
//! ```text
//!   inviter                                   acceptor
//!      │ Hello{inviting} ─────────────────────────► │
//!      │ ◄───────────────────────────────── Hello{} │
//!      │ Welcome{you, me, broker, pipes} ─────────► │
//!      │ ◄──────────────────── Accepted (per pipe) │
//! ```
//!
//! The inviter's ends are usable at once: the other ends count as ends that have been sent and not yet arrived, so what
//! is sent to them waits, by the same rules as for any end on its way. An inviter that is not the broker of its network
//! has its guest admitted by the broker first (see [`super::admission`]).

use super::effect::{Effect, LinkId};
use super::frame::{Control, Descriptor, Frame, Hello, Welcome};
use super::name::{EndpointName, NodeName, PipeLabel};
use super::peers::{Broker, Peer, Peers, Reach, Realm, RealmId, Stage};
use super::probe::{Mutation, mutated};
use super::router::Router;
use crate::error::{InvitationError, PeerMisbehaved, Why};

/// The wire versions that this build speaks.
pub(crate) const VERSION_MIN: u16 = 1;
/// The newest of them.
pub(crate) const VERSION_MAX: u16 = 1;

/// What an inviter knows of its guest before the handshake is over.
#[derive(Clone, Debug, Hash)]
pub(super) struct Inviting {
    /// The ends that go over, packed.
    pub(super) ends: Vec<(PipeLabel, EndpointName)>,
    /// The version that the guest and we have in common, once it has said hello.
    pub(super) version: Option<u16>,
    /// The guest's name, once the broker has given it one.
    pub(super) name: Option<NodeName>,
    pub(super) isolated: bool,
}

/// What an invitation consists of.
#[derive(Debug)]
pub(crate) struct Invitation {
    /// This node's name, should it have none yet in the network that the guest joins. Must be fresh.
    pub(crate) me: NodeName,
    /// The guest's name, should this node be the one to give it. Must be fresh.
    pub(crate) guest: NodeName,
    /// The ends that go over.
    pub(crate) ends: Vec<(PipeLabel, EndpointName)>,
    /// Whether the two shall form a network of their own.
    pub(crate) isolated: bool,
}

impl<H> Router<H> {
    /// Invites whoever is at the other end of a new link.
    pub(crate) fn invite(&mut self, invitation: Invitation) -> LinkId {
        let Invitation { me, guest, ends, isolated } = invitation;
        let realm = self.realm_for_guests(me, isolated);
        for &(_, end) in &ends {
            self.uncarry(end);
            self.pack(end);
        }
        let inviting = Inviting { ends, version: None, name: None, isolated };
        let link = self.peers.add_link(realm, Stage::Inviting(inviting));
        self.greet(link, true);
        match self.peers.realm(realm).map(|realm| realm.broker) {
            Some(Broker::Me) => {
                self.expect_guest(realm, guest);
                self.name_guest(link, guest);
            }
            Some(Broker::Node(broker)) => self.request_admission(link, broker),
            Some(Broker::Lost) | None => {}
        }
        self.settle();
        link
    }

    /// The network that guests of ours join: that of which we are a member, or one that we found.
    fn realm_for_guests(&mut self, me: NodeName, isolated: bool) -> RealmId {
        let suits = |realm: &Realm| realm.is_open && realm.broker != Broker::Lost;
        let known = self.peers.realms.iter().position(suits).filter(|_| !isolated);
        let id = match known {
            Some(index) => RealmId(index),
            None => self.peers.add_realm(Realm::founded(!isolated)),
        };
        if let Some(realm) = self.peers.realms.get_mut(id.0) {
            realm.me.get_or_insert(me);
        }
        id
    }

    /// Accepts an invitation from whoever is at the other end of a new link.
    pub(crate) fn accept(&mut self) -> LinkId {
        let link = self.peers.add_link(Peers::<H>::HOME, Stage::AwaitingHello);
        self.greet(link, false);
        link
    }

    fn greet(&mut self, link: LinkId, inviting: bool) {
        let hello = Hello { version_min: VERSION_MIN, version_max: VERSION_MAX, features: 0, inviting };
        let frame = Frame::Control(Control::Hello(hello));
        self.effects.list.push(Effect::Transmit { link, frame });
    }

    pub(super) fn on_hello(&mut self, link: LinkId, hello: &Hello) -> Result<(), PeerMisbehaved> {
        let common = hello.version_min <= VERSION_MAX && VERSION_MIN <= hello.version_max;
        let entry = self.peers.links.get_mut(&link).ok_or(PeerMisbehaved::WrongStage)?;
        match &mut entry.stage {
            Stage::Inviting(inviting) => {
                if hello.inviting {
                    return Err(PeerMisbehaved::SameRole);
                }
                if inviting.version.is_some() {
                    return Err(PeerMisbehaved::WrongStage);
                }
                if !common {
                    return Err(PeerMisbehaved::Version);
                }
                inviting.version = Some(hello.version_max.min(VERSION_MAX));
                self.welcome(link, None);
                Ok(())
            }
            Stage::AwaitingHello => {
                if !hello.inviting {
                    return Err(PeerMisbehaved::SameRole);
                }
                if common {
                    entry.stage = Stage::AwaitingWelcome;
                } else {
                    let theirs = (hello.version_min, hello.version_max);
                    let why = InvitationError::Version { ours: (VERSION_MIN, VERSION_MAX), theirs };
                    self.effects.list.push(Effect::Drop { link, fault: Some(PeerMisbehaved::Version) });
                    self.forget_link(link, why);
                }
                Ok(())
            }
            Stage::AwaitingWelcome | Stage::Up { .. } => Err(PeerMisbehaved::WrongStage),
        }
    }

    /// The guest has a name.
    pub(super) fn name_guest(&mut self, link: LinkId, name: NodeName) {
        if let Some(Stage::Inviting(inviting)) = self.peers.links.get_mut(&link).map(|entry| &mut entry.stage)
        {
            inviting.name = Some(name);
        }
    }

    /// Welcomes the guest if it has both said hello and been named. `socket` is its link to the broker, if that is
    /// not us; it comes back if it is too early.
    pub(super) fn welcome(&mut self, link: LinkId, socket: Option<H>) -> Option<H> {
        let Some(entry) = self.peers.links.get_mut(&link) else { return socket };
        let realm = entry.realm;
        let Stage::Inviting(inviting) = &mut entry.stage else { return socket };
        let (Some(version), Some(you)) = (inviting.version, inviting.name) else { return socket };
        let names = self.peers.realms.get(realm.0).and_then(|realm| realm.me.zip(realm.broker_name()));
        let Some((me, broker)) = names else { return socket };
        if matches!(self.peers.nodes.get(&you), Some(Peer { reach: Reach::Lost, .. })) {
            // Too much has waited for it, so its ends have heard that it will never come.
            self.drop_link(link, None);
            return socket;
        }
        let (ends, isolated) = (std::mem::take(&mut inviting.ends), inviting.isolated);
        let socket = socket.or_else(|| self.peers.sockets.remove(&link));
        let mut pipes = Vec::new();
        for (label, end) in ends {
            pipes.extend(self.address_to(end, you).map(|descriptor| (label, descriptor)));
        }
        let welcome = Welcome { version, isolated, you, me, broker, socket, pipes };
        let frame = Frame::Control(Control::Welcome(welcome));
        self.effects.list.push(Effect::Transmit { link, frame });
        self.link_up(link, realm, you);
        None
    }

    /// The guest will never come: the ends that were to go over are lost.
    pub(super) fn lose_guest(&mut self, inviting: Inviting) {
        for (_, end) in inviting.ends {
            self.lose_peer(end, Why::PeerDied);
        }
        if let Some(name) = inviting.name {
            let touched = self.mark_lost(name);
            self.lose_node(name, touched, Why::PeerDied);
        }
    }

    pub(super) fn on_welcome(&mut self, link: LinkId, welcome: Welcome<H>) -> Result<(), PeerMisbehaved> {
        let Welcome { version, isolated, you, me, broker, socket, pipes } = welcome;
        if let Err(fault) = self.check_welcome(link, (you, me, broker), socket.is_some(), version) {
            self.effects.trash.extend(socket);
            return Err(fault);
        }
        if [me, broker].iter().any(|name| self.is_ours(*name) || self.peers.knows(*name)) {
            // Nobody's fault: two nodes never have two links.
            self.effects.trash.extend(socket);
            self.effects.list.push(Effect::Drop { link, fault: None });
            self.forget_link(link, InvitationError::AlreadyConnected);
            return Ok(());
        }
        let (labels, descriptors): (Vec<PipeLabel>, Vec<Descriptor>) = pipes.into_iter().unzip();
        if let Err(fault) = check_first_descriptors(&descriptors) {
            // Before anything is changed: a node that was not let in is as it was.
            self.effects.trash.extend(socket);
            return Err(fault);
        }
        let realm = self.join(link, you, broker, isolated);
        self.link_up(link, realm, me);
        if let Some(socket) = socket {
            let link = self.peers.add_link(realm, Stage::Up { peer: broker });
            self.effects.list.push(Effect::Adopt { link, me: you, peer: broker, socket });
            self.link_up(link, realm, broker);
        }
        for descriptor in &descriptors {
            self.peers.admit_number(me, descriptor.number);
        }
        let ends: Vec<EndpointName> =
            descriptors.into_iter().map(|descriptor| self.bind(me, descriptor)).collect();
        self.effects.list.push(Effect::Accepted { link, pipes: labels.into_iter().zip(ends).collect() });
        Ok(())
    }

    fn check_welcome(
        &self,
        link: LinkId,
        (you, me, broker): (NodeName, NodeName, NodeName),
        has_socket: bool,
        version: u16,
    ) -> Result<(), PeerMisbehaved> {
        let stage = self.peers.links.get(&link).map(|entry| &entry.stage);
        if !matches!(stage, Some(Stage::AwaitingWelcome)) {
            return Err(PeerMisbehaved::WrongStage);
        }
        let nobody = [you, me, broker].iter().any(|name| name.is_local());
        if nobody || you == me || you == broker || self.is_ours(you) || self.peers.knows(you) {
            return Err(PeerMisbehaved::InvalidName);
        }
        if !(VERSION_MIN..=VERSION_MAX).contains(&version) || has_socket == (broker == me) {
            return Err(PeerMisbehaved::FieldValue);
        }
        Ok(())
    }

    /// Whether this node is called so, in any network.
    fn is_ours(&self, name: NodeName) -> bool {
        self.peers.realms.iter().any(|realm| realm.me == Some(name))
    }

    /// Becomes a member of the inviter's network: of our own accord the first time, in isolation from the others later.
    fn join(&mut self, link: LinkId, you: NodeName, broker: NodeName, isolated: bool) -> RealmId {
        let membership =
            Realm { me: Some(you), broker: Broker::Node(broker), is_open: false, joined_by: Some(link) };
        // Whoever has invited somebody has a network of its own already. One that is isolated is none of these.
        let realm = match self.peers.realms.first_mut().filter(|home| home.me.is_none() && !isolated) {
            Some(home) => {
                *home = Realm { is_open: true, ..membership };
                Peers::<H>::HOME
            }
            None => self.peers.add_realm(membership),
        };
        if let Some(entry) = self.peers.links.get_mut(&link) {
            entry.realm = realm;
        }
        realm
    }
}

/// The ends that somebody sends of whom we know nothing yet.
fn check_first_descriptors(descriptors: &[Descriptor]) -> Result<(), PeerMisbehaved> {
    if mutated(Mutation::JoinedBeforeChecked) {
        return Ok(());
    }
    let mut last = 0;
    for descriptor in descriptors {
        if descriptor.number <= last {
            return Err(PeerMisbehaved::EndpointNameReused);
        }
        if !descriptor.window.is_consistent() {
            return Err(PeerMisbehaved::DescriptorNumbers);
        }
        last = descriptor.number;
    }
    Ok(())
}
