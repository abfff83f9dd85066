//! A `LocalExecutor`, with an `Executor` beside it.

use std::rc::Rc;
use std::sync::Arc;

use async_executor::{Executor, LocalExecutor};
use futures::future::LocalBoxFuture;
use mage_sched::{LocalScheduler, Scheduler};

/// Everything on one thread: a `LocalExecutor` for tasks of this thread, and beside it an `Executor` that takes tasks from
/// other threads. [`run`](Self::run) drives both. (A `LocalExecutor` alone cannot be handed to other threads.)
///
/// ```
/// let local = mage_smol::Local::new();
/// let sink = local.local_scheduler().new_sink();
/// let (done, waiting) = futures::channel::oneshot::channel();
/// sink.post(move || done.send(std::thread::current().id()).unwrap()).unwrap();
/// let ran_on = async_io::block_on(local.run(waiting));
/// assert_eq!(ran_on, Ok(std::thread::current().id()));
/// ```
#[derive(Debug, Default)]
pub struct Local {
    shared: Arc<Executor<'static>>,
    local: Rc<LocalExecutor<'static>>,
}

impl Local {
    /// Two new executors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Two executors that exist already. Whoever runs them must run both.
    pub fn from_executors(shared: Arc<Executor<'static>>, local: Rc<LocalExecutor<'static>>) -> Self {
        Self { shared, local }
    }

    /// Takes tasks and descriptors from any thread.
    pub fn scheduler(&self) -> Arc<dyn Scheduler> {
        crate::scheduler(Arc::clone(&self.shared))
    }

    /// Takes tasks of this thread, `Send` or not.
    pub fn local_scheduler(&self) -> Rc<dyn LocalScheduler> {
        Rc::new(SmolLocalScheduler { executor: Rc::clone(&self.local) })
    }

    /// Runs the tasks of both executors until `future` is done, and returns what it returned.
    pub async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.local.run(self.shared.run(future)).await
    }
}

#[derive(Debug)]
struct SmolLocalScheduler {
    executor: Rc<LocalExecutor<'static>>,
}

impl LocalScheduler for SmolLocalScheduler {
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>) {
        self.executor.spawn(task).detach();
    }
}
