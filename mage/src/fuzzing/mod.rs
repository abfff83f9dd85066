//! Where a fuzzer gets in. Only builds for fuzzing and for tests have this module; it is no part of the interface.
//!
//! Every function takes any bytes at all, and panics if something is not as it must be. The programs around them are in
//! `fuzz`, and a few inputs that reach far are in `fuzz/seeds`, where the tests of this module try them too.

mod frames;
mod handshake;
mod input;
mod node;
mod scene;
#[cfg(test)]
mod tests;

pub use frames::frames;
pub use handshake::handshake;
pub use node::node;
