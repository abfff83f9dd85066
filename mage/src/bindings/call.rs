//! [`Call`]: the caller's side of a method with an answer.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::channel::Lease;
use super::pipe::RawMessage;
use super::value::{Decode, Reader};
use crate::error::CallError;

/// A call on its way. It has been sent already; await it for the answer.
///
/// It settles in every case: with the answer, or with an error that says whether the handler dropped its reply, the other
/// end went away and why, or the call was never sent. It keeps the pipe open, also when the remote is dropped first.
/// Dropping it forgets the answer.
#[must_use = "a call is already on its way, but its answer and its failure are in the future"]
pub struct Call<T> {
    state: State,
    value: PhantomData<fn() -> T>,
}

enum State {
    Sent { lease: Arc<Lease>, request: u64 },
    Failed(CallError),
    Done,
}

impl<T> Call<T> {
    pub(super) fn sent(lease: Arc<Lease>, request: u64) -> Self {
        Self { state: State::Sent { lease, request }, value: PhantomData }
    }

    pub(super) fn failed(error: CallError) -> Self {
        Self { state: State::Failed(error), value: PhantomData }
    }
}

impl<T: Decode> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Sent { lease, request } = &self.state {
            let answer = ready!(lease.shared.poll_answer(*request, context));
            let result = answer.and_then(|(message, size)| {
                decode(message, size, lease.shared.identity.description.is_extensible).map_err(|bad| {
                    lease.shared.reject(&bad);
                    CallError::BadMessage(bad)
                })
            });
            self.finish();
            return Poll::Ready(result);
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::Failed(error) => Poll::Ready(Err(error)),
            // Polled again after it was ready: there is nothing left to say.
            State::Sent { .. } | State::Done => Poll::Pending,
        }
    }
}

impl<T> Call<T> {
    /// Nobody waits for the answer any more.
    fn finish(&mut self) {
        if let State::Sent { lease, request } = std::mem::replace(&mut self.state, State::Done) {
            lease.shared.forget(request);
        }
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        self.finish();
    }
}

fn decode<T: Decode>(
    message: RawMessage,
    header_bytes: usize,
    is_extensible: bool,
) -> Result<T, crate::error::BadMessage> {
    let RawMessage { bytes, pipes, handles } = message;
    let mut reader = Reader::new(bytes.get(header_bytes..).unwrap_or_default(), pipes, handles);
    let value = reader.take()?;
    // A newer handler may have added to the answer.
    if !is_extensible {
        reader.finish()?;
    }
    Ok(value)
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Call").finish_non_exhaustive()
    }
}
