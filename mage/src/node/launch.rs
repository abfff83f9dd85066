//! Starting a child with its invitation in hand.
//!
//! The child finds its socket as its standard input. That is the one descriptor which the standard library hands to
//! exactly one child without a moment in which another child could inherit it, so nothing here is unsafe and nothing
//! races. The number also stands in the environment, by which a child knows that it was launched this way.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;

use mage_sched::{Interest, Transfer};

use super::Node;
use crate::bindings::{Interface, MessagePipe, Receiver, Remote};
use crate::error::InvitationError;
use crate::link::{process_descriptor, socket_pair};

/// The environment variable that holds the number of the child's socket.
pub const INVITATION_VARIABLE: &str = "MAGE_INVITATION_FD";
/// Standard input.
const INVITATION_NUMBER: &str = "0";

/// A child process and a remote for what it implements.
#[derive(Debug)]
#[non_exhaustive]
pub struct Launched<R> {
    /// The process. Mage neither waits for it nor kills it.
    ///
    /// [`Child::wait`] blocks, and what was sent to the child leaves only while the scheduler runs, so on a thread that the
    /// scheduler needs it may never return. [`Node::wait`] waits without a thread.
    pub child: Child,
    /// The first connection to it.
    pub remote: R,
}

impl Node {
    /// Starts `command` as a child of this process with an invitation in hand, and returns a remote for the interface
    /// that the child serves. The remote can be used at once.
    ///
    /// The child takes the invitation with [`Node::inherited_receiver`] or [`Node::inherited_pipe`]. Its standard input
    /// is the invitation's socket; no other child inherits that. A child that exits or never accepts disconnects the
    /// remote.
    ///
    /// ```no_run
    /// # trait Network {}
    /// # fn run(node: mage::Node) -> std::io::Result<()> {
    /// # #[cfg(any())] {
    /// let launched = node.launch::<dyn Network>(&mut std::process::Command::new("network-process"))?;
    /// launched.remote.fetch_url("https://example.com")?;
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// If the process cannot be started, or for the reasons of [`Node::send_invitation`]; no process has been started then.
    pub fn launch<T: Interface + ?Sized>(&self, command: &mut Command) -> io::Result<Launched<Remote<T>>> {
        let Launched { child, remote } = self.launch_pipe(command)?;
        Ok(Launched { child, remote: Remote::new(remote) })
    }

    /// [`Node::launch`] with the bare pipe.
    ///
    /// # Errors
    /// As [`Node::launch`].
    pub fn launch_pipe(&self, command: &mut Command) -> io::Result<Launched<MessagePipe>> {
        let (ours, theirs) = socket_pair()?;
        let mut invitation = self.invitation();
        let pipe = invitation.attach("")?;
        // What can fail is done before the child is there, of whom nobody would know otherwise.
        let invitation = invitation.prepare(ours)?;
        let spawned = command.env(INVITATION_VARIABLE, INVITATION_NUMBER).stdin(theirs).spawn();
        // The command keeps its copy of the child's socket until it is given another standard input.
        command.stdin(std::process::Stdio::null());
        let child = spawned?;
        // A shutdown in this very moment ends the pipe, as one in the next would.
        let _ = invitation.send();
        Ok(Launched { child, remote: pipe })
    }

    /// Waits until `child` has ended, on this node's scheduler, and returns how. No thread is blocked and no signal handled.
    ///
    /// Cancellation-safe: a child that has ended meanwhile is found by the next call, or by [`Child::try_wait`].
    ///
    /// ```
    /// # let mut event_loop = mage::event_loop::EventLoop::new()?;
    /// # let node = mage::Node::new(event_loop.scheduler());
    /// let mut launched = node.launch_pipe(&mut std::process::Command::new("true"))?;
    /// let status = event_loop.run_until(node.wait(&mut launched.child))?;
    /// assert!(status.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the system calls; of the kind [`io::ErrorKind::Unsupported`] where the system has no descriptors of processes
    /// (Linux has them since 5.3).
    pub async fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let mut watch = self.shared().scheduler().watch(Arc::new(process_descriptor(child)?))?;
        let mut ended = None;
        poll_fn(|context| {
            watch.poll_io(context, Interest::Read, &mut |_| {
                ended = child.try_wait()?;
                if ended.is_some() { Ok(Transfer::More(0)) } else { Err(io::ErrorKind::WouldBlock.into()) }
            })
        })
        .await?;
        ended.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// In a child that was started by [`Node::launch`]: accepts the invitation and returns a receiver for the interface.
    ///
    /// # Errors
    /// As [`Node::inherited_pipe`].
    pub async fn inherited_receiver<T: Interface + ?Sized>(&self) -> Result<Receiver<T>, InvitationError> {
        Ok(Receiver::new(self.inherited_pipe().await?))
    }

    /// In a child that was started by [`Node::launch`]: accepts the invitation and returns its pipe. Works once: standard
    /// input is then empty, and processes that this one starts do not inherit the socket.
    ///
    /// # Errors
    /// Those of [`Node::accept_invitation`], and [`InvitationError::Io`] of the kind `NotFound` in a process that was
    /// not launched so.
    pub async fn inherited_pipe(&self) -> Result<MessagePipe, InvitationError> {
        self.accept_invitation(inherited_socket()?).await
    }
}

fn inherited_socket() -> io::Result<OwnedFd> {
    let number = std::env::var_os(INVITATION_VARIABLE);
    if number.is_none_or(|number| number != INVITATION_NUMBER) {
        return Err(io::Error::new(io::ErrorKind::NotFound, "this process was not launched by a mage node"));
    }
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    // A pipe into which nobody writes: it is empty, and unlike /dev/null it can be had in a process that may open no file.
    let (nothing, _) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::stdio::dup2_stdin(nothing)?;
    Ok(socket)
}
