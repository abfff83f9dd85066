//! Attacks that chance hardly ever puts together.

use crate::core::frame::{Body, Control, Descriptor, Frame};
use crate::core::message::cost;
use crate::core::name::{Address, EndpointName, NodeName, PipeName};
use crate::core::tests::oracle::Hand;
use crate::core::tests::scenarios::{Story, endpoint_of, parcel};
use crate::core::tests::token::Token;
use crate::core::tests::world::{BROKER, Step, World, name_of};
use crate::core::{Count, Side, Window};
use crate::error::Why;
use crate::limits::{ASKED_NAMES_MAX, CARRIED_MAX, HELD_ORIGINS_MAX, HELD_WINDOWS, Limits};

/// A story in which this node is hostile; the other guests are honest.
pub(super) fn against(nodes: usize, hostile: usize, limits: Limits) -> Story {
    let mut story = Story::with(nodes, limits);
    story.world.hostile = Some(hostile);
    story
}

/// An endpoint of the node `node` that only lies have made.
pub(super) fn invented(node: usize, number: u64) -> EndpointName {
    EndpointName { creator: name_of(node), number }
}

fn address(hand: Hand) -> Address {
    Address { node: name_of(hand.node), endpoint: endpoint_of(hand) }
}

/// Somebody who never was.
pub(super) fn nobody(number: usize) -> NodeName {
    let mut bytes = [9; 16];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    NodeName::from_bytes(bytes).expect("not all zeros")
}

/// An end that never was.
pub(super) fn gift(from: usize, number: u64, peer: Address) -> Descriptor {
    Descriptor {
        number,
        pipe: PipeName { creator: name_of(from), number: 99 + number },
        side: Side::First,
        mute: false,
        peer,
        origin: invented(from, 900 + number),
        window: Window::new(&Limits::default()),
    }
}

impl Story {
    /// Something that `from` says and its router knows nothing of.
    pub(super) fn lie(&mut self, from: usize, to: Hand, speaker: EndpointName, body: Body<Token>) {
        let frame = Frame::Endpoint { to: endpoint_of(to), from: speaker, body };
        self.world.forge(from, to.node, frame);
    }

    /// A message with such ends in it, over a pipe of `from` to `to`, which that reads.
    pub(super) fn give(&mut self, from: Hand, to: Hand, ends: Vec<Descriptor>) -> Vec<Hand> {
        let sender = self.world.nodes[from.node].router.endpoints.get_mut(&from.end).expect("it is there");
        let sequence = sender.window.spend(cost(0, ends.len(), 0));
        self.lie(from.node, to, endpoint_of(from), message(sequence, ends));
        self.rest();
        let crate::core::Received::Message(message) = self.world.receive(to.node, to.end) else {
            return Vec::new();
        };
        message.ends.into_iter().map(|end| Hand { node: to.node, end }).collect()
    }

    /// Whether a message gets through from the one to the other.
    fn passes(&mut self, from: Hand, to: Hand) -> Result<(), String> {
        self.send(from, &[]).map_err(|why| format!("{from:?} cannot send: {why:?}"))?;
        self.rest();
        let read = self.oracle.receive(&mut self.world, to);
        read.map_err(|_| format!("{to:?} hears nothing"))
    }

    pub(super) fn verdict(&self) -> Result<(), String> {
        if self.world.faults.is_empty() { Ok(()) } else { Err(self.world.faults.join("\n")) }
    }

    /// Everything happens that can, but the hostile node does nothing about what it hears; false if there is no end to it.
    fn comes_to_rest_without(&mut self, hostile: usize) -> bool {
        for _ in 0..5_000 {
            match self.world.steps().first().copied() {
                None => return true,
                Some(Step::Deliver { channel, side })
                    if self.world.reader(channel, side) == Some(hostile)
                        && self.world.peek(channel, side).is_some() =>
                {
                    self.world.ignore(channel, side);
                }
                Some(step) => self.world.take(step),
            }
        }
        false
    }
}

