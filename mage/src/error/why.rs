//! Why a pipe ends.

use std::fmt;

/// Why nothing more will come out of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// The other end was closed.
    Closed,
    /// The process of the other end, or one on the way to it, died or left the network; or a link between them was cut.
    PeerDied,
    /// The two ends could not be brought together: no broker, or the broker refused.
    Unreachable,
    /// Somebody on the way broke the rules of this pipe: wrong sequence, overrun window.
    BrokenRules,
    /// The reader rejected a message of ours as bad.
    Rejected,
    /// A process on the way had no room for the handles of a message: its table of file descriptors was full, or too
    /// many were in flight.
    HandlesLost,
    /// This pipe was sent over one that was being sent over this one at the same time, perhaps with others in between.
    /// Nobody could have reached either of them any more, so both have ended. It is nobody's fault alone: each of the
    /// users sent an end that was his over a pipe that was whole.
    Circular,
    /// This node has left the network that the other end is in.
    Left,
}

impl Why {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::PeerDied => 1,
            Self::Unreachable => 2,
            Self::BrokenRules => 3,
            Self::Rejected => 4,
            Self::HandlesLost => 5,
            Self::Circular => 6,
            Self::Left => 7,
        }
    }

    /// Reasons are for people; one that is newer than this library is still an end.
    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Closed,
            2 => Self::Unreachable,
            3 => Self::BrokenRules,
            4 => Self::Rejected,
            5 => Self::HandlesLost,
            6 => Self::Circular,
            7 => Self::Left,
            _ => Self::PeerDied,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Closed => "the other end was closed",
            Self::PeerDied => "the process of the other end, or one on the way to it, has died or left",
            Self::Unreachable => "the other end cannot be reached from here",
            Self::BrokenRules => "the rules of the pipe were broken on the way",
            Self::Rejected => "the other end rejected a message as bad",
            Self::HandlesLost => "a process on the way had no room for the handles of a message",
            Self::Circular => "the pipe and another were sent over each other at the same time",
            Self::Left => "this node has left the network of the other end",
        })
    }
}

impl std::error::Error for Why {}
