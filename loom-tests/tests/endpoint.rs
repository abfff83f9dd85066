//! Models of one end of a pipe: several threads send, one reads.
#![cfg(loom)]

use std::sync::Arc;

use mage::Why;
use mage_loom::{check, drain, join, node, receive, send, thread};

/// M3. The race: a message is delivered between the reader's look at the empty queue and its parking.
///
/// Caught: a reader that looks and parks under two locks instead of one sleeps for ever.
#[test]
fn a_message_that_meets_the_first_read_is_seen_once() {
    check(|| {
        let (ours, theirs) = node().create_message_pipes();
        let sender = thread::spawn(move || {
            send(&ours, 1).expect("the reader is there");
            ours
        });
        assert_eq!(receive(&theirs), Ok(1));
        let ours = sender.join().expect("the sender did not panic");
        assert_eq!(drain(&theirs), (vec![], None));
        drop(ours);
        assert_eq!(drain(&theirs), (vec![], Some(Why::Closed)));
    });
}

/// M3, from another node: the driver delivers what it has read while the end is read for the first time.
///
/// Caught: the same.
#[test]
fn a_message_from_afar_that_meets_the_first_read_is_seen_once() {
    check(|| {
        let (mut near, mut far) = join();
        send(&near.pipe, 1).expect("the link is up");
        send(&near.pipe, 2).expect("the link is up");
        near.driver.turn();
        let delivery = thread::spawn(move || {
            far.driver.turn();
            far.driver
        });
        assert_eq!([receive(&far.pipe), receive(&far.pipe)], [Ok(1), Ok(2)]);
        let _driver = delivery.join().expect("the driver did not panic");
        assert_eq!(drain(&far.pipe), (vec![], None));
    });
}

/// M4. The race: two threads send through one end while the other end is read. Each thread's messages stay in order.
///
/// Caught: a message that is numbered under one lock and delivered under the next. The two change places, and the
/// receiving end takes that for a peer that breaks the rules.
#[test]
fn the_messages_of_each_of_two_senders_stay_in_order() {
    check(|| {
        let (ours, theirs) = node().create_message_pipes();
        let ours = Arc::new(ours);
        let senders = [10, 20].map(|first| {
            let ours = Arc::clone(&ours);
            thread::spawn(move || {
                send(&ours, first).expect("the reader is there");
                send(&ours, first + 1).expect("the reader is there");
            })
        });
        let got = [(); 4].map(|()| receive(&theirs).expect("four messages were sent"));
        for sender in senders {
            sender.join().expect("the sender did not panic");
        }
        let of =
            |first: u8| got.iter().copied().filter(move |byte| byte / 10 == first / 10).collect::<Vec<_>>();
        assert_eq!((of(10), of(20)), (vec![10, 11], vec![20, 21]));
    });
}
