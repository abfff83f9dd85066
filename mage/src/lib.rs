//! Mage.
#![forbid(unsafe_code)]
mod bindings;
mod core;
mod error;
mod limits;
mod sync;
mod wire;
pub use bindings::MessagePipe;
pub use error::*;
pub use limits::Limits;
