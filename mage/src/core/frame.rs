//! What travels on a link, as values. Their bytes are the business of [`crate::wire`].

use super::endpoint::Side;
use super::name::{Address, EndpointName, NodeName, PipeLabel, PipeName};
use super::window::{Count, Window};
use crate::error::Why;
use crate::seldom::Seldom;

/// One frame.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Frame<H> {
    /// Between two endpoints.
    Endpoint {
        /// An endpoint of the receiving node.
        to: EndpointName,
        /// An endpoint of the sending node; the node itself is known from the link.
        from: EndpointName,
        body: Body<H>,
    },
    /// Between two nodes.
    Control(Control<H>),
}

impl<H> Frame<H> {
    /// Whether it is a message whose descriptors are lost.
    pub(crate) fn has_lost_handles(&self) -> bool {
        matches!(self, Self::Endpoint { body: Body::User(Parcel { handles_lost: true, .. }), .. })
    }

    /// Whether descriptors go along with it.
    pub(crate) fn has_handles(&self) -> bool {
        match self {
            Self::Endpoint { body: Body::User(parcel), .. } => !parcel.handles.is_empty(),
            Self::Control(Control::Introduce { .. } | Control::Admit { .. }) => true,
            Self::Control(Control::Welcome(welcome)) => welcome.socket.is_some(),
            Self::Endpoint { .. } | Self::Control(_) => false,
        }
    }
}

/// What one endpoint says to another. Who may say what is in the table of the module [`super`].
#[derive(Clone, Debug, Hash)]
pub(crate) enum Body<H> {
    User(Parcel<H>),
    End(Why),
    /// The one who speaks from now on: an end.
    PrevIs(Address),
    /// The one who speaks from now on: a place that an end has left.
    PrevIsPlace(Address),
    Credit(Count),
    Accepted,
    Bypass(Address),
    Ack,
    Gone,
}

/// A message between endpoints.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Parcel<H> {
    pub(crate) sequence: u64,
    pub(crate) hops: u16,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Ends,
    pub(crate) handles: Seldom<H>,
    /// Whether it had handles that a kernel on the way had no room for; then it has none. It ends its pipe.
    pub(crate) handles_lost: bool,
}

/// The ends that a message carries.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Ends {
    /// Between two endpoints of one node: the ends stay where they are.
    Here(Seldom<EndpointName>),
    /// From another node: they are to be made.
    Moved(Seldom<Descriptor>),
}

impl Ends {
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Here(names) => names.len(),
            Self::Moved(descriptors) => descriptors.len(),
        }
    }
}

/// A pipe end on its way to another node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Descriptor {
    /// The number of its name at the new place; the creator is the sending node.
    pub(crate) number: u64,
    pub(crate) pipe: PipeName,
    pub(crate) side: Side,
    /// Whether nobody listens to it any more.
    pub(crate) mute: bool,
    /// Where it sends.
    pub(crate) peer: Address,
    /// Its old place, on the sending node, which forwards what still arrives there.
    pub(crate) origin: EndpointName,
    pub(crate) window: Window,
}

/// What one node says to another.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Control<H> {
    /// First on every new link, from both sides.
    Hello(Hello),
    /// The inviter admits the acceptor.
    Welcome(Welcome<H>),
    /// To the broker: I want to reach this node.
    RequestIntroduction { name: NodeName },
    /// From the broker: here is a link to this node.
    Introduce { name: NodeName, socket: H },
    /// From the broker: you will not meet this node.
    IntroductionFailed { name: NodeName },
    /// To the broker: I have a guest of my own; name it, and give me a link for it.
    RequestAdmission { guest: u64 },
    /// From the broker: the guest's name, and its link to me.
    Admit { guest: u64, name: NodeName, socket: H },
    /// From the broker: the guest stays outside.
    RefuseAdmission { guest: u64 },
}

/// The opening of a handshake.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hello {
    /// The oldest wire version this node speaks.
    pub(crate) version_min: u16,
    /// The newest.
    pub(crate) version_max: u16,
    /// What this node can do beside that, a bit each; both sides use what both have. No bit has a meaning yet.
    pub(crate) features: u64,
    /// Whether this side invites; the other must accept.
    pub(crate) inviting: bool,
}

/// The answer to an acceptor's hello.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Welcome<H> {
    pub(crate) version: u16,
    /// Whether the two form a network of their own, apart from any that either is in.
    pub(crate) isolated: bool,
    /// The acceptor's name from now on.
    pub(crate) you: NodeName,
    /// The inviter's name.
    pub(crate) me: NodeName,
    /// The broker of the network; the inviter itself, or a node it has a link to.
    pub(crate) broker: NodeName,
    /// The acceptor's link to the broker, unless that is the inviter.
    pub(crate) socket: Option<H>,
    /// The pipes of the invitation, with what they are called in it.
    pub(crate) pipes: Vec<(PipeLabel, Descriptor)>,
}
