//! What holds for every frame and for all bytes.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;

use super::samples::{
    Handle, all, any_frame, at_alice, at_bob, endpoint, hello, node, same, sample, seen, user, welcome,
};
use super::{batches, decoded, doubled, encoded, whole};
use crate::core::{Body, Control, Descriptor, Ends, Frame, Mask, NodeName, PipeLabel, Welcome};
use crate::error::PeerMisbehaved;
use crate::limits::{FRAME_BYTES_CAP, Limits, MESSAGE_HANDLES_MAX};
use crate::wire::header::{CRITICAL, HEADER_BYTES, HELLO_BYTES, Kind};
use crate::wire::{Batch, Decoded, Names, check_arrived, decode, decode_first, encode, lose_handles};

/// Memory that a decoded frame holds beside itself.
fn bytes_held(frame: &Frame<Handle>) -> usize {
    match frame {
        Frame::Endpoint { body: Body::User(parcel), .. } => {
            let Ends::Moved(ends) = &parcel.ends else { panic!("ends that did not travel") };
            parcel.bytes.capacity() + ends.capacity() * size_of::<Descriptor>()
        }
        Frame::Control(Control::Welcome(Welcome { pipes, .. })) => {
            let labels: usize = pipes.iter().map(|(label, _)| label.as_str().len()).sum();
            labels + pipes.capacity() * size_of::<(PipeLabel, Descriptor)>()
        }
        _ => 0,
    }
}

fn count(handles: &VecDeque<Batch<Handle>>) -> u32 {
    handles.iter().map(|batch| u32::try_from(batch.handles.len()).unwrap()).sum()
}

/// Whether the very same bytes must come out again: not where newer peers are tolerated.
fn is_canonical(frame: &Frame<Handle>, bytes: usize) -> bool {
    match frame {
        Frame::Control(Control::Hello(_)) => bytes == HELLO_BYTES,
        Frame::Endpoint { body: Body::End(_), .. } => false,
        _ => true,
    }
}

/// Everything that must hold whatever has arrived.
fn check_any_input(input: &[u8], handles_arrived: u32) {
    for truncated in [false, true] {
        check_any_input_with(input, handles_arrived, truncated);
    }
}

