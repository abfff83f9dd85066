//! Where the bytes of a frame are put.

use super::header::HEADER_BYTES;

/// Somewhere to append to.
pub(super) trait Put {
    fn put<const N: usize>(&mut self, bytes: [u8; N]);
}

impl Put for Vec<u8> {
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.extend_from_slice(&bytes);
    }
}

/// The first bytes of a frame. They are many small fields, which are cheaper to put together on the stack than one after the
/// other behind what may have to be moved for each of them.
#[derive(Debug)]
pub(super) struct Head {
    bytes: [u8; Self::BYTES_MAX],
    length: usize,
}

impl Head {
    /// The header, two endpoints of nodes that are named in full, and the fixed fields of a message.
    const BYTES_MAX: usize = HEADER_BYTES + 2 * (1 + 16 + 8) + 8 + 2 + 1;

    pub(super) fn new() -> Self {
        Self { bytes: [0; Self::BYTES_MAX], length: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Put for Head {
    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        // There is room for the longest. A frame without some of its bytes would be refused by every receiver.
        if let Some(room) = self.bytes.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut) {
            *room = bytes;
            self.length += N;
        }
    }
}
