//! What must be true of a network: at every moment, and when nothing moves any more.

use std::collections::{BTreeMap, BTreeSet};

use super::oracle::{Hand, Oracle};
use super::token::Token;
use super::world::World;
use crate::core::endpoint::{Endpoint, Outgoing, State};
use crate::core::router::Router;
use crate::limits::Limits;

/// The smallest and the largest window of the nodes of a world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    pub(super) least: (u64, u64),
    pub(super) most: (u64, u64),
}

impl Windows {
    pub(super) fn of(limits: &[Limits]) -> Self {
        let messages = limits.iter().map(|limits| limits.window_messages);
        let bytes = limits.iter().map(|limits| limits.window_bytes);
        Self {
            least: (messages.clone().min().unwrap_or(0), bytes.clone().min().unwrap_or(0)),
            most: (messages.max().unwrap_or(0), bytes.max().unwrap_or(0)),
        }
    }
}

/// What holds at every moment, between two inputs.
pub(super) fn always(world: &World, windows: Windows, faults: &mut Vec<String>) {
    faults.extend(world.faults.iter().cloned());
    for node in world.living() {
        let router = &world.nodes[node].router;
        for (name, endpoint) in router.endpoints.iter() {
            if let Some(what) = endpoint_fault(router, endpoint, windows) {
                faults.push(format!("{name:?} on node {node} {what}"));
            }
        }
        carriers(router, node, faults);
        references(router, node, faults);
        if router.endpoints.values().filter(|endpoint| !endpoint.is_open()).count()
            != router.endpoints.places()
        {
            faults.push(format!("node {node} has lost count of its places"));
        }
    }
}

fn endpoint_fault(
    router: &Router<Token>,
    endpoint: &Endpoint<Token>,
    windows: Windows,
) -> Option<&'static str> {
    let queued = endpoint.queue.count().messages;
    let held = endpoint.held.as_ref().map_or(0, |held| held.messages());
    if queued + held > windows.most.0 {
        return Some("has more messages than a window");
    }
    match &endpoint.state {
        State::Proxying(_) if queued > 0 => Some("forwards and has messages in its queue"),
        State::Open(open) => {
            let readable = queued > 0 || endpoint.incoming != crate::core::endpoint::Incoming::Open;
            let writable = endpoint.outgoing != Outgoing::Open || endpoint.window.has_room();
            if open.has_reader() && readable {
                Some("has not woken its reader")
            } else if open.has_writers() && writable {
                Some("has not woken its writers")
            } else if router.endpoints.len() > router.limits.endpoints_max {
                Some("is one too many")
            } else {
                None
            }
        }
        State::Moving(_) | State::Proxying(_) => None,
    }
}

/// Whoever refers to a node that has not been met will hear of it if it cannot be.
pub(super) fn references(router: &Router<Token>, node: usize, faults: &mut Vec<String>) {
    for (name, endpoint) in router.endpoints.iter() {
        let speaks = endpoint.outgoing == Outgoing::Open;
        let hears = endpoint.incoming == crate::core::endpoint::Incoming::Open;
        for (other, matters) in [(endpoint.peer().node, speaks), (endpoint.prev().node, hears)] {
            if matters && !router.peers.would_tell(other, name) {
                faults.push(format!("node {node} would not tell {name:?} that {other:?} cannot be met"));
            }
        }
    }
}

/// The books of what waits in what: exact, and without circles.
pub(super) fn carriers(router: &Router<Token>, node: usize, faults: &mut Vec<String>) {
    let mut brought = BTreeMap::new();
    for carrier in router.endpoints.values().filter_map(|endpoint| endpoint.carrier()) {
        *brought.entry(carrier).or_insert(0) += 1;
    }
    for (name, endpoint) in router.endpoints.iter() {
        let brought = brought.get(&name).copied().unwrap_or(0);
        if brought != endpoint.carried() {
            faults.push(format!("{name:?} on node {node} carries {brought}, says {}", endpoint.carried()));
        }
    }
    let mut clear = BTreeSet::new();
    for name in router.endpoints.keys() {
        let mut path = BTreeSet::new();
        let mut at = Some(name).filter(|name| !clear.contains(name));
        while let Some(here) = at {
            if !path.insert(here) {
                faults.push(format!("{here:?} on node {node} waits in itself"));
                break;
            }
            let carrier = router.endpoints.get(&here).and_then(|endpoint| endpoint.carrier());
            at = carrier.filter(|name| !clear.contains(name));
        }
        clear.append(&mut path);
    }
}

/// Why a pipe may have ended though nobody closed it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Excuse {
    pub(super) any: bool,
    /// Even a pipe that nothing else can touch.
    pub(super) collapsed: bool,
}

