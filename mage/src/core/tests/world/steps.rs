//! What can happen next: a frame is read, an introduction or an admission is made.

use super::super::token::{Kind, Token};
use super::super::translate::inward;
use super::effects::socket_of;
use super::{Item, Step, World, index_of, name_of};
use crate::core::NodeName;
use crate::core::frame::{Control, Frame};
use crate::error::InvitationError;

impl World {
    /// Everything that can happen next.
    pub(in crate::core::tests) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (channel, halves) in self.channels.iter().enumerate() {
            for (side, half) in halves.sides.iter().enumerate() {
                if half.owner.is_some() && !half.unread.is_empty() {
                    steps.push(Step::Deliver { channel, side });
                }
            }
        }
        if !self.wanted.is_empty() {
            steps.push(Step::Introduce);
        }
        if !self.applying.is_empty() {
            steps.push(Step::Admit);
        }
        steps
    }

    pub(in crate::core::tests) fn take(&mut self, step: Step) {
        match step {
            Step::Deliver { channel, side } => self.deliver(channel, side),
            Step::Introduce => self.introduce(),
            Step::Admit => self.admit(),
        }
    }

    /// What the next frame on this side is, in words.
    pub(in crate::core::tests) fn peek(&self, channel: usize, side: usize) -> Option<&Frame<Token>> {
        match self.channels[channel].sides[side].unread.front()? {
            Item::Frame(frame) => Some(frame),
            Item::Down => None,
        }
    }

    /// The node that the next frame on this side is for.
    pub(in crate::core::tests) fn reader(&self, channel: usize, side: usize) -> Option<usize> {
        self.channels[channel].sides[side].owner.map(|(node, _)| node)
    }

    /// The next frame on this side is read by somebody who does nothing about it.
    /// How many frames of `from` are under way to `to`.
    pub(in crate::core::tests) fn under_way(&self, from: usize, to: usize) -> usize {
        let half = self.link_between(to, from);
        half.map_or(0, |(channel, side)| self.channels[channel].sides[side].unread.len())
    }

    pub(in crate::core::tests) fn ignore(&mut self, channel: usize, side: usize) {
        match self.channels[channel].sides[side].unread.pop_front() {
            Some(Item::Frame(frame)) => self.dispose(socket_of(frame).into_iter().collect()),
            Some(Item::Down) => self.channels[channel].sides[side].unread.push_front(Item::Down),
            None => {}
        }
    }

    fn deliver(&mut self, channel: usize, side: usize) {
        let half = &mut self.channels[channel].sides[side];
        let Some((node, link)) = half.owner else { return };
        let Some(item) = half.unread.pop_front() else { return };
        let Item::Frame(frame) = item else {
            self.unplug(node, link);
            self.run(node, |router| router.on_link_down(link, InvitationError::Closed));
            return;
        };
        let Some(plug) = self.nodes[node].links.get_mut(&link) else { return };
        let frame = inward(frame, plug.me);
        if let Frame::Control(Control::Welcome(welcome)) = &frame {
            plug.me = Some(welcome.you);
        }
        let peer = self.nodes[node].router.peers.node_of(link).map(index_of);
        let answer = self.run(node, |router| router.on_frame(link, frame));
        let honest = self.hostile.is_none_or(|hostile| node != hostile && peer != Some(hostile));
        if let Some(fault) = answer.err().filter(|_| honest) {
            self.faults.push(format!("node {node} finds fault with {peer:?}: {fault}"));
        }
    }

    fn introduce(&mut self) {
        let Some((broker, first, second)) = self.wanted.pop_front() else { return };
        let pair = (index_of(first).min(index_of(second)), index_of(first).max(index_of(second)));
        if self.refused.contains(&pair) {
            return self.run(broker, |router| router.introduce(first, second, None));
        }
        let sockets = self.socket_pair();
        self.run(broker, |router| router.introduce(first, second, Some(sockets)));
        if self.twice {
            // A router never does this; a broker of another make might.
            let (one, other) = self.socket_pair();
            self.push_introduction((broker, first), second, one);
            self.push_introduction((broker, second), first, other);
        }
    }

    fn admit(&mut self) {
        let Some((broker, sponsor, guest)) = self.applying.pop_front() else { return };
        self.applications += 1;
        let there = self.nodes[index_of(sponsor)].links.get(&guest);
        let there = there.and_then(|plug| self.channels[plug.channel].sides[1 - plug.side].owner);
        let admission = match there {
            Some((node, _)) if !self.turns_away || self.applications.is_multiple_of(2) => {
                Some((name_of(node), self.socket_pair()))
            }
            _ => None,
        };
        self.run(broker, |router| router.admit(sponsor, guest.0, admission));
    }

    pub(in crate::core::tests) fn socket_pair(&mut self) -> (Token, Token) {
        let channel = self.open_channel();
        self.introductions += 1;
        let half = |side| Token::new(Kind::Socket { channel, side }, &self.tokens);
        (half(0), half(1))
    }

    fn push_introduction(&mut self, (broker, to): (usize, NodeName), name: NodeName, socket: Token) {
        let frame = Frame::Control(Control::Introduce { name, socket });
        match self.link_between(broker, index_of(to)) {
            Some((channel, side)) => self.push(channel, 1 - side, frame),
            None => self.dispose(vec![socket_of(frame)].into_iter().flatten().collect()),
        }
    }
}
