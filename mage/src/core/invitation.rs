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
//! The inviter's end is usable at once: the other end counts as an end that has been sent and not yet arrived, so what
//! is sent to it waits, by the same rules as for any end on its way.

use super::effect::{Effect, LinkId};
use super::frame::{Control, Frame, Hello, Welcome};
use super::name::{EndpointName, NodeName};
use super::peers::{Broker, Peers, Realm, RealmId, Stage};
use super::router::Router;
use crate::error::{InvitationError, PeerMisbehaved};

/// The wire versions that this build speaks.
pub(crate) const VERSION_MIN: u16 = 1;
/// The newest of them.
pub(crate) const VERSION_MAX: u16 = 1;

impl<H> Router<H> {
    /// Invites whoever is at the other end of a new link. `me` is this node's name should it have none yet, `guest` the
    /// name the other will get; both must be fresh.
    pub(crate) fn invite(&mut self, me: NodeName, guest: NodeName) -> (LinkId, NodeName, EndpointName) {
        let realm = self.realm_for_guests(me);
        let me = self.peers.realm(realm).and_then(|realm| realm.me).unwrap_or(me);
        self.expect_guest(realm, guest);
        let (ours, theirs) = self.create_pipe();
        let pipes = self.depart(theirs, guest).into_iter().collect();
        let link = self.peers.add_link(realm, Stage::Inviting { guest, pipes });
        self.greet(link, true);
        self.settle();
        (link, me, ours)
    }

    /// The network that guests of ours join.
    fn realm_for_guests(&mut self, me: NodeName) -> RealmId {
        let brokered = self.peers.realms.iter().position(|realm| realm.broker == Broker::Me);
        let index = brokered.unwrap_or_else(|| {
            self.peers.realms.push(Realm { me: None, broker: Broker::Me });
            self.peers.realms.len() - 1
        });
        if let Some(realm) = self.peers.realms.get_mut(index) {
            realm.me.get_or_insert(me);
        }
        RealmId(index)
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
        let realm = entry.realm;
        match &mut entry.stage {
            Stage::Inviting { guest, pipes } => {
                if hello.inviting {
                    return Err(PeerMisbehaved::SameRole);
                }
                if !common {
                    return Err(PeerMisbehaved::Version);
                }
                let (guest, pipes) = (*guest, std::mem::take(pipes));
                self.welcome(link, realm, guest, pipes, hello.version_max.min(VERSION_MAX));
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

    fn welcome(
        &mut self,
        link: LinkId,
        realm: RealmId,
        guest: NodeName,
        pipes: Vec<super::frame::Descriptor>,
        version: u16,
    ) {
        let Some(me) = self.peers.realm(realm).and_then(|realm| realm.me) else { return };
        let welcome = Welcome { version, you: guest, me, broker: me, pipes };
        let frame = Frame::Control(Control::Welcome(welcome));
        self.effects.list.push(Effect::Transmit { link, frame });
        self.link_up(link, realm, guest);
    }

    pub(super) fn on_welcome(&mut self, link: LinkId, welcome: Welcome) -> Result<(), PeerMisbehaved> {
        let stage = self.peers.links.get(&link).map(|entry| &entry.stage);
        if !matches!(stage, Some(Stage::AwaitingWelcome)) {
            return Err(PeerMisbehaved::WrongStage);
        }
        let Welcome { version, you, me, broker, pipes } = welcome;
        let ours = self.peers.realms.iter().any(|realm| realm.me == Some(you));
        if you == me || ours || you.is_local() || me.is_local() || self.peers.knows(me) {
            return Err(PeerMisbehaved::InvalidName);
        }
        if !(VERSION_MIN..=VERSION_MAX).contains(&version) || broker != me {
            return Err(PeerMisbehaved::FieldValue);
        }
        let realm = self.join(link, you, me);
        self.link_up(link, realm, me);
        self.check_descriptors(me, &pipes)?;
        let mut ends =
            pipes.into_iter().map(|descriptor| self.bind(me, descriptor)).collect::<Vec<_>>().into_iter();
        match ends.next() {
            Some(pipe) => self.effects.list.push(Effect::Accepted { link, pipe }),
            None => self.effects.list.push(Effect::NotAccepted { link, why: InvitationError::NoPipe }),
        }
        for surplus in ends {
            self.later(super::router::Work::Close(surplus));
        }
        Ok(())
    }

    /// Becomes a member of the inviter's network: of our own accord the first time, in isolation from the others later.
    fn join(&mut self, link: LinkId, you: NodeName, inviter: NodeName) -> RealmId {
        let membership = Realm { me: Some(you), broker: Broker::Node(inviter) };
        let first = self.peers.realms.len() == 1 && self.peers.links.len() == 1 && self.peers.knows_nobody();
        let realm = if first {
            self.peers.realms = vec![membership];
            Peers::<H>::HOME
        } else {
            self.peers.realms.push(membership);
            RealmId(self.peers.realms.len() - 1)
        };
        if let Some(entry) = self.peers.links.get_mut(&link) {
            entry.realm = realm;
        }
        realm
    }
}
