//! mage's scheduler traits on Tokio: multi-thread, current-thread, and `LocalSet`.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
//! runtime.block_on(async {
//!     let scheduler = mage_tokio::current(); // an `Arc<dyn Scheduler>`: what mage asks for
//!     let sink = scheduler.new_sink();
//!     let (done, waiting) = futures::channel::oneshot::channel();
//!     sink.post(move || done.send(7).unwrap()).unwrap();
//!     assert_eq!(waiting.await, Ok(7));
//! });
//! # Ok(())
//! # }
//! ```
//!
//! The runtime needs its I/O driver (`enable_io` or `enable_all`). No thread is started here.

#![forbid(unsafe_code)]

mod scheduler;
mod watch;

pub use scheduler::{current, from_handle, local};
