//! Typed ends of pipes.
/// An end of a pipe.
#[derive(Debug)]
pub struct MessagePipe {}
