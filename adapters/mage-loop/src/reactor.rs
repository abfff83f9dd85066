//! Who waits for which descriptor.
//!
//! One lock guards all slots. It is held for the length of a table look-up, and for the system call that arms a wait where
//! there is one, which must not be overtaken by another for the same descriptor. No waker is called, cloned or dropped under it.

use std::io;
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use mage_sched::sync::Mutex;
use mage_sched::{Interest, set_nonblocking};
use slab::Slab;

use crate::poller::{Armed, Event, Events, Patience, Poller, SLOTS_MAX, Signal, Token, Wanted};

/// The poller, and what it is asked for.
#[derive(Debug)]
pub(crate) struct Reactor {
    poller: Poller,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    life: Life,
    slots: Slab<Slot>,
    /// How many registrations there were. A slot used again has another generation in its token.
    generation: usize,
}

#[derive(Clone, Copy, Debug)]
enum Life {
    Running,
    /// The loop was dropped: no event will ever come.
    Over,
}

#[derive(Debug)]
struct Slot {
    token: Token,
    fd: Arc<OwnedFd>,
    armed: Armed,
    signals: Arc<Signals>,
    read: Direction,
    write: Direction,
}

/// One direction of a descriptor, as far as only the reactor needs to know.
#[derive(Debug, Default)]
struct Direction {
    /// Whether somebody waits for the next signal. Who waits to read does so for all signals to come, where they are edges.
    parked: bool,
    /// Who waited last. It stays for the next wait, which is nearly always the same task's.
    waiter: Option<Arc<Waker>>,
}

/// The last signal of each direction, for whoever tries the descriptor to read without a lock. Written under the table's.
#[derive(Debug)]
pub(crate) struct Signals {
    read: AtomicU64,
    write: AtomicU64,
}

/// How many signals of a direction have been seen. A descriptor is worth a try while there are newer ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tick(u64);

/// What was signalled last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Last {
    pub(crate) tick: Tick,
    /// Whether it was that nothing more will come: worth a try whatever a short transfer says, for it is said once, and only
    /// a try that would block settles it.
    pub(crate) closed: bool,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Self> {
        let table = Table { life: Life::Running, slots: Slab::new(), generation: 0 };
        Ok(Self { poller: Poller::new()?, table: Mutex::new(table) })
    }

    /// Registers `fd`, which stays registered until [`unwatch`](Self::unwatch).
    pub(crate) fn watch(&self, fd: &Arc<OwnedFd>) -> io::Result<(Token, Arc<Signals>)> {
        set_nonblocking(fd)?;
        let mut table = self.table.lock();
        if let Life::Over = table.life {
            return Err(loop_is_gone());
        }
        let vacant = table.slots.vacant_key();
        if vacant >= SLOTS_MAX {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "the event loop watches too many descriptors",
            ));
        }
        table.generation = table.generation.wrapping_add(1);
        let token = Token::new(vacant, table.generation);
        let armed = self.poller.add(fd.as_fd(), token)?;
        let signals = Arc::new(Signals::new());
        let (read, write) = (Direction::default(), Direction::default());
        table.slots.insert(Slot {
            token,
            fd: Arc::clone(fd),
            armed,
            signals: Arc::clone(&signals),
            read,
            write,
        });
        Ok((token, signals))
    }

    /// Forgets the registration. Events of it that are on their way already will find their token stale.
    pub(crate) fn unwatch(&self, token: Token) {
        let slot = {
            let mut table = self.table.lock();
            if let Some(slot) = table.get(token) {
                // Refused only if the descriptor is not registered, and then there is nothing to undo.
                let _ = self.poller.remove(slot.fd.as_fd());
            }
            table.slots.try_remove(token.slot())
        };
        drop(slot); // outside the lock: wakers are foreign code
    }

    /// Whether who waits once is told of every signal that comes after.
    pub(crate) fn waits_on(interest: Interest) -> bool {
        matches!(interest, Interest::Read) && Poller::READS_ARE_EDGES
    }

    /// Ready when there is a newer signal than `seen`; if there is none, parks the task of `context`.
    pub(crate) fn poll_signal(
        &self,
        token: Token,
        interest: Interest,
        seen: Tick,
        context: &Context<'_>,
    ) -> Poll<io::Result<()>> {
        let waker = context.waker();
        let at_once = self.table.lock().poll(&self.poller, token, interest, seen, waker);
        if let Some(answer) = at_once {
            return answer;
        }
        let waker = Arc::new(waker.clone());
        let (answer, replaced) = {
            let mut table = self.table.lock();
            let replaced =
                table.get(token).map(|slot| slot.direction(interest).waiter.replace(Arc::clone(&waker)));
            (table.poll(&self.poller, token, interest, seen, &waker), replaced)
        };
        drop(replaced);
        answer.unwrap_or(Poll::Pending)
    }

    /// Waits for events into `events`.
    pub(crate) fn wait(&self, events: &mut Events, patience: Patience) -> io::Result<()> {
        self.poller.wait(events, patience)
    }

    /// Ends the current or the next wait.
    pub(crate) fn notify(&self) -> io::Result<()> {
        self.poller.notify()
    }

    /// Records `events`, and adds to `waiters` those who waited for them.
    pub(crate) fn dispatch(&self, events: &Events, waiters: &mut Vec<Arc<Waker>>) {
        let mut table = self.table.lock();
        for event in events.iter() {
            if let Some(slot) = table.get(event.token) {
                slot.record(event, waiters);
                let wanted = slot.wanted();
                if wanted.read || wanted.write {
                    self.poller.rearm(slot.fd.as_fd(), slot.token, wanted);
                }
            }
        }
    }

    /// Says that no event will ever come, and returns all who wait.
    pub(crate) fn close(&self) -> Vec<Arc<Waker>> {
        let mut table = self.table.lock();
        table.life = Life::Over;
        let mut waiters = Vec::new();
        for (_, slot) in &mut table.slots {
            slot.signals.end();
            slot.read.wake(&mut waiters, false);
            slot.write.wake(&mut waiters, false);
        }
        waiters
    }
}

