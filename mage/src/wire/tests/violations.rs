//! Every way in which bytes can be wrong, by the name it is reported under.

use std::collections::VecDeque;

use super::samples::{
    ALICE, BOB, CAROL, Handle, all, at_bob, between, descriptor, hello, node, sample, user, welcome,
};
use super::{batches, decoded, decoded_with, encoded, fault, whole};
use crate::core::{Body, Control, Frame};
use crate::error::PeerMisbehaved;
use crate::limits::{FRAME_BYTES_CAP, Limits};
use crate::wire::{Batch, Decoded, Names, PAYLOAD_BYTES_CAP, check_arrived, decode, decode_first};

/// A sample's bytes, with some of them replaced.
fn changed(frame: Frame<Handle>, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (mut bytes, _) = encoded(frame);
    change(&mut bytes);
    bytes
}

/// The same, and the length in the header is put right.
fn resized(frame: Frame<Handle>, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    changed(frame, |bytes| {
        change(bytes);
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_le_bytes());
    })
}

fn header(length: u32, kind: u8, flags: u8, handles: u8) -> Vec<u8> {
    [&length.to_le_bytes()[..], &[kind, flags, handles, 0]].concat()
}

#[test]
fn not_mage() {
    let first = |input: &[u8]| {
        decode_first::<Handle>(input, &mut VecDeque::new(), &Limits::default()).expect_err("no handshake")
    };
    for stranger in ["GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\x00", "\0", "mage", "SSH-2.0-"] {
        assert_eq!(first(stranger.as_bytes()), PeerMisbehaved::NotMage);
    }
    // A frame that would be right later is not right first.
    let (ack, _) = encoded(between(Body::Ack));
    assert_eq!(first(&ack), PeerMisbehaved::NotMage);
    // A hello in the middle of a link has to be one, too.
    assert_eq!(fault(&changed(hello(), |bytes| bytes[8] ^= 1)), PeerMisbehaved::NotMage);
}

#[test]
fn frame_length() {
    for length in [0, 1, 7, FRAME_BYTES_CAP + 1, u32::MAX] {
        for kind in [32, 38, 200] {
            assert_eq!(fault(&header(length, kind, 1, 0)), PeerMisbehaved::FrameLength);
        }
    }
    // Each kind has its own maximum, known from the header alone.
    let welcome = 60 + 64 * 230;
    let most_bytes = [(1, 255), (2, welcome), (3, 24), (4, 24), (5, 24), (6, 16), (7, 32), (8, 16)];
    for (kind, most) in most_bytes.into_iter().chain([(33, 59), (34, 100), (35, 74), (38, 58)]) {
        let handles = u8::from(matches!(kind, 4 | 7));
        assert_eq!(fault(&header(most + 1, kind, 1, handles)), PeerMisbehaved::FrameLength, "kind {kind}");
        let waits = decoded(&header(most, kind, 1, handles)).unwrap();
        assert!(matches!(waits, Decoded::NeedBytes(needed) if needed == most as usize), "kind {kind}");
    }
    // What is skipped is small.
    assert_eq!(fault(&header((64 << 10) + 1, 200, 0, 0)), PeerMisbehaved::FrameLength);
    assert!(matches!(decoded(&header(64 << 10, 200, 0, 0)), Ok(Decoded::NeedBytes(_))));
}

