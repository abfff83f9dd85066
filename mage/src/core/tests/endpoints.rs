//! Single endpoints: what one frame does to one of them, how they are counted, and what can be seen of them.

use std::cell::Cell;

use super::admissions::{name, welcome};
use super::boundaries::{carrying, draft, end, guest, says};
use super::scenarios::Story;
use super::world::BROKER;
use crate::core::effect::{Effect, LinkId};
use crate::core::endpoint::{Endpoint, State};
use crate::core::frame::{Body, Control, Descriptor, Ends, Frame, Parcel, Welcome};
use crate::core::name::{Address, EndpointName, NodeName, PipeName};
use crate::core::proxying::Proxying;
use crate::core::referrers::Referrers;
use crate::core::table::Endpoints;
use crate::core::{Count, Draft, PipeLabel, Received, Router, Side, Window};
use crate::error::{FuseError, SendErrorKind, Why};
use crate::limits::{HOPS_MAX, Limits, PIPE_LABEL_BYTES_MAX};

/// An end at the inviter's, of this number.
fn there(number: u64) -> Address {
    Address { node: name(1), endpoint: EndpointName { creator: name(1), number } }
}

fn descriptors(numbers: &[u64]) -> impl Iterator<Item = Descriptor> {
    let Frame::Control(Control::Welcome(Welcome { pipes, .. })) = welcome(numbers, None) else {
        panic!("another frame")
    };
    pipes.into_iter().map(|(_, descriptor)| descriptor)
}

/// What the node of [`guest`] says to the inviter, with the router's effects taken.
fn said(router: &mut Router<u8>) -> Vec<Body<u8>> {
    let said = |effect| match effect {
        Effect::Transmit { frame: Frame::Endpoint { body, .. }, .. } => Some(body),
        _ => None,
    };
    std::mem::take(&mut router.effects_mut().list).into_iter().filter_map(said).collect()
}

fn on_frame(router: &mut Router<u8>, link: LinkId, frame: Frame<u8>) {
    router.on_frame(link, frame).expect("nobody's fault");
}

fn why_ended(router: &Router<u8>, end: EndpointName) -> Option<Why> {
    router.status(end).expect("it is there").ended
}

/// The first message that goes over the edge is taken: of its ends those over it are dead. The next is not.
#[test]
fn a_peer_and_all_peers_bring_so_many_ends() {
    const MANY: usize = 1000;
    for (of_link, of_all, living) in [(4, MANY, 2), (3, MANY, 1), (MANY, 4, 2), (MANY, 3, 1), (MANY, MANY, 3)]
    {
        let limits = Limits { link_endpoints_max: of_link, endpoints_max: of_all, ..Limits::default() };
        let (mut router, link) = guest(limits);
        let to = end(&router, 1);
        let bring = |ends: Vec<Descriptor>, sequence| {
            let Body::User(parcel) = carrying(1, None) else { panic!("another frame") };
            says(to, Body::User(Parcel { sequence, ends: Ends::Moved(ends.into()), ..parcel }))
        };
        on_frame(&mut router, link, bring(descriptors(&[3, 4, 5]).collect(), 0));
        let alive = [3, 4, 5].map(|number| why_ended(&router, end(&router, number)));
        let expected = [0, 1, 2].map(|at| (at >= living).then_some(Why::Unreachable));
        assert_eq!(alive, expected, "{of_link} of a link, {of_all} of all");
        let crowded = (living < 3).then_some(Why::Unreachable);
        assert_eq!(why_ended(&router, to), None);
        on_frame(&mut router, link, bring(Vec::new(), 1));
        assert_eq!(why_ended(&router, to), None, "a message without ends is welcome");
        on_frame(&mut router, link, bring(descriptors(&[6]).collect(), 2));
        assert_eq!(why_ended(&router, to), crowded, "{of_link} of a link, {of_all} of all");
    }
}

