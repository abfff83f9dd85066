//! Windows: how far a sender may run ahead of its reader, in messages and in bytes.
//!
//! All numbers are absolute and travel with the end that owns them, so credit cannot be lost or counted twice while
//! ends move. Free window + unread + credit under way is always the reader's window.

use super::probe::{Mutation, mutated};
use crate::limits::{HELD_WINDOWS, Limits, WINDOW_BYTES_CAP, WINDOW_MESSAGES_CAP};

/// A position in one direction of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Count {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Count {
    pub(crate) fn max(self, other: Self) -> Self {
        Self { messages: self.messages.max(other.messages), bytes: self.bytes.max(other.bytes) }
    }

    /// Whether `self` is at most `base` plus the largest window anybody may grant.
    fn within_cap_of(self, base: Self) -> bool {
        let messages = base.messages.checked_add(WINDOW_MESSAGES_CAP);
        let bytes = base.bytes.checked_add(WINDOW_BYTES_CAP);
        messages.is_some_and(|most| self.messages <= most) && bytes.is_some_and(|most| self.bytes <= most)
    }

    /// Whether neither of the two numbers is larger than its counterpart.
    fn is_within(self, most: Self) -> bool {
        self.messages <= most.messages && self.bytes <= most.bytes
    }

    /// So many times as much.
    pub(crate) fn times(self, factor: u64) -> Self {
        Self { messages: self.messages.saturating_mul(factor), bytes: self.bytes.saturating_mul(factor) }
    }

    /// Both together.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_add(other.messages),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(crate) fn plus(self, cost: u64) -> Self {
        Self { messages: self.messages.saturating_add(1), bytes: self.bytes.saturating_add(cost) }
    }
}

/// The four numbers of one end: two as sender, two as reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Window {
    /// What this end has sent.
    pub(crate) sent: Count,
    /// What it may have sent at most.
    pub(crate) limit: Count,
    /// What its user has read.
    pub(crate) read: Count,
    /// The limit it last announced to the other end.
    pub(crate) granted: Count,
}

impl Window {
    /// At birth each direction has one whole window.
    pub(crate) fn new(limits: &Limits) -> Self {
        let whole = Count {
            messages: limits.window_messages.clamp(1, WINDOW_MESSAGES_CAP / 2),
            bytes: limits.window_bytes.clamp(1, WINDOW_BYTES_CAP / 2),
        };
        Self { sent: Count::default(), limit: whole, read: Count::default(), granted: whole }
    }

    /// What may be unread or under way to this end at most.
    pub(crate) fn granted_unread(&self) -> Count {
        Count {
            messages: self.granted.messages.saturating_sub(self.read.messages),
            bytes: self.granted.bytes.saturating_sub(self.read.bytes),
        }
    }

    /// The most that a window may be, seen from a node with these limits.
    pub(crate) fn most(limits: &Limits) -> Count {
        Self::new(limits).limit.times(HELD_WINDOWS)
    }

    /// Whether more than that may be unread or under way, to this end or from it.
    pub(crate) fn is_beyond(&self, most: Count) -> bool {
        !self.granted.is_within(self.read.joined(most)) || !self.limit.is_within(self.sent.joined(most))
    }

    /// Whether numbers that came from elsewhere can belong to an honest end.
    pub(crate) fn is_consistent(&self) -> bool {
        self.limit.within_cap_of(self.sent)
            && self.granted.within_cap_of(self.read)
            && self.sent.messages <= self.limit.messages
            && self.read.messages <= self.granted.messages
    }

    /// Whether one more message may be sent. Its size does not matter: any room at all lets it pass, so that a message
    /// larger than the window is not stuck for ever.
    pub(crate) fn has_room(&self) -> bool {
        self.sent.messages < self.limit.messages && self.sent.bytes < self.limit.bytes
    }

    /// Takes the next sequence number for a message of this cost.
    pub(crate) fn spend(&mut self, cost: u64) -> u64 {
        let sequence = self.sent.messages;
        self.sent = self.sent.plus(if mutated(Mutation::BytesNotCounted) { 0 } else { cost });
        sequence
    }

    /// Whether a message with this number may arrive while `queued` is unread.
    pub(crate) fn admits(&self, sequence: u64, queued: Count) -> bool {
        let bytes = self.read.bytes.saturating_add(queued.bytes);
        Some(sequence) == self.read.messages.checked_add(queued.messages)
            && sequence < self.granted.messages
            && bytes < self.granted.bytes
    }

    /// The user has read a message of this cost. Returns the new limit if it is worth telling.
    pub(crate) fn consume(&mut self, cost: u64, limits: &Limits) -> Option<Count> {
        self.read = self.read.plus(cost);
        let whole = Self::new(limits).limit;
        let next = Count {
            messages: self.read.messages.saturating_add(whole.messages),
            bytes: self.read.bytes.saturating_add(whole.bytes),
        };
        let worth = |next: u64, granted: u64, whole: u64| next.saturating_sub(granted) >= whole.div_ceil(2);
        let tell = worth(next.messages, self.granted.messages, whole.messages)
            || worth(next.bytes, self.granted.bytes, whole.bytes);
        if !tell {
            return None;
        }
        self.granted = self.granted.max(next);
        Some(self.granted)
    }

    /// The reader grants more. `Err` if it is more than this, which no honest reader can have meant: a sender that is not told to wait would
    /// keep it all here.
    pub(crate) fn raise(&mut self, limit: Count, most: Count) -> Result<(), ()> {
        if !limit.is_within(self.sent.joined(most)) && !mutated(Mutation::CreditUnchecked) {
            return Err(());
        }
        self.limit = self.limit.max(limit);
        if mutated(Mutation::CreditRelative) {
            self.limit = self.limit.joined(Count { messages: 1, bytes: 1 });
        }
        Ok(())
    }
}
