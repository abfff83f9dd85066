//! Frames that are none, frames between nodes, and floods.

use crate::raw::{self, kind};
use mage::{PeerMisbehaved, Why};

use super::attacks::End::{Fault, Nothing, PipeFor};
use super::attacks::Part::{Guest, Inviter};
use super::attacks::{
    Attack, GRANTED, SENDER, address, between, carrying, declaring, elsewhere, endpoint, every_kind, many,
    message, one, sending_to, with_byte,
};

/// Frames that are none, and frames that come in an odd way.
pub const FRAMES: &[Attack] = &[
    Attack("length nought", Inviter, |_| one(vec![0; 8]), Fault(PeerMisbehaved::FrameLength)),
    Attack(
        "4 GiB",
        Guest,
        |_| one(raw::header(u32::MAX, kind::USER, 1, 0).to_vec()),
        Fault(PeerMisbehaved::FrameLength),
    ),
    Attack(
        "4 GiB to be skipped",
        Guest,
        |_| one(raw::header(u32::MAX, 250, 0, 0).to_vec()),
        Fault(PeerMisbehaved::FrameLength),
    ),
    Attack("the kind nought", Inviter, |_| one(raw::frame(0, &[])), Fault(PeerMisbehaved::UnknownFrame)),
    Attack(
        "an unknown kind that matters",
        Guest,
        |_| one(raw::frame(200, &[1; 100])),
        Fault(PeerMisbehaved::UnknownFrame),
    ),
    Attack(
        "unknown kinds that do not",
        Inviter,
        |_| {
            many((0..500).map(|number: u16| {
                with_byte(raw::header(8, 41 + (number % 200) as u8, 0xfe, 0).to_vec(), 7, 0xff)
            }))
        },
        Nothing(0),
    ),
    Attack(
        "a skipped frame's handles",
        Inviter,
        |_| (0..100).map(|_| (raw::header(8, 250, 0, 64).to_vec(), 64)).collect(),
        Nothing(0),
    ),
    Attack(
        "an unknown flag",
        Inviter,
        |known| one(with_byte(message(known.to, known.prev, (0, 1), &[]), 5, 5)),
        Fault(PeerMisbehaved::FieldValue),
    ),
    Attack(
        "no flag",
        Inviter,
        |known| one(with_byte(message(known.to, known.prev, (0, 1), &[]), 5, 0)),
        Fault(PeerMisbehaved::FieldValue),
    ),
    Attack(
        "the reserved byte",
        Inviter,
        |known| one(with_byte(message(known.to, known.prev, (0, 1), &[]), 7, 1)),
        Fault(PeerMisbehaved::FieldValue),
    ),
    Attack(
        "an unknown tag",
        Guest,
        |known| one(with_byte(message(known.to, known.prev, (0, 1), &[]), 8, 3)),
        Fault(PeerMisbehaved::FieldValue),
    ),
    Attack(
        "a name where a tag does",
        Guest,
        |known| one(between(kind::BYPASS, known.to, known.peer, &elsewhere(known.victim, 1))),
        Fault(PeerMisbehaved::FieldValue),
    ),
    Attack(
        "nobody's name",
        Inviter,
        |known| one(between(kind::BYPASS, known.to, known.peer, &elsewhere([0; 16], 1))),
        Fault(PeerMisbehaved::InvalidName),
    ),
    Attack("a hello again", Guest, |_| one(raw::accepts()), Fault(PeerMisbehaved::WrongStage)),
    Attack(
        "a welcome from the guest",
        Guest,
        |_| one(raw::welcome(&[raw::descriptor(1)])),
        Fault(PeerMisbehaved::WrongStage),
    ),
    Attack(
        "handles that do not come",
        Inviter,
        |known| one(declaring(message(known.to, known.prev, (0, 1), &[]), 3)),
        Fault(PeerMisbehaved::MissingHandles),
    ),
    Attack(
        "handles that nobody declares",
        Inviter,
        |known| vec![(message(known.to, known.prev, (0, 1), &[]), 253)],
        Fault(PeerMisbehaved::UnexpectedHandles),
    ),
    Attack(
        "too many handles",
        Guest,
        |known| vec![(declaring(message(known.to, known.prev, (0, 1), &[]), 65), 65)],
        Fault(PeerMisbehaved::TooManyAttachments),
    ),
    Attack(
        "too many ends",
        Inviter,
        |known| carrying(known, &(2..67).map(raw::descriptor).collect::<Vec<_>>()),
        Fault(PeerMisbehaved::TooManyAttachments),
    ),
    Attack(
        "handles for an acknowledgement",
        Guest,
        |known| vec![(declaring(between(kind::ACK, known.to, known.prev, &[]), 1), 1)],
        Fault(PeerMisbehaved::UnexpectedHandles),
    ),
    Attack(
        "more handles than a pipe, or the process, has room for",
        Inviter,
        |known| {
            (0..40)
                .map(|number| (declaring(message(known.to, known.prev, (number, 1), &[]), 64), 64))
                .collect()
        },
        // It depends on how fast the victim reads, and it keeps what it has read.
        PipeFor([Why::BrokenRules, Why::HandlesLost]),
    ),
    Attack(
        "a byte at a time",
        Guest,
        |known| {
            message(known.to, known.prev, (0, 1), &[raw::descriptor(9)])
                .into_iter()
                .map(|byte| (vec![byte], 0))
                .collect()
        },
        Nothing(1),
    ),
];

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

