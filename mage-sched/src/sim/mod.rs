//! A scheduler with a seed: the same seed, the same order of everything.
//!
//! [`Sim`] runs tasks on the calling thread. Whenever more than one thing could happen next, be it the poll of a task or the
//! delivery on a descriptor, its generator chooses. A failing run is repeated by its seed.
//!
//! What it does to the code under test:
//! - Tasks run in any order that the traits allow.
//! - A stream arrives in pieces of random size. For that, the simulator keeps a pair of sockets beside each watched stream
//!   socket and moves the stream through it, piece by piece, with the descriptors that come along. The `io` of a read
//!   is handed the far end of that pair, so it must use the descriptor it is given.
//! - `poll_io` sometimes returns `Pending` as if the descriptor would block, and wakes the task later.
//! - Writes go to the real descriptor. Descriptors that are no stream sockets are watched as they are.
//!
//! The order is the same only if all that matters happens on this thread: the peers of watched descriptors too have to be
//! tasks of the same simulator. Nothing ever waits for the outside world; when nothing can go on, that is a [`Deadlock`].
//!
//! ```
//! use mage_sched::sim::Sim;
//!
//! let order = |seed| {
//!     let mut sim = Sim::new(seed);
//!     let (tell, told) = std::sync::mpsc::channel();
//!     for number in 0..6 {
//!         let tell = tell.clone();
//!         sim.scheduler().spawn(Box::pin(async move { tell.send(number).unwrap() }));
//!     }
//!     sim.run_until_quiescent();
//!     (told.try_iter().collect::<Vec<i32>>(), sim.trace_hash())
//! };
//! assert_eq!(order(1), order(1));
//! assert_ne!(order(1), order(2));
//! ```

mod random;
mod wire;

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use slab::Slab;

use crate::sync::Mutex;
use crate::{BoxFuture, LocalBoxFuture, LocalScheduler, Scheduler, Watch};
use random::Random;
use wire::{Delivery, SimWatch, Wire};

/// How often descriptors are looked at while tasks could run: once in this many steps.
const STEPS_PER_LOOK: usize = 4;

/// A deterministic scheduler. See [the module](self).
pub struct Sim {
    shared: Arc<Shared>,
    /// Started by local schedulers, and not in `tasks` yet.
    started: Rc<RefCell<Vec<LocalBoxFuture<'static, ()>>>>,
    tasks: Slab<Task>,
    /// How many tasks there were. A slot used again has another generation.
    generation: usize,
}

/// Nothing could run or be delivered any more, and the future was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    /// How many other tasks were waiting as well.
    pub waiting: usize,
}

struct Task {
    future: LocalBoxFuture<'static, ()>,
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    /// Woken and not polled since.
    runnable: Vec<Key>,
    started: Started,
    wires: Slab<Wire>,
}

/// Tasks from anywhere that the simulator has not taken up yet.
enum Started {
    Waiting(Vec<BoxFuture<'static, ()>>),
    /// The simulator was dropped, and drops what comes.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    slot: usize,
    generation: usize,
}

/// The slot of the future given to `run_until`, which no task has.
const MAIN_SLOT: usize = usize::MAX;

/// Wakes one task.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    key: Key,
    /// Set while the key is in `runnable`.
    queued: AtomicBool,
}

/// One thing that can happen next.
enum Step {
    Poll(Key),
    Deliver(usize, Delivery),
}

impl Sim {
    /// A simulator whose every choice follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let started = Started::Waiting(Vec::new());
        let state = State { random: Random::new(seed), runnable: Vec::new(), started, wires: Slab::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        Self { shared, started: Rc::default(), tasks: Slab::new(), generation: 0 }
    }

    /// Takes tasks and descriptors. It can be sent to other threads, at the price of repeatability.
    pub fn scheduler(&self) -> Arc<dyn Scheduler> {
        Arc::new(SimScheduler { shared: Arc::clone(&self.shared) })
    }

    /// Takes tasks of this thread.
    pub fn local(&self) -> Rc<dyn LocalScheduler> {
        Rc::new(SimLocalScheduler { started: Rc::clone(&self.started) })
    }

