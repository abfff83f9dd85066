//! Calls into a router, and what comes of them: frames on channels, links, and handles that nobody wants.

use super::super::token::{Kind, Token, inside};
use super::super::translate::outward;
use super::{Item, Plug, World, index_of, name_of};
use crate::core::frame::{Body, Control, Ends, Frame, Parcel};
use crate::core::{Ahead, Effect, EndpointName, LinkId, Router};
use crate::error::PeerMisbehaved;

impl World {
    pub(super) fn call<R>(
        &mut self,
        node: usize,
        call: impl FnOnce(&mut Router<Token>) -> R,
        then: impl FnOnce(&mut Self, usize),
    ) -> R {
        let router = &mut self.nodes[node].router;
        let (result, dropped) = inside(|| call(router));
        if dropped {
            self.faults.push(format!("the router of node {node} has dropped a handle by itself"));
        }
        then(self, node);
        result
    }

    /// Calls a router and does what it wants done.
    pub(in crate::core::tests) fn run<R>(
        &mut self,
        node: usize,
        call: impl FnOnce(&mut Router<Token>) -> R,
    ) -> R {
        self.call(node, call, Self::absorb)
    }

    pub(super) fn absorb(&mut self, node: usize) {
        let effects = std::mem::take(self.nodes[node].router.effects_mut());
        let mut back = Vec::new();
        for effect in effects.list {
            self.apply(node, effect, &mut back);
        }
        effects.wake.each(std::task::Waker::wake);
        self.dispose(effects.trash);
        for frame in back {
            self.run(node, |router| router.take_back(frame));
        }
    }

    fn apply(&mut self, node: usize, effect: Effect<Token>, back: &mut Vec<Frame<Token>>) {
        match effect {
            Effect::Transmit { link, frame } => {
                if self.runs_too_far_ahead(node, link, &frame) {
                    if self.hostile.is_none() {
                        self.faults.push(format!("node {node} runs too far ahead: {frame:?}"));
                    }
                    return back.push(frame);
                }
                self.note_moves(node, link, &frame);
                self.transmit(node, link, frame);
            }
            Effect::Adopt { link, me, peer: _, socket } => match socket.kind {
                Kind::Socket { channel, side } => self.plug(node, link, Plug { channel, side, me: Some(me) }),
                Kind::File(_) => self.faults.push(format!("node {node} takes a file for a link")),
            },
            Effect::Introduce { first, second } => self.wanted.push_back((node, first, second)),
            Effect::Accepted { link: _, pipes } => {
                self.nodes[node].accepted.extend(pipes.into_iter().map(|(_, end)| end));
            }
            Effect::NotAccepted { .. } | Effect::BrokerLost => {}
            Effect::Admit { sponsor, guest } => self.applying.push_back((node, sponsor, LinkId(guest))),
            Effect::Drop { link, fault } => {
                if let Some(fault) = fault {
                    self.convict(node, link, fault);
                }
                self.unplug(node, link);
            }
        }
    }

    /// Whether more than there may be of what this endpoint says for others has not been read.
    fn runs_too_far_ahead(&self, node: usize, link: LinkId, frame: &Frame<Token>) -> bool {
        let Some((endpoint, said)) = frame.said_for_others() else { return false };
        let Some(plug) = self.nodes[node].links.get(&link) else { return false };
        let said_before = |item: &Item| match item {
            Item::Frame(frame) => frame.said_for_others(),
            Item::Down => None,
        };
        let unread = self.channels[plug.channel].sides[1 - plug.side].unread.iter().filter_map(said_before);
        let creator = if endpoint.creator.is_local() { plug.me } else { Some(endpoint.creator) };
        let is_it = |from: EndpointName| Some(from.creator) == creator && from.number == endpoint.number;
        let most = self.nodes[node].router.ahead_max();
        let mut ahead = Ahead::default();
        unread.filter(|(from, _)| is_it(*from)).for_each(|(_, said)| {
            ahead.take(said, most);
        });
        !ahead.take(said, most)
    }

