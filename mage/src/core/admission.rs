//! Admissions: how a member's own guest gets into the network.
//!
//! ```text
//!   broker                      member                           guest
//!     │ ◄──── RequestAdmission{7} │ Hello{inviting} ─────────────► │
//!     │ Admit{7, name, socket} ─► │ ◄───────────────────── Hello{} │
//!     │                           │ Welcome{you: name, broker,     │
//!     │                           │         socket, pipes} ──────► │
//!     │ ◄═══════════════ the guest's own link to the broker ═════► │
//! ```
//!
//! The broker names the guest, as it names everybody, and gives it a link of its own, which travels through the member. The
//! member and its guest then count as introduced: the invitation's socket is their link.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::effect::{Effect, LinkId};
use super::frame::{Control, Frame};
use super::name::NodeName;
use super::peers::{Broker, RealmId, Stage};
use super::probe::{Mark, Mutation, mutated, reached};
use super::router::Router;
use crate::error::{InvitationError, PeerMisbehaved};
use crate::limits::PENDING_ADMISSIONS_MAX;

/// Whose guest somebody is.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Guests {
    hosts: BTreeMap<NodeName, NodeName>,
    /// How many each host has.
    counts: BTreeMap<NodeName, usize>,
}

impl Guests {
    /// On whose account a member is here: its own, if we have invited it.
    fn host_of(&self, member: NodeName) -> NodeName {
        self.hosts.get(&member).copied().unwrap_or(member)
    }

    /// How many are here on the account of a member: its guests, and theirs.
    fn count(&self, host: NodeName) -> usize {
        self.counts.get(&host).copied().unwrap_or(0)
    }

    /// A member has brought somebody who was not here.
    fn add(&mut self, guest: NodeName, sponsor: NodeName) {
        let host = self.host_of(sponsor);
        self.hosts.insert(guest, host);
        *self.counts.entry(host).or_default() += 1;
    }

