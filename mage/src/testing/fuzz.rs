//! Whatever bytes a fuzzer comes up with, as what a peer sends.

use std::task::{Context, Poll, Waker};

use super::lonely_node;
use crate::bindings::{Decode, Receiver, decode_detached, raw_call};
use crate::{Interface, MessagePipe, Node, RawMessage};

/// The messages that these bytes are, for the methods with these numbers, each with whether it has an answer. What is wrong
/// with bytes that are no message is found and forgotten.
///
/// Each message is taken from the front: one byte says which of the methods it calls, one how many pipes (the lower four
/// bits) and handles (the upper four) it has, two how long its arguments are; then these. Each comes through a pipe, as it
/// would from a peer.
pub fn fuzz_messages<T: Interface + ?Sized>(
    bytes: &[u8],
    methods: &[(u32, bool)],
) -> impl Iterator<Item = T::Message> {
    let node = lonely_node();
    let mut kept = Vec::new();
    let mut left = bytes;
    std::iter::from_fn(move || {
        while let Some(([method, attachments, low, high], rest)) = left.split_first_chunk::<4>() {
            let (method, has_answer) =
                methods.get(usize::from(*method) % methods.len().max(1)).copied().unwrap_or((0, false));
            let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
            let (arguments, behind) = rest.split_at(length);
            left = behind;
            let mut message = raw_call(T::FINGERPRINT, method, has_answer, arguments);
            attach(&mut message, *attachments, &node, &mut kept);
            if let Some(message) = receive::<T>(&node, message, &mut kept) {
                return Some(message);
            }
        }
        None
    })
}

fn attach(message: &mut RawMessage, attachments: u8, node: &Node, kept: &mut Vec<MessagePipe>) {
    for _ in 0..attachments & 0xf {
        let (ours, theirs) = node.create_message_pipes();
        message.pipes.push(theirs);
        kept.push(ours);
    }
    for _ in 0..attachments >> 4 {
        message.handles.extend(std::fs::File::open("/dev/null").map(Into::into).ok());
    }
}

/// Through a new pipe, because a bad message ends the one it came through.
fn receive<T: Interface + ?Sized>(
    node: &Node,
    message: RawMessage,
    kept: &mut Vec<MessagePipe>,
) -> Option<T::Message> {
    let (ours, theirs) = node.create_message_pipes();
    ours.try_send(message).ok()?;
    let mut receiver = Receiver::<T>::new(theirs);
    let received = receiver.poll_recv(&mut Context::from_waker(Waker::noop()));
    kept.push(ours);
    kept.push(receiver.into_pipe());
    match received {
        Poll::Ready(Ok(message)) => message,
        Poll::Ready(Err(_)) | Poll::Pending => None,
    }
}

/// The value that these bytes are: an answer, for instance.
///
/// # Errors
/// What is wrong with them.
pub fn fuzz_value<T: Decode>(bytes: &[u8]) -> Result<T, crate::BadMessage> {
    decode_detached(bytes)
}
