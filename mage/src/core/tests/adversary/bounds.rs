//! What a hostile peer may make an honest node keep, at most. Each bound is a named limit.

use std::collections::BTreeMap;

use crate::core::endpoint::{Endpoint, Outgoing};
use crate::core::message::cost;
use crate::core::tests::token::Token;
use crate::core::tests::world::World;
use crate::core::{Router, Window};
use crate::limits::{
    ASKED_NAMES_MAX, CARRIED_MAX, HELD_ORIGINS_MAX, MESSAGE_HANDLES_MAX, MESSAGE_PIPES_MAX,
    PENDING_ADMISSIONS_MAX,
};

/// How far a run has gone, so that a campaign can tell whether it has come near the bounds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reached {
    pub(super) held_of_one_origin: u64,
    pub(super) origins: usize,
    pub(super) depth: usize,
}

impl Reached {
    pub(super) fn most(self, other: Self) -> Self {
        Self {
            held_of_one_origin: self.held_of_one_origin.max(other.held_of_one_origin),
            origins: self.origins.max(other.origins),
            depth: self.depth.max(other.depth),
        }
    }
}

/// Looks at every honest node.
pub(super) fn check(world: &World, hostile: usize, faults: &mut Vec<String>) -> Reached {
    let mut reached = Reached::default();
    for node in world.living().into_iter().filter(|node| *node != hostile) {
        let router = &world.nodes[node].router;
        let mut blame = |what: String| faults.push(format!("node {node} keeps too much: {what}"));
        if router.endpoints.len() > router.limits.endpoints_max {
            blame("endpoints".to_owned());
        }
        if router.peers.remembered() > router.limits.known_nodes_max {
            blame("names".to_owned());
        }
        if router.peers.told().iter().any(|(teller, told)| !teller.is_local() && *told > ASKED_NAMES_MAX)
            || router.peers.told().values().sum::<usize>() != router.peers.asked()
        {
            blame("names asked for".to_owned());
        }
        if router.peers.admissions.values().any(|pending| *pending > PENDING_ADMISSIONS_MAX) {
            blame("admissions".to_owned());
        }
        for (frames, bytes) in router.peers.pending() {
            if frames > router.limits.pending_frames_max || bytes > router.limits.pending_bytes_max as u64 {
                blame(format!("{frames} frames wait for one name"));
            }
        }
        for (name, endpoint) in router.endpoints.iter() {
            let (fault, here) = endpoint_bounds(router, endpoint);
            reached = reached.most(here);
            if let Some(fault) = fault {
                blame(format!("{fault} at {name:?}: {endpoint:?}"));
            }
        }
    }
    reached
}

fn endpoint_bounds(router: &Router<Token>, endpoint: &Endpoint<Token>) -> (Option<&'static str>, Reached) {
    let mut reached = Reached { depth: depth(router, endpoint), ..Reached::default() };
    let window = &endpoint.window;
    let runs_ahead = endpoint.outgoing == Outgoing::Open && endpoint.is_open();
    if !window.is_consistent() || runs_ahead && window.is_beyond(Window::most(&router.limits)) {
        return (Some("impossible numbers"), reached);
    }
    // The message that crosses the line is still taken.
    let largest = cost(router.limits.message_bytes_max, MESSAGE_PIPES_MAX, MESSAGE_HANDLES_MAX);
    let (queued, granted) = (endpoint.queue.count(), window.granted_unread());
    if queued.messages > granted.messages || queued.bytes > granted.bytes.saturating_add(largest) {
        return (Some("more than was granted"), reached);
    }
    if endpoint.carried() > CARRIED_MAX[0] {
        return (Some("ends"), reached);
    }
    let Some(held) = &endpoint.held else { return (None, reached) };
    let usage: BTreeMap<_, _> = held.by_origin(&router.peers);
    // Every link, and over it every creator that is known, and one for all the others.
    let links = router.peers.links.len() + 1;
    let origins = links * (router.peers.remembered() + 2);
    reached.origins = usage.len();
    let of_one_node = |node| usage.keys().filter(|(from, _)| *from == node).count();
    let crowded = usage.keys().any(|(node, _)| of_one_node(*node) > HELD_ORIGINS_MAX);
    if crowded || usage.len() > origins || held.spent() > origins {
        return (Some("origins"), reached);
    }
    // The end may have read since, so this is what its room was at most.
    let most = Window::most(&router.limits);
    for (count, controls) in usage.into_values() {
        reached.held_of_one_origin = reached.held_of_one_origin.max(count.messages + controls);
        let in_bounds = count.messages <= most.messages && count.bytes <= most.bytes.saturating_add(largest);
        if !in_bounds || controls > router.limits.held_controls_max as u64 {
            return (Some("frames of one origin"), reached);
        }
    }
    (None, reached)
}

/// How many unread carriers are above.
fn depth(router: &Router<Token>, endpoint: &Endpoint<Token>) -> usize {
    let mut depth = 0;
    let mut at = endpoint.carrier();
    while let Some(endpoint) = at.and_then(|carrier| router.endpoints.get(&carrier)) {
        if depth >= CARRIED_MAX.len() {
            break;
        }
        depth += 1;
        at = endpoint.carrier();
    }
    depth
}
