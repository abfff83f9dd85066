//! What befalls the world: nodes die and leave, links are cut.

use std::collections::BTreeMap;

use super::effects::half_in;
use super::{Channel, Half, Node, World};
use crate::core::{Mask, Router};
use crate::limits::Limits;

impl World {
    /// A node dies. `keep` says how much of what each of its channels held still arrives.
    pub(in crate::core::tests) fn kill(&mut self, node: usize, mut keep: impl FnMut(usize) -> usize) {
        let limits = Limits::default();
        self.nodes[node] =
            Node { router: Router::new(limits), alive: false, links: BTreeMap::new(), accepted: Vec::new() };
        self.wanted.retain(|(broker, ..)| *broker != node);
        self.applying.retain(|(broker, ..)| *broker != node);
        for channel in 0..self.channels.len() {
            for side in 0..2 {
                let [one, two] = &mut self.channels[channel].sides;
                let (half, other) = if side == 0 { (one, two) } else { (two, one) };
                if half.owner.is_none_or(|(owner, _)| owner != node) {
                    continue;
                }
                if !other.closed {
                    let arrives = keep(other.unread.len());
                    let lost: Vec<_> = other.unread.drain(arrives..).filter_map(half_in).collect();
                    lost.into_iter().for_each(|(channel, side)| self.close_half(channel, side));
                }
                self.close_half(channel, side);
            }
        }
    }

    /// A node leaves every network it is in, and lives on. Nobody comes back, so one mask does.
    pub(in crate::core::tests) fn leave(&mut self, node: usize) {
        self.run(node, |router| router.leave(Mask::default()));
        let Node { router, links, .. } = &self.nodes[node];
        if !links.is_empty() || !router.names().is_empty() || !router.peers.knows_nobody() {
            self.faults.push(format!("node {node} has left and is still there"));
        }
    }

    /// A living node drops its link to another; that one reads what was under way, and then the end.
    pub(in crate::core::tests) fn cut(&mut self, node: usize, other: usize) {
        let links = self.nodes[node].links.iter();
        let mut leads = links.filter(|(_, plug)| {
            let half = &self.channels[plug.channel].sides[1 - plug.side];
            half.owner.is_some_and(|(owner, _)| owner == other)
        });
        if let Some(link) = leads.next().map(|(link, _)| *link) {
            self.run(node, |router| router.drop_link(link, None));
        }
    }

    /// The channel that both nodes use, and the side of the first.
    pub(in crate::core::tests) fn link_between(&self, node: usize, other: usize) -> Option<(usize, usize)> {
        let owner = |half: &Half| half.owner.map(|(owner, _)| owner);
        self.nodes[node].links.values().map(|plug| (plug.channel, plug.side)).find(|&(channel, side)| {
            let sides = &self.channels[channel].sides;
            owner(&sides[side]) == Some(node) && owner(&sides[1 - side]) == Some(other)
        })
    }

    /// How many channels both of these nodes use.
    pub(in crate::core::tests) fn links_between(&self, node: usize, other: usize) -> usize {
        let owners =
            |channel: &Channel| channel.sides.each_ref().map(|half| half.owner.map(|(owner, _)| owner));
        let pairs = [[Some(node), Some(other)], [Some(other), Some(node)]];
        self.channels.iter().filter(|channel| pairs.contains(&owners(channel))).count()
    }
}
