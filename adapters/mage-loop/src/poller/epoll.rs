//! Linux: epoll, edge-triggered, by safe calls.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::io::Errno;

use super::{EVENTS_PER_WAIT_MAX, Event, Patience, Signal, Token, Wanted};

/// The token of the eventfd; no slot has it.
const NOTIFY: Token = Token(usize::MAX);

/// An epoll instance and the eventfd that interrupts it.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    notifier: OwnedFd,
}

/// Which events a descriptor is registered for. It starts with reads; writes join at the first full buffer and stay.
///
/// Registering writes at once would be simpler, but then each message that the peer takes out of the socket would wake us
/// to say that there is room, which nobody asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Armed {
    Reads,
    ReadsAndWrites,
}

/// Room for the events of one wait.
pub(crate) struct Events {
    list: Vec<epoll::Event>,
}

impl Poller {
    /// Whether who waits to read may be told of every event from then on: there is one for each time that more has come.
    pub(crate) const READS_ARE_EDGES: bool = true;

    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let notifier = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // Edge-triggered: each write to the eventfd is an event, so it never has to be read. Its 64-bit count does not
        // overflow in the life of a machine.
        epoll::add(&epoll, &notifier, data(NOTIFY), epoll::EventFlags::IN | epoll::EventFlags::ET)?;
        Ok(Self { epoll, notifier })
    }

    /// Registers `fd` for reads. What is readable already counts as an event.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<Armed> {
        epoll::add(&self.epoll, fd, data(token), reads())?;
        Ok(Armed::Reads)
    }

    /// Makes sure that an event will come for each direction in `wanted`, also if it is ready already.
    pub(crate) fn arm(
        &self,
        fd: BorrowedFd<'_>,
        token: Token,
        wanted: Wanted,
        armed: &mut Armed,
    ) -> io::Result<()> {
        match (*armed, wanted.write) {
            (Armed::ReadsAndWrites, _) | (Armed::Reads, false) => Ok(()),
            (Armed::Reads, true) => {
                epoll::modify(&self.epoll, fd, data(token), reads() | epoll::EventFlags::OUT)?;
                *armed = Armed::ReadsAndWrites;
                Ok(())
            }
        }
    }

    /// Edge-triggered registrations stay armed after an event.
    pub(crate) fn rearm(&self, _fd: BorrowedFd<'_>, _token: Token, _wanted: Wanted) {}

    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        epoll::delete(&self.epoll, fd).map_err(io::Error::from)
    }

    /// One system call, and one more for each signal that interrupts it.
    pub(crate) fn wait(&self, events: &mut Events, patience: Patience) -> io::Result<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let timeout = match patience {
            Patience::Forever => None,
            Patience::None => Some(&zero),
        };
        events.list.clear();
        loop {
            match epoll::wait(&self.epoll, spare_capacity(&mut events.list), timeout) {
                Ok(_count) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends the current or the next wait. Callable from any thread.
    pub(crate) fn notify(&self) -> io::Result<()> {
        rustix::io::write(self.notifier.as_fd(), &1_u64.to_ne_bytes())?;
        Ok(())
    }
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { list: Vec::with_capacity(EVENTS_PER_WAIT_MAX) }
    }

    /// What the last wait brought, without notifications.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> {
        self.list.iter().filter_map(|event| translate(event.data, event.flags))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn translate(data: epoll::EventData, flags: epoll::EventFlags) -> Option<Event> {
    use epoll::EventFlags as Flags;
    let token = Token(usize::try_from(data.u64()).ok()?);
    if token == NOTIFY {
        return None;
    }
    let signal = |ready: Flags, closed: Flags| {
        if flags.intersects(closed) {
            Signal::Closed
        } else if flags.intersects(ready) {
            Signal::Ready
        } else {
            Signal::Silent
        }
    };
    let dead = Flags::HUP | Flags::ERR;
    Some(Event { token, read: signal(Flags::IN, dead | Flags::RDHUP), write: signal(Flags::OUT, dead) })
}

fn reads() -> epoll::EventFlags {
    epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ET
}

fn data(token: Token) -> epoll::EventData {
    epoll::EventData::new_u64(token.0 as u64)
}
