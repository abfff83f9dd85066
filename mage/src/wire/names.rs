//! Names on the wire: which node a frame means, said in one byte where the link itself says it.

use super::put::Put;
use super::reader::Reader;
use crate::core::{Address, EndpointName, Mask, NodeName, PipeName, Welcome};
use crate::error::PeerMisbehaved;

/// The node to which the frame goes.
const RECEIVER: u8 = 0;
/// The node from which it comes.
const SENDER: u8 = 1;
/// Another one; its sixteen bytes follow.
const OTHER: u8 = 2;

/// What the two nodes of a link are called, as this node sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// This node; `None` before the handshake gave it a name.
    pub(crate) me: Option<NodeName>,
    /// The node at the other end.
    pub(crate) them: Option<NodeName>,
    /// What the names of this node's own endpoints have inside and not on the wire.
    pub(crate) mask: Mask,
}

impl Names {
    /// Of two nodes that know each other.
    pub(crate) fn between(me: NodeName, them: NodeName, mask: Mask) -> Self {
        Self { me: Some(me), them: Some(them), mask }
    }

    /// What either knows before the handshake.
    pub(crate) fn unknown(mask: Mask) -> Self {
        Self { me: None, them: None, mask }
    }

    /// What the acceptor of an invitation knows from the moment it has this welcome.
    pub(crate) fn of_acceptor<H>(welcome: &Welcome<H>, mask: Mask) -> Self {
        Self::between(welcome.you, welcome.me, mask)
    }

    /// What the inviter knew when it wrote this welcome.
    pub(crate) fn of_inviter<H>(welcome: &Welcome<H>, mask: Mask) -> Self {
        Self::between(welcome.me, welcome.you, mask)
    }

    pub(crate) fn are_known(self) -> bool {
        self.me.is_some() && self.them.is_some()
    }

    // ---- writing

    /// A node in full.
    pub(super) fn put_node(self, node: NodeName, out: &mut impl Put) {
        let node = if node.is_local() { self.me.unwrap_or(node) } else { node };
        out.put(node.to_bytes());
    }

    #[inline]
    fn put_tagged(self, node: NodeName, out: &mut impl Put) {
        if node.is_local() || Some(node) == self.me {
            out.put([SENDER]);
        } else if Some(node) == self.them {
            out.put([RECEIVER]);
        } else {
            out.put([OTHER]);
            out.put(node.to_bytes());
        }
    }

    #[inline]
    pub(super) fn put_endpoint(self, endpoint: EndpointName, out: &mut impl Put) {
        self.put_tagged(endpoint.creator, out);
        out.put(endpoint.number.to_le_bytes());
    }

    /// An endpoint of this node.
    #[inline]
    pub(super) fn put_own_endpoint(self, endpoint: EndpointName, out: &mut impl Put) {
        self.put_endpoint(self.masked(endpoint), out);
    }

    fn masked(self, endpoint: EndpointName) -> EndpointName {
        EndpointName { creator: self.mask.apply(endpoint.creator), ..endpoint }
    }

    pub(super) fn put_pipe(self, pipe: PipeName, out: &mut impl Put) {
        self.put_tagged(pipe.creator, out);
        out.put(pipe.number.to_le_bytes());
    }

    pub(super) fn put_address(self, address: Address, out: &mut impl Put) {
        self.put_tagged(address.node, out);
        if address.node.is_local() {
            self.put_own_endpoint(address.endpoint, out);
        } else {
            self.put_endpoint(address.endpoint, out);
        }
    }

    // ---- reading

    /// A node in full, as this node calls it.
    pub(super) fn read_node(self, reader: &mut Reader<'_>) -> Result<NodeName, PeerMisbehaved> {
        let node = read_raw_node(reader)?;
        Ok(if Some(node) == self.me { NodeName::LOCAL } else { node })
    }

    #[inline]
    fn read_tagged(self, reader: &mut Reader<'_>) -> Result<NodeName, PeerMisbehaved> {
        match reader.byte()? {
            RECEIVER => Ok(NodeName::LOCAL),
            SENDER => self.them.ok_or(PeerMisbehaved::WrongStage),
            OTHER => {
                let node = Some(read_raw_node(reader)?);
                // Whoever can be said in one byte must be.
                node.filter(|_| node != self.me && node != self.them).ok_or(PeerMisbehaved::FieldValue)
            }
            _ => Err(PeerMisbehaved::FieldValue),
        }
    }

    #[inline]
    pub(super) fn read_endpoint(self, reader: &mut Reader<'_>) -> Result<EndpointName, PeerMisbehaved> {
        Ok(EndpointName { creator: self.read_tagged(reader)?, number: reader.u64()? })
    }

    /// An endpoint of this node.
    #[inline]
    pub(super) fn read_own_endpoint(self, reader: &mut Reader<'_>) -> Result<EndpointName, PeerMisbehaved> {
        self.read_endpoint(reader).map(|endpoint| self.masked(endpoint))
    }

    pub(super) fn read_pipe(self, reader: &mut Reader<'_>) -> Result<PipeName, PeerMisbehaved> {
        Ok(PipeName { creator: self.read_tagged(reader)?, number: reader.u64()? })
    }

    pub(super) fn read_address(self, reader: &mut Reader<'_>) -> Result<Address, PeerMisbehaved> {
        let node = self.read_tagged(reader)?;
        let endpoint =
            if node.is_local() { self.read_own_endpoint(reader)? } else { self.read_endpoint(reader)? };
        Ok(Address { node, endpoint })
    }
}

/// A node in full, as it calls itself.
pub(super) fn read_raw_node(reader: &mut Reader<'_>) -> Result<NodeName, PeerMisbehaved> {
    NodeName::from_bytes(reader.array()?).ok_or(PeerMisbehaved::InvalidName)
}
