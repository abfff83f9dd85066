//! Mojo-style message pipes for every Rust program.
//!
//! A program writes an interface in a `.magen` file, gets a [`Remote`] and a [`Receiver`], and calls an object without
//! knowing whether it lives in this sequence, another thread or another process. Message pipes are the capability: they
//! queue until bound, they travel inside messages, and they collapse to a direct route. An invitation makes the first
//! connection.

#![forbid(unsafe_code)]

mod bindings;
mod core;
mod error;
pub mod limits;
mod link;
mod node;
mod wire;

pub use bindings::{
    Call, Dispatch, Interface, MessagePipe, PendingReceiver, PendingRemote, RawMessage, Receiver, Remote,
    Reply,
};
pub use core::NodeName;
pub use error::{
    BadMessage, CallError, FuseError, FuseFailure, InvitationError, PeerMisbehaved, RecvError, SendError,
    SendErrorKind, Why,
};
pub use limits::Limits;
pub use link::PeerCredentials;
pub use node::{
    AcceptedInvitation, Connection, INVITATION_VARIABLE, Inspection, Invitation, Launched, LinkInspection,
    Listener, Node, NodeBuilder, PipeInspection, PipeState,
};

/// What generated code is written against. Nothing here needs to be named by hand.
pub mod codegen {
    pub use crate::bindings::{
        Array, Boxed, Bytes, Channel, Decode, DecodeAs, DecodeError, Encode, EncodeAs, FixedArray, Incoming,
        Map, Message, Optional, Proxy, Reader, Text, Writer,
    };
}

/// The scheduler traits, for those who implement or pass a scheduler.
pub use mage_sched as sched;

#[cfg(feature = "loop")]
pub use mage_loop as event_loop;
#[cfg(feature = "smol")]
pub use mage_smol as smol;
#[cfg(feature = "tokio")]
pub use mage_tokio as tokio;

/// Includes the code that `magen::compile` made in a build script from the file of this name.
///
/// ```ignore
/// mage::include_magen!("network_process");
/// ```
///
/// Files that import each other expect each other in modules of their names, side by side:
///
/// ```ignore
/// mage::include_magen!(pub mod geometry; pub mod canvas;);
/// ```
#[macro_export]
macro_rules! include_magen {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".magen.rs"));
    };
    ($($visibility:vis mod $name:ident;)+) => {$(
        #[doc = concat!("Generated from `", stringify!($name), ".magen`.")]
        $visibility mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".magen.rs"));
        }
    )+};
}
