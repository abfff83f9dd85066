//! The most memory that a hostile peer has another node use for messages: the product in docs/SECURITY.md, and how it is made small.

use super::stories::{against, gift, invented, message, nobody};
use crate::core::Window;
use crate::core::frame::{Body, Descriptor};
use crate::core::name::{Address, EndpointName};
use crate::core::tests::oracle::Hand;
use crate::core::tests::token::Token;
use crate::core::tests::world::name_of;
use crate::limits::{HELD_ORIGINS_MAX, HELD_WINDOWS, Limits};

const E: usize = 1;
const V: usize = 2;

/// Ends that the peer may bring, and brings. One more than there are origins, so that each name is known.
const ENDS: usize = HELD_ORIGINS_MAX + 1;
const WINDOW_BYTES: u64 = 1000;
const MESSAGE_BYTES: usize = 499;
/// Four windows have room for eight of these, and some bytes are left; the ninth crosses the line.
const MESSAGES: u64 = 9;
const MESSAGE_BYTES_MAX: usize = 500;

/// What one end keeps of one sender at most.
const ONE_MOST: u64 = HELD_WINDOWS * WINDOW_BYTES + MESSAGE_BYTES_MAX as u64;

fn large(sequence: u64) -> Body<Token> {
    let Body::User(mut parcel) = message(sequence, Vec::new()) else { unreachable!("it is one") };
    parcel.bytes = vec![7; MESSAGE_BYTES];
    Body::User(parcel)
}

#[test]
fn what_a_peer_has_us_keep_is_what_the_limits_say() {
    let limits = Limits {
        window_bytes: WINDOW_BYTES,
        message_bytes_max: MESSAGE_BYTES_MAX,
        link_endpoints_max: ENDS,
        ..Limits::default()
    };
    let mut story = against(3, E, limits.clone());
    let (at_e, at_v) = story.acquaint(E, V);
    let mut window = Window::new(&limits);
    window.granted = window.granted.times(HELD_WINDOWS);
    let mut ends = Vec::new();
    for known in 0..ENDS + 3 {
        let number = story.world.nodes[E].router.next_number_for(name_of(V));
        let peer = Address { node: nobody(known), endpoint: EndpointName { creator: nobody(known), number } };
        let given = story.give(at_e, at_v, vec![Descriptor { window, ..gift(E, number, peer) }]);
        ends.extend(given.into_iter().map(|end: Hand| (end, invented(E, 900 + number))));
    }
    for (end, prev) in &ends {
        for sequence in 0..MESSAGES {
            story.lie(E, *end, *prev, large(sequence));
        }
        for stranger in 0..HELD_ORIGINS_MAX + 1 {
            let speaker = EndpointName { creator: nobody(stranger), number: 7 };
            for sequence in 0..MESSAGES {
                story.lie(E, *end, speaker, large(sequence));
            }
        }
    }
    story.rest();
    story.verdict().expect("no honest link is dropped");

    let router = &story.world.nodes[V].router;
    let kept = |end: &Hand| {
        let endpoint = router.endpoints.get(&end.end).expect("it is there");
        let held = endpoint.held.as_ref().map(|held| held.by_origin(&router.peers));
        let held = held.into_iter().flat_map(|held| held.into_values()).map(|(count, _)| count.bytes);
        (endpoint.queue.count().bytes, held.sum::<u64>())
    };
    let (unread, held) =
        ends.iter().map(|(end, _)| kept(end)).fold((0, 0), |sum, end| (sum.0 + end.0, sum.1 + end.1));
    let most = ENDS as u64 * ONE_MOST;
    let nearly = |sum: u64, most: u64| (most - most / 50..=most).contains(&sum);
    assert!(nearly(unread, most), "{unread} bytes are unread, of {most}");
    let most = most * HELD_ORIGINS_MAX as u64;
    assert!(nearly(held, most), "{held} bytes are held back, of {most}");
}
