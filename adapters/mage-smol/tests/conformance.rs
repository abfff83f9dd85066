//! The suite that every scheduler passes, on smol's executors: on one thread, on several, and local.

use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_executor::Executor;
use futures::channel::oneshot;
use mage_sched::conformance::Harness;
use mage_sched::{LocalBoxFuture, LocalScheduler, Scheduler};

/// The one named "async-io".
const REACTOR_THREADS: usize = 1;

struct Shared {
    executor: Arc<Executor<'static>>,
    workers: Vec<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Shared {
    fn with_workers(count: usize) -> Self {
        let executor = Arc::new(Executor::new());
        let workers = (0..count).map(|_| {
            let (executor, (stop, stopping)) = (Arc::clone(&executor), oneshot::channel::<()>());
            (stop, thread::spawn(move || async_io::block_on(executor.run(stopping)).unwrap_or(())))
        });
        Self { workers: workers.collect(), executor }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for (stop, worker) in self.workers.drain(..) {
            drop(stop);
            let _ = worker.join();
        }
    }
}

impl Harness for Shared {
    fn scheduler(&self) -> Arc<dyn Scheduler> {
        mage_smol::scheduler(Arc::clone(&self.executor))
    }

    fn block_on(&mut self, future: LocalBoxFuture<'_, ()>) {
        async_io::block_on(self.executor.run(future));
    }

    fn threads(&self) -> usize {
        REACTOR_THREADS + self.workers.len()
    }
}

struct Local(mage_smol::Local);

impl Harness for Local {
    fn scheduler(&self) -> Arc<dyn Scheduler> {
        self.0.scheduler()
    }

    fn block_on(&mut self, future: LocalBoxFuture<'_, ()>) {
        async_io::block_on(self.0.run(future));
    }

    fn local(&self) -> Option<Rc<dyn LocalScheduler>> {
        Some(self.0.local_scheduler())
    }

    fn threads(&self) -> usize {
        REACTOR_THREADS
    }
}

mage_sched::conformance!(one_thread, || Shared::with_workers(0));
mage_sched::conformance!(several_threads, || Shared::with_workers(3));
mage_sched::conformance!(local, || Local(mage_smol::Local::new()));
