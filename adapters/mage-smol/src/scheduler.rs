//! Starting tasks on an executor, and registering descriptors.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use async_executor::Executor;
use async_io::Async;
use futures::future::BoxFuture;
use mage_sched::{Scheduler, Watch};

use crate::watch::SmolWatch;

/// `executor` as a scheduler. Its tasks run while somebody runs `executor`, on as many threads as do so.
///
/// The returned value does not keep `executor` alive, for tasks that hold it would then keep themselves. When the last owner
/// drops the executor, its tasks are dropped where they stand, and later ones unpolled.
pub fn scheduler(executor: Arc<Executor<'static>>) -> Arc<dyn Scheduler> {
    Arc::new(SmolScheduler { executor: Arc::downgrade(&executor) })
}

/// The executor behind `smol::spawn` as a scheduler. It is one per process and runs on threads of its own.
///
/// ```
/// let sink = mage_smol::global().new_sink();
/// let (done, waiting) = futures::channel::oneshot::channel();
/// sink.post(move || done.send(7).unwrap()).unwrap();
/// assert_eq!(async_io::block_on(waiting), Ok(7));
/// ```
#[cfg(feature = "global")]
pub fn global() -> Arc<dyn Scheduler> {
    Arc::new(GlobalScheduler)
}

#[derive(Debug)]
struct SmolScheduler {
    executor: Weak<Executor<'static>>,
}

impl Scheduler for SmolScheduler {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        if let Some(executor) = self.executor.upgrade() {
            executor.spawn(task).detach();
        }
    }

    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        watch(fd)
    }
}

#[cfg(feature = "global")]
#[derive(Debug)]
struct GlobalScheduler;

#[cfg(feature = "global")]
impl Scheduler for GlobalScheduler {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        smol::spawn(task).detach();
    }

    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        watch(fd)
    }
}

/// The reactor is async-io's and one per process, so it does not matter which executor asks.
fn watch(fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
    Ok(Box::new(SmolWatch::new(Async::new(fd)?))) // `Async::new` makes it non-blocking
}
