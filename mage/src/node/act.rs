//! The one file in which the node's lock is taken. Every transition goes through [`Shared::act`], but for that of a new link,
//! and this is what becomes of their effects.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Poll, Waker};

use futures::channel::oneshot;
use mage_sched::Scheduler;
use mage_sched::sync::Mutex;

use super::joined::Joined;
use crate::core::{Effect, EndpointName, Frame, LinkId, Mask, NodeName, PipeLabel, Router};
use crate::error::{BadMessageReport, InvitationError, PeerMisbehaved};
use crate::few::Few;
use crate::limits::{FAULTS_KEPT_MAX, Limits};
use crate::link::{
    Driver, Ending, Handle, Next, Outbox, Start, Watched, Writer, check_stream_socket, fresh_name,
    socket_pair,
};
use crate::waiters::{Ticket, Waiters};
use crate::wire::{Names, PAYLOAD_BYTES_CAP};

/// Who may meet whom; asked by the broker's node only.
pub(crate) type Policy = dyn Fn(NodeName, NodeName) -> bool + Send + Sync;
/// Who is told of messages that were rejected.
pub(crate) type Complaints = dyn Fn(&BadMessageReport) + Send + Sync;
/// Where an accepted invitation is awaited.
pub(crate) type Acceptance = oneshot::Sender<Accepted>;
/// How it went.
pub(crate) type Accepted = Result<Joined, InvitationError>;

/// The node itself, shared by its users and its links.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    /// Descriptors that have come over any link and that nobody has yet.
    pub(crate) handles: Arc<AtomicUsize>,
    scheduler: Arc<dyn Scheduler>,
    policy: Option<Box<Policy>>,
    complaints: Option<Box<Complaints>>,
    inner: Mutex<Inner>,
}

struct Inner {
    router: Router<Handle>,
    outboxes: BTreeMap<LinkId, Arc<Outbox>>,
    accepting: BTreeMap<LinkId, Acceptance>,
    /// Those who wait for links to be closed.
    closing: Waiters,
    /// Those who wait for the end of the broker.
    bereft: Waiters,
    /// Those who wait until nothing is routed through this node any more.
    draining: Waiters,
    /// What peers did wrong lately.
    faults: VecDeque<PeerMisbehaved>,
    /// This node has been shut down, or nobody can use it any more: there are no new links.
    shut: bool,
}

/// The pipes of an invitation, by what they are called in it.
pub(crate) type Pipes = Vec<(PipeLabel, EndpointName)>;

/// What is left to do when the lock is free again.
#[derive(Default)]
struct After {
    /// Whose frames are to be written, and with what.
    write: Option<(Arc<Outbox>, Box<Writer>)>,
    wake: Few<Waker>,
    /// Empty for nearly every message.
    rare: Option<Box<Rare>>,
}

/// What is seldom left to do.
#[derive(Default)]
struct Rare {
    write: Vec<(Arc<Outbox>, Box<Writer>)>,
    trash: Vec<Handle>,
    frames: Vec<Frame<Handle>>,
    accepted: Vec<(LinkId, Option<Acceptance>, Result<Pipes, InvitationError>)>,
    adopt: Vec<Adoption>,
    introduce: Vec<(NodeName, NodeName)>,
    admit: Vec<(NodeName, u64)>,
    outboxes: Vec<Arc<Outbox>>,
}

struct Adoption {
    link: LinkId,
    names: Names,
    socket: Handle,
    outbox: Arc<Outbox>,
}

impl Shared {
    pub(crate) fn new(
        scheduler: Arc<dyn Scheduler>,
        limits: Limits,
        policy: Option<Box<Policy>>,
        complaints: Option<Box<Complaints>>,
    ) -> Self {
        let message_bytes_max = limits.message_bytes_max.min(PAYLOAD_BYTES_CAP);
        let limits = Limits { message_bytes_max, ..limits };
        let router = Router::new(limits.clone());
        let inner = Inner {
            router,
            outboxes: BTreeMap::new(),
            accepting: BTreeMap::new(),
            closing: Waiters::default(),
            bereft: Waiters::default(),
            draining: Waiters::default(),
            faults: VecDeque::new(),
            shut: false,
        };
        Self { limits, handles: Arc::default(), scheduler, policy, complaints, inner: Mutex::new(inner) }
    }

