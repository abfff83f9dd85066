//! Costs that must not creep: counted, not timed, and pinned at what they are now with a little headroom.
//!
//! Everything of a test happens on its own thread, on the built-in loop, and is counted there.

use std::future::Future;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use mage::event_loop::EventLoop;
use mage::sched::{BoxFuture, Interest, Scheduler, Transfer, Watch};
use mage::{Interface, MessagePipe, Node, RawMessage, Receiver, Remote};
use mage_tests::counting::{Counting, counts};
use mage_tests::fixtures::{Echo, Notes, Slices, SlicesMessage};
use mage_tests::{EchoImpl, Watchdog};

#[global_allocator]
static COUNTING: Counting = Counting;

// ---- counting system calls

/// The loop's scheduler, and how often a socket was tried.
#[derive(Debug)]
struct Counted {
    inner: Arc<dyn Scheduler>,
    tries: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct CountedWatch {
    inner: Box<dyn Watch>,
    tries: Arc<AtomicUsize>,
}

impl Scheduler for Counted {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.inner.spawn(task);
    }

    fn watch(&self, fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        Ok(Box::new(CountedWatch { inner: self.inner.watch(fd)?, tries: Arc::clone(&self.tries) }))
    }
}

impl Watch for CountedWatch {
    fn poll_io(
        &mut self,
        context: &mut Context<'_>,
        interest: Interest,
        io: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<Transfer>,
    ) -> Poll<io::Result<usize>> {
        let tries = &self.tries;
        self.inner.poll_io(context, interest, &mut |socket| {
            tries.fetch_add(1, Ordering::Relaxed);
            io(socket)
        })
    }
}

// ---- what is measured

/// Runs a body on a loop of its own, with the scheduler that counts.
fn on_the_loop<F: Future>(body: impl FnOnce(Arc<dyn Scheduler>, Arc<AtomicUsize>) -> F) -> F::Output {
    let _watchdog = Watchdog::start();
    let mut event_loop = EventLoop::new().expect("an event loop");
    let tries = Arc::new(AtomicUsize::new(0));
    let scheduler = Counted { inner: event_loop.scheduler(), tries: Arc::clone(&tries) };
    let body = Box::pin(body(Arc::new(scheduler), tries));
    event_loop.run_until(body)
}

/// Two nodes of this thread, and a pipe from one to the other.
async fn linked(scheduler: &Arc<dyn Scheduler>) -> ([Node; 2], MessagePipe, MessagePipe) {
    let (near, far) = (Node::new(Arc::clone(scheduler)), Node::new(Arc::clone(scheduler)));
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let sent = near.send_invitation(ours).expect("a stream socket");
    let accepted = far.accept_invitation(theirs).await.expect("the other invites");
    ([near, far], sent, accepted)
}

/// A remote of one node that is served by another, both of this thread.
async fn served(scheduler: &Arc<dyn Scheduler>) -> Remote<dyn Echo> {
    let (_nodes, near, pipe) = linked(scheduler).await;
    let remote = Remote::<dyn Echo>::new(near);
    scheduler.spawn(Box::pin(async move {
        let _ = Receiver::<dyn Echo>::new(pipe).serve(&mut EchoImpl).await;
    }));
    remote
}

const CALLS: usize = 1000;
const TEXT: &str = "sixty-four bytes, as many as a short message of everyday has....";

async fn call(remote: &Remote<dyn Echo>, times: usize) {
    for _ in 0..times {
        assert_eq!(remote.text(TEXT).await.expect("it answers").len(), TEXT.len());
    }
}

/// Compares what one of many cost with what it may cost, in tenths.
fn expect_at_most(what: &str, sum: usize, count: usize, tenths_max: usize) {
    let tenths = sum * 10 / count;
    eprintln!("{what}: {}.{}", tenths / 10, tenths % 10);
    assert!(tenths <= tenths_max, "{what}: {tenths} tenths, where {tenths_max} were enough");
    assert!(
        tenths * 2 >= tenths_max,
        "{what}: {tenths} tenths, so far below {tenths_max} that the pin is loose"
    );
}

#[test]
fn system_calls_per_call() {
    on_the_loop(|scheduler, tries| async move {
        let remote = served(&scheduler).await;
        call(&remote, 10).await;
        let before = tries.load(Ordering::Relaxed);
        call(&remote, CALLS).await;
        expect_at_most("system calls per call", tries.load(Ordering::Relaxed) - before, CALLS, SYSTEM_CALLS);
    });
}

