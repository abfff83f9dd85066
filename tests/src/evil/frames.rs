//! Frames that are none, and frames that come in an odd way.

use crate::raw::{self, kind};
use mage::{PeerMisbehaved, Why};

use super::attack::End::{Fault, Nothing, PipeFor};
use super::attack::Part::{Guest, Inviter};
use super::attack::{Attack, between, carrying, declaring, elsewhere, many, message, one, with_byte};

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
