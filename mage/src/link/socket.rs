//! The system calls on a link's socket, and few others. Everything that differs between platforms is in this file.
//!
//! Linux is what runs. Elsewhere these differ: macOS has no `MSG_CMSG_CLOEXEC` and no `MSG_NOSIGNAL` (it has
//! `SO_NOSIGPIPE`); Windows has handles and named pipes.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use mage_sched::Transfer;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

use super::handle::Handle;
use crate::core::NodeName;
use crate::limits::MESSAGE_HANDLES_MAX;
use crate::wire::Batch;

/// The most descriptors the kernel passes at once. With room for these, nothing that a peer does cuts any off.
const RECEIVED_HANDLES_MAX: usize = 253;

/// Reads into `buffer`, and returns the descriptors that have come along, if any have.
pub(super) fn read(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> io::Result<(Transfer, Option<Batch<OwnedFd>>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(RECEIVED_HANDLES_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let asked = buffer.len();
    let received = retry(|| {
        let mut slices = [IoSliceMut::new(buffer)];
        rustix::net::recvmsg(socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    let mut batch = Batch { handles: Vec::new(), truncated: received.flags.contains(ReturnFlags::CTRUNC) };
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            batch.handles.extend(descriptors);
        }
    }
    if batch.handles.is_empty() && !batch.truncated {
        return Ok((Transfer::of(received.bytes, asked), None));
    }
    // The kernel stops a read at descriptors; more may be behind.
    Ok((Transfer::More(received.bytes), Some(batch)))
}

/// Writes from `bytes`; `handles` go with the first of them.
pub(super) fn write(socket: BorrowedFd<'_>, bytes: &[u8], handles: &[Handle]) -> io::Result<Transfer> {
    let flags = SendFlags::NOSIGNAL;
    let sent = if handles.is_empty() {
        retry(|| rustix::net::send(socket, bytes, flags))?
    } else {
        let descriptors: Vec<BorrowedFd<'_>> = handles.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MESSAGE_HANDLES_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        retry(|| rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags))?
    };
    Ok(Transfer::of(sent, bytes.len()))
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.map_err(io::Error::from),
        }
    }
}

/// Two connected sockets that no child inherits.
pub(crate) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

/// Whether a link can run over this descriptor.
pub(crate) fn check_stream_socket(socket: impl AsFd) -> io::Result<()> {
    if rustix::net::sockopt::socket_type(socket)? == SocketType::STREAM {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "a link needs a stream socket"))
}

/// A name that nobody else has.
pub(crate) fn fresh_name() -> io::Result<NodeName> {
    loop {
        let mut bytes = [0; 16];
        let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
        if let Some(name) = NodeName::from_bytes(bytes).filter(|_| filled == bytes.len()) {
            return Ok(name);
        }
    }
}

/// Who is at the other end of a local socket, as the kernel saw it when the two were connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// The process. Its number may be reused once it has ended.
    pub process: i32,
    /// The user it ran as.
    pub user: u32,
    /// The group it ran as.
    pub group: u32,
}

pub(crate) fn peer_credentials(socket: BorrowedFd<'_>) -> io::Result<PeerCredentials> {
    let credentials = rustix::net::sockopt::socket_peercred(socket)?;
    Ok(PeerCredentials {
        process: credentials.pid.as_raw_nonzero().get(),
        user: credentials.uid.as_raw(),
        group: credentials.gid.as_raw(),
    })
}

/// A descriptor of a child process that can be read once the process has ended.
pub(crate) fn process_descriptor(child: &std::process::Child) -> io::Result<OwnedFd> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    Ok(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?)
}

/// The next client of a listening socket.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    retry(|| rustix::net::accept_with(listener, flags))
}

/// A connection to the service at this path, made at once or not at all: a service has a queue of clients, and to wait for
/// room in it would stop the thread.
pub(crate) fn connect(path: &Path) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let address = SocketAddrUnix::new(path)?;
    match retry(|| rustix::net::connect(&socket, &address)) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(io::Error::new(error.kind(), "too many clients wait for the service at this path"))
        }
        connected => connected.map(|()| socket),
    }
}

/// Locks a file against every other process for as long as the descriptor lives.
pub(crate) fn lock_file(path: &Path) -> io::Result<OwnedFd> {
    use rustix::fs::{FlockOperation, Mode, OFlags};
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(io::Error::new(io::ErrorKind::AddrInUse, "another process offers a service at this path"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Gives the lock up. Closing the descriptor alone is not enough: a process that another thread is just starting has a copy
/// until it runs its own program.
pub(crate) fn unlock_file(file: &OwnedFd) {
    // Best effort: the lock goes with its last descriptor.
    let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingUnlock);
}

/// Sets who may use the file.
pub(crate) fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
