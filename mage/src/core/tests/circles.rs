//! Circles: pipes that carry each other.
//!
//! Three of them are told apart. One that is whole on the node of whoever would close it is refused there, and the message
//! comes back. One that users of several nodes close together cannot be refused, for none of them does anything that he
//! might not have done alone; both pipes end, at all ends, and say why. And what only looks like one is let pass.

use super::oracle::{Hand, hand_at};
use super::scenarios::Story;
use super::world::BROKER;
use crate::core::probe::{Mark, take_marks};
use crate::error::{SendErrorKind, Why};

/// Two pipes of one node each carry an end of the other: they must not wait in each other.
#[test]
fn pipes_of_one_node_do_not_wait_in_each_other() {
    let mut story = Story::new(1);
    let [a, b] = story.oracle.create(&mut story.world, 0);
    let [c, d] = story.oracle.create(&mut story.world, 0);
    let [e, f] = story.oracle.create(&mut story.world, 0);
    story.send(a, &[d]).expect("d waits in b");
    assert_eq!(story.send(c, &[b]), Err(SendErrorKind::OverItself), "b would wait in d");
    story.send(e, &[b]).expect("b waits in f");
    assert_eq!(story.send(c, &[f]), Err(SendErrorKind::OverItself), "f would wait in d");
    assert_eq!(story.send(c, &[c]), Err(SendErrorKind::OverItself));
    assert_eq!(story.send(a, &[a]), Err(SendErrorKind::OverItself));
    assert_eq!(story.receive(f), [b]);
    assert_eq!(story.receive(b), [d]);
    story.send(c, &[b]).expect("the circle is open");
    assert_eq!(story.conclude(), Ok(()));
}

/// The other end of a pipe comes back, unread in another, while the way to it still leads through a second node. The circle is
/// whole here all the same, and is refused here.
#[test]
fn an_end_that_has_come_back_unread_is_seen() {
    let mut story = Story::new(2);
    let (near, far) = story.pipes[0];
    let [a, b] = story.oracle.create(&mut story.world, BROKER);
    let [c, d] = story.oracle.create(&mut story.world, BROKER);
    let b = story.carry(b, near, far);
    let d = story.carry(d, near, far);
    story.send(d, &[b]).expect("it may travel");
    while story.unread(c) == 0 {
        assert!(story.deliver(1, BROKER), "b comes back");
    }
    assert_eq!(story.peer_node(a), Some(1), "a still sends over there");
    assert_eq!(story.send(a, &[c]), Err(SendErrorKind::OverItself));
    let [b] = story.receive(c)[..] else { panic!("b has been read") };
    story.send(a, &[c]).expect("nothing waits in c any more");
    story.rest();
    assert_eq!(story.receive(b).len(), 1);
    assert_eq!(take_marks().get(&Mark::Enclosed), None);
    assert_eq!(story.conclude(), Ok(()));
}

/// Two nodes send the two ends over each other's pipes at the same time, and neither sees what the other does. The two pipes
/// chase one another until the hop limit ends them.
#[test]
fn pipes_that_chase_each_other_end_and_say_why() {
    let mut story = Story::new(2);
    let (near, far) = story.pipes[0];
    let [a, b] = story.oracle.create(&mut story.world, BROKER);
    let [c, d] = story.oracle.create(&mut story.world, BROKER);
    let b = story.carry(b, near, far);
    let d = story.carry(d, near, far);
    story.send(a, &[c]).expect("b is over there, in a user's hand");
    story.send(d, &[b]).expect("c is over there, in a user's hand");
    story.rest();
    assert_eq!(story.oracle.circles, 1);
    assert!(take_marks().contains_key(&Mark::Endless));
    assert_eq!([story.why(a), story.why(d)], [Some(Why::Circular); 2]);
    assert_eq!(story.conclude(), Ok(()));
}