    /// Takes steps until `future` is done, and returns what it returned.
    ///
    /// # Errors
    /// [`Deadlock`] when nothing can happen any more.
    pub fn run_until<F: Future>(&mut self, future: F) -> Result<F::Output, Deadlock> {
        let mut future = pin!(future);
        let handle = self.handle(MAIN_SLOT);
        let waker = Waker::from(Arc::clone(&handle));
        handle.wake_by_ref();
        loop {
            match self.next_step() {
                Some(Step::Poll(key)) if key == handle.key => {
                    handle.queued.store(false, Ordering::Release);
                    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                        return Ok(output);
                    }
                }
                Some(step) => self.take(step),
                None => return Err(Deadlock { waiting: self.tasks.len() }),
            }
        }
    }

    /// Takes steps until nothing can happen any more.
    pub fn run_until_quiescent(&mut self) {
        while let Some(step) = self.next_step() {
            self.take(step);
        }
    }

    /// A hash over all choices so far: equal after two runs exactly when they went the same way, but for chance.
    pub fn trace_hash(&self) -> u64 {
        self.shared.state.lock().random.trace()
    }

    /// How many tasks have been started and have not ended.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    fn handle(&mut self, slot: usize) -> Arc<Handle> {
        self.generation += 1;
        let key = Key { slot, generation: self.generation };
        Arc::new(Handle { shared: Arc::clone(&self.shared), key, queued: AtomicBool::new(false) })
    }

    /// Takes up new tasks, then chooses.
    fn next_step(&mut self) -> Option<Step> {
        for future in self.shared.take_started() {
            self.adopt(future);
        }
        let local = mem::take(&mut *self.started.borrow_mut());
        for future in local {
            self.adopt(future);
        }
        self.shared.state.lock().choose()
    }

    fn adopt(&mut self, future: LocalBoxFuture<'static, ()>) {
        let slot = self.tasks.vacant_key();
        let handle = self.handle(slot);
        self.tasks.insert(Task { future, handle: Arc::clone(&handle) });
        handle.wake();
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Poll(key) => self.poll(key),
            Step::Deliver(slot, delivery) => self.shared.deliver(slot, delivery),
        }
    }

    fn poll(&mut self, key: Key) {
        let Some(task) = self.tasks.get_mut(key.slot).filter(|task| task.handle.key == key) else { return };
        task.handle.queued.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&task.handle));
        if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.tasks.remove(key.slot);
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let never = mem::replace(&mut self.shared.state.lock().started, Started::Never);
        drop(never); // unlocked: the destructors of futures are foreign code
    }
}

impl Shared {
    fn take_started(&self) -> Vec<BoxFuture<'static, ()>> {
        match &mut self.state.lock().started {
            Started::Waiting(tasks) => mem::take(tasks),
            Started::Never => Vec::new(),
        }
    }

    fn deliver(&self, slot: usize, delivery: Delivery) {
        let waker = {
            let State { random, wires, .. } = &mut *self.state.lock();
            let Some(wire) = wires.get_mut(slot) else { return };
            let (moved, waker) = wire.deliver(delivery, random);
            random.record(&[moved]);
            waker
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl State {
    fn choose(&mut self) -> Option<Step> {
        let mut ready: Vec<(usize, Delivery)> = Vec::new();
        if self.runnable.is_empty() || self.random.one_in(STEPS_PER_LOOK) {
            ready.extend(
                self.wires.iter().flat_map(|(slot, wire)| wire.ready().map(move |what| (slot, what))),
            );
        }
        let choice = self.random.below(self.runnable.len() + ready.len());
        if choice < self.runnable.len() {
            let key = self.runnable.swap_remove(choice);
            self.random.record(&[0, key.slot, key.generation]);
            return Some(Step::Poll(key));
        }
        let (slot, delivery) = *ready.get(choice - self.runnable.len())?;
        self.random.record(&[1 + usize::from(delivery == Delivery::Write), slot]);
        Some(Step::Deliver(slot, delivery))
    }
}

impl Wake for Handle {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.shared.state.lock().runnable.push(self.key);
        }
    }
}

#[derive(Debug)]
struct SimScheduler {
    shared: Arc<Shared>,
}

impl Scheduler for SimScheduler {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let refused = match &mut self.shared.state.lock().started {
            Started::Waiting(tasks) => {
                tasks.push(task);
                None
            }
            Started::Never => Some(task),
        };
        drop(refused); // unlocked
    }

    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        Ok(Box::new(SimWatch::new(Arc::clone(&self.shared), fd)?))
    }
}

struct SimLocalScheduler {
    started: Rc<RefCell<Vec<LocalBoxFuture<'static, ()>>>>,
}

impl LocalScheduler for SimLocalScheduler {
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>) {
        self.started.borrow_mut().push(task);
    }
}

impl fmt::Debug for SimLocalScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimLocalScheduler").finish_non_exhaustive()
    }
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting(_) => "Waiting(..)",
            Self::Never => "Never",
        })
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("tasks", &self.tasks.len())
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing can happen any more, and the future waits, with {} tasks beside it", self.waiting)
    }
}

impl Error for Deadlock {}