fn check_any_input_with(input: &[u8], handles_arrived: u32, truncated: bool) {
    let batch = || Batch { handles: (0..handles_arrived).collect(), truncated };
    let arrived = || if handles_arrived > 0 || truncated { [batch()].into() } else { VecDeque::new() };
    let names = at_bob();
    let _ = decode_first(input, &mut arrived(), &Limits::default());
    let _ = decode(input, Names::default(), &mut arrived(), &Limits::default());
    let mut handles: VecDeque<Batch<Handle>> = arrived();
    let batches = handles.len();
    match decode(input, names, &mut handles, &Limits::default()) {
        Ok(Decoded::NeedBytes(needed)) => {
            assert!(needed > input.len() && needed <= FRAME_BYTES_CAP as usize);
            assert_eq!(handles.len(), batches, "a frame took handles and did not come");
            let _ = check_arrived(input, &handles);
        }
        Ok(Decoded::Skip { bytes, handles: taken }) => {
            assert!((HEADER_BYTES..=input.len()).contains(&bytes));
            assert!(taken.len() <= MESSAGE_HANDLES_MAX);
        }
        Ok(Decoded::LostWelcome) => assert!(truncated && input[4] == Kind::Welcome.number()),
        Ok(Decoded::Frame { frame, bytes }) => {
            assert!((HEADER_BYTES..=input.len()).contains(&bytes));
            assert!(bytes_held(&frame) <= 2 * bytes, "{} of memory for {bytes}", bytes_held(&frame));
            if is_canonical(&frame, bytes) && (handles.len() == batches || !truncated) {
                let names = match &frame {
                    Frame::Control(Control::Welcome(welcome)) => Names::of_acceptor(welcome, names.mask),
                    _ => names,
                };
                let (again, _) = encoded(seen(frame, names));
                assert_eq!(again, input[..bytes]);
            }
        }
        Err(_) => {}
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(frame in any_frame()) {
        let (bytes, mut handles) = encoded(frame);
        for length in 0..bytes.len() {
            prop_assert_eq!(check_arrived(&bytes[..length], &handles).is_ok(), length > 0 || handles.is_empty());
        }
        let arrived = decode(&bytes, at_bob(), &mut handles, &Limits::default()).unwrap();
        let (at_receiver, taken) = whole(arrived);
        prop_assert_eq!(taken, bytes.len());
        prop_assert!(handles.is_empty());

        // What has arrived is what was sent, seen from the other end; and there and back it is the same.
        let back = seen(at_receiver, at_bob());
        let (again, mut handles) = encoded(back);
        prop_assert_eq!(&again, &bytes);
        let arrived = decode(&again, at_bob(), &mut handles, &Limits::default()).unwrap();
        let (once_more, _) = whole(arrived);
        let (bytes, _) = encoded(seen(once_more, at_bob()));
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn the_receiver_sees_the_frame_with_its_own_eyes((frame, twin) in twins()) {
        let (bytes, mut handles) = encoded(frame);
        let arrived = decode(&bytes, at_bob(), &mut handles, &Limits::default()).unwrap();
        let (arrived, _) = whole(arrived);
        let expected = seen(twin, at_alice());
        prop_assert!(same(&arrived, &expected), "{arrived:?} is not {expected:?}");
    }

    #[test]
    fn truncation_asks_for_more(frame in any_frame()) {
        let (bytes, mut waiting) = encoded(frame);
        let batches = waiting.len();
        for length in 0..bytes.len() {
            let start = &bytes[..length];
            match decode(start, at_bob(), &mut waiting, &Limits::default()).unwrap() {
                Decoded::NeedBytes(needed) => prop_assert!(needed > length && needed <= bytes.len()),
                other => prop_assert!(false, "{length} of {} bytes make {other:?}", bytes.len()),
            }
            prop_assert_eq!(waiting.len(), batches);
        }
    }

    #[test]
    fn frames_are_taken_one_by_one(frames in vec(any_frame(), 1..5)) {
        let (mut bytes, mut handles, mut lengths) = (Vec::new(), VecDeque::new(), Vec::new());
        for frame in frames {
            let (before, mut own) = (bytes.len(), Vec::new());
            encode(frame, at_alice(), &mut bytes, &mut own);
            handles.extend(batches(own));
            lengths.push(bytes.len() - before);
        }
        let mut input = &bytes[..];
        for length in lengths {
            let (_, taken) = whole(decode(input, at_bob(), &mut handles, &Limits::default()).unwrap());
            prop_assert_eq!(taken, length);
            input = &input[taken..];
        }
        prop_assert!(handles.is_empty() && input.is_empty());
    }

    #[test]
    fn random_bytes_do_no_harm(input in vec(any::<u8>(), 0..400), handles in 0..70_u32) {
        check_any_input(&input, handles);
    }

    #[test]
    fn random_bodies_do_no_harm(
        kind in any::<u8>(),
        handles in 0..4_u8,
        short in vec(0..3_u8, 0..300),
        random in vec(any::<u8>(), 0..60),
    ) {
        for body in [[&short[..], &random].concat(), [&random[..], &short].concat()] {
            let length = u32::try_from(HEADER_BYTES + body.len()).unwrap().to_le_bytes();
            for flags in [0, CRITICAL] {
                let input = [&length[..], &[kind, flags, handles, 0], &body].concat();
                check_any_input(&input, u32::from(handles));
            }
        }
    }

    #[test]
    fn flipped_bits_do_no_harm(frame in any_frame(), flips in vec(any::<(prop::sample::Index, u8)>(), 1..4)) {
        let (mut bytes, handles) = encoded(frame);
        for (place, bit) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << (bit % 8);
        }
        check_any_input(&bytes, count(&handles));
    }

    #[test]
    fn what_is_lost_is_said((frame, twin) in twins(), came in 0..=MESSAGE_HANDLES_MAX) {
        let (mut bytes, handles) = encoded(frame);
        let declared = count(&handles) as usize;
        if declared == 0 {
            return Ok(());
        }
        // Our own kernel had no room for all of them.
        let come: Vec<Handle> = (0..declared as Handle).take(came).collect();
        let came = come.len();
        let answer = decode(&bytes, at_bob(), &mut [Batch { handles: come, truncated: true }].into(), &Limits::default());
        if came == declared {
            prop_assert_eq!(answer.unwrap_err(), PeerMisbehaved::UnexpectedHandles);
            return Ok(());
        }
        // The other side's kernel would not pass them. Behind the frame another one stands.
        let arrived = answer.unwrap();
        let length = bytes.len();
        bytes.extend(encoded(hello()).0);
        if !lose_handles(&mut bytes) {
            prop_assert!(matches!(arrived, Decoded::LostWelcome));
            return Ok(());
        }
        let (at_once, taken) = whole(arrived);
        prop_assert_eq!(taken, length);
        let (said, taken) = whole(decode(&bytes, at_bob(), &mut VecDeque::new(), &Limits::default()).unwrap());
        prop_assert!(same(&at_once, &said), "{at_once:?} is not {said:?}");
        let (next, _) = whole(decode(&bytes[taken..], at_bob(), &mut VecDeque::new(), &Limits::default()).unwrap());
        prop_assert!(same(&next, &hello()));
        prop_assert!(!same(&said, &seen(twin, at_alice())));
        let (again, _) = encoded(seen(said, at_bob()));
        prop_assert_eq!(&again, &bytes[..taken]);
    }

    #[test]
    fn lengths_beyond_the_limit_are_not_waited_for(length in any::<u32>(), kind in any::<u8>()) {
        let limits = Limits { message_bytes_max: 8192, ..Limits::default() };
        let [a, b, c, d] = length.to_le_bytes();
        let header = [a, b, c, d, kind, CRITICAL, 0, 0];
        let answer = decode::<Handle>(&header, at_bob(), &mut VecDeque::new(), &limits);
        if let Ok(Decoded::NeedBytes(needed)) = answer {
            prop_assert!(needed <= 8192 + 69 + 64 * 165);
        }
    }
}

/// The same frame twice: frames cannot be cloned, because handles cannot.
fn twins() -> impl Strategy<Value = (Frame<Handle>, Frame<Handle>)> {
    any_frame().prop_map(|frame| {
        let (bytes, handles) = encoded(frame);
        let [mut handles, mut again] = doubled(handles);
        let one = decode(&bytes, at_bob(), &mut handles, &Limits::default()).unwrap();
        let other = decode(&bytes, at_bob(), &mut again, &Limits::default()).unwrap();
        (seen(whole(one).0, at_bob()), seen(whole(other).0, at_bob()))
    })
}

#[test]
fn every_single_bit_flip_of_every_kind_does_no_harm() {
    for (_, frame) in all() {
        let (bytes, handles) = encoded(frame);
        for place in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            check_any_input(&flipped, count(&handles));
        }
    }
}

