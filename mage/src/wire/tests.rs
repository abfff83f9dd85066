//! Tests of the codec: properties, every violation by name, and the bytes themselves.

mod golden;
mod properties;
mod samples;
mod violations;

use std::collections::VecDeque;

use samples::{Handle, at_alice, at_bob};

use super::{Decoded, Names, decode, encode};
use crate::core::Frame;
use crate::error::PeerMisbehaved;
use crate::limits::Limits;

/// What Alice puts on the link.
fn encoded(frame: Frame<Handle>) -> (Vec<u8>, VecDeque<Handle>) {
    let (mut bytes, mut handles) = (Vec::new(), Vec::new());
    encode(frame, at_alice(), &mut bytes, &mut handles);
    (bytes, handles.into())
}

/// What Bob makes of it, with as many handles as can be declared.
fn decoded(bytes: &[u8]) -> Result<Decoded<Handle>, PeerMisbehaved> {
    decoded_with(bytes, at_bob())
}

fn decoded_with(bytes: &[u8], names: Names) -> Result<Decoded<Handle>, PeerMisbehaved> {
    let mut handles = (0..255).collect();
    decode(bytes, names, &mut handles, &Limits::default())
}

fn fault(bytes: &[u8]) -> PeerMisbehaved {
    decoded(bytes).expect_err("the frame should be refused")
}

fn whole(decoded: Decoded<Handle>) -> (Frame<Handle>, usize) {
    match decoded {
        Decoded::Frame { frame, bytes } => (frame, bytes),
        other => panic!("no frame: {other:?}"),
    }
}
