//! The node: the only ring with a lock.
//!
//! One lock guards the whole core. It is taken in one file, `act.rs`, in which every transition but that of a new link goes through
//! [`Shared::act`]. No foreign code runs while it is held: frames are appended to outboxes (ours, a leaf), wakers are woken
//! and user values dropped after the unlocking.

mod act;
mod builder;
mod end;
mod inspect;
mod invitation;
mod joined;
mod launch;
mod listener;
mod room;

use std::fmt;
use std::io;
use std::sync::Arc;

pub(crate) use act::Shared;
pub use builder::NodeBuilder;
pub(crate) use end::{Draft, Drained, End, EndRef, Incoming, Looked, Sender};
pub use inspect::{Awaited, Inspection, LinkInspection, PipeInspection, PipeState, RouteInspection};
pub use invitation::{AcceptedInvitation, Invitation};
pub use launch::{INVITATION_VARIABLE, Launched};
pub use listener::{Connection, Listener};

use crate::bindings::MessagePipe;
use crate::core::{Draft as CoreDraft, Mask};
#[cfg(doc)]
use crate::error::{InvitationError, Why};
use crate::link::fresh_name;
use mage_sched::Scheduler;

/// One participant in a network of processes: the place where pipes live.
///
/// A node is a value; there is nothing global, and several nodes may live in one process. Clones are the same node. When
/// the last clone is dropped and the last pipe with it, the links of the node are flushed and closed.
///
/// ```
/// let event_loop = mage::event_loop::EventLoop::new()?;
/// let node = mage::Node::new(event_loop.scheduler());
/// let (ours, theirs) = node.create_message_pipes();
/// # drop((ours, theirs));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Node {
    user: Arc<User>,
}

/// What all clones of a node and all its pipes share: when the last of them is gone, nobody can use the node any more.
pub(crate) struct User {
    pub(crate) shared: Arc<Shared>,
}

impl Node {
    /// A node with default limits that runs its links on `scheduler`. Starts no thread and makes no system call.
    pub fn new(scheduler: Arc<dyn Scheduler>) -> Self {
        Self::builder(scheduler).build()
    }

    /// A node with limits or a policy of its own.
    pub fn builder(scheduler: Arc<dyn Scheduler>) -> NodeBuilder {
        NodeBuilder::new(scheduler)
    }

    pub(crate) fn from_shared(shared: Shared) -> Self {
        Self { user: Arc::new(User { shared: Arc::new(shared) }) }
    }

    /// Makes a pipe and returns its two ends. What is sent into one comes out of the other, in order, wherever the two
    /// have travelled meanwhile.
    pub fn create_message_pipes(&self) -> (MessagePipe, MessagePipe) {
        let (first, second) = self.user.shared.act(|router| router.create_pipe());
        (self.pipe(first), self.pipe(second))
    }

    fn pipe(&self, name: crate::core::EndpointName) -> MessagePipe {
        MessagePipe::from_end(End::new(Arc::clone(&self.user), name))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.user.shared
    }

    /// Waits until no end that has left this node is still routed through it, and nothing that was sent waits for a node
    /// that has not been met. After that the process can [shut down](Node::shutdown) and exit, and breaks no strangers' pipe.
    /// Give your own pipes away or drop them first.
    ///
    /// It waits for as long as somebody on the way does not answer; wrap it in your runtime's timeout if you cannot.
    /// Cancellation-safe.
    pub async fn drain(&self) {
        self.user.shared.drained().await;
    }

    /// Leaves every network that this node is in, and returns when what has been sent is written out and the links are
    /// closed. The node is then as new: it may accept an invitation into another network, or into the same one again,
    /// where it gets a new name; or send one, and found a network of its own. A node that has been [shut down](Node::shutdown)
    /// stays so.
    ///
    /// Pipes that lead to other nodes end at once: what had arrived can still be read, behind it is [`Why::Left`]. The
    /// other ends read what is written, then [`Why::PeerDied`]. Pipes within the node go on, and may travel in the next
    /// network; those ends are not lost whose messages have not been read. An acceptance that another task awaits fails with
    /// [`InvitationError::Left`]. A [`Listener`] goes on, for the network to come.
    ///
    /// [`Node::drain`] first if strangers may depend on this node. Dropping the future early leaves the links closing in the
    /// background; the networks are left all the same, once it has been polled.
    ///
    /// ```
    /// # let mut event_loop = mage::event_loop::EventLoop::new()?;
    /// # let [guest, one, other] = std::array::from_fn(|_| mage::Node::new(event_loop.scheduler()));
    /// # let invited = |inviter: &mage::Node| {
    /// #     let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    /// #     Ok::<_, std::io::Error>((inviter.send_invitation(ours)?, theirs))
    /// # };
    /// # let ((_first, socket), (_second, other_socket)) = (invited(&one)?, invited(&other)?);
    /// # event_loop.run_until(async {
    /// let pipe = guest.accept_invitation(socket).await?;
    /// guest.leave().await?;
    /// assert_eq!(pipe.recv().await.map(drop), Err(mage::Why::Left));
    /// let pipe = guest.accept_invitation(other_socket).await?;
    /// # drop(pipe);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the system has no random number; nothing has happened then.
    pub async fn leave(&self) -> io::Result<()> {
        let mask = Mask::new(fresh_name()?);
        self.user.shared.leave(mask).await;
        Ok(())
    }

    /// Waits until the broker of the network that this node is a member of is gone, and returns at once if it is.
    ///
    /// From then on nobody new can be met: a pipe whose two ends are in nodes without a link ends at once, with
    /// [`Why::Unreachable`] or [`Why::PeerDied`]. Links that there are go on. It is a chance to [leave](Node::leave) and
    /// join another network.
    ///
    /// A node that is its own broker, or in no network, waits until it is a member of another's. In an isolated network
    /// there is nobody but the inviter, and the pipes to it tell that it is gone. Cancellation-safe.
    pub async fn broker_lost(&self) {
        self.user.shared.broker_lost().await;
    }

    /// Writes out everything that has been sent, closes every link, and returns when that is done. Pipes to other nodes
    /// are then disconnected; pipes within the node go on.
    ///
    /// It is final, for all clones of the node: from then on it sends and accepts no invitation, which fails with
    /// [`InvitationError::ShutDown`], as does an acceptance that another task awaits. To live on in another network,
    /// [leave](Node::leave).
    ///
    /// What was sent into a pipe whose other end is itself still on its way cannot be written yet and is lost;
    /// [`Node::drain`] first waits for that.
    ///
    /// Dropping the future early leaves the links closing in the background.
    pub async fn shutdown(self) {
        self.user.shared.close_links().await;
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.shared.end_links();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Node").field(&Arc::as_ptr(&self.user)).finish()
    }
}

impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("User").finish_non_exhaustive()
    }
}

/// The core's form of a draft: names instead of pipes.
pub(crate) type NamedDraft = CoreDraft<crate::link::Handle>;