    /// Runs `transition` under the lock and carries out what it wants done: what needs order under the same lock, the
    /// rest after it. `transition` must run no foreign code.
    pub(crate) fn act<R>(self: &Arc<Self>, transition: impl FnOnce(&mut Router<Handle>) -> R) -> R {
        let mut inner = self.inner.lock();
        let answer = transition(&mut inner.router);
        let drained = !inner.draining.is_empty() && inner.router.is_drained();
        if inner.router.effects_mut().is_empty() && !drained {
            return answer;
        }
        let mut after = After::default();
        inner.flush(&mut after);
        if drained {
            after.wake.extend(inner.draining.take());
        }
        drop(inner);
        self.finish(after);
        answer
    }

    /// What must not happen under the lock.
    #[cold]
    fn finish_rare(self: &Arc<Self>, mut rare: Rare) {
        for (link, acceptance, result) in rare.accepted.drain(..) {
            let result = result.map(|pipes| Joined::new(Arc::clone(self), link, pipes));
            // What nobody waits for is declined when it is dropped.
            drop(acceptance.map(|acceptance| acceptance.send(result)));
        }
        for adoption in mem::take(&mut rare.adopt) {
            self.adopt(adoption);
        }
        for (first, second) in mem::take(&mut rare.introduce) {
            let allowed = self.may_meet(first, second);
            let sockets = allowed.then(socket_pair).and_then(Result::ok);
            let sockets = sockets.map(|(one, other)| (one.into(), other.into()));
            self.act(|router| router.introduce(first, second, sockets));
        }
        for (sponsor, guest) in mem::take(&mut rare.admit) {
            let admission = fresh_name().and_then(|name| Ok((name, socket_pair()?))).ok();
            let admission = admission.map(|(name, (ours, theirs))| (name, (ours.into(), theirs.into())));
            self.act(|router| router.admit(sponsor, guest, admission));
        }
    }

    /// Asks the policy. One that panics says no, and takes no link down with it.
    fn may_meet(&self, first: NodeName, second: NodeName) -> bool {
        let ask = |policy: &Policy| catch_unwind(AssertUnwindSafe(|| policy(first, second))).unwrap_or(false);
        self.policy.as_deref().is_none_or(ask)
    }

    /// Tells whoever wants to know of a message that was rejected. One who panics at it takes nothing down.
    pub(crate) fn report(&self, report: &BadMessageReport) {
        if let Some(complaints) = &self.complaints {
            let _ = catch_unwind(AssertUnwindSafe(|| complaints(report)));
        }
    }

    fn finish(self: &Arc<Self>, mut after: After) {
        // First, for what follows is foreign code, which may panic.
        if let Some((outbox, writer)) = after.write.take() {
            after.wake.extend(outbox.write(writer));
        }
        if let Some(mut rare) = after.rare.take() {
            for (outbox, writer) in rare.write.drain(..) {
                after.wake.extend(outbox.write(writer));
            }
            self.finish_rare(*rare);
        }
        after.wake.each(Waker::wake);
    }

    /// A link that the broker has made for us.
    fn adopt(self: &Arc<Self>, adoption: Adoption) {
        let Adoption { link, names, socket, outbox } = adoption;
        if check_stream_socket(&socket).is_err() {
            drop(outbox.end(Ending::Now));
            return self.on_link_down(link, InvitationError::Closed);
        }
        match self.watch(socket.into_descriptor()) {
            Ok(watched) => {
                self.start(Driver::new(Arc::clone(self), link, watched, names, outbox, Start::Introduced))
            }
            Err(error) => self.on_link_down(link, error.into()),
        }
    }

    /// Registers a socket with the scheduler.
    pub(crate) fn watch(&self, socket: OwnedFd) -> io::Result<Watched> {
        let socket = Arc::new(socket);
        let watch = self.scheduler.watch(Arc::clone(&socket))?;
        Ok(Watched { socket, watch })
    }

    /// Hands a link's driver to the scheduler.
    pub(crate) fn start(&self, driver: Driver) {
        self.scheduler.spawn(Box::pin(driver));
    }

    pub(crate) fn scheduler(&self) -> &Arc<dyn Scheduler> {
        &self.scheduler
    }

