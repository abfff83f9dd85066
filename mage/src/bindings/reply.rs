//! [`Reply`]: the handler's side of a method with an answer.

use std::fmt;
use std::marker::PhantomData;

use super::header::{Header, Kind};
use super::value::{Encode, Writer};
use crate::error::{SendError, SendErrorKind, Why};
use crate::node::{Draft, EndRef};

/// The right to answer one call, once. It can be moved anywhere, into a task or to another thread, and used when the
/// answer is there. Dropping it tells the caller that there will be none.
pub struct Reply<T> {
    to: ReplyTo,
    value: PhantomData<fn(T)>,
}

impl<T: Encode> Reply<T> {
    pub(super) fn new(to: ReplyTo) -> Self {
        Self { to, value: PhantomData }
    }

    /// Answers. Never blocks: a caller always has room for the answers it waits for.
    ///
    /// # Errors
    /// If the caller is gone, which a handler may well ignore.
    pub fn send(mut self, value: T) -> Result<(), SendError> {
        self.to.answer(Kind::Reply, |writer| writer.put(value))
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reply").finish_non_exhaustive()
    }
}

/// Where an answer goes.
#[derive(Debug)]
pub(super) struct ReplyTo {
    /// Empty once the answer has been given.
    end: Option<EndRef>,
    header: Header,
}

impl ReplyTo {
    pub(super) fn new(end: EndRef, header: Header) -> Self {
        Self { end: Some(end), header }
    }

    /// The request was bad: the pipe is about to be closed, and no answer of ours is wanted.
    pub(super) fn forget(mut self) {
        self.end = None;
    }

    pub(super) fn answer(&mut self, kind: Kind, write: impl FnOnce(&mut Writer)) -> Result<(), SendError> {
        let Some(end) = self.end.take() else { return Ok(()) };
        let mut writer = Writer::with_header(&Header { kind, ..self.header }.to_bytes());
        write(&mut writer);
        if let Some(fault) = writer.fault() {
            let Draft { pipes, handles, .. } = writer.finish();
            // The caller must not wait for an answer that cannot be sent.
            let refusal = Header { kind: Kind::NoReply, ..self.header };
            let _ = end.send(Writer::with_header(&refusal.to_bytes()).finish());
            return Err(SendError::new(fault, pipes, handles));
        }
        let sent = end.send(writer.finish());
        match sent.as_ref().map_err(SendError::kind) {
            // Every honest caller keeps room for its answers. This one does not read.
            Err(SendErrorKind::Full) => end.close(Why::BrokenRules),
            Ok(()) | Err(SendErrorKind::Disconnected) => {}
            Err(_) => {
                let refusal = Header { kind: Kind::NoReply, ..self.header };
                let _ = end.send(Writer::with_header(&refusal.to_bytes()).finish());
            }
        }
        sent
    }
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        // Nobody is left to tell if this fails.
        let _ = self.answer(Kind::NoReply, |_| {});
    }
}
