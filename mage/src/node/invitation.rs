//! Sending and accepting invitations.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use futures::channel::oneshot;

use super::{Node, Shared};
use crate::bindings::MessagePipe;
use crate::core::LinkId;
use crate::error::InvitationError;
use crate::link::{Driver, Outbox, Start, check_stream_socket, fresh_name};
use crate::wire::Names;
use mage_sched::Watch;

impl Node {
    /// Invites whoever holds the other end of `socket` into this node's network, and returns a pipe to it.
    ///
    /// The pipe can be used at once: what is sent into it waits until the other side accepts. If it never does, the pipe
    /// is disconnected when the socket closes. `socket` must be a connected stream socket; it becomes non-blocking.
    ///
    /// # Errors
    /// If `socket` is no stream socket or the scheduler cannot watch it. What is wrong at the other end shows at the
    /// pipe, not here.
    pub fn send_invitation(&self, socket: impl Into<OwnedFd>) -> io::Result<MessagePipe> {
        let shared = self.shared();
        let watch = watch(shared, socket.into())?;
        let (me, guest) = (fresh_name()?, fresh_name()?);
        let outbox = Arc::new(Outbox::new());
        let (link, (me, name)) = shared.open_link(Arc::clone(&outbox), None, |router| {
            let (link, me, name) = router.invite(me, guest);
            (link, (me, name))
        });
        let names = Names { me: Some(me), them: Some(guest) };
        shared.start(Driver::new(Arc::clone(shared), link, watch, names, outbox, Start::Handshake));
        Ok(self.pipe(name))
    }

    /// Accepts the invitation that whoever holds the other end of `socket` sends, and returns its pipe.
    ///
    /// The first acceptance makes this node a member of the inviter's network. A node that already has a network gets a
    /// connection of its own to the inviter, and pipes of the one network cannot be sent over the other.
    ///
    /// Cancellation-safe: dropping the future closes the socket, and the inviter learns. There is no time limit; wrap
    /// the future in your runtime's timeout if you need one.
    ///
    /// # Errors
    /// Every way in which a handshake can fail, with whose fault it was.
    pub async fn accept_invitation(&self, socket: impl Into<OwnedFd>) -> Result<MessagePipe, InvitationError> {
        let shared = self.shared();
        let watch = watch(shared, socket.into())?;
        let (sender, receiver) = oneshot::channel();
        let outbox = Arc::new(Outbox::new());
        let (link, ()) = shared.open_link(Arc::clone(&outbox), Some(sender), |router| (router.accept(), ()));
        let guard = Accepting { shared, link };
        shared.start(Driver::new(Arc::clone(shared), link, watch, Names::default(), outbox, Start::Handshake));
        let answer = receiver.await;
        drop(guard);
        match answer {
            Ok(Ok(name)) => Ok(self.pipe(name)),
            Ok(Err(error)) => Err(error),
            Err(oneshot::Canceled) => Err(InvitationError::Closed),
        }
    }
}

/// Gives up when the future is dropped.
struct Accepting<'a> {
    shared: &'a Arc<Shared>,
    link: LinkId,
}

impl Drop for Accepting<'_> {
    fn drop(&mut self) {
        self.shared.give_up_accepting(self.link);
    }
}

fn watch(shared: &Shared, socket: OwnedFd) -> io::Result<Box<dyn Watch>> {
    check_stream_socket(&socket)?;
    shared.scheduler().watch(Arc::new(socket))
}