/// A read on either side is two, in tenths. The writes are not among them: in a dialogue the senders make them, behind the
/// back of the watch that counts here. A few messages of the protocol's own come on top.
const SYSTEM_CALLS: usize = 22;

#[test]
fn system_calls_per_message_of_many() {
    on_the_loop(|scheduler, tries| async move {
        let remote = served(&scheduler).await;
        call(&remote, 10).await;
        let before = tries.load(Ordering::Relaxed);
        const BURST: usize = 500;
        let calls: Vec<_> = (0..BURST).map(|_| remote.text(TEXT)).collect();
        for call in calls {
            call.await.expect("it answers");
        }
        let tries = tries.load(Ordering::Relaxed) - before;
        eprintln!("system calls for {BURST} calls at once: {tries}");
        assert!(
            tries < BURST / 10,
            "{tries} system calls for {BURST} calls: they are no longer written together"
        );
    });
}

#[test]
fn allocations_per_call() {
    on_the_loop(|scheduler, _tries| async move {
        let remote = served(&scheduler).await;
        call(&remote, 100).await;
        let before = counts().allocations;
        call(&remote, CALLS).await;
        expect_at_most("allocations per call", counts().allocations - before, CALLS, ALLOCATIONS_PER_CALL);
    });
}

const ALLOCATIONS_PER_CALL: usize = 41;

