//! Tests of the codec: properties, every violation by name, and the bytes themselves.

mod golden;
mod properties;
mod samples;
mod violations;

use std::collections::VecDeque;

use samples::{Handle, at_alice, at_bob};

use super::{Batch, Decoded, Names, decode, encode};
use crate::core::Frame;
use crate::error::PeerMisbehaved;
use crate::limits::Limits;

/// What Alice puts on the link.
fn encoded(frame: Frame<Handle>) -> (Vec<u8>, VecDeque<Batch<Handle>>) {
    let (mut bytes, mut handles) = (Vec::new(), Vec::new());
    encode(frame, at_alice(), &mut bytes, &mut handles);
    (bytes, batches(handles))
}

/// These handles as the kernel passes them: no handles are no batch.
fn batches(handles: Vec<Handle>) -> VecDeque<Batch<Handle>> {
    if handles.is_empty() { VecDeque::new() } else { [Batch { handles, truncated: false }].into() }
}

/// The same, twice: batches cannot be cloned, because handles cannot.
fn doubled(arrived: VecDeque<Batch<Handle>>) -> [VecDeque<Batch<Handle>>; 2] {
    let handles: Vec<Handle> = arrived.into_iter().flat_map(|batch| batch.handles).collect();
    [batches(handles.clone()), batches(handles)]
}

/// What Bob makes of it, with as many handles as it declares.
fn decoded(bytes: &[u8]) -> Result<Decoded<Handle>, PeerMisbehaved> {
    decoded_with(bytes, at_bob())
}

fn decoded_with(bytes: &[u8], names: Names) -> Result<Decoded<Handle>, PeerMisbehaved> {
    let declared = bytes.get(6).copied().unwrap_or(0);
    decode(bytes, names, &mut batches((0..declared.into()).collect()), &Limits::default())
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