pub(super) fn message(sequence: u64, ends: Vec<Descriptor>) -> Body<Token> {
    Body::User(parcel(sequence, ends))
}

/// E gives H an end that is its own peer. H sends it to V, and E names V's end as the one to be heard in its own place. V's end
/// acknowledges, and H tells V that it is its own successor. H has done nothing wrong.
pub(super) fn named_as_its_own_successor() -> Result<(), String> {
    const E: usize = 1;
    const H: usize = 2;
    const V: usize = 3;
    let mut story = against(4, E, Limits::default());
    let (at_e, at_h) = story.acquaint(E, H);
    let (to_v, at_v) = story.acquaint(H, V);
    let number = story.world.nodes[E].router.next_number_for(name_of(H));
    let own = Address { node: name_of(H), endpoint: invented(E, number) };
    let [end] = story.give(at_e, at_h, vec![gift(E, number, own)])[..] else {
        return Err("no end".to_owned());
    };
    story.oracle.hands.push(end);
    story.send(to_v, &[end]).map_err(|why| format!("{why:?}"))?;
    story.comes_to_rest_without(E);
    let there = story.world.nodes[H].router.endpoints.get(&end.end).expect("it is there").peer();
    let there = Address { endpoint: EndpointName { creator: name_of(H), ..there.endpoint }, ..there };
    story.lie(E, end, invented(E, 900 + number), Body::PrevIs(there));
    story.comes_to_rest_without(E);
    story.verdict()?;
    story.oracle.receive(&mut story.world, at_v).map_err(|_| "V has lost its pipe".to_owned())?;
    story.passes(to_v, at_v)?;
    story.verdict()
}

/// E sends H messages to nobody, with ends whose peer is an endpoint of V's. H closes each, as it should, and so says `End` to that
/// endpoint, a hundred times. Then an honest end moves to H whose pipe ends at that very endpoint.
pub(super) fn deputies_fill_a_hold() -> Result<(), String> {
    const E: usize = 1;
    const H: usize = 2;
    const V: usize = 3;
    const W: usize = 4;
    let mut story = against(5, E, Limits { held_controls_max: 8, ..Limits::default() });
    story.acquaint(E, H);
    story.acquaint(H, V);
    let (at_w, at_v) = story.acquaint(W, V);
    let (from_w, to_h) = story.acquaint(W, H);
    let nobody = Hand { node: H, end: EndpointName { creator: name_of(E), number: 77_777 } };
    for _ in 0..12 {
        let mut ends = Vec::new();
        for _ in 0..8 {
            let number = story.world.nodes[E].router.next_number_for(name_of(H));
            ends.push(gift(E, number, address(at_v)));
        }
        story.lie(E, nobody, invented(E, 1), message(0, ends));
    }
    story.rest();
    story.verdict()?;
    let moved = story.carry(at_w, from_w, to_h);
    story.rest();
    story.passes(moved, at_v)?;
    story.passes(at_v, moved)?;
    story.verdict()
}

/// E says to V: here is a link to C. It would be a link to E, or to nobody.
pub(super) fn introduces_itself_as_another() -> Result<(), String> {
    const E: usize = 1;
    const V: usize = 2;
    const C: usize = 3;
    let mut story = against(4, E, Limits::default());
    story.acquaint(E, V);
    let (socket, other) = story.world.socket_pair();
    story.world.throw_away(other);
    story.world.forge(E, V, Frame::Control(Control::Introduce { name: name_of(C), socket }));
    story.rest();
    let [near, far] = story.oracle.create(&mut story.world, BROKER);
    let (to_v, to_c) = (story.pipes[V - 1], story.pipes[C - 1]);
    let near = story.carry(near, to_v.0, to_v.1);
    let far = story.carry(far, to_c.0, to_c.1);
    story.passes(near, far)?;
    story.passes(far, near)?;
    story.verdict()
}

