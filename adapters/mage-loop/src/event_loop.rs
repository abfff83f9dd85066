//! [`EventLoop`]: runs what is ready, then waits.

use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use mage_sched::{LocalScheduler, Scheduler};

use crate::poller::{Events, Patience};
use crate::queue::{Ready, Shared, Taken, TaskWaker};
use crate::scheduler::{LoopLocalScheduler, LoopScheduler};
use crate::tasks::Tasks;

/// After how many polls of tasks the descriptors get their turn, when tasks alone would keep the loop busy.
const POLLS_PER_LOOK: u32 = 61;

/// A loop of tasks and descriptors on the thread that made it.
///
/// Tasks run only inside [`run_until`](Self::run_until), and stay for the next one when it returns. Dropping the loop drops
/// them; what still reaches for the loop then is refused: tasks are dropped, and watched descriptors report an error.
///
/// A task that panics unwinds through `run_until`; the loop and the other tasks are still usable then.
#[derive(Debug)]
pub struct EventLoop {
    shared: Arc<Shared>,
    tasks: Rc<Tasks>,
    /// What this turn still has to run, oldest first. A field, so that a panic in a task loses nothing.
    batch: VecDeque<Ready>,
    events: Events,
    /// Empty between calls; kept for its capacity.
    waiters: Vec<Arc<Waker>>,
    /// Since the descriptors had their turn.
    polls: u32,
}

impl EventLoop {
    /// A loop with nothing to do. Takes two descriptors on Linux, and the ones that `polling` needs elsewhere.
    ///
    /// # Errors
    /// Those of the operating system, which may have run out of descriptors.
    pub fn new() -> io::Result<Self> {
        let shared = Arc::new(Shared::new()?);
        let tasks = Rc::new(Tasks::new(Arc::clone(&shared)));
        Ok(Self {
            shared,
            tasks,
            batch: VecDeque::new(),
            events: Events::new(),
            waiters: Vec::new(),
            polls: 0,
        })
    }

    /// Takes tasks and descriptors from any thread. A task given to it runs on the loop's thread.
    pub fn scheduler(&self) -> Arc<dyn Scheduler> {
        Arc::new(LoopScheduler::new(Arc::clone(&self.shared)))
    }

    /// Takes tasks of this thread, `Send` or not.
    pub fn local(&self) -> Rc<dyn LocalScheduler> {
        Rc::new(LoopLocalScheduler::new(Rc::clone(&self.tasks)))
    }

    /// Runs all tasks of the loop until `future` is done, and returns what it returned.
    ///
    /// # Panics
    /// As a task does, or `future`. Also when the kernel refuses to wait on the loop's own descriptor, which means that
    /// other code in this process has closed what it does not own.
    pub fn run_until<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        let shared = Arc::clone(&self.shared);
        let _running = shared.run_here();
        let handle = self.tasks.main_waker();
        let waker = Waker::from(Arc::clone(&handle));
        handle.wake_by_ref();
        loop {
            while let Some(ready) = self.batch.pop_front() {
                if let Poll::Ready(output) = self.run(ready, future.as_mut(), &handle, &waker) {
                    return output;
                }
                self.polls += 1;
                if self.polls >= POLLS_PER_LOOK {
                    self.look(Patience::None);
                }
            }
            if let Taken::Nothing = self.shared.take(&mut self.batch) {
                self.look(Patience::Forever);
            }
        }
    }

    fn run<F: Future>(
        &self,
        ready: Ready,
        future: Pin<&mut F>,
        handle: &TaskWaker,
        waker: &Waker,
    ) -> Poll<F::Output> {
        match ready {
            Ready::Task(key) if key == handle.key() => {
                handle.answer();
                return future.poll(&mut Context::from_waker(waker));
            }
            Ready::Task(key) => self.tasks.poll(key),
            Ready::Start(task) => self.tasks.start(task),
        }
        Poll::Pending
    }

    /// Gives the descriptors their turn.
    fn look(&mut self, patience: Patience) {
        self.polls = 0;
        let waited = self.shared.reactor.wait(&mut self.events, patience);
        self.shared.awake(); // before waking anybody: our own wakes need no system call
        waited.expect("the kernel waits on a descriptor that only this loop can close");
        self.shared.reactor.dispatch(&self.events, &mut self.waiters);
        for waiter in self.waiters.drain(..) {
            waiter.wake_by_ref();
        }
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        drop(self.shared.close());
        self.tasks.close();
        for waiter in self.shared.reactor.close() {
            waiter.wake_by_ref();
        }
    }
}
