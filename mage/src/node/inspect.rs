//! Seeing what a node is made of, as plain data.

use std::fmt;

use super::Node;
use crate::core::NodeName;
use crate::error::PeerMisbehaved;

/// What a node consists of at one moment. Plain data: printing, comparing and keeping it costs the node nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// The links whose handshake is done.
    pub links: Vec<LinkInspection>,
    /// Pipe ends that live here.
    pub ends: usize,
    /// Places that an end has left and that still forward, because not everybody has been told.
    pub proxies: usize,
    /// What peers did wrong, for which their links were dropped.
    pub faults: Vec<PeerMisbehaved>,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkInspection {
    /// The node at its other end.
    pub peer: NodeName,
}

impl Node {
    /// What this node consists of now.
    pub fn inspect(&self) -> Inspection {
        let shared = self.shared();
        let (peers, endpoints, proxies) = shared.act(|router| {
            let (endpoints, proxies) = router.census();
            (router.linked_nodes(), endpoints, proxies)
        });
        Inspection {
            links: peers.into_iter().map(|peer| LinkInspection { peer }).collect(),
            ends: endpoints - proxies,
            proxies,
            faults: shared.faults(),
        }
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} pipe ends, {} proxies", self.ends, self.proxies)?;
        for link in &self.links {
            writeln!(formatter, "  link to {}", link.peer)?;
        }
        for fault in &self.faults {
            writeln!(formatter, "  dropped a link: {fault}")?;
        }
        Ok(())
    }
}