/// What holds when nothing is under way and users have read everything.
pub(super) fn at_rest(
    world: &mut World,
    oracle: &mut Oracle,
    windows: Windows,
    excuse: Excuse,
    sure: &[(Hand, Hand)],
) {
    for node in world.living() {
        let router = &world.nodes[node].router;
        if router.peers.asked() > 0 {
            oracle.blame(format!("node {node} still waits for an introduction"));
        }
        for (name, endpoint) in router.endpoints.iter() {
            let hand = Hand { node, end: name };
            if !endpoint.is_open() {
                oracle.faults.push(format!("{name:?} on node {node} is stuck: {endpoint:?}"));
            } else if !oracle.hands.contains(&hand) {
                oracle
                    .faults
                    .push(format!("{name:?} on node {node} is out of everybody's reach: {endpoint:?}"));
            } else if endpoint.carrier().is_some() {
                oracle.faults.push(format!(
                    "{name:?} on node {node} has been read and still waits to be: {endpoint:?}"
                ));
            }
        }
    }
    links(world, oracle);
    for &(hand, other) in sure {
        let held = oracle.hands.contains(&hand) && oracle.hands.contains(&other);
        if held && !excuse.collapsed && (has_ended(world, hand) || has_ended(world, other)) {
            oracle.blame(format!("the collapsed pipe of {hand:?} has ended for no reason of its own"));
        }
    }
    for (hand, other) in pairs(world, oracle) {
        match other {
            None if !has_ended(world, hand) => {
                oracle.blame(format!("{hand:?} is half of a pipe without another half"));
            }
            None => {}
            Some(other) => pair_at_rest(world, oracle, windows, excuse, (hand, other)),
        }
    }
}

/// What holds for a pipe, both of whose ends are in the hands of users.
pub(super) fn pair_at_rest(
    world: &World,
    oracle: &mut Oracle,
    windows: Windows,
    excuse: Excuse,
    (hand, other): (Hand, Hand),
) {
    match (has_ended(world, hand), has_ended(world, other)) {
        (true, true) if excuse.any => {}
        (true, true) => oracle.blame(format!("the pipe of {hand:?} and {other:?} has ended for no reason")),
        (true, false) | (false, true) => {
            oracle.blame(format!("one end of the pipe of {hand:?} and {other:?} knows that it has ended"));
        }
        (false, false) => {
            open_pipe(world, oracle, windows, hand);
            open_pipe(world, oracle, windows, other);
        }
    }
}

/// An end of a pipe that works.
fn open_pipe(world: &World, oracle: &mut Oracle, windows: Windows, hand: Hand) {
    let Some(way) = oracle.says(world, hand) else { return };
    if !oracle.is_complete(way) {
        oracle.blame(format!("{hand:?} has said something that never arrived"));
    }
    let router = &world.nodes[hand.node].router;
    if router.status(hand.end).is_none_or(|status| !status.direct) {
        oracle.blame(format!("{hand:?} is not direct: {:?}", router.status(hand.end)));
    }
    let Some(endpoint) = router.endpoints.get(&hand.end) else { return };
    let room = |limit: u64, sent: u64| limit.saturating_sub(sent);
    let window = endpoint.window;
    let least = (windows.least.0.div_ceil(2).max(1) - 1, windows.least.1.div_ceil(2).max(1) - 1);
    if room(window.limit.messages, window.sent.messages) + least.0 < windows.least.0
        || room(window.limit.bytes, window.sent.bytes) + least.1 < windows.least.1
    {
        oracle.blame(format!("{hand:?} has a reader who has read all, and too little room: {window:?}"));
    }
}

/// Every end that is held, each pipe once, with its other end if that is held, too.
pub(super) fn pairs(world: &World, oracle: &Oracle) -> Vec<(Hand, Option<Hand>)> {
    let mut by_way = BTreeMap::new();
    for &hand in &oracle.hands {
        if let (Some(says), Some(hears)) = (oracle.says(world, hand), oracle.hears(world, hand)) {
            by_way.insert(says, (hand, hears));
        }
    }
    let once = by_way.iter().filter(|&(says, (_, hears))| says < hears || !by_way.contains_key(hears));
    once.map(|(_, (hand, hears))| (*hand, by_way.get(hears).map(|(other, _)| *other))).collect()
}

/// At most one link for each pair of nodes, and both of one mind.
fn links(world: &World, oracle: &mut Oracle) {
    for node in 0..world.nodes.len() {
        for other in 0..node {
            if world.links_between(node, other) > 1 {
                oracle.blame(format!("nodes {other} and {node} have two links"));
            }
        }
    }
    for (channel, sides) in world.channels.iter().map(|channel| &channel.sides).enumerate() {
        if sides[0].closed != sides[1].closed {
            oracle.blame(format!("one half of channel {channel} is closed: {:?}", sides));
        }
    }
}

pub(super) fn has_ended(world: &World, hand: Hand) -> bool {
    let status = world.nodes[hand.node].router.status(hand.end);
    status.is_none_or(|status| status.ended.is_some())
}

/// What is left when every end has been closed.
pub(super) fn after_closing(world: &World, oracle: &mut Oracle) {
    for node in world.living() {
        let router = &world.nodes[node].router;
        for (name, endpoint) in router.endpoints.iter() {
            oracle.faults.push(format!("{name:?} on node {node} is left over: {endpoint:?}"));
        }
        if router.peers.asked() > 0 {
            oracle.blame(format!("node {node} still waits for an introduction"));
        }
    }
}

/// No handle is left when everything is closed. For a world that has never been cloned.
pub(super) fn handles(world: &World, oracle: &mut Oracle) {
    if world.tokens() > 0 {
        oracle.blame(format!("{} handles have leaked", world.tokens()));
    }
}
