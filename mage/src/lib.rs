//! Mojo-style message pipes for every Rust program.
//!
//! A program writes an interface in a `.magen` file, gets a [`Remote`] and a [`Receiver`], and calls an object without
//! knowing whether it lives in this sequence, another thread or another process. Message pipes are the capability: they
//! queue until bound, they travel inside messages, and they collapse to a direct route. An invitation makes the first
//! connection.
//!
//! | to | use |
//! |---|---|
//! | take part | [`Node::new`], with a scheduler: [`event_loop`], `mage::tokio`, `mage::smol`, or your own ([`sched`]) |
//! | call, and be called | [`Remote`] and [`Receiver`], over interfaces compiled by `magen` ([`include_magen!`]) |
//! | serve or call many | [`ReceiverSet`] and [`RemoteSet`]; services by name: [`BinderMap`] |
//! | pass many values, as fast as they are read | [`stream()`]: [`StreamSender`], [`StreamReceiver`] |
//! | answer later | [`Reply`], which can be moved anywhere; the caller awaits a [`Call`] |
//! | connect processes | [`Node::launch`]; [`Node::send_invitation`] and [`Node::accept_invitation`]; [`Node::listen`] |
//! | pass capabilities | a [`MessagePipe`] in a message, or a descriptor |
//! | see what goes on | [`Node::inspect`] |
//!
//! Below the interfaces there are bare pipes, and they already do all that matters:
//!
//! ```
//! use mage::{Node, RawMessage, Why};
//!
//! let mut event_loop = mage::event_loop::EventLoop::new()?;
//! let parent = Node::new(event_loop.scheduler());
//! let child = Node::new(event_loop.scheduler()); // in life, in another process
//!
//! // An invitation over a socket gives the first pipe, at once.
//! let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
//! let first = parent.send_invitation(ours)?;
//!
//! // Any other pipe travels through it, with what has been sent into it already.
//! let (kept, sent) = parent.create_message_pipes();
//! kept.try_send(RawMessage { bytes: b"waiting for you".to_vec(), ..RawMessage::default() })?;
//! first.try_send(RawMessage { pipes: vec![sent], ..RawMessage::default() })?;
//!
//! event_loop.run_until(async {
//!     let first = child.accept_invitation(theirs).await?;
//!     let brought = first.recv().await?.pipes.remove(0);
//!     assert_eq!(brought.recv().await?.bytes, b"waiting for you");
//!     drop(brought);
//!     assert_eq!(kept.recv().await.map(drop), Err(Why::Closed));
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod bindings;
mod core;
mod error;
mod few;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
pub mod limits;
mod link;
mod node;
mod seldom;
pub mod testing;
mod waiters;
mod wire;

pub use bindings::{
    BinderMap, Bouncer, Call, Dispatch, EndId, Interface, Mapped, MessagePipe, PendingReceiver,
    PendingRemote, RawMessage, Receiver, ReceiverSet, ReceiverSetHandle, Remote, RemoteSet, Reply, SetEvent,
    StreamReceiver, StreamSender, UnknownService, stream,
};
pub use core::NodeName;
pub use error::{
    BadMessage, BadMessageReport, CallError, Difference, FuseError, FuseFailure, InvitationError,
    PeerMisbehaved, RecvError, SendError, SendErrorKind, StreamError, Why,
};
pub use limits::Limits;
pub use link::PeerCredentials;
pub use node::{
    AcceptedInvitation, Awaited, Connection, INVITATION_VARIABLE, Inspection, Invitation, Launched,
    LinkInspection, Listener, Node, NodeBuilder, PipeInspection, PipeState, RouteInspection,
};

/// What generated code is written against. Nothing here needs to be named by hand.
pub mod codegen {
    pub use crate::bindings::{
        Array, As, Boxed, Bytes, Channel, Decode, DecodeAs, DecodeError, Description, Encode, EncodeAs,
        FixedArray, Incoming, Map, Message, Optional, Proxy, Reader, Shared, Stage, Text, Writer,
    };
}

/// What `[Shared] bytes` and `[Shared] string` of the interface language are in Rust: slices of the message that they came in.
pub use {bytes::Bytes, bytestring::ByteString};

/// The scheduler traits, for those who implement or pass a scheduler.
pub use mage_sched as sched;

#[cfg(feature = "macros")]
pub use mage_macros::{interface, magen};

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
