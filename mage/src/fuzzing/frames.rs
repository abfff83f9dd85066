//! The decoder of frames, alone.

use std::collections::VecDeque;

use super::input::{Input, name};
use crate::core::{Body, Control, Frame, Mask};
use crate::error::Why;
use crate::limits::Limits;
use crate::wire::{Batch, Decoded, Names, check_arrived, decode, decode_first, encode};

/// Who reads, and how: a bit each.
const NAMED: u8 = 1;
const FIRST: u8 = 2;
const TRUNCATED: u8 = 4;
const DECLARED: u8 = 8;

/// A stream of frames: decoding is total, one encoding is as good as the other, and a frame that is cut off anywhere asks for
/// more.
pub fn frames(data: &[u8]) {
    let mut input = Input(data);
    let (how, came, cut) = (input.byte(), input.byte(), input.byte());
    let names = if how & NAMED == 0 {
        Names::default()
    } else {
        Names::between(name(0x22), name(0x33), Mask::default())
    };
    let limits = Limits { message_bytes_max: 512, ..Limits::default() };
    let read = |bytes: &[u8], arrived: &mut VecDeque<Batch<u8>>| {
        if how & FIRST == 0 {
            decode(bytes, names, arrived, &limits)
        } else {
            decode_first(bytes, arrived, &limits)
        }
    };
    // As many handles as the frame declares, or as many as the fuzzer likes.
    let brought = |bytes: &[u8]| {
        let declared = if how & DECLARED == 0 { came } else { bytes.get(6).copied().unwrap_or(0) };
        let truncated = how & TRUNCATED != 0;
        let handles: Vec<u8> = (0..declared).collect();
        let some = !handles.is_empty() || truncated;
        VecDeque::from_iter(some.then_some(Batch { handles, truncated }))
    };
    let mut rest = input.0;
    loop {
        let mut arrived = brought(rest);
        let declared = arrived.front().map_or(0, |batch| batch.handles.len());
        let taken = match read(rest, &mut arrived) {
            Err(_) | Ok(Decoded::LostWelcome) => return,
            Ok(Decoded::NeedBytes(needed)) => {
                assert!(needed > rest.len(), "{needed} bytes are asked for, and {} are there", rest.len());
                let _ = check_arrived(rest, &arrived);
                return;
            }
            Ok(Decoded::Skip { bytes, handles }) => {
                assert!(handles.len() <= declared);
                bytes
            }
            Ok(Decoded::Frame { frame, bytes }) => {
                assert!((1..=rest.len()).contains(&bytes));
                let whole = &rest[..bytes];
                if !is_unspeakable(&frame, whole) && how & TRUNCATED == 0 {
                    let (back, _) = encoded(frame, names);
                    let mut arrived = brought(whole);
                    let back = decode(&back, mirrored(names), &mut arrived, &limits);
                    let Ok(Decoded::Frame { frame, .. }) = back else {
                        panic!("what was read is said: {back:?}")
                    };
                    let (again, handles) = encoded(frame, mirrored(names));
                    assert_eq!(again, whole, "it has another encoding");
                    assert_eq!(handles, usize::from(whole[6]), "handles are lost or made");
                }
                bytes
            }
        };
        let part = &rest[..usize::from(cut) % taken];
        match read(part, &mut brought(rest)) {
            Ok(Decoded::NeedBytes(needed)) => assert!(needed > part.len() && needed <= taken),
            other => panic!("of {taken} bytes, {} were there: {other:?}", part.len()),
        }
        rest = &rest[taken..];
    }
}

/// Whether whoever has read it cannot say it again: there may be something in it that this version does not know.
fn is_unspeakable(frame: &Frame<u8>, whole: &[u8]) -> bool {
    match frame {
        // A welcome gives the names by which it is read, so nobody but its writer can say it.
        Frame::Control(Control::Hello(_) | Control::Welcome(_)) => true,
        Frame::Endpoint { body: Body::End(why), .. } => {
            whole.last() != Some(&why.code()) || Why::from_code(why.code()) != *why
        }
        _ => false,
    }
}

/// The bytes of a frame, and the number of its handles. Whoever has read a frame says it as its own; so what its writer says
/// of itself is said of the other, and back again the second time.
fn encoded(frame: Frame<u8>, names: Names) -> (Vec<u8>, usize) {
    let (mut bytes, mut handles) = (Vec::new(), Vec::new());
    encode(frame, names, &mut bytes, &mut handles);
    (bytes, handles.len())
}

fn mirrored(names: Names) -> Names {
    Names { me: names.them, them: names.me, ..names }
}
