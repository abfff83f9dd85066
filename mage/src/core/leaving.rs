//! Leaving: a node forgets the networks that it was in, and may join others.
//!
//! Every pipe that leads to another node ends here and now, in the order in which its messages came: what had arrived
//! stays readable, behind it is [`Why::Left`]. Pipes within the node go on. Links are flushed and closed; the others see
//! a link that is cut.
//!
//! The names of those that were known are forgotten, the lost ones included, so the node may even come back to a network
//! that it has left, under a new name. There, those whom it meets again count their endpoints from one again, while a
//! user may still hold an end that one of them made in the earlier life. So each life has a [`Mask`], which keeps the
//! names of the endpoints of one life apart from those of another inside the node, and is never told to anybody.

use super::effect::{Effect, LinkId};
use super::endpoint::Endpoint;
use super::name::{Address, EndpointName, Mask};
use super::peers::{Link, Stage};
use super::probe::{Mutation, mutated};
use super::router::Router;
use crate::error::{InvitationError, Why};

impl<H> Router<H> {
    /// Leaves every network, and returns the links that are now to be flushed and closed.
    pub(crate) fn leave(&mut self, mask: Mask) -> Vec<LinkId> {
        let mut old = self.peers.renew(mask);
        let links = std::mem::take(&mut old.links);
        self.effects.trash.extend(std::mem::take(&mut old.sockets).into_values());
        old.into_pending().for_each(|frame| self.trash_frame(frame));
        let left = links.keys().copied().collect();
        for (link, Link { stage, .. }) in links {
            self.effects.list.push(Effect::Drop { link, fault: None });
            match stage {
                Stage::Inviting(inviting) => {
                    inviting.ends.into_iter().for_each(|(_, end)| self.lose_peer(end, Why::Left));
                }
                Stage::AwaitingHello | Stage::AwaitingWelcome => {
                    self.effects.list.push(Effect::NotAccepted { link, why: InvitationError::Left });
                }
                Stage::Up { .. } => {}
            }
        }
        self.lose_everybody();
        left
    }

    fn lose_everybody(&mut self) {
        let names: Vec<EndpointName> = self.endpoints.keys().collect();
        for &name in &names {
            let leads = |address: Address, but: Mutation| !address.node.is_local() && !mutated(but);
            let hears = |endpoint: &Endpoint<H>| leads(endpoint.prev(), Mutation::LeaverHears);
            let speaks = |endpoint: &Endpoint<H>| leads(endpoint.peer(), Mutation::LeaverSpeaks);
            if self.endpoints.get(&name).is_some_and(hears) {
                self.end_incoming(name, Why::Left);
            }
            if self.endpoints.get(&name).is_some_and(speaks) {
                self.lose_peer(name, Why::Left);
            }
        }
        self.settle();
        // What is left of those pipes is what nobody has read. It belongs to no network, and may travel in the next. What
        // strangers have said to pipes within the node belongs to the old one.
        let nowhere = Address::here(EndpointName::NONE);
        let mut held = Vec::new();
        for name in &names {
            let Some(endpoint) = self.endpoints.get_mut(name) else { continue };
            held.extend(endpoint.held.take());
            if !endpoint.peer().node.is_local() {
                endpoint.set_peer(nowhere);
            }
            if !endpoint.prev().node.is_local() {
                endpoint.set_prev(nowhere);
            }
        }
        held.into_iter().flat_map(|held| held.into_bodies()).for_each(|(_, body)| self.trash_body(body));
    }

    /// Nobody wanted what was accepted over `link`: leaves the network that was joined by it, as if it had never been. If
    /// it has not come so far, the link is dropped.
    pub(crate) fn decline(&mut self, link: LinkId) {
        let Some(realm) = self.peers.joined_by(link) else { return self.drop_link(link, None) };
        // A link on which an invitation is still awaited is in no network yet.
        let awaits = |entry: &Link| matches!(entry.stage, Stage::AwaitingHello | Stage::AwaitingWelcome);
        let links = self.peers.links.iter().filter(|(_, entry)| entry.realm == realm && !awaits(entry));
        let links: Vec<LinkId> = links.map(|(link, _)| *link).collect();
        for link in links {
            self.drop_link(link, None);
        }
        self.peers.forget_realm(realm);
    }

    /// What the names of endpoints have in this life.
    pub(crate) fn mask(&self) -> Mask {
        self.peers.mask
    }

    /// Whether this node is a member of a network whose broker is gone.
    pub(crate) fn has_lost_broker(&self) -> bool {
        self.peers.realm(super::peers::Peers::<H>::HOME).is_some_and(super::peers::Realm::is_bereft)
    }
}
