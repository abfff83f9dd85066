//! mage's scheduler traits on smol: an `Executor` with any number of threads, or a `LocalExecutor`.
//!
//! ```
//! use std::sync::Arc;
//!
//! let executor = Arc::new(async_executor::Executor::new());
//! let scheduler = mage_smol::scheduler(Arc::clone(&executor)); // an `Arc<dyn Scheduler>`: what mage asks for
//! let sink = scheduler.new_sink();
//! let (done, waiting) = futures::channel::oneshot::channel();
//! sink.post(move || done.send(7).unwrap()).unwrap();
//! assert_eq!(async_io::block_on(executor.run(waiting)), Ok(7));
//! ```
//!
//! Descriptors are watched by async-io, the reactor of smol, which runs a thread of its own named "async-io". That thread is
//! smol's and one per process; no other is started here.

#![forbid(unsafe_code)]

mod local;
mod scheduler;
mod watch;

pub use local::Local;
#[cfg(feature = "global")]
pub use scheduler::global;
pub use scheduler::scheduler;
