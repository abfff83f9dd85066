//! Stands in for the crates `bytes` and `bytestring`: slices of something that they share.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Bytes that others may have, too.
#[derive(Clone, Default)]
pub struct Bytes {
    all: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Bytes {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of their own.
    pub fn copy_from_slice(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }

    /// Takes so many from the front.
    pub fn split_to(&mut self, at: usize) -> Self {
        let front = Self { all: Arc::clone(&self.all), range: self.range.start..self.range.start + at };
        self.advance(at);
        front
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self { range: 0..bytes.len(), all: Arc::new(bytes) }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.all[self.range.clone()]
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

/// What is taken from the front.
pub trait Buf {
    /// Passes over so many.
    fn advance(&mut self, count: usize);
}

impl Buf for Bytes {
    fn advance(&mut self, count: usize) {
        assert!(count <= self.len());
        self.range.start += count;
    }
}

/// A text that others may have, too.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ByteString(Bytes);

impl ByteString {
    /// Of a text that is there for ever.
    pub fn from_static(text: &'static str) -> Self {
        text.into()
    }
}

impl From<&str> for ByteString {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl TryFrom<Bytes> for ByteString {
    type Error = std::str::Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }
}

impl Deref for ByteString {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap()
    }
}

impl AsRef<str> for ByteString {
    fn as_ref(&self) -> &str {
        self
    }
}

impl PartialOrd for ByteString {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByteString {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl fmt::Debug for ByteString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
