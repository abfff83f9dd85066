//! The core: pure transitions, and nothing else.
//!
//! Everything that can happen to a node is a method of [`Router`]; everything it wants done is an [`Effect`]. There is
//! no lock, no I/O, no clock and no randomness in here, so the same code runs under the real driver, the simulator, the
//! model checker and the fuzzer.
//!
//! # The protocol in one picture
//!
//! A pipe is a ring of endpoints. Each knows where it sends (`peer`) and whom it hears (`prev`).
//!
//! ```text
//!        peer ─────────────────────►                     peer ──►        ──► peer ──►
//!   A                                 B          A                 P                    B'
//!        ◄───────────────────── peer               ◄──────────────────────────── peer
//!      two open ends                          B was sent in a message: P, its old place, forwards until
//!                                             A has been told to send to B' directly
//! ```
//!
//! | frame | who may send it | what it does |
//! |---|---|---|
//! | `User` | prev | carries a message |
//! | `End` | prev | nothing more will come |
//! | `PrevIs(x)`, `PrevIsPlace(x)` | prev | from now on `x` speaks in my stead; `x` is an end, or a place |
//! | `Credit` | prev | the reader beyond grants more room |
//! | `Accepted` | peer | the moved end exists at its new place |
//! | `Bypass(x)` | peer | send to `x` instead of me |
//! | `Ack` | prev | I have stopped sending to you |
//! | `Gone` | prev | the end you asked to bypass you does not exist |
//!
//! Every frame only moves authority that its sender already has: `prev` may hand over the right to send to me, `peer`
//! receives all my output anyway and may redirect it, and nobody else can say anything about my endpoint.
//!
//! # State by event
//!
//! | event | open | moving | proxying | unknown |
//! |---|---|---|---|---|
//! | `User` from prev | queue | queue | forward | close what it carries |
//! | `User` from prev, its handles lost | as `End` | as `End` | as `End` | as `User` |
//! | `End` from prev | end the queue, tell peer | end the queue | forward, erase | – |
//! | `PrevIs` from prev | adopt, replay held | adopt, replay held | adopt, `Bypass` to it if it is our turn, replay held | – |
//! | `Credit` from prev | raise the limit | remember the best | forward, if it says more than any before | – |
//! | any of these from a stranger | hold | hold | hold | – |
//! | `Accepted` from peer | – | become a proxy | – | – |
//! | `Bypass` from peer | repoint, `Ack` | – | repoint, `Ack`, unless prev has been asked | answer `Gone` |
//! | `Ack` from prev | – | – | `PrevIs` to peer, erase | – |
//! | node of prev lost | as `End` | as `End` | as `End` | – |
//! | node of peer lost | refuse to send | `End` to the old peer, erase | erase | – |

mod admission;
mod ahead;
mod broker;
mod carriage;
mod effect;
mod endpoint;
mod frame;
mod fuse;
mod held;
mod invitation;
mod leaving;
mod loss;
mod meeting;
mod message;
mod moving;
mod name;
mod open;
mod peers;
mod probe;
mod proxying;
mod referrers;
mod router;
mod send;
mod speech;
mod table;
mod window;

#[cfg(test)]
mod tests;

pub(crate) use ahead::{Ahead, SaidForOthers};
pub(crate) use effect::{Effect, LinkId};
pub(crate) use endpoint::{Role, Side, Status};
pub(crate) use frame::{Body, Control, Descriptor, Ends, Frame, Hello, Parcel, Welcome};
pub(crate) use invitation::Invitation;
pub(crate) use message::{Draft, Message, Refused};
pub use name::NodeName;
pub(crate) use name::{Address, EndpointName, Mask, PipeLabel, PipeName};
pub(crate) use open::{Reader, Received};
pub(crate) use router::Router;
pub(crate) use window::{Count, Window};
