//! What the users of a simulated network know: which ends they hold, what they have sent and what they have read. It
//! is enough to tell whether the network has kept its promises.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::task::Waker;

use super::token::{Kind, Token};
use super::world::{World, index_of};
use crate::core::endpoint::{Incoming, Outgoing, Side};
use crate::core::message::{Message, cost};
use crate::core::probe::{Mark, reached};
use crate::core::{Address, Draft, EndpointName, NodeName, Received};
use crate::error::SendErrorKind;

/// An end in a user's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Hand {
    pub(super) node: usize,
    pub(super) end: EndpointName,
}

/// One direction of a pipe: who made the pipe, its number there, and whether this is what its first end says.
pub(super) type Way = (usize, u64, bool);

/// The two directions have the same pipe.
pub(super) fn reverse((node, number, first): Way) -> Way {
    (node, number, !first)
}

#[derive(Clone, Debug, Default, Hash)]
struct Traffic {
    sent: usize,
    read: usize,
    under_way: VecDeque<Shape>,
    bytes_under_way: u64,
}

/// What a message was when it was sent.
#[derive(Clone, Debug, Hash)]
struct Shape {
    cost: u64,
    ends: Vec<Way>,
    files: Vec<Kind>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Oracle {
    pub(super) hands: Vec<Hand>,
    traffic: BTreeMap<Way, Traffic>,
    /// Directions that are the continuation of others since two pipes were fused.
    continues: BTreeMap<Way, Way>,
    /// In which end each waits that has been sent and not read; an end goes by what it says.
    waits: BTreeMap<Way, Way>,
    /// Circles of ends that wait in each other which users have made, and no node saw whole when it took the last send.
    pub(super) circles: usize,
    /// Ends that a hostile node may have made up. Their names mean nothing, so they are in none of the books.
    pub(super) strangers: BTreeSet<Hand>,
    /// Broken promises.
    pub(super) faults: Vec<String>,
    pub(super) moves: usize,
    pub(super) full: usize,
    pub(super) over_itself: usize,
    pub(super) fused: usize,
    pub(super) messages_most: u64,
}

impl Oracle {
    /// What the end of this hand says.
    pub(super) fn way(world: &World, hand: Hand) -> Option<Way> {
        let endpoint = world.nodes[hand.node].router.endpoints.get(&hand.end)?;
        let creator = endpoint.pipe.creator;
        let node = if creator.is_local() { hand.node } else { index_of(creator) };
        Some((node, endpoint.pipe.number, endpoint.side == Side::First))
    }

    /// Feeds everything that the future depends on to a hasher.
    pub(super) fn hash_state(&self, state: &mut impl Hasher) {
        (&self.hands, &self.traffic, &self.waits).hash(state);
    }

    pub(super) fn blame(&mut self, what: impl Into<String>) {
        self.faults.push(what.into());
    }

    fn origin(&self, mut way: Way) -> Way {
        while let Some(&earlier) = self.continues.get(&way) {
            way = earlier;
        }
        way
    }

    /// The direction in which this hand sends.
    pub(super) fn says(&self, world: &World, hand: Hand) -> Option<Way> {
        Some(self.origin(Self::way(world, hand)?))
    }

    /// The direction in which this hand reads.
    pub(super) fn hears(&self, world: &World, hand: Hand) -> Option<Way> {
        Some(self.origin(reverse(Self::way(world, hand)?)))
    }

    /// Whether this end waits in one of those, or in one that does, or is one.
    fn is_within(&self, end: Way, those: &[Way]) -> bool {
        let mut at = Some(&end);
        for _ in 0..=self.waits.len() {
            match at {
                Some(way) if those.contains(way) => return true,
                Some(way) => at = self.waits.get(way),
                None => return false,
            }
        }
        false // a circle of others
    }

    /// Whether the other end of this hand's pipe waits in these ends, all of it unread on the node of the hand.
    fn sees_circle(world: &World, hand: Hand, ends: &[Hand]) -> bool {
        let Some(far) = Self::way(world, hand).map(reverse) else { return false };
        let router = &world.nodes[hand.node].router;
        let mut todo: Vec<EndpointName> = ends.iter().map(|end| end.end).collect();
        while let Some(end) = todo.pop() {
            if Self::way(world, Hand { node: hand.node, end }) == Some(far) {
                return true;
            }
            todo.extend(router.endpoints.get(&end).into_iter().flat_map(|endpoint| endpoint.queue.ends()));
        }
        false
    }

    /// The pipes whose ends wait in the pipe of this one, in either direction.
    pub(super) fn waiting_in(&self, (node, number): (usize, u64)) -> Vec<(usize, u64)> {
        let within = self.waits.iter().filter(|(_, at)| (at.0, at.1) == (node, number));
        within.map(|(end, _)| (end.0, end.1)).collect()
    }

    // ---- what users do

