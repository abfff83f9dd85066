//! Frames on their way out, from any thread to the link's one driver.
//!
//! There is one writer, and whoever owns it may write. What becomes of it, and of a frame that is appended:
//!
//! | driver | pen | the writer | a frame that is appended |
//! |---|---|---|---|
//! | `Running` | `WithDriver` | is the driver's | is found by the driver before it parks |
//! | `Running` | `Resting` | is taken by the driver when it next takes what there is | is found by it then |
//! | `Running` | `Away` | comes back, to `Resting` | is found by the driver when it has come back |
//! | `Parked` | `Resting`, lent | goes to whoever appends, once: `Away` | is written by whoever has appended it |
//! | `Parked` | `Resting`, not lent | stays until the driver takes it | wakes the driver: `Running` |
//! | `Parked` | `Away` | comes back, and wakes the driver if anything is left to do | is part of what is left |
//! | `Gone` | any | is dropped | is refused |
//!
//! Whoever wakes the driver sets `calls` first, and the driver clears it as it takes what there is. A driver that is polled because there
//! is something to read, and that nobody has called, does not look here before it has read: it is still `Parked`, with its
//! writer lent, and what it makes the node say is written like anybody's, by the one who appends, which is itself.

use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;

use mage_sched::sync::{AtomicBool, Mutex, Ordering};

use super::handle::Handle;
use super::queue::Queue;
use super::writer::{Via, Writer};
use crate::core::{Ahead, Body, Control, Count, EndpointName, Frame, SaidForOthers};
use crate::limits::{PENDING_ADMISSIONS_MAX, UNREAD_ANSWERS_MAX};
use crate::wire::Names;

/// The queue of one link. Frames are appended while the node's lock is held, so their order is the order of the node's
/// transitions; an append runs no foreign code, and the waker it may return is for after the unlocking.
#[derive(Debug)]
pub(crate) struct Outbox {
    inner: Mutex<Inner>,
    /// Whether the driver has been called since it last took what there is. Written under the lock.
    calls: AtomicBool,
}

#[derive(Debug)]
struct Inner {
    queue: Queue,
    /// How the frames of both sides are named, once the handshake is over.
    names: Option<Names>,
    /// The weight of the answers among them.
    answers: usize,
    /// What there is among them that endpoints of this node say for others.
    ahead: BTreeMap<EndpointName, Ahead>,
    driver: DriverState,
    /// What wakes the driver. It stays from one sleep to the next, unless it has been called for.
    waker: Option<Waker>,
    pen: Pen,
    ending: Option<Ending>,
}

/// Who may write.
#[derive(Debug)]
enum Pen {
    /// The driver, or nobody any more.
    WithDriver,
    /// The driver sleeps, and nothing is to be written. Whoever appends a frame takes it if it is `lent`, and wakes the
    /// driver otherwise.
    Resting { writer: Box<Writer>, lent: bool },
    /// Somebody writes, or is about to.
    Away,
}

/// What the one who has appended a frame does next, with no lock held.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing: somebody else sees to it.
    Nothing,
    /// Wake the driver.
    Wake(Waker),
    /// [`Outbox::write`] with this.
    Write(Box<Writer>),
}

/// What the driver is doing.
#[derive(Debug)]
enum DriverState {
    Running,
    /// It has found nothing to do and wants to be woken.
    Parked,
    Gone,
}

/// What has become of the driver's wish to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parked {
    Asleep,
    /// There is something to do.
    Urgent,
    /// Nobody here knows how to wake it.
    Unknown,
}