impl Table {
    fn get(&mut self, token: Token) -> Option<&mut Slot> {
        self.slots.get_mut(token.slot()).filter(|slot| slot.token == token)
    }

    /// `None`: `waker` has to take the place of the one that waits there.
    fn poll(
        &mut self,
        poller: &Poller,
        token: Token,
        interest: Interest,
        seen: Tick,
        waker: &Waker,
    ) -> Option<Poll<io::Result<()>>> {
        if let Life::Over = self.life {
            return Some(Poll::Ready(Err(loop_is_gone())));
        }
        let Some(slot) = self.get(token) else { return Some(Poll::Ready(Err(loop_is_gone()))) };
        match slot.signals.last(interest) {
            Ok(last) if last.tick == seen => {}
            last => return Some(Poll::Ready(last.map(drop))),
        }
        let direction = slot.direction(interest);
        if !direction.waiter.as_ref().is_some_and(|waiter| waiter.will_wake(waker)) {
            return None;
        }
        if !mem::replace(&mut direction.parked, true) {
            let wanted = slot.wanted();
            if let Err(error) = poller.arm(slot.fd.as_fd(), token, wanted, &mut slot.armed) {
                slot.direction(interest).parked = false;
                return Some(Poll::Ready(Err(error)));
            }
        }
        Some(Poll::Pending)
    }
}

impl Slot {
    fn direction(&mut self, interest: Interest) -> &mut Direction {
        match interest {
            Interest::Read => &mut self.read,
            Interest::Write => &mut self.write,
        }
    }

    fn wanted(&self) -> Wanted {
        Wanted { read: self.read.parked, write: self.write.parked }
    }

    fn record(&mut self, event: Event, waiters: &mut Vec<Arc<Waker>>) {
        for (interest, signal) in [(Interest::Read, event.read), (Interest::Write, event.write)] {
            if self.signals.note(interest, signal) {
                self.direction(interest).wake(waiters, Reactor::waits_on(interest));
            }
        }
    }
}

impl Direction {
    fn wake(&mut self, waiters: &mut Vec<Arc<Waker>>, waits_on: bool) {
        if self.parked {
            waiters.extend(self.waiter.clone());
        }
        self.parked &= waits_on;
    }
}

impl Signals {
    /// Said of a direction that nothing more will come.
    const CLOSED: u64 = 1;
    /// One more signal.
    const STEP: u64 = 2;
    /// In the place of a signal: there will be none, for the loop is gone.
    const OVER: u64 = u64::MAX;

    /// A new descriptor may be written to, and there is nothing to read.
    fn new() -> Self {
        Self { read: AtomicU64::new(0), write: AtomicU64::new(Self::STEP) }
    }

    fn of(&self, interest: Interest) -> &AtomicU64 {
        match interest {
            Interest::Read => &self.read,
            Interest::Write => &self.write,
        }
    }

    /// What was signalled last; an error if the loop is gone.
    pub(crate) fn last(&self, interest: Interest) -> io::Result<Last> {
        match self.of(interest).load(Ordering::Acquire) {
            Self::OVER => Err(loop_is_gone()),
            last => Ok(Last { tick: Tick(last & !Self::CLOSED), closed: last & Self::CLOSED != 0 }),
        }
    }

    /// Notes a signal; false if it is none.
    fn note(&self, interest: Interest, signal: Signal) -> bool {
        let of = self.of(interest);
        let last = of.load(Ordering::Relaxed);
        let closed = match signal {
            Signal::Silent => return false,
            Signal::Ready => last & Self::CLOSED,
            Signal::Closed => Self::CLOSED,
        };
        of.store((last & !Self::CLOSED).wrapping_add(Self::STEP) | closed, Ordering::Release);
        true
    }

    fn end(&self) {
        self.read.store(Self::OVER, Ordering::Release);
        self.write.store(Self::OVER, Ordering::Release);
    }
}

fn loop_is_gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the event loop has been dropped")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wait that could not be armed is not under way: whoever tries again is told again.
    #[test]
    fn a_wait_that_is_refused_is_refused_again() {
        let reactor = Reactor::new().unwrap();
        let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let socket = Arc::new(OwnedFd::from(socket));
        let (token, signals) = reactor.watch(&socket).unwrap();
        let seen = signals.last(Interest::Write).unwrap().tick;
        // Behind its back, so that the poller knows nothing of it when the wait is to be armed.
        reactor.poller.remove(socket.as_fd()).unwrap();
        let context = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            let answer = reactor.poll_signal(token, Interest::Write, seen, &context);
            assert!(matches!(answer, Poll::Ready(Err(_))), "{answer:?}");
        }
    }
}
