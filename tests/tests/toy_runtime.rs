//! A runtime in little more than a hundred lines, on `poll(2)`, that passes the suite: "any runtime" is true.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use mage_sched::conformance::Harness;
use mage_sched::sync::Mutex;
use mage_sched::{BoxFuture, Interest, LocalBoxFuture, Scheduler, Transfer, Watch, set_nonblocking};
use rustix::event::{PollFd, PollFlags, poll};

/// One thread runs; any thread may wake it through the bell.
#[derive(Debug)]
struct Toy {
    /// All that have not come to their end, for the day when the runtime does.
    tasks: Mutex<Vec<Weak<Task>>>,
    ready: Mutex<VecDeque<Arc<Task>>>,
    /// Who waits for what, by watch and direction: forgotten when woken or dropped, so nothing goes stale.
    waits: Mutex<BTreeMap<(usize, bool), Waiter>>,
    bell: UnixStream,
    ringer: UnixStream,
}

#[derive(Debug)]
struct Waiter {
    fd: Arc<OwnedFd>,
    waker: Waker,
}

struct Task {
    toy: Arc<Toy>,
    future: Mutex<Option<BoxFuture<'static, ()>>>,
}

/// The runtime itself: with it end all its tasks, whoever still holds one of their wakers.
struct Runtime(Arc<Toy>);

#[derive(Debug)]
struct ToyScheduler(Arc<Toy>);

#[derive(Debug)]
struct ToyWatch {
    toy: Arc<Toy>,
    fd: Arc<OwnedFd>,
    drained: [bool; 2],
}

impl Toy {
    fn ring(&self) {
        let _ = rustix::io::write(&self.ringer, &[1]); // full: it rings already
    }

    fn run_ready(&self) {
        let batch = std::mem::take(&mut *self.ready.lock());
        for task in batch {
            let Some(mut future) = task.future.lock().take() else { continue };
            let pending =
                future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&task)))).is_pending();
            *task.future.lock() = pending.then_some(future);
        }
    }

    fn wait(&self) {
        let waits: Vec<_> =
            self.waits.lock().iter().map(|(key, waiter)| (*key, Arc::clone(&waiter.fd))).collect();
        let flags = |write| if write { PollFlags::OUT } else { PollFlags::IN };
        let mut fds: Vec<_> = waits.iter().map(|((_, write), fd)| PollFd::new(fd, flags(*write))).collect();
        fds.push(PollFd::new(&self.bell, PollFlags::IN));
        let _ = poll(&mut fds, None); // interrupted by a signal: the caller comes back
        let woken = waits.iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
        let wakers: Vec<_> = woken.filter_map(|((key, _), _)| self.waits.lock().remove(key)).collect();
        let _ = rustix::io::read(&self.bell, &mut [0; 64]);
        wakers.into_iter().for_each(|waiter| waiter.waker.wake());
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let toy = Arc::clone(&self.toy);
        toy.ready.lock().push_back(self);
        toy.ring();
    }
}

impl Scheduler for ToyScheduler {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let task = Arc::new(Task { toy: Arc::clone(&self.0), future: Mutex::new(Some(task)) });
        let mut tasks = self.0.tasks.lock();
        tasks.retain(|task| task.strong_count() > 0);
        tasks.push(Arc::downgrade(&task));
        drop(tasks);
        task.wake();
    }

    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        set_nonblocking(&fd)?;
        Ok(Box::new(ToyWatch { toy: Arc::clone(&self.0), fd, drained: [false; 2] }))
    }
}

impl ToyWatch {
    fn key(&self, write: bool) -> (usize, bool) {
        (std::ptr::from_ref(self).addr(), write) // the box does not move while the watch lives
    }
}

impl Watch for ToyWatch {
    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        let write = interest == Interest::Write;
        let (key, drained) = (self.key(write), std::mem::take(&mut self.drained[usize::from(write)]));
        let waits = self.toy.waits.lock().contains_key(&key);
        if !drained && !waits {
            match io(self.fd.as_fd()) {
                Ok(transfer) => {
                    self.drained[usize::from(write)] = matches!(transfer, Transfer::Drained(_));
                    return Poll::Ready(Ok(transfer.bytes()));
                }
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
        // By level: whatever is there when the runtime waits next is reported.
        let waiter = Waiter { fd: Arc::clone(&self.fd), waker: context.waker().clone() };
        let replaced = self.toy.waits.lock().insert(key, waiter);
        drop(replaced);
        self.toy.ring();
        Poll::Pending
    }
}

impl Drop for ToyWatch {
    fn drop(&mut self) {
        let forgotten = [false, true].map(|write| self.toy.waits.lock().remove(&self.key(write)));
        drop(forgotten);
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        while let Some(task) = { self.0.tasks.lock().pop() } {
            drop(task.upgrade().and_then(|task| task.future.lock().take()));
        }
        drop((std::mem::take(&mut *self.0.ready.lock()), std::mem::take(&mut *self.0.waits.lock())));
    }
}

impl Harness for Runtime {
    fn scheduler(&self) -> Arc<dyn Scheduler> {
        Arc::new(ToyScheduler(Arc::clone(&self.0)))
    }

    fn block_on(&mut self, future: LocalBoxFuture<'_, ()>) {
        struct Main(Arc<Toy>);
        impl Wake for Main {
            fn wake(self: Arc<Self>) {
                self.0.ring();
            }
        }
        let (mut future, waker) = (future, Waker::from(Arc::new(Main(Arc::clone(&self.0)))));
        while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.0.run_ready();
            self.0.wait();
        }
    }
}

fn toy() -> Runtime {
    let (bell, ringer) = UnixStream::pair().expect("the system has descriptors left");
    set_nonblocking(&bell).and_then(|()| set_nonblocking(&ringer)).expect("sockets can be non-blocking");
    let (tasks, ready, waits) = Default::default();
    Runtime(Arc::new(Toy { tasks, ready, waits, bell, ringer }))
}

mage_sched::conformance!(toy_runtime, toy);
