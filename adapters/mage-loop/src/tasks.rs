//! The loop's futures. They live and die on the loop's thread.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;
use slab::Slab;

use crate::queue::{Shared, TaskKey, TaskWaker};

/// The slot number that no task has: that of the future given to `run_until`.
const MAIN_SLOT: usize = usize::MAX;

/// All tasks. A task may start others, and may be dropped while others run, so the table is never borrowed during a poll.
pub(crate) struct Tasks {
    shared: Arc<Shared>,
    table: RefCell<Table>,
}

struct Table {
    life: Life,
    slots: Slab<Slot>,
    /// How many tasks there were. A slot used again has another generation in its key.
    generation: u64,
}

#[derive(Clone, Copy)]
enum Life {
    Running,
    /// The loop was dropped: new tasks are dropped as well.
    Over,
}

struct Slot {
    generation: u64,
    state: State,
}

enum State {
    Waiting(Task),
    /// Taken out by [`Tasks::poll`], which will put it back or free the slot.
    Polled,
}

struct Task {
    future: LocalBoxFuture<'static, ()>,
    handle: Arc<TaskWaker>,
    /// The same as `handle`, in the form that futures take.
    waker: Waker,
}

impl Tasks {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let table = Table { life: Life::Running, slots: Slab::new(), generation: 0 };
        Self { shared, table: RefCell::new(table) }
    }

    /// Adds a task and queues its first poll.
    pub(crate) fn start(&self, future: LocalBoxFuture<'static, ()>) {
        let handle = {
            let mut table = self.table.borrow_mut();
            if let Life::Over = table.life {
                drop(table); // the future's destructor may come back here
                return;
            }
            let generation = table.next_generation();
            let entry = table.slots.vacant_entry();
            let key = TaskKey { slot: entry.key(), generation };
            let handle = Arc::new(TaskWaker::new(Arc::clone(&self.shared), key));
            let task = Task { future, waker: Waker::from(Arc::clone(&handle)), handle: Arc::clone(&handle) };
            entry.insert(Slot { generation, state: State::Waiting(task) });
            handle
        };
        handle.wake();
    }

    /// A waker for the future of one `run_until`.
    pub(crate) fn main_waker(&self) -> Arc<TaskWaker> {
        let generation = self.table.borrow_mut().next_generation();
        Arc::new(TaskWaker::new(Arc::clone(&self.shared), TaskKey { slot: MAIN_SLOT, generation }))
    }

    /// Polls the task once. A key whose task has ended does nothing.
    pub(crate) fn poll(&self, key: TaskKey) {
        let Some(mut task) = self.table.borrow_mut().take(key) else { return };
        let polled = Polled { tasks: self, slot: key.slot };
        task.handle.answer();
        match task.future.as_mut().poll(&mut Context::from_waker(&task.waker)) {
            Poll::Pending => polled.put_back(task),
            Poll::Ready(()) => drop(polled), // then the task, with the table unborrowed
        }
    }

    /// Drops all tasks, and all that come later.
    pub(crate) fn close(&self) {
        let slots = {
            let mut table = self.table.borrow_mut();
            table.life = Life::Over;
            mem::take(&mut table.slots)
        };
        drop(slots); // unborrowed: destructors may come back here
    }
}

impl Table {
    fn next_generation(&mut self) -> u64 {
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }

    fn take(&mut self, key: TaskKey) -> Option<Task> {
        let slot = self.slots.get_mut(key.slot).filter(|slot| slot.generation == key.generation)?;
        match mem::replace(&mut slot.state, State::Polled) {
            State::Waiting(task) => Some(task),
            State::Polled => None,
        }
    }
}

/// The slot of a task that is out. Frees the slot when dropped, also when the task panics.
struct Polled<'tasks> {
    tasks: &'tasks Tasks,
    slot: usize,
}

impl Polled<'_> {
    fn put_back(self, task: Task) {
        if let Some(slot) = self.tasks.table.borrow_mut().slots.get_mut(self.slot) {
            slot.state = State::Waiting(task);
        }
        mem::forget(self); // a guard of references and numbers; its destructor would free the slot
    }
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        let slot = self.tasks.table.borrow_mut().slots.try_remove(self.slot);
        drop(slot);
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").finish_non_exhaustive()
    }
}