    /// Like [`Self::act`], for a new link: it has an outbox before its first frame is appended. Also returns what the
    /// names on it mean. A node that has been shut down has no new links; nothing has happened then.
    pub(crate) fn open_link(
        self: &Arc<Self>,
        outbox: Arc<Outbox>,
        acceptance: Option<Acceptance>,
        transition: impl FnOnce(&mut Router<Handle>) -> LinkId,
    ) -> Result<(LinkId, Names), InvitationError> {
        let mut after = After::default();
        let opened = {
            let mut inner = self.inner.lock();
            if inner.shut {
                return Err(InvitationError::ShutDown);
            }
            let link = transition(&mut inner.router);
            let names = Names::unknown(inner.router.mask());
            inner.outboxes.insert(link, outbox);
            if let Some(acceptance) = acceptance {
                inner.accepting.insert(link, acceptance);
            }
            inner.flush(&mut after);
            (link, names)
        };
        self.finish(after);
        Ok(opened)
    }

    /// Whether there are no new links any more.
    pub(crate) fn is_shut(&self) -> bool {
        self.inner.lock().shut
    }

    /// Frames have come over a link. An error is the peer's fault, and the link is over.
    pub(crate) fn on_frames(
        self: &Arc<Self>,
        link: LinkId,
        frames: &mut Vec<Frame<Handle>>,
    ) -> Result<(), PeerMisbehaved> {
        let answer = self.act(|router| {
            let mut answer = Ok(());
            let mut rest = frames.drain(..);
            for frame in rest.by_ref() {
                answer = router.on_frame(link, frame);
                if answer.is_err() {
                    break;
                }
            }
            (answer, rest.collect::<Vec<_>>())
        });
        drop(answer.1);
        answer.0
    }

    pub(crate) fn on_link_down(self: &Arc<Self>, link: LinkId, why: InvitationError) {
        self.act(|router| router.on_link_down(link, why));
        self.link_closed(link);
    }

    /// The bytes on a link were not frames.
    pub(crate) fn on_misbehaviour(self: &Arc<Self>, link: LinkId, fault: PeerMisbehaved) {
        self.act(|router| router.drop_link(link, Some(fault)));
        self.link_closed(link);
    }

    fn link_closed(&self, link: LinkId) {
        let (outbox, wake) = {
            let mut inner = self.inner.lock();
            let outbox = inner.outboxes.remove(&link);
            (outbox, inner.closing.take())
        };
        drop(outbox);
        wake.for_each(Waker::wake);
    }

    /// The acceptance is no longer awaited.
    pub(crate) fn give_up_accepting(self: &Arc<Self>, link: LinkId) {
        let acceptance = self.inner.lock().accepting.remove(&link);
        if acceptance.is_some() {
            self.act(|router| router.decline(link));
        }
    }

    /// Flushes and closes every link, in the background. There are no new ones.
    pub(crate) fn end_links(&self) {
        let (outboxes, accepting) = {
            let mut inner = self.inner.lock();
            inner.shut = true;
            (inner.outboxes.values().cloned().collect::<Vec<_>>(), mem::take(&mut inner.accepting))
        };
        for acceptance in accepting.into_values() {
            drop(acceptance.send(Err(InvitationError::ShutDown)));
        }
        for outbox in outboxes {
            if let Some(waker) = outbox.end(Ending::Flush) {
                waker.wake();
            }
        }
    }

    /// Flushes and closes every link that there is now.
    pub(crate) async fn close_links(&self) {
        self.end_links();
        self.until(|inner| inner.outboxes.is_empty(), |inner| &mut inner.closing).await;
    }

    /// Leaves every network, and waits until the links of them are flushed and closed.
    pub(crate) async fn leave(self: &Arc<Self>, mask: Mask) {
        let links = self.act(|router| router.leave(mask));
        let closed = |inner: &Inner| links.iter().all(|link| !inner.outboxes.contains_key(link));
        self.until(closed, |inner| &mut inner.closing).await;
    }

    /// Waits until the broker is gone.
    pub(crate) async fn broker_lost(&self) {
        self.until(|inner| inner.router.has_lost_broker(), |inner| &mut inner.bereft).await;
    }

    /// Waits until nothing is routed through this node any more.
    pub(crate) async fn drained(&self) {
        self.until(|inner| inner.router.is_drained(), |inner| &mut inner.draining).await;
    }

    /// Waits until `is_so`. Whoever makes it so wakes everybody in `waiters`.
    async fn until(&self, is_so: impl Fn(&Inner) -> bool, waiters: fn(&mut Inner) -> &mut Waiters) {
        let mut waiting = Waiting { shared: self, waiters, ticket: None };
        poll_fn(|context| {
            // Cloning and dropping a waker runs foreign code: neither happens under the lock.
            let waker = context.waker().clone();
            let mut inner = self.inner.lock();
            if is_so(&inner) {
                drop(inner);
                return Poll::Ready(());
            }
            let unneeded = waiters(&mut inner).wait(&mut waiting.ticket, waker);
            drop(inner);
            drop(unneeded);
            Poll::Pending
        })
        .await;
    }

