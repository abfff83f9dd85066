//! How the peer speaks, and what a row consists of.

use crate::raw::{self, kind};
use mage::{PeerMisbehaved, Why};

// ---- how the peer speaks

/// Who made the name of an endpoint or is a node, seen from the frame: its receiver, its sender, or somebody else.
pub const RECEIVER: u8 = 0;
/// The sender of the frame.
pub const SENDER: u8 = 1;

/// An endpoint, as a frame of the hostile peer names it.
pub type Endpoint = (u8, u64);

pub(super) fn endpoint((creator, number): Endpoint) -> Vec<u8> {
    let mut bytes = vec![creator];
    bytes.extend(number.to_le_bytes());
    bytes
}

/// What the peer knows of its pipe to the victim.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The victim's end.
    pub to: Endpoint,
    /// Whom the victim's end hears.
    pub prev: Endpoint,
    /// To whom the victim's end sends.
    pub peer: Endpoint,
    /// The name of the honest node.
    pub honest: raw::Name,
    /// Somebody whom nobody knows.
    pub nobody: raw::Name,
    /// What the peer calls itself.
    pub me: raw::Name,
    /// What the victim is called in the network of the two.
    pub victim: raw::Name,
}

/// A frame between two endpoints.
pub(super) fn between(kind: u8, to: Endpoint, from: Endpoint, rest: &[u8]) -> Vec<u8> {
    raw::frame(kind, &[endpoint(to), endpoint(from), rest.to_vec()].concat())
}

/// A message, with these pipe ends.
///
/// # Panics
/// If there are more than can be counted.
pub fn message(to: Endpoint, from: Endpoint, (sequence, hops): (u64, u16), ends: &[Vec<u8>]) -> Vec<u8> {
    let count = u8::try_from(ends.len()).expect("few");
    let rest = [&sequence.to_le_bytes()[..], &hops.to_le_bytes(), &[count], &ends.concat()].concat();
    between(kind::USER, to, from, &rest)
}

pub(super) fn count(messages: u64, bytes: u64) -> Vec<u8> {
    [messages.to_le_bytes(), bytes.to_le_bytes()].concat()
}

/// The address of an endpoint on the node behind the tag.
pub(super) fn address(node: u8, at: Endpoint) -> Vec<u8> {
    [vec![node], endpoint(at)].concat()
}

/// The address of an endpoint that the sender named, on a third node.
pub(super) fn elsewhere(node: raw::Name, number: u64) -> Vec<u8> {
    [&[2][..], &node, &endpoint((SENDER, number))].concat()
}

pub(super) fn with_byte(mut frame: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    frame[at] = byte;
    frame
}

/// The same frame, which says in its header that so many handles belong to it.
pub(super) fn declaring(frame: Vec<u8>, handles: u8) -> Vec<u8> {
    with_byte(frame, 6, handles)
}

/// Where the fields of a descriptor are.
pub(super) const SENT: usize = 9;
pub(super) const LIMIT: usize = 25;
pub(super) const READ: usize = 41;
pub(super) const GRANTED: usize = 57;
/// The number of the pipe; who made it is one byte before.
pub(super) const PIPE: usize = 74;
pub(super) const PEER: usize = 82;
pub(super) const ORIGIN: usize = 92;

/// A descriptor with one number in it replaced.
pub(super) fn contradicting(number: u64, at: usize, value: u64) -> Vec<u8> {
    let mut bytes = raw::descriptor(number);
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    bytes
}

/// A descriptor that says that its other end is there.
pub(super) fn sending_to(number: u64, peer: &[u8]) -> Vec<u8> {
    let bytes = raw::descriptor(number);
    [&bytes[..PEER], peer, &bytes[ORIGIN..]].concat()
}

// ---- the attacks

/// What the peer is to its victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It has invited the victim into a network of its own, and is its broker there.
    Inviter,
    /// It is a guest of the victim, which is the broker.
    Guest,
}

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The link is dropped, for this fault.
    Fault(PeerMisbehaved),
    /// The pipe ends, the link stays.
    Pipe(Why),
    /// The same, for either reason, whichever limit is met first.
    PipeFor([Why; 2]),
    /// Nothing: the message with this number is heard by the victim as ever.
    Nothing(u64),
}

use End::{Fault, Nothing, Pipe, PipeFor};

impl End {
    /// Whether a pipe may end for this reason.
    pub fn allows(&self, why: Why) -> bool {
        match self {
            Pipe(expected) => *expected == why,
            PipeFor(expected) => expected.contains(&why),
            Fault(_) | Nothing(_) => false,
        }
    }
}

/// Bytes that are said in one write, and how many handles go with them.
pub type Said = (Vec<u8>, usize);

/// One of them.
#[derive(Debug)]
pub struct Attack(
    /// What it is.
    pub &'static str,
    /// In which part.
    pub Part,
    /// What is said.
    pub fn(&Known) -> Vec<Said>,
    /// What is to become of it.
    pub End,
);

pub(super) fn one(frame: Vec<u8>) -> Vec<Said> {
    vec![(frame, 0)]
}

pub(super) fn many(frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<Said> {
    one(frames.into_iter().flatten().collect())
}

/// A first message with this end in it.
pub(super) fn carrying(known: &Known, ends: &[Vec<u8>]) -> Vec<Said> {
    one(message(known.to, known.prev, (0, 1), ends))
}

/// Every frame between endpoints, from `from` to `to`.
pub(super) fn every_kind(to: Endpoint, from: Endpoint) -> Vec<u8> {
    let own = address(SENDER, (SENDER, 4000));
    [
        message(to, from, (0, 1), &[]),
        between(kind::END, to, from, &[0]),
        between(kind::PREV_IS, to, from, &own),
        between(kind::CREDIT, to, from, &count(u64::MAX, u64::MAX)),
        between(kind::ACCEPTED, to, from, &[]),
        between(kind::BYPASS, to, from, &own),
        between(kind::ACK, to, from, &[]),
        between(kind::GONE, to, from, &[]),
        between(kind::PREV_IS_PLACE, to, from, &own),
    ]
    .concat()
}
