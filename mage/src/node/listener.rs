//! A service at a path: unrelated clients connect, show who they are, and are invited or not.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mage_sched::{Interest, Transfer, Watch};

use super::Node;
use crate::bindings::MessagePipe;
use crate::error::InvitationError;
use crate::link::{PeerCredentials, accept, connect, lock_file, peer_credentials, restrict, unlock_file};

/// Who may connect to a service's socket, unless told otherwise: the user that runs it.
const MODE: u32 = 0o600;

/// A service's socket. Dropping it closes the service to new clients and removes the socket file.
#[derive(Debug)]
pub struct Listener {
    node: Node,
    watch: Box<dyn Watch>,
    path: PathBuf,
    /// Held for as long as the service lives, so that a socket file without a holder is known to be stale.
    lock: OwnedFd,
}

/// A client that has connected and of which nothing has been read yet. Dropping it turns the client away.
#[derive(Debug)]
#[must_use = "a client waits until it is admitted, and is turned away when this is dropped"]
pub struct Connection {
    node: Node,
    socket: OwnedFd,
    credentials: PeerCredentials,
}

impl Node {
    /// Offers a service at `path` to clients of this user.
    ///
    /// A socket file that a service left behind when it died is replaced; one whose service lives is an error. Beside the socket
    /// stands a file with the ending `.lock`, which stays.
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrInUse`] if a service lives there, [`io::ErrorKind::AlreadyExists`] if something stands there that
    /// is no socket, which is left alone; otherwise those of the file system and of the scheduler.
    pub fn listen(&self, path: impl AsRef<Path>) -> io::Result<Listener> {
        self.listen_with_mode(path, MODE)
    }

    /// [`Node::listen`] for those whom the permissions `mode` of the socket file let in.
    ///
    /// # Errors
    /// As [`Node::listen`].
    pub fn listen_with_mode(&self, path: impl AsRef<Path>, mode: u32) -> io::Result<Listener> {
        let path = path.as_ref().to_owned();
        let lock = lock_file(&with_ending(&path, "lock"))?;
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.file_type().is_socket()) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "what stands at this path is no socket",
            ));
        }
        // Nobody connects before the permissions are right: the socket gets its name last, in place of a stale one.
        let unnamed = with_ending(&path, &format!("new-{}", std::process::id()));
        match std::fs::remove_file(&unnamed) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = OwnedFd::from(UnixListener::bind(&unnamed)?);
        restrict(&unnamed, mode)?;
        std::fs::rename(&unnamed, &path)?;
        let watch = self.shared().scheduler().watch(Arc::new(socket))?;
        Ok(Listener { node: self.clone(), watch, path, lock })
    }

    /// Connects to the service at `path` and waits to be admitted. Cancellation-safe: the service sees a client that left.
    ///
    /// # Errors
    /// Those of connecting, and those of [`Node::accept_invitation`]. To connect never blocks the thread: if more clients wait for
    /// the service than it has room for, the error is an [`InvitationError::Io`] of the kind [`io::ErrorKind::WouldBlock`]. No
    /// system tells when there is room again, so try again after a while.
    pub async fn connect(&self, path: impl AsRef<Path>) -> Result<MessagePipe, InvitationError> {
        self.accept_invitation(connect(path.as_ref())?).await
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

impl Listener {
    /// Waits for the next client. Cancellation-safe: a client is either returned or still waiting.
    ///
    /// # Errors
    /// Those of the system call. With all descriptors in use, the client goes on waiting and the next call fails again, so
    /// close something before calling again.
    pub async fn accept(&mut self) -> io::Result<Connection> {
        loop {
            let mut accepted = None;
            poll_fn(|context| {
                self.watch.poll_io(context, Interest::Read, &mut |listener| {
                    accepted = Some(accept(listener)?);
                    Ok(Transfer::More(1))
                })
            })
            .await?;
            let Some(socket) = accepted else { continue };
            // A client that has left already has no credentials, and is of no interest.
            if let Ok(credentials) = peer_credentials(socket.as_fd()) {
                return Ok(Connection { node: self.node.clone(), socket, credentials });
            }
        }
    }

    /// Where the service is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Best effort: what stays behind is stale, and known to be so.
        let _ = std::fs::remove_file(&self.path);
        unlock_file(&self.lock);
    }
}

impl Connection {
    /// Who the client is, as the kernel says. The process number may be reused once the client has ended, so it is good for
    /// logs, not for decisions.
    pub fn credentials(&self) -> PeerCredentials {
        self.credentials
    }

    /// Invites the client into this node's network.
    ///
    /// # Errors
    /// As [`Node::send_invitation`].
    pub fn admit(self) -> io::Result<MessagePipe> {
        self.node.send_invitation(self.socket)
    }

    /// Invites the client into a network of its own with this node, so that it meets nobody else.
    ///
    /// # Errors
    /// As [`Node::send_invitation`].
    pub fn admit_isolated(self) -> io::Result<MessagePipe> {
        let mut invitation = self.node.invitation().isolated();
        let pipe = invitation.attach("")?;
        invitation.send(self.socket)?;
        Ok(pipe)
    }
}
