//! What is ready to run, filled from any thread.
//!
//! There are two queues. One is shared and has a lock. The other belongs to the thread that runs the loop, while it runs it:
//! tasks that are woken there, which is nearly all of them, wait in it and cost no lock.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::ptr;
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
    /// Whether there is something in the queue. Written under its lock.
    filled: AtomicBool,
    /// Whether the loop waits in the poller, having found the queue empty. Set under the queue's lock. Who pushes first wakes
    /// it, and no other has to; in particular nobody on the loop's own thread.
    asleep: AtomicBool,
}

#[derive(Debug)]
struct Queue {
    ready: VecDeque<Ready>,
    life: Life,
}

#[derive(Clone, Copy, Debug)]
enum Life {
    Running,
    /// The loop was dropped. Nothing runs any more, and the queue is empty.
    Over,
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

thread_local! {
    /// The loop that this thread runs now, if any, and those of its tasks that were woken here.
    static TURN: RefCell<Turn> = const { RefCell::new(Turn::of_nobody()) };
}

/// A thread at work for a loop.
#[derive(Debug)]
struct Turn {
    /// Compared, and never followed.
    of: Option<usize>,
    woken: VecDeque<Ready>,
}

/// While this exists, its thread runs this loop, and then again the one that it ran before.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    shared: &'a Shared,
    before: Turn,
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
        let queue = Mutex::new(Queue { ready: VecDeque::new(), life: Life::Running });
        let (filled, asleep) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { reactor: Reactor::new()?, queue, filled, asleep })
    }

    /// From now on this thread runs the loop.
    pub(crate) fn run_here(&self) -> Running<'_> {
        let turn = Turn { of: Some(self.id()), woken: VecDeque::new() };
        let before = Turn::here(|here| mem::replace(here, turn)).unwrap_or(Turn::of_nobody());
        Running { shared: self, before }
    }

    fn id(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Appends a task that was woken.
    fn wake(&self, key: TaskKey) {
        let here = Turn::here(|turn| {
            let here = turn.of == Some(self.id());
            if here {
                turn.woken.push_back(Ready::Task(key));
            }
            here
        });
        if here != Some(true) {
            self.push(Ready::Task(key));
        }
    }

    /// Appends `ready`, and interrupts the loop's sleep if it sleeps. A loop that is gone drops it.
    pub(crate) fn push(&self, ready: Ready) {
        let wakes = {
            let mut queue = self.queue.lock();
            if let Life::Over = queue.life {
                drop(queue); // what is dropped may come back here
                return;
            }
            queue.ready.push_back(ready);
            self.filled.store(true, Ordering::Relaxed);
            let asleep = self.asleep.load(Ordering::Relaxed);
            if asleep {
                self.asleep.store(false, Ordering::Relaxed);
            }
            asleep
        };
        if wakes {
            // Fails only if the kernel's counter is full, and then the wait ends anyway.
            let _ = self.reactor.notify();
        }
    }

    /// Moves everything ready to `batch`, which is empty.
    pub(crate) fn take(&self, batch: &mut VecDeque<Ready>) -> Taken {
        Turn::here(|turn| self.take_all(&mut turn.woken, batch))
            .unwrap_or_else(|| self.take_all(&mut VecDeque::new(), batch))
    }

    /// First what came from outside: a task that was woken because of it was woken later.
    fn take_all(&self, woken: &mut VecDeque<Ready>, batch: &mut VecDeque<Ready>) -> Taken {
        // What is just being pushed, and not seen here, is found the next time.
        if woken.is_empty() || self.filled.load(Ordering::Relaxed) {
            let mut queue = self.queue.lock();
            if queue.ready.is_empty() && woken.is_empty() {
                self.asleep.store(true, Ordering::Relaxed);
                return Taken::Nothing;
            }
            mem::swap(&mut queue.ready, batch);
            self.filled.store(false, Ordering::Relaxed);
        }
        if batch.is_empty() {
            mem::swap(woken, batch);
        } else {
            batch.append(woken);
        }
        Taken::Something
    }

    /// The loop is back from the poller. Whoever pushes just now may still interrupt its next sleep, which does no harm.
    pub(crate) fn awake(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// The loop is gone: what was ready is returned, to be dropped outside the lock, and what comes later is dropped.
    pub(crate) fn close(&self) -> VecDeque<Ready> {
        let mut queue = self.queue.lock();
        queue.life = Life::Over;
        mem::take(&mut queue.ready)
    }
}

impl Turn {
    const fn of_nobody() -> Self {
        Self { of: None, woken: VecDeque::new() }
    }

    /// That of this thread. A thread that is about to end has none.
    fn here<R>(look: impl FnOnce(&mut Self) -> R) -> Option<R> {
        TURN.try_with(|turn| look(&mut turn.borrow_mut())).ok()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let before = mem::replace(&mut self.before, Turn::of_nobody());
        let turn = Turn::here(|turn| mem::replace(turn, before));
        for ready in turn.into_iter().flat_map(|turn| turn.woken) {
            self.shared.push(ready);
        }
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
            self.shared.wake(self.key);
        }
    }
}