/// How the link is to end once its frames are written.
///
/// In the order in which one takes the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Write what there is, then close.
    Flush,
    /// Close at once.
    Now,
    /// Close at once: the peer makes us say more than it is willing to hear.
    Overrun,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            queue: Queue::default(),
            names: None,
            answers: 0,
            ahead: BTreeMap::new(),
            driver: DriverState::Running,
            waker: None,
            pen: Pen::WithDriver,
            ending: None,
        };
        Self { inner: Mutex::new(inner), calls: AtomicBool::new(true) }
    }

    /// Appends a frame, or hands it back if the link is over.
    pub(crate) fn push(&self, frame: Frame<Handle>) -> Result<Next, Frame<Handle>> {
        let mut inner = self.inner.lock();
        if matches!(inner.driver, DriverState::Gone) || inner.ending.is_some() {
            return Err(frame);
        }
        inner.answers += weight(&frame);
        if inner.answers > UNREAD_ANSWERS_MAX {
            inner.ending = Some(Ending::Overrun);
        }
        let names = inner.names;
        inner.queue.push(frame, names);
        let next = inner.next();
        if let Next::Wake(_) = next {
            self.calls.store(true, Ordering::Release);
        }
        Ok(next)
    }

    /// Whether there is room for one more thing that an endpoint of this node says for others; there may be so much of that one's.
    pub(crate) fn has_room_for(&self, endpoint: EndpointName, said: SaidForOthers, most: Count) -> bool {
        self.inner.lock().ahead.entry(endpoint).or_default().take(said, most)
    }

    /// Writes what has been appended, for the one who was told to, and returns whom to wake then.
    ///
    /// What the socket does not take at once, or refuses, is the driver's affair.
    pub(crate) fn write(&self, mut writer: Box<Writer>) -> Option<Waker> {
        let written = writer.write(Via::Socket);
        let mut inner = self.inner.lock();
        let (left, waker) = inner.put_back(writer, written.is_ok());
        if waker.is_some() {
            self.calls.store(true, Ordering::Release);
        }
        drop(inner);
        drop(left);
        waker
    }

    /// No further frame will be taken.
    pub(crate) fn end(&self, ending: Ending) -> Option<Waker> {
        let mut inner = self.inner.lock();
        inner.ending = inner.ending.max(Some(ending));
        self.calls.store(true, Ordering::Release);
        inner.wake_driver()
    }

    /// For the driver: takes the writer back, unless somebody is writing, and gives it everything there is, unless it still
    /// has something. Says how the link is to end, if it is, and whether the writer now has all there is.
    pub(super) fn take(&self, writer: &mut Option<Box<Writer>>) -> (Option<Ending>, bool) {
        let mut inner = self.inner.lock();
        self.calls.store(false, Ordering::Relaxed);
        inner.driver = DriverState::Running;
        if writer.is_none() {
            *writer = inner.recall();
        }
        let took_all = writer.as_mut().is_some_and(|writer| inner.give_all(writer));
        (inner.ending, took_all)
    }

    /// How many frames nobody has begun to write.
    pub(crate) fn unsent(&self) -> usize {
        self.inner.lock().queue.len()
    }

    /// For the driver: whether somebody has called for it since it last took what there is. Whoever wakes it has.
    pub(super) fn is_calling(&self) -> bool {
        self.calls.load(Ordering::Acquire)
    }

    /// For the driver: goes to sleep unless there is something to do; while the socket takes nothing, only an end at once
    /// is. Leaves the writer here, to be used by others once if it `lends` it, and for both sides named like this. `fresh` is
    /// what wakes the driver, unless it is known already; what is no longer needed is handed out to be dropped with no lock held.
    pub(super) fn park(
        &self,
        waker: &Waker,
        fresh: Option<Waker>,
        writer: &mut Option<Box<Writer>>,
        names: Names,
        lends: bool,
    ) -> (Parked, Option<Waker>) {
        let mut inner = self.inner.lock();
        let (here, is_new) = match (&*writer, &inner.pen) {
            (Some(writer), _) => (Some(writer), false),
            // It has come back since the driver last looked.
            (None, Pen::Resting { writer, .. }) => (Some(writer), true),
            // Whoever writes will look at what there is.
            (None, Pen::WithDriver | Pen::Away) => (None, false),
        };
        if here.is_some_and(|writer| !writer.is_idle() && (is_new || !writer.is_stuck())) {
            return (Parked::Urgent, fresh);
        }
        let free = here.is_some_and(|writer| writer.is_idle());
        let urgent = match inner.ending {
            Some(Ending::Now | Ending::Overrun) => true,
            Some(Ending::Flush) => free,
            None => free && !inner.queue.is_empty(),
        };
        if urgent {
            return (Parked::Urgent, fresh);
        }
        if fresh.is_none() && !inner.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return (Parked::Unknown, fresh);
        }
        if let Some(writer) = writer.take() {
            inner.pen = Pen::Resting { writer, lent: false };
        }
        inner.names = names.are_known().then_some(names);
        if let Pen::Resting { writer, lent } = &mut inner.pen {
            writer.names = names;
            *lent = lends && writer.is_idle() && !writer.is_deaf();
        }
        inner.driver = DriverState::Parked;
        match fresh {
            Some(fresh) => (Parked::Asleep, inner.waker.replace(fresh)),
            None => (Parked::Asleep, None),
        }
    }

    /// For the driver, when it ends: what is left will never be written.
    pub(super) fn abandon(&self) -> impl Sized {
        let mut inner = self.inner.lock();
        inner.driver = DriverState::Gone;
        (mem::take(&mut inner.queue), inner.recall(), inner.waker.take())
    }
}