    /// What there is, all at one moment: what peers did wrong lately, the oldest first, and how many frames wait in front of
    /// each link, beside what `look` sees.
    pub(crate) fn look<R>(
        &self,
        look: impl FnOnce(&Router<Handle>, &dyn Fn(LinkId) -> usize) -> R,
    ) -> (R, Vec<PeerMisbehaved>) {
        let inner = self.inner.lock();
        let unsent = |link| inner.outboxes.get(&link).map_or(0, |outbox| outbox.unsent());
        (look(&inner.router, &unsent), inner.faults.iter().copied().collect())
    }
}

/// Somebody waits; nothing of it is left when this is dropped.
struct Waiting<'a> {
    shared: &'a Shared,
    waiters: fn(&mut Inner) -> &mut Waiters,
    ticket: Option<Ticket>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let waker = (self.waiters)(&mut self.shared.inner.lock()).give_up(ticket);
        drop(waker);
    }
}

impl Inner {
    /// Carries out the effects that need order, and those of what comes back.
    fn flush(&mut self, after: &mut After) {
        let mut back = self.append(after);
        while !back.is_empty() {
            back.into_iter().for_each(|frame| self.router.take_back(frame));
            back = self.append(after);
        }
    }

    /// Carries out the effects that there are: frames are appended here, under the lock that ordered them. Some come back.
    fn append(&mut self, after: &mut After) -> Vec<Frame<Handle>> {
        let Self { router, outboxes, accepting, bereft, faults, shut, .. } = self;
        let (mask, ahead_max) = (router.mask(), router.ahead_max());
        let mut back = Vec::new();
        let effects = router.effects_mut();
        mem::take(&mut effects.wake).each(|waker| after.wake.push(waker));
        if !effects.trash.is_empty() {
            after.rare().trash.append(&mut effects.trash);
        }
        for effect in effects.list.drain(..) {
            match effect {
                Effect::Transmit { link, frame } => {
                    if let Some(outbox) = outboxes.get(&link) {
                        if let Some((endpoint, said)) = frame.said_for_others()
                            && !outbox.has_room_for(endpoint, said, ahead_max)
                        {
                            back.push(frame);
                            continue;
                        }
                        match outbox.push(frame) {
                            Ok(Next::Nothing) => {}
                            Ok(Next::Wake(waker)) => after.wake.push(waker),
                            Ok(Next::Write(writer)) => after.write(outbox, writer),
                            Err(frame) => after.rare().frames.push(frame),
                        }
                    }
                }
                Effect::Adopt { link, me, peer, socket } => {
                    let outbox = Arc::new(Outbox::new());
                    if *shut {
                        after.wake.extend(outbox.end(Ending::Flush));
                    }
                    outboxes.insert(link, Arc::clone(&outbox));
                    let names = Names::between(me, peer, mask);
                    after.rare().adopt.push(Adoption { link, names, socket, outbox });
                }
                Effect::Introduce { first, second } => after.rare().introduce.push((first, second)),
                Effect::Admit { sponsor, guest } => after.rare().admit.push((sponsor, guest)),
                Effect::Accepted { link, pipes } => {
                    after.rare().accepted.push((link, accepting.remove(&link), Ok(pipes)));
                }
                Effect::NotAccepted { link, why } => {
                    after.rare().accepted.push((link, accepting.remove(&link), Err(why)));
                }
                Effect::BrokerLost => after.wake.extend(bereft.take()),
                Effect::Drop { link, fault } => {
                    if let Some(fault) = fault {
                        if faults.len() >= FAULTS_KEPT_MAX {
                            faults.pop_front();
                        }
                        faults.push_back(fault);
                    }
                    if let Some(outbox) = outboxes.get(&link) {
                        let ending = if fault.is_some() { Ending::Now } else { Ending::Flush };
                        after.wake.extend(outbox.end(ending));
                        after.rare().outboxes.push(Arc::clone(outbox));
                    }
                }
            }
        }
        back
    }
}

impl After {
    fn write(&mut self, outbox: &Arc<Outbox>, writer: Box<Writer>) {
        if let Some(other) = self.write.replace((Arc::clone(outbox), writer)) {
            self.rare().write.push(other);
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("scheduler", &self.scheduler).finish_non_exhaustive()
    }
}
