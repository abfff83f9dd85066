//! Errors: one type per operation, and each says whose fault it was.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::bindings::{MessagePipe, RawMessage};
use crate::core::NodeName;

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
    handles: Vec<std::os::fd::OwnedFd>,
}

impl SendError {
    pub(crate) fn new(
        kind: SendErrorKind,
        pipes: Vec<MessagePipe>,
        handles: Vec<std::os::fd::OwnedFd>,
    ) -> Self {
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
    pub fn into_parts(self) -> (Vec<MessagePipe>, Vec<std::os::fd::OwnedFd>) {
        (self.pipes, self.handles)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl std::error::Error for SendError {}

/// Why nothing more will come out of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// The other end was closed.
    Closed,
    /// A process on the way died, or the link to it was cut.
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
            Self::PeerDied => "a process on the way to the other end died",
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

/// Why a call has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The call was never sent; what it carried is in the error.
    NotSent(SendError),
    /// The other end is gone, for this reason; whether the method ran is not known.
    PeerGone(Why),
    /// The handler dropped its [`Reply`](crate::Reply) without answering.
    NoReply,
    /// The answer does not decode, or the other end rejected a message of this pipe ([`BadMessage::Rejected`]). The pipe is
    /// closed.
    BadMessage(BadMessage),
    /// The pipe was taken back from the remote while the call was under way; whether the method ran is not known.
    Cancelled,
    /// Its time was up. The other side is told that nobody waits any more; whether the method ran is not known.
    Deadline,
    /// The method is newer than the interface is at the other end. The pipe stays as it is.
    NoSuchMethod {
        /// The interface.
        interface: &'static str,
        /// The method.
        method: &'static str,
        /// The version that has it first.
        since: u32,
        /// The version of the other end.
        version: u32,
    },
    /// The other end is older than what was asked for. The pipe stays as it is.
    OlderVersion {
        /// The interface.
        interface: &'static str,
        /// The version that was asked for.
        required: u32,
        /// The version of the other end.
        version: u32,
    },
    /// The other end speaks another interface, or a build of this one that differs in something which both know. The
    /// pipe is closed.
    OtherInterface {
        /// The interface of this end.
        interface: &'static str,
        /// What differs, if the other end has told.
        difference: Option<Box<Difference>>,
    },
}

/// Where the interfaces of two ends differ: the first place of several.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The interface, struct, union or enum that differs, with its module.
    pub definition: String,
    /// The method, if it is an interface and not its name that differs.
    pub method: Option<String>,
    /// The parameter, response value, field, member or value, if it is not the definition or the method itself.
    pub field: Option<String>,
    /// What this end has there, as it would be written in a `.magen` file.
    pub here: String,
    /// What the other end has there.
    pub there: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.definition)?;
        if let Some(method) = &self.method {
            write!(formatter, ", method `{method}`")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, ", `{field}`")?;
        }
        write!(formatter, ": `{}` here, `{}` there", self.here, self.there)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(error) => write!(formatter, "the call was not sent: {error}"),
            Self::PeerGone(why) => write!(formatter, "the call has no answer: {why}"),
            Self::NoReply => formatter.write_str("the handler dropped its reply"),
            Self::BadMessage(bad) => write!(formatter, "a message was bad: {bad}"),
            Self::Cancelled => formatter.write_str("the call was given up with its remote"),
            Self::Deadline => formatter.write_str("the time for the call was up"),
            Self::NoSuchMethod { interface, method, since, version } => write!(
                formatter,
                "{interface} has {method} since version {since}, and the other end is of version {version}"
            ),
            Self::OlderVersion { interface, required, version } => write!(
                formatter,
                "version {required} of {interface} is wanted, and the other end is of version {version}"
            ),
            Self::OtherInterface { interface, difference: None } => {
                write!(formatter, "the other end speaks another interface than {interface}")
            }
            Self::OtherInterface { interface, difference: Some(difference) } => {
                write!(formatter, "the other end speaks another {interface}: {difference}")
            }
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotSent(error) => Some(error),
            Self::BadMessage(bad) => Some(bad),
            Self::PeerGone(_)
            | Self::NoReply
            | Self::Cancelled
            | Self::Deadline
            | Self::NoSuchMethod { .. }
            | Self::OlderVersion { .. }
            | Self::OtherInterface { .. } => None,
        }
    }
}

