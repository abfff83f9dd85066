//! Sending and accepting invitations.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use futures::channel::oneshot;

use super::joined::Joined;
use super::{Node, Shared};
use crate::bindings::MessagePipe;
use crate::core::{self, EndpointName, LinkId, NodeName, PipeLabel};
use crate::error::{InvitationError, Why};
use crate::limits::MESSAGE_PIPES_MAX;
use crate::link::{Driver, Outbox, Start, Watched, check_stream_socket, fresh_name};

/// An invitation with any number of named pipes.
///
/// ```
/// # use std::os::unix::net::UnixStream;
/// # let mut event_loop = mage::event_loop::EventLoop::new()?;
/// # let (inviter, guest) = (mage::Node::new(event_loop.scheduler()), mage::Node::new(event_loop.scheduler()));
/// # let (ours, theirs) = UnixStream::pair()?;
/// let mut invitation = inviter.invitation();
/// let audio = invitation.attach("audio")?;
/// let video = invitation.attach("video")?;
/// invitation.send(ours)?;
/// # event_loop.run_until(async {
/// let mut accepted = guest.accept_named_invitation(theirs).await?;
/// let their_video = accepted.extract("video").expect("it was attached");
/// # drop((audio, video, their_video));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "an invitation reaches nobody until it is sent"]
pub struct Invitation {
    node: Node,
    pipes: Vec<(PipeLabel, MessagePipe)>,
    isolated: bool,
}

/// The pipes of an invitation that was accepted. Those that are not extracted are closed, and their other ends learn.
#[derive(Debug)]
pub struct AcceptedInvitation {
    pipes: Vec<(PipeLabel, MessagePipe)>,
}

impl Node {
    /// Invites whoever holds the other end of `socket` into this node's network, and returns a pipe to it.
    ///
    /// The pipe can be used at once: what is sent into it waits until the other side accepts. If it never does, the pipe
    /// is disconnected when the socket closes. `socket` must be a connected stream socket; it becomes non-blocking.
    ///
    /// The first invitation of a node founds a network, with this node as its broker. A node that is a member of another's
    /// network brings its guest into that one.
    ///
    /// # Errors
    /// If `socket` is no stream socket or the scheduler cannot watch it, and with [`InvitationError::ShutDown`] within if this
    /// node has been [shut down](Node::shutdown). What is wrong at the other end shows at the pipe, not here.
    pub fn send_invitation(&self, socket: impl Into<OwnedFd>) -> io::Result<MessagePipe> {
        let mut invitation = self.invitation();
        let pipe = invitation.attach("")?;
        invitation.send(socket)?;
        Ok(pipe)
    }

    /// An invitation without pipes, to attach named ones to.
    pub fn invitation(&self) -> Invitation {
        Invitation { node: self.clone(), pipes: Vec::new(), isolated: false }
    }

    /// Accepts the invitation that whoever holds the other end of `socket` sends, and returns its pipe.
    ///
    /// The first acceptance makes this node a member of the inviter's network. A node that already has a network gets a
    /// connection of its own to the inviter, and pipes of the one network cannot be sent over the other. Two nodes never
    /// have two links, so a second invitation from the same node is refused with
    /// [`InvitationError::AlreadyConnected`].
    ///
    /// Cancellation-safe: dropping the future closes the socket, and the inviter learns. There is no time limit; wrap
    /// the future in your runtime's timeout if you need one.
    ///
    /// # Errors
    /// Every way in which a handshake can fail, with whose fault it was. The node is then as it was before, and can
    /// accept another.
    pub async fn accept_invitation(
        &self,
        socket: impl Into<OwnedFd>,
    ) -> Result<MessagePipe, InvitationError> {
        let joined = self.join(socket.into()).await?;
        if joined.is_empty() {
            return Err(InvitationError::NoPipe);
        }
        let mut accepted = self.own(joined);
        accepted.pipes.truncate(1);
        accepted.pipes.pop().map(|(_, pipe)| pipe).ok_or(InvitationError::NoPipe)
    }

    /// [`Node::accept_invitation`] for an invitation with any number of named pipes.
    ///
    /// # Errors
    /// As [`Node::accept_invitation`], but an invitation without pipes is none.
    pub async fn accept_named_invitation(
        &self,
        socket: impl Into<OwnedFd>,
    ) -> Result<AcceptedInvitation, InvitationError> {
        Ok(self.own(self.join(socket.into()).await?))
    }

    async fn join(&self, socket: OwnedFd) -> Result<Joined, InvitationError> {
        let shared = self.shared();
        let watched = watch(shared, socket)?;
        let (sender, receiver) = oneshot::channel();
        let outbox = Arc::new(Outbox::new());
        let (link, names) = shared.open_link(Arc::clone(&outbox), Some(sender), |router| router.accept())?;
        let guard = Accepting { shared, link };
        shared.start(Driver::new(Arc::clone(shared), link, watched, names, outbox, Start::Handshake));
        let answer = receiver.await;
        drop(guard);
        answer.unwrap_or(Err(InvitationError::Closed))
    }

