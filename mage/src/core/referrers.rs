//! Who refers to a node that has not been met.
//!
//! When such a node turns out to be out of reach, these end. There may be a hundred thousand other endpoints, and a peer can name
//! nodes that there are not as fast as it can write, so nobody looks through all of them to find these.

use std::hash::{Hash, Hasher};

use super::name::EndpointName;

/// Fewer are never looked through.
const FEW: usize = 64;

/// Every endpoint that refers to the node, and some that did once.
#[derive(Clone, Debug, Default)]
pub(super) struct Referrers {
    names: Vec<EndpointName>,
    /// How many there were that still did, when this was last looked at.
    live: usize,
}

impl Referrers {
    /// Adds one that refers, or is just about to. Those that no longer do are forgotten when they may be half of all: so each costs
    /// a few steps, and there are hardly more than twice as many as need be.
    pub(super) fn add(&mut self, name: EndpointName, refers: impl Fn(&EndpointName) -> bool) {
        if self.names.len() >= FEW + 2 * self.live {
            self.names.retain(refers);
            self.names.sort_unstable();
            self.names.dedup();
            self.live = self.names.len();
        }
        self.names.push(name);
    }

    /// All of them, each once, in the order of their names.
    pub(super) fn into_names(mut self) -> Vec<EndpointName> {
        self.names.sort_unstable();
        self.names.dedup();
        self.names
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    #[cfg(test)]
    pub(super) fn contains(&self, name: EndpointName) -> bool {
        self.names.contains(&name)
    }
}

/// It follows from the endpoints.
impl Hash for Referrers {
    fn hash<S: Hasher>(&self, _: &mut S) {}
}