    /// Makes one pipe of two. Whatever comes of it, the two ends of one and the same are left alone.
    pub(super) fn fuse(&mut self, world: &mut World, first: Hand, second: Hand) {
        let (Some(one), Some(other)) = (Self::way(world, first), Self::way(world, second)) else { return };
        let ring = self.says(world, first) == self.hears(world, second);
        if ring || world.run(first.node, |router| router.fuse(first.end, second.end)).is_err() {
            return;
        }
        let (heard_by_one, heard_by_other) = (self.origin(reverse(one)), self.origin(reverse(other)));
        // What waited in one of the two now waits in the far end of the other.
        let far = [(self.origin(one), heard_by_other), (self.origin(other), heard_by_one)];
        for at in self.waits.values_mut() {
            *at = far.iter().find(|(near, _)| near == at).map_or(*at, |(_, far)| *far);
        }
        self.circles += far
            .iter()
            .filter(|(_, far)| self.waits.get(far).is_some_and(|at| self.is_within(*at, &[*far])))
            .count();
        self.continues.extend([(one, heard_by_other), (other, heard_by_one)]);
        self.hands.retain(|hand| ![first, second].contains(hand));
        self.fused += 1;
    }

    pub(super) fn create(&mut self, world: &mut World, node: usize) -> [Hand; 2] {
        let (first, second) = world.run(node, |router| router.create_pipe());
        let hands = [Hand { node, end: first }, Hand { node, end: second }];
        self.hands.extend(hands);
        hands
    }

    pub(super) fn close(&mut self, world: &mut World, hand: Hand) {
        self.hands.retain(|other| *other != hand);
        world.close(hand.node, hand.end);
    }

    /// Sends the next message of this end, with these ends and that many files in it.
    pub(super) fn send(
        &mut self,
        world: &mut World,
        hand: Hand,
        ends: &[Hand],
        files: usize,
        padding: usize,
    ) -> Result<(), SendErrorKind> {
        let Some(way) = self.says(world, hand) else { return Err(SendErrorKind::Disconnected) };
        let handles: Vec<Token> = (0..files).map(|_| world.file()).collect();
        let number = self.traffic.entry(way).or_default().sent;
        let shape = Shape {
            cost: cost(BODY_BYTES + padding, ends.len(), files),
            ends: ends.iter().filter_map(|end| Self::way(world, *end)).collect(),
            files: handles.iter().map(|token| token.kind).collect(),
        };
        let known = |end: &&Hand| !self.strangers.contains(end);
        let moved: Vec<Way> = ends.iter().filter(known).filter_map(|end| self.says(world, *end)).collect();
        let far = self.hears(world, hand).filter(|_| !moved.is_empty());
        let encloses = ends.contains(&hand) || far.is_some_and(|far| self.is_within(far, &moved));
        let seen = Self::sees_circle(world, hand, ends);
        let names: Vec<EndpointName> = ends.iter().map(|end| end.end).collect();
        let message =
            Draft { bytes: body(way, number, padding), ends: names.clone().into(), handles: handles.into() };
        if let Err(refused) = world.send(hand.node, hand.end, message) {
            self.check_refused(&refused.message, &names, files);
            self.note_refusal(world, hand, refused.why);
            if refused.why == SendErrorKind::OverItself && !encloses && world.hostile.is_none() {
                self.blame(format!("{hand:?} may not send {ends:?}, which would close no circle"));
            }
            return Err(refused.why);
        }
        if seen && world.hostile.is_none() {
            self.blame(format!("{hand:?} may send {ends:?}, which plainly closes a circle"));
        }
        self.circles += usize::from(encloses);
        self.waits.extend(moved.into_iter().zip(far.into_iter().cycle()));
        self.moves += ends.len();
        self.hands.retain(|other| !ends.contains(other));
        let traffic = self.traffic.entry(way).or_default();
        traffic.sent += 1;
        traffic.bytes_under_way += shape.cost;
        traffic.under_way.push_back(shape);
        Ok(())
    }

    fn check_refused(&mut self, message: &Draft<Token>, names: &[EndpointName], files: usize) {
        if *message.ends != *names || message.handles.len() != files {
            self.blame("a refused message has not come back whole");
        }
    }

    fn note_refusal(&mut self, world: &mut World, hand: Hand, why: SendErrorKind) {
        match why {
            SendErrorKind::Full => {
                self.full += 1;
                world.nodes[hand.node].router.add_writer(hand.end, &mut None, Waker::noop().clone());
            }
            SendErrorKind::OverItself => self.over_itself += 1,
            SendErrorKind::OtherNetwork => reached(Mark::OtherNetwork),
            _ => {}
        }
    }

    /// How much of this direction has been sent and not read: the truth, seen from outside.
    pub(super) fn under_way(&self, way: Way) -> (u64, u64) {
        let Some(traffic) = self.traffic.get(&way) else { return (0, 0) };
        let last = traffic.under_way.back().map_or(0, |shape| shape.cost);
        (traffic.under_way.len() as u64, traffic.bytes_under_way - last)
    }

