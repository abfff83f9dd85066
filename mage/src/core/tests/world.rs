//! A network of nodes in one thread: routers, and channels between them that keep order and nothing else.
//!
//! Whatever can happen next is a [`Step`]; who drives the world chooses. A channel is a socket pair: each half belongs
//! to a node, or is on its way to one inside an introduction, or is closed.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::token::{Kind, Token, inside};
use super::translate::{inward, outward};
use crate::core::frame::{Body, Control, Ends, Frame, Parcel};
use crate::core::message::Refused;
use crate::core::{
    Draft, Effect, EndpointName, Invitation, LinkId, Mask, NodeName, PipeLabel, Received, Router,
};
use crate::error::{InvitationError, PeerMisbehaved, Why};
use crate::limits::Limits;

/// The node that introduces the others.
pub(super) const BROKER: usize = 0;

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) nodes: Vec<Node>,
    pub(super) channels: Vec<Channel>,
    /// Introductions that a broker has been asked for and has not made yet.
    wanted: VecDeque<(usize, NodeName, NodeName)>,
    /// Guests that a broker has been asked to admit, each by its sponsor's link, and has not.
    applying: VecDeque<(usize, NodeName, LinkId)>,
    /// Whether every other guest is kept outside.
    pub(super) turns_away: bool,
    applications: usize,
    /// Pairs that may not meet, the smaller index first.
    pub(super) refused: BTreeSet<(usize, usize)>,
    /// Whether the broker makes every introduction twice.
    pub(super) twice: bool,
    /// What must never happen among honest nodes, and did.
    pub(super) faults: Vec<String>,
    /// The node that keeps no rule. What others hold against it is its own doing, and what it holds against them means nothing.
    pub(super) hostile: Option<usize>,
    /// How often a link was dropped for what that node has sent.
    pub(super) convicted: usize,
    /// Every end that a node has sent to another: its old place, and what it is there.
    pub(super) moved: Vec<[(usize, EndpointName); 2]>,
    pub(super) introductions: usize,
    tokens: Rc<Cell<usize>>,
    files: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) router: Router<Token>,
    pub(super) alive: bool,
    links: BTreeMap<LinkId, Plug>,
    /// Pipes of invitations that this node has accepted and its user has not yet taken.
    pub(super) accepted: Vec<EndpointName>,
}

/// Where a link of a node is plugged in.
#[derive(Clone, Copy, Debug, Hash)]
struct Plug {
    channel: usize,
    side: usize,
    /// The name under which the node speaks here.
    me: Option<NodeName>,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Channel {
    pub(super) sides: [Half; 2],
}

#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Half {
    pub(super) owner: Option<(usize, LinkId)>,
    pub(super) closed: bool,
    /// What this side has yet to read.
    unread: VecDeque<Item>,
}

#[derive(Clone, Debug, Hash)]
enum Item {
    Frame(Frame<Token>),
    Down,
}

/// One thing that can happen next without anybody's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// This side of this channel reads what comes next.
    Deliver { channel: usize, side: usize },
    /// The broker makes the introduction that has waited longest.
    Introduce,
    /// The broker decides about the guest that has waited longest.
    Admit,
}

/// The real name of the node of this index.
pub(super) fn name_of(node: usize) -> NodeName {
    let mut bytes = [0; 16];
    bytes[0] = node as u8 + 1;
    NodeName::from_bytes(bytes).expect("not all zeros")
}

/// What the node of this index is called in a network that it founds beside its first.
fn other_name_of(node: usize) -> NodeName {
    let mut bytes = name_of(node).to_bytes();
    bytes[1] = 1;
    NodeName::from_bytes(bytes).expect("not all zeros")
}

/// The index of the node of this real name.
pub(super) fn index_of(name: NodeName) -> usize {
    name.to_bytes()[0] as usize - 1
}

impl World {
    /// A broker that has invited everybody else; not a frame has been delivered. Beside the world, the broker's ends
    /// of the invitations' pipes.
    pub(super) fn new(limits: &[Limits]) -> (Self, Vec<EndpointName>) {
        Self::with_outsiders(limits, 0)
    }

