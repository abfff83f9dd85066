//! [`Call`]: the caller's side of a method with an answer.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::channel::Lease;
use super::reader::Reader;
use super::value::Decode;
use crate::error::CallError;
use crate::node::Incoming;

/// A call on its way. It has been sent already; await it for the answer.
///
/// It settles in every case: with the answer, or with an error that says whether the handler dropped its reply, the other
/// end went away and why, its time was up, or the call was never sent. It keeps the pipe open, also when the remote is
/// dropped first.
///
/// Dropping it **cancels** the call: the handler is told that nobody waits any more
/// ([`Reply::cancelled`](crate::Reply::cancelled)), and may give up the work. A call whose effect is wanted and whose answer
/// is not goes on with [`Call::detach`].
#[must_use = "dropping a call cancels it; await it, or detach it"]
pub struct Call<T> {
    state: State,
    timer: Option<Timer>,
    value: PhantomData<fn() -> T>,
}

enum State {
    Sent { lease: Arc<Lease>, request: u64, has_waited: bool },
    Failed(CallError),
    Done,
}

type Timer = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How long the calls of a channel may take, and whose clock says so.
pub(super) struct Deadline {
    time: Duration,
    sleep: Box<dyn Fn(Duration) -> Timer + Send + Sync>,
}

impl Deadline {
    pub(super) fn new<S>(time: Duration, sleep: impl Fn(Duration) -> S + Send + Sync + 'static) -> Self
    where
        S: Future + Send + 'static,
    {
        let sleep = move |time| -> Timer {
            let sleep = sleep(time);
            Box::pin(async move { drop(sleep.await) })
        };
        Self { time, sleep: Box::new(sleep) }
    }

    /// As the handler is told: rounded up, for zero means for ever.
    pub(super) fn milliseconds(&self) -> u32 {
        let milliseconds = self.time.as_nanos().div_ceil(1_000_000).max(1);
        u32::try_from(milliseconds).unwrap_or(u32::MAX)
    }
}

impl<T> Call<T> {
    pub(super) fn sent(lease: Arc<Lease>, request: u64, deadline: Option<&Deadline>) -> Self {
        let timer = deadline.map(|deadline| (deadline.sleep)(deadline.time));
        Self { state: State::Sent { lease, request, has_waited: false }, timer, value: PhantomData }
    }

    pub(super) fn failed(error: CallError) -> Self {
        Self { state: State::Failed(error), timer: None, value: PhantomData }
    }

    /// Lets the call go on with nobody waiting for its answer, which is dropped when it comes. The pipe stays open until
    /// then, and the call counts as unanswered. It has no deadline any more.
    pub fn detach(mut self) {
        if let State::Sent { lease, request, .. } = std::mem::replace(&mut self.state, State::Done) {
            let shared = Arc::clone(&lease.shared);
            shared.detach(request, lease);
        }
    }

    /// Nobody waits for the answer any more.
    fn give_up(&mut self) {
        if let State::Sent { lease, request, .. } = std::mem::replace(&mut self.state, State::Done) {
            lease.shared.give_up(request);
        }
    }
}

impl<T: Decode> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Sent { lease, request, has_waited } = &mut self.state {
            let has_waited = std::mem::replace(has_waited, true);
            match lease.shared.poll_answer(*request, has_waited, context) {
                Poll::Ready(Ok((message, size))) => {
                    let result = decode(message, size, lease.shared.identity.description.is_extensible);
                    let result = result.map_err(|bad| {
                        lease.shared.reject(&bad);
                        CallError::BadMessage(bad)
                    });
                    self.state = State::Done; // it has been taken off the list already
                    return Poll::Ready(result);
                }
                Poll::Ready(Err(error)) => {
                    self.give_up();
                    return Poll::Ready(Err(error));
                }
                Poll::Pending => {}
            }
            let timer = self.timer.as_mut().map(|timer| timer.as_mut().poll(context));
            if timer.is_none_or(|timer| timer.is_pending()) {
                return Poll::Pending;
            }
            self.give_up();
            return Poll::Ready(Err(CallError::Deadline));
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::Failed(error) => Poll::Ready(Err(error)),
            // Polled again after it was ready: there is nothing left to say.
            State::Sent { .. } | State::Done => Poll::Pending,
        }
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        self.give_up();
    }
}

fn decode<T: Decode>(
    message: Incoming,
    header_bytes: usize,
    is_extensible: bool,
) -> Result<T, crate::error::BadMessage> {
    let mut reader = Reader::behind_header(message, header_bytes);
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