/// What is wrong with a message is the reason why its pipe ends.
#[test]
fn a_message_that_cannot_be_taken_ends_the_pipe_and_says_why() {
    let parcel = |sequence, hops, handles_lost| {
        let Body::User(parcel) = carrying(hops, None) else { panic!("another frame") };
        Parcel { sequence, handles_lost, ..parcel }
    };
    let carrying = |sequence, hops, parcel: Parcel<u8>| Parcel {
        sequence,
        hops,
        ends: Ends::Moved(descriptors(&[3]).collect::<Vec<_>>().into()),
        ..parcel
    };
    let plain = || parcel(0, 1, false);
    for (wrong, parcel, why) in [
        ("nothing", plain(), None),
        ("nothing, and an end", carrying(0, 1, plain()), None),
        ("its number", parcel(1, 1, false), Some(Why::BrokenRules)),
        ("its number, and an end", carrying(1, 1, plain()), Some(Why::BrokenRules)),
        ("its number, and its hops", carrying(1, HOPS_MAX + 1, plain()), Some(Why::BrokenRules)),
        ("its hops", carrying(0, HOPS_MAX + 1, plain()), Some(Why::Circular)),
        ("its handles", parcel(0, 1, true), Some(Why::HandlesLost)),
    ] {
        let (mut router, link) = guest(Limits::default());
        let to = end(&router, 1);
        on_frame(&mut router, link, says(to, Body::User(parcel)));
        assert_eq!(why_ended(&router, to), why, "{wrong}");
        let unread = router.status(to).expect("it is there").unread_messages;
        assert_eq!(unread, u64::from(why.is_none()), "{wrong}");
    }
}

/// Plain messages may have come any way: a place passes them on, however often that was done before.
#[test]
fn a_place_passes_plain_messages_on_for_ever() {
    for hops in [1, HOPS_MAX, HOPS_MAX + 1] {
        let (mut router, link) = guest(Limits::default());
        let [first, second] = [1, 2].map(|number| end(&router, number));
        router.fuse(first, second).expect("they are fresh");
        assert!(!router.is_drained(), "two places");
        assert_eq!((router.endpoints.places(), router.statuses().len()), (2, 2));
        said(&mut router);
        on_frame(&mut router, link, says(first, carrying(hops, None)));
        let passed = said(&mut router).into_iter().map(|body| match body {
            Body::User(parcel) => parcel.hops,
            body => panic!("{body:?}"),
        });
        assert_eq!(passed.collect::<Vec<_>>(), [(hops + 1).min(HOPS_MAX + 1)]);
    }
}

/// The node that a message came from is its source, unless it has only passed it on.
#[test]
fn the_source_of_a_message_is_where_the_other_end_is() {
    for (hops, source) in [(1, name(1)), (2, name(9)), (3, name(9))] {
        let (mut router, link) = guest(Limits::default());
        let to = end(&router, 1);
        on_frame(&mut router, link, says(to, carrying(hops, None)));
        router.endpoints.get_mut(&to).expect("it is there").set_peer(Address { node: name(9), ..there(1) });
        let Received::Message(message) = router.receive(to) else { panic!("it has come") };
        assert_eq!(message.source, source, "{hops} hops");
    }
}

/// Only the peer may ask to be bypassed. Whoever else does learns that there is nothing here for it.
#[test]
fn a_stranger_who_asks_to_be_bypassed_is_told() {
    for (number, told) in [(1, Body::<u8>::Ack), (2, Body::Gone), (3, Body::Gone)] {
        let (mut router, link) = guest(Limits::default());
        let to = end(&router, 1);
        said(&mut router);
        let body = Body::Bypass(there(9));
        on_frame(&mut router, link, Frame::Endpoint { to, from: there(number).endpoint, body });
        let said = format!("{:?}", said(&mut router));
        assert_eq!(said, format!("{:?}", [told]), "asked by {number}");
        let peer = router.status(to).expect("it is there").peer;
        assert_eq!(peer, there(if number == 1 { 9 } else { 1 }));
    }
}

/// Somebody says its last word, and then something more, before it is known that it is to be heard.
#[test]
fn nothing_is_heard_behind_the_last_word() {
    let (mut router, link) = guest(Limits::default());
    let to = end(&router, 1);
    let from = there(7).endpoint;
    let Body::User(parcel) = carrying(1, None) else { panic!("another frame") };
    let more = Body::User(Parcel { handles: vec![5].into(), ..parcel });
    for body in [Body::End(Why::Closed), more] {
        on_frame(&mut router, link, Frame::Endpoint { to, from, body });
    }
    on_frame(&mut router, link, says(to, Body::PrevIs(there(7))));
    assert!(matches!(router.receive(to), Received::Ended(Why::Closed)));
    assert_eq!(router.effects_mut().trash, [5]);
}