    /// The same, but the last so many nodes are in no network yet.
    pub(super) fn with_outsiders(limits: &[Limits], outsiders: usize) -> (Self, Vec<EndpointName>) {
        let node = |limits: &Limits| Node {
            router: Router::new(limits.clone()),
            alive: true,
            links: BTreeMap::new(),
            accepted: Vec::new(),
        };
        let mut world = Self {
            nodes: limits.iter().map(node).collect(),
            channels: Vec::new(),
            wanted: VecDeque::new(),
            applying: VecDeque::new(),
            turns_away: false,
            applications: 0,
            refused: BTreeSet::new(),
            twice: false,
            faults: Vec::new(),
            hostile: None,
            convicted: 0,
            moved: Vec::new(),
            introductions: 0,
            tokens: Rc::default(),
            files: 0,
        };
        let ends = (1..limits.len() - outsiders).map(|guest| world.invite(guest)).collect();
        (world, ends)
    }

    fn invite(&mut self, guest: usize) -> EndpointName {
        let channel = self.open_channel();
        let (ours, theirs) = self.run(BROKER, Router::create_pipe);
        let ends = vec![(PipeLabel::default(), theirs)];
        let me = name_of(BROKER);
        let invitation = Invitation { me, guest: name_of(guest), ends, isolated: false };
        let link = self.call(BROKER, |router| router.invite(invitation), |_, _| {});
        self.plug(BROKER, link, Plug { channel, side: 0, me: Some(me) });
        self.absorb(BROKER);
        let link = self.call(guest, |router| router.accept(), |_, _| {});
        self.plug(guest, link, Plug { channel, side: 1, me: None });
        self.absorb(guest);
        ours
    }

    /// A member invites somebody who is in no network yet, and gives it this end.
    pub(super) fn sponsor(&mut self, sponsor: usize, guest: usize, end: EndpointName, isolated: bool) {
        let channel = self.open_channel();
        let ends = vec![(PipeLabel::default(), end)];
        let invitation = Invitation { me: other_name_of(sponsor), guest: name_of(guest), ends, isolated };
        let link = self.call(sponsor, |router| router.invite(invitation), |_, _| {});
        let peers = &self.nodes[sponsor].router.peers;
        let me = peers.links.get(&link).and_then(|link| peers.realm(link.realm)).and_then(|realm| realm.me);
        self.plug(sponsor, link, Plug { channel, side: 0, me });
        self.absorb(sponsor);
        let link = self.call(guest, |router| router.accept(), |_, _| {});
        self.plug(guest, link, Plug { channel, side: 1, me: None });
        self.absorb(guest);
    }

    fn open_channel(&mut self) -> usize {
        self.channels.push(Channel { sides: [Half::default(), Half::default()] });
        self.channels.len() - 1
    }

    fn plug(&mut self, node: usize, link: LinkId, plug: Plug) {
        self.channels[plug.channel].sides[plug.side].owner = Some((node, link));
        self.nodes[node].links.insert(link, plug);
    }

    /// Feeds everything that the future depends on to a hasher.
    pub(super) fn hash_state(&self, state: &mut impl Hasher) {
        for node in &self.nodes {
            node.router.endpoints.hash(state);
            node.router.peers.hash(state);
            (node.alive, &node.links, &node.accepted).hash(state);
        }
        (&self.channels, &self.wanted, &self.applying).hash(state);
    }

    // ---- what can happen

