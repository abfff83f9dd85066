//! Starting tasks, and registering descriptors.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::Arc;

use futures::future::{BoxFuture, LocalBoxFuture};
use mage_sched::{LocalScheduler, Scheduler, Watch, set_nonblocking};
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;
use tokio::task::LocalSet;

use crate::watch::TokioWatch;

/// The runtime this code runs in, as a scheduler.
///
/// # Panics
/// Outside of a Tokio runtime, like [`Handle::current`]. There, use [`from_handle`].
#[track_caller]
pub fn current() -> Arc<dyn Scheduler> {
    from_handle(Handle::current())
}

/// The runtime of `handle` as a scheduler, from any thread.
///
/// A runtime without its I/O driver runs tasks, but refuses every `watch` with [`io::ErrorKind::Unsupported`]. (Tokio
/// offers no way to ask; the refusal is a panic of Tokio that is caught, so the panic hook reports it first.)
pub fn from_handle(handle: Handle) -> Arc<dyn Scheduler> {
    Arc::new(TokioScheduler { handle })
}

/// `tasks` as a scheduler for futures that are not `Send`. They run while somebody on this thread runs `tasks`.
///
/// A task that keeps the returned value alive keeps `tasks` alive, and is kept by it: let one of them go to free both.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use std::rc::Rc;
///
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
/// let tasks = Rc::new(tokio::task::LocalSet::new());
/// let local = mage_tokio::local(Rc::clone(&tasks));
/// let sink = local.new_sink(); // its jobs run on this thread
/// let (done, waiting) = futures::channel::oneshot::channel();
/// sink.post(move || done.send(std::thread::current().id()).unwrap()).unwrap();
/// let ran_on = tasks.block_on(&runtime, waiting);
/// assert_eq!(ran_on, Ok(std::thread::current().id()));
/// # Ok(())
/// # }
/// ```
pub fn local(tasks: Rc<LocalSet>) -> Rc<dyn LocalScheduler> {
    Rc::new(TokioLocalScheduler { tasks })
}

#[derive(Debug)]
struct TokioScheduler {
    handle: Handle,
}

impl Scheduler for TokioScheduler {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(self.handle.spawn(task)); // dropping the join handle detaches the task
    }

    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        set_nonblocking(&fd)?;
        let _entered = self.handle.enter();
        // Tokio panics when the runtime was built without its I/O driver, before it has changed anything.
        let registered =
            panic::catch_unwind(AssertUnwindSafe(|| register(fd, tokio::io::Interest::READABLE)));
        let fd = registered.map_err(|_panic| no_io_driver())??;
        Ok(Box::new(TokioWatch::new(fd, self.handle.clone())))
    }
}

/// What Tokio's unsafe `AsyncFd::register` demands is kept by the type: an `OwnedFd` in an `Arc` names one open descriptor
/// for as long as the `AsyncFd` holds a share of it.
#[expect(
    deprecated,
    reason = "deprecated because it is unsound for types unlike ours; its successor is an unsafe function"
)]
pub(crate) fn register(fd: Arc<OwnedFd>, interest: tokio::io::Interest) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    AsyncFd::with_interest(fd, interest)
}

struct TokioLocalScheduler {
    tasks: Rc<LocalSet>,
}

impl LocalScheduler for TokioLocalScheduler {
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>) {
        drop(self.tasks.spawn_local(task));
    }
}

impl fmt::Debug for TokioLocalScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioLocalScheduler").finish_non_exhaustive()
    }
}

fn no_io_driver() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this Tokio runtime was built without its I/O driver (`enable_io`)",
    )
}