#[test]
fn each_kind_has_its_number() {
    let numbers = Kind::ALL.map(Kind::number);
    assert!(numbers.is_sorted_by(|one, other| one < other));
    for (name, frame) in all() {
        let (bytes, _) = encoded(frame);
        assert!(numbers.contains(&bytes[4]), "{name}");
    }
}

#[test]
fn every_sample_survives_the_journey() {
    for ((name, frame), (_, twin)) in all().into_iter().zip(all()) {
        let (bytes, mut handles) = encoded(frame);
        let arrived = decode(&bytes, at_bob(), &mut handles, &Limits::default()).unwrap();
        assert!(same(&whole(arrived).0, &seen(twin, at_alice())), "{name}");
    }
}

#[test]
fn an_acceptor_reads_a_welcome_before_it_has_a_name() {
    let (bytes, _) = encoded(welcome(&["", "audio"]));
    let arrived = decode::<Handle>(&bytes, Names::default(), &mut VecDeque::new(), &Limits::default());
    let (Frame::Control(Control::Welcome(welcome)), _) = whole(arrived.unwrap()) else {
        panic!("another frame")
    };
    assert_eq!(Names::of_acceptor(&welcome, Mask::default()), at_bob());
    let (label, descriptor) = &welcome.pipes[1];
    assert_eq!(label.as_str(), "audio");
    assert!(descriptor.origin.creator.is_local(), "the acceptor knows itself");
    assert_eq!(Some(descriptor.pipe.creator), at_bob().them, "and the inviter");
}

