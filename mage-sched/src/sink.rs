//! [`TaskSink`] and [`Sequence`]: posting jobs, built once on a queue and a waker.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::{LocalScheduler, Mailbox, Scheduler, SequenceId};

/// How many jobs one poll of a [`Sequence`] runs before it lets others run.
const JOBS_PER_POLL_MAX: usize = 64;

thread_local! {
    /// The sink of the job that runs on this thread; set by [`Entered`] and by nothing else.
    static CURRENT: RefCell<Option<TaskSink>> = const { RefCell::new(None) };
}

/// A new sequence: the end to post to, and the future that runs what is posted.
///
/// Jobs run one at a time, in the order posted, each to its end before the next begins. Nothing runs until the
/// [`Sequence`] is polled; hand it to a runtime, or use [`new_sink`](trait.Scheduler.html#method.new_sink).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let (sink, sequence) = mage_sched::sequence();
/// let ran = Arc::new(AtomicU32::new(0));
/// let theirs = Arc::clone(&ran);
/// sink.post(move || theirs.store(7, Ordering::Relaxed)).unwrap();
/// drop(sink); // nobody can post any more, so the sequence ends after the job
/// # let waker = std::task::Waker::noop();
/// # let mut sequence = std::pin::pin!(sequence);
/// # assert!(std::future::Future::poll(sequence.as_mut(), &mut std::task::Context::from_waker(waker)).is_ready());
/// # assert_eq!(ran.load(Ordering::Relaxed), 7);
/// ```
pub fn sequence() -> (TaskSink, Sequence) {
    let mailbox = Arc::new(Mailbox::new());
    let sink = TaskSink { line: Arc::new(Line { mailbox: Arc::clone(&mailbox), id: SequenceId::new() }) };
    (sink, Sequence { mailbox })
}

/// A place where jobs run one at a time, in the order posted. Cheap to clone, to send and to store.
///
/// When the last clone of a sink is dropped and the last job has run, its [`Sequence`] ends.
#[derive(Clone)]
pub struct TaskSink {
    line: Arc<Line>,
}

/// What all clones of one sink share. Its drop tells the sequence that nothing more will come.
struct Line {
    mailbox: Arc<Mailbox<Job>>,
    id: SequenceId,
}

/// A posted job. It carries its sink, so the sequence lives and `TaskSink::current()` works until it has run.
struct Job {
    run: Box<dyn FnOnce() + Send>,
    sink: TaskSink,
}

impl TaskSink {
    /// The sink of the sequence whose job is running on this thread right now; `None` outside of any.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Appends `job` to the sequence. Callable from any thread and from inside a job.
    ///
    /// A job that panics is reported by the process's panic hook and ends alone: the sequence goes on with the next.
    ///
    /// # Errors
    /// [`SequenceGone`] hands the job back when the sequence was dropped, as a runtime does when it shuts down.
    pub fn post(&self, job: impl FnOnce() + Send + 'static) -> Result<(), SequenceGone> {
        let job = Job { run: Box::new(job), sink: self.clone() };
        self.line.mailbox.push(job).map_err(|job| SequenceGone(job.run))
    }

    /// Which sequence this sink feeds.
    pub fn id(&self) -> SequenceId {
        self.line.id.clone()
    }

    /// Whether the caller is a job of this sequence. This is how one asks "am I on the UI sequence?":
    /// keep the UI's sink and ask it.
    pub fn runs_here(&self) -> bool {
        Self::current().is_some_and(|sink| self.line.id == sink.line.id)
    }
}

impl fmt::Debug for TaskSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskSink").field(&self.line.id).finish()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.mailbox.finish();
    }
}

/// The sequence has ended; the job was not run and is here.
pub struct SequenceGone(pub Box<dyn FnOnce() + Send>);

impl fmt::Debug for SequenceGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SequenceGone(..)")
    }
}

impl fmt::Display for SequenceGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sequence has ended, so the job was not run")
    }
}

impl Error for SequenceGone {}

/// The consuming end of a [`sequence`]: a future that runs the jobs.
///
/// It is `Send`: spawn it anywhere, or pin it to a thread with a [`LocalScheduler`]. While it runs a job,
/// [`TaskSink::current`] is its sink; a sequence polled inside a job of another takes over for that time and hands back,
/// also on panic. One poll runs a bounded number of jobs and then asks to be polled again, so it starves nobody.
/// It ends when all sinks are dropped and all jobs have run. Dropping it drops the waiting jobs unrun.
#[must_use = "jobs run only while the sequence is polled"]
pub struct Sequence {
    mailbox: Arc<Mailbox<Job>>,
}

impl Future for Sequence {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..JOBS_PER_POLL_MAX {
            match self.mailbox.poll_pop(context) {
                Poll::Ready(Some(job)) => job.run(),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Sequence {
    fn drop(&mut self) {
        drop(self.mailbox.close()); // outside the lock: each job's captures are foreign code
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequence").finish_non_exhaustive()
    }
}

impl Job {
    /// Runs the job with its sink as the current one. A panic ends here, after the panic hook has reported it.
    fn run(self) {
        let Self { run, sink } = self;
        let _entered = Entered::new(sink);
        let _panicked = panic::catch_unwind(AssertUnwindSafe(run));
    }
}

/// For as long as it lives, a sink is the current one of this thread; then the previous one is again.
struct Entered {
    previous: Option<TaskSink>,
}

impl Entered {
    fn new(sink: TaskSink) -> Self {
        Self { previous: replace_current(Some(sink)) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let left = replace_current(self.previous.take());
        drop(left); // after the cell is free again: this may be the last sink of the sequence
    }
}

/// Does nothing on a thread that is past the end of its thread-locals.
fn replace_current(sink: Option<TaskSink>) -> Option<TaskSink> {
    CURRENT.try_with(|current| current.replace(sink)).ok().flatten()
}

impl dyn Scheduler {
    /// Starts a new sequence on this scheduler and returns its sink. Callable from any thread.
    ///
    /// On a runtime with many threads its jobs may run on different threads, but never two at once and never out of order.
    #[track_caller]
    pub fn new_sink(&self) -> TaskSink {
        let (sink, sequence) = sequence();
        self.spawn(Box::pin(sequence));
        sink
    }
}

impl dyn LocalScheduler {
    /// Starts a new sequence whose jobs all run on this thread, and returns its sink, which any thread may use.
    #[track_caller]
    pub fn new_sink(&self) -> TaskSink {
        let (sink, sequence) = sequence();
        self.spawn_local(Box::pin(sequence));
        sink
    }
}
