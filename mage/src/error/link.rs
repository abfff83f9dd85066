//! Why two nodes have no link.

use std::fmt;
use std::io;
use std::sync::Arc;

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
    /// This node has been shut down ([`Node::shutdown`](crate::Node::shutdown)), and meets nobody any more.
    ShutDown,
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
            Self::ShutDown => formatter.write_str("this node has been shut down"),
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
