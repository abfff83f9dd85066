//! The schedulers that are measured.

use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;

use mage::sched::Scheduler;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// One of the three adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    Loop,
    Smol,
    /// On the calling thread.
    Tokio,
}

impl Flavor {
    pub(crate) const ALL: [Self; 3] = [Self::Loop, Self::Smol, Self::Tokio];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Loop => "loop",
            Self::Smol => "smol",
            Self::Tokio => "tokio",
        }
    }

    /// Runs `body` to its end, as a task like those of a program.
    pub(crate) fn run<T, F>(self, body: impl FnOnce(Arc<dyn Scheduler>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        match self {
            Self::Loop => {
                let mut event_loop = mage::event_loop::EventLoop::new().expect("an event loop");
                let scheduler = event_loop.scheduler();
                event_loop.run_until(body(scheduler))
            }
            Self::Smol => {
                let executor = Arc::new(async_executor::Executor::new());
                let scheduler = mage::smol::scheduler(Arc::clone(&executor));
                let task = executor.spawn(body(scheduler));
                smol::block_on(executor.run(task))
            }
            Self::Tokio => {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
                let scheduler = mage::tokio::from_handle(runtime.handle().clone());
                let task = runtime.spawn(body(scheduler));
                runtime.block_on(task).expect("a figure does not panic")
            }
        }
    }
}

impl FromStr for Flavor {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|flavor| flavor.name() == name)
            .ok_or_else(|| format!("no scheduler {name}"))
    }
}

/// Keeps this thread, and what it will start, on the first CPU it may use.
pub(crate) fn pin() {
    let Ok(allowed) = sched_getaffinity(None) else { return };
    if let Some(cpu) = (0..CpuSet::MAX_CPU).find(|&cpu| allowed.is_set(cpu)) {
        let mut one = CpuSet::new();
        one.set(cpu);
        let _ = sched_setaffinity(None, &one);
    }
}