/// V has asked the broker for C, and E says in its stead that there is no C.
pub(super) fn refuses_for_the_broker() -> Result<(), String> {
    const E: usize = 1;
    const V: usize = 2;
    const C: usize = 3;
    let mut story = against(4, E, Limits::default());
    story.acquaint(E, V);
    let [near, far] = story.oracle.create(&mut story.world, BROKER);
    let (to_v, to_c) = (story.pipes[V - 1], story.pipes[C - 1]);
    story.send(to_v.0, &[near]).map_err(|why| format!("{why:?}"))?;
    story.send(to_c.0, &[far]).map_err(|why| format!("{why:?}"))?;
    let moves = |step: &Step| *step != Step::Introduce;
    while let Some(step) = story.world.steps().into_iter().find(moves) {
        story.world.take(step);
    }
    if story.world.nodes[V].router.peers.asked() != 1 {
        return Err("V has not asked".to_owned());
    }
    story.world.forge(E, V, Frame::Control(Control::IntroductionFailed { name: name_of(C) }));
    story.rest();
    let (near, far) = (story.receive(to_v.1)[0], story.receive(to_c.1)[0]);
    story.passes(near, far)?;
    story.passes(far, near)?;
    story.verdict()
}

/// E gives `H` and `V` an end each, both send it back, and E joins the two places that are left into a ring without an end. What it
/// says into the ring must not go round for ever.
fn ring(hosts: [usize; 2], said: fn() -> Body<Token>) -> Result<(), String> {
    const E: usize = 3;
    let mut story = against(4, E, Limits::default());
    let mut places = Vec::new();
    for host in hosts {
        let (at_e, at_host) = story.acquaint(E, host);
        let number = story.world.nodes[E].router.next_number_for(name_of(host));
        let peer = Address { node: name_of(E), endpoint: invented(E, 800 + number) };
        let [end] = story.give(at_e, at_host, vec![gift(E, number, peer)])[..] else {
            return Err("no end".to_owned());
        };
        story.oracle.hands.push(end);
        story.send(at_host, &[end]).map_err(|why| format!("{why:?}"))?;
        story.rest();
        places.push((end, invented(E, 900 + number)));
    }
    let [(one, prev_of_one), (other, prev_of_other)] = places[..] else { return Err("no places".to_owned()) };
    for (place, next) in [(one, other), (other, one)] {
        let there = story.world.nodes[place.node]
            .router
            .endpoints
            .get(&place.end)
            .expect("it is there")
            .peer()
            .endpoint;
        let there = EndpointName { creator: name_of(place.node), ..there };
        story.lie(E, place, there, Body::Bypass(address(next)));
    }
    // Now each asks a prev that never answers, and so will not be bypassed by the other.
    let ours = [invented(E, 850), invented(E, 851)];
    for ((place, prev), our) in [(one, prev_of_one), (other, prev_of_other)].into_iter().zip(ours) {
        story.lie(E, place, prev, Body::PrevIs(Address { node: name_of(E), endpoint: our }));
    }
    if !story.comes_to_rest_without(E) {
        return Err("no rest before the ring is closed".to_owned());
    }
    story.lie(E, one, ours[0], Body::Credit(Count { messages: 4000, bytes: 1 << 30 }));
    story.comes_to_rest_without(E);
    story.lie(E, other, ours[1], Body::PrevIs(address(one)));
    story.comes_to_rest_without(E);
    story.lie(E, one, ours[0], said());
    story.lie(E, one, ours[0], Body::PrevIs(address(other)));
    if !story.comes_to_rest_without(E) {
        return Err("it goes round for ever".to_owned());
    }
    // A message that comes by a second time ends the pipe; credit that does is no news to anybody.
    for host in hosts.into_iter().filter(|_| matches!(said(), Body::User(_))) {
        if story.places(host) > 0 {
            return Err(format!("{} places are left on {host}", story.places(host)));
        }
    }
    story.verdict()
}

