//! [`ReceiverSet`]: many receivers of one interface, and one task that serves them all.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use mage_sched::Mailbox;

use super::crowd::{Crowd, EndId, EndIds};
use super::interface::{Dispatch, Interface};
use super::receiver::Receiver;
use crate::error::RecvError;

/// Receivers of one interface, each with a context `C` that says whose it is.
///
/// The messages of one end keep their order; the ends take turns, so that one that never stops does not silence the
/// others. An end that is closed, breaks or sends something bad leaves the set, and the set says so.
///
/// ```
/// use mage::{Node, Receiver, ReceiverSet, Remote, SetEvent};
/// # mod fixtures { mage_macros::magen! { interface Counter { Add(int amount); } } }
/// # use fixtures::*;
///
/// struct Sum<'a> { user: &'a str, total: &'a mut i32 }
/// impl Counter for Sum<'_> {
///     fn add(&mut self, amount: i32) {
///         println!("{} adds {amount}", self.user);
///         *self.total += amount;
///     }
/// }
///
/// let mut event_loop = mage::event_loop::EventLoop::new()?;
/// let node = Node::new(event_loop.scheduler());
/// let mut set = ReceiverSet::<dyn Counter, &str>::new();
/// for user in ["ann", "bob"] {
///     let (ours, theirs) = node.create_message_pipes();
///     set.add(Receiver::new(theirs), user);
///     Remote::<dyn Counter>::new(ours).add(5)?; // and the end is closed again
/// }
/// let mut total = 0;
/// event_loop.run_until(async {
///     while let Some(event) = set.next().await {
///         match event {
///             SetEvent::Message { context: user, message, .. } => {
///                 mage::Dispatch::dispatch(message, &mut Sum { user, total: &mut total });
///             }
///             SetEvent::Ended { context: user, result, .. } => println!("{user} left: {result:?}"),
///         }
///     }
/// });
/// assert_eq!(total, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ReceiverSet<T: Interface + ?Sized, C = ()> {
    crowd: Crowd<(Receiver<T>, C)>,
    /// What handles ask for, while there are any.
    orders: Option<Arc<Mailbox<Order<T, C>>>>,
    desk: Weak<Desk<T, C>>,
}

/// Adds receivers to a [`ReceiverSet`], and removes them, from anywhere, also while the set is being served.
///
/// A set that has handles is not at its end, even if it has no receivers.
pub struct ReceiverSetHandle<T: Interface + ?Sized, C = ()> {
    desk: Arc<Desk<T, C>>,
}

/// What all handles of a set share. When the last is gone, nothing more is asked for.
struct Desk<T: Interface + ?Sized, C> {
    orders: Arc<Mailbox<Order<T, C>>>,
    ids: EndIds,
}

enum Order<T: Interface + ?Sized, C> {
    Add(EndId, Receiver<T>, C),
    Remove(EndId),
}

/// What a [`ReceiverSet`] has to say.
pub enum SetEvent<'a, T: Interface + ?Sized, C> {
    /// A message has come.
    Message {
        /// From which end.
        id: EndId,
        /// Whose end that is.
        context: &'a mut C,
        /// The message; [`Dispatch::dispatch`] hands it to a handler.
        message: T::Message,
    },
    /// An end has left the set, by itself.
    Ended {
        /// Which one.
        id: EndId,
        /// Whose it was.
        context: C,
        /// Whether its other end was closed, after its last message, or what was wrong.
        result: Result<(), RecvError>,
    },
}

impl<T: Interface + ?Sized, C> ReceiverSet<T, C> {
    /// A set without receivers.
    pub fn new() -> Self {
        Self { crowd: Crowd::new(), orders: None, desk: Weak::new() }
    }

    /// Adds a receiver. Returns the number under which it is known from now on.
    pub fn add(&mut self, receiver: Receiver<T>, context: C) -> EndId {
        let id = self.crowd.ids.next();
        self.crowd.insert(id, (receiver, context));
        id
    }

    /// Takes a receiver out, with everything that it has not yet received.
    pub fn remove(&mut self, id: EndId) -> Option<(Receiver<T>, C)> {
        self.crowd.remove(id)
    }

    /// Whose end this is, if it is in the set.
    pub fn context_mut(&mut self, id: EndId) -> Option<&mut C> {
        self.crowd.get_mut(id).map(|(_, context)| context)
    }

    /// How many receivers there are.
    pub fn len(&self) -> usize {
        self.crowd.len()
    }

    /// Whether there is no receiver.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What adds receivers from elsewhere.
    pub fn handle(&mut self) -> ReceiverSetHandle<T, C> {
        if let Some(desk) = self.desk.upgrade() {
            return ReceiverSetHandle { desk };
        }
        // The last of the old handles may have asked for something.
        self.carry_out(&mut Context::from_waker(std::task::Waker::noop()));
        let orders = Arc::new(Mailbox::new());
        let desk = Arc::new(Desk { orders: Arc::clone(&orders), ids: self.crowd.ids.clone() });
        self.orders = Some(orders);
        self.desk = Arc::downgrade(&desk);
        ReceiverSetHandle { desk }
    }

