//! Making a node with limits and a policy of its own.

use std::fmt;
use std::sync::Arc;

use mage_sched::Scheduler;

use super::{Node, Shared};
use crate::core::NodeName;
use crate::error::BadMessageReport;
use crate::limits::Limits;
use crate::node::act::{Complaints, Policy};

/// Collects what a node is made of.
///
/// ```
/// # let event_loop = mage::event_loop::EventLoop::new()?;
/// let node = mage::Node::builder(event_loop.scheduler())
///     .limits(mage::Limits { message_bytes_max: 1 << 20, ..mage::Limits::default() })
///     .may_meet(|_first, _second| true)
///     .build();
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct NodeBuilder {
    scheduler: Arc<dyn Scheduler>,
    limits: Limits,
    policy: Option<Box<Policy>>,
    complaints: Option<Box<Complaints>>,
}

impl NodeBuilder {
    pub(super) fn new(scheduler: Arc<dyn Scheduler>) -> Self {
        Self { scheduler, limits: Limits::default(), policy: None, complaints: None }
    }

    /// What the node lets its peers and its users consume.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Decides, if this node is the broker of its network, which two nodes may get a direct link. It must give the same
    /// answer for a pair in either order, every time; it runs with no lock held, and must not block. Without it, all may.
    #[must_use]
    pub fn may_meet(mut self, policy: impl Fn(NodeName, NodeName) -> bool + Send + Sync + 'static) -> Self {
        self.policy = Some(Box::new(policy));
        self
    }

    /// Is told of each message that a receiver of this node has rejected, because it did not validate or because its handler
    /// said so, and of the node that sent it. The pipe is closed by then; a program that has started the sender may want to
    /// end it. It runs with no lock held, on whatever thread has read the message, and must not block.
    #[must_use]
    pub fn on_bad_message(mut self, complaints: impl Fn(&BadMessageReport) + Send + Sync + 'static) -> Self {
        self.complaints = Some(Box::new(complaints));
        self
    }

    /// Makes the node. Starts no thread and makes no system call.
    pub fn build(self) -> Node {
        Node::from_shared(Shared::new(self.scheduler, self.limits, self.policy, self.complaints))
    }
}

impl fmt::Debug for NodeBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NodeBuilder")
            .field("scheduler", &self.scheduler)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
