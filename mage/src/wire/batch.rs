//! Handles as they arrive: all those of one frame at once, or what the kernel could install of them.

use crate::error::PeerMisbehaved;

/// The handles that one read brought.
///
/// A sender passes all handles of a frame to the kernel in one piece, and a read stops behind such a piece, so a batch
/// is what one frame declares.
#[derive(Debug)]
#[cfg_attr(any(fuzzing, test), derive(Clone))]
pub(crate) struct Batch<H> {
    pub(crate) handles: Vec<H>,
    /// Whether there were more, for which this process had no room. The buffer for them has room for as many as the kernel
    /// passes at all, so it is this process's own table of descriptors that is full, or the share of it that this node allows
    /// its peers.
    pub(crate) truncated: bool,
}

impl<H> Batch<H> {
    /// Whether this can be what a frame that declares so many brought.
    pub(super) fn check(&self, declared: usize) -> Result<(), PeerMisbehaved> {
        let came = self.handles.len() + usize::from(self.truncated);
        if came > declared {
            return Err(PeerMisbehaved::UnexpectedHandles);
        }
        if came < declared && !self.truncated {
            return Err(PeerMisbehaved::MissingHandles);
        }
        Ok(())
    }
}

impl<H> Default for Batch<H> {
    fn default() -> Self {
        Self { handles: Vec::new(), truncated: false }
    }
}
