//! Models of a link's outbox: many threads append, one driver takes.
#![cfg(loom)]

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::future::AtomicWaker;
use mage::Why;
use mage_loom::{Side, block_on, check, drain, join, poll_once, pump, receive_end, send, send_with, thread};

/// Two sides, and what the near driver is at.
type Stage = fn() -> (Side, Side);

/// The near driver sleeps and has lent its writer: one message has come from the far side.
fn after_a_word() -> (Side, Side) {
    let (mut near, mut far) = join();
    pump(&mut near.driver, &mut far.driver);
    send(&far.pipe, 0).expect("the link is up");
    far.driver.turn();
    near.driver.turn();
    assert_eq!(drain(&near.pipe).0, [0]);
    (near, far)
}

/// The same, and the next message is there to be read: the driver is about to be polled, though nobody here has called for it.
fn before_a_word() -> (Side, Side) {
    let (near, mut far) = after_a_word();
    send(&far.pipe, 0).expect("the link is up");
    far.driver.turn();
    (near, far)
}

/// Whom to wake, in a model that has a driver and something else to see to.
#[derive(Default)]
struct Alarm {
    /// The driver has been woken, and not polled since.
    is_for_driver: AtomicBool,
    model: AtomicWaker,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.is_for_driver.store(true, Ordering::Relaxed);
        self.model.wake();
    }
}

/// Threads that send these bytes, each its own, while the near driver works, sleeps and is woken. Returns what arrives.
///
/// The driver is polled once, and then when it has been woken. A sender that is through only says that it is time to
/// look at the far end, for it may have written by itself.
fn senders<const THREADS: usize>(stage: Stage, bytes: [&'static [u8]; THREADS]) -> Vec<u8> {
    let (near, mut far) = stage();
    let Side { node: _node, pipe, mut driver } = near;
    let (pipe, alarm) = (Arc::new(pipe), Arc::new(Alarm::default()));
    let senders = bytes.map(|bytes| {
        let (pipe, alarm) = (Arc::clone(&pipe), Arc::clone(&alarm));
        thread::spawn(move || {
            bytes.iter().for_each(|byte| send(&pipe, *byte).expect("the link is up"));
            alarm.model.wake();
        })
    });
    let mut got = Vec::new();
    alarm.is_for_driver.store(true, Ordering::Relaxed);
    block_on(poll_fn(|context| {
        alarm.model.register_by_ref(context.waker());
        if alarm.is_for_driver.swap(false, Ordering::Relaxed) {
            let waker = Waker::from(Arc::clone(&alarm));
            let polled = Pin::new(&mut driver).poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending(), "the link is in use");
        }
        far.driver.turn();
        got.extend(drain(&far.pipe).0);
        if got.len() < bytes.concat().len() { Poll::Pending } else { Poll::Ready(()) }
    }));
    for sender in senders {
        sender.join().expect("the sender did not panic");
    }
    got
}

fn sorted(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.sort_unstable();
    bytes
}

/// One thread sends a last word, another drops the node, while the near driver works. The link closes behind the word.
fn last_word(stage: Stage) {
    let (near, mut far) = stage();
    let Side { node, pipe, driver } = near;
    let sender = thread::spawn(move || {
        send(&pipe, 1).expect("the link is up");
        drop(pipe);
    });
    let ender = thread::spawn(move || drop(node));
    block_on(driver);
    sender.join().expect("the sender did not panic");
    ender.join().expect("the ender did not panic");
    far.driver.turn();
    assert!(far.driver.is_over());
    assert_eq!(drain(&far.pipe), (vec![1], Some(Why::Closed)));
}

/// M9. The race: a frame is appended between the driver's last look at the outbox and its parking.
///
/// Caught: a driver that parks without another look, and an append that does not hand out the driver's waker. The
/// driver sleeps for ever.
#[test]
fn an_append_while_the_driver_parks_wakes_it() {
    check(|| assert_eq!(senders(join, [&[1, 2]]), [1, 2]));
}

/// M9, with two threads that append.
///
/// Caught: the same.
#[test]
fn appends_of_two_threads_while_the_driver_parks_wake_it() {
    check(|| assert_eq!(sorted(senders(join, [&[1], &[2]])), [1, 2]));
}

/// M9, with a writer that is lent. The race: one of two senders writes by itself, the other appends meanwhile, and the driver
/// wakes and sleeps.
///
/// Caught: a writer that is put back without a look at what came meanwhile, or at a driver that has slept since; a driver
/// that sleeps on what another has left; a second frame that is written while the first is still in the hands of who took
/// the writer.
#[test]
fn senders_while_the_writer_is_lent_write_or_wake_the_driver() {
    check(|| assert_eq!(sorted(senders(after_a_word, [&[1], &[2]])), [1, 2]));
}

/// The same, and what one thread sends stays in order.
///
/// Caught: a driver that parks without another look, or sleeps on what another has left, and an append behind the loan that
/// does not hand out the driver's waker.
#[test]
fn what_one_sender_says_while_the_writer_is_lent_stays_in_order() {
    check(|| assert_eq!(senders(after_a_word, [&[1, 2]]), [1, 2]));
}