    /// Reads one message. `Err` says whether there will be another.
    pub(super) fn receive(&mut self, world: &mut World, hand: Hand) -> Result<(), Ended> {
        let way = self.hears(world, hand);
        match (world.receive(hand.node, hand.end), way) {
            (Received::Message(message), Some(way)) => {
                self.check_message(world, hand, way, message);
                Ok(())
            }
            (Received::Empty, _) => {
                world.nodes[hand.node].router.swap_reader(hand.end, Some(Waker::noop().clone()));
                Err(Ended(false))
            }
            (Received::Ended(_), Some(_)) => Err(Ended(true)),
            (_, None) => {
                self.blame(format!("{hand:?} is in a user's hand and not there"));
                Err(Ended(true))
            }
        }
    }

    fn check_message(&mut self, world: &World, hand: Hand, way: Way, message: Message<Token>) {
        let ends: Vec<Hand> = message.ends.iter().map(|&end| Hand { node: hand.node, end }).collect();
        let ways: Vec<Way> = ends.iter().filter_map(|&end| Self::way(world, end)).collect();
        let files: Vec<Kind> = message.handles.iter().map(|token| token.kind).collect();
        for &end in ends.iter().filter(|end| !self.strangers.contains(end)) {
            if let Some(said) = self.says(world, end) {
                self.waits.remove(&said);
            }
        }
        self.hands.extend(ends);
        let traffic = self.traffic.entry(way).or_default();
        let padding = message.bytes.len().saturating_sub(BODY_BYTES);
        let expected = body(way, traffic.read, padding);
        let Some(shape) = traffic.under_way.pop_front() else {
            return self.blame(format!("{way:?} has brought a message that nobody sent"));
        };
        traffic.read += 1;
        traffic.bytes_under_way -= shape.cost;
        if message.bytes != expected {
            let number = traffic.read - 1;
            self.blame(format!("{way:?} was to bring message {number} and brought another"));
        }
        if ways != shape.ends || files != shape.files {
            self.blame(format!("{way:?} has brought {ways:?} and {files:?} for {shape:?}"));
        }
    }

    /// Takes the pipes of the invitations that have been accepted meanwhile.
    pub(super) fn take_accepted(&mut self, world: &mut World) {
        for (node, there) in world.nodes.iter_mut().enumerate() {
            self.hands.extend(there.accepted.drain(..).map(|end| Hand { node, end }));
        }
    }

    /// Whether everything that was sent this way has been read.
    pub(super) fn is_complete(&self, way: Way) -> bool {
        self.traffic.get(&way).is_none_or(|traffic| traffic.sent == traffic.read)
    }

    /// Collapsed pipes, both of whose ends users hold, on a link that works: what happens elsewhere is no matter.
    pub(super) fn collapsed(&self, world: &World) -> Vec<(Hand, Hand)> {
        let mut pairs = Vec::new();
        for &hand in &self.hands {
            let Some(endpoint) = world.nodes[hand.node].router.endpoints.get(&hand.end) else { continue };
            let Some(other) = hand_at(hand.node, endpoint.peer()) else { continue };
            if endpoint.peer() != endpoint.prev() || !self.hands.contains(&other) || !is_whole(world, hand) {
                continue;
            }
            let back = world.nodes[other.node].router.endpoints.get(&other.end);
            let returns = back.is_some_and(|back| {
                hand_at(other.node, back.peer()) == Some(hand)
                    && hand_at(other.node, back.prev()) == Some(hand)
            });
            let linked = other.node == hand.node || world.link_between(hand.node, other.node).is_some();
            if returns && linked && is_whole(world, other) {
                pairs.push((hand, other));
            }
        }
        pairs
    }
}

/// Nothing to read now, or nothing ever again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended(pub(super) bool);

fn is_whole(world: &World, hand: Hand) -> bool {
    world.nodes[hand.node]
        .router
        .endpoints
        .get(&hand.end)
        .is_some_and(|endpoint| endpoint.incoming == Incoming::Open && endpoint.outgoing == Outgoing::Open)
}

/// The end at this address, as the node `node` writes it.
pub(super) fn hand_at(node: usize, address: Address) -> Option<Hand> {
    let at = if address.node.is_local() { node } else { index_of(address.node) };
    let creator = if address.endpoint.creator.is_local() { node } else { index_of(address.endpoint.creator) };
    let creator = if creator == at { NodeName::LOCAL } else { super::world::name_of(creator) };
    Some(Hand { node: at, end: EndpointName { creator, number: address.endpoint.number } })
}

const BODY_BYTES: usize = 24;

fn body((node, number, first): Way, message: usize, padding: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BODY_BYTES + padding);
    bytes.extend((message as u64).to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend((node as u32 * 2 + u32::from(first)).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.resize(BODY_BYTES + padding, 7);
    bytes
}
