//! Introductions: how two nodes that have never met get a link.
//!
//! Only the broker introduces, and only a link's own node is believed to be the broker. An introduction that comes twice
//! is harmless, because both sides see the broker's introductions of a pair in the same order and keep the first.

use std::collections::{BTreeMap, BTreeSet};

use super::effect::{Effect, LinkId};
use super::frame::{Control, Frame};
use super::name::NodeName;
use super::peers::{Broker, RealmId, Stage};
use super::probe::{Mark, Mutation, mutated, reached};
use super::router::Router;
use crate::error::{PeerMisbehaved, Why};

/// Who has been introduced to whom, each from both sides.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Introduced(BTreeMap<NodeName, BTreeSet<NodeName>>);

impl Introduced {
    pub(super) fn contains(&self, first: NodeName, second: NodeName) -> bool {
        self.0.get(&first).is_some_and(|acquaintances| acquaintances.contains(&second))
    }

    /// The two have a link of their own.
    pub(super) fn add(&mut self, first: NodeName, second: NodeName) {
        self.0.entry(first).or_default().insert(second);
        self.0.entry(second).or_default().insert(first);
    }

    /// Nobody has met `node` any more.
    pub(super) fn forget(&mut self, node: NodeName) {
        for other in self.0.remove(&node).into_iter().flatten() {
            if let Some(acquaintances) = self.0.get_mut(&other) {
                acquaintances.remove(&node);
            }
        }
    }
}

impl<H> Router<H> {
    /// The node and the network at the other end of a link whose handshake is done.
    pub(super) fn up(&self, link: LinkId) -> Result<(NodeName, RealmId), PeerMisbehaved> {
        let entry = self.peers.links.get(&link).ok_or(PeerMisbehaved::WrongStage)?;
        match entry.stage {
            Stage::Up { peer } => Ok((peer, entry.realm)),
            _ => Err(PeerMisbehaved::WrongStage),
        }
    }

    pub(super) fn broker(&self, realm: RealmId) -> Broker {
        self.peers.realm(realm).map_or(Broker::Lost, |realm| realm.broker)
    }

    /// As broker: somebody wants to meet somebody.
    pub(super) fn on_request_introduction(
        &mut self,
        link: LinkId,
        name: NodeName,
    ) -> Result<(), PeerMisbehaved> {
        let (asker, realm) = self.up(link)?;
        if self.broker(realm) != Broker::Me || name == asker || name.is_local() {
            return Err(PeerMisbehaved::NotYourBroker);
        }
        let acquainted = self.peers.introduced.contains(asker, name);
        if acquainted && mutated(Mutation::SilenceToAcquainted) {
            return Ok(());
        }
        if acquainted || !self.peers.is_linked(name) || self.peers.realm_of(name) != Some(realm) {
            // To somebody who has been introduced already this comes behind the introduction and means nothing,
            // unless the link that came of it is lost and forgotten: then it must not wait for another.
            self.refuse_introduction(asker, name);
        } else {
            self.effects.list.push(Effect::Introduce { first: asker, second: name });
        }
        Ok(())
    }

    fn refuse_introduction(&mut self, asker: NodeName, name: NodeName) {
        if let Some(link) = self.peers.link_to(asker) {
            let frame = Frame::Control(Control::IntroductionFailed { name });
            self.effects.list.push(Effect::Transmit { link, frame });
        }
    }

    /// As broker: the policy has spoken, and if it said yes there is a socket for each. Both are told in one step.
    pub(crate) fn introduce(&mut self, first: NodeName, second: NodeName, sockets: Option<(H, H)>) {
        let Some((one, other)) = sockets else {
            return self.refuse_introduction(first, second);
        };
        let links = self.peers.link_to(first).zip(self.peers.link_to(second));
        match links {
            Some((to_first, to_second)) if !self.peers.introduced.contains(first, second) => {
                self.peers.introduced.add(first, second);
                for (link, name, socket) in [(to_first, second, one), (to_second, first, other)] {
                    let frame = Frame::Control(Control::Introduce { name, socket });
                    self.effects.list.push(Effect::Transmit { link, frame });
                }
            }
            Some(_) => self.effects.trash.extend([one, other]),
            None => {
                self.effects.trash.extend([one, other]);
                self.refuse_introduction(first, second);
            }
        }
    }

    pub(super) fn on_introduce(
        &mut self,
        link: LinkId,
        name: NodeName,
        socket: H,
    ) -> Result<(), PeerMisbehaved> {
        let (introducer, realm) = match self.up(link) {
            Ok(up) => up,
            Err(fault) => {
                self.effects.trash.push(socket);
                return Err(fault);
            }
        };
        let me = self.peers.realm(realm).and_then(|realm| realm.me);
        let (Broker::Node(broker), Some(me)) = (self.broker(realm), me) else {
            self.effects.trash.push(socket);
            return Err(PeerMisbehaved::NotBroker);
        };
        let stranger = broker != introducer && !mutated(Mutation::IntroducerUnchecked);
        if stranger || name.is_local() || name == introducer {
            self.effects.trash.push(socket);
            return Err(PeerMisbehaved::NotBroker);
        }
        let known = self.peers.knows(name);
        let newest = mutated(Mutation::NewestLinkWins) || (mutated(Mutation::EitherLinkWins) && me < name);
        let linked = self.peers.is_linked(name) && !newest;
        let lost = self.peers.is_lost(name) && !mutated(Mutation::LostNameReturns);
        // A broker speaks for its own network. What another network knows by this name is not its to give.
        let foreign = known && self.peers.realm_of(name) != Some(realm);
        if linked || lost || foreign || !known && !self.make_room() {
            if mutated(Mutation::RedundantSocketDropped) {
                return Ok(());
            }
            reached(Mark::Redundant);
            // A race, not a violation. Its closing tells the other side, if that took its own.
            self.effects.trash.push(socket);
            return Ok(());
        }
        let link = self.peers.add_link(realm, Stage::Up { peer: name });
        self.effects.list.push(Effect::Adopt { link, me, peer: name, socket });
        self.link_up(link, realm, name);
        Ok(())
    }

    pub(super) fn on_introduction_failed(
        &mut self,
        link: LinkId,
        name: NodeName,
    ) -> Result<(), PeerMisbehaved> {
        let (introducer, realm) = self.up(link)?;
        if self.broker(realm) != Broker::Node(introducer) && !mutated(Mutation::RefuserUnchecked) {
            return Err(PeerMisbehaved::NotBroker);
        }
        let ours = self.peers.realm_of(name) == Some(realm);
        if ours && !self.peers.is_linked(name) && !mutated(Mutation::FailureIgnored) {
            let touched = self.mark_lost(name);
            self.lose_node(name, touched, Why::Unreachable);
        }
        Ok(())
    }
}
