//! Messages, and the ends in them.

use crate::raw::{self, kind};
use mage::{PeerMisbehaved, Why};

use super::attack::End::{Fault, Nothing, Pipe};
use super::attack::Part::{Guest, Inviter};
use super::attack::{
    Attack, GRANTED, LIMIT, ORIGIN, PIPE, READ, RECEIVER, SENDER, SENT, address, between, carrying,
    contradicting, elsewhere, endpoint, many, message, one, sending_to,
};

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