/// Why an invitation came to nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InvitationError {
    /// The socket failed, or cannot be used.
    Io(Arc<io::Error>),
    /// The two sides speak no common version of the wire format.
    Version {
        /// The versions of this side, oldest and newest.
        ours: (u16, u16),
        /// Those of the other.
        theirs: (u16, u16),
    },
    /// The other side is not an honest inviter.
    Misbehaved(PeerMisbehaved),
    /// The other side went away during the handshake.
    Closed,
    /// The invitation brought no pipe.
    NoPipe,
    /// This node is connected to the inviter, or to its broker, already, or was and has not left that network since
    /// ([`Node::leave`](crate::Node::leave)). Use the pipes of that connection.
    AlreadyConnected,
    /// This process has no room for the file descriptor of its link to the broker.
    HandlesLost,
    /// This node has left its networks meanwhile, and whatever it was joining with them.
    Left,
}

impl fmt::Display for InvitationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "the invitation's socket failed: {error}"),
            Self::Version { ours, theirs } => write!(
                formatter,
                "no common wire version: we speak {} to {}, the inviter {} to {}",
                ours.0, ours.1, theirs.0, theirs.1
            ),
            Self::Misbehaved(fault) => write!(formatter, "the inviter broke the protocol: {fault}"),
            Self::Closed => formatter.write_str("the inviter went away during the handshake"),
            Self::NoPipe => formatter.write_str("the invitation brought no pipe"),
            Self::AlreadyConnected => formatter.write_str("this node is connected to the inviter already"),
            Self::HandlesLost => formatter.write_str("this process has no room for the link to the broker"),
            Self::Left => formatter.write_str("this node has left its networks meanwhile"),
        }
    }
}

impl std::error::Error for InvitationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error.as_ref()),
            Self::Misbehaved(fault) => Some(fault),
            _ => None,
        }
    }
}

impl From<io::Error> for InvitationError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// The ways in which a peer can break the protocol of a link. Each costs it the link, and only what the peer itself
/// must have done is in this list: what an honest node can be made to pass on never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerMisbehaved {
    /// The first bytes are not those of a mage handshake.
    NotMage,
    /// A frame declares a length below its header's or above the limit.
    FrameLength,
    /// A frame of a kind that must be understood, and is not.
    UnknownFrame,
    /// A frame ends in the middle of a field, or goes on behind its last.
    FrameShape,
    /// A field has a value it cannot have.
    FieldValue,
    /// A frame names this node's private name for itself, or nobody.
    InvalidName,
    /// More pipes or handles in one message than the format allows.
    TooManyAttachments,
    /// File descriptors came with a frame that declares fewer.
    UnexpectedHandles,
    /// A frame declares file descriptors that did not come.
    MissingHandles,
    /// A frame that has no place in this stage of the handshake, or after it.
    WrongStage,
    /// Both sides of the link invite, or both accept.
    SameRole,
    /// No common version of the wire format.
    Version,
    /// An endpoint name that was used before, or of another node's making.
    EndpointNameReused,
    /// The numbers of a travelling end contradict each other.
    DescriptorNumbers,
    /// A hop count that no forwarder produces.
    HopCount,
    /// An introduction, or a refusal of one, from a node that is not the broker.
    NotBroker,
    /// A request to be introduced, to a node that is not the broker, or to itself.
    NotYourBroker,
    /// More unanswered requests than the limit.
    TooManyRequests,
    /// What was sent as a link is not a stream socket.
    NotASocket,
}

impl fmt::Display for PeerMisbehaved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotMage => "it does not speak mage",
            Self::FrameLength => "a frame declares an impossible length",
            Self::UnknownFrame => "a frame of an unknown critical kind",
            Self::FrameShape => "a frame does not end where its fields do",
            Self::FieldValue => "a field has an impossible value",
            Self::InvalidName => "a frame names nobody",
            Self::TooManyAttachments => "a message carries too many pipes or handles",
            Self::UnexpectedHandles => "file descriptors came that no frame declares",
            Self::MissingHandles => "a frame declares file descriptors that did not come",
            Self::WrongStage => "a frame out of turn",
            Self::SameRole => "both sides of the link take the same part in the invitation",
            Self::Version => "no common version of the wire format",
            Self::EndpointNameReused => "an endpoint name was used twice",
            Self::DescriptorNumbers => "the numbers of a travelling pipe end contradict each other",
            Self::HopCount => "an impossible hop count",
            Self::NotBroker => "an introduction from a node that is not the broker",
            Self::NotYourBroker => "a request for an introduction to a node that cannot give one",
            Self::TooManyRequests => "too many unanswered requests",
            Self::NotASocket => "what came as a link is not a stream socket",
        })
    }
}

impl std::error::Error for PeerMisbehaved {}

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