/// An end has been sent away, and at its old place there arrive a message and the last word. They wait for the new place, and
/// go there in their order.
#[test]
fn nothing_overtakes_what_waits_for_the_new_place() {
    let (mut router, link) = guest(Limits::default());
    let over = end(&router, 1);
    let (stays, leaves) = router.create_pipe();
    let carrying = Draft { ends: vec![leaves].into(), ..draft(0) };
    router.send(over, carrying).expect("it may travel");
    said(&mut router);
    let place = router.status(leaves).expect("it is there").peer;
    router.send(stays, draft(0)).expect("there is room");
    router.close(stays, Why::Closed);
    assert!(said(&mut router).is_empty());
    on_frame(&mut router, link, Frame::Endpoint { to: leaves, from: place.endpoint, body: Body::Accepted });
    assert!(matches!(said(&mut router)[..], [Body::User(_), Body::End(Why::Closed)]));
}

/// An end travels to somebody who arrives, or does not. Whoever hears it is told who speaks now, or that nobody does; but nothing
/// if it has been told the end before.
#[test]
fn nothing_is_said_behind_the_last_word() {
    for (arrives, ended) in [(true, false), (true, true), (false, false), (false, true)] {
        let (mut router, link) = guest(Limits::default());
        let [leaves, over] = [1, 2].map(|number| end(&router, number));
        if ended {
            on_frame(&mut router, link, says(leaves, Body::End(Why::Closed)));
        }
        if !arrives {
            let stranger = Address { node: name(9), ..there(2) };
            router.refer(over, stranger.node, name(1));
            router.endpoints.get_mut(&over).expect("it is there").set_peer(stranger);
        }
        router.send(over, Draft { ends: vec![leaves].into(), ..draft(0) }).expect("it may travel");
        said(&mut router);
        let place = router.status(leaves).expect("it is there").peer.endpoint;
        on_frame(
            &mut router,
            link,
            if arrives {
                Frame::Endpoint { to: leaves, from: place, body: Body::Accepted }
            } else {
                Frame::Control(Control::IntroductionFailed { name: name(9) })
            },
        );
        let to_who_hears_it = std::mem::take(&mut router.effects_mut().list).into_iter().filter(|effect| {
            matches!(effect, Effect::Transmit { frame: Frame::Endpoint { to, .. }, .. } if *to == there(1).endpoint)
        });
        let told = to_who_hears_it.map(|effect| match effect {
            Effect::Transmit { frame: Frame::Endpoint { body: Body::PrevIs(_), .. }, .. } => "who speaks now",
            Effect::Transmit { frame: Frame::Endpoint { body: Body::End(_), .. }, .. } => "the end",
            effect => panic!("{effect:?}"),
        });
        let expected = match (ended, arrives) {
            (true, _) => None,
            (false, true) => Some("who speaks now"),
            (false, false) => Some("the end"),
        };
        assert_eq!(told.collect::<Vec<_>>(), expected.as_slice(), "arrives: {arrives}, ended: {ended}");
    }
}

/// Whom it speaks to is gone, though whom it hears is not: it can only read.
#[test]
fn an_end_whose_peer_is_gone_can_be_read() {
    let (mut router, link) = guest(Limits::default());
    let to = end(&router, 1);
    let stranger = Address { node: name(9), ..there(1) };
    let body = Body::Bypass(stranger);
    on_frame(&mut router, link, Frame::Endpoint { to, from: there(1).endpoint, body });
    router.send(to, draft(0)).expect("it waits");
    let failed = Control::IntroductionFailed { name: name(9) };
    on_frame(&mut router, link, Frame::Control(failed));
    let refused = router.send(to, draft(0)).map_err(|refused| refused.why);
    assert_eq!(refused, Err(SendErrorKind::Disconnected));
    on_frame(&mut router, link, says(to, carrying(1, None)));
    assert!(matches!(router.receive(to), Received::Message(_)));
    assert!(matches!(router.receive(to), Received::Empty));
}

