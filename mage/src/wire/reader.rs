//! A cursor over the bytes of one frame. Nothing in it can fail but by a typed error.

use crate::error::PeerMisbehaved;

/// What is left of a frame.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PeerMisbehaved> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(PeerMisbehaved::FrameShape)?;
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, PeerMisbehaved> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u16, PeerMisbehaved> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Result<u64, PeerMisbehaved> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn slice(&mut self, length: usize) -> Result<&'a [u8], PeerMisbehaved> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(PeerMisbehaved::FrameShape)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// All that is left.
    #[inline]
    pub(super) fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Nothing may be left.
    #[inline]
    pub(super) fn finish(&self) -> Result<(), PeerMisbehaved> {
        if self.rest.is_empty() { Ok(()) } else { Err(PeerMisbehaved::FrameShape) }
    }
}
