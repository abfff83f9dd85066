//! The three processes. Each file can be read on its own.

pub(crate) mod logger;
pub(crate) mod main;
pub(crate) mod network;
