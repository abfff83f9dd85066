//! Messages, as they wait in a queue and as a user hands them in.

use super::name::{EndpointName, NodeName};
use crate::error::SendErrorKind;
use crate::limits::{HANDLE_COST, PIPE_COST};
use crate::seldom::Seldom;

/// A message that has arrived and waits to be read. The ends it carries are endpoints of this node, named, not owned:
/// no destructor ever runs inside the core.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Message<H> {
    pub(crate) sequence: u64,
    pub(crate) hops: u16,
    /// The node from which it came here; when it has been read, the one that has sent it, as far as is known.
    pub(crate) source: NodeName,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Seldom<EndpointName>,
    pub(crate) handles: Seldom<H>,
}

impl<H> Message<H> {
    /// Whether the node from which it came has only passed it on.
    pub(crate) fn was_forwarded(&self) -> bool {
        self.hops > 1
    }

    /// What it counts for in the byte window.
    pub(crate) fn cost(&self) -> u64 {
        cost(self.bytes.len(), self.ends.len(), self.handles.len())
    }
}

/// What a message of this shape counts for in the byte window.
pub(crate) fn cost(bytes: usize, ends: usize, handles: usize) -> u64 {
    bytes as u64 + PIPE_COST * ends as u64 + HANDLE_COST * handles as u64
}

/// A message on its way in from the user.
#[derive(Debug)]
pub(crate) struct Draft<H> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Seldom<EndpointName>,
    pub(crate) handles: Seldom<H>,
}

/// A message that was not taken, whole, with the reason.
#[derive(Debug)]
pub(crate) struct Refused<H> {
    pub(crate) why: SendErrorKind,
    pub(crate) message: Draft<H>,
}
