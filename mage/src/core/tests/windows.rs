//! Windows and held frames by themselves.

use super::scenarios::parcel;
use crate::core::frame::{Body, Parcel};
use crate::core::held::{Acquaintance, Guest, Held};
use crate::core::name::{Address, EndpointName, NodeName};
use crate::core::{Count, Window};
use crate::limits::{HELD_ORIGINS_MAX, Limits};

fn limits(messages: u64, bytes: u64) -> Limits {
    Limits { window_messages: messages, window_bytes: bytes, ..Limits::default() }
}

#[test]
fn a_sender_stops_at_either_limit() {
    let mut window = Window::new(&limits(2, 100));
    assert_eq!(window.spend(10), 0);
    assert!(window.has_room());
    assert_eq!(window.spend(10), 1);
    assert!(!window.has_room(), "two messages");
    let mut window = Window::new(&limits(9, 100));
    window.spend(99);
    assert!(window.has_room(), "a byte is left, and any room lets a message pass");
    window.spend(1000);
    assert!(!window.has_room(), "bytes");
    let mut window = Window::new(&limits(9, 100));
    window.spend(100);
    assert!(!window.has_room(), "no byte is left");
}

#[test]
fn a_reader_grants_by_half_windows() {
    let limits = limits(4, 1000);
    let mut window = Window::new(&limits);
    assert_eq!(window.consume(1, &limits), None);
    assert_eq!(window.consume(1, &limits), Some(Count { messages: 6, bytes: 1002 }));
    assert_eq!(window.consume(1, &limits), None);
    assert_eq!(window.consume(600, &limits), Some(Count { messages: 8, bytes: 1603 }), "bytes alone suffice");
}

#[test]
fn what_a_reader_admits_is_what_a_sender_may_send() {
    let limits = limits(3, 50);
    let (mut sender, reader) = (Window::new(&limits), Window::new(&limits));
    let mut queued = Count::default();
    while sender.has_room() {
        let number = sender.spend(20);
        assert!(reader.admits(number, queued));
        queued = queued.plus(20);
    }
    assert_eq!(queued.messages, 3);
    assert!(!reader.admits(3, queued), "one too many");
    assert!(!reader.admits(0, Count::default().plus(1)), "twice the same");
}

#[test]
fn limits_only_rise_and_only_so_far() {
    let limits = limits(4, 100);
    let mut window = Window::new(&limits);
    let most = Window::most(&limits);
    assert_eq!(most, Count { messages: 16, bytes: 400 });
    for (raised, limit) in [([6, 50], [6, 100]), ([1, 1], [6, 100]), ([16, 400], [16, 400])] {
        let [raised, limit] = [raised, limit].map(|[messages, bytes]| Count { messages, bytes });
        assert_eq!(window.raise(raised, most), Ok(()));
        assert_eq!(window.limit, limit);
    }
    assert!(!window.is_beyond(most));
    for [messages, bytes] in [[17, 0], [0, 401], [u64::MAX, u64::MAX]] {
        let limit = Count { messages, bytes };
        assert_eq!(window.raise(limit, most), Err(()));
        assert!(
            Window { limit, ..window }.is_beyond(most) && Window { granted: limit, ..window }.is_beyond(most)
        );
    }
    window.spend(30);
    assert_eq!(
        window.raise(Count { messages: 17, bytes: 430 }, most),
        Ok(()),
        "it is counted from what was sent"
    );
}

#[test]
fn numbers_from_elsewhere_are_checked() {
    let honest = Window::new(&limits(4, 100));
    assert!(honest.is_consistent());
    let sent = Count { messages: 5, bytes: 0 };
    assert!(!Window { sent, ..honest }.is_consistent());
    assert!(!Window { read: sent, ..honest }.is_consistent());
    let far = Count { messages: u64::MAX, bytes: u64::MAX };
    assert!(!Window { limit: far, ..honest }.is_consistent());
    assert!(!Window { granted: far, ..honest }.is_consistent());
    let end = Window { sent: far, limit: far, read: far, granted: far };
    assert!(!end.is_consistent(), "nobody comes so far");
}

/// Knows these names, each since one more name was known.
struct Names(Vec<NodeName>);

impl Acquaintance for Names {
    fn known_since(&self, name: NodeName) -> Option<u64> {
        self.0.iter().position(|known| *known == name).map(|position| position as u64)
    }

    fn names_known(&self) -> u64 {
        self.0.len() as u64
    }
}

fn node(byte: u8) -> NodeName {
    NodeName::from_bytes([byte; 16]).expect("not all zeros")
}

