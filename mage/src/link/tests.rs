//! Tests of one link by itself: a driver on a real socket, with a watch that does what it is told.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use mage_sched::{BoxFuture, Interest, Scheduler, Transfer, Watch};
use rustix::io::Errno;

use super::handle::{Allowance, Handle};
use super::inbox::{Inbox, Stop};
use super::outbox::Parked;
use super::socket::{self, socket_pair};
use super::writer::Writer;
use super::{Driver, Ending, Next, Outbox, Start, Watched};
use crate::core::{Body, Control, EndpointName, Ends, Frame, LinkId, Mask, NodeName, Parcel, Welcome};
use crate::error::{PeerMisbehaved, Why};
use crate::limits::{Limits, UNREAD_ANSWERS_MAX};
use crate::node::Shared;
use crate::wire::{Names, encode};

/// Runs nothing by itself.
#[derive(Debug)]
struct NoScheduler;

impl Scheduler for NoScheduler {
    fn spawn(&self, _task: BoxFuture<'static, ()>) {}

    fn watch(&self, _socket: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Tries at every poll, and refuses those writes that it is told to.
#[derive(Debug)]
struct Stubborn {
    socket: Arc<OwnedFd>,
    refusals: VecDeque<Option<Errno>>,
}

impl Watch for Stubborn {
    fn poll_io(
        &mut self,
        _context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        if interest == Interest::Write
            && let Some(Some(refusal)) = self.refusals.pop_front()
        {
            return Poll::Ready(Err(refusal.into()));
        }
        match io(self.socket.as_fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            result => Poll::Ready(result.map(Transfer::bytes)),
        }
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A driver that is polled by hand, and the other end of its socket.
struct Bench {
    driver: Driver,
    outbox: Arc<Outbox>,
    woken: Arc<Counter>,
    other: OwnedFd,
    inbox: Inbox<Handle>,
    allowance: Allowance,
    names: Names,
}

fn node(byte: u8) -> NodeName {
    NodeName::from_bytes([byte; 16]).unwrap()
}

impl Bench {
    fn new(refusals: &[Option<Errno>]) -> Self {
        let shared = Arc::new(Shared::new(Arc::new(NoScheduler), Limits::default(), None, None));
        let (socket, other) = socket_pair().unwrap();
        let names = Names::between(node(1), node(2), Mask::default());
        let outbox = Arc::new(Outbox::new());
        let socket = Arc::new(socket);
        let refusals = refusals.iter().copied().collect();
        let watch = Box::new(Stubborn { socket: Arc::clone(&socket), refusals });
        let watched = Watched { socket, watch };
        let driver = Driver::new(shared, LinkId(1), watched, names, Arc::clone(&outbox), Start::Introduced);
        let names = Names { me: names.them, them: names.me, mask: Mask::default() };
        Self {
            driver,
            outbox,
            woken: Arc::default(),
            other,
            inbox: Inbox::new(true),
            allowance: allowance(),
            names,
        }
    }

    fn push(&self, frame: Frame<Handle>) {
        match self.outbox.push(frame).expect("the link is there") {
            Next::Nothing => {}
            Next::Wake(waker) => waker.wake(),
            Next::Write(_) => panic!("nothing was heard that could be answered"),
        }
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.woken));
        Pin::new(&mut self.driver).poll(&mut Context::from_waker(&waker))
    }

    fn woken(&self) -> usize {
        self.woken.0.swap(0, Ordering::Relaxed)
    }

    /// Reads once at the other end.
    fn hear(&mut self) -> Result<Vec<Frame<Handle>>, Stop> {
        let mut frames = Vec::new();
        match self.inbox.fill(self.other.as_fd(), &mut self.allowance) {
            Ok(_) => self.inbox.decode(&mut self.names, &Limits::default(), &mut frames).map(|()| frames),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(frames),
            Err(error) => panic!("{error}"),
        }
    }

    /// Drives the link and reads at its other end until so many frames have come.
    fn converse(&mut self, count: usize) -> Vec<Frame<Handle>> {
        let mut frames = Vec::new();
        while frames.len() < count {
            assert!(self.poll().is_pending(), "the link is over");
            frames.extend(self.hear().expect("the other side is honest"));
        }
        frames
    }
}

fn allowance() -> Allowance {
    Allowance::new(&Limits::default(), Arc::default())
}

fn between(body: Body<Handle>) -> Frame<Handle> {
    let name = |number| EndpointName { creator: NodeName::LOCAL, number };
    Frame::Endpoint { to: name(1), from: name(2), body }
}

fn message(bytes: usize, handles: usize) -> Frame<Handle> {
    let handles = (0..handles).map(|_| handle()).collect();
    let ends = Ends::Moved(Default::default());
    between(Body::User(Parcel {
        sequence: 0,
        hops: 1,
        bytes: vec![7; bytes],
        ends,
        handles,
        handles_lost: false,
    }))
}

fn handle() -> Handle {
    socket_pair().unwrap().0.into()
}

fn parcel(frame: &Frame<Handle>) -> &Parcel<Handle> {
    match frame {
        Frame::Endpoint { body: Body::User(parcel), .. } => parcel,
        other => panic!("no message: {other:?}"),
    }
}

#[test]
fn a_message_whose_handles_are_refused_goes_without_them() {
    for refusal in [Errno::TOOMANYREFS, Errno::INVAL, Errno::NOMEM] {
        let mut bench = Bench::new(&[Some(refusal)]);
        for frame in [message(10, 3), between(Body::Ack), message(20, 2)] {
            bench.push(frame);
        }
        let frames = bench.converse(3);
        let [first, second, third] = &frames[..] else { panic!("{frames:?}") };
        assert!(parcel(first).handles_lost && parcel(first).handles.is_empty());
        assert_eq!(parcel(first).bytes.len(), 10);
        assert!(matches!(second, Frame::Endpoint { body: Body::Ack, .. }));
        assert_eq!(parcel(third).handles.len(), 2, "what comes later is not concerned");
    }
}

#[test]
fn a_socket_that_is_refused_is_an_answer() {
    let name = node(9);
    let mut bench = Bench::new(&[Some(Errno::TOOMANYREFS), None, Some(Errno::TOOMANYREFS)]);
    bench.push(Frame::Control(Control::Introduce { name, socket: handle() }));
    bench.push(Frame::Control(Control::Admit { guest: 21, name, socket: handle() }));
    bench.push(between(Body::Ack));
    let frames = bench.converse(3);
    assert!(
        matches!(&frames[0], Frame::Control(Control::IntroductionFailed { name: failed }) if *failed == name)
    );
    assert!(matches!(&frames[1], Frame::Control(Control::RefuseAdmission { guest: 21 })));
}

#[test]
fn nothing_can_be_said_instead_of_a_welcome() {
    let mut bench = Bench::new(&[Some(Errno::TOOMANYREFS)]);
    let (you, me, broker) = (node(2), node(1), node(3));
    let socket = Some(handle());
    let welcome = Welcome { version: 1, isolated: false, you, me, broker, socket, pipes: Vec::new() };
    bench.push(Frame::Control(Control::Welcome(welcome)));
    assert!(bench.poll().is_ready());
}

#[test]
fn a_socket_that_fails_is_not_tried_for_ever() {
    let mut bench = Bench::new(&[Some(Errno::NOMEM); 2]);
    bench.push(message(10, 3));
    assert!(bench.poll().is_ready());
    assert!(bench.outbox.push(message(0, 0)).is_err());
}

#[test]
fn a_large_message_with_handles_arrives_in_pieces_and_whole() {
    let mut bench = Bench::new(&[]);
    for frame in [message(5, 0), message(4 << 20, 64), message(0, 1), message(1 << 20, 64)] {
        bench.push(frame);
    }
    let frames = bench.converse(4);
    let shape = |frame| (parcel(frame).bytes.len(), parcel(frame).handles.len());
    assert_eq!(frames.iter().map(shape).collect::<Vec<_>>(), [(5, 0), (4 << 20, 64), (0, 1), (1 << 20, 64)]);
    assert!(frames.iter().all(|frame| !parcel(frame).handles_lost));
}

#[test]
fn short_frames_and_long_ones_leave_in_the_order_in_which_they_came() {
    let mut bench = Bench::new(&[]);
    assert!(bench.poll().is_pending()); // from now on it is known how nodes are named
    let shapes = [(5, 0), (6, 0), (2000, 0), (7, 0), (3, 1), (9, 0), (2001, 2), (1, 0)];
    for (bytes, handles) in shapes {
        bench.push(message(bytes, handles));
    }
    let frames = bench.converse(shapes.len());
    let shape = |frame| (parcel(frame).bytes.len(), parcel(frame).handles.len());
    assert_eq!(frames.iter().map(shape).collect::<Vec<_>>(), shapes);
}

#[test]
fn who_writes_much_reads_in_between() {
    let mut bench = Bench::new(&[]);
    for _ in 0..100 {
        bench.push(message(0, 1));
    }
    let mut heard = 0;
    while heard < 100 {
        assert!(bench.poll().is_pending());
        let mut now = 0;
        while let Ok(frames @ [_, ..]) = bench.hear().as_deref() {
            now += frames.len();
        }
        assert!(now <= 16, "{now} writes without a look at what has come");
        heard += now;
        assert!(heard == 100 || bench.woken() > 0, "it goes on by itself");
    }
    // And then it sleeps.
    assert!(bench.poll().is_pending());
    assert_eq!(bench.woken(), 0);
}

#[test]
fn a_peer_that_reads_nothing_is_answered_so_often() {
    let mut bench = Bench::new(&[]);
    // First the socket is full.
    bench.push(message(4 << 20, 0));
    assert!(bench.poll().is_pending());
    for _ in 0..UNREAD_ANSWERS_MAX {
        bench.push(between(Body::Gone));
    }
    bench.woken();
    assert!(bench.poll().is_pending());
    assert_eq!(bench.woken(), 0, "what cannot be written is no reason to go on");
    bench.push(between(Body::End(Why::Closed)));
    assert!(bench.poll().is_pending(), "what is not an answer is bounded elsewhere");
    bench.woken();
    bench.push(between(Body::Gone));
    assert!(bench.woken() > 0);
    assert!(bench.poll().is_ready());
    assert!(bench.outbox.push(between(Body::Gone)).is_err());
}

#[test]
fn a_peer_that_reads_slowly_gets_every_answer() {
    let mut bench = Bench::new(&[]);
    let count = UNREAD_ANSWERS_MAX / 2;
    for _ in 0..2 {
        for _ in 0..count {
            bench.push(between(Body::Gone));
        }
        assert_eq!(bench.converse(count).len(), count);
    }
}

#[test]
fn an_end_at_once_does_not_wait_for_a_flush() {
    let mut bench = Bench::new(&[]);
    bench.push(message(4 << 20, 0));
    assert!(bench.poll().is_pending());
    assert!(bench.outbox.end(Ending::Flush).is_some());
    assert!(bench.poll().is_pending(), "there is more to write");
    let waker = bench.outbox.end(Ending::Now).expect("it sleeps");
    waker.wake();
    assert_eq!(bench.woken(), 1);
    assert!(bench.poll().is_ready());
}

#[test]
fn a_flush_writes_what_came_while_the_socket_was_full() {
    let mut bench = Bench::new(&[]);
    bench.push(message(4 << 20, 0));
    assert!(bench.poll().is_pending());
    bench.push(message(1, 1));
    drop(bench.outbox.end(Ending::Flush));
    let mut frames = Vec::new();
    while bench.poll().is_pending() {
        frames.extend(bench.hear().expect("the other side is honest"));
    }
    while let Ok(more @ [_, ..]) = bench.hear().as_deref() {
        frames
            .extend(more.iter().map(|frame| message(parcel(frame).bytes.len(), parcel(frame).handles.len())));
    }
    let shape = |frame| (parcel(frame).bytes.len(), parcel(frame).handles.len());
    assert_eq!(frames.iter().map(shape).collect::<Vec<_>>(), [(4 << 20, 0), (1, 1)]);
}

// ---- a writer that is lent

fn names() -> Names {
    Names::between(node(1), node(2), Mask::default())
}

/// What a driver does that finds nothing to do.
fn park(outbox: &Outbox, waker: &Waker, writer: &mut Option<Box<Writer>>, lends: bool) {
    let (parked, _old) = outbox.park(waker, Some(waker.clone()), writer, names(), lends);
    assert_eq!(parked, Parked::Asleep);
}

/// An outbox whose driver sleeps and has lent its writer, the sleeper, and the other end of the socket.
fn lent() -> (Outbox, Arc<Counter>, OwnedFd) {
    let (socket, other) = socket_pair().unwrap();
    let outbox = Outbox::new();
    let woken = Arc::new(Counter::default());
    let mut writer = Some(Box::new(Writer::new(Arc::new(socket), names())));
    park(&outbox, &Waker::from(Arc::clone(&woken)), &mut writer, true);
    assert!(writer.is_none());
    (outbox, woken, other)
}

/// Reads everything there is; how many bytes that was.
fn swallow(socket: &OwnedFd) -> usize {
    let mut buffer = vec![0; 1 << 20];
    let read = || socket::read(socket.as_fd(), &mut buffer).ok().map(|(read, _)| read.bytes());
    std::iter::from_fn(read).take_while(|&bytes| bytes > 0).sum()
}

#[test]
fn whoever_answers_writes_and_wakes_nobody() {
    let (outbox, woken, other) = lent();
    let Ok(Next::Write(writer)) = outbox.push(message(10, 0)) else { panic!("the writer is there") };
    assert!(outbox.write(writer).is_none());
    assert!(swallow(&other) > 10);
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    // Whoever goes on talking leaves it to the driver, which waits for more.
    let Ok(Next::Wake(waker)) = outbox.push(message(30, 0)) else { panic!("the driver sleeps") };
    waker.wake();
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    let mut writer = None;
    assert_eq!(outbox.take(&mut writer), (None, true));
    assert!(writer.is_some_and(|writer| !writer.is_idle()));
}

#[test]
fn what_is_said_while_somebody_writes_is_left_to_the_driver() {
    let (outbox, _woken, other) = lent();
    let Ok(Next::Write(writer)) = outbox.push(message(10, 0)) else { panic!("the writer is there") };
    assert!(matches!(outbox.push(message(20, 0)), Ok(Next::Nothing)));
    // A driver that wakes meanwhile cannot write, and sleeps again.
    let mut none = None;
    assert_eq!(outbox.take(&mut none), (None, false));
    park(&outbox, Waker::noop(), &mut none, false);
    assert!(outbox.write(writer).is_some(), "the driver is to be woken");
    let first = swallow(&other);
    assert!((10..60).contains(&first), "{first} bytes: one of the two");
    assert_eq!(outbox.take(&mut none), (None, true));
}

#[test]
fn what_cannot_be_written_at_once_is_left_to_the_driver() {
    for (bytes, close) in [(4 << 20, false), (10, true)] {
        let (outbox, _woken, other) = lent();
        let Ok(Next::Write(writer)) = outbox.push(message(bytes, 0)) else { panic!("the writer is there") };
        let other = (!close).then_some(other);
        assert!(outbox.write(writer).is_some(), "the driver is to be woken");
        let mut writer = None;
        assert_eq!(outbox.take(&mut writer), (None, false));
        assert!(writer.is_some_and(|writer| writer.is_stuck()));
        drop(other);
    }
}

#[test]
fn a_link_that_ends_while_somebody_writes_is_over() {
    let (outbox, _woken, other) = lent();
    let Ok(Next::Write(writer)) = outbox.push(message(10, 0)) else { panic!("the writer is there") };
    drop(outbox.abandon());
    assert!(outbox.write(writer).is_none());
    assert!(outbox.push(message(10, 0)).is_err());
    assert!(swallow(&other) > 10);
    assert_eq!(socket::read(other.as_fd(), &mut [0; 9]).unwrap().0.bytes(), 0, "the socket is closed");
}

// ---- what a peer may do with handles

/// Writes these pieces, each with so many handles, and decodes after every one.
fn judge(pieces: &[(&[u8], usize)]) -> Result<usize, Stop> {
    let (ours, theirs) = socket_pair().unwrap();
    for (bytes, count) in pieces {
        let handles: Vec<Handle> = (0..*count).map(|_| handle()).collect();
        socket::write(ours.as_fd(), bytes, &handles).unwrap();
    }
    let (mut inbox, mut allowance) = (Inbox::new(true), allowance());
    let mut names = Names::between(node(2), node(1), Mask::default());
    let mut frames = Vec::new();
    for _ in pieces {
        match inbox.fill(theirs.as_fd(), &mut allowance) {
            Ok(_) => inbox.decode(&mut names, &Limits::default(), &mut frames)?,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
    Ok(frames.len())
}

#[test]
fn handles_come_all_at_once_and_with_their_frame() {
    let mut encoded = Vec::new();
    let names = Names::between(node(1), node(2), Mask::default());
    encode(message(10, 2), names, &mut encoded, &mut Vec::new());
    let (start, rest) = encoded.split_at(5);
    let twice = [&encoded[..], &encoded].concat();
    assert_eq!(judge(&[(&encoded, 2)]).unwrap(), 1);
    assert_eq!(judge(&[(start, 2), (rest, 0)]).unwrap(), 1);
    assert_eq!(judge(&[(start, 2), (rest, 0), (&encoded, 2)]).unwrap(), 2);
    let refused = |pieces: &[(&[u8], usize)], expected: PeerMisbehaved| match judge(pieces) {
        Err(Stop::Misbehaved(fault)) => assert_eq!(fault, expected, "{pieces:?}"),
        other => panic!("{other:?} of {pieces:?}"),
    };
    refused(&[(&encoded, 1)], PeerMisbehaved::MissingHandles);
    refused(&[(&encoded, 0)], PeerMisbehaved::MissingHandles);
    refused(&[(&encoded, 3)], PeerMisbehaved::UnexpectedHandles);
    refused(&[(&encoded, 64)], PeerMisbehaved::UnexpectedHandles);
    refused(&[(start, 1), (rest, 1)], PeerMisbehaved::MissingHandles);
    refused(&[(start, 2), (rest, 1)], PeerMisbehaved::UnexpectedHandles);
    refused(&[(&twice, 2)], PeerMisbehaved::MissingHandles);
    refused(&[(&twice, 4)], PeerMisbehaved::UnexpectedHandles);
}
