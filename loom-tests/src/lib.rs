//! What the models stand on: nodes without a runtime, and links whose drivers the model polls by hand.
//!
//! Everything a model touches is the code that ships: the public API above, a real socket below. Only two things are
//! replaced. The lock of `mage_sched::sync` is loom's, so loom decides who takes it next, and the scheduler is
//! `ByHand`, so the model decides which thread polls a link's driver, and when.
//!
//! With no `--cfg loom` this crate is empty.
#![cfg(loom)]
#![forbid(unsafe_code)]

mod doubler;
mod side;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

pub use doubler::{Double, Doubler, DoublerProxy};
pub use loom::future::block_on;
pub use loom::thread;
pub use side::{ByHand, Driver, Side, join, pump};

use mage::{Limits, MessagePipe, Node, RawMessage, SendError, Why};

/// Runs `model` on every schedule with at most `LOOM_MAX_PREEMPTIONS` preemptions, 2 if that is not set.
///
/// # Panics
/// As soon as a schedule fails, and if there is only one schedule: such a model proves nothing.
pub fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(2);
    builder.max_branches = builder.max_branches.max(20_000);
    let schedules = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&schedules);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let schedules = schedules.load(Ordering::Relaxed);
    eprintln!("{schedules} schedules");
    assert!(schedules > 1, "nothing in this model happens at the same time");
}

/// A node with no links.
pub fn node() -> Node {
    Node::new(Arc::new(ByHand::default()))
}

/// The same, with limits of its own.
pub fn node_with(limits: Limits) -> Node {
    Node::builder(Arc::new(ByHand::default())).limits(limits).build()
}

/// Sends one byte.
///
/// # Errors
/// Those of the pipe.
pub fn send(pipe: &MessagePipe, byte: u8) -> Result<(), SendError> {
    send_with(pipe, byte, None)
}

/// Sends one byte, and perhaps a pipe end.
///
/// # Errors
/// Those of the pipe.
pub fn send_with(pipe: &MessagePipe, byte: u8, end: Option<MessagePipe>) -> Result<(), SendError> {
    pipe.try_send(RawMessage { bytes: vec![byte], pipes: end.into_iter().collect(), handles: Vec::new() })
}

/// Waits for the next message and returns its byte.
///
/// # Errors
/// Why there is none.
pub fn receive(pipe: &MessagePipe) -> Result<u8, Why> {
    block_on(pipe.recv()).map(|message| byte_of(&message))
}

/// Everything that is there now, and what comes behind it: `None` if that is not known yet.
pub fn drain(pipe: &MessagePipe) -> (Vec<u8>, Option<Why>) {
    let mut bytes = Vec::new();
    loop {
        match poll_once(pipe.recv()) {
            Poll::Ready(Ok(message)) => bytes.push(byte_of(&message)),
            Poll::Ready(Err(why)) => return (bytes, Some(why)),
            Poll::Pending => return (bytes, None),
        }
    }
}

/// Takes the pipe end out of the message that is there now.
///
/// # Panics
/// If there is none.
pub fn receive_end(pipe: &MessagePipe) -> MessagePipe {
    match poll_once(pipe.recv()) {
        Poll::Ready(Ok(mut message)) => message.pipes.pop().expect("the message carries an end"),
        other => panic!("no message with an end: {other:?}"),
    }
}

fn byte_of(message: &RawMessage) -> u8 {
    message.bytes.first().copied().expect("messages of the models have one byte")
}

/// Polls once; nobody is woken.
pub fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    poll_pinned(std::pin::pin!(future))
}

fn poll_pinned<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