/// Two ends are direct if each speaks to the other and hears it, and both are ends.
#[test]
fn a_way_is_direct_if_nothing_is_in_between() {
    let (mut router, _) = guest(Limits::default());
    let direct = |router: &Router<u8>, end| router.status(end).expect("it is there").direct;
    let (near, far) = router.create_pipe();
    let elsewhere = Address::here(router.create_pipe().0);
    type Change = fn(&mut Endpoint<u8>, Address);
    let changes: [(Change, [bool; 2]); 4] = [
        (|_, _| {}, [true, true]),
        (|far, elsewhere| far.set_peer(elsewhere), [false, false]),
        (|far, elsewhere| far.set_prev(elsewhere), [false, false]),
        (
            |far, _| far.state = State::Proxying(Box::new(Proxying::new(Count::default(), Count::default()))),
            [false, true],
        ),
    ];
    for (at, (change, expected)) in changes.into_iter().enumerate() {
        let mut router = router.clone();
        change(router.endpoints.get_mut(&far).expect("it is there"), elsewhere);
        assert_eq!([near, far].map(|end| direct(&router, end)), expected, "{at}");
    }
    let mut remote = |peer, prev| {
        let remote = router.endpoints.get_mut(&near).expect("it is there");
        remote.set_peer(peer);
        remote.set_prev(prev);
        direct(&router, near)
    };
    assert!(remote(there(1), there(1)), "nobody here can know better");
    assert!(!remote(there(1), there(2)));
}

#[test]
fn whatever_comes_goes_and_changes_is_counted() {
    let place = || State::Proxying(Box::new(Proxying::new(Count::default(), Count::default())));
    let fresh = |name| {
        let pipe = PipeName { creator: NodeName::LOCAL, number: 1 };
        let other = Address::here(name);
        Endpoint::<u8>::new(pipe, Side::First, other, other, Window::new(&Limits::default()))
    };
    let left = |name| {
        let mut endpoint = fresh(name);
        endpoint.state = place();
        endpoint
    };
    let [one, two] = [1, 2].map(|number| EndpointName { creator: NodeName::LOCAL, number });
    let mut table = Endpoints::default();
    let counts = |table: &Endpoints<u8>| (table.len(), table.places());
    table.insert(one, fresh(one));
    table.insert(one, fresh(one));
    assert_eq!(counts(&table), (1, 0), "the same name again");
    table.insert(two, left(two));
    table.insert(two, left(two));
    assert_eq!(counts(&table), (2, 1));
    table.vacate(&one, place());
    table.vacate(&one, place());
    assert_eq!(counts(&table), (2, 2), "it has left once");
    table.insert(one, fresh(one));
    assert_eq!(counts(&table), (2, 1), "an end is where a place was");
    table.remove(&two);
    table.remove(&two);
    assert_eq!(counts(&table), (1, 0));
}

/// A queue that was short is kept for the messages to come, and one that was long is not.
#[test]
fn queues_keep_little_memory() {
    for (messages, kept) in [(0, false), (1, true), (1000, false)] {
        let mut router = Router::new(Limits::default());
        let (near, far) = router.create_pipe();
        let capacity =
            |router: &Router<u8>| router.endpoints.get(&far).expect("it is there").queue.capacity();
        for _ in 0..messages {
            router.send(near, draft(0)).expect("there is room");
        }
        for left in (0..messages).rev() {
            assert!(matches!(router.receive(far), Received::Message(_)));
            assert!(left == 0 || capacity(&router) > 0, "there are more");
        }
        assert_eq!(capacity(&router) > 0, kept, "after {messages} messages");
        assert!(capacity(&router) < 100);
    }
}

