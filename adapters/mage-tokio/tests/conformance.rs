//! The suite that every scheduler passes, on Tokio with many threads, with one, and with a `LocalSet`.

use std::rc::Rc;
use std::sync::Arc;

use mage_sched::conformance::Harness;
use mage_sched::{LocalBoxFuture, LocalScheduler, Scheduler};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

struct Tokio {
    runtime: Runtime,
    tasks: Option<Rc<LocalSet>>,
    threads: usize,
}

impl Tokio {
    fn new(mut builder: Builder, tasks: Option<LocalSet>, threads: usize) -> Self {
        let runtime = builder.enable_io().build().expect("the system has descriptors left");
        Self { runtime, tasks: tasks.map(Rc::new), threads }
    }

    fn multi_thread() -> Self {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2);
        Self::new(builder, None, 2)
    }

    fn current_thread() -> Self {
        Self::new(Builder::new_current_thread(), None, 0)
    }

    fn local_set() -> Self {
        Self::new(Builder::new_current_thread(), Some(LocalSet::new()), 0)
    }
}

impl Harness for Tokio {
    fn scheduler(&self) -> Arc<dyn Scheduler> {
        mage_tokio::from_handle(self.runtime.handle().clone())
    }

    fn block_on(&mut self, future: LocalBoxFuture<'_, ()>) {
        match &self.tasks {
            Some(tasks) => tasks.block_on(&self.runtime, future),
            None => self.runtime.block_on(future),
        }
    }

    fn local(&self) -> Option<Rc<dyn LocalScheduler>> {
        self.tasks.as_ref().map(|tasks| mage_tokio::local(Rc::clone(tasks)))
    }

    fn threads(&self) -> usize {
        self.threads
    }
}

mage_sched::conformance!(multi_thread, Tokio::multi_thread);
mage_sched::conformance!(current_thread, Tokio::current_thread);
mage_sched::conformance!(local_set, Tokio::local_set);

/// A runtime without I/O refuses to watch, and does not panic.
#[test]
fn a_runtime_without_io_refuses_to_watch() {
    let runtime = Builder::new_current_thread().build().expect("nothing is asked of the system");
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().expect("the system has descriptors left");
    let scheduler = mage_tokio::from_handle(runtime.handle().clone());
    let refused = scheduler.watch(Arc::new(ours.into())).expect_err("there is no reactor");
    assert_eq!(refused.kind(), std::io::ErrorKind::Unsupported);
}
