//! What the core wants done. Frames are in the order in which they must reach each link.

use super::frame::Frame;
use super::name::{EndpointName, NodeName, PipeLabel};
use crate::error::{InvitationError, PeerMisbehaved};

/// A link of this node, counted from 1 and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LinkId(pub(crate) u64);

/// One thing for the outside to do.
#[derive(Clone, Debug)]
pub(crate) enum Effect<H> {
    /// Append this frame to the link's outbox.
    Transmit { link: LinkId, frame: Frame<H> },
    /// Start a link over a socket that the broker gave us.
    Adopt { link: LinkId, me: NodeName, peer: NodeName, socket: H },
    /// As the broker: ask the policy, make a socket pair, then call [`super::Router::introduce`].
    Introduce { first: NodeName, second: NodeName },
    /// As the broker: make a name and a socket pair for a guest of `sponsor`, then call [`super::Router::admit`].
    Admit { sponsor: NodeName, guest: u64 },
    /// An invitation was accepted by us; these ends are its pipes.
    Accepted { link: LinkId, pipes: Vec<(PipeLabel, EndpointName)> },
    /// An invitation that we tried to accept came to nothing.
    NotAccepted { link: LinkId, why: InvitationError },
    /// The broker of the network that this node is a member of is gone.
    BrokerLost,
    /// Flush and close this link; if there is a fault, the peer's.
    Drop { link: LinkId, fault: Option<PeerMisbehaved> },
}
