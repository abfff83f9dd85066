//! [`Bouncer`]: what a handler rejects messages with that have no answer.

use std::fmt;
use std::sync::Arc;

use mage_sched::sync::Mutex;

use super::serving::Serving;
use crate::node::Sender;

/// Rejects the message that a receiver has received last, as one that no honest peer sends. Made by
/// [`Receiver::bouncer`](crate::Receiver::bouncer), and kept by a handler while its receiver is served.
///
/// ```
/// # mod fixtures { mage_macros::magen! { interface Canvas { Resize(int width); } } }
/// # use fixtures::*;
/// struct Screen { bouncer: mage::Bouncer }
///
/// impl Canvas for Screen {
///     fn resize(&mut self, width: i32) {
///         if width < 0 {
///             self.bouncer.reject("a width below zero"); // and nothing more comes
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Bouncer {
    serving: Arc<Serving>,
    /// Whose message was last.
    sender: Arc<Mutex<Sender>>,
}

impl Bouncer {
    pub(super) fn new(serving: Arc<Serving>, sender: Sender) -> Self {
        Self { serving, sender: Arc::new(Mutex::new(sender)) }
    }

    /// A message of this sender's is given to the user.
    pub(super) fn saw(&self, sender: Sender) {
        *self.sender.lock() = sender;
    }

    /// Rejects it. The pipe is closed at once: the receiver ends with
    /// [`BadMessage::RejectedByHandler`](crate::BadMessage::RejectedByHandler), calls of the other end with
    /// [`BadMessage::Rejected`](crate::BadMessage::Rejected) and this text, of which they get
    /// [`REJECTION_BYTES_MAX`](crate::limits::REJECTION_BYTES_MAX) bytes at most. Whoever watches this node is told whose
    /// message it was: [`NodeBuilder::on_bad_message`](crate::NodeBuilder::on_bad_message).
    pub fn reject(&self, text: impl Into<String>) {
        let sender = *self.sender.lock();
        self.serving.reject_for(sender, text.into());
    }
}

impl fmt::Debug for Bouncer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bouncer").finish_non_exhaustive()
    }
}
