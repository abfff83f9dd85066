//! Frames from a sender that is not yet known to be ours to hear.
//!
//! After an end has moved, its messages may reach us before the old place has said `PrevIs`. They are kept, in order, by
//! sender. Anybody can send such frames, or make an honest node send them, so they are counted by origin, which is the
//! sending node and the creator of the sending endpoint. An honest future prev never has more than one window under
//! way. An origin that goes over its budget loses what it has here, and nobody else does; the link it came over is not
//! to blame. Creators are easily named, so only so many origins of one node are kept. Should such an origin turn out to be the new prev after all, the pipe has lost something, and ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::frame::Body;
use super::message::cost;
use super::name::{Address, NodeName};
use super::probe::{Mark, Mutation, mutated, reached};
use super::window::Count;
use crate::limits::HELD_ORIGINS_MAX;

/// The sending node, and the creator of the sending endpoint if it is a node that we know.
pub(crate) type Origin = (NodeName, Option<NodeName>);

/// Where a frame comes from, and what it may use up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    pub(crate) from: Address,
    /// The most that an honest sender can have under way to this endpoint.
    pub(crate) room: Count,
    pub(crate) controls_max: u64,
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct Held<H> {
    senders: BTreeMap<Address, Kept<H>>,
    /// Origins of which something has been discarded, and how many names this node had known when it first was.
    spent: BTreeMap<Origin, u64>,
}

#[derive(Clone, Debug, Hash)]
struct Kept<H> {
    bodies: VecDeque<Body<H>>,
    used: Count,
    controls: u64,
}

impl<H> Default for Kept<H> {
    fn default() -> Self {
        Self { bodies: VecDeque::new(), used: Count::default(), controls: 0 }
    }
}

impl<H> Default for Held<H> {
    fn default() -> Self {
        Self { senders: BTreeMap::new(), spent: BTreeMap::new() }
    }
}

/// What a node knows about the creators of endpoints.
pub(crate) trait Acquaintance {
    /// How many names had been known when this one became known, if it is.
    fn known_since(&self, name: NodeName) -> Option<u64>;

    /// How many names have ever been known.
    fn names_known(&self) -> u64;

    /// Who made an endpoint.
    fn maker_of(&self, at: Address) -> NodeName {
        at.endpoint.creator
    }

    fn origin_of(&self, from: Address) -> Origin {
        let creator = self.maker_of(from);
        if mutated(Mutation::OriginsMerged) {
            return (from.node, Some(from.node));
        }
        if mutated(Mutation::CreatorsBelieved) {
            return (from.node, Some(creator));
        }
        (from.node, self.known_since(creator).map(|_| creator))
    }
}

impl<H> Held<H> {
    /// Keeps `body`, or returns everything that is to be refused instead.
    pub(crate) fn keep(&mut self, guest: Guest, body: Body<H>, names: &impl Acquaintance) -> Vec<Body<H>> {
        let origin = names.origin_of(guest.from);
        if self.spent.contains_key(&origin) {
            return vec![body];
        }
        let of_origin = |from: &&Address| names.origin_of(**from) == origin;
        let (mut used, mut controls) = (Count::default(), 0);
        for kept in self.senders.iter().filter(|(from, _)| of_origin(from)).map(|(_, kept)| kept) {
            used = used.joined(kept.used);
            controls += kept.controls;
        }
        let fits = match &body {
            Body::User(_) => used.messages < guest.room.messages && used.bytes < guest.room.bytes,
            _ => controls < guest.controls_max,
        };
        let fits = fits && (controls > 0 || used.messages > 0 || !self.is_crowded_by(guest.from.node, names));
        if fits || mutated(Mutation::HoldUnbounded) {
            self.senders.entry(guest.from).or_default().push(body);
            return Vec::new();
        }
        reached(if matches!(body, Body::User(_)) { Mark::HeldMessages } else { Mark::HeldControls });
        let senders: Vec<Address> = self.senders.keys().filter(of_origin).copied().collect();
        self.spoil(guest.from, names);
        let kept = senders.into_iter().filter_map(|sender| self.senders.remove(&sender));
        kept.flat_map(|kept| kept.bodies).chain([body]).collect()
    }

    /// Whether no more origins of this node are to be kept.
    fn is_crowded_by(&self, node: NodeName, names: &impl Acquaintance) -> bool {
        let theirs = self.senders.keys().filter(|from| from.node == node).map(|from| names.origin_of(*from));
        let origins: BTreeSet<Origin> = theirs.collect();
        origins.len() >= HELD_ORIGINS_MAX && !mutated(Mutation::OriginsUnbounded)
    }

    /// Whether something from this sender may have been discarded: of its origin, or of its creator when that was
    /// known and now is not, or of creators that were not known when it was not known, either.
    pub(crate) fn has_lost(&self, from: Address, names: &impl Acquaintance) -> bool {
        let creator = names.maker_of(from);
        let nameless = self.spent.get(&(from.node, None));
        let since = names.known_since(creator);
        self.spent.contains_key(&(from.node, Some(creator)))
            || mutated(Mutation::OriginsMerged) && self.spent.contains_key(&names.origin_of(from))
            || nameless.is_some_and(|spent| since.is_none_or(|since| since >= *spent))
    }

    /// Takes what this sender has sent so far.
    pub(crate) fn release(&mut self, from: Address) -> VecDeque<Body<H>> {
        self.senders.remove(&from).unwrap_or_default().bodies
    }

    /// Something of the origin of this sender has been discarded.
    pub(crate) fn spoil(&mut self, from: Address, names: &impl Acquaintance) {
        self.spent.entry(names.origin_of(from)).or_insert_with(|| names.names_known());
    }

    /// Takes everything, in order of sender, each with the node it came from.
    pub(crate) fn into_bodies(self) -> impl Iterator<Item = (NodeName, Body<H>)> {
        self.senders
            .into_iter()
            .flat_map(|(sender, kept)| kept.bodies.into_iter().map(move |body| (sender.node, body)))
    }

    /// What is kept of each origin, messages and control frames.
    #[cfg(test)]
    pub(crate) fn by_origin(&self, names: &impl Acquaintance) -> BTreeMap<Origin, (Count, u64)> {
        let mut usage = BTreeMap::new();
        for (from, kept) in &self.senders {
            let entry: &mut (Count, u64) = usage.entry(names.origin_of(*from)).or_default();
            *entry = (entry.0.joined(kept.used), entry.1 + kept.controls);
        }
        usage
    }

    /// How many origins have lost something here.
    #[cfg(test)]
    pub(crate) fn spent(&self) -> usize {
        self.spent.len()
    }

    /// How many messages are kept, of all senders.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> u64 {
        self.senders.values().map(|kept| kept.used.messages).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.senders.is_empty() && self.spent.is_empty()
    }
}

impl<H> Kept<H> {
    fn push(&mut self, body: Body<H>) {
        match &body {
            Body::User(parcel) => {
                let size = cost(parcel.bytes.len(), parcel.ends.len(), parcel.handles.len());
                self.used = self.used.plus(size);
            }
            _ => self.controls += 1,
        }
        self.bodies.push_back(body);
    }
}