/// A sender on node 1 that `creator` has made.
fn guest(creator: u8, number: u64) -> Guest {
    let endpoint = EndpointName { creator: node(creator), number };
    let from = Address { node: node(1), endpoint };
    Guest { from, room: Count { messages: 2, bytes: 100 }, controls_max: 2 }
}

fn message(bytes: usize) -> Body<()> {
    Body::User(Parcel { bytes: vec![0; bytes], ..parcel(0, Vec::new()) })
}

#[test]
fn an_origin_over_its_budget_loses_what_it_has_and_no_other_does() {
    let names = Names(vec![node(1), node(2), node(3)]);
    let mut held = Held::default();
    for sender in [guest(2, 1), guest(3, 1)] {
        for _ in 0..2 {
            assert!(held.keep(sender, message(1), &names).is_empty());
        }
    }
    assert_eq!(held.keep(guest(2, 9), message(1), &names).len(), 3, "of the same origin");
    assert!(held.has_lost(guest(2, 1).from, &names));
    assert!(!held.has_lost(guest(3, 1).from, &names));
    assert_eq!(held.keep(guest(2, 1), message(1), &names).len(), 1, "it is remembered");
    assert_eq!(held.release(guest(3, 1).from).len(), 2);
    assert!(!held.is_empty(), "what has been lost is not forgotten");
}

#[test]
fn messages_bytes_and_controls_are_counted_each() {
    let names = Names(vec![node(1), node(2)]);
    let mut held = Held::default();
    assert!(held.keep(guest(2, 1), message(100), &names).is_empty());
    assert!(held.keep(guest(2, 1), Body::Credit(Count::default()), &names).is_empty());
    assert!(held.keep(guest(2, 1), Body::Credit(Count::default()), &names).is_empty());
    assert_eq!(held.messages(), 1);
    assert_eq!(held.keep(guest(2, 1), message(0), &names).len(), 4, "no byte was left");
    let mut held = Held::default();
    held.keep(guest(2, 1), Body::<()>::Ack, &names);
    held.keep(guest(2, 2), Body::Ack, &names);
    assert_eq!(held.keep(guest(2, 3), Body::Ack, &names).len(), 3);
}

/// So many origins of one node are kept, and whatever else they send.
#[test]
fn whoever_is_kept_already_is_not_one_too_many() {
    let makers = 2..=HELD_ORIGINS_MAX as u8 + 2;
    let names = Names((1..=*makers.end()).map(node).collect());
    for (first, second) in
        [(message(1), Body::Credit(Count::default())), (Body::Credit(Count::default()), message(1))]
    {
        let mut held = Held::default();
        for maker in makers.clone() {
            let refused = held.keep(guest(maker, 1), first.clone(), &names);
            assert_eq!(refused.len(), usize::from(maker == *makers.end()), "{maker}");
        }
        for body in [first, second] {
            assert!(held.keep(guest(2, 1), body, &names).is_empty());
        }
        let elsewhere = Guest { from: Address { node: node(2), ..guest(3, 1).from }, ..guest(3, 1) };
        assert!(held.keep(elsewhere, message(1), &names).is_empty(), "another node has its own");
    }
}

#[test]
fn what_is_released_is_no_longer_counted() {
    let names = Names(vec![node(1), node(2)]);
    let mut held = Held::default();
    for _ in 0..10 {
        assert!(held.keep(guest(2, 1), message(60), &names).is_empty());
        assert!(held.keep(guest(2, 1), message(60), &names).is_empty());
        assert_eq!(held.release(guest(2, 1).from).len(), 2);
    }
    assert!(held.is_empty());
}

#[test]
fn creators_that_nobody_knows_are_one_origin() {
    let mut names = Names(vec![node(1), node(2)]);
    let mut held = Held::default();
    held.keep(guest(2, 1), message(1), &names);
    held.keep(guest(7, 1), message(1), &names);
    held.keep(guest(8, 1), message(1), &names);
    assert_eq!(held.keep(guest(9, 1), message(1), &names).len(), 3, "of unknown creators");
    assert_eq!(held.messages(), 1, "the known one keeps its own");
    assert!(held.has_lost(guest(8, 1).from, &names));
    names.0.push(node(8));
    assert!(held.has_lost(guest(8, 1).from, &names), "known only since it has lost something");
    assert!(!held.has_lost(guest(2, 1).from, &names), "known before");
    names.0.retain(|name| *name != node(2));
    held.spoil(guest(2, 1).from, &Names(vec![node(1), node(2)]));
    assert!(held.has_lost(guest(2, 1).from, &names), "forgotten since");
}
