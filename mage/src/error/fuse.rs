//! Why two pipes stay two.

use std::fmt;

use crate::bindings::MessagePipe;

/// Why two pipes were not fused. Both ends come back.
#[derive(Debug)]
pub struct FuseFailure {
    /// What was wrong.
    pub error: FuseError,
    /// The first end.
    pub first: MessagePipe,
    /// The second end.
    pub second: MessagePipe,
}

impl fmt::Display for FuseFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl std::error::Error for FuseFailure {}

/// What keeps two pipes from being fused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FuseError {
    /// They are the two ends of one pipe.
    SamePipe,
    /// One of the two ends has been used: something was sent from it or read from it.
    Used,
    /// The pipes were made with different windows.
    OtherWindow,
    /// The pipes belong to different networks, or to different nodes.
    OtherNetwork,
}

impl fmt::Display for FuseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SamePipe => "the two ends belong to one pipe",
            Self::Used => "an end that has sent or read something cannot be fused",
            Self::OtherWindow => "the two pipes were made with different windows",
            Self::OtherNetwork => "the two pipes belong to different networks",
        })
    }
}

impl std::error::Error for FuseError {}
