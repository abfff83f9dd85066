//! What mage asks of a runtime, and nothing more: start a task, and wait for a file descriptor.
//!
//! Two traits are implemented once per runtime, [`Scheduler`] and [`LocalScheduler`], with the guard [`Watch`]. Everything
//! else, posting jobs, sequences, finding out where one runs, is built once on top of them, as plain types. A task from
//! another thread is posted by waking a waker, which every runtime of async Rust can do from any thread.
//!
//! No thread is started here, nothing is global, and no runtime is looked up: a scheduler is a value that is passed in. The
//! one thread-local holds the sink of the job that runs right now, and only while it runs.
//!
//! # The five requirements
//! An application satisfies them by passing any `Arc<dyn Scheduler>`:
//!
//! | A runtime must have | here | Tokio, many threads | Tokio, one thread or `LocalSet` | smol | mage-loop |
//! |---|---|---|---|---|---|
//! | the current thread's sink, to store and post to from other threads | [`TaskSink::current`] | the sequence, whichever worker carries it | the same; the thread is fixed | the sequence; with `LocalExecutor` the thread is fixed too | the same; the thread is fixed |
//! | other threads' sinks, from any thread | any stored clone of a [`TaskSink`]; [`TaskSink::post`] | waker to the pool | waker to the runtime | waker to the executor | waker to the loop, a system call only if it sleeps |
//! | watch and unwatch a native socket | [`Scheduler::watch`], and dropping the [`Watch`] | `AsyncFd` | `AsyncFd` | `Async` | epoll on Linux, `polling` elsewhere |
//! | which thread am I on (UI or IO) | [`TaskSink::runs_here`], [`SequenceId`] | logical | logical and physical | logical; with `LocalExecutor` physical too | logical and physical |
//! | am I where this object was made | [`SequenceChecker`]; better, a `!Send` type | yes | yes | yes | yes |
//!
//! And the means to get there:
//!
//! | | Tokio, many threads | Tokio, one thread | Tokio `LocalSet` | smol `Executor` | smol `LocalExecutor` | mage-loop |
//! |---|---|---|---|---|---|---|
//! | start a `Send` future: [`Scheduler::spawn`] | `Handle::spawn` | `Handle::spawn` | `Handle::spawn` | `Executor::spawn` | an `Executor` run beside it | the loop's queue |
//! | start any other: [`LocalScheduler::spawn_local`] | not offered | not offered | `LocalSet::spawn_local` | not offered | `LocalExecutor::spawn` | the loop's slab |
//!
//! "Which thread" is asked of a sequence, not of an operating system's thread, because on a runtime that moves tasks between
//! workers the thread is no identity. A program with a UI and an IO sequence keeps both sinks and asks
//! `ui.runs_here()`; that is its "check on thread".
//!
//! # Your own runtime
//! Implement [`Scheduler`] (two methods) and [`Watch`] (one), then run the suite of the feature `conformance` on it with one
//! macro. For deterministic tests there is the feature `sim`: a scheduler with a seed.

#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use static_assertions::{assert_impl_all, assert_obj_safe};

#[cfg(feature = "conformance")]
pub mod conformance;
mod identity;
mod mailbox;
#[cfg(feature = "sim")]
pub mod sim;
mod sink;
pub mod sync;
mod watch;

pub use futures::future::{BoxFuture, LocalBoxFuture};
pub use identity::{SequenceChecker, SequenceId};
pub use mailbox::Mailbox;
pub use sink::{Sequence, SequenceGone, TaskSink, sequence};
pub use watch::{Interest, Transfer, Watch, set_nonblocking};

/// What mage asks of a runtime. Implemented once per runtime, stored and passed as `Arc<dyn Scheduler>`.
///
/// ```
/// use mage_sched::Scheduler;
///
/// /// Runs `job` on a sequence of its own, on whatever runtime the caller has.
/// fn in_background(scheduler: &dyn Scheduler, job: impl FnOnce() + Send + 'static) {
///     let sink = scheduler.new_sink();
///     let _ = sink.post(job); // refused only if the runtime is shutting down
/// }
/// ```
pub trait Scheduler: fmt::Debug + Send + Sync + 'static {
    /// Drives `task` to its end in the background. Callable from any thread; never panics.
    ///
    /// A runtime that shuts down drops the task where it stands, and drops later ones unpolled.
    #[track_caller]
    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// Watches `fd` until the guard is dropped. Sets it non-blocking. Callable from any thread.
    ///
    /// A descriptor is watched once at a time. The guard keeps a share of it, so that it cannot be closed while watched.
    ///
    /// # Errors
    /// Those of the operating system (a regular file cannot be watched, a descriptor cannot be watched twice), and those
    /// of a runtime that has shut down or was built without I/O.
    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>>;
}

/// Starts tasks that must stay on the thread this value lives on. Stored and passed as `Rc<dyn LocalScheduler>`.
///
/// Runtimes that move tasks between threads do not offer it: its absence is an error of the compiler, not a panic.
pub trait LocalScheduler: fmt::Debug {
    /// Drives `task` to its end in the background, on this thread. Never panics.
    #[track_caller]
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>);
}

assert_obj_safe!(Scheduler, LocalScheduler, Watch);
assert_impl_all!(TaskSink: Send, Sync);
assert_impl_all!(Sequence: Send, Sync);
assert_impl_all!(SequenceChecker: Send, Sync);