/// M9, with a driver that is polled because there is something to read. The race: what the senders append finds it asleep by
/// all that the outbox knows, and its writer lent, before, between and after its looks.
///
/// Caught: the same as by both of these.
#[test]
fn senders_while_the_driver_reads_write_or_wake_it() {
    check(|| assert_eq!(sorted(senders(before_a_word, [&[1], &[2]])), [1, 2]));
}

/// M10, with a writer that is lent: the last word is written by its sender, and the link closes behind it.
///
/// Caught: a driver that takes the frames under one lock and asks under the next how the link is to end; one that parks
/// without another look, or sleeps on what another has left; a last user who does not wake it.
#[test]
fn a_node_whose_last_word_is_written_by_its_sender_closes_behind_it() {
    check(|| last_word(after_a_word));
}

/// M10, with a driver that is polled because there is something to read.
///
/// Caught: the same.
#[test]
fn a_node_that_ends_while_its_driver_reads_closes_behind_the_last_word() {
    check(|| last_word(before_a_word));
}

/// One thread writes by itself, another sends these bytes and shuts the node down, while the near driver has something to
/// read. What was sent before is written before the link closes.
fn shutdown(words: &'static [u8]) {
    let (near, mut far) = before_a_word();
    let Side { node, pipe, driver } = near;
    let pipe = Arc::new(pipe);
    let _open = Arc::clone(&pipe); // closing it would wake the driver again
    let writer = {
        let pipe = Arc::clone(&pipe);
        thread::spawn(move || drop(send(&pipe, 0))) // which is refused if the link is closed by then
    };
    let ender = thread::spawn(move || {
        words.iter().for_each(|byte| send(&pipe, *byte).expect("the link is up"));
        let _closes_in_the_background = poll_once(node.shutdown());
    });
    block_on(driver);
    writer.join().expect("the writer did not panic");
    ender.join().expect("the ender did not panic");
    far.driver.turn();
    assert!(far.driver.is_over());
    let (mut got, why) = drain(&far.pipe);
    got.retain(|byte| *byte != 0);
    assert!(got == words && why.is_some(), "{got:?} {why:?}");
}

/// M10, with a node that is shut down while somebody writes by itself: the end comes while the writer is away.
///
/// Caught: a driver that is not woken when its writer comes back to a link that is to end.
#[test]
fn a_node_that_is_shut_down_while_a_sender_writes_closes() {
    check(|| shutdown(&[]));
}

/// The same, with a frame that was appended meanwhile.
///
/// Caught: a driver that ends the link while its writer is away, and a writer that is dropped because the driver is at work
/// when it comes back.
#[test]
fn a_node_that_is_shut_down_while_a_sender_writes_closes_behind_what_was_sent() {
    check(|| shutdown(&[1]));
}

/// M10. The race: two threads each send a last word and drop the last handles of their node, while the driver works. The
/// link closes when everything has been written, and not before.
///
/// Caught: a driver that takes the frames under one lock and asks under the next how the link is to end closes on a frame
/// that came in between; one that parks without another look, and a last user who does not wake it, leave the link open
/// for ever.
#[test]
fn a_node_that_nobody_uses_any_more_writes_everything_and_closes() {
    check(|| {
        let (mut near, mut far) = join();
        let (stays, travels) = near.node.create_message_pipes();
        send_with(&near.pipe, 0, Some(travels)).expect("the link is up");
        pump(&mut near.driver, &mut far.driver);
        let arrived = receive_end(&far.pipe);
        let Side { node, pipe, driver } = near;
        drop(node);
        let users = [(pipe, 1), (stays, 2)].map(|(end, byte)| {
            thread::spawn(move || {
                send(&end, byte).expect("the link is up");
                drop(end);
            })
        });
        block_on(driver);
        far.driver.turn();
        assert!(far.driver.is_over());
        assert_eq!(drain(&far.pipe), (vec![1], Some(Why::Closed)));
        assert_eq!(drain(&arrived), (vec![2], Some(Why::Closed)));
        for user in users {
            user.join().expect("the user did not panic");
        }
    });
}

/// M10, when it is the node itself that appends: the last handle is dropped while the driver acts on what came in.
/// What was still waiting for the new place is delivered, or its loss is told.
///
/// Caught: a last user who does not wake the driver; a link that goes without a word to the ends that were reached by it.
#[test]
fn a_node_that_nobody_uses_any_more_answers_or_closes() {
    check(|| {
        let (mut near, mut far) = join();
        let (stays, travels) = near.node.create_message_pipes();
        send_with(&near.pipe, 0, Some(travels)).expect("the link is up");
        send(&stays, 1).expect("the pipe is open");
        near.driver.turn();
        far.driver.turn();
        far.driver.turn();
        let arrived = receive_end(&far.pipe);
        let Side { node, pipe, driver } = near;
        drop((node, pipe));
        let user = thread::spawn(move || drop(stays));
        block_on(driver);
        user.join().expect("the user did not panic");
        far.driver.turn();
        assert!(far.driver.is_over());
        match drain(&arrived) {
            (bytes, Some(Why::Closed)) => assert_eq!(bytes, [1]),
            (_, why) => assert_eq!(why, Some(Why::PeerDied)),
        }
        assert_eq!(drain(&far.pipe), (vec![], Some(Why::Closed)));
    });
}
