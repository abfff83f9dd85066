//! Frames from a sender that is not yet known to be ours to hear.
//!
//! After an end has moved, its messages may reach us before the old place has said `PrevIs`. They are kept, in order, by
//! sender. Anybody can send such frames, or make an honest node send them, so they are counted by origin, which is the
//! sending node and the creator of the sending endpoint. An honest future prev never has more than one window under
//! way. An origin that goes over its budget loses what it has here, and nobody else does; the link it came over is not
//! to blame. Should such an origin turn out to be the new prev after all, the pipe has lost something, and ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::frame::Body;
use super::message::cost;
use super::name::{Address, NodeName};
use crate::limits::Limits;

/// The sending node, and the creator of the sending endpoint if it is a node that we know.
pub(crate) type Origin = (NodeName, Option<NodeName>);

#[derive(Debug)]
pub(crate) struct Held<H> {
    senders: BTreeMap<Address, VecDeque<Body<H>>>,
    budgets: BTreeMap<Origin, Budget>,
    spent: BTreeSet<Origin>,
}

#[derive(Debug, Default)]
struct Budget {
    messages: u64,
    bytes: u64,
    controls: usize,
}

impl<H> Default for Held<H> {
    fn default() -> Self {
        Self { senders: BTreeMap::new(), budgets: BTreeMap::new(), spent: BTreeSet::new() }
    }
}

impl<H> Held<H> {
    /// Keeps `body`, or returns everything that is to be refused instead.
    pub(crate) fn keep(
        &mut self,
        from: Address,
        origin: Origin,
        body: Body<H>,
        limits: &Limits,
    ) -> Vec<Body<H>> {
        if self.spent.contains(&origin) {
            return vec![body];
        }
        let budget = self.budgets.entry(origin).or_default();
        let fits = match &body {
            Body::User(parcel) => {
                let room = budget.messages < limits.window_messages && budget.bytes < limits.window_bytes;
                budget.messages += 1;
                let size = cost(parcel.bytes.len(), parcel.ends.len(), parcel.handles.len());
                budget.bytes = budget.bytes.saturating_add(size);
                room
            }
            _ => {
                budget.controls += 1;
                budget.controls <= limits.held_controls_max
            }
        };
        if fits {
            self.senders.entry(from).or_default().push_back(body);
            return Vec::new();
        }
        self.spent.insert(origin);
        self.budgets.remove(&origin);
        let mut refused = Vec::new();
        let of_origin = |address: &Address| {
            address.node == origin.0 && (origin.1.is_none() || origin.1 == Some(address.endpoint.creator))
        };
        let senders: Vec<Address> = self.senders.keys().copied().filter(of_origin).collect();
        for sender in senders {
            refused.extend(self.senders.remove(&sender).unwrap_or_default());
        }
        refused.push(body);
        refused
    }

    /// Whether something of this origin has been discarded.
    pub(crate) fn has_lost(&self, origin: Origin) -> bool {
        self.spent.contains(&origin)
    }

    /// Takes what this sender has sent so far.
    pub(crate) fn release(&mut self, from: Address, origin: Origin) -> VecDeque<Body<H>> {
        let bodies = self.senders.remove(&from).unwrap_or_default();
        if let Some(budget) = self.budgets.get_mut(&origin) {
            for body in &bodies {
                match body {
                    Body::User(parcel) => {
                        let size = cost(parcel.bytes.len(), parcel.ends.len(), parcel.handles.len());
                        budget.messages = budget.messages.saturating_sub(1);
                        budget.bytes = budget.bytes.saturating_sub(size);
                    }
                    _ => budget.controls = budget.controls.saturating_sub(1),
                }
            }
        }
        bodies
    }

    /// Something of this origin has been discarded elsewhere.
    pub(crate) fn spoil(&mut self, origin: Origin) {
        self.spent.insert(origin);
    }

    /// Takes everything, in order of sender, each with the node it came from.
    pub(crate) fn into_bodies(self) -> impl Iterator<Item = (NodeName, Body<H>)> {
        self.senders
            .into_iter()
            .flat_map(|(sender, bodies)| bodies.into_iter().map(move |body| (sender.node, body)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.senders.is_empty() && self.spent.is_empty()
    }
}
