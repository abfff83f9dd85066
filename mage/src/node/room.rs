//! [`Room`]: somebody who waits until there is room for a message.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::User;
use crate::core::EndpointName;
use crate::waiters::Ticket;

/// Somebody who waits until a message can be sent, or never will be. Dropping it leaves nothing behind.
pub(crate) struct Room<'a> {
    user: &'a Arc<User>,
    name: EndpointName,
    ticket: Option<Ticket>,
}

impl<'a> Room<'a> {
    pub(super) fn new(user: &'a Arc<User>, name: EndpointName) -> Self {
        Self { user, name, ticket: None }
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        poll_ready(self.user, self.name, &mut self.ticket, context)
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let left = self.user.shared.act(|router| router.forget_writer(self.name, ticket));
        drop(left);
    }
}

/// Whoever has waited and is told that there is room waits no longer, and has no ticket any more.
pub(super) fn poll_ready(
    user: &Arc<User>,
    name: EndpointName,
    ticket: &mut Option<Ticket>,
    context: &mut Context<'_>,
) -> Poll<()> {
    // Cloning and dropping a waker runs foreign code: neither happens under the lock.
    let waker = context.waker().clone();
    let (ready, left) = user.shared.act(|router| {
        if router.is_ready(name) {
            let parked = ticket.take().and_then(|ticket| router.forget_writer(name, ticket));
            (true, [Some(waker), parked])
        } else {
            (false, [router.add_writer(name, ticket, waker), None])
        }
    });
    drop(left);
    if ready { Poll::Ready(()) } else { Poll::Pending }
}