    /// Somebody has gone. The guests that it had stay.
    pub(super) fn remove(&mut self, member: NodeName) {
        let Some(host) = self.hosts.remove(&member) else { return };
        if let Entry::Occupied(mut count) = self.counts.entry(host) {
            *count.get_mut() = count.get().saturating_sub(1);
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

impl<H> Router<H> {
    /// As member: asks the broker to admit the guest at the other end of `link`.
    pub(super) fn request_admission(&mut self, link: LinkId, broker: NodeName) {
        let frame = Frame::Control(Control::RequestAdmission { guest: link.0 });
        match self.peers.link_to(broker) {
            Some(link) => self.effects.list.push(Effect::Transmit { link, frame }),
            None => self.drop_link(link, None),
        }
    }

    /// As broker: a member has a guest.
    pub(super) fn on_request_admission(&mut self, link: LinkId, guest: u64) -> Result<(), PeerMisbehaved> {
        let (sponsor, realm) = self.up(link)?;
        if self.broker(realm) != Broker::Me {
            return Err(PeerMisbehaved::NotYourBroker);
        }
        let pending = self.peers.admissions.entry(sponsor).or_default();
        if *pending >= PENDING_ADMISSIONS_MAX {
            return Err(PeerMisbehaved::TooManyRequests);
        }
        *pending += 1;
        if !self.may_bring(sponsor) {
            self.admit(sponsor, guest, None);
            return Ok(());
        }
        self.effects.list.push(Effect::Admit { sponsor, guest });
        Ok(())
    }

    /// Whether a member may bring one guest more.
    fn may_bring(&self, sponsor: NodeName) -> bool {
        let guests = &self.peers.guests;
        guests.count(guests.host_of(sponsor)) < self.limits.guests_max || mutated(Mutation::GuestsUnbounded)
    }

    /// As broker: here are a name and a socket pair for the guest, or the decision that it stays outside.
    pub(crate) fn admit(&mut self, sponsor: NodeName, guest: u64, admission: Option<(NodeName, (H, H))>) {
        if let Some(pending) = self.peers.admissions.get_mut(&sponsor) {
            *pending = pending.saturating_sub(1);
        }
        let link = self.peers.link_to(sponsor);
        let realm = self.peers.realm_of(sponsor);
        let me = realm.and_then(|realm| self.peers.realm(realm)).and_then(|realm| realm.me);
        let (Some(link), Some(realm), Some(me)) = (link, realm, me) else {
            // The sponsor has gone meanwhile.
            return self
                .effects
                .trash
                .extend(admission.into_iter().flat_map(|(_, (ours, theirs))| [ours, theirs]));
        };
        let control = match admission {
            // Others have been admitted since it was asked for: many requests come in one read.
            Some((_, (ours, theirs))) if !self.may_bring(sponsor) => {
                self.effects.trash.extend([ours, theirs]);
                Control::RefuseAdmission { guest }
            }
            Some((name, (ours, theirs))) => {
                self.peers.introduced.add(sponsor, name);
                self.peers.guests.add(name, sponsor);
                let own = self.peers.add_link(realm, Stage::Up { peer: name });
                self.effects.list.push(Effect::Adopt { link: own, me, peer: name, socket: ours });
                self.link_up(own, realm, name);
                Control::Admit { guest, name, socket: theirs }
            }
            None => Control::RefuseAdmission { guest },
        };
        self.effects.list.push(Effect::Transmit { link, frame: Frame::Control(control) });
    }

    /// As member: the broker has admitted our guest.
    pub(super) fn on_admit(
        &mut self,
        link: LinkId,
        guest: u64,
        name: NodeName,
        socket: H,
    ) -> Result<(), PeerMisbehaved> {
        let admitted = self.check_broker(link).and_then(|realm| {
            let strange = name.is_local() || self.peers.knows(name);
            if strange { Err(PeerMisbehaved::InvalidName) } else { Ok(realm) }
        });
        let realm = match admitted {
            Ok(realm) => realm,
            Err(fault) => {
                self.effects.trash.push(socket);
                return Err(fault);
            }
        };
        let guest = LinkId(guest);
        if !self.awaits_admission(guest, realm) {
            // The guest has gone meanwhile; closing the socket tells the broker.
            reached(Mark::AdmittedLate);
            if !mutated(Mutation::LateAdmissionKept) {
                self.effects.trash.push(socket);
            }
            return Ok(());
        }
        self.expect_guest(realm, name);
        self.name_guest(guest, name);
        reached(Mark::Admitted);
        if let Some(early) = self.welcome(guest, Some(socket)) {
            reached(Mark::AdmittedEarly);
            self.peers.sockets.insert(guest, early);
        }
        Ok(())
    }

    /// As member: the broker keeps our guest out.
    pub(super) fn on_refuse_admission(&mut self, link: LinkId, guest: u64) -> Result<(), PeerMisbehaved> {
        let realm = self.check_broker(link)?;
        let guest = LinkId(guest);
        if self.awaits_admission(guest, realm) {
            reached(Mark::TurnedAway);
            self.drop_link(guest, None);
        }
        Ok(())
    }

    /// Whether the guest at the other end of this link is to be admitted to this network, and has not been.
    fn awaits_admission(&self, guest: LinkId, realm: RealmId) -> bool {
        self.peers.links.get(&guest).is_some_and(|entry| {
            entry.realm == realm
                && matches!(&entry.stage, Stage::Inviting(inviting) if inviting.name.is_none())
        })
    }

    /// The network whose broker is at the other end of `link`.
    fn check_broker(&self, link: LinkId) -> Result<RealmId, PeerMisbehaved> {
        let (node, realm) = self.up(link)?;
        if self.broker(realm) == Broker::Node(node) { Ok(realm) } else { Err(PeerMisbehaved::NotBroker) }
    }

    /// As member: the broker is gone, and with it every guest that is not in the network yet: neither a name nor a link to the
    /// broker will come, or be of use.
    pub(super) fn lose_unadmitted_guests(&mut self, realm: RealmId) {
        let waiting: Vec<LinkId> = self
            .peers
            .links
            .iter()
            .filter(|(_, entry)| entry.realm == realm && matches!(entry.stage, Stage::Inviting(_)))
            .map(|(link, _)| *link)
            .collect();
        if mutated(Mutation::UnadmittedGuestsForgotten) {
            return;
        }
        for link in waiting {
            reached(Mark::NeverAdmitted);
            self.effects.list.push(Effect::Drop { link, fault: None });
            self.forget_link(link, InvitationError::Closed);
        }
    }
}