/// The same, but the node that meets with both has a place of the one pipe, which keeps the message that carries the other and
/// in the meantime learns that its own end is back, in that other. So the circle closes on delivery.
///
/// ```text
///   broker, node 1:  b comes from node 1 to the broker, which sends it on to node 2 before node 1 has said that a
///                    may be heard by it; so its place at the broker holds what a sends
///   broker:          sends c over a                      node 2: sends b over d
/// ```
#[test]
fn a_circle_that_comes_to_light_on_delivery_ends_and_says_why() {
    let mut story = Story::new(3);
    let (one, two) = (story.pipes[0], story.pipes[1]);
    let [a, b] = story.oracle.create(&mut story.world, BROKER);
    let [c, d] = story.oracle.create(&mut story.world, BROKER);
    let b = story.carry(b, one.0, one.1);
    let d = story.carry(d, two.0, two.1);
    story.send(one.1, &[b]).expect("it may travel");
    while story.unread(one.0) == 0 {
        assert!(story.deliver(1, BROKER), "b comes to the broker");
    }
    let [b] = story.receive(one.0)[..] else { panic!("b has been read") };
    while story.peer_node(a) != Some(BROKER) {
        let _ = story.deliver(BROKER, 1);
        let _ = story.deliver(1, BROKER);
    }
    story.send(two.0, &[b]).expect("it may travel");
    story.all_but(1, BROKER);
    let [b] = story.receive(two.1)[..] else { panic!("b has been read") };
    story.send(a, &[c]).expect("b is in a user's hand");
    story.send(d, &[b]).expect("c is in a user's hand");
    story.all_but(1, BROKER);
    assert_eq!(take_marks().get(&Mark::Enclosed), None);
    story.rest();
    assert_eq!(take_marks().get(&Mark::Enclosed), Some(&1));
    assert_eq!(story.oracle.circles, 1);
    assert_eq!([story.why(a), story.why(d)], [Some(Why::Circular); 2]);
    assert_eq!(story.conclude(), Ok(()));
}

impl Story {
    fn unread(&self, hand: Hand) -> u64 {
        self.world.nodes[hand.node].router.status(hand.end).map_or(0, |status| status.unread_messages)
    }

    /// The node to which this end sends.
    fn peer_node(&self, hand: Hand) -> Option<usize> {
        let status = self.world.nodes[hand.node].router.status(hand.end)?;
        hand_at(hand.node, status.peer).map(|there| there.node)
    }

    fn why(&self, hand: Hand) -> Option<Why> {
        self.world.nodes[hand.node].router.status(hand.end)?.ended
    }
}

/// A pipe cannot be sent over itself, wherever its other end has gone meanwhile.
#[test]
fn a_pipe_does_not_travel_over_itself_by_a_detour() {
    let mut story = Story::new(3);
    let (one, two) = (story.pipes[0], story.pipes[1]);
    let [near, far] = story.oracle.create(&mut story.world, BROKER);
    let far = story.carry(far, one.0, one.1);
    let far = story.carry(far, one.1, one.0);
    assert_eq!(story.send(near, &[far]), Err(SendErrorKind::OverItself));
    assert_eq!(story.send(far, &[near]), Err(SendErrorKind::OverItself));
    let far = story.carry(far, two.0, two.1);
    let near = story.carry(near, two.0, two.1);
    assert_eq!(story.send(near, &[far]), Err(SendErrorKind::OverItself));
    assert_eq!(story.conclude(), Ok(()));
}

/// A pipe is not sent over itself either when its two ends bear different names since it was fused.
#[test]
fn a_fused_pipe_does_not_travel_over_itself() {
    let mut story = Story::new(2);
    let (near, far) = story.pipes[0];
    let [a, b] = story.oracle.create(&mut story.world, BROKER);
    let [c, d] = story.oracle.create(&mut story.world, BROKER);
    let b = story.carry(b, near, far);
    let c = story.carry(c, near, far);
    assert_eq!(story.world.run(1, |router| router.fuse(b.end, c.end)), Ok(()));
    story.oracle.hands.retain(|hand| ![b, c].contains(hand));
    story.send(a, &[d]).expect("nobody knows yet that they are one pipe");
    story.rest();
    assert_eq!(story.conclude(), Ok(()));
}
