//! The endpoints of a node, by name.

use std::collections::BTreeMap;

use super::endpoint::{Endpoint, State};
use super::name::{EndpointName, NodeName};

/// Endpoints of one creator are found by their number alone, and each is a box of its own: there may be hundreds of thousands,
/// and nothing moves when one comes or goes.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Endpoints<H> {
    by_creator: BTreeMap<NodeName, BTreeMap<u64, Box<Endpoint<H>>>>,
    count: usize,
    /// How many of them are places that an end has left.
    places: usize,
}

impl<H> Endpoints<H> {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// How many of them are no ends.
    pub(crate) fn places(&self) -> usize {
        self.places
    }

    /// How many have a name that this node gave.
    pub(crate) fn named_by(&self, creator: NodeName) -> usize {
        self.by_creator.get(&creator).map_or(0, BTreeMap::len)
    }

    pub(crate) fn get(&self, name: &EndpointName) -> Option<&Endpoint<H>> {
        Some(self.by_creator.get(&name.creator)?.get(&name.number)?)
    }

    pub(crate) fn get_mut(&mut self, name: &EndpointName) -> Option<&mut Endpoint<H>> {
        Some(self.by_creator.get_mut(&name.creator)?.get_mut(&name.number)?)
    }

    pub(crate) fn insert(&mut self, name: EndpointName, endpoint: Endpoint<H>) {
        self.count += 1;
        self.places += usize::from(!endpoint.is_open());
        let old = self.by_creator.entry(name.creator).or_default().insert(name.number, Box::new(endpoint));
        if let Some(old) = old {
            self.count -= 1;
            self.places -= usize::from(!old.is_open());
        }
    }

    /// An end leaves, and its place is in this state from now on. The end's own state comes back.
    pub(crate) fn vacate(&mut self, name: &EndpointName, state: State) -> Option<State> {
        let endpoint = self.get_mut(name)?;
        let was_open = endpoint.is_open();
        let state = std::mem::replace(&mut endpoint.state, state);
        self.places += usize::from(was_open);
        Some(state)
    }

    pub(crate) fn remove(&mut self, name: &EndpointName) -> Option<Endpoint<H>> {
        let theirs = self.by_creator.get_mut(&name.creator)?;
        let endpoint = theirs.remove(&name.number)?;
        if theirs.is_empty() {
            self.by_creator.remove(&name.creator);
        }
        self.count -= 1;
        self.places -= usize::from(!endpoint.is_open());
        Some(*endpoint)
    }

    /// All of them, in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (EndpointName, &Endpoint<H>)> {
        self.by_creator.iter().flat_map(|(&creator, theirs)| {
            let named = move |number: &u64| EndpointName { creator, number: *number };
            theirs.iter().map(move |(number, endpoint)| (named(number), &**endpoint))
        })
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = EndpointName> {
        self.iter().map(|(name, _)| name)
    }

    #[cfg(test)]
    pub(crate) fn values(&self) -> impl Iterator<Item = &Endpoint<H>> {
        self.iter().map(|(_, endpoint)| endpoint)
    }
}

impl<H> Default for Endpoints<H> {
    fn default() -> Self {
        Self { by_creator: BTreeMap::new(), count: 0, places: 0 }
    }
}
