//! [`Bell`]: wakes a task, and tells it whether it has.

use std::sync::Arc;
use std::task::{Wake, Waker};

use mage_sched::sync::{AtomicBool, Ordering};

/// What a pipe is given to wake the task that waits for its messages. As long as it is with the pipe and has not been rung,
/// there is nothing to read, and nobody needs to look.
#[derive(Debug)]
pub(super) struct Bell {
    /// It has been rung since somebody looked last, or nobody has looked.
    rung: AtomicBool,
    task: Waker,
}

impl Bell {
    pub(super) fn of(task: Waker) -> Self {
        Self { rung: AtomicBool::new(true), task }
    }

    pub(super) fn is_of(&self, task: &Waker) -> bool {
        self.task.will_wake(task)
    }

    /// Whether it is worth a look. Whoever looks then either leaves the bell with the pipe or [keeps looking](Self::keep_looking).
    /// To be asked before the look, so that whoever comes behind it rings.
    pub(super) fn is_worth_a_look(&self) -> bool {
        let rung = self.rung.load(Ordering::Acquire);
        if rung {
            self.rung.store(false, Ordering::Relaxed);
        }
        rung
    }

    /// The next one is worth a look, too, whether the bell is rung or not.
    pub(super) fn keep_looking(&self) {
        self.rung.store(true, Ordering::Relaxed);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}