/// E sends an end over the end that it has sent before, and so on, and nobody reads any of them. The deeper, the fewer.
pub(super) fn ends_in_ends_in_ends() -> Result<(), String> {
    const E: usize = 1;
    const H: usize = 2;
    let mut story = against(3, E, Limits::default());
    let (at_e, at_h) = story.acquaint(E, H);
    let (mut to, mut speaker) = (at_h, endpoint_of(at_e));
    for _ in 0..20 {
        let number = story.world.nodes[E].router.next_number_for(name_of(H));
        let peer = Address { node: name_of(E), endpoint: invented(E, 800 + number) };
        story.lie(E, to, speaker, message(0, vec![gift(E, number, peer)]));
        story.rest();
        to = Hand { node: H, end: invented(E, number) };
        speaker = invented(E, 900 + number);
    }
    let endpoints = &story.world.nodes[H].router.endpoints;
    let waiting = endpoints.values().filter(|endpoint| endpoint.carrier().is_some()).count();
    story.verdict()?;
    if waiting == CARRIED_MAX.len() - 1 { Ok(()) } else { Err(format!("{waiting} ends wait in each other")) }
}

/// E sends V ends whose pipes go on at nodes that never were, so that V knows their names, and then messages in all these names
/// to V's end, which is to hear none of them.
pub(super) fn speaks_for_many() -> Result<(), String> {
    const E: usize = 1;
    const V: usize = 2;
    const NAMES: usize = 40;
    let mut story = against(3, E, Limits::default());
    let (at_e, at_v) = story.acquaint(E, V);
    let gifts = (0..NAMES).map(|name| {
        let number = story.world.nodes[E].router.next_number_for(name_of(V));
        gift(E, number, Address { node: nobody(name), endpoint: invented(E, 1) })
    });
    let gifts = gifts.collect();
    let ends = story.give(at_e, at_v, gifts);
    story.oracle.hands.extend(ends);
    let known = story.world.nodes[V].router.peers.remembered();
    if known < NAMES {
        return Err(format!("V knows {known} names"));
    }
    for name in 0..NAMES {
        let speaker = EndpointName { creator: nobody(name), number: 1 };
        story.lie(E, at_v, speaker, message(0, Vec::new()));
    }
    story.rest();
    story.verdict()?;
    let endpoint = story.world.nodes[V].router.endpoints.get(&at_v.end).ok_or("V's end is gone")?;
    let held = endpoint.held.as_ref().map_or(0, |held| held.messages());
    if held == HELD_ORIGINS_MAX as u64 { Ok(()) } else { Err(format!("{held} messages are held")) }
}

/// E names more nodes to V than V remembers, before the broker can say that none of them exists. Then V is to meet W.
pub(super) fn names_everybody() -> Result<(), String> {
    const E: usize = 1;
    const V: usize = 2;
    const W: usize = 3;
    let limits = Limits { known_nodes_max: ASKED_NAMES_MAX + 20, ..Limits::default() };
    let mut story = against(4, E, limits);
    let (at_e, at_v) = story.acquaint(E, V);
    for sequence in 0..20 {
        let gifts = (0..64).map(|name| {
            let number = story.world.nodes[E].router.next_number_for(name_of(V));
            gift(E, number, Address { node: nobody(64 * sequence + name), endpoint: invented(E, 1) })
        });
        let gifts = gifts.collect();
        story.lie(E, at_v, endpoint_of(at_e), message(sequence as u64, gifts));
    }
    let hears = |world: &World, step: &Step| match step {
        Step::Deliver { channel, side } => world.reader(*channel, *side) == Some(V),
        _ => false,
    };
    while let Some(step) = story.world.steps().into_iter().find(|step| hears(&story.world, step)) {
        story.world.take(step);
    }
    if story.world.nodes[V].router.peers.asked() < ASKED_NAMES_MAX {
        return Err("V does not ask for so many".to_owned());
    }
    story.comes_to_rest_without(E);
    story.verdict()?;
    let (at_w, too_at_v) = story.acquaint(W, V);
    story.passes(at_w, too_at_v)?;
    story.passes(too_at_v, at_w)?;
    story.verdict()
}

