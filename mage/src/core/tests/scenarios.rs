//! Single stories: what random runs never, or hardly ever, come across.

use super::checks::{self, Windows};
use super::oracle::{Hand, Oracle};
use super::world::{BROKER, Step, World, name_of};
use crate::core::frame::{Body, Control, Descriptor, Ends, Frame, Parcel};
use crate::core::name::{Address, EndpointName, NodeName, PipeName};
use crate::core::probe::take_marks;
use crate::core::{Received, Role, Side, Window};
use crate::error::{FuseError, SendErrorKind};
use crate::limits::Limits;

/// A network that has shaken hands, and the pipe of each invitation: the broker's end, and the guest's.
pub(super) struct Story {
    pub(super) world: World,
    pub(super) oracle: Oracle,
    pub(super) pipes: Vec<(Hand, Hand)>,
}

impl Story {
    pub(super) fn new(nodes: usize) -> Self {
        Self::with(nodes, Limits { window_messages: 256, ..Limits::default() })
    }

    pub(super) fn with(nodes: usize, limits: Limits) -> Self {
        Self::with_outsiders(nodes, 0, limits)
    }

    /// The last so many nodes are in no network yet.
    pub(super) fn with_outsiders(nodes: usize, outsiders: usize, limits: Limits) -> Self {
        take_marks();
        let (mut world, ends) = World::with_outsiders(&vec![limits; nodes], outsiders);
        let mut oracle = Oracle::default();
        while let Some(&step) = world.steps().first() {
            world.take(step);
        }
        oracle.take_accepted(&mut world);
        let far = oracle.hands.clone();
        let near = ends.iter().map(|&end| Hand { node: BROKER, end });
        oracle.hands.extend(near.clone());
        let pipes = near.zip(far).collect();
        Self { world, oracle, pipes }
    }

    pub(super) fn rest(&mut self) {
        while let Some(&step) = self.world.steps().first() {
            self.world.take(step);
        }
    }

    /// Delivers the next frame that `from` has sent to `to`.
    pub(super) fn deliver(&mut self, from: usize, to: usize) -> bool {
        let Some((channel, side)) = self.world.link_between(to, from) else { return false };
        let step = Step::Deliver { channel, side };
        let there = self.world.steps().contains(&step);
        if there {
            self.world.take(step);
        }
        there
    }

    /// Everything comes to rest, but nothing that `from` has sent arrives at `to`.
    pub(super) fn all_but(&mut self, from: usize, to: usize) {
        let stalled = self.world.link_between(to, from);
        let moves = |step: &Step| match *step {
            Step::Deliver { channel, side } => Some((channel, side)) != stalled,
            Step::Introduce | Step::Admit => true,
        };
        while let Some(step) = self.world.steps().into_iter().find(moves) {
            self.world.take(step);
        }
    }

    pub(super) fn send(&mut self, from: Hand, ends: &[Hand]) -> Result<(), SendErrorKind> {
        self.oracle.send(&mut self.world, from, ends, 0, 0)
    }

    /// Reads one message, and returns the ends in it.
    pub(super) fn receive(&mut self, at: Hand) -> Vec<Hand> {
        let before = self.oracle.hands.len();
        let _ = self.oracle.receive(&mut self.world, at);
        self.oracle.hands.get(before..).unwrap_or_default().to_vec()
    }

    /// The end `end` travels over the pipe from `from` to `to`, and everything comes to rest.
    pub(super) fn carry(&mut self, end: Hand, from: Hand, to: Hand) -> Hand {
        self.send(from, &[end]).expect("it may travel");
        self.rest();
        self.receive(to)[0]
    }

    /// How many places on this node still forward.
    pub(super) fn places(&self, node: usize) -> usize {
        self.world.nodes[node].router.statuses().iter().filter(|status| status.role != Role::Open).count()
    }

    /// Closes everything and returns what is wrong then.
    pub(super) fn conclude(mut self) -> Result<(), String> {
        self.rest();
        for hand in self.oracle.hands.clone() {
            while self.oracle.receive(&mut self.world, hand).is_ok() {}
        }
        self.rest();
        let windows = Windows { least: (0, 0), most: (u64::MAX, u64::MAX) };
        checks::always(&self.world, windows, &mut self.oracle.faults);
        for hand in self.oracle.hands.clone() {
            self.oracle.close(&mut self.world, hand);
        }
        self.rest();
        checks::after_closing(&self.world, &mut self.oracle);
        checks::handles(&self.world, &mut self.oracle);
        if self.oracle.faults.is_empty() { Ok(()) } else { Err(self.oracle.faults.join("\n")) }
    }
}

