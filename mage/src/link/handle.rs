//! Descriptors in our hands, and whose share of this process's table they take.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::Limits;
use crate::wire::Batch;

/// What a message can carry beside bytes and pipes. One that has come over a link counts there until somebody has it: a
/// user, another link that has passed it on, or nobody.
#[derive(Debug)]
pub(crate) struct Handle {
    descriptor: OwnedFd,
    /// Of this node's own making, it counts nowhere.
    _shares: Option<[Share; 2]>,
}

/// One of those that are counted.
#[derive(Debug)]
struct Share(Arc<AtomicUsize>);

/// How many descriptors may be here that came over one link, and over all of them.
///
/// The window of a pipe bounds what waits in it, but a peer may have any number of pipes. Over this limit descriptors are
/// closed as they come, as if this process's table of them were full: the message that brought them ends its pipe, and nothing
/// else is harmed. So no peer can fill that table; and as a link never has more than it leaves free, two cannot take it all from a
/// third.
#[derive(Debug)]
pub(super) struct Allowance {
    link: Option<Arc<AtomicUsize>>,
    link_max: usize,
    node: Arc<AtomicUsize>,
    node_max: usize,
}

impl Handle {
    /// It is somebody else's from now on.
    pub(crate) fn into_descriptor(self) -> OwnedFd {
        self.descriptor
    }
}

impl From<OwnedFd> for Handle {
    fn from(descriptor: OwnedFd) -> Self {
        Self { descriptor, _shares: None }
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Allowance {
    /// For a new link of a node in which so many are counted so far.
    pub(super) fn new(limits: &Limits, node: Arc<AtomicUsize>) -> Self {
        Self { link: None, link_max: limits.link_handles_max, node, node_max: limits.node_handles_max }
    }

    /// Counts what has come over the link. Too much is treated as what the kernel had no room for.
    pub(super) fn admit(&mut self, batch: Batch<OwnedFd>) -> Batch<Handle> {
        let Batch { handles: descriptors, truncated } = batch;
        // Most links never see one.
        let link = self.link.get_or_insert_default();
        // Only what another link admits at this moment can come in between, and it adds one batch at most.
        let with_these =
            |count: &AtomicUsize| count.load(Ordering::Relaxed).saturating_add(descriptors.len());
        let free = self.node_max.saturating_sub(with_these(&self.node));
        if !descriptors.is_empty() && with_these(link) > free.min(self.link_max) {
            return Batch { handles: Vec::new(), truncated: true };
        }
        let share = |count: &Arc<AtomicUsize>| {
            count.fetch_add(1, Ordering::Relaxed);
            Share(Arc::clone(count))
        };
        let counted = |descriptor| Handle { descriptor, _shares: Some([share(link), share(&self.node)]) };
        Batch { handles: descriptors.into_iter().map(counted).collect(), truncated }
    }
}