/// E sends V more ends than one peer may have there, and nobody reads them. Then W sends one.
pub(super) fn brings_a_crowd() -> Result<(), String> {
    const E: usize = 1;
    const V: usize = 2;
    const W: usize = 3;
    const MOST: usize = 4;
    let mut story = against(4, E, Limits { link_endpoints_max: MOST, ..Limits::default() });
    let (at_e, at_v) = story.acquaint(E, V);
    for sequence in 0..20 {
        let number = story.world.nodes[E].router.next_number_for(name_of(V));
        let peer = Address { node: name_of(E), endpoint: invented(E, 800 + number) };
        story.lie(E, at_v, endpoint_of(at_e), message(sequence, vec![gift(E, number, peer)]));
        story.rest();
    }
    story.verdict()?;
    let theirs = story.world.nodes[V].router.endpoints.named_by(name_of(E));
    // The one too many is dead.
    if theirs != MOST + 1 {
        return Err(format!("{theirs} ends of one peer"));
    }
    let ended = story.world.nodes[V].router.status(at_v.end).and_then(|status| status.ended);
    if ended != Some(Why::Unreachable) {
        return Err(format!("its pipe has ended so: {ended:?}"));
    }
    let (at_w, too_at_v) = story.acquaint(W, V);
    story.passes(at_w, too_at_v)?;
    story.passes(too_at_v, at_w)?;
    story.verdict()
}

/// E gives V an end, which V's user sends on to C. Then C reads nothing for a while, and E has V pass on more than C has granted.
fn has_passed_on(said: fn(u64) -> Body<Token>) -> Result<(), String> {
    const E: usize = 1;
    const V: usize = 2;
    const C: usize = 3;
    let limits = Limits { window_messages: 2, ..Limits::default() };
    let mut story = against(4, E, limits.clone());
    let (at_e, at_v) = story.acquaint(E, V);
    let (from_v, to_c) = story.acquaint(V, C);
    let (near, far) = story.acquaint(V, C);
    let number = story.world.nodes[E].router.next_number_for(name_of(V));
    let (peer, speaker) = (invented(E, 800 + number), invented(E, 900 + number));
    let peer = Address { node: name_of(E), endpoint: peer };
    let gift = Descriptor { window: Window::new(&limits), ..gift(E, number, peer) };
    let [end] = story.give(at_e, at_v, vec![gift])[..] else { return Err("no end".to_owned()) };
    story.oracle.hands.push(end);
    story.send(from_v, &[end]).map_err(|why| format!("{why:?}"))?;
    if !story.comes_to_rest_without(E) {
        return Err("no rest".to_owned());
    }
    let moved = story.receive(to_c)[0];
    let before = story.world.under_way(V, C);
    for number in 0..100 {
        story.lie(E, end, speaker, said(number));
        let for_v = |step: &Step| match *step {
            Step::Deliver { channel, side } => story.world.reader(channel, side) == Some(V),
            Step::Introduce | Step::Admit => false,
        };
        let step = story.world.steps().into_iter().find(for_v).ok_or("V hears nothing")?;
        story.world.take(step);
    }
    let passed_on = story.world.under_way(V, C) - before;
    let most = usize::try_from(HELD_WINDOWS * limits.window_messages).expect("a small number");
    // And that this is the end of it.
    if passed_on != most + 1 {
        return Err(format!("{passed_on} frames are passed on"));
    }
    if !story.comes_to_rest_without(E) {
        return Err("no rest when C reads again".to_owned());
    }
    let ended = story.world.nodes[C].router.status(moved.end).and_then(|status| status.ended);
    if ended != Some(Why::BrokenRules) {
        return Err(format!("the pipe has ended so: {ended:?}"));
    }
    story.passes(near, far)?;
    story.passes(far, near)?;
    story.verdict()
}

