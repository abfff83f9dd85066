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
    state: State,
    /// How many signals there were. What was learnt by trying is recorded only if no signal came meanwhile.
    tick: Tick,
}

#[derive(Debug)]
enum State {
    /// Would block, and nobody waits.
    Idle,
    /// Would block, and this task waits.
    Parked(Waker),
    /// Worth a try.
    Ready,
    /// Worth a try whatever a short transfer says: a hang-up is reported once and must not be forgotten.
    Closed,
}

/// Which signal a try stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick(u64);

/// What a try found out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Learnt {
    /// It would block.
    WouldBlock,
    /// It moved something, and would block now unless the descriptor is closed.
    Drained,
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
        let (read, write) = (Direction::new(State::Idle), Direction::new(State::Ready));
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

    /// Whether `interest` is worth a try; if not, parks the task of `context`.
    pub(crate) fn poll_ready(
        &self,
        token: Token,
        interest: Interest,
        context: &Context<'_>,
    ) -> Poll<io::Result<Tick>> {
        let at_once = self.table.lock().ready(token, interest, context.waker());
        if let Some(answer) = at_once {
            return answer;
        }
        let waker = context.waker().clone();
        let (answer, _replaced) = {
            let mut table = self.table.lock();
            match table.ready(token, interest, context.waker()) {
                Some(answer) => (answer, State::Idle),
                None => table.park(&self.poller, token, interest, waker),
            }
        };
        answer
    }

    /// Records what a try on `tick` found out.
    pub(crate) fn learn(&self, token: Token, interest: Interest, tick: Tick, learnt: Learnt) {
        let mut table = self.table.lock();
        let Some(slot) = table.get(token) else { return };
        let direction = slot.direction(interest);
        if direction.tick == tick {
            match (&direction.state, learnt) {
                (State::Ready, _) | (State::Closed, Learnt::WouldBlock) => direction.state = State::Idle,
                (State::Closed, Learnt::Drained) | (State::Idle | State::Parked(_), _) => {}
            }
        }
    }

    /// Waits for events into `events`.
    pub(crate) fn wait(&self, events: &mut Events, patience: Patience) -> io::Result<()> {
        self.poller.wait(events, patience)
    }

    /// Ends the current or the next wait.
    pub(crate) fn notify(&self) -> io::Result<()> {
        self.poller.notify()
    }

    /// Records `events`, and moves the wakers of those who waited for them to `wakers`.
    pub(crate) fn dispatch(&self, events: &Events, wakers: &mut Vec<Waker>) {
        let mut table = self.table.lock();
        for event in events.iter() {
            if let Some(slot) = table.get(event.token) {
                slot.record(event, wakers);
                let wanted = slot.wanted();
                if wanted.read || wanted.write {
                    self.poller.rearm(slot.fd.as_fd(), slot.token, wanted);
                }
            }
        }
    }

    /// Says that no event will ever come, and returns the wakers of all who wait.
    pub(crate) fn close(&self) -> Vec<Waker> {
        let mut table = self.table.lock();
        table.life = Life::Over;
        let mut wakers = Vec::new();
        for (_, slot) in &mut table.slots {
            slot.read.signal(State::Closed, &mut wakers);
            slot.write.signal(State::Closed, &mut wakers);
        }
        wakers
    }
}

impl Table {
    fn get(&mut self, token: Token) -> Option<&mut Slot> {
        self.slots.get_mut(token.slot()).filter(|slot| slot.token == token)
    }

    /// `None`: the task has to be parked with a waker of its own.
    fn ready(&mut self, token: Token, interest: Interest, waker: &Waker) -> Option<Poll<io::Result<Tick>>> {
        if let Life::Over = self.life {
            return Some(Poll::Ready(Err(loop_is_gone())));
        }
        let direction = match self.get(token) {
            Some(slot) => slot.direction(interest),
            None => return Some(Poll::Ready(Err(loop_is_gone()))),
        };
        match &direction.state {
            State::Ready | State::Closed => Some(Poll::Ready(Ok(direction.tick))),
            State::Parked(parked) if parked.will_wake(waker) => Some(Poll::Pending),
            State::Parked(_) | State::Idle => None,
        }
    }

    /// Parks `waker`, and returns what it takes the place of, to be dropped outside the lock.
    fn park(
        &mut self,
        poller: &Poller,
        token: Token,
        interest: Interest,
        waker: Waker,
    ) -> (Poll<io::Result<Tick>>, State) {
        let Some(slot) = self.get(token) else {
            return (Poll::Ready(Err(loop_is_gone())), State::Parked(waker));
        };
        let replaced = mem::replace(&mut slot.direction(interest).state, State::Parked(waker));
        let wanted = slot.wanted();
        match poller.arm(slot.fd.as_fd(), token, wanted, &mut slot.armed) {
            Ok(()) => (Poll::Pending, replaced),
            Err(error) => (Poll::Ready(Err(error)), replaced),
        }
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
        let parked = |direction: &Direction| matches!(direction.state, State::Parked(_));
        Wanted { read: parked(&self.read), write: parked(&self.write) }
    }

    fn record(&mut self, event: Event, wakers: &mut Vec<Waker>) {
        for (direction, signal) in [(&mut self.read, event.read), (&mut self.write, event.write)] {
            match signal {
                Signal::Silent => {}
                Signal::Ready if matches!(direction.state, State::Closed) => {
                    direction.signal(State::Closed, wakers)
                }
                Signal::Ready => direction.signal(State::Ready, wakers),
                Signal::Closed => direction.signal(State::Closed, wakers),
            }
        }
    }
}

impl Direction {
    fn new(state: State) -> Self {
        Self { state, tick: Tick(0) }
    }

    fn signal(&mut self, state: State, wakers: &mut Vec<Waker>) {
        self.tick = Tick(self.tick.0.wrapping_add(1));
        if let State::Parked(waker) = mem::replace(&mut self.state, state) {
            wakers.push(waker);
        }
    }
}

fn loop_is_gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the event loop has been dropped")
}