    /// Everything that can happen next.
    pub(super) fn steps(&self) -> Vec<Step> {
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

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Deliver { channel, side } => self.deliver(channel, side),
            Step::Introduce => self.introduce(),
            Step::Admit => self.admit(),
        }
    }

    /// What the next frame on this side is, in words.
    pub(super) fn peek(&self, channel: usize, side: usize) -> Option<&Frame<Token>> {
        match self.channels[channel].sides[side].unread.front()? {
            Item::Frame(frame) => Some(frame),
            Item::Down => None,
        }
    }

    /// The node that the next frame on this side is for.
    pub(super) fn reader(&self, channel: usize, side: usize) -> Option<usize> {
        self.channels[channel].sides[side].owner.map(|(node, _)| node)
    }

    /// The next frame on this side is read by somebody who does nothing about it.
    pub(super) fn ignore(&mut self, channel: usize, side: usize) {
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

    pub(super) fn socket_pair(&mut self) -> (Token, Token) {
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

    // ---- calls into a router, and what comes of them

    fn call<R>(
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
    pub(super) fn run<R>(&mut self, node: usize, call: impl FnOnce(&mut Router<Token>) -> R) -> R {
        self.call(node, call, Self::absorb)
    }

    fn absorb(&mut self, node: usize) {
        let effects = std::mem::take(self.nodes[node].router.effects_mut());
        for effect in effects.list {
            self.apply(node, effect);
        }
        effects.wake.each(std::task::Waker::wake);
        self.dispose(effects.trash);
    }

    fn apply(&mut self, node: usize, effect: Effect<Token>) {
        match effect {
            Effect::Transmit { link, frame } => {
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

    fn push(&mut self, channel: usize, side: usize, frame: Frame<Token>) {
        let half = &mut self.channels[channel].sides[side];
        if half.closed {
            self.dispose(socket_of(frame).into_iter().collect());
        } else {
            half.unread.push_back(Item::Frame(frame));
        }
    }

    /// Puts a frame that its router never sent on the way from one node to another. Its names are real ones.
    pub(super) fn forge(&mut self, from: usize, to: usize, frame: Frame<Token>) {
        let plug =
            |link: Option<(usize, LinkId)>| link.and_then(|(node, link)| self.nodes[node].links.get(&link));
        let Some((channel, side)) = self.link_between(from, to) else { return };
        if plug(self.channels[channel].sides[1 - side].owner).is_some_and(|plug| plug.me.is_some()) {
            self.push(channel, 1 - side, frame);
        }
    }

    fn unplug(&mut self, node: usize, link: LinkId) {
        if let Some(plug) = self.nodes[node].links.remove(&link) {
            self.close_half(plug.channel, plug.side);
        }
    }

    /// Handles that nobody wants: a socket among them closes its channel.
    pub(super) fn throw_away(&mut self, token: Token) {
        self.dispose(vec![token]);
    }

    fn dispose(&mut self, tokens: Vec<Token>) {
        for token in tokens {
            if let Kind::Socket { channel, side } = token.kind {
                self.close_half(channel, side);
            }
        }
    }

    fn close_half(&mut self, channel: usize, side: usize) {
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

    // ---- what befalls the world

    /// A node dies. `keep` says how much of what each of its channels held still arrives.
    pub(super) fn kill(&mut self, node: usize, mut keep: impl FnMut(usize) -> usize) {
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
    pub(super) fn leave(&mut self, node: usize) {
        self.run(node, |router| router.leave(Mask::default()));
        let Node { router, links, .. } = &self.nodes[node];
        if !links.is_empty() || !router.names().is_empty() || !router.peers.knows_nobody() {
            self.faults.push(format!("node {node} has left and is still there"));
        }
    }

    /// A living node drops its link to another; that one reads what was under way, and then the end.
    pub(super) fn cut(&mut self, node: usize, other: usize) {
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
    pub(super) fn link_between(&self, node: usize, other: usize) -> Option<(usize, usize)> {
        let owner = |half: &Half| half.owner.map(|(owner, _)| owner);
        self.nodes[node].links.values().map(|plug| (plug.channel, plug.side)).find(|&(channel, side)| {
            let sides = &self.channels[channel].sides;
            owner(&sides[side]) == Some(node) && owner(&sides[1 - side]) == Some(other)
        })
    }

    /// How many channels both of these nodes use.
    pub(super) fn links_between(&self, node: usize, other: usize) -> usize {
        let owners =
            |channel: &Channel| channel.sides.each_ref().map(|half| half.owner.map(|(owner, _)| owner));
        let pairs = [[Some(node), Some(other)], [Some(other), Some(node)]];
        self.channels.iter().filter(|channel| pairs.contains(&owners(channel))).count()
    }

    // ---- users

    pub(super) fn file(&mut self) -> Token {
        self.files += 1;
        Token::new(Kind::File(self.files), &self.tokens)
    }

    /// How many tokens exist.
    pub(super) fn tokens(&self) -> usize {
        self.tokens.get()
    }

    pub(super) fn send(
        &mut self,
        node: usize,
        end: EndpointName,
        message: Draft<Token>,
    ) -> Result<(), Refused<Token>> {
        self.run(node, |router| router.send(end, message))
    }

    pub(super) fn receive(&mut self, node: usize, end: EndpointName) -> Received<Token> {
        self.run(node, |router| router.receive(end))
    }

    pub(super) fn close(&mut self, node: usize, end: EndpointName) {
        self.run(node, |router| router.close(end, Why::Closed));
    }

    pub(super) fn living(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|&node| self.nodes[node].alive).collect()
    }
}

fn half_in(item: Item) -> Option<(usize, usize)> {
    let Item::Frame(frame) = item else { return None };
    match socket_of(frame)?.kind {
        Kind::Socket { channel, side } => Some((channel, side)),
        Kind::File(_) => None,
    }
}

fn socket_of(frame: Frame<Token>) -> Option<Token> {
    match frame {
        Frame::Control(Control::Introduce { socket, .. } | Control::Admit { socket, .. }) => Some(socket),
        Frame::Control(Control::Welcome(welcome)) => welcome.socket,
        _ => None,
    }
}
