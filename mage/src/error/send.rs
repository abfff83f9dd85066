//! Why a message was not taken.

use std::fmt;
use std::os::fd::OwnedFd;

use crate::bindings::{MessagePipe, RawMessage};

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The other end is closed, or the way to it is cut.
    Disconnected,
    /// The other end has not read enough of what was sent before.
    Full,
    /// The payload is larger than this node's limit, or it carries too many pipes or handles.
    TooLarge,
    /// A text, an array or a map is longer than the interface allows.
    OutOfBounds {
        /// How long it is, in bytes, elements or entries.
        length: u32,
        /// The most that the interface allows.
        length_max: u32,
    },
    /// A value contains values of its own kind deeper than any reader follows.
    TooDeep,
    /// A member of a union that is not known here: its value was not kept, so that it cannot be passed on.
    UnknownMember {
        /// The number of the member.
        number: u32,
    },
    /// A pipe end was to travel over itself, over its own pipe, or over a pipe that waits inside it.
    OverItself,
    /// A pipe end of one network was to travel over a link of another.
    OtherNetwork,
}

impl fmt::Display for SendErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OutOfBounds { length, length_max } => {
                return write!(
                    formatter,
                    "a value has length {length}, and the interface allows {length_max}"
                );
            }
            Self::UnknownMember { number } => {
                return write!(
                    formatter,
                    "member {number} of a union is not known here, and cannot be passed on"
                );
            }
            Self::TooDeep => "a value contains values of its own kind too deep",
            Self::Disconnected => "the other end of the pipe is gone",
            Self::Full => "the other end has not read enough of what was sent before",
            Self::TooLarge => "the message is larger than this node allows",
            Self::OverItself => "a pipe cannot travel over itself",
            Self::OtherNetwork => "a pipe of one network cannot travel over a link of another",
        })
    }
}

/// A message was refused. Every pipe and handle that it carried is still here and comes back to the caller.
#[derive(Debug)]
pub struct SendError {
    kind: SendErrorKind,
    bytes: Vec<u8>,
    pipes: Vec<MessagePipe>,
    handles: Vec<OwnedFd>,
}

impl SendError {
    pub(crate) fn new(kind: SendErrorKind, pipes: Vec<MessagePipe>, handles: Vec<OwnedFd>) -> Self {
        Self { kind, bytes: Vec::new(), pipes, handles }
    }

    /// The same, with the payload.
    pub(crate) fn with_bytes(self, bytes: Vec<u8>) -> Self {
        Self { bytes, ..self }
    }

    /// Why it was refused.
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// The refused message as it was given to a bare pipe. What was refused before it had been encoded, or because it could
    /// not be, has no payload.
    pub fn into_message(self) -> RawMessage {
        RawMessage { bytes: self.bytes, pipes: self.pipes, handles: self.handles }
    }

    /// The pipes of the refused message, in the order in which they were put in.
    pub fn into_pipes(self) -> Vec<MessagePipe> {
        self.pipes
    }

    /// The pipes and the handles of the refused message, each in the order in which they were put in.
    pub fn into_parts(self) -> (Vec<MessagePipe>, Vec<OwnedFd>) {
        (self.pipes, self.handles)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl std::error::Error for SendError {}