/// What a frame counts for among those that the peer can make us say as often as it likes. What others can make us say to it
/// is bounded by endpoint ([`Ahead`]), and the rest by what there is here: ends, windows, nodes. A peer that reads, however slowly, has no
/// more of them than it has asked for.
fn weight(frame: &Frame<Handle>) -> usize {
    match frame {
        Frame::Endpoint { body: Body::Gone | Body::Accepted, .. } => 1,
        Frame::Control(Control::IntroductionFailed { .. } | Control::RefuseAdmission { .. }) => 1,
        // It costs a descriptor.
        Frame::Control(Control::Admit { .. }) => UNREAD_ANSWERS_MAX / PENDING_ADMISSIONS_MAX,
        Frame::Endpoint { .. } | Frame::Control(_) => 0,
    }
}

impl Inner {
    /// Who sees to it that what was appended is written.
    fn next(&mut self) -> Next {
        match mem::replace(&mut self.pen, Pen::Away) {
            Pen::Resting { mut writer, lent: true } => {
                self.give_all(&mut writer);
                Next::Write(writer)
            }
            Pen::Away => Next::Nothing,
            pen => {
                self.pen = pen;
                self.wake_driver().map_or(Next::Nothing, Next::Wake)
            }
        }
    }

    /// The driver is to go on if anything is left to do. If it is gone, the writer is returned, to be dropped with no lock held.
    fn put_back(&mut self, writer: Box<Writer>, well: bool) -> (Option<Box<Writer>>, Option<Waker>) {
        if let DriverState::Gone = self.driver {
            self.pen = Pen::WithDriver;
            return (Some(writer), None);
        }
        let done = well && writer.is_idle() && self.queue.is_empty() && self.ending.is_none();
        self.pen = Pen::Resting { writer, lent: false };
        (None, if done { None } else { self.wake_driver() })
    }

    fn recall(&mut self) -> Option<Box<Writer>> {
        match mem::replace(&mut self.pen, Pen::WithDriver) {
            Pen::Resting { writer, .. } => Some(writer),
            Pen::WithDriver => None,
            Pen::Away => {
                self.pen = Pen::Away;
                None
            }
        }
    }

    fn give_all(&mut self, writer: &mut Writer) -> bool {
        let took = writer.take(&mut self.queue);
        if took {
            self.answers = 0;
            self.ahead.clear();
        }
        took
    }

    fn wake_driver(&mut self) -> Option<Waker> {
        match self.driver {
            DriverState::Parked => {
                self.driver = DriverState::Running;
                self.waker.take()
            }
            DriverState::Running | DriverState::Gone => None,
        }
    }
}
