//! Seeing what a node is made of, as plain data.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU16;

use super::Node;
use crate::core::{Address, NodeName, Role, Status};
use crate::error::{PeerMisbehaved, Why};

/// What a node consists of at one moment. Plain data: printing, comparing and keeping it costs the node nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// What this node is called, in each network it is in.
    pub names: Vec<NodeName>,
    /// The links whose handshake is done.
    pub links: Vec<LinkInspection>,
    /// Nodes that are being met.
    pub awaited: Vec<Awaited>,
    /// Pipe ends that live here.
    pub ends: usize,
    /// Places that an end has left and that still forward, because not everybody has been told.
    pub proxies: usize,
    /// What those forward, by where it comes from and goes to.
    pub routes: Vec<RouteInspection>,
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
    /// Frames that the link has not begun to write, because the other side does not read as fast.
    pub unsent_frames: usize,
}

/// A node that is known, and to which there is no link yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Awaited {
    /// Who it is.
    pub peer: NodeName,
    /// Frames that wait for the link.
    pub waiting_frames: usize,
}

/// What is routed through this node on one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteInspection {
    /// Where it comes from; `None` is this node.
    pub from: Option<NodeName>,
    /// Where it goes; `None` is this node, or not known yet.
    pub to: Option<NodeName>,
    /// How many places forward on this way.
    pub places: usize,
    /// Messages that wait in them.
    pub waiting_messages: u64,
}

/// One end of a pipe, or a place that one has left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipeInspection {
    /// What it is.
    pub state: PipeState,
    /// The node to which it sends; `None` is this one.
    pub peer: Option<NodeName>,
    /// The node that it hears; `None` is this one. While ends move, it need not be the one it sends to.
    pub hears: Option<NodeName>,
    /// Whether the two ends send to each other with nobody in between, as far as can be known here.
    pub direct: bool,
    /// How many steps the last message took from its sender to here, if one has come since the end is here: 1 is straight,
    /// each place that it passed through adds one.
    pub hops: Option<NonZeroU16>,
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
        let ((names, links, awaited, statuses), faults) = self.shared().look(|router, unsent| {
            let link =
                |(peer, link, is_broker)| LinkInspection { peer, is_broker, unsent_frames: unsent(link) };
            let links: Vec<LinkInspection> = router.linked_nodes().into_iter().map(link).collect();
            (router.names(), links, router.awaited_nodes(), router.statuses())
        });
        let pipes: Vec<PipeInspection> = statuses.into_iter().map(PipeInspection::from).collect();
        let proxies = pipes.iter().filter(|pipe| pipe.state != PipeState::Open).count();
        let awaited = awaited.into_iter().map(|(peer, waiting_frames)| Awaited { peer, waiting_frames });
        Inspection {
            names,
            links,
            awaited: awaited.collect(),
            ends: pipes.len() - proxies,
            proxies,
            routes: routes(&pipes),
            pipes,
            faults,
        }
    }
}

fn routes(pipes: &[PipeInspection]) -> Vec<RouteInspection> {
    let mut routes = BTreeMap::<_, (usize, u64)>::new();
    for pipe in pipes.iter().filter(|pipe| pipe.state != PipeState::Open) {
        let (places, waiting) = routes.entry((pipe.hears, pipe.peer)).or_default();
        *places += 1;
        *waiting += pipe.unread_messages;
    }
    let route =
        |((from, to), (places, waiting_messages))| RouteInspection { from, to, places, waiting_messages };
    routes.into_iter().map(route).collect()
}

impl From<Status> for PipeInspection {
    fn from(status: Status) -> Self {
        let node = |address: Address| (!address.node.is_local()).then_some(address.node);
        Self {
            state: match status.role {
                Role::Open => PipeState::Open,
                Role::Moving => PipeState::Moving,
                Role::Proxying => PipeState::Proxying,
            },
            peer: node(status.peer),
            hears: node(status.prev),
            direct: status.direct,
            hops: status.hops,
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
        let (ends, proxies) = (count(self.ends, "pipe end"), count(self.proxies, "proxy"));
        writeln!(formatter, "node {name}: {ends}, {proxies}")?;
        let open = || self.pipes.iter().filter(|pipe| pipe.state == PipeState::Open);
        let ends = || open().filter(|pipe| pipe.ended.is_none());
        let within = ends().filter(|pipe| pipe.peer.is_none()).count();
        writeln!(formatter, "  ├─ within this node: {}", count(within, "end"))?;
        let ended = || open().filter(|pipe| pipe.ended.is_some());
        if ended().next().is_some() {
            let unread: u64 = ended().map(|pipe| pipe.unread_messages).sum();
            writeln!(formatter, "  ├─ ended: {}, {unread} unread", count(ended().count(), "end"))?;
        }
        for LinkInspection { peer, is_broker, unsent_frames } in &self.links {
            let of_link = || ends().filter(|pipe| pipe.peer == Some(*peer));
            let direct = of_link().filter(|pipe| pipe.direct).count();
            let unread: u64 = of_link().map(|pipe| pipe.unread_messages).sum();
            let broker = if *is_broker { " (broker)" } else { "" };
            let ends = count(of_link().count(), "end");
            writeln!(
                formatter,
                "  ├─ {peer}{broker}: {ends}, {direct} direct, {unread} unread, {unsent_frames} unsent"
            )?;
        }
        for Awaited { peer, waiting_frames } in &self.awaited {
            writeln!(formatter, "  ├─ {peer}: not met yet, {} waiting", count(*waiting_frames, "frame"))?;
        }
        let place = |node: Option<NodeName>| node.map_or_else(|| "here".to_owned(), |node| node.to_string());
        for RouteInspection { from, to, places, waiting_messages } in &self.routes {
            let (from, to, places) = (place(*from), place(*to), count(*places, "place"));
            writeln!(formatter, "  ├─ {from} ──► [{places}, {waiting_messages} waiting] ──► {to}")?;
        }
        for fault in &self.faults {
            writeln!(formatter, "  ├─ dropped a link: {fault}")?;
        }
        writeln!(formatter, "  ┴")
    }
}

fn count(number: usize, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}
