//! Models of order: what one lock has put in order must stay in order on each link, and at each end.
//!
//! The receiving end is the judge. It takes a message only if its number is the next one, and ends the pipe as one whose
//! rules were broken if it is not.
#![cfg(loom)]

use std::sync::Arc;

use mage_loom::{check, drain, join, node, pump, receive_end, send, send_with, thread};

/// The race: two threads send over one link. The one whose message has the lower number is also the first in the
/// outbox.
///
/// Caught: frames that are appended to the outbox after the unlocking. One thread has number n, the other n + 1, and the
/// other appends first.
#[test]
fn numbers_and_frames_are_in_one_order() {
    check(|| {
        let (mut near, mut far) = join();
        let pipe = Arc::new(near.pipe);
        let senders = [10, 20].map(|first| {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || {
                send(&pipe, first).expect("the link is up");
                send(&pipe, first + 1).expect("the link is up");
            })
        });
        for sender in senders {
            sender.join().expect("the sender did not panic");
        }
        pump(&mut near.driver, &mut far.driver);
        let (got, why) = drain(&far.pipe);
        assert_eq!((got.len(), why), (4, None));
        let of =
            |first: u8| got.iter().copied().filter(move |byte| byte / 10 == first / 10).collect::<Vec<_>>();
        assert_eq!((of(10), of(20)), (vec![10, 11], vec![20, 21]));
    });
}

/// The race: two threads send to an end of the same node, and nobody reads meanwhile.
///
/// Caught: a message that is numbered under one lock and delivered under the next.
#[test]
fn numbers_and_local_deliveries_are_in_one_order() {
    check(|| {
        let (ours, theirs) = node().create_message_pipes();
        let ours = Arc::new(ours);
        let senders = [1, 2].map(|byte| {
            let ours = Arc::clone(&ours);
            thread::spawn(move || send(&ours, byte).expect("the pipe is open"))
        });
        for sender in senders {
            sender.join().expect("the sender did not panic");
        }
        let (mut got, why) = drain(&theirs);
        got.sort_unstable();
        assert_eq!((got, why), (vec![1, 2], None));
    });
}

/// The race: one thread sends an end away, another sends to the place it leaves, and a third makes the driver write. The
/// end is on its way before anything that is said to it there.
///
/// Caught: a message that is appended to the outbox after the unlocking, while the place that the end in it has left forwards at
/// once what comes. Either alone does no harm: what comes to such a place waits until the new one has answered.
#[test]
fn an_end_leaves_before_what_is_sent_after_it() {
    check(|| {
        let (mut near, mut far) = join();
        let (stays, travels) = near.node.create_message_pipes();
        let pipe = Arc::new(near.pipe);
        let mover = {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || send_with(&pipe, 1, Some(travels)).expect("the link is up"))
        };
        let sender = thread::spawn(move || {
            send(&stays, 3).expect("the pipe is open");
            stays
        });
        near.driver.turn();
        mover.join().expect("the mover did not panic");
        let _stays = sender.join().expect("the sender did not panic");
        pump(&mut near.driver, &mut far.driver);
        let arrived = receive_end(&far.pipe);
        assert_eq!(drain(&arrived), (vec![3], None));
        assert!(near.node.inspect().faults.is_empty() && far.node.inspect().faults.is_empty());
    });
}
