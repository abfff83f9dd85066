//! What the tests are written with.

use std::future::poll_fn;
use std::hint;
use std::io::{self, Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;

use super::Harness;
use crate::{Interest, Scheduler, Transfer, Watch};

/// After this long a test has failed. It decides nothing else.
const STUCK_AFTER: Duration = Duration::from_secs(120);

/// Runs `body` as a task of the scheduler under test, and waits for it.
pub(super) fn run<H, F>(make: impl FnOnce() -> H, body: impl FnOnce(Arc<dyn Scheduler>) -> F)
where
    H: Harness,
    F: Future<Output = ()> + Send + 'static,
{
    let _watchdog = Watchdog::start();
    run_unwatched(&mut make(), body);
}

/// The same on a harness that exists, and without the watchdog's thread.
pub(super) fn run_unwatched<H, F>(harness: &mut H, body: impl FnOnce(Arc<dyn Scheduler>) -> F)
where
    H: Harness,
    F: Future<Output = ()> + Send + 'static,
{
    let scheduler = harness.scheduler();
    let (done, waiting) = oneshot::channel();
    let body = body(Arc::clone(&scheduler));
    scheduler.spawn(Box::pin(async move {
        body.await;
        tell(done, ());
    }));
    harness.block_on(Box::pin(async move {
        waiting.await.expect("the task of the test ended without a panic");
    }));
}

/// Ends the process when a test takes too long, because a lost wake-up has no other symptom.
pub(super) struct Watchdog {
    _alive: mpsc::Sender<()>,
}

impl Watchdog {
    pub(super) fn start() -> Self {
        let (alive, gone) = mpsc::channel::<()>();
        let test = thread::current().name().unwrap_or("a test").to_owned();
        thread::spawn(move || {
            if gone.recv_timeout(STUCK_AFTER) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{test} waits for something that does not come");
                std::process::abort();
            }
        });
        Self { _alive: alive }
    }
}

/// A watched end of a socket pair, which counts how often it was tried.
pub(super) struct Watched {
    watch: Box<dyn Watch>,
    pub(super) attempts: usize,
}

impl Watched {
    pub(super) fn new(scheduler: &dyn Scheduler, fd: Arc<OwnedFd>) -> Self {
        Self { watch: scheduler.watch(fd).expect("a socket can be watched"), attempts: 0 }
    }

    /// A watched end, and the other one for a thread to block on.
    pub(super) fn pair(scheduler: &dyn Scheduler) -> (Self, UnixStream) {
        let (ours, theirs) = pair();
        (Self::new(scheduler, ours), theirs)
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_read(context, buffer)).await
    }

    /// A read that calls `afterwards` between its system call and its end.
    pub(super) async fn read_and(&mut self, afterwards: &mut dyn FnMut()) -> io::Result<usize> {
        let mut buffer = [0; 64];
        poll_fn(|context| {
            self.poll_io(context, Interest::Read, &mut |fd| {
                let count = rustix::io::read(fd, &mut buffer)?;
                afterwards();
                Ok(Transfer::of(count, buffer.len()))
            })
        })
        .await
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_write(context, bytes)).await
    }

    pub(super) async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let asked = buffer.len();
        self.poll_io(context, Interest::Read, &mut |fd| {
            Ok(Transfer::of(rustix::io::read(fd, &mut *buffer)?, asked))
        })
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_io(context, Interest::Write, &mut |fd| {
            Ok(Transfer::of(rustix::net::send(fd, bytes, rustix::net::SendFlags::NOSIGNAL)?, bytes.len()))
        })
    }

    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        let attempts = &mut self.attempts;
        self.watch.poll_io(context, interest, &mut |fd| {
            *attempts += 1;
            io(fd)
        })
    }

    /// Polls a read once, with the waker of the calling task, and says that there was nothing.
    pub(super) async fn read_would_wait(&mut self) -> bool {
        poll_fn(|context| Poll::Ready(self.poll_read(context, &mut [0; 64]).is_pending())).await
    }

    /// Waits for room, writes until there is none, and returns how many bytes that took.
    pub(super) async fn fill(&mut self) -> usize {
        let mut filled = self.write(&[7; 4096]).await.expect("the peer is there");
        while let Some(written) = self.write(&[7; 4096]).now_or_never() {
            filled += written.expect("the peer is there");
        }
        filled
    }
}

/// Answers a task that may have gone.
pub(super) fn tell<T>(answer: oneshot::Sender<T>, value: T) {
    let _ = answer.send(value);
}

/// Two ends of a stream.
pub(super) fn pair() -> (Arc<OwnedFd>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("the system has descriptors left");
    (Arc::new(ours.into()), theirs)
}

/// A thread that sends back what it gets, until its peer is gone.
pub(super) fn echo(mut peer: UnixStream) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok(count @ 1..) = peer.read(&mut buffer) {
            if buffer.get(..count).is_none_or(|bytes| peer.write_all(bytes).is_err()) {
                return;
            }
        }
    })
}

/// A thread that `rounds` times sends one byte, and soon after another, and then waits for an answer.
pub(super) fn stutter(mut peer: UnixStream, rounds: usize) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut numbers = Numbers(0x5747);
        for _ in 0..rounds {
            peer.write_all(b"a").expect("the reader is there");
            (0..numbers.next(4000)).for_each(|_| hint::spin_loop());
            peer.write_all(b"b").expect("the reader is there");
            peer.read_exact(&mut [0; 1]).expect("the reader is there");
        }
    })
}

/// The other side of [`stutter`]: a second byte whose event is lost never comes.
pub(super) async fn listen_to_stutter(watched: &mut Watched, rounds: usize) {
    for _ in 0..rounds {
        let mut count = 0;
        while count < 2 {
            count += watched.read(&mut [0; 64]).await.expect("the other end is there");
        }
        watched.write_all(b"!").await.expect("the other end is there");
    }
}

/// `rounds` messages to an [`echo`] and back: time for a runtime to do whatever else it has in mind.
pub(super) async fn round_trips(watched: &mut Watched, rounds: usize) {
    for round in 0..rounds {
        let sent = [round.to_le_bytes()[0]; 8];
        watched.write_all(&sent).await.expect("the echo is there");
        let mut got = [0; 64];
        let mut count = 0;
        while count < sent.len() {
            let rest = got.get_mut(count..).expect("the echo sends no more than it got");
            count += watched.read(rest).await.expect("the echo is there");
        }
        assert_eq!(got.get(..count), Some(&sent[..]));
    }
}

/// Runs `future` on this thread, which is none of the runtime's.
pub(super) fn block_on_here<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// A small generator of repeatable numbers (xorshift).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    /// The next number, from 1 to `max`.
    pub(super) fn next(&mut self, max: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        1 + usize::try_from(self.0 % max as u64).unwrap_or(0)
    }
}