#[test]
fn frame_length_follows_the_limits_of_the_node() {
    let limits = Limits { message_bytes_max: 10, ..Limits::default() };
    let try_decode = |input: &[u8]| decode::<Handle>(input, at_bob(), &mut VecDeque::new(), &limits);
    let overhead = 69 + 64 * 165;
    assert_eq!(try_decode(&header(10 + overhead + 1, 32, 1, 0)).unwrap_err(), PeerMisbehaved::FrameLength);
    assert!(matches!(try_decode(&header(10 + overhead, 32, 1, 0)), Ok(Decoded::NeedBytes(_))));
    // Room that was left for pipes is no room for payload.
    let (fits, _) = encoded(user(vec![0; 10], vec![], vec![]));
    assert_eq!(whole(try_decode(&fits).unwrap()).1, fits.len());
    let (larger, _) = encoded(user(vec![0; 11], vec![], vec![]));
    assert_eq!(try_decode(&larger).unwrap_err(), PeerMisbehaved::FrameLength);
    // And limits without bound are bounded by the format.
    let limits = Limits { message_bytes_max: usize::MAX, ..Limits::default() };
    let waits = decode::<Handle>(&header(FRAME_BYTES_CAP, 32, 1, 0), at_bob(), &mut VecDeque::new(), &limits);
    assert!(matches!(waits, Ok(Decoded::NeedBytes(needed)) if needed == FRAME_BYTES_CAP as usize));
    assert_eq!(PAYLOAD_BYTES_CAP + overhead as usize, FRAME_BYTES_CAP as usize);
}

#[test]
fn unknown_frame() {
    for kind in [0, 9, 31, 41, 255] {
        assert_eq!(fault(&header(8, kind, 1, 0)), PeerMisbehaved::UnknownFrame);
        assert_eq!(fault(&header(8, kind, 0xff, 0)), PeerMisbehaved::UnknownFrame);
        assert!(matches!(decoded(&header(8, kind, 0xfe, 0)), Ok(Decoded::Skip { bytes: 8, .. })));
    }
}

#[test]
fn frame_shape() {
    for (name, frame) in all() {
        if name.starts_with("User") || name == "Hello" {
            continue;
        }
        let longer = resized(frame, |bytes| bytes.push(0));
        let expected = if longer[4] < 32 && !name.starts_with("Welcome") {
            PeerMisbehaved::FrameLength
        } else {
            PeerMisbehaved::FrameShape
        };
        assert_eq!(fault(&longer), expected, "{name}");
    }
    for (name, frame) in all() {
        if name == "User" {
            continue;
        }
        let shorter = resized(frame, |bytes| bytes.truncate(bytes.len() - 8));
        assert_eq!(fault(&shorter), PeerMisbehaved::FrameShape, "{name}");
    }
    // More pipes are declared than there are bytes for, and a name that goes on behind the end of the frame.
    assert_eq!(fault(&changed(welcome(&[]), |bytes| bytes[59] = 1)), PeerMisbehaved::FrameShape);
    assert_eq!(fault(&changed(welcome(&[""]), |bytes| bytes[60] = 255)), PeerMisbehaved::FrameShape);
    let empty = || user(vec![], vec![], vec![]);
    assert_eq!(fault(&changed(empty(), |bytes| bytes[36] = 1)), PeerMisbehaved::FrameShape);
    assert_eq!(fault(&resized(empty(), |bytes| bytes.truncate(36))), PeerMisbehaved::FrameShape);
}

#[test]
fn field_value() {
    let changes: [(&str, Frame<Handle>, usize, u8); 14] = [
        ("a flag nobody knows", between(Body::Ack), 5, 5),
        ("handles that are lost, of a kind that has none", between(Body::Ack), 5, 3),
        ("handles that are lost, and here", user(vec![], vec![], vec![1]), 5, 3),
        ("a message of which only the handles are critical", user(vec![], vec![], vec![]), 5, 2),
        ("a known kind that may be skipped", between(Body::Ack), 5, 0),
        ("the reserved byte", between(Body::Ack), 7, 1),
        ("a creator that is nobody", between(Body::Ack), 8, 3),
        ("a role beside the two", hello(), 28, 2),
        ("versions in the wrong order", hello(), 24, 9),
        ("flags of a travelling end", user(vec![], vec![descriptor()], vec![]), 45, 4),
        ("the same in a welcome", welcome(&[""]), 69, 0x80),
        ("neither isolated nor not", welcome(&[]), 10, 2),
        ("a name of a pipe that is no text", welcome(&["audio"]), 61, 0xff),
        ("two pipes of one name", welcome(&["a", "b"]), 60 + 1 + 1 + 133 + 1, b'a'),
    ];
    for (what, frame, place, value) in changes {
        let bytes = changed(frame, |bytes| bytes[place] = value);
        assert_eq!(fault(&bytes), PeerMisbehaved::FieldValue, "{what}");
    }
    for label in ["x".repeat(65), "x".repeat(255)] {
        let long = resized(welcome(&[""]), |bytes| {
            bytes[60] = u8::try_from(label.len()).unwrap();
            bytes.splice(61..61, label.bytes());
        });
        assert_eq!(fault(&long), PeerMisbehaved::FieldValue, "a name that is too long");
    }
    // Who can be said in one byte may not be said in seventeen.
    for implied in [ALICE, BOB] {
        let long = resized(between(Body::Ack), |bytes| {
            bytes[8] = 2;
            bytes.splice(9..9, [implied; 16]);
        });
        assert_eq!(fault(&long), PeerMisbehaved::FieldValue);
    }
}

