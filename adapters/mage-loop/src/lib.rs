//! A minimal event loop for mage. It owns the calling thread and starts none.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! let mut event_loop = mage_loop::EventLoop::new()?;
//! let scheduler = event_loop.scheduler(); // an `Arc<dyn Scheduler>`: what mage asks for
//! let sink = scheduler.new_sink();
//! let (done, waiting) = futures::channel::oneshot::channel();
//! sink.post(move || done.send(7).unwrap()).unwrap();
//! assert_eq!(event_loop.run_until(waiting), Ok(7));
//! # Ok(())
//! # }
//! ```
//!
//! # Files
//! - `event_loop`: the owner; runs what is ready, then waits.
//! - `queue`: what is ready, filled from any thread; decides who has to wake the loop.
//! - `tasks`: the futures, on the loop's thread.
//! - `reactor`: who waits for which descriptor.
//! - `poller`: the operating system's way to wait, epoll on Linux and the `polling` crate elsewhere.

mod event_loop;
mod poller;
mod queue;
mod reactor;
mod scheduler;
mod tasks;
mod watch;

pub use event_loop::EventLoop;