/// A text that is most of its message takes over the message's buffer. So what a raw receiver allocates for a message is
/// all that a typed one does: within a node nothing, and of another node's the buffer and what the link needs.
#[test]
fn what_is_most_of_a_message_takes_over_its_buffer() {
    on_the_loop(|scheduler, _tries| async move {
        for length in [64, 64 << 10] {
            let (text, data) = ("x".repeat(length), vec![7; length]);
            let sends: [&Send<'_, dyn Notes>; 2] =
                [&|notes| notes.say(&text).expect("there is room"), &|notes| {
                    notes.keep(1, &data, 2).expect("there is room")
                }];
            for send in sends {
                let node = Node::new(Arc::clone(&scheduler));
                assert_eq!(allocations_to_receive(send, node.create_message_pipes(), true).await, 0);
                let (_nodes, near, far) = linked(&scheduler).await;
                let raw = allocations_to_receive(send, (near, far), false).await;
                let (_nodes, near, far) = linked(&scheduler).await;
                let typed = allocations_to_receive(send, (near, far), true).await;
                eprintln!("allocations for {MESSAGES} messages of {length} bytes: raw {raw}, typed {typed}");
                assert!(typed <= raw, "{length} bytes: raw {raw}, typed {typed}");
            }
        }
    });
}

/// Slices of a message are counted, in one small allocation for all of them; beside it there is only what a raw receiver allocates
/// for the message. One that is alone at the end of a message that came from another node needs not even that, and what is
/// empty or absent is no slice.
#[test]
fn slices_of_a_message_have_one_count() {
    on_the_loop(|scheduler, _tries| async move {
        for length in [1, 64 << 10] {
            let (text, data) = ("x".repeat(length), vec![7; length]);
            let parts = [data.clone().into(), data.clone().into()];
            let three: &Send<'_, dyn Slices> =
                &|slices| slices.cut("a name", &parts, Some(&text), 7).expect("there is room");
            let alone: &Send<'_, dyn Slices> = &|slices| slices.keep("", &data).expect("there is room");
            let none: &Send<'_, dyn Slices> =
                &|slices| slices.cut("", &Default::default(), None, 7).expect("there is room");
            for (what, send, within, between) in
                [("three", three, 1, 1), ("alone", alone, 1, 0), ("none", none, 0, 0)]
            {
                let what = format!("{what} of {length} bytes");
                let node = Node::new(Arc::clone(&scheduler));
                let typed = allocations_to_receive(send, node.create_message_pipes(), true).await;
                assert!(typed <= within * MESSAGES, "{what}, within a node: {typed}");
                let (_nodes, near, far) = linked(&scheduler).await;
                let raw = allocations_to_receive(send, (near, far), false).await;
                let (_nodes, near, far) = linked(&scheduler).await;
                let typed = allocations_to_receive(send, (near, far), true).await;
                eprintln!("allocations for {MESSAGES} messages with {what}: raw {raw}, typed {typed}");
                assert!(typed <= raw + between * MESSAGES, "{what}: raw {raw}, typed {typed}");
            }
        }
    });
}

/// A slice keeps the buffer of its message, all of it, and the last one that goes frees it.
#[test]
fn slices_keep_their_message() {
    on_the_loop(|scheduler, _tries| async move {
        const BYTES: usize = 1 << 20;
        let (near, far) = Node::new(scheduler).create_message_pipes();
        let (remote, mut receiver) = (Remote::<dyn Slices>::new(near), Receiver::<dyn Slices>::new(far));
        let parts = [vec![7; BYTES].into(), b"part".to_vec().into()];
        let receive = async |receiver: &mut Receiver<dyn Slices>| {
            remote.cut("a name", &parts, Some("a comment"), 7).expect("there is room");
            let message = receiver.recv().await.expect("it is a message").expect("it arrives");
            let SlicesMessage::Cut { name, parts, comment, .. } = message else { panic!("{message:?}") };
            (name, parts, comment)
        };
        drop(receive(&mut receiver).await);
        let before = counts().bytes;
        let (name, [large, small], comment) = receive(&mut receiver).await;
        drop((name, large, comment));
        assert_eq!(&*small, b"part");
        let kept = counts().bytes - before;
        assert!(kept >= BYTES.cast_signed(), "{kept} bytes are kept");
        drop(small);
        let left = counts().bytes - before;
        assert!(left.abs() < 4096, "{left} bytes are left");
    });
}

const MESSAGES: usize = 8;

/// Sends one message.
type Send<'a, I> = dyn Fn(&Remote<I>) + 'a;

/// What it takes to receive some messages, each of which has been sent before.
async fn allocations_to_receive<I: Interface + ?Sized>(
    send: &Send<'_, I>,
    (near, far): (MessagePipe, MessagePipe),
    is_typed: bool,
) -> usize {
    let remote = Remote::new(near);
    // The first says what both ends speak.
    send(&remote);
    let mut sum = 0;
    if is_typed {
        let mut receiver = Receiver::<I>::new(far);
        receiver.recv().await.expect("it is a message").expect("it arrives");
        for _ in 0..MESSAGES {
            send(&remote);
            let before = counts().allocations;
            receiver.recv().await.expect("it is a message").expect("it arrives");
            sum += counts().allocations - before;
        }
    } else {
        far.recv().await.expect("it arrives");
        for _ in 0..MESSAGES {
            send(&remote);
            let before = counts().allocations;
            far.recv().await.expect("it arrives");
            sum += counts().allocations - before;
        }
    }
    sum
}

#[test]
fn allocations_per_local_message() {
    on_the_loop(|scheduler, _tries| async move {
        let (first, second) = Node::new(scheduler).create_message_pipes();
        let pass = async |times: usize| {
            for _ in 0..times {
                first
                    .try_send(RawMessage { bytes: vec![0; 64], ..RawMessage::default() })
                    .expect("there is room");
                second.recv().await.expect("it arrives");
            }
        };
        pass(100).await;
        let before = counts().allocations;
        pass(CALLS).await;
        expect_at_most(
            "allocations per local message",
            counts().allocations - before,
            CALLS,
            ALLOCATIONS_PER_MESSAGE,
        );
    });
}

const ALLOCATIONS_PER_MESSAGE: usize = 11;

#[test]
fn bytes_per_idle_pipe() {
    on_the_loop(|scheduler, _tries| async move {
        let node = Node::new(scheduler);
        let mut pipes = Vec::with_capacity(CALLS);
        let before = counts().bytes;
        for _ in 0..CALLS {
            pipes.push(node.create_message_pipes());
        }
        let bytes = usize::try_from(counts().bytes - before).expect("they take up room");
        expect_at_most("bytes per idle pipe", bytes, CALLS, 10 * BYTES_PER_PIPE);
        drop(pipes);
        assert!(counts().bytes - before < 4096, "{} bytes were left behind", counts().bytes - before);
    });
}

/// Both ends on one node.
const BYTES_PER_PIPE: usize = 500;

/// What this thread holds open comes and goes with what it does, so nothing is left when nothing is.
#[test]
fn nothing_grows_with_calls() {
    on_the_loop(|scheduler, _tries| async move {
        let remote = served(&scheduler).await;
        call(&remote, CALLS).await;
        let before = counts().bytes;
        call(&remote, CALLS).await;
        let grown = counts().bytes - before;
        assert!(grown.abs() < 4096, "{grown} bytes more after {CALLS} calls");
    });
}
