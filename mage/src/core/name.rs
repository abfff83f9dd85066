//! Names: of nodes, of endpoints, of pipes.

use std::fmt;

use crate::limits::PIPE_LABEL_BYTES_MAX;

/// The name of a node within its network, chosen by the network's broker. It is public, not a secret: what a node may do
/// follows from the link a frame came over, never from a name inside the frame.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName {
    // As words, because names are compared all the time.
    high: u64,
    low: u64,
}

impl NodeName {
    /// This node itself, as it calls itself inside. It never appears on a wire: the codec writes the real name in its
    /// place and reads the real name back as this, so pipes that exist before a node has a name need no repair.
    pub(crate) const LOCAL: Self = Self { high: 0, low: 0 };

    /// A name of these bytes, or `None` for the reserved name of all zeros.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let name = u128::from_be_bytes(bytes);
        let name = Self { high: (name >> 64) as u64, low: name as u64 };
        (name != Self::LOCAL).then_some(name)
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_be_bytes()
    }

    pub(crate) fn is_local(self) -> bool {
        self == Self::LOCAL
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_local() {
            return formatter.write_str("here");
        }
        // Its first four bytes.
        write!(formatter, "{:08x}", self.high >> 32)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// The name of an endpoint on the node where it lives: who made it, and that maker's count for this node.
///
/// A maker never counts backwards, and a receiver accepts from a link only numbers of that link's node above all
/// earlier ones. So a name cannot be taken from somebody else, guessed ahead, replayed or used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EndpointName {
    pub(crate) creator: NodeName,
    pub(crate) number: u64,
}

impl EndpointName {
    /// The name that no endpoint has.
    pub(crate) const NONE: Self = Self { creator: NodeName::LOCAL, number: 0 };
}

impl fmt::Debug for EndpointName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}#{}", self.creator, self.number)
    }
}

/// What keeps the names of endpoints apart that were given here in different lives of one node (see
/// [`super::leaving`]). Inside, the maker of an endpoint of this node bears its real name under the mask of the life in
/// which it made it; on the wire it bears its real name. In the first life both are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mask(NodeName);

impl Mask {
    /// From a random name that nobody else knows, so that nobody can choose a name that looks like another's.
    pub(crate) fn new(secret: NodeName) -> Self {
        Self(secret)
    }

    /// The maker of an endpoint of this node, from its real name, and the reverse. This node itself needs none.
    pub(crate) fn apply(self, maker: NodeName) -> NodeName {
        if maker.is_local() {
            return maker;
        }
        NodeName { high: maker.high ^ self.0.high, low: maker.low ^ self.0.low }
    }
}

/// The mask of the first life, which changes nothing.
impl Default for Mask {
    fn default() -> Self {
        Self(NodeName::LOCAL)
    }
}

/// Where an endpoint lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    pub(crate) node: NodeName,
    pub(crate) endpoint: EndpointName,
}

impl Address {
    /// The address of an endpoint of this very node.
    pub(crate) fn here(endpoint: EndpointName) -> Self {
        Self { node: NodeName::LOCAL, endpoint }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}/{:?}", self.node, self.endpoint)
    }
}

/// The name of a pipe, fixed when it is made and the same at both ends wherever they travel. It exists so that a pipe
/// can be kept from being sent over itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PipeName {
    pub(crate) creator: NodeName,
    pub(crate) number: u64,
}

impl fmt::Debug for PipeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}|{}", self.creator, self.number)
    }
}

/// What a pipe is called within an invitation. The one pipe of a plain invitation has the empty label.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PipeLabel(String);

impl PipeLabel {
    /// `None` if it is longer than [`PIPE_LABEL_BYTES_MAX`].
    pub(crate) fn new(label: &str) -> Option<Self> {
        (label.len() <= PIPE_LABEL_BYTES_MAX).then(|| Self(label.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
