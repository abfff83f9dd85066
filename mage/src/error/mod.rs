//! Errors: one type per operation, and each says whose fault it was.

mod call;
mod fuse;
mod link;
mod receive;
mod send;
mod why;

pub use call::{CallError, Difference};
pub use fuse::{FuseError, FuseFailure};
pub use link::{InvitationError, PeerMisbehaved};
pub use receive::{BadMessage, BadMessageReport, RecvError, StreamError};
pub use send::{SendError, SendErrorKind};
pub use why::Why;
