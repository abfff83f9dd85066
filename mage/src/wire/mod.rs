//! The bytes of a frame: wire format version 1.
//!
//! ```text
//!   byte 0          4      5       6         7          8
//!        ┌──────────┬──────┬───────┬─────────┬──────────┬───────────────────────────┐
//!        │ length   │ kind │ flags │ handles │ reserved │ body                      │
//!        │ u32      │ u8   │ u8    │ u8      │ u8 = 0   │ length - 8 bytes          │
//!        └──────────┴──────┴───────┴─────────┴──────────┴───────────────────────────┘
//! ```
//!
//! All numbers are little-endian; nothing is padded. The length counts the header. File descriptors travel beside the
//! bytes, in the order of the frames that declare them. The format as a whole is written down in `docs/WIRE.md`.
//!
//! The codec is pure: it holds nothing between two calls, does no I/O, and is generic over what a handle is. Decoding
//! is total. Every length is compared with its limit before anybody waits for the bytes, and memory is taken only for
//! bytes that have arrived. There is one encoding for each frame, and the decoder refuses every other, so what has been
//! decoded encodes to the very same bytes. Two fields are exempt for the sake of newer peers: what stands behind the
//! known fields of a [`Hello`](crate::core::Hello), and reasons that this version does not know.

mod batch;
mod decode;
mod encode;
mod header;
mod names;
mod put;
mod reader;

#[cfg(test)]
mod tests;

pub(crate) use batch::Batch;
pub(crate) use decode::{Decoded, check_arrived, decode, decode_first};
pub(crate) use encode::{encode, lose_handles};
pub(crate) use header::PAYLOAD_BYTES_CAP;
pub(crate) use names::Names;
