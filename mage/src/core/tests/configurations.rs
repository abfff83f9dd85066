//! The kinds of weather in which the network is tried.

use crate::limits::Limits;

/// One kind.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    pub(super) nodes: usize,
    pub(super) operations: usize,
    pub(super) window_messages: u64,
    pub(super) window_bytes: u64,
    /// Whether every node has a window of its own.
    pub(super) mixed: bool,
    /// How many directions of links are slow, of a thousand.
    pub(super) slow: usize,
    /// How promptly the broker works: how often of a thousand times.
    pub(super) broker: usize,
    pub(super) crashes: usize,
    pub(super) broker_crashes: bool,
    pub(super) cuts: usize,
    pub(super) refused: &'static [(usize, usize)],
    pub(super) twice: bool,
    /// Whether nodes give credit to endpoints that are none of their business.
    pub(super) forged: bool,
    pub(super) pending_frames_max: usize,
    pub(super) held_controls_max: usize,
    pub(super) known_nodes_max: usize,
    pub(super) hops_max: u16,
    /// How many of a thousand operations that do nothing else fuse two pipes.
    pub(super) fuses: usize,
    /// How many of the nodes are in no network at first; a member invites each of them at some moment.
    pub(super) outsiders: usize,
    /// Whether the broker turns every other one of them away.
    pub(super) turns_away: bool,
    /// Whether they are invited into a network of two.
    pub(super) isolated: bool,
    /// How many nodes give away what they hold, wait until nothing is routed through them, and leave.
    pub(super) drains: usize,
    /// How many nodes leave their networks, whatever is under way, and live on. The broker is the first where it crashes, too.
    pub(super) leaves: usize,
}

impl Configuration {
    const PLAIN: Self = Self {
        nodes: 4,
        operations: 100,
        window_messages: 4,
        window_bytes: 1 << 20,
        mixed: false,
        slow: 0,
        broker: 50,
        crashes: 0,
        broker_crashes: false,
        cuts: 0,
        refused: &[],
        twice: false,
        forged: false,
        pending_frames_max: 400,
        held_controls_max: 1024,
        known_nodes_max: 100,
        hops_max: 64,
        fuses: 0,
        outsiders: 0,
        turns_away: false,
        isolated: false,
        drains: 0,
        leaves: 0,
    };

    /// The limits of each node.
    pub(super) fn limits(&self) -> Vec<Limits> {
        let limits = |node: usize| {
            let times = if self.mixed { 1 << (node % 3) } else { 1 };
            Limits {
                window_messages: self.window_messages * times,
                window_bytes: self.window_bytes * times,
                pending_frames_max: self.pending_frames_max,
                held_controls_max: self.held_controls_max,
                known_nodes_max: self.known_nodes_max,
                ..Limits::default()
            }
        };
        (0..self.nodes).map(limits).collect()
    }
}

/// All kinds. A failing run names its place in this list.
pub(super) const ALL: &[Configuration] = &{
    const PLAIN: Configuration = Configuration::PLAIN;
    const SLOW: Configuration = Configuration { slow: 300, ..PLAIN };
    const WIDE: Configuration = Configuration { nodes: 5, broker: 10, ..PLAIN };
    [
        PLAIN,
        Configuration { window_messages: 1, nodes: 3, hops_max: 1024, ..SLOW },
        Configuration { window_messages: 2, nodes: 5, ..SLOW },
        Configuration { twice: true, ..WIDE },
        Configuration { forged: true, slow: 200, ..PLAIN },
        Configuration { slow: 500, operations: 150, ..PLAIN },
        Configuration { slow: 500, hops_max: 3, ..PLAIN },
        Configuration { crashes: 1, ..SLOW },
        Configuration { fuses: 500, ..SLOW },
        Configuration { fuses: 800, nodes: 3, window_messages: 2, ..SLOW },
        Configuration { fuses: 500, nodes: 5, crashes: 1, cuts: 1, operations: 140, ..SLOW },
        Configuration { crashes: 1, broker_crashes: true, ..WIDE },
        Configuration { crashes: 1, broker_crashes: true, twice: true, nodes: 5, operations: 140, ..SLOW },
        Configuration { crashes: 2, nodes: 5, operations: 140, ..PLAIN },
        Configuration { crashes: 2, broker_crashes: true, nodes: 5, window_messages: 6, ..SLOW },
        Configuration { crashes: 1, forged: true, slow: 200, ..PLAIN },
        Configuration { refused: &[(1, 2)], broker: 10, ..PLAIN },
        Configuration { refused: &[(1, 2)], crashes: 1, nodes: 5, ..SLOW },
        Configuration { pending_frames_max: 3, ..WIDE },
        Configuration { pending_frames_max: 3, crashes: 1, slow: 300, ..WIDE },
        Configuration { pending_frames_max: 3, crashes: 2, twice: true, ..WIDE },
        Configuration { cuts: 1, ..SLOW },
        Configuration { cuts: 3, nodes: 5, operations: 140, ..SLOW },
        Configuration { cuts: 2, crashes: 1, ..WIDE },
        Configuration { held_controls_max: 1, slow: 400, nodes: 5, ..PLAIN },
        Configuration { held_controls_max: 1, slow: 400, crashes: 1, forged: true, ..PLAIN },
        Configuration { window_bytes: 40, window_messages: 64, ..SLOW },
        Configuration { window_bytes: 300, window_messages: 3, nodes: 3, crashes: 1, ..SLOW },
        Configuration { mixed: true, window_bytes: 200, ..SLOW },
        Configuration { mixed: true, window_messages: 1, nodes: 5, crashes: 1, ..SLOW },
        Configuration { mixed: true, window_messages: 1, slow: 500, operations: 200, ..PLAIN },
        Configuration { known_nodes_max: 3, nodes: 5, crashes: 2, ..SLOW },
        Configuration { known_nodes_max: 3, nodes: 5, cuts: 3, operations: 140, ..SLOW },
        Configuration { known_nodes_max: 3, cuts: 6, operations: 250, ..PLAIN },
        Configuration { outsiders: 2, nodes: 5, ..SLOW },
        Configuration { outsiders: 3, nodes: 5, turns_away: true, ..SLOW },
        Configuration { outsiders: 3, nodes: 6, crashes: 2, ..SLOW },
        Configuration { outsiders: 2, nodes: 5, crashes: 1, broker_crashes: true, ..SLOW },
        Configuration { outsiders: 2, nodes: 5, cuts: 2, ..WIDE },
        Configuration { outsiders: 1, isolated: true, ..SLOW },
        Configuration { outsiders: 2, isolated: true, nodes: 5, crashes: 1, ..SLOW },
        Configuration { outsiders: 3, nodes: 5, cuts: 4, ..SLOW },
        Configuration { leaves: 1, ..SLOW },
        Configuration { leaves: 2, nodes: 5, fuses: 300, broker: 10, ..SLOW },
        Configuration { leaves: 1, broker_crashes: true, nodes: 5, ..SLOW },
        Configuration { leaves: 3, outsiders: 2, nodes: 6, operations: 140, ..SLOW },
        Configuration { leaves: 2, outsiders: 2, isolated: true, crashes: 1, nodes: 6, ..SLOW },
        Configuration { drains: 1, operations: 150, ..SLOW },
        Configuration { drains: 2, nodes: 5, operations: 200, broker: 10, ..SLOW },
        Configuration { drains: 2, outsiders: 1, nodes: 5, operations: 200, ..SLOW },
        Configuration { drains: 2, leaves: 1, nodes: 5, operations: 200, ..SLOW },
    ]
};