/// A node in its second life and one in its first: on the wire there is no mask, and behind it there is again.
#[test]
fn a_mask_is_seen_by_nobody_else() {
    let secret = Mask::new(node(0x5e));
    let bob = Names { mask: secret, ..at_bob() };
    assert_eq!(Names::unknown(secret), Names { me: None, them: None, mask: secret });
    let made_by_alice = endpoint(NodeName::LOCAL, 7);
    let spoken_to = Frame::Endpoint { to: made_by_alice, from: made_by_alice, body: Body::Ack };
    for (name, frame) in all().into_iter().chain([("Ack to an end of Alice's", spoken_to)]) {
        let (bytes, handles) = encoded(frame);
        let [one, other] = doubled(handles);
        let [masked, plain] = [(bob, one), (at_bob(), other)].map(|(names, mut handles)| {
            let (frame, _) = whole(decode(&bytes, names, &mut handles, &Limits::default()).unwrap());
            let Frame::Endpoint { to, from, body } = frame else { return None };
            // Bob says the same of himself: every name of an endpoint of his is the real one again.
            let mut answer = Vec::new();
            encode(Frame::Endpoint { to: from, from: to, body }, names, &mut answer, &mut Vec::new());
            Some((to, answer))
        });
        if let (Some((masked, said)), Some((real, plainly_said))) = (masked, plain) {
            assert_eq!(masked.creator, secret.apply(real.creator), "{name}");
            assert_eq!(masked.creator == real.creator, real.creator.is_local(), "{name}");
            assert_eq!(said, plainly_said, "{name}");
        }
    }
}

#[test]
fn a_longer_hello_is_understood() {
    let (mut bytes, mut handles) = encoded(hello());
    bytes.extend([0xee; 100]);
    bytes[0] = u8::try_from(bytes.len()).unwrap();
    let (longer, taken) = whole(decode_first(&bytes, &mut handles, &Limits::default()).unwrap());
    assert_eq!(taken, bytes.len());
    assert!(same(&longer, &hello()));
}

#[test]
fn unknown_kinds_are_skipped_with_their_handles() {
    let mut handles = [vec![1, 2], vec![3]].into_iter().flat_map(batches).collect();
    let input = [11, 0, 0, 0, 200, 0x80, 2, 0x77, 1, 2, 3, 0xff];
    let skipped = decode::<Handle>(&input, at_bob(), &mut handles, &Limits::default()).unwrap();
    let Decoded::Skip { bytes: 11, handles: taken } = skipped else { panic!("{skipped:?}") };
    assert_eq!((taken, handles.len()), (vec![1, 2], 1));
    // As many as a message may have.
    let mut handles = batches(vec![4; 64]).into_iter().collect();
    let skipped = decode::<Handle>(&[8, 0, 0, 0, 200, 0, 64, 0], at_bob(), &mut handles, &Limits::default());
    let Ok(Decoded::Skip { handles: taken, .. }) = skipped else { panic!("{skipped:?}") };
    assert_eq!((taken.len(), handles.len()), (64, 0));
}

#[test]
fn a_reason_of_the_future_is_still_an_end() {
    let (mut bytes, _) = encoded(sample("End"));
    *bytes.last_mut().unwrap() = 200;
    let (frame, _) = whole(decoded(&bytes).unwrap());
    assert!(matches!(frame, Frame::Endpoint { body: Body::End(_), .. }));
}

#[test]
fn what_is_too_much_is_refused_and_not_cut_short() {
    let descriptors = || std::iter::repeat_with(super::samples::descriptor);
    for ends in [65, 255, 256, 320] {
        let (bytes, _) = encoded(user(vec![], descriptors().take(ends).collect(), vec![]));
        assert_eq!(decoded(&bytes).unwrap_err(), PeerMisbehaved::TooManyAttachments);
    }
    for handles in [65, 255, 256, 320] {
        let (bytes, _) = encoded(user(vec![], vec![], vec![0; handles]));
        assert_eq!(decoded(&bytes).unwrap_err(), PeerMisbehaved::TooManyAttachments);
    }
}

#[test]
fn the_first_byte_that_cannot_be_a_handshake_is_enough() {
    let (hello, _) = encoded(hello());
    for length in 0..hello.len() {
        let start = decode_first::<Handle>(&hello[..length], &mut VecDeque::new(), &Limits::default());
        assert!(matches!(start, Ok(Decoded::NeedBytes(_))), "{start:?} after {length}");
    }
    for place in 0..16 {
        for byte in 0..=255_u8 {
            let mut other = hello.clone();
            other[place] = byte;
            let possible = byte == hello[place] || (place == 0 && byte >= 29);
            let answer = decode_first::<Handle>(&other[..=place], &mut VecDeque::new(), &Limits::default());
            assert_eq!(answer.is_ok(), possible, "byte {place} is {byte}: {answer:?}");
            assert!(possible || answer.is_err_and(|fault| fault == PeerMisbehaved::NotMage));
        }
    }
}
