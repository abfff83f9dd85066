//! What was wrong with what came.

use std::fmt;

use super::Why;
use crate::core::NodeName;

/// Why a receiver ended, when it did not end by the other side closing its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// The way to the other end broke; everything that had arrived before was delivered.
    Disconnected(Why),
    /// The other end sent something that is not a message of this interface. The pipe is closed.
    BadMessage(BadMessage),
    /// The handler panicked. The pipe is closed; the panic did not spread.
    HandlerPanicked,
}

impl fmt::Display for RecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected(why) => why.fmt(formatter),
            Self::BadMessage(bad) => write!(formatter, "the peer sent a bad message: {bad}"),
            Self::HandlerPanicked => formatter.write_str("the handler panicked"),
        }
    }
}

impl std::error::Error for RecvError {}

/// Why a stream ended before its sender said that this was all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError<E> {
    /// The sender said that there will be no more, and why.
    Failed(E),
    /// The sender is gone, or the way to it broke. Everything that had arrived before was delivered.
    Cut(Why),
    /// What came is not a value of this stream. It is closed.
    BadMessage(BadMessage),
}

impl<E: fmt::Display> fmt::Display for StreamError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(formatter, "the sender of the stream failed: {error}"),
            Self::Cut(why) => write!(formatter, "the stream was cut: {why}"),
            Self::BadMessage(bad) => write!(formatter, "the peer sent a bad value: {bad}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for StreamError<E> {}

/// What was wrong with a message. The other end's fault, or that of a build that speaks another interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadMessage {
    /// The two ends of the pipe were bound to different interfaces, or to different versions of one.
    OtherInterface {
        /// The interface of this end.
        expected: &'static str,
        /// Its fingerprint.
        expected_fingerprint: u64,
        /// The fingerprint that the message bore.
        found_fingerprint: u64,
    },
    /// The two ends of the pipe were bound to builds of one interface that differ in something which both know.
    OtherVersion {
        /// The interface of this end.
        interface: &'static str,
        /// What differs: the interface itself, or a type that it uses.
        definition: String,
        /// The version in which it differs.
        version: u32,
    },
    /// The interface has no method of this number.
    UnknownMethod {
        /// The interface of this end.
        interface: &'static str,
        /// The number.
        method: u32,
    },
    /// The message ends before its arguments do.
    Truncated,
    /// Bytes or attachments are left over behind the arguments.
    TrailingData,
    /// A string is not UTF-8.
    InvalidText,
    /// A value is none of those its type has.
    InvalidValue,
    /// A text, an array or a map is longer than the interface allows.
    OutOfBounds {
        /// How long it says it is, in bytes, elements or entries.
        length: u32,
        /// The most that the interface allows.
        length_max: u32,
    },
    /// A value is no value of the user's type that stands for it.
    NotConverted {
        /// The parameter, the response value or the field.
        field: &'static str,
        /// What the conversion says.
        why: String,
    },
    /// A value contains values of its own kind deeper than this end follows.
    TooDeep,
    /// An argument names a pipe or a handle that the message does not carry.
    MissingAttachment,
    /// The header of the message is malformed, or its kind makes no sense here.
    InvalidHeader,
    /// A method that answers was called without asking for the answer, or the reverse.
    WrongKind,
    /// More calls of this pipe are unanswered than the receiver's node allows.
    TooManyRequests,
    /// Answers kept coming to calls that were never made.
    TooManyAnswers,
    /// The handler rejected it.
    RejectedByHandler {
        /// Why, in the handler's words.
        text: String,
    },
    /// The other end rejected a message of ours, and closed the pipe.
    Rejected {
        /// Why, in the words of its handler; empty if it did not validate.
        text: String,
    },
}

impl fmt::Display for BadMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherInterface { expected, expected_fingerprint, found_fingerprint } => write!(
                formatter,
                "this end speaks {expected} (fingerprint {expected_fingerprint:016x}), the message is of an \
                 interface with fingerprint {found_fingerprint:016x}"
            ),
            Self::OtherVersion { interface, definition, version } => write!(
                formatter,
                "this end speaks {interface}, the message is of a build in which version {version} of {definition} \
                 is something else"
            ),
            Self::UnknownMethod { interface, method } => {
                write!(formatter, "{interface} has no method number {method}")
            }
            Self::Truncated => formatter.write_str("it ends before its arguments do"),
            Self::TrailingData => formatter.write_str("something is left over behind its arguments"),
            Self::InvalidText => formatter.write_str("a string is not UTF-8"),
            Self::InvalidValue => formatter.write_str("a value is none of those its type has"),
            Self::OutOfBounds { length, length_max } => {
                write!(formatter, "a value has length {length}, and the interface allows {length_max}")
            }
            Self::NotConverted { field, why } => {
                write!(formatter, "the value of `{field}` is no good: {why}")
            }
            Self::TooDeep => formatter.write_str("a value contains values of its own kind too deep"),
            Self::MissingAttachment => formatter.write_str("a pipe or handle is missing"),
            Self::InvalidHeader => formatter.write_str("its header is malformed"),
            Self::WrongKind => {
                formatter.write_str("it asks for an answer that the method does not give, or the reverse")
            }
            Self::TooManyRequests => formatter.write_str("too many calls are unanswered"),
            Self::TooManyAnswers => formatter.write_str("too many answers are to nothing that was asked"),
            Self::RejectedByHandler { text } => write!(formatter, "the handler rejected it: {text}"),
            Self::Rejected { text } if text.is_empty() => formatter.write_str("the other end rejected it"),
            Self::Rejected { text } => write!(formatter, "the other end rejected it: {text}"),
        }
    }
}

impl std::error::Error for BadMessage {}

/// A message that a receiver rejected, and whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadMessageReport {
    /// The interface of the receiver.
    pub interface: &'static str,
    /// What was wrong.
    pub fault: BadMessage,
    /// The node that sent it; `None` is this one.
    pub sender: Option<NodeName>,
    /// Whether it came over other nodes. If not, the sender is known for certain, for its link is. If so, it is the node at
    /// which the other end of the pipe is said to be, by whoever brought this end here; those who passed the message on are
    /// not to blame for it.
    pub forwarded: bool,
}