    fn own(&self, joined: Joined) -> AcceptedInvitation {
        let pipes = joined.take().into_iter().map(|(label, name)| (label, self.pipe(name))).collect();
        AcceptedInvitation { pipes }
    }
}

impl Invitation {
    /// Makes a pipe, attaches one end under this name and returns the other, which can be used at once.
    ///
    /// # Errors
    /// As [`Invitation::attach_pipe`].
    pub fn attach(&mut self, name: &str) -> io::Result<MessagePipe> {
        let (ours, theirs) = self.node.create_message_pipes();
        self.attach_pipe(name, theirs)?;
        Ok(ours)
    }

    /// Attaches an end of an existing pipe of this node, with everything that waits in it.
    ///
    /// # Errors
    /// If the name is longer than [`PIPE_LABEL_BYTES_MAX`](crate::limits::PIPE_LABEL_BYTES_MAX) or taken, the pipe is
    /// another node's, or too many are attached. The pipe is then closed.
    pub fn attach_pipe(&mut self, name: &str, pipe: MessagePipe) -> io::Result<()> {
        let refuse = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        let Some(label) = PipeLabel::new(name) else { return refuse("the name of the pipe is too long") };
        if self.pipes.iter().any(|(taken, _)| *taken == label) {
            return refuse("a pipe of this name is attached already");
        }
        if self.pipes.len() >= MESSAGE_PIPES_MAX {
            return refuse("too many pipes are attached");
        }
        if !pipe.end().belongs_to(&self.node) {
            return refuse("the pipe belongs to another node");
        }
        self.pipes.push((label, pipe));
        Ok(())
    }

    /// Makes the two sides a network of their own, apart from those that either is in. Messages and pipes pass between
    /// the two; a pipe of one network cannot be passed on into another, and an attempt is refused with
    /// [`SendErrorKind::OtherNetwork`](crate::SendErrorKind::OtherNetwork).
    pub fn isolated(mut self) -> Self {
        self.isolated = true;
        self
    }

    /// Sends the invitation to whoever holds the other end of `socket`.
    ///
    /// # Errors
    /// As [`Node::send_invitation`]; the attached ends are then closed.
    pub fn send(self, socket: impl Into<OwnedFd>) -> io::Result<()> {
        self.prepare(socket.into())?.send().map_err(shut_down)
    }

    /// Everything about sending it that depends on the system, and nothing that anybody else could notice.
    pub(super) fn prepare(self, socket: OwnedFd) -> io::Result<Prepared> {
        let shared = self.node.shared();
        if shared.is_shut() {
            return Err(shut_down(InvitationError::ShutDown));
        }
        let watched = watch(shared, socket)?;
        let (me, guest) = (fresh_name()?, fresh_name()?);
        Ok(Prepared { invitation: self, watched, me, guest })
    }
}

/// An invitation that can be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    invitation: Invitation,
    watched: Watched,
    me: NodeName,
    guest: NodeName,
}

impl Prepared {
    /// Sends it. This fails only if the node has been shut down meanwhile; the attached ends are then closed.
    pub(super) fn send(self) -> Result<(), InvitationError> {
        let Self { invitation: Invitation { node, pipes, isolated }, watched, me, guest } = self;
        let shared = node.shared();
        let outbox = Arc::new(Outbox::new());
        let own = |(label, pipe): (PipeLabel, MessagePipe)| (label, pipe.into_end().into_name());
        let ends: Vec<(PipeLabel, EndpointName)> = pipes.into_iter().map(own).collect();
        let names: Vec<EndpointName> = ends.iter().map(|(_, end)| *end).collect();
        let invitation = core::Invitation { me, guest, ends, isolated };
        let opened = shared.open_link(Arc::clone(&outbox), None, |router| router.invite(invitation));
        let (link, link_names) = opened.inspect_err(|_| {
            names.iter().for_each(|end| shared.act(|router| router.close(*end, Why::Closed)));
        })?;
        shared.start(Driver::new(Arc::clone(shared), link, watched, link_names, outbox, Start::Handshake));
        Ok(())
    }
}

fn shut_down(error: InvitationError) -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, error)
}

impl AcceptedInvitation {
    /// Takes the pipe that was attached under this name, if there was one and it is still here.
    pub fn extract(&mut self, name: &str) -> Option<MessagePipe> {
        let place = self.pipes.iter().position(|(label, _)| label.as_str() == name)?;
        Some(self.pipes.remove(place).1)
    }

    /// The names of the pipes that are still here.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pipes.iter().map(|(label, _)| label.as_str())
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

fn watch(shared: &Shared, socket: OwnedFd) -> io::Result<Watched> {
    check_stream_socket(&socket)?;
    shared.watch(socket)
}
