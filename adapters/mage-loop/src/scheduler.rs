//! The loop as mage's scheduler traits.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use futures::future::{BoxFuture, LocalBoxFuture};
use mage_sched::{LocalScheduler, Scheduler, Watch};

use crate::queue::{Ready, Shared};
use crate::tasks::Tasks;
use crate::watch::LoopWatch;

/// Reaches the loop from any thread.
#[derive(Debug)]
pub(crate) struct LoopScheduler {
    shared: Arc<Shared>,
}

impl LoopScheduler {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Scheduler for LoopScheduler {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.shared.push(Ready::Start(task));
    }

    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        Ok(Box::new(LoopWatch::new(Arc::clone(&self.shared), fd)?))
    }
}

/// Reaches the loop from its own thread.
#[derive(Debug)]
pub(crate) struct LoopLocalScheduler {
    tasks: Rc<Tasks>,
}

impl LoopLocalScheduler {
    pub(crate) fn new(tasks: Rc<Tasks>) -> Self {
        Self { tasks }
    }
}

impl LocalScheduler for LoopLocalScheduler {
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>) {
        self.tasks.start(task);
    }
}
