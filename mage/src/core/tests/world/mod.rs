//! A network of nodes in one thread: routers, and channels between them that keep order and nothing else.
//!
//! Whatever can happen next is a [`Step`]; who drives the world chooses. A channel is a socket pair: each half belongs
//! to a node, or is on its way to one inside an introduction, or is closed.

mod effects;
mod fates;
mod steps;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::token::{Kind, Token};
use crate::core::frame::Frame;
use crate::core::message::Refused;
use crate::core::{Draft, EndpointName, Invitation, LinkId, NodeName, PipeLabel, Received, Router};
use crate::error::Why;
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