    /// Waits for what happens next; `None` when there is neither a receiver nor a [`ReceiverSetHandle`].
    /// Cancellation-safe: an event is either returned or still to come.
    pub async fn next(&mut self) -> Option<SetEvent<'_, T, C>> {
        let (id, result) = poll_fn(|context| self.poll_message(context)).await?;
        match result {
            Ok(Some(message)) => {
                let (_, context) = self.crowd.get_mut(id)?;
                Some(SetEvent::Message { id, context, message })
            }
            Ok(None) => self.ended(id, Ok(())),
            Err(error) => self.ended(id, Err(error)),
        }
    }

    fn ended(&mut self, id: EndId, result: Result<(), RecvError>) -> Option<SetEvent<'_, T, C>> {
        let (_, context) = self.crowd.remove(id)?;
        Some(SetEvent::Ended { id, context, result })
    }

    #[expect(clippy::type_complexity, reason = "it is what the parts say, and named nowhere else")]
    fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<(EndId, Result<Option<T::Message>, RecvError>)>> {
        self.carry_out(context);
        let message = self.crowd.poll_any(context, |(receiver, _), context| receiver.poll_recv(context));
        match message {
            Poll::Ready(message) => Poll::Ready(Some(message)),
            Poll::Pending if self.is_empty() && self.orders.is_none() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Does what the handles have asked for.
    fn carry_out(&mut self, context: &mut Context<'_>) {
        while let Some(orders) = &self.orders {
            match orders.poll_pop(context) {
                Poll::Ready(Some(Order::Add(id, receiver, context))) => {
                    self.crowd.insert(id, (receiver, context));
                }
                Poll::Ready(Some(Order::Remove(id))) => drop(self.crowd.remove(id)),
                Poll::Ready(None) => self.orders = None,
                Poll::Pending => return,
            }
        }
    }

    /// Handles the messages of every end with one handler, until there is neither a receiver nor a
    /// [`ReceiverSetHandle`]. `ended` hears of each end that leaves by itself, and why.
    ///
    /// A handler that panics loses the end whose message it was; the others go on. Dropping the future leaves the set as it
    /// is.
    pub async fn serve<H: ?Sized>(
        &mut self,
        handler: &mut H,
        mut ended: impl FnMut(&mut H, EndId, C, Result<(), RecvError>),
    ) where
        T::Message: Dispatch<H>,
    {
        let mut budget = super::receiver::MESSAGES_PER_POLL;
        while let Some(event) = self.next().await {
            match event {
                SetEvent::Message { id, message, .. } => {
                    let dispatched = catch_unwind(AssertUnwindSafe(|| message.dispatch(handler)));
                    if dispatched.is_err()
                        && let Some((_, context)) = self.remove(id)
                    {
                        ended(handler, id, context, Err(RecvError::HandlerPanicked));
                    }
                }
                SetEvent::Ended { id, context, result } => ended(handler, id, context, result),
            }
            budget -= 1;
            if budget == 0 {
                budget = super::receiver::MESSAGES_PER_POLL;
                super::receiver::yield_now().await;
            }
        }
    }
}

impl<T: Interface + ?Sized, C> ReceiverSetHandle<T, C> {
    /// Adds a receiver, and returns its number.
    ///
    /// # Errors
    /// With the receiver and its context, if the set is gone.
    pub fn add(&self, receiver: Receiver<T>, context: C) -> Result<EndId, (Receiver<T>, C)> {
        let id = self.desk.ids.next();
        match self.desk.orders.push(Order::Add(id, receiver, context)) {
            Ok(()) | Err(Order::Remove(_)) => Ok(id),
            Err(Order::Add(_, receiver, context)) => Err((receiver, context)),
        }
    }

    /// Closes an end, at the latest when the set is next looked at. The set does not say that it ended.
    pub fn remove(&self, id: EndId) {
        // If the set is gone, so is the end.
        let _ = self.desk.orders.push(Order::Remove(id));
    }
}

impl<T: Interface + ?Sized, C> Clone for ReceiverSetHandle<T, C> {
    fn clone(&self) -> Self {
        Self { desk: Arc::clone(&self.desk) }
    }
}

impl<T: Interface + ?Sized, C> Drop for Desk<T, C> {
    fn drop(&mut self) {
        self.orders.finish();
    }
}

impl<T: Interface + ?Sized, C> Drop for ReceiverSet<T, C> {
    fn drop(&mut self) {
        if let Some(orders) = &self.orders {
            drop(orders.close());
        }
    }
}

impl<T: Interface + ?Sized, C> Default for ReceiverSet<T, C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Interface + ?Sized, C> fmt::Debug for ReceiverSet<T, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReceiverSet").field("interface", &T::NAME).field("ends", &self.crowd).finish()
    }
}

impl<T: Interface + ?Sized, C> fmt::Debug for ReceiverSetHandle<T, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReceiverSetHandle").field("interface", &T::NAME).finish_non_exhaustive()
    }
}

impl<T: Interface + ?Sized, C: fmt::Debug> fmt::Debug for SetEvent<'_, T, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { id, context, message } => formatter
                .debug_struct("Message")
                .field("id", id)
                .field("context", context)
                .field("message", message)
                .finish(),
            Self::Ended { id, context, result } => formatter
                .debug_struct("Ended")
                .field("id", id)
                .field("context", context)
                .field("result", result)
                .finish(),
        }
    }
}