#[test]
fn invalid_name() {
    for name in ["RequestIntroduction", "Introduce", "IntroductionFailed"] {
        let nobody = changed(sample(name), |bytes| bytes[8..24].fill(0));
        assert_eq!(fault(&nobody), PeerMisbehaved::InvalidName, "{name}");
    }
    let nobody = changed(sample("Admit"), |bytes| bytes[16..32].fill(0));
    assert_eq!(fault(&nobody), PeerMisbehaved::InvalidName);
    let nobody = resized(between(Body::Ack), |bytes| {
        bytes[8] = 2;
        bytes.splice(9..9, [0; 16]);
    });
    assert_eq!(fault(&nobody), PeerMisbehaved::InvalidName);
    for field in [11..27, 27..43, 43..59] {
        let nobody = changed(welcome(&[]), |bytes| bytes[field].fill(0));
        assert_eq!(fault(&nobody), PeerMisbehaved::InvalidName);
    }
    // An inviter that gives away its own name.
    let twice = changed(welcome(&[]), |bytes| bytes[11..27].fill(ALICE));
    assert_eq!(fault(&twice), PeerMisbehaved::InvalidName);
}

#[test]
fn too_many_attachments() {
    assert_eq!(fault(&header(100, 32, 1, 65)), PeerMisbehaved::TooManyAttachments);
    assert_eq!(fault(&header(100, 200, 0, 65)), PeerMisbehaved::TooManyAttachments);
    let many = |place: usize, frame| changed(frame, |bytes: &mut Vec<u8>| bytes[place] = 65);
    assert_eq!(fault(&many(36, user(vec![], vec![], vec![]))), PeerMisbehaved::TooManyAttachments);
    assert_eq!(fault(&many(59, welcome(&[]))), PeerMisbehaved::TooManyAttachments);
}

#[test]
fn unexpected_handles() {
    for (name, frame) in all() {
        // A message may have any number of them, and a welcome may have one.
        if name.starts_with("User") || matches!(name, "Welcome" | "Welcome in isolation") {
            continue;
        }
        let one_more = changed(frame, |bytes| bytes[6] += 1);
        assert_eq!(fault(&one_more), PeerMisbehaved::UnexpectedHandles, "{name}");
    }
    // The link's own check, for handles that no frame declares.
    let (bytes, _) = encoded(user(vec![], vec![], vec![1, 2]));
    let judged = |length: usize, arrived: &[&[Handle]]| {
        let arrived = arrived.iter().flat_map(|handles| batches(handles.to_vec())).collect();
        check_arrived(&bytes[..length], &arrived)
    };
    let unexpected = Err(PeerMisbehaved::UnexpectedHandles);
    assert_eq!(judged(0, &[]), Ok(()));
    assert_eq!(judged(0, &[&[1]]), unexpected, "beside the last byte of another frame");
    assert_eq!(judged(6, &[&[1; 64]]), Ok(()), "it is not known yet how many there should be");
    assert_eq!(judged(6, &[&[1; 65]]), unexpected, "but so many are never right");
    assert_eq!(judged(7, &[&[1, 2]]), Ok(()));
    assert_eq!(judged(7, &[&[1, 2, 3]]), unexpected);
    assert_eq!(judged(7, &[&[1]]), Err(PeerMisbehaved::MissingHandles));
    assert_eq!(judged(7, &[&[1, 2], &[3]]), unexpected);
    assert_eq!(judged(7, &[&[1], &[2]]), unexpected, "all of them come at once");
    // However many fit into this process: more than declared were sent.
    for (count, fits) in [(0, true), (1, true), (2, false)] {
        let arrived = [Batch { handles: vec![1; count], truncated: true }].into();
        assert_eq!(check_arrived::<Handle>(&bytes[..7], &arrived), if fits { Ok(()) } else { unexpected });
    }
}

