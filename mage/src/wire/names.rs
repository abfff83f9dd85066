//! Names on the wire: which node a frame means, said in one byte where the link itself says it.

use super::reader::Reader;
use crate::core::{Address, EndpointName, NodeName, PipeName, Welcome};
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
}

impl Names {
    /// What the acceptor of an invitation knows from the moment it has this welcome.
    pub(crate) fn of_acceptor<H>(welcome: &Welcome<H>) -> Self {
        Self { me: Some(welcome.you), them: Some(welcome.me) }
    }

    /// What the inviter knew when it wrote this welcome.
    pub(crate) fn of_inviter<H>(welcome: &Welcome<H>) -> Self {
        Self { me: Some(welcome.me), them: Some(welcome.you) }
    }

    pub(crate) fn are_known(self) -> bool {
        self.me.is_some() && self.them.is_some()
    }

    // ---- writing

    /// A node in full.
    pub(super) fn put_node(self, node: NodeName, out: &mut Vec<u8>) {
        let node = if node.is_local() { self.me.unwrap_or(node) } else { node };
        out.extend_from_slice(&node.to_bytes());
    }

    fn put_tagged(self, node: NodeName, out: &mut Vec<u8>) {
        if node.is_local() || Some(node) == self.me {
            out.push(SENDER);
        } else if Some(node) == self.them {
            out.push(RECEIVER);
        } else {
            out.push(OTHER);
            out.extend_from_slice(&node.to_bytes());
        }
    }

    pub(super) fn put_endpoint(self, endpoint: EndpointName, out: &mut Vec<u8>) {
        self.put_tagged(endpoint.creator, out);
        out.extend_from_slice(&endpoint.number.to_le_bytes());
    }

    pub(super) fn put_pipe(self, pipe: PipeName, out: &mut Vec<u8>) {
        self.put_tagged(pipe.creator, out);
        out.extend_from_slice(&pipe.number.to_le_bytes());
    }

    pub(super) fn put_address(self, address: Address, out: &mut Vec<u8>) {
        self.put_tagged(address.node, out);
        self.put_endpoint(address.endpoint, out);
    }

    // ---- reading

    /// A node in full, as this node calls it.
    pub(super) fn read_node(self, reader: &mut Reader<'_>) -> Result<NodeName, PeerMisbehaved> {
        let node = read_raw_node(reader)?;
        Ok(if Some(node) == self.me { NodeName::LOCAL } else { node })
    }

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

    pub(super) fn read_endpoint(self, reader: &mut Reader<'_>) -> Result<EndpointName, PeerMisbehaved> {
        Ok(EndpointName { creator: self.read_tagged(reader)?, number: reader.u64()? })
    }

    pub(super) fn read_pipe(self, reader: &mut Reader<'_>) -> Result<PipeName, PeerMisbehaved> {
        Ok(PipeName { creator: self.read_tagged(reader)?, number: reader.u64()? })
    }

    pub(super) fn read_address(self, reader: &mut Reader<'_>) -> Result<Address, PeerMisbehaved> {
        Ok(Address { node: self.read_tagged(reader)?, endpoint: self.read_endpoint(reader)? })
    }
}

/// A node in full, as it calls itself.
pub(super) fn read_raw_node(reader: &mut Reader<'_>) -> Result<NodeName, PeerMisbehaved> {
    NodeName::from_bytes(reader.array()?).ok_or(PeerMisbehaved::InvalidName)
}
