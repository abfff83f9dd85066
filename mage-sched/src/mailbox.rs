//! [`Mailbox`]: many writers, one reader, no lost wake-up.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::task::{Context, Poll, Waker};

use crate::sync::Mutex;

/// An unbounded queue from any number of threads to one waiting task.
///
/// Items come out in the order in which they went in. Wakers are called, and items dropped, outside the lock.
/// The queue itself has no bound: whoever pushes what a peer sent bounds it before the push.
///
/// ```
/// use std::task::{Context, Poll, Waker};
/// let mailbox = mage_sched::Mailbox::new();
/// mailbox.push(7).unwrap();
/// let mut context = Context::from_waker(Waker::noop());
/// assert_eq!(mailbox.poll_pop(&mut context), Poll::Ready(Some(7)));
/// assert_eq!(mailbox.poll_pop(&mut context), Poll::Pending);
/// mailbox.finish();
/// assert_eq!(mailbox.poll_pop(&mut context), Poll::Ready(None));
/// ```
pub struct Mailbox<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    queue: VecDeque<T>,
    reader: Reader,
    writers: Writers,
}

/// What the consuming end is doing. The two ends live and die independently, hence two small machines.
enum Reader {
    /// Found the queue empty and waits. While this holds, the queue is empty.
    Parked(Waker),
    /// Was woken or never waited: it will look again by itself, so a push need not wake it.
    Awake,
    /// Will never look again: a push is refused, and the queue is empty.
    Gone,
}

/// What the producing ends are doing.
enum Writers {
    /// More may come.
    Present,
    /// Said that nothing more will come.
    Finished,
}

impl<T> Mailbox<T> {
    /// An empty mailbox whose reader has not looked yet.
    pub fn new() -> Self {
        let inner = Inner { queue: VecDeque::new(), reader: Reader::Awake, writers: Writers::Present };
        Self { inner: Mutex::new(inner) }
    }

    /// Appends `item` and wakes the reader if it waits. Callable from any thread; never blocks on the reader.
    ///
    /// # Errors
    /// Hands `item` back when the reader has gone.
    pub fn push(&self, item: T) -> Result<(), T> {
        let parked = {
            let mut inner = self.inner.lock();
            if let Reader::Gone = inner.reader {
                return Err(item);
            }
            inner.queue.push_back(item);
            mem::replace(&mut inner.reader, Reader::Awake)
        }; // unlocked: a waker may run anything, even push to us
        parked.wake();
        Ok(())
    }

    /// Takes the oldest item, or parks the task of `context` until there is one.
    ///
    /// `Ready(None)` means that nothing will ever come: the writers have [finished](Self::finish) and the queue is
    /// empty, or the mailbox was [closed](Self::close). One task at a time: a second one that polls takes the place of
    /// the first. Cancellation-safe: an item is either returned or still queued.
    pub fn poll_pop(&self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let at_once = self.inner.lock().try_pop();
        if let Some(answer) = at_once {
            return Poll::Ready(answer);
        }
        let waker = context.waker().clone(); // foreign code: outside the lock
        let (answer, _replaced) = {
            let mut inner = self.inner.lock();
            match inner.try_pop() {
                Some(answer) => (Poll::Ready(answer), Reader::Awake),
                None => (Poll::Pending, mem::replace(&mut inner.reader, Reader::Parked(waker))),
            }
        };
        answer
    }

    /// Says that nothing more will be pushed: the reader gets what is queued, then `None`. Callable from any thread.
    pub fn finish(&self) {
        let parked = {
            let mut inner = self.inner.lock();
            inner.writers = Writers::Finished;
            match inner.reader {
                Reader::Gone => Reader::Gone,
                Reader::Parked(_) | Reader::Awake => mem::replace(&mut inner.reader, Reader::Awake),
            }
        };
        parked.wake();
    }

    /// Says that the reader has gone, and returns what it leaves behind, oldest first. Every later push is refused.
    pub fn close(&self) -> VecDeque<T> {
        let (left, _waker) = {
            let mut inner = self.inner.lock();
            (mem::take(&mut inner.queue), mem::replace(&mut inner.reader, Reader::Gone))
        };
        left
    }
}

impl<T> Inner<T> {
    /// `None`: the reader has to wait. `Some(None)`: nothing will ever come.
    fn try_pop(&mut self) -> Option<Option<T>> {
        match (self.queue.pop_front(), &self.reader, &self.writers) {
            (Some(item), _, _) => Some(Some(item)),
            (None, Reader::Gone, _) | (None, _, Writers::Finished) => Some(None),
            (None, Reader::Parked(_) | Reader::Awake, Writers::Present) => None,
        }
    }
}

impl Reader {
    fn wake(self) {
        if let Self::Parked(waker) = self {
            waker.wake();
        }
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