/// More of it than anybody takes.
pub const FLOODS: &[Attack] = &[
    Attack(
        "questions whose answers it never reads",
        Inviter,
        |known| {
            vec![(between(kind::BYPASS, (SENDER, 99), known.peer, &address(SENDER, (SENDER, 3))), 0); 300_000]
        },
        Fault(PeerMisbehaved::TooManyRequests),
    ),
    Attack(
        "introductions whose refusals it never reads",
        Guest,
        |known| vec![(raw::frame(kind::REQUEST_INTRODUCTION, &known.nobody), 0); 300_000],
        Fault(PeerMisbehaved::TooManyRequests),
    ),
    Attack(
        "admissions that it never reads",
        Guest,
        |_| vec![(raw::frame(kind::REQUEST_ADMISSION, &[3; 8]), 0); 300_000],
        Fault(PeerMisbehaved::TooManyRequests),
    ),
    Attack(
        "what has to be held, from one stranger",
        Inviter,
        |known| vec![(message(known.to, (SENDER, 4000), (0, 1), &[]), 0); 200_000],
        Nothing(0),
    ),
    Attack(
        "what has to be held, from many strangers",
        Inviter,
        |known| many((0..50_000).map(|number| every_kind(known.to, (SENDER, 4000 + number)))),
        Nothing(0),
    ),
    Attack(
        "what has to be held, from strangers whose makers never were",
        Inviter,
        |known| {
            let stranger = |number: u32| {
                let maker = [&[2][..], &number.to_le_bytes(), &[6; 12], &1_u64.to_le_bytes()].concat();
                let (sequence, hops, no_ends) = (0_u64.to_le_bytes(), 1_u16.to_le_bytes(), [0]);
                let body = [&endpoint(known.to)[..], &maker, &sequence, &hops, &no_ends].concat();
                raw::frame(kind::USER, &body)
            };
            many((0..100_000).map(stranger))
        },
        Nothing(0),
    ),
    Attack(
        "a window that nobody keeps",
        Inviter,
        |known| {
            let most = (8_u64 << 30).to_le_bytes();
            let mut end = raw::descriptor(2);
            end[GRANTED + 8..GRANTED + 16].copy_from_slice(&most);
            let mut said = vec![(message(known.to, known.prev, (0, 1), &[end]), 0)];
            said.extend((0..200).map(|number| {
                let mut large = message((SENDER, 2), (SENDER, 2), (number, 1), &[]);
                large.resize(large.len() + (1 << 20), 7);
                let length = u32::try_from(large.len()).expect("a frame is shorter");
                large[..4].copy_from_slice(&length.to_le_bytes());
                (large, 0)
            }));
            said
        },
        Nothing(1),
    ),
    Attack(
        "ends whose pipes begin at nodes that never were",
        Inviter,
        |known| {
            let ends = |first: u64| {
                (first..first + 64)
                    .map(|number| {
                        let mut name = [5; 16];
                        name[..8].copy_from_slice(&number.to_le_bytes());
                        sending_to(number, &elsewhere(name, number))
                    })
                    .collect::<Vec<_>>()
            };
            (0..200)
                .map(|number| (message(known.to, known.prev, (number, 1), &ends(2 + 64 * number)), 0))
                .collect()
        },
        Nothing(200),
    ),
];