pub(super) fn has_much_passed_on() -> Result<(), String> {
    has_passed_on(|number| message(number, Vec::new()))?;
    has_passed_on(|number| Body::Credit(Count { messages: 3 + number, bytes: 1 << 30 }))
}

/// What E says into a ring: a message, or credit.
const SAID: [fn() -> Body<Token>; 2] =
    [|| message(0, Vec::new()), || Body::Credit(Count { messages: 5000, bytes: 1 << 31 })];

pub(super) fn places_in_a_ring() -> Result<(), String> {
    SAID.into_iter().try_for_each(|said| ring([1, 2], said))
}

#[test]
fn whoever_is_made_to_say_nonsense_keeps_its_link() {
    assert_eq!(named_as_its_own_successor(), Ok(()));
}

#[test]
fn the_deeper_the_fewer() {
    assert_eq!(ends_in_ends_in_ends(), Ok(()));
}

#[test]
fn one_peer_does_not_use_up_what_a_node_has() {
    assert_eq!(speaks_for_many(), Ok(()));
    assert_eq!(brings_a_crowd(), Ok(()));
    assert_eq!(names_everybody(), Ok(()));
}

#[test]
fn nobody_has_more_passed_on_than_is_granted() {
    assert_eq!(has_much_passed_on(), Ok(()));
}

#[test]
fn deputies_do_not_use_up_what_others_need() {
    assert_eq!(deputies_fill_a_hold(), Ok(()));
}

#[test]
fn nobody_but_the_broker_introduces_or_refuses() {
    assert_eq!(introduces_itself_as_another(), Ok(()));
    assert_eq!(refuses_for_the_broker(), Ok(()));
}

/// Within one node such a ring would be worse than traffic: the input that closes it would never return.
#[test]
fn nothing_goes_round_a_ring_of_places() {
    assert_eq!(places_in_a_ring(), Ok(()));
    assert!(SAID.into_iter().all(|said| ring([1, 1], said).is_ok()));
}

/// What it costs to close the pipe of strangers ("Laundering" in docs/SECURITY.md): so many honest moves of ends that the hostile node has
/// given away. Fewer do no harm.
#[test]
fn laundering_takes_a_move_by_an_honest_user_for_each_frame() {
    let closes = |moves: u64| launder(moves).is_err();
    let least = (1..40).find(|moves| closes(*moves));
    assert_eq!(least, Some(LAUNDERED_MIN), "moves that fill a hold of {HELD_CONTROLS_MAX} frames");
}

const HELD_CONTROLS_MAX: usize = 8;
const LAUNDERED_MIN: u64 = 9;

/// E gives H ends whose peer is V's endpoint; H's user sends each on to W, whose user closes it. So W says `End` to that endpoint, from
/// endpoints that H has made. Then an honest end moves to W by way of H.
fn launder(moves: u64) -> Result<(), String> {
    const E: usize = 1;
    const H: usize = 2;
    const V: usize = 3;
    const W: usize = 4;
    let mut story = against(5, E, Limits { held_controls_max: HELD_CONTROLS_MAX, ..Limits::default() });
    let (at_e, at_h) = story.acquaint(E, H);
    let (at_h_too, at_v) = story.acquaint(H, V);
    let (from_h, to_w) = story.acquaint(H, W);
    for _ in 0..moves {
        let number = story.world.nodes[E].router.next_number_for(name_of(H));
        let [end] = story.give(at_e, at_h, vec![gift(E, number, address(at_v))])[..] else {
            return Err("no end".to_owned());
        };
        story.oracle.hands.push(end);
        let moved = story.carry(end, from_h, to_w);
        story.oracle.close(&mut story.world, moved);
        story.rest();
    }
    story.verdict().expect("whatever is laundered, no honest link is dropped");
    let moved = story.carry(at_h_too, from_h, to_w);
    story.rest();
    if let Some(Why::BrokenRules) =
        story.world.nodes[V].router.status(at_v.end).and_then(|status| status.ended)
    {
        return Err("the pipe of strangers has been closed".to_owned());
    }
    story.passes(moved, at_v)
}
