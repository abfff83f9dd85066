//! What is ready to run, filled from any thread.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use futures::future::BoxFuture;
use mage_sched::sync::Mutex;

use crate::reactor::Reactor;

/// What the loop shares with other threads: the queue of what is ready, and the reactor.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) reactor: Reactor,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    ready: VecDeque<Ready>,
    owner: Owner,
}

/// What the loop is doing, as far as those who push need to know.
#[derive(Clone, Copy, Debug)]
enum Owner {
    /// Will look at the queue by itself; in particular, whenever its own thread pushes.
    Awake,
    /// Waits in the poller, and the queue is empty. Who pushes first wakes it, and no other has to.
    Asleep,
    /// Dropped. Nothing runs any more, and the queue is empty.
    Gone,
}

/// Something to run.
pub(crate) enum Ready {
    /// A task that was woken.
    Task(TaskKey),
    /// A new task, from any thread.
    Start(BoxFuture<'static, ()>),
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(key) => key.fmt(f),
            Self::Start(_) => f.write_str("Start(..)"),
        }
    }
}

/// Names a task: its slot, and which of the slot's successive owners it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskKey {
    pub(crate) slot: usize,
    pub(crate) generation: u64,
}

/// Whether there was something to run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Taken {
    Something,
    /// Nothing. The loop counts as asleep from now on and must wait in the poller.
    Nothing,
}

impl Shared {
    pub(crate) fn new() -> io::Result<Self> {
        let queue = Queue { ready: VecDeque::new(), owner: Owner::Awake };
        Ok(Self { reactor: Reactor::new()?, queue: Mutex::new(queue) })
    }

    /// Appends `ready`, and interrupts the loop's sleep if it sleeps. A loop that is gone drops it.
    pub(crate) fn push(&self, ready: Ready) {
        let owner = {
            let mut queue = self.queue.lock();
            match queue.owner {
                Owner::Gone => Owner::Gone,
                Owner::Awake | Owner::Asleep => {
                    queue.ready.push_back(ready);
                    mem::replace(&mut queue.owner, Owner::Awake)
                }
            }
        };
        if let Owner::Asleep = owner {
            // Fails only if the kernel's counter is full, and then the wait ends anyway.
            let _ = self.reactor.notify();
        }
    }

    /// Moves everything ready to `batch`, which is empty.
    pub(crate) fn take(&self, batch: &mut VecDeque<Ready>) -> Taken {
        let mut queue = self.queue.lock();
        if queue.ready.is_empty() {
            queue.owner = Owner::Asleep;
            return Taken::Nothing;
        }
        mem::swap(&mut queue.ready, batch);
        Taken::Something
    }

    /// The loop is back from the poller.
    pub(crate) fn awake(&self) {
        self.queue.lock().owner = Owner::Awake;
    }

    /// The loop is gone: what was ready is returned, to be dropped outside the lock, and what comes later is dropped.
    pub(crate) fn close(&self) -> VecDeque<Ready> {
        let mut queue = self.queue.lock();
        queue.owner = Owner::Gone;
        mem::take(&mut queue.ready)
    }
}

/// Wakes one task, from any thread.
#[derive(Debug)]
pub(crate) struct TaskWaker {
    shared: Arc<Shared>,
    key: TaskKey,
    /// Set from the wake that queues the task until the poll that answers it; while set, the key is in the queue or in
    /// the loop's batch, and further wakes have nothing to do.
    queued: AtomicBool,
}

impl TaskWaker {
    /// A waker whose task is not queued yet.
    pub(crate) fn new(shared: Arc<Shared>, key: TaskKey) -> Self {
        Self { shared, key, queued: AtomicBool::new(false) }
    }

    pub(crate) fn key(&self) -> TaskKey {
        self.key
    }

    /// The task is about to be polled: a wake from now on must queue it again. Acquires what earlier wakers wrote.
    pub(crate) fn answer(&self) {
        self.queued.swap(false, Ordering::AcqRel);
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.shared.push(Ready::Task(self.key));
        }
    }
}
