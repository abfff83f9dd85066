//! One end of a pipe, or the place that an end has left.

use std::collections::VecDeque;
use std::mem;
use std::task::Waker;

use super::held::Held;
use super::message::Message;
use super::moving::Moving;
use super::name::{Address, EndpointName, PipeName};
use super::open::Open;
use super::proxying::Proxying;
use super::window::{Count, Window};
use crate::error::Why;

/// Which end of its pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    First,
    Second,
}

/// An endpoint: what it has in every state, and its state.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Endpoint<H> {
    pub(crate) pipe: PipeName,
    pub(crate) side: Side,
    /// Where everything goes that this endpoint sends.
    pub(crate) peer: Address,
    /// The only one whose messages this endpoint takes; others wait in `held`.
    pub(crate) prev: Address,
    /// What prev is, as far as we have been told.
    pub(crate) standing: Standing,
    pub(crate) window: Window,
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
    pub(crate) queue: Queue<H>,
    pub(crate) held: Option<Box<Held<H>>>,
    /// The endpoint in whose unread messages this one waits, or that forwarded it and still stands.
    pub(crate) carrier: Option<EndpointName>,
    /// How many live endpoints name this one as their carrier.
    pub(crate) carried: u32,
    pub(crate) state: State,
}

/// What an endpoint is.
#[derive(Clone, Debug, Hash)]
pub(crate) enum State {
    /// An end that a user holds, or will once the message it is in has been read.
    Open(Open),
    /// Sent in a message; the new place has not answered yet, so what arrives here waits.
    Moving(Moving),
    /// Lives elsewhere; forwards what still arrives here until everybody knows.
    Proxying(Proxying),
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    /// An end, at least when this was said.
    End,
    /// A place that an end has left, for ever.
    Place,
}

/// What can still come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Incoming {
    Open,
    /// Nothing more, for this reason, behind what is queued.
    Ended(Why),
}

/// What can still go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outgoing {
    Open,
    /// Nobody listens, and they have not been told that we know.
    Lost,
    /// `End` has been passed on; nothing may follow it.
    Told,
}

/// Unread messages, with their sum.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Queue<H> {
    messages: VecDeque<Message<H>>,
    bytes: u64,
}

impl<H> Queue<H> {
    pub(crate) fn count(&self) -> Count {
        Count { messages: self.messages.len() as u64, bytes: self.bytes }
    }

    pub(crate) fn push(&mut self, message: Message<H>) {
        self.bytes = self.bytes.saturating_add(message.cost());
        self.messages.push_back(message);
    }

    pub(crate) fn pop(&mut self) -> Option<Message<H>> {
        let message = self.messages.pop_front()?;
        self.bytes = self.bytes.saturating_sub(message.cost());
        if self.messages.is_empty() && self.messages.capacity() > 64 {
            self.messages = VecDeque::new();
        }
        Some(message)
    }

    /// The ends that wait in these messages.
    pub(crate) fn ends(&self) -> impl Iterator<Item = EndpointName> {
        self.messages.iter().flat_map(|message| message.ends.iter().copied())
    }

    pub(crate) fn take(&mut self) -> VecDeque<Message<H>> {
        self.bytes = 0;
        mem::take(&mut self.messages)
    }
}

impl<H> Default for Queue<H> {
    fn default() -> Self {
        Self { messages: VecDeque::new(), bytes: 0 }
    }
}

impl<H> Endpoint<H> {
    pub(crate) fn new(pipe: PipeName, side: Side, peer: Address, prev: Address, window: Window) -> Self {
        Self {
            pipe,
            side,
            peer,
            prev,
            standing: Standing::End,
            window,
            incoming: Incoming::Open,
            outgoing: Outgoing::Open,
            queue: Queue::default(),
            held: None,
            carrier: None,
            carried: 0,
            state: State::Open(Open::default()),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Takes the waker of whoever waits to read, if it should look again.
    pub(crate) fn take_reader(&mut self) -> Option<Waker> {
        match &mut self.state {
            State::Open(open) => open.reader.take(),
            State::Moving(_) | State::Proxying(_) => None,
        }
    }

    /// Takes the wakers of whoever waits to send.
    pub(crate) fn take_writers(&mut self) -> Vec<Waker> {
        match &mut self.state {
            State::Open(open) => mem::take(&mut open.writers),
            State::Moving(_) | State::Proxying(_) => Vec::new(),
        }
    }
}

/// The state of an endpoint, without what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Open,
    Moving,
    Proxying,
}

/// What can be seen of an endpoint from outside, as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) role: Role,
    pub(crate) unread_messages: u64,
    pub(crate) unread_bytes: u64,
    pub(crate) room_messages: u64,
    pub(crate) peer: Address,
    /// Whether the two ends send to each other with nobody in between, as far as this side can know.
    pub(crate) direct: bool,
    pub(crate) ended: Option<Why>,
}
