//! The only file that knows a runtime by name. mage is given a scheduler, and the rest of the program a future to write.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

use mage::sched::Scheduler;

use crate::Error;

/// What a process runs on.
#[derive(Clone, Copy)]
pub(crate) enum Runtime {
    /// The loop that comes with mage.
    Loop,
    /// Tokio, with as many threads as it likes.
    Tokio,
    /// A smol executor.
    Smol,
}

impl Runtime {
    /// Runs `program` to its end. It is given the scheduler that its node needs.
    pub(crate) fn run(
        self,
        program: impl AsyncFnOnce(Arc<dyn Scheduler>) -> Result<ExitCode, Error>,
    ) -> Result<ExitCode, Error> {
        match self {
            Self::Loop => {
                let mut event_loop = mage::event_loop::EventLoop::new()?;
                let scheduler = event_loop.scheduler();
                event_loop.run_until(program(scheduler))
            }
            Self::Tokio => {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build()?;
                let scheduler = mage::tokio::from_handle(runtime.handle().clone());
                runtime.block_on(program(scheduler))
            }
            Self::Smol => {
                let executor = Arc::new(smol::Executor::new());
                let scheduler = mage::smol::scheduler(Arc::clone(&executor));
                smol::block_on(executor.run(program(scheduler)))
            }
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Loop => "loop",
            Self::Tokio => "tokio",
            Self::Smol => "smol",
        })
    }
}

impl FromStr for Runtime {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "loop" => Ok(Self::Loop),
            "tokio" => Ok(Self::Tokio),
            "smol" => Ok(Self::Smol),
            other => Err(format!("no runtime is called {other}: there are loop, tokio and smol")),
        }
    }
}
