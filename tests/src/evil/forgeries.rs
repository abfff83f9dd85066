//! Frames between endpoints that nobody has given the peer a right to.

use crate::raw::{self, kind};
use mage::Why;

use super::attack::End::{Nothing, Pipe};
use super::attack::Part::{Guest, Inviter};
use super::attack::{
    Attack, RECEIVER, SENDER, address, between, count, elsewhere, every_kind, many, message, one,
};

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
        "credit for five windows",
        Inviter,
        |known| one(between(kind::CREDIT, known.to, known.prev, &count(1024, 5 * (8 << 20)))),
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
