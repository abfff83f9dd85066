//! Links: one socket, one peer, one driver.
//!
//! This ring alone has file descriptors and a scheduler. A link is a [`driver::Driver`], a future that reads frames from
//! its socket into the node and writes the frames that the node has appended to the link's [`outbox::Outbox`]. It is the
//! only one that touches the socket, so nothing about the socket needs a lock, and frames leave in the order in which
//! they were appended. Everything sent between two polls of it leaves in one system call.

mod driver;
mod inbox;
mod outbox;
mod socket;

#[cfg(test)]
mod tests;

pub(crate) use driver::{Driver, Start};
#[cfg(any(fuzzing, test))]
pub(crate) use inbox::{Inbox, Stop};
pub(crate) use outbox::{Ending, Outbox};
pub use socket::PeerCredentials;
pub(crate) use socket::{
    Handle, accept, check_stream_socket, fresh_name, lock_file, peer_credentials, restrict, socket_pair,
    unlock_file,
};