/// A message of no bytes, straight from its sender.
pub(super) fn parcel<H>(sequence: u64, ends: Vec<Descriptor>) -> Parcel<H> {
    Parcel {
        sequence,
        hops: 1,
        bytes: Vec::new(),
        ends: Ends::Moved(ends.into()),
        handles: Default::default(),
        handles_lost: false,
    }
}

pub(super) fn endpoint_of(hand: Hand) -> EndpointName {
    let creator = if hand.end.creator.is_local() { name_of(hand.node) } else { hand.end.creator };
    EndpointName { creator, ..hand.end }
}

/// A hostile prev hands its place over to an endpoint that does not exist. The place that forwards must not wait for
/// it for ever.
pub(super) fn named_nobody() -> Result<(), String> {
    let mut story = Story::new(3);
    let (near, far) = story.pipes[0];
    let [one, other] = story.oracle.create(&mut story.world, BROKER);
    let other = story.carry(other, near, far);
    story.send(other, &[far]).expect("it may travel");
    assert!(story.deliver(1, BROKER), "the message that carries the end");
    let nobody = Address { node: name_of(2), endpoint: EndpointName { creator: name_of(2), number: 77 } };
    let frame = Frame::Endpoint { to: endpoint_of(far), from: endpoint_of(near), body: Body::PrevIs(nobody) };
    story.world.forge(BROKER, 1, frame);
    story.rest();
    story.receive(one);
    let left =
        story.world.nodes[1].router.statuses().iter().filter(|status| status.role != Role::Open).count();
    let concluded = story.conclude();
    if left == 0 { concluded } else { Err(format!("{left} places still forward")) }
}

#[test]
fn whoever_names_nobody_ends_the_pipe() {
    assert_eq!(named_nobody(), Ok(()));
}

/// A node that has forgotten a name asks for it again. It must be told that there will be no second introduction.
pub(super) fn asks_again() -> Result<(), String> {
    let mut story = Story::with(4, Limits { known_nodes_max: 2, ..Limits::default() });
    let guests = story.pipes.clone();
    for other in [1, 2, 1] {
        let (one, two) = (guests[0], guests[other]);
        let [near, far] = story.oracle.create(&mut story.world, BROKER);
        story.carry(near, one.0, one.1);
        story.carry(far, two.0, two.1);
        story.rest();
        story.world.cut(1, other + 1);
        story.rest();
    }
    let asked = story.world.nodes.iter().map(|node| node.router.peers.asked()).sum::<usize>();
    let concluded = story.conclude();
    if asked == 0 { concluded } else { Err(format!("{asked} names are still waited for")) }
}

#[test]
fn whoever_asks_again_is_told() {
    assert_eq!(asks_again(), Ok(()));
}

/// An end that nobody listens to any more says so at its new place.
pub(super) fn arrives_mute() -> Result<(), String> {
    let mut story = Story::new(2);
    let (near, far) = story.pipes[0];
    let here = EndpointName { creator: name_of(0), number: 900 };
    let descriptor = Descriptor {
        number: 900,
        pipe: PipeName { creator: name_of(0), number: 900 },
        side: Side::First,
        mute: true,
        peer: Address { node: name_of(0), endpoint: here },
        origin: here,
        window: Window::new(&Limits::default()),
    };
    let body = Body::User(parcel(0, vec![descriptor]));
    let frame = Frame::Endpoint { to: endpoint_of(far), from: endpoint_of(near), body };
    story.world.forge(0, 1, frame);
    story.rest();
    let Received::Message(message) = story.world.receive(1, far.end) else {
        return Err("the message has not come".to_owned());
    };
    let end = Hand { node: 1, end: message.ends[0] };
    let sent = story.send(end, &[]);
    if sent == Err(SendErrorKind::Disconnected) { Ok(()) } else { Err(format!("{sent:?}")) }
}

#[test]
fn an_end_that_nobody_listens_to_arrives_mute() {
    assert_eq!(arrives_mute(), Ok(()));
}

