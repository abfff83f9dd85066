//! Frames on their way out, from any thread to the link's one driver.

use std::collections::VecDeque;
use std::mem;
use std::task::Waker;

use mage_sched::sync::Mutex;

use super::socket::Handle;
use crate::core::{Body, Control, Frame};
use crate::limits::{PENDING_ADMISSIONS_MAX, UNREAD_ANSWERS_MAX};

/// The queue of one link. Frames are appended while the node's lock is held, so their order is the order of the node's
/// transitions; an append runs no foreign code, and the waker it may return is for after the unlocking.
#[derive(Debug)]
pub(crate) struct Outbox {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    frames: VecDeque<Frame<Handle>>,
    /// The weight of the answers among them.
    answers: usize,
    driver: Driver,
    ending: Option<Ending>,
}

/// What the driver is doing.
#[derive(Debug)]
enum Driver {
    Running,
    /// It has found nothing to do and wants to be woken.
    Parked(Waker),
    Gone,
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
        let inner = Inner { frames: VecDeque::new(), answers: 0, driver: Driver::Running, ending: None };
        Self { inner: Mutex::new(inner) }
    }

    /// Appends a frame. Returns the driver's waker if it sleeps, or the frame if the link is over.
    #[expect(clippy::result_large_err, reason = "hardly ever refused, and a box would cost every frame")]
    pub(crate) fn push(&self, frame: Frame<Handle>) -> Result<Option<Waker>, Frame<Handle>> {
        let mut inner = self.inner.lock();
        if matches!(inner.driver, Driver::Gone) || inner.ending.is_some() {
            return Err(frame);
        }
        inner.answers += weight(&frame);
        if inner.answers > UNREAD_ANSWERS_MAX {
            inner.ending = Some(Ending::Overrun);
        }
        inner.frames.push_back(frame);
        Ok(inner.wake_driver())
    }

    /// No further frame will be taken.
    pub(crate) fn end(&self, ending: Ending) -> Option<Waker> {
        let mut inner = self.inner.lock();
        inner.ending = inner.ending.max(Some(ending));
        inner.wake_driver()
    }

    /// For the driver: moves everything into `batch`, which is empty, if there is one, and says how the link is to end,
    /// if it is.
    pub(super) fn take(&self, batch: Option<&mut VecDeque<Frame<Handle>>>) -> Option<Ending> {
        let mut inner = self.inner.lock();
        inner.driver = Driver::Running;
        if let Some(batch) = batch {
            mem::swap(&mut inner.frames, batch);
            inner.answers = 0;
        }
        inner.ending
    }

    /// For the driver: whether frames wait that it could write.
    pub(super) fn has_frames(&self) -> bool {
        !self.inner.lock().frames.is_empty()
    }

    /// For the driver: goes to sleep unless there is something to do; while the socket takes nothing (`is_stuck`), only
    /// an end at once is. The waker that was there before is handed out to be dropped with no lock held.
    pub(super) fn park(&self, waker: Waker, is_stuck: bool) -> Result<Option<Waker>, Waker> {
        let mut inner = self.inner.lock();
        let urgent = match inner.ending {
            Some(Ending::Now | Ending::Overrun) => true,
            Some(Ending::Flush) => !is_stuck,
            None => !is_stuck && !inner.frames.is_empty(),
        };
        if urgent {
            return Err(waker);
        }
        match mem::replace(&mut inner.driver, Driver::Parked(waker)) {
            Driver::Parked(old) => Ok(Some(old)),
            Driver::Running | Driver::Gone => Ok(None),
        }
    }

    /// For the driver, when it ends: what is left will never be written.
    pub(super) fn abandon(&self) -> VecDeque<Frame<Handle>> {
        let mut inner = self.inner.lock();
        inner.driver = Driver::Gone;
        mem::take(&mut inner.frames)
    }
}

/// What a frame counts for among those that the peer can make us say as often as it likes. The others are bounded by
/// what there is here: ends, windows, nodes. A peer that reads, however slowly, has no more of them than it has asked for.
fn weight(frame: &Frame<Handle>) -> usize {
    match frame {
        Frame::Endpoint { body: Body::Gone | Body::Accepted | Body::Credit(_), .. } => 1,
        Frame::Control(Control::IntroductionFailed { .. } | Control::RefuseAdmission { .. }) => 1,
        // It costs a descriptor.
        Frame::Control(Control::Admit { .. }) => UNREAD_ANSWERS_MAX / PENDING_ADMISSIONS_MAX,
        Frame::Endpoint { .. } | Frame::Control(_) => 0,
    }
}

impl Inner {
    fn wake_driver(&mut self) -> Option<Waker> {
        match mem::replace(&mut self.driver, Driver::Running) {
            Driver::Parked(waker) => Some(waker),
            Driver::Running => None,
            Driver::Gone => {
                self.driver = Driver::Gone;
                None
            }
        }
    }
}
