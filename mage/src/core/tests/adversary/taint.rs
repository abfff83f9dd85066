//! What a hostile node has had in its hands.
//!
//! Endpoints are followed from outside, by who sent what where, for a liar may call a pipe what it likes. A pipe is tainted if it has an
//! endpoint at the hostile node, or one that speaks to it or hears it, when that turns; and every pipe whose end waits in a tainted
//! one, or is sent over one. A pipe that ran through the hostile node once and does no longer is healed: it must not suffer.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::Router;
use crate::core::name::EndpointName;
use crate::core::tests::oracle::{Hand, Oracle, hand_at};
use crate::core::tests::token::Token;
use crate::core::tests::world::World;

/// The node that made it, and its number there.
pub(super) type Pipe = (usize, u64);

#[derive(Debug, Default)]
pub(super) struct Taint {
    /// What endpoints truly belong to; who is not in here has been made up.
    pipes: BTreeMap<Hand, Pipe>,
    tainted: BTreeSet<Pipe>,
}

impl Taint {
    /// The hostile node turns, while nothing is under way: until now everybody has told the truth.
    pub(super) fn at_turn(world: &World, oracle: &Oracle, hostile: usize) -> Self {
        let mut taint = Self::default();
        let mut touched = BTreeSet::new();
        for node in world.living() {
            let router: &Router<Token> = &world.nodes[node].router;
            for (end, endpoint) in router.endpoints.iter() {
                let hand = Hand { node, end };
                let Some(way) = Oracle::way(world, hand) else { continue };
                let pipe = (way.0, way.1);
                taint.pipes.insert(hand, pipe);
                let names = [endpoint.peer(), endpoint.prev()].map(|address| hand_at(node, address));
                if node == hostile || names.iter().flatten().any(|there| there.node == hostile) {
                    touched.insert(pipe);
                }
            }
        }
        touched.into_iter().for_each(|pipe| taint.taint(pipe, oracle));
        taint
    }

    /// A pipe that was made by an honest user.
    pub(super) fn made(&mut self, hand: Hand, pipe: Pipe) {
        self.pipes.insert(hand, pipe);
    }

    /// Takes note of what has moved meanwhile.
    pub(super) fn follow(&mut self, world: &mut World) {
        for [(node, end), (there, new)] in world.moved.drain(..) {
            if let Some(&pipe) = self.pipes.get(&Hand { node, end }) {
                self.pipes.insert(Hand { node: there, end: new }, pipe);
            }
        }
    }

    pub(super) fn pipe_of(&self, hand: Hand) -> Option<Pipe> {
        self.pipes.get(&hand).copied()
    }

    pub(super) fn is_made_up(&self, node: usize, end: EndpointName) -> bool {
        !self.pipes.contains_key(&Hand { node, end })
    }

    pub(super) fn is_tainted(&self, hand: Hand) -> bool {
        self.pipes.get(&hand).is_none_or(|pipe| self.tainted.contains(pipe))
    }

    /// Whoever holds a tainted pipe has in its hand what waits there, and what waits in that.
    pub(super) fn taint(&mut self, pipe: Pipe, oracle: &Oracle) {
        let mut todo = vec![pipe];
        while let Some(pipe) = todo.pop() {
            if self.tainted.insert(pipe) {
                todo.extend(oracle.waiting_in(pipe));
            }
        }
    }
}
