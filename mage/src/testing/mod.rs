//! What tests of a program that uses mage are made of.
//!
//! [`pair()`] is an interface within one node that needs no scheduler. The rest is for code that `magen` generates when it is
//! asked to: with `magen::Options::mocks`, an interface `Foo` also gets `FooMock`, whose methods are each an [`Expected`],
//! and [`Recorder`] implements `Foo` for whatever implements it; with `magen::Options::fuzz` it gets `fuzz_foo`, which
//! feeds everything of it that reads what a peer sent.

mod expected;
mod fuzz;
mod pair;
mod recorder;

pub use expected::Expected;
pub use fuzz::{fuzz_messages, fuzz_value};
pub use pair::{lonely_node, pair};
pub use recorder::{Record, RecordedCall, Recorder};