/// One end goes to another node and back, again and again, while what would shorten the way is the last to arrive.
#[test]
fn a_hundred_bounces_stay_below_the_hop_limit() {
    let mut story = Story::new(2);
    let (near, far) = story.pipes[0];
    let [stays, mut bounces] = story.oracle.create(&mut story.world, BROKER);
    for _ in 0..100 {
        story.send(stays, &[]).expect("there is room");
        story.send(near, &[bounces]).expect("it may travel");
        bounces = story.starve(far);
        story.send(far, &[bounces]).expect("it may travel");
        bounces = story.starve(near);
    }
    story.rest();
    let queue = &story.world.nodes[0].router.endpoints.get(&bounces.end).unwrap().queue;
    assert_eq!(queue.count().messages, 100);
    let hops = std::iter::from_fn({
        let mut router = story.world.nodes[0].router.clone();
        move || match router.receive(bounces.end) {
            Received::Message(message) => Some(message.hops),
            Received::Empty | Received::Ended(_) => None,
        }
    });
    let most = hops.max().unwrap_or(0);
    assert!((100..crate::limits::HOPS_MAX / 2).contains(&most), "{most} hops");
    assert_eq!(story.conclude(), Ok(()));
}

impl Story {
    /// Delivers messages and what makes places forward before all else, until the next message of `at` brings an end.
    pub(super) fn starve(&mut self, at: Hand) -> Hand {
        loop {
            if let Some(end) = self.receive(at).first() {
                return *end;
            }
            let urgent = |step: &&Step| match **step {
                Step::Deliver { channel, side } => matches!(
                    self.world.peek(channel, side),
                    Some(Frame::Endpoint { body: Body::User(_) | Body::Accepted, .. } | Frame::Control(_))
                ),
                Step::Introduce | Step::Admit => true,
            };
            let steps = self.world.steps();
            let step = steps.iter().find(urgent).or_else(|| steps.first()).copied();
            self.world.take(step.expect("the end is still on its way"));
        }
    }
}

/// While one link stands still the far end moves on over others: each move leaves a `PrevIs` at the near end, held
/// for a sender it does not know yet. They are many more than a window, and the pipe must survive them.
#[test]
fn a_long_chain_of_successors_is_held() {
    const MOVES: usize = 120;
    let mut story = Story::new(3);
    let (one, two) = (story.pipes[0], story.pipes[1]);
    let [near, far] = story.oracle.create(&mut story.world, BROKER);
    let near = story.carry(near, one.0, one.1);
    let far = story.carry(far, two.0, two.1);
    let mut far = far;
    story.rest();
    let stalled = story.world.link_between(1, 2).expect("the two have met");
    let go = |story: &mut Story, except: (usize, usize)| {
        let stalled = Step::Deliver { channel: except.0, side: except.1 };
        while let Some(step) = story.world.steps().into_iter().find(|step| *step != stalled) {
            story.world.take(step);
        }
    };
    for _ in 0..MOVES {
        for (from, to) in [(two.1, two.0), (two.0, two.1)] {
            story.send(from, &[far]).expect("it may travel");
            go(&mut story, stalled);
            far = story.receive(to)[0];
        }
    }
    story.send(far, &[]).expect("there is room");
    story.rest();
    story.receive(near);
    for (hand, other) in [(near, far), (far, near)] {
        assert!(story.world.nodes[hand.node].router.status(hand.end).is_some_and(|status| status.direct));
        story.send(hand, &[]).expect("the pipe is open");
        story.rest();
        story.receive(other);
    }
    assert_eq!(story.conclude(), Ok(()));
}

/// What is one pipe already, by an earlier fusing, cannot be fused with itself: nobody would be left to hold it.
#[test]
fn the_ends_of_a_fused_pipe_are_not_fused() {
    let mut story = Story::new(1);
    let [a, b] = story.oracle.create(&mut story.world, 0);
    let [c, d] = story.oracle.create(&mut story.world, 0);
    let fused = story.world.run(0, |router| router.fuse(b.end, c.end));
    assert_eq!(fused, Ok(()));
    story.oracle.hands.retain(|hand| ![b, c].contains(hand));
    let again = story.world.run(0, |router| router.fuse(a.end, d.end));
    assert_eq!(again, Err(FuseError::SamePipe));
    assert_eq!(story.conclude(), Ok(()));
}

