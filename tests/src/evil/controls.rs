//! Frames between nodes.

use crate::raw::{self, kind};
use mage::PeerMisbehaved;

use super::attack::End::{Fault, Nothing};
use super::attack::Part::{Guest, Inviter};
use super::attack::{Attack, declaring, many, one};

/// What nodes say to each other.
pub const CONTROLS: &[Attack] = &[
    Attack(
        "an introduction by a guest",
        Guest,
        |known| vec![(declaring(raw::frame(kind::INTRODUCE, &known.nobody), 1), 1)],
        Fault(PeerMisbehaved::NotBroker),
    ),
    Attack(
        "a failed introduction by a guest",
        Guest,
        |known| one(raw::frame(kind::INTRODUCTION_FAILED, &known.honest)),
        Fault(PeerMisbehaved::NotBroker),
    ),
    Attack(
        "an admission by a guest",
        Guest,
        |known| vec![(declaring(raw::frame(kind::ADMIT, &[&[1; 8][..], &known.nobody].concat()), 1), 1)],
        Fault(PeerMisbehaved::NotBroker),
    ),
    Attack(
        "a refusal by a guest",
        Guest,
        |_| one(raw::frame(kind::REFUSE_ADMISSION, &[1; 8])),
        Fault(PeerMisbehaved::NotBroker),
    ),
    Attack(
        "to be introduced to itself",
        Guest,
        |known| one(raw::frame(kind::REQUEST_INTRODUCTION, &known.me)),
        Fault(PeerMisbehaved::NotYourBroker),
    ),
    Attack(
        "to be introduced to the broker",
        Guest,
        |known| one(raw::frame(kind::REQUEST_INTRODUCTION, &known.victim)),
        Fault(PeerMisbehaved::NotYourBroker),
    ),
    Attack(
        "to be introduced to nobody",
        Guest,
        |known| many((0..1000).map(|_| raw::frame(kind::REQUEST_INTRODUCTION, &known.nobody))),
        Nothing(0),
    ),
    Attack(
        "to be introduced again and again",
        Guest,
        |known| many((0..1000).map(|_| raw::frame(kind::REQUEST_INTRODUCTION, &known.honest))),
        Nothing(0),
    ),
    Attack(
        "to be introduced by no broker",
        Inviter,
        |known| one(raw::frame(kind::REQUEST_INTRODUCTION, &known.honest)),
        Fault(PeerMisbehaved::NotYourBroker),
    ),
    Attack(
        "to be admitted by no broker",
        Inviter,
        |_| one(raw::frame(kind::REQUEST_ADMISSION, &[1; 8])),
        Fault(PeerMisbehaved::NotYourBroker),
    ),
    Attack(
        "the victim introduced to itself",
        Inviter,
        |known| vec![(declaring(raw::frame(kind::INTRODUCE, &known.victim), 1), 1)],
        Fault(PeerMisbehaved::NotBroker),
    ),
    Attack(
        "the broker introduces itself",
        Inviter,
        |known| vec![(declaring(raw::frame(kind::INTRODUCE, &known.me), 1), 1)],
        Fault(PeerMisbehaved::NotBroker),
    ),
    Attack(
        "an introduction without a socket",
        Inviter,
        |known| one(raw::frame(kind::INTRODUCE, &known.nobody)),
        Fault(PeerMisbehaved::MissingHandles),
    ),
    Attack(
        "an introduction with two",
        Inviter,
        |known| vec![(declaring(raw::frame(kind::INTRODUCE, &known.nobody), 2), 2)],
        Fault(PeerMisbehaved::UnexpectedHandles),
    ),
    Attack(
        "the honest node of another network, introduced",
        Inviter,
        |known| vec![(declaring(raw::frame(kind::INTRODUCE, &known.honest), 1), 1)],
        Nothing(0),
    ),
    Attack(
        "the honest node of another network, out of reach",
        Inviter,
        |known| one(raw::frame(kind::INTRODUCTION_FAILED, &known.honest)),
        Nothing(0),
    ),
    Attack(
        "an admission that nobody asked for",
        Inviter,
        |known| vec![(declaring(raw::frame(kind::ADMIT, &[&[1; 8][..], &known.nobody].concat()), 1), 1)],
        Nothing(0),
    ),
    Attack(
        "an admission under the honest node's name",
        Inviter,
        |known| vec![(declaring(raw::frame(kind::ADMIT, &[&[1; 8][..], &known.honest].concat()), 1), 1)],
        Fault(PeerMisbehaved::InvalidName),
    ),
    Attack(
        "a refusal that nobody asked for",
        Inviter,
        |_| {
            many((0..=u8::MAX).map(|guest| raw::frame(kind::REFUSE_ADMISSION, &[guest, 0, 0, 0, 0, 0, 0, 0])))
        },
        Nothing(0),
    ),
    Attack(
        "more introductions than there are descriptors",
        Inviter,
        |_| {
            (0..3000_u32)
                .map(|number| {
                    (
                        declaring(
                            raw::frame(kind::INTRODUCE, &[&number.to_le_bytes()[..], &[9; 12]].concat()),
                            1,
                        ),
                        1,
                    )
                })
                .collect()
        },
        Nothing(0),
    ),
];