    fn transmit(&mut self, node: usize, link: LinkId, frame: Frame<Token>) {
        match self.nodes[node].links.get(&link).copied() {
            Some(plug) => self.push(plug.channel, 1 - plug.side, outward(frame, plug.me)),
            None => self.dispose(socket_of(frame).into_iter().collect()),
        }
    }

    fn note_moves(&mut self, node: usize, link: LinkId, frame: &Frame<Token>) {
        let Frame::Endpoint { body: Body::User(Parcel { ends: Ends::Moved(ends), .. }), .. } = frame else {
            return;
        };
        let Some(there) = self.nodes[node].router.peers.node_of(link).map(index_of) else { return };
        if self.hostile.is_some_and(|hostile| hostile != node) {
            let name = |number| EndpointName { creator: name_of(node), number };
            self.moved.extend(ends.iter().map(|end| [(node, end.origin), (there, name(end.number))]));
        }
    }

    fn convict(&mut self, node: usize, link: LinkId, fault: PeerMisbehaved) {
        let plug = self.nodes[node].links.get(&link);
        let other = plug.and_then(|plug| self.channels[plug.channel].sides[1 - plug.side].owner);
        match (self.hostile, other) {
            (None, _) => self.faults.push(format!("node {node} drops a link of an honest node: {fault}")),
            (Some(hostile), Some((other, _))) if other != hostile && node != hostile => {
                self.faults.push(format!("node {node} drops the link to honest node {other}: {fault}"));
            }
            (Some(_), _) => self.convicted += 1,
        }
    }

    pub(super) fn push(&mut self, channel: usize, side: usize, frame: Frame<Token>) {
        let half = &mut self.channels[channel].sides[side];
        if half.closed {
            self.dispose(socket_of(frame).into_iter().collect());
        } else {
            half.unread.push_back(Item::Frame(frame));
        }
    }

    /// Puts a frame that its router never sent on the way from one node to another. Its names are real ones.
    pub(in crate::core::tests) fn forge(&mut self, from: usize, to: usize, frame: Frame<Token>) {
        let plug =
            |link: Option<(usize, LinkId)>| link.and_then(|(node, link)| self.nodes[node].links.get(&link));
        let Some((channel, side)) = self.link_between(from, to) else { return };
        if plug(self.channels[channel].sides[1 - side].owner).is_some_and(|plug| plug.me.is_some()) {
            self.push(channel, 1 - side, frame);
        }
    }

    pub(super) fn unplug(&mut self, node: usize, link: LinkId) {
        if let Some(plug) = self.nodes[node].links.remove(&link) {
            self.close_half(plug.channel, plug.side);
        }
    }

    /// Handles that nobody wants: a socket among them closes its channel.
    pub(in crate::core::tests) fn throw_away(&mut self, token: Token) {
        self.dispose(vec![token]);
    }

    pub(super) fn dispose(&mut self, tokens: Vec<Token>) {
        for token in tokens {
            if let Kind::Socket { channel, side } = token.kind {
                self.close_half(channel, side);
            }
        }
    }

    pub(super) fn close_half(&mut self, channel: usize, side: usize) {
        let mut todo = vec![(channel, side)];
        while let Some((channel, side)) = todo.pop() {
            let [one, two] = &mut self.channels[channel].sides;
            let (half, other) = if side == 0 { (one, two) } else { (two, one) };
            if half.closed {
                continue;
            }
            half.closed = true;
            half.owner = None;
            todo.extend(half.unread.drain(..).filter_map(half_in));
            if !other.closed {
                other.unread.push_back(Item::Down);
            }
        }
    }
}

pub(super) fn half_in(item: Item) -> Option<(usize, usize)> {
    let Item::Frame(frame) = item else { return None };
    match socket_of(frame)?.kind {
        Kind::Socket { channel, side } => Some((channel, side)),
        Kind::File(_) => None,
    }
}

pub(super) fn socket_of(frame: Frame<Token>) -> Option<Token> {
    match frame {
        Frame::Control(Control::Introduce { socket, .. } | Control::Admit { socket, .. }) => Some(socket),
        Frame::Control(Control::Welcome(welcome)) => welcome.socket,
        _ => None,
    }
}