/// Introductions that nobody asked for, of nobody, or by nobody who may: each is answered by itself alone.
#[test]
fn only_the_broker_introduces() {
    let mut story = Story::new(3);
    let (one, two) = (story.pipes[0], story.pipes[1]);
    let [near, far] = story.oracle.create(&mut story.world, BROKER);
    story.carry(near, one.0, one.1);
    story.carry(far, two.0, two.1);
    story.rest();
    let frame = Frame::Control(Control::IntroductionFailed { name: name_of(0) });
    story.world.forge(2, 1, frame);
    story.rest();
    assert!(!story.world.faults.is_empty(), "node 1 has dropped the link to node 2");
    assert_eq!(story.world.links_between(1, 2), 0);
    assert_eq!(story.world.links_between(0, 1), 1);
    assert_eq!(NodeName::from_bytes([0; 16]), None);
}

/// One end goes to and fro between `home` and `away`, as fast as the link allows; the most places at once that have not
/// gone yet, on the node where the other end stays.
fn bounce(home: usize) -> usize {
    let mut story = Story::new(2);
    let (near, far) = if home == BROKER { story.pipes[0] } else { (story.pipes[0].1, story.pipes[0].0) };
    let away = 1 - home;
    let [_stays, mut bounces] = story.oracle.create(&mut story.world, home);
    let mut most = 0;
    for _ in 0..50 {
        story.send(near, &[bounces]).expect("it may travel");
        while story.deliver(home, away) {}
        bounces = story.receive(far)[0];
        story.send(far, &[bounces]).expect("it may travel");
        while story.deliver(away, home) {}
        bounces = story.receive(near)[0];
        most = most.max(story.places(home));
    }
    story.rest();
    assert_eq!(story.places(home), 0);
    most
}

/// The chain shortens while it grows: whoever uses the pipe next does not pay for where it has been.
#[test]
fn bouncing_leaves_no_trail() {
    assert!(bounce(BROKER) <= 4, "{} places", bounce(BROKER));
    assert!(bounce(1) <= 4, "{} places", bounce(1));
}

/// Whoever leaves in good order says its last words over its own links. They arrive, and its link ends, before the word that
/// it is to be heard at all, which comes over another.
///
/// ```text
///   broker ──► V   v has come from here; it has yet to be told that it hears e now: this link stands still
///   A ──► V        e was here: "the one on M speaks in my stead", which is held
///   M ──► V        e was here: "the one on A speaks in my stead", which is held; then M is gone
/// ```
pub(super) fn leaves_in_good_order() -> Result<(), String> {
    const A: usize = 1;
    const M: usize = 2;
    const V: usize = 3;
    let mut story = Story::new(4);
    let (at_a, at_m) = story.acquaint(A, M);
    story.acquaint(A, V);
    story.acquaint(M, V);
    let (a, v) = (story.pipes[A - 1], story.pipes[V - 1]);
    let [e, y] = story.oracle.create(&mut story.world, BROKER);
    let e = story.carry(e, a.0, a.1);
    story.send(v.0, &[y]).expect("it may travel");
    assert!(story.deliver(BROKER, V), "the message that carries the end");
    let y = story.receive(v.1)[0];
    story.all_but(BROKER, V);
    story.send(at_a, &[e]).expect("it may travel");
    story.all_but(BROKER, V);
    let e = story.receive(at_m)[0];
    story.send(at_m, &[e]).expect("it may travel");
    story.all_but(BROKER, V);
    let e = story.receive(at_a)[0];
    assert!(story.world.nodes[M].router.is_drained(), "nothing is routed through M any more");
    story.world.kill(M, |under_way| under_way);
    story.oracle.hands.retain(|hand| hand.node != M);
    story.all_but(BROKER, V);
    assert!(story.world.link_between(M, V).is_none(), "V knows");
    story.rest();
    for (from, to) in [(e, y), (y, e)] {
        if story.send(from, &[]).is_err() {
            return Err("the pipe of two strangers has ended".to_owned());
        }
        story.rest();
        story.oracle.receive(&mut story.world, to).map_err(|_| "the message has not come".to_owned())?;
    }
    story.conclude()
}

#[test]
fn whoever_leaves_in_good_order_is_heard() {
    assert_eq!(leaves_in_good_order(), Ok(()));
}

impl Story {
    /// A pipe between two guests, who have met when this returns.
    pub(super) fn acquaint(&mut self, one: usize, other: usize) -> (Hand, Hand) {
        let (to_one, to_other) = (self.pipes[one - 1], self.pipes[other - 1]);
        let [near, far] = self.oracle.create(&mut self.world, BROKER);
        let near = self.carry(near, to_one.0, to_one.1);
        let far = self.carry(far, to_other.0, to_other.1);
        self.rest();
        (near, far)
    }
}
