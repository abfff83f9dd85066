//! Links: one socket, one peer, one driver.
//!
//! This ring alone has file descriptors and a scheduler. A link is a [`driver::Driver`], a future that reads frames from
//! its socket into the node and writes the frames that the node has appended to the link's [`outbox::Outbox`].
//! Everything sent between two polls of it leaves in one system call. In a dialogue, one message there and one back, it lends
//! its [`writer::Writer`] to the next sender, who then need not wake it. Only the owner of the writer writes, so nothing about
//! the socket needs a lock, and frames leave in the order in which they were appended.

mod driver;
mod handle;
mod inbox;
mod outbox;
mod queue;
mod socket;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use driver::{Driver, Start, Watched};
pub(crate) use handle::Handle;
#[cfg(any(fuzzing, test))]
pub(crate) use inbox::{Inbox, Stop};
pub(crate) use outbox::{Ending, Next, Outbox};
pub use socket::PeerCredentials;
pub(crate) use socket::{
    accept, check_stream_socket, connect, fresh_name, lock_file, peer_credentials, process_descriptor,
    restrict, socket_pair, unlock_file,
};
pub(crate) use writer::Writer;
