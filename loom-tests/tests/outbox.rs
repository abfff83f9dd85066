//! Models of a link's outbox: many threads append, one driver takes.
#![cfg(loom)]

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use mage::Why;
use mage_loom::{Driver, Side, block_on, check, drain, join, pump, receive_end, send, send_with, thread};

/// Lets the near driver sleep and be woken until the far end has `count` messages.
fn drive_until(near: &mut Driver, far: &mut Side, count: usize) -> Vec<u8> {
    let mut got = Vec::new();
    block_on(poll_fn(|context| {
        assert!(Pin::new(&mut *near).poll(context).is_pending(), "the link is in use");
        far.driver.turn();
        got.extend(drain(&far.pipe).0);
        if got.len() < count { Poll::Pending } else { Poll::Ready(()) }
    }));
    got
}

/// M9. The race: a frame is appended between the driver's last look at the outbox and its parking.
///
/// Caught: a driver that parks without another look, and an append that does not hand out the driver's waker. The
/// driver sleeps for ever.
#[test]
fn an_append_while_the_driver_parks_wakes_it() {
    check(|| {
        let (near, mut far) = join();
        let Side { node, pipe, mut driver } = near;
        let sender = thread::spawn(move || {
            send(&pipe, 1).expect("the link is up");
            send(&pipe, 2).expect("the link is up");
            pipe
        });
        assert_eq!(drive_until(&mut driver, &mut far, 2), [1, 2]);
        drop((node, sender.join().expect("the sender did not panic")));
    });
}

/// M9, with two threads that append.
///
/// Caught: the same.
#[test]
fn appends_of_two_threads_while_the_driver_parks_wake_it() {
    check(|| {
        let (near, mut far) = join();
        let Side { node: _node, pipe, mut driver } = near;
        let pipe = Arc::new(pipe);
        let senders = [1, 2].map(|byte| {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || send(&pipe, byte).expect("the link is up"))
        });
        let mut got = drive_until(&mut driver, &mut far, 2);
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        for sender in senders {
            sender.join().expect("the sender did not panic");
        }
    });
}

/// The two sides after a message from the far one: the near driver sleeps and has lent its writer.
fn after_a_word() -> (Side, Side) {
    let (mut near, mut far) = join();
    pump(&mut near.driver, &mut far.driver);
    send(&far.pipe, 0).expect("the link is up");
    far.driver.turn();
    near.driver.turn();
    assert_eq!(drain(&near.pipe).0, [0]);
    (near, far)
}

/// M9, with a writer that is lent. The race: one of two senders writes by itself, the other appends meanwhile, and the driver
/// wakes and sleeps.
///
/// Caught: a writer that is put back without a look at what came meanwhile, or at a driver that has slept since; a driver
/// that sleeps on what another has left.
#[test]
fn senders_while_the_writer_is_lent_write_or_wake_the_driver() {
    check(|| {
        let (near, mut far) = after_a_word();
        let Side { node: _node, pipe, mut driver } = near;
        let pipe = Arc::new(pipe);
        let senders = [1, 2].map(|byte| {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || send(&pipe, byte).expect("the link is up"))
        });
        let mut got = drive_until(&mut driver, &mut far, 2);
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        for sender in senders {
            sender.join().expect("the sender did not panic");
        }
    });
}

/// The same, and what one thread sends stays in order.
///
/// Caught: a second frame that is written while the first is still in the hands of who took the writer.
#[test]
fn what_one_sender_says_while_the_writer_is_lent_stays_in_order() {
    check(|| {
        let (near, mut far) = after_a_word();
        let Side { node, pipe, mut driver } = near;
        let sender = thread::spawn(move || {
            send(&pipe, 1).expect("the link is up");
            send(&pipe, 2).expect("the link is up");
            pipe
        });
        assert_eq!(drive_until(&mut driver, &mut far, 2), [1, 2]);
        drop((node, sender.join().expect("the sender did not panic")));
    });
}

/// M10, with a writer that is lent: the last word is written by its sender, and the link closes behind it.
///
/// Caught: a driver that ends the link while its writer is away, and one that is not woken when it comes back.
#[test]
fn a_node_whose_last_word_is_written_by_its_sender_closes_behind_it() {
    check(|| {
        let (near, mut far) = after_a_word();
        let Side { node, pipe, driver } = near;
        let user = thread::spawn(move || {
            send(&pipe, 1).expect("the link is up");
            drop((pipe, node));
        });
        block_on(driver);
        user.join().expect("the user did not panic");
        far.driver.turn();
        assert!(far.driver.is_over());
        assert_eq!(drain(&far.pipe), (vec![1], Some(Why::Closed)));
    });
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
