//! Models of an end that travels while its peer sends, or closes.
#![cfg(loom)]

use mage::{MessagePipe, Why};
use mage_loom::{Side, check, drain, join, pump, receive_end, send, send_with, thread};

/// Two nodes; the first has a pipe of its own, whose second end is to travel.
fn stage() -> (Side, Side, MessagePipe, MessagePipe) {
    let (near, far) = join();
    let (stays, travels) = near.node.create_message_pipes();
    (near, far, stays, travels)
}

/// As [`stage`], with the end already at the far node, and what that node answers still in the socket.
fn stage_of_the_arrived() -> (Side, Side, MessagePipe, MessagePipe) {
    let (mut near, mut far, stays, travels) = stage();
    send_with(&near.pipe, 0, Some(travels)).expect("the link is up");
    near.driver.turn();
    far.driver.turn();
    far.driver.turn();
    let arrived = receive_end(&far.pipe);
    (near, far, stays, arrived)
}

/// Nothing forwards any more, and `ends` are what is left on each side beside the first pipe.
fn settled(near: &mut Side, far: &mut Side, ends: [usize; 2]) {
    pump(&mut near.driver, &mut far.driver);
    let [here, there] = [near.node.inspect(), far.node.inspect()];
    assert_eq!([here.proxies, there.proxies], [0, 0]);
    assert_eq!([here.ends - 1, there.ends - 1], ends);
    assert!(here.faults.is_empty() && there.faults.is_empty());
}

/// M7. The race: an end leaves in a message while its peer sends to it. What was sent before travels with it, what is sent
/// after is forwarded, and nothing is lost, doubled or out of order.
///
/// Caught: an old place that drops what comes before the new one has answered, or forwards it at once; one that forwards what
/// waited only after it has been bypassed.
#[test]
fn what_meets_a_departing_end_arrives_once_and_in_order() {
    check(|| {
        let (mut near, mut far, stays, travels) = stage();
        let sender = thread::spawn(move || {
            send(&stays, 1).expect("the pipe is open");
            send(&stays, 2).expect("the pipe is open");
            stays
        });
        send_with(&near.pipe, 0, Some(travels)).expect("the link is up");
        let stays = sender.join().expect("the sender did not panic");
        pump(&mut near.driver, &mut far.driver);
        let arrived = receive_end(&far.pipe);
        settled(&mut near, &mut far, [1, 1]);
        assert_eq!(drain(&arrived), (vec![1, 2], None));
        drop(stays);
        settled(&mut near, &mut far, [0, 1]);
        assert_eq!(drain(&arrived), (vec![], Some(Why::Closed)));
    });
}

/// M7, one step later: the new place has answered, and the old one becomes a forwarder and then goes, all while the
/// peer sends.
///
/// Caught: an old place that forwards what waited only after it has been bypassed; a message that is numbered and directed under
/// one lock, and delivered under the next.
#[test]
fn what_meets_a_collapsing_forwarder_arrives_once_and_in_order() {
    check(|| {
        let (mut near, mut far, stays, arrived) = stage_of_the_arrived();
        let sender = thread::spawn(move || {
            send(&stays, 1).expect("the pipe is open");
            send(&stays, 2).expect("the pipe is open");
            stays
        });
        near.driver.turn();
        let stays = sender.join().expect("the sender did not panic");
        settled(&mut near, &mut far, [1, 1]);
        assert_eq!(drain(&arrived), (vec![1, 2], None));
        assert!(stays.is_direct() && arrived.is_direct());
    });
}

/// M7, on the way back: an end returns to where it came from while the link delivers to it.
///
/// Caught: an old place that drops what comes before the new one has answered; one that forwards it at once, while the message
/// that the end is in is appended to the outbox after the unlocking.
#[test]
fn what_meets_a_returning_end_arrives_once_and_in_order() {
    check(|| {
        let (mut near, mut far, stays, arrived) = stage_of_the_arrived();
        settled(&mut near, &mut far, [1, 1]);
        send(&stays, 1).expect("the pipe is open");
        send(&stays, 2).expect("the pipe is open");
        near.driver.turn();
        let sender = thread::spawn(move || {
            send_with(&far.pipe, 0, Some(arrived)).expect("the link is up");
            far.pipe
        });
        far.driver.turn();
        far.pipe = sender.join().expect("the sender did not panic");
        pump(&mut near.driver, &mut far.driver);
        let returned = receive_end(&near.pipe);
        settled(&mut near, &mut far, [2, 0]);
        assert_eq!(drain(&returned), (vec![1, 2], None));
        assert!(stays.is_direct() && returned.is_direct());
    });
}

/// M8. The race: an end leaves in a message while its peer sends a last word and closes.
///
/// Caught: an old place that forgets the end that came before the new one has answered.
#[test]
fn a_close_that_meets_a_departing_end_is_learnt_behind_the_last_message() {
    check(|| {
        let (mut near, mut far, stays, travels) = stage();
        let closer = thread::spawn(move || {
            send(&stays, 1).expect("the pipe is open");
            drop(stays);
        });
        send_with(&near.pipe, 0, Some(travels)).expect("the link is up");
        closer.join().expect("the closer did not panic");
        pump(&mut near.driver, &mut far.driver);
        let arrived = receive_end(&far.pipe);
        settled(&mut near, &mut far, [0, 1]);
        assert_eq!(drain(&arrived), (vec![1], Some(Why::Closed)));
        drop(arrived);
        settled(&mut near, &mut far, [0, 0]);
    });
}

/// M8, one step later: the peer closes while the old place becomes a forwarder; the arrived end closes as well.
///
/// Caught: the same, and a message that is numbered and directed under one lock, and delivered under the next.
#[test]
fn a_close_that_meets_a_collapsing_forwarder_leaves_nothing_behind() {
    check(|| {
        let (mut near, mut far, stays, arrived) = stage_of_the_arrived();
        let closer = thread::spawn(move || {
            send(&stays, 1).expect("the pipe is open");
            drop(stays);
        });
        near.driver.turn();
        closer.join().expect("the closer did not panic");
        pump(&mut near.driver, &mut far.driver);
        assert_eq!(drain(&arrived), (vec![1], Some(Why::Closed)));
        drop(arrived);
        settled(&mut near, &mut far, [0, 0]);
    });
}

/// M8, with both ends: each closes on its side of the link, while the old place becomes a forwarder.
///
/// Caught: an old place that forgets the end that came before the new one has answered.
#[test]
fn ends_that_close_on_both_sides_of_a_link_leave_nothing_behind() {
    check(|| {
        let (mut near, mut far, stays, arrived) = stage_of_the_arrived();
        let closer = thread::spawn(move || drop(stays));
        let other = thread::spawn(move || drop(arrived));
        near.driver.turn();
        closer.join().expect("the closer did not panic");
        other.join().expect("the closer did not panic");
        settled(&mut near, &mut far, [0, 0]);
    });
}
