//! Pairs of an older and a newer build of an interface: one process has the one, another has the other.
//!
//! The pairs are random and made by the build script, from seeds that are fixed unless `MAGE_PAIRS` says otherwise. Each
//! process has the generated code of both; which it speaks is what it is told.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use mage::codegen::{Channel, Decode, DecodeError, Proxy, Reader};
use mage::{CallError, Interface, MessagePipe, Receiver, RecvError, Remote};

include!(concat!(env!("OUT_DIR"), "/pairs.rs"));

/// Which of the two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The older one.
    Old,
    /// The newer one.
    New,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Old => Self::New,
            Self::New => Self::Old,
        }
    }

    /// What a process is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// An interface, and what became of it.
#[derive(Debug)]
pub struct Pair {
    /// What made it.
    pub seed: u64,
    /// What was done to the older one.
    pub change: &'static str,
    /// The older `.magen` file.
    pub old: &'static str,
    /// The newer one.
    pub new: &'static str,
    /// Where it breaks: the definition, the method, and the member. `None` if it does not.
    pub expected: Option<(&'static str, Option<&'static str>, Option<&'static str>)>,
}

impl Pair {
    /// The `.magen` file of one side.
    pub fn source(&self, side: Side) -> &'static str {
        match side {
            Side::Old => self.old,
            Side::New => self.new,
        }
    }
}

/// Somebody who answers, until the other end is closed.
pub type Serving = Pin<Box<dyn Future<Output = Result<(), RecvError>> + Send>>;

/// Serves a pair, with the code of one side: what is answered is what was sent.
pub fn serve_pair(side: Side, index: usize, pipe: MessagePipe) -> Serving {
    serve(side, index, pipe)
}

/// Calls a pair, with the code of one side.
pub fn connect_pair(side: Side, index: usize, pipe: MessagePipe) -> Box<dyn Connection> {
    connect(side, index, pipe)
}

/// A bound remote of any interface.
pub trait Connection: fmt::Debug {
    /// What it sends into.
    fn channel(&self) -> &Channel;

    /// As [`Remote::query_version`].
    fn query_version(&self) -> Pin<Box<dyn Future<Output = Result<u32, CallError>> + '_>>;
}

impl<T: Interface + ?Sized> Connection for Remote<T> {
    fn channel(&self) -> &Channel {
        Proxy::channel(&**self)
    }

    fn query_version(&self) -> Pin<Box<dyn Future<Output = Result<u32, CallError>> + '_>> {
        Box::pin(Self::query_version(self))
    }
}

/// An answer of any type: its bytes.
#[derive(Debug)]
pub struct RawAnswer(pub Vec<u8>);

impl Decode for RawAnswer {
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let mut bytes = Vec::new();
        while let Ok(byte) = reader.take() {
            bytes.push(byte);
        }
        Ok(Self(bytes))
    }
}