/// Whoever refers to a name that is asked for is remembered, and few others; that costs a few steps for each.
#[test]
fn those_who_refer_to_a_stranger_are_remembered() {
    const LIVING: u64 = 1000;
    let (mut referrers, looked) = (Referrers::default(), Cell::new(0_u64));
    let named = |number| EndpointName { creator: NodeName::LOCAL, number };
    let refers = |name: &EndpointName| {
        looked.set(looked.get() + 1);
        name.number <= LIVING
    };
    (1..=10 * LIVING).for_each(|number| referrers.add(named(number), refers));
    assert!(referrers.len() as u64 <= 3 * LIVING, "{} are remembered", referrers.len());
    let looked = looked.get();
    assert!(looked <= 30 * LIVING, "{looked} looks");
    let mut names = referrers.into_names().into_iter();
    assert!((1..=LIVING).all(|number| names.next() == Some(named(number))));
    // Those of whom it is known that they do not refer to it any more.
    let (mut router, _) = guest(Limits::default());
    router.refer(end(&router, 1), name(9), name(1));
    for _ in 0..LIVING {
        let (near, far) = router.create_pipe();
        router.note_reference(near, name(9));
        router.note_reference(far, name(9));
    }
    let remembered = router.mark_lost(name(9)).len() as u64;
    assert!(remembered < 100, "{remembered} are remembered");
}

#[test]
fn a_frame_knows_of_its_descriptors() {
    let to = there(1).endpoint;
    let message = |handles: &[u8], handles_lost| {
        let Body::User(parcel) = carrying(1, None) else { panic!("another frame") };
        says(to, Body::User(Parcel { handles: handles.to_vec().into(), handles_lost, ..parcel }))
    };
    for (frame, has, lost) in [
        (message(&[], false), false, false),
        (message(&[1], false), true, false),
        (message(&[], true), false, true),
        (says(to, Body::Ack), false, false),
        (Frame::Control(Control::Introduce { name: name(1), socket: 1 }), true, false),
        (Frame::Control(Control::Admit { guest: 1, name: name(1), socket: 1 }), true, false),
        (Frame::Control(Control::RefuseAdmission { guest: 1 }), false, false),
        (welcome(&[1], None), false, false),
        (welcome(&[1], Some(1)), true, false),
    ] {
        assert_eq!((frame.has_handles(), frame.has_lost_handles()), (has, lost), "{frame:?}");
    }
}

#[test]
fn a_label_is_as_long_as_it_may_be() {
    let long = "x".repeat(PIPE_LABEL_BYTES_MAX);
    for label in ["", "b", &long] {
        assert_eq!(PipeLabel::new(label).as_ref().map(PipeLabel::as_str), Some(label));
    }
    assert_eq!(PipeLabel::new(&format!("{long}x")), None);
}

/// What is one pipe, by a fusing, is not fused with itself, whichever of its directions is known to lead here: one of its ends
/// has come back, and its place at another node still stands.
#[test]
fn a_fused_pipe_that_comes_back_is_not_fused() {
    let mut story = Story::new(2);
    let (near, far) = story.pipes[0];
    let [a, b] = story.oracle.create(&mut story.world, BROKER);
    let [c, d] = story.oracle.create(&mut story.world, BROKER);
    assert_eq!(story.world.run(BROKER, |router| router.fuse(b.end, c.end)), Ok(()));
    story.oracle.hands.retain(|hand| ![b, c].contains(hand));
    story.send(near, &[d]).expect("it may travel");
    let d = story.starve(far);
    story.send(far, &[d]).expect("it may travel");
    let d = story.starve(near);
    for (one, other) in [(a, d), (d, a)] {
        let mut router = story.world.nodes[BROKER].router.clone();
        let leads = [(one, other), (other, one)].map(|(from, to)| router.leads_to(from.end, to.end));
        assert!(leads.contains(&true) && leads.contains(&false), "{leads:?}");
        assert_eq!(router.fuse(one.end, other.end), Err(FuseError::SamePipe));
    }
    assert_eq!(story.conclude(), Ok(()));
}

/// Ends that are not there do not travel, and neither does anything over them.
#[test]
fn what_is_gone_is_not_sent() {
    let (mut router, _) = guest(Limits::default());
    let (end, gone) = router.create_pipe();
    let (other, _) = router.create_pipe();
    router.close(gone, Why::Closed);
    let carrying = |end| Draft { ends: vec![end].into(), ..draft(0) };
    for (from, message, why) in [
        (other, carrying(gone), SendErrorKind::OverItself),
        (other, carrying(other), SendErrorKind::OverItself),
        (gone, carrying(other), SendErrorKind::Disconnected),
        (gone, draft(0), SendErrorKind::Disconnected),
        (end, carrying(other), SendErrorKind::Disconnected),
    ] {
        assert_eq!(router.send(from, message).map_err(|refused| refused.why), Err(why));
    }
}
