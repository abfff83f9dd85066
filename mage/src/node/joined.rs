//! The pipes of an accepted invitation, on their way to whoever awaits them.

use std::mem;
use std::sync::Arc;

use super::Shared;
use super::act::Pipes;
use crate::core::LinkId;
use crate::error::Why;

/// What an acceptance has come to. If nobody takes it, the node is as it was before: an acceptance that is given up after
/// the other side has welcomed us, or that brought nothing of use, leaves the network again that it has joined.
#[derive(Debug)]
pub(crate) struct Joined {
    shared: Arc<Shared>,
    link: LinkId,
    pipes: Option<Pipes>,
}

impl Joined {
    pub(crate) fn new(shared: Arc<Shared>, link: LinkId, pipes: Pipes) -> Self {
        Self { shared, link, pipes: Some(pipes) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pipes.as_ref().is_none_or(Vec::is_empty)
    }

    pub(crate) fn take(mut self) -> Pipes {
        mem::take(&mut self.pipes).unwrap_or_default()
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let Some(pipes) = self.pipes.take() else { return };
        for (_, name) in pipes {
            self.shared.act(|router| router.close(name, Why::Closed));
        }
        self.shared.act(|router| router.decline(self.link));
    }
}
