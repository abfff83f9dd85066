//! Seeing what a node is made of, as plain data.

use std::fmt;

use super::Node;
use crate::core::{NodeName, Role, Status};
use crate::error::{PeerMisbehaved, Why};

/// What a node consists of at one moment. Plain data: printing, comparing and keeping it costs the node nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// What this node is called, in each network it is in.
    pub names: Vec<NodeName>,
    /// The links whose handshake is done.
    pub links: Vec<LinkInspection>,
    /// Pipe ends that live here.
    pub ends: usize,
    /// Places that an end has left and that still forward, because not everybody has been told.
    pub proxies: usize,
    /// Every end and every place that an end has left.
    pub pipes: Vec<PipeInspection>,
    /// What peers did wrong lately, for which their links were dropped.
    pub faults: Vec<PeerMisbehaved>,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkInspection {
    /// The node at its other end.
    pub peer: NodeName,
    /// Whether that is the broker of the network.
    pub is_broker: bool,
}

/// One end of a pipe, or a place that one has left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipeInspection {
    /// What it is.
    pub state: PipeState,
    /// The node to which it sends; `None` is this one.
    pub peer: Option<NodeName>,
    /// Whether the two ends send to each other with nobody in between, as far as can be known here.
    pub direct: bool,
    /// Messages that wait here.
    pub unread_messages: u64,
    /// Their payloads and what their attachments count for, in bytes.
    pub unread_bytes: u64,
    /// How many more messages may be sent before the other end has read some.
    pub room_messages: u64,
    /// Why nothing more will come, if so.
    pub ended: Option<Why>,
}

/// What an endpoint of a pipe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipeState {
    /// An end that is held here, or waits here in a message.
    Open,
    /// Sent, and its new place has not answered.
    Moving,
    /// It lives elsewhere; this place forwards.
    Proxying,
}

impl Node {
    /// What this node consists of now.
    pub fn inspect(&self) -> Inspection {
        let shared = self.shared();
        let (names, links, statuses) =
            shared.act(|router| (router.names(), router.linked_nodes(), router.statuses()));
        let proxies = statuses.iter().filter(|status| status.role != Role::Open).count();
        Inspection {
            names,
            links: links.into_iter().map(|(peer, is_broker)| LinkInspection { peer, is_broker }).collect(),
            ends: statuses.len() - proxies,
            proxies,
            pipes: statuses.into_iter().map(PipeInspection::from).collect(),
            faults: shared.faults(),
        }
    }
}

impl From<Status> for PipeInspection {
    fn from(status: Status) -> Self {
        Self {
            state: match status.role {
                Role::Open => PipeState::Open,
                Role::Moving => PipeState::Moving,
                Role::Proxying => PipeState::Proxying,
            },
            peer: (!status.peer.node.is_local()).then_some(status.peer.node),
            direct: status.direct,
            unread_messages: status.unread_messages,
            unread_bytes: status.unread_bytes,
            room_messages: status.room_messages,
            ended: status.ended,
        }
    }
}

impl fmt::Display for Inspection {
    /// The network as this node sees it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.names.first().map_or_else(|| "not in a network".to_owned(), NodeName::to_string);
        writeln!(formatter, "node {name}: {} pipe ends, {} proxies", self.ends, self.proxies)?;
        let within = self.pipes.iter().filter(|pipe| pipe.peer.is_none()).count();
        writeln!(formatter, "  ├─ within this node: {}", pipes(within))?;
        for link in &self.links {
            let of_link = || self.pipes.iter().filter(|pipe| pipe.peer == Some(link.peer));
            let direct = of_link().filter(|pipe| pipe.direct).count();
            let unread: u64 = of_link().map(|pipe| pipe.unread_messages).sum();
            let broker = if link.is_broker { " (broker)" } else { "" };
            writeln!(
                formatter,
                "  ├─ {}{broker}: {}, {direct} direct, {unread} unread",
                link.peer,
                pipes(of_link().count())
            )?;
        }
        for fault in &self.faults {
            writeln!(formatter, "  ├─ dropped a link: {fault}")?;
        }
        writeln!(formatter, "  ┴")
    }
}

fn pipes(count: usize) -> String {
    if count == 1 { "1 endpoint".to_owned() } else { format!("{count} endpoints") }
}