/// What this process had no room for is nobody's fault: something is left of most frames.
#[test]
fn what_is_left_without_handles() {
    let left = |bytes: &[u8]| {
        let mut arrived = [Batch { handles: Vec::new(), truncated: true }].into();
        decode::<Handle>(bytes, at_bob(), &mut arrived, &Limits::default()).expect("nobody is to blame")
    };
    let control = |name: &str| match left(&encoded(sample(name)).0) {
        Decoded::Frame { frame: Frame::Control(control), .. } => control,
        other => panic!("{name}: {other:?}"),
    };
    assert!(matches!(control("Introduce"), Control::IntroductionFailed { name } if name == node(CAROL)));
    assert!(matches!(control("Admit"), Control::RefuseAdmission { .. }));
    let welcome = changed(sample("Welcome"), |bytes| bytes[6] = 1);
    assert!(matches!(left(&welcome), Decoded::LostWelcome));
    let (message, _) = encoded(user(vec![1; 64], vec![], vec![7, 8]));
    let Decoded::Frame { frame, .. } = left(&message) else { panic!("a message without its handles is one") };
    assert!(frame.has_lost_handles());
}

#[test]
fn missing_handles() {
    for name in ["Introduce", "Admit"] {
        let none = changed(sample(name), |bytes| bytes[6] = 0);
        assert_eq!(fault(&none), PeerMisbehaved::MissingHandles, "{name}");
    }
    let skipped = [9, 0, 0, 0, 200, 0, 2, 0, 0];
    let (message, _) = encoded(user(vec![1; 64], vec![], vec![7, 8]));
    for input in [&skipped[..], &message] {
        let mut arrived = batches(vec![7]);
        let try_decode = |input: &[u8], arrived: &mut VecDeque<Batch<Handle>>| {
            decode(input, at_bob(), arrived, &Limits::default())
        };
        // Not before all bytes are there: descriptors come with the first of them, but nobody has to be strict.
        let waits = try_decode(&input[..input.len() - 1], &mut arrived);
        assert!(matches!(waits, Ok(Decoded::NeedBytes(_))));
        assert_eq!(try_decode(input, &mut arrived).unwrap_err(), PeerMisbehaved::MissingHandles);
    }
}

#[test]
fn wrong_stage() {
    let half = Names { them: None, ..at_bob() };
    for (name, frame) in all() {
        let (bytes, _) = encoded(frame);
        let precedes = name == "Hello" || name.starts_with("Welcome");
        for names in [Names::default(), half] {
            match decoded_with(&bytes, names) {
                Ok(_) => assert!(precedes, "{name}"),
                Err(fault) => assert!(!precedes && fault == PeerMisbehaved::WrongStage, "{name}: {fault}"),
            }
            // Known from the header: nothing of it is waited for.
            assert_eq!(decoded_with(&bytes[..8], names).is_ok(), precedes, "{name}");
        }
    }
    assert!(matches!(whole(decoded(&encoded(hello()).0).unwrap()).0, Frame::Control(Control::Hello(_))));
}
