//! Who waits for which descriptor.
//!
//! One lock guards all slots. It is held for the length of a table look-up, and for the system call that arms a wait where
//! there is one, which must not be overtaken by another for the same descriptor. No waker is called, cloned or dropped under it.

use std::io;
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
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
    read: Direction,
    write: Direction,
}

/// One direction of a descriptor.
#[derive(Debug)]
struct Direction {
    /// How many signals there were.
    tick: Tick,
    /// Worth a try whatever a short transfer says: a hang-up is reported once and must not be forgotten.
    closed: bool,
    /// Whether somebody waits for the next signal.
    parked: bool,
    /// Who waited last. It stays for the next wait, which is nearly always the same task's.
    waiter: Option<Arc<Waker>>,
}

/// How many signals of a direction have been seen. A descriptor is worth a try while there are newer ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tick(u64);

/// Leave for a try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leave {
    /// The last signal.
    pub(crate) tick: Tick,
    /// Whether it was that nothing more will come: then only a try that would block settles it.
    pub(crate) closed: bool,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Self> {
        let table = Table { life: Life::Running, slots: Slab::new(), generation: 0 };
        Ok(Self { poller: Poller::new()?, table: Mutex::new(table) })
    }

    /// Registers `fd`, which stays registered until [`unwatch`](Self::unwatch).
    pub(crate) fn watch(&self, fd: &Arc<OwnedFd>) -> io::Result<Token> {
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
        let (read, write) = (Direction::new(Tick(0)), Direction::new(Tick(1)));
        table.slots.insert(Slot { token, fd: Arc::clone(fd), armed, read, write });
        Ok(token)
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

    /// Whether `interest` is worth a try after what was `seen`; if not, parks the task of `context`.
    pub(crate) fn poll_ready(
        &self,
        token: Token,
        interest: Interest,
        seen: Tick,
        context: &Context<'_>,
    ) -> Poll<io::Result<Leave>> {
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
            slot.read.signal(Signal::Closed, &mut waiters);
            slot.write.signal(Signal::Closed, &mut waiters);
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
    ) -> Option<Poll<io::Result<Leave>>> {
        if let Life::Over = self.life {
            return Some(Poll::Ready(Err(loop_is_gone())));
        }
        let Some(slot) = self.get(token) else { return Some(Poll::Ready(Err(loop_is_gone()))) };
        let direction = slot.direction(interest);
        if direction.tick != seen {
            return Some(Poll::Ready(Ok(Leave { tick: direction.tick, closed: direction.closed })));
        }
        if !direction.waiter.as_ref().is_some_and(|waiter| waiter.will_wake(waker)) {
            return None;
        }
        if !mem::replace(&mut direction.parked, true) {
            let wanted = slot.wanted();
            if let Err(error) = poller.arm(slot.fd.as_fd(), token, wanted, &mut slot.armed) {
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
        self.read.signal(event.read, waiters);
        self.write.signal(event.write, waiters);
    }
}

impl Direction {
    fn new(tick: Tick) -> Self {
        Self { tick, closed: false, parked: false, waiter: None }
    }

    fn signal(&mut self, signal: Signal, waiters: &mut Vec<Arc<Waker>>) {
        match signal {
            Signal::Silent => return,
            Signal::Ready => {}
            Signal::Closed => self.closed = true,
        }
        self.tick = Tick(self.tick.0.wrapping_add(1));
        if mem::take(&mut self.parked) {
            waiters.extend(self.waiter.clone());
        }
    }
}

fn loop_is_gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the event loop has been dropped")
}
