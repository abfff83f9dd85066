//! What is said to the victim, a row for each attack.

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

fn count(messages: u64, bytes: u64) -> Vec<u8> {
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
const SENT: usize = 9;
const LIMIT: usize = 25;
const READ: usize = 41;
pub(super) const GRANTED: usize = 57;
/// The number of the pipe; who made it is one byte before.
const PIPE: usize = 74;
const PEER: usize = 82;
const ORIGIN: usize = 92;

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
use Part::{Guest, Inviter};

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

/// Frames between endpoints that nobody has given the peer a right to.
pub const FORGERIES: &[Attack] = &[
    Attack(
        "every frame to ends never given",
        Inviter,
        |_| many((2..200).map(|number| every_kind((SENDER, number), (SENDER, 4000)))),
        Nothing(0),
    ),
    Attack(
        "every frame to the victim's own ends",
        Inviter,
        |_| many((0..200).map(|number| every_kind((RECEIVER, number), (SENDER, 4000)))),
        Nothing(0),
    ),
    Attack(
        "every frame to a broker's own ends",
        Guest,
        |known| {
            many(
                (0..200)
                    .filter(|number| (RECEIVER, *number) != known.to)
                    .map(|number| every_kind((RECEIVER, number), (SENDER, 4000))),
            )
        },
        Nothing(0),
    ),
    Attack(
        "every frame from the victim's own names",
        Guest,
        |known| many((50..200).map(|number| every_kind(known.to, (RECEIVER, number)))),
        Nothing(0),
    ),
    Attack(
        "every frame from a stranger",
        Inviter,
        |known| one(every_kind(known.to, (SENDER, 4000))),
        Nothing(0),
    ),
    Attack(
        "an end accepted twice",
        Guest,
        |known| {
            many([
                between(kind::ACCEPTED, known.to, known.prev, &[]),
                between(kind::ACCEPTED, known.to, known.prev, &[]),
            ])
        },
        Nothing(0),
    ),
    Attack(
        "an acknowledgement of nothing",
        Inviter,
        |known| one(between(kind::ACK, known.to, known.prev, &[])),
        Nothing(0),
    ),
    Attack(
        "credit of the future",
        Inviter,
        |known| one(between(kind::CREDIT, known.to, known.prev, &count(u64::MAX, u64::MAX))),
        Pipe(Why::BrokenRules),
    ),
    Attack(
        "credit of the past",
        Inviter,
        |known| one(between(kind::CREDIT, known.to, known.prev, &count(0, 0))),
        Nothing(0),
    ),
    Attack(
        "an end that is to send to itself",
        Inviter,
        |known| one(between(kind::BYPASS, known.to, known.peer, &address(RECEIVER, known.to))),
        Nothing(0),
    ),
    Attack(
        "an end that is to send to the honest one",
        Inviter,
        |known| {
            many(
                (0..20).map(|number| {
                    between(kind::BYPASS, known.to, known.peer, &elsewhere(known.honest, number))
                }),
            )
        },
        Nothing(0),
    ),
    Attack(
        "an end that is to send to nobody",
        Inviter,
        |known| one(between(kind::BYPASS, known.to, known.peer, &elsewhere(known.nobody, 1))),
        Nothing(0),
    ),
    Attack(
        "an end that is to hear itself",
        Inviter,
        |known| one(between(kind::PREV_IS, known.to, known.prev, &address(RECEIVER, known.to))),
        Pipe(Why::PeerDied),
    ),
    Attack(
        "an end that is to hear nobody",
        Inviter,
        |known| {
            many([
                between(kind::PREV_IS, known.to, known.prev, &elsewhere(known.nobody, 1)),
                raw::frame(kind::INTRODUCTION_FAILED, &known.nobody),
            ])
        },
        Pipe(Why::Unreachable),
    ),
    Attack(
        "a guest names a node that never was",
        Guest,
        |known| one(between(kind::PREV_IS, known.to, known.prev, &elsewhere(known.nobody, 1))),
        Pipe(Why::PeerDied),
    ),
    Attack(
        "successors in circles",
        Inviter,
        |known| {
            many((0..5000).flat_map(|_| {
                [
                    between(kind::PREV_IS, known.to, known.prev, &address(SENDER, (SENDER, 70))),
                    between(kind::PREV_IS_PLACE, known.to, (SENDER, 70), &address(SENDER, known.prev)),
                ]
            }))
        },
        Nothing(0),
    ),
    Attack(
        "it is gone, says its sender",
        Inviter,
        |known| one(between(kind::GONE, known.to, known.prev, &[])),
        Pipe(Why::PeerDied),
    ),
    Attack(
        "a message behind the end",
        Inviter,
        |known| {
            many([between(kind::END, known.to, known.prev, &[0]), message(known.to, known.prev, (0, 1), &[])])
        },
        Pipe(Why::Closed),
    ),
    Attack(
        "the end replayed",
        Guest,
        |known| many((0..500).map(|_| between(kind::END, known.to, known.prev, &[4]))),
        Pipe(Why::Rejected),
    ),
];

/// Messages, and the ends in them.
pub const MESSAGES: &[Attack] = &[
    Attack(
        "a gap",
        Inviter,
        |known| {
            many([message(known.to, known.prev, (0, 1), &[]), message(known.to, known.prev, (2, 1), &[])])
        },
        Pipe(Why::BrokenRules),
    ),
    Attack(
        "a replay",
        Guest,
        |known| {
            many([message(known.to, known.prev, (0, 1), &[]), message(known.to, known.prev, (0, 1), &[])])
        },
        Pipe(Why::BrokenRules),
    ),
    Attack(
        "the last number there is",
        Inviter,
        |known| one(message(known.to, known.prev, (u64::MAX, 1), &[])),
        Pipe(Why::BrokenRules),
    ),
    Attack(
        "more than the window",
        Inviter,
        |known| many((0..1500).map(|number| message(known.to, known.prev, (number, 1), &[]))),
        Pipe(Why::BrokenRules),
    ),
    Attack(
        "no hops",
        Guest,
        |known| one(message(known.to, known.prev, (0, 0), &[])),
        Fault(PeerMisbehaved::HopCount),
    ),
    Attack(
        "hops beyond the last",
        Inviter,
        |known| one(message(known.to, known.prev, (0, 1026), &[])),
        Fault(PeerMisbehaved::HopCount),
    ),
    Attack(
        "all the hops there are",
        Inviter,
        |known| one(message(known.to, known.prev, (0, u16::MAX), &[])),
        Fault(PeerMisbehaved::HopCount),
    ),
    Attack(
        "the last hop, with nothing",
        Inviter,
        |known| one(message(known.to, known.prev, (0, 1025), &[])),
        Nothing(1),
    ),
    Attack(
        "the last hop, with an end",
        Inviter,
        |known| one(message(known.to, known.prev, (0, 1025), &[raw::descriptor(2)])),
        Pipe(Why::Circular),
    ),
    Attack(
        "an end's number used twice",
        Inviter,
        |known| carrying(known, &[raw::descriptor(1)]),
        Fault(PeerMisbehaved::EndpointNameReused),
    ),
    Attack(
        "an end's number twice in a message",
        Guest,
        |known| carrying(known, &[raw::descriptor(5), raw::descriptor(5)]),
        Fault(PeerMisbehaved::EndpointNameReused),
    ),
    Attack(
        "numbers that fall",
        Guest,
        |known| carrying(known, &[raw::descriptor(5), raw::descriptor(4)]),
        Fault(PeerMisbehaved::EndpointNameReused),
    ),
    Attack(
        "number nought",
        Guest,
        |known| carrying(known, &[raw::descriptor(0)]),
        Fault(PeerMisbehaved::EndpointNameReused),
    ),
    Attack(
        "the last number of an end",
        Guest,
        |known| carrying(known, &[contradicting(1, 0, u64::MAX)]),
        Nothing(1),
    ),
    Attack(
        "more sent than allowed",
        Inviter,
        |known| carrying(known, &[contradicting(2, SENT, 5000)]),
        Fault(PeerMisbehaved::DescriptorNumbers),
    ),
    Attack(
        "more read than granted",
        Inviter,
        |known| carrying(known, &[contradicting(2, READ, 5000)]),
        Fault(PeerMisbehaved::DescriptorNumbers),
    ),
    Attack(
        "a limit without end",
        Inviter,
        |known| carrying(known, &[contradicting(2, LIMIT, u64::MAX)]),
        Fault(PeerMisbehaved::DescriptorNumbers),
    ),
    Attack(
        "bytes without end",
        Inviter,
        |known| carrying(known, &[contradicting(2, LIMIT + 8, u64::MAX)]),
        Fault(PeerMisbehaved::DescriptorNumbers),
    ),
    Attack(
        "granted without end",
        Inviter,
        |known| carrying(known, &[contradicting(2, GRANTED, u64::MAX)]),
        Fault(PeerMisbehaved::DescriptorNumbers),
    ),
    Attack(
        "more bytes sent than allowed",
        Inviter,
        |known| carrying(known, &[contradicting(2, SENT + 8, u64::MAX)]),
        Fault(PeerMisbehaved::DescriptorNumbers),
    ),
    Attack(
        "an end that sends to itself",
        Inviter,
        |known| carrying(known, &[sending_to(2, &address(RECEIVER, (SENDER, 2)))]),
        Nothing(1),
    ),
    Attack(
        "an end that sends to its carrier",
        Inviter,
        |known| carrying(known, &[sending_to(2, &address(RECEIVER, known.to))]),
        Nothing(1),
    ),
    Attack(
        "ends that send to the victim's",
        Inviter,
        |known| {
            carrying(
                known,
                &(0..40)
                    .map(|number| sending_to(2 + number, &address(RECEIVER, (RECEIVER, number))))
                    .collect::<Vec<_>>(),
            )
        },
        Nothing(1),
    ),
    Attack(
        "ends that send to the honest node's",
        Inviter,
        |known| {
            carrying(
                known,
                &(0..40)
                    .map(|number| sending_to(2 + number, &elsewhere(known.honest, number)))
                    .collect::<Vec<_>>(),
            )
        },
        Nothing(1),
    ),
    Attack(
        "a guest's ends that send to the honest node's",
        Guest,
        |known| {
            carrying(
                known,
                &(1..40)
                    .map(|number| {
                        sending_to(number, &[&[2][..], &known.honest, &endpoint((RECEIVER, number))].concat())
                    })
                    .collect::<Vec<_>>(),
            )
        },
        Nothing(1),
    ),
    Attack(
        "ends that send to nobody",
        Guest,
        |known| {
            carrying(
                known,
                &(1..40)
                    .map(|number| sending_to(number, &elsewhere(known.nobody, number)))
                    .collect::<Vec<_>>(),
            )
        },
        Nothing(1),
    ),
    Attack(
        "an old place that is its own new one",
        Inviter,
        |known| carrying(known, &[[&raw::descriptor(2)[..ORIGIN], &endpoint((SENDER, 2))].concat()]),
        Nothing(1),
    ),
    Attack(
        "an old place of the victim's naming",
        Inviter,
        |known| carrying(known, &[[&raw::descriptor(2)[..ORIGIN], &endpoint((RECEIVER, 1))].concat()]),
        Nothing(1),
    ),
    Attack(
        "ends within ends",
        Inviter,
        |known| {
            let inner =
                |number| message((SENDER, number), (SENDER, number), (0, 1), &[raw::descriptor(number + 1)]);
            many(
                [message(known.to, known.prev, (0, 1), &[raw::descriptor(2)])]
                    .into_iter()
                    .chain((2..40).map(inner)),
            )
        },
        Nothing(1),
    ),
    Attack(
        "a pipe over itself by a detour",
        Inviter,
        |known| {
            many([
                message(known.to, known.prev, (0, 1), &[sending_to(2, &address(RECEIVER, known.to))]),
                between(kind::PREV_IS, (SENDER, 2), (SENDER, 2), &address(RECEIVER, known.to)),
                between(kind::BYPASS, known.to, known.peer, &address(RECEIVER, (SENDER, 2))),
            ])
        },
        Nothing(1),
    ),
    Attack(
        "two pipes that carry each other",
        Inviter,
        |known| {
            let over = |carrier: u64, carried: u64, number: u64| {
                let mut end = sending_to(number, &address(RECEIVER, (SENDER, carried)));
                end[PIPE..PIPE + 8].copy_from_slice(&carried.to_le_bytes());
                message((SENDER, carrier), (SENDER, carrier), (0, 1), &[end])
            };
            let both = message(known.to, known.prev, (0, 1), &[raw::descriptor(2), raw::descriptor(3)]);
            many([both, over(2, 3, 4), over(3, 2, 5)])
        },
        Nothing(1),
    ),
];
