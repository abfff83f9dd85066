//! Joining networks, declining them and leaving: what a node believes of a welcome, and what it is afterwards.

use super::admissions::{hello, name};
use super::scenarios::parcel;
use crate::core::effect::{Effect, LinkId};
use crate::core::frame::{Body, Control, Descriptor, Frame, Hello, Parcel, Welcome};
use crate::core::name::{Address, EndpointName, Mask, NodeName, PipeName};
use crate::core::{Draft, Invitation, Received, Router, Side, Window};
use crate::error::{InvitationError, PeerMisbehaved, Why};
use crate::limits::Limits;

/// The guest's name, the inviter's and the broker's.
type Names = [u64; 3];

fn welcome([you, me, broker]: Names) -> Welcome<u8> {
    let named = |number| if number == 0 { NodeName::LOCAL } else { name(number) };
    Welcome {
        version: 1,
        isolated: false,
        you: named(you),
        me: named(me),
        broker: named(broker),
        socket: (me != broker).then_some(7),
        pipes: Vec::new(),
    }
}

fn accept(router: &mut Router<u8>) -> LinkId {
    let link = router.accept();
    router.on_frame(link, hello(true)).expect("an honest hello");
    link
}

fn told(router: &mut Router<u8>, link: LinkId, welcome: Welcome<u8>) -> Result<(), PeerMisbehaved> {
    router.on_frame(link, Frame::Control(Control::Welcome(welcome)))
}

fn join(router: &mut Router<u8>, names: Names, isolated: bool) -> LinkId {
    let link = accept(router);
    told(router, link, Welcome { isolated, ..welcome(names) }).expect("an honest welcome");
    link
}

fn router() -> Router<u8> {
    Router::new(Limits::default())
}

fn invite(router: &mut Router<u8>, [me, guest]: [u64; 2], isolated: bool) -> LinkId {
    router.invite(Invitation { me: name(me), guest: name(guest), ends: Vec::new(), isolated })
}

#[test]
fn hellos_have_a_version_in_common() {
    for (min, max, common) in [(1, 1, true), (0, 1, true), (1, 9, true), (0, 0, false), (2, 9, false)] {
        for inviting in [false, true] {
            let mut router = router();
            let link = if inviting { router.accept() } else { invite(&mut router, [1, 2], false) };
            let hello = Hello { version_min: min, version_max: max, features: 0, inviting };
            let said = router.on_frame(link, Frame::Control(Control::Hello(hello)));
            assert_eq!(router.peers.links.contains_key(&link), common, "{min} to {max}");
            // An acceptor that finds nothing in common tells its own user; nobody is to blame.
            let blamed = !common && !inviting;
            assert_eq!(said, if blamed { Err(PeerMisbehaved::Version) } else { Ok(()) });
        }
    }
}

/// Each rule by itself, at a node that is a member of a network already, as `name(2)`, with the inviter 1 and the broker 3.
#[test]
fn a_welcome_is_believed_if_it_fits_what_is_known() {
    let good = || welcome([5, 6, 6]);
    let by_member = || welcome([5, 6, 7]);
    let misnamed = Err(PeerMisbehaved::InvalidName);
    let misshapen = Err(PeerMisbehaved::FieldValue);
    for (rule, welcome, expected, joined) in [
        ("all is well", good(), Ok(()), true),
        ("all is well, with a broker", by_member(), Ok(()), true),
        ("the guest is nobody", welcome([0, 6, 6]), misnamed, false),
        ("the inviter is nobody", welcome([5, 0, 7]), misnamed, false),
        ("the broker is nobody", welcome([5, 6, 0]), misnamed, false),
        ("the guest is the inviter", welcome([6, 6, 7]), misnamed, false),
        ("the guest is the broker", welcome([7, 6, 7]), misnamed, false),
        ("the guest is called as it is elsewhere", welcome([2, 6, 6]), misnamed, false),
        ("the guest is called like somebody it knows", welcome([1, 6, 6]), misnamed, false),
        ("an older version", Welcome { version: 0, ..good() }, misshapen, false),
        ("a newer version", Welcome { version: 2, ..good() }, misshapen, false),
        ("a link to a broker that is the inviter", Welcome { socket: Some(7), ..good() }, misshapen, false),
        ("no link to the broker", Welcome { socket: None, ..by_member() }, misshapen, false),
        ("the inviter is the guest itself", welcome([5, 2, 6]), Ok(()), false),
        ("the inviter is known", welcome([5, 1, 6]), Ok(()), false),
        ("the broker is the guest itself", welcome([5, 6, 2]), Ok(()), false),
        ("the broker is known", welcome([5, 6, 3]), Ok(()), false),
    ] {
        let mut router = router();
        join(&mut router, [2, 1, 3], false);
        let link = accept(&mut router);
        let socket = welcome.socket;
        router.effects_mut().list.clear();
        assert_eq!(told(&mut router, link, welcome), expected, "{rule}");
        let effects = router.effects_mut();
        let adopted = effects.list.iter().filter(|effect| matches!(effect, Effect::Adopt { .. })).count();
        let refused = effects.list.iter().find_map(|effect| match effect {
            Effect::NotAccepted { why, .. } => Some(why.clone()),
            _ => None,
        });
        let why = expected.map_or_else(InvitationError::Misbehaved, |()| InvitationError::AlreadyConnected);
        let wrong = (!joined).then(|| format!("{why:?}"));
        assert_eq!(refused.map(|why| format!("{why:?}")), wrong, "{rule}");
        let (used, closed) = if joined { (socket, None) } else { (None, socket) };
        assert_eq!((adopted, &effects.trash), (used.iter().count(), &closed.into_iter().collect()), "{rule}");
        let names = if joined { vec![name(2), name(5)] } else { vec![name(2)] };
        assert_eq!(router.names(), names, "{rule}");
        assert_eq!(router.peers.links.contains_key(&link), joined, "{rule}");
    }
}

/// Who admits a guest of this node now, if it may join the network that this node calls its own: another, or this node.
fn admits_by_broker(router: &mut Router<u8>) -> bool {
    router.effects_mut().list.clear();
    invite(router, [90, 91], false);
    let asks = |effect: &Effect<u8>| {
        matches!(effect, Effect::Transmit { frame: Frame::Control(Control::RequestAdmission { .. }), .. })
    };
    router.effects_mut().list.iter().any(asks)
}

/// The first network that a node joins is its own, unless it has founded one before; those in isolation are all beside it.
#[test]
fn the_first_network_is_the_own_one() {
    type Before = fn(&mut Router<u8>);
    let befores: [(&str, Before, bool); 6] = [
        ("nothing", |_| {}, true),
        ("another acceptance", |router| _ = router.accept(), true),
        ("a network joined in isolation", |router| _ = join(router, [30, 31, 31], true), true),
        ("a guest", |router| _ = invite(router, [30, 31], false), false),
        ("a guest in isolation", |router| _ = invite(router, [30, 31], true), true),
        (
            "two networks joined in isolation, and declined",
            |router| {
                let links = [[30, 31, 31], [40, 41, 41]].map(|names| join(router, names, true));
                links.into_iter().for_each(|link| router.decline(link));
            },
            true,
        ),
    ];
    for (before, prepare, first) in befores {
        for isolated in [false, true] {
            let mut router = router();
            prepare(&mut router);
            let link = join(&mut router, [2, 1, 1], isolated);
            let own = first && !isolated;
            assert!(
                router.linked_nodes().contains(&(name(1), link, true)),
                "it is the broker of its network"
            );
            assert_eq!(admits_by_broker(&mut router), own, "after {before}, isolated: {isolated}");
            router.effects_mut().list.clear();
            router.on_link_down(link, InvitationError::Closed);
            let lost = router.effects_mut().list.iter().any(|effect| matches!(effect, Effect::BrokerLost));
            assert_eq!((lost, router.has_lost_broker()), (own, own), "after {before}, isolated: {isolated}");
        }
    }
}

/// Whoever has lost its broker founds another network with its next guest, and the one after that joins it, too. In isolation
/// each is alone.
#[test]
fn guests_join_what_is_there() {
    let mut router = router();
    let link = join(&mut router, [2, 1, 1], false);
    router.on_link_down(link, InvitationError::Closed);
    let realm = |router: &Router<u8>, link| router.peers.links.get(&link).expect("it is there").realm;
    let guests = [(10, false), (20, false), (30, true), (40, true), (50, false)]
        .map(|(guest, isolated)| invite(&mut router, [guest, guest + 1], isolated))
        .map(|link| realm(&router, link).0);
    assert_eq!(guests, [1, 1, 2, 3, 1]);
    assert_eq!(router.names(), [2, 10, 30, 40].map(name));
}

/// However many networks a node has been in that are over, they take no more room than those it was in at the same time.
#[test]
fn networks_that_are_over_make_room() {
    let mut router = router();
    let member = join(&mut router, [2, 1, 1], false);
    let stays = invite(&mut router, [8, 9], true);
    for round in 0..100 {
        let names = [10, 11, 12].map(|number| 10 * round + number);
        let links = [
            invite(&mut router, [names[0], names[1]], true),
            join(&mut router, [names[2], names[0] + 5, names[0] + 5], true),
        ];
        let realms = links.map(|link| router.peers.links.get(&link).expect("it is there").realm.0);
        assert_eq!(realms, [2, 3], "of its own, each of them");
        assert_eq!(router.names(), [2, 8, names[0], names[2]].map(name));
        links.iter().for_each(|link| router.on_link_down(*link, InvitationError::Closed));
    }
    assert_eq!(router.peers.realms.len(), 4);
    assert!([member, stays].iter().all(|link| router.peers.links.contains_key(link)));
}

/// So much is said to a guest before it says hello that it cannot wait. Then the guest is lost, and stays so.
#[test]
fn a_guest_that_is_lost_is_not_welcome() {
    for said in [2, 3] {
        let mut router = Router::<u8>::new(Limits { pending_frames_max: 2, ..Limits::default() });
        let (near, far) = router.create_pipe();
        let ends = vec![(Default::default(), far)];
        let link = router.invite(Invitation { me: name(1), guest: name(2), ends, isolated: false });
        (0..said).for_each(|_| {
            let frame = Frame::Endpoint { to: EndpointName::NONE, from: near, body: Body::Ack };
            router.transmit(name(2), frame);
        });
        router.settle();
        let lost = said == 3;
        assert_eq!(router.peers.is_lost(name(2)), lost);
        router.on_frame(link, hello(false)).expect("an honest hello");
        assert_eq!(router.peers.is_lost(name(2)), lost);
        assert_eq!(router.peers.link_to(name(2)), (!lost).then_some(link));
        assert_eq!(router.peers.links.contains_key(&link), !lost);
        let unheard = router.status(near).expect("it is there").ended;
        assert_eq!(unheard, lost.then_some(Why::PeerDied));
    }
}

/// Two networks, of which one is declined, while its inviter is still there or has gone: nothing is left of it, and all of the
/// other.
#[test]
fn what_is_declined_is_as_if_it_had_never_been() {
    for (declined, inviter_goes) in [(0, false), (0, true), (1, false), (1, true)] {
        let mut router = router();
        let links = [join(&mut router, [2, 1, 3], false), join(&mut router, [4, 5, 6], false)];
        let brokers = [3, 6].map(|broker| router.peers.link_to(name(broker)).expect("the broker is linked"));
        if inviter_goes {
            router.on_link_down(links[declined], InvitationError::Closed);
        }
        router.effects_mut().list.clear();
        router.decline(links[declined]);
        let dropped = |effect: &Effect<u8>| match effect {
            Effect::Drop { link, .. } => Some(*link),
            _ => None,
        };
        let mut dropped: Vec<LinkId> = router.effects_mut().list.iter().filter_map(dropped).collect();
        dropped.sort_unstable();
        let gone = [links[declined], brokers[declined]];
        assert_eq!(dropped, gone[usize::from(inviter_goes)..]);
        let kept = 1 - declined;
        assert_eq!(router.names(), [name([2, 4][kept])]);
        let linked = [(name([1, 5][kept]), links[kept], false), (name([3, 6][kept]), brokers[kept], true)];
        assert_eq!(router.linked_nodes(), linked);
        assert!(!router.has_lost_broker());
        assert_eq!(admits_by_broker(&mut router), kept == 0, "the first is its own");
        // Nobody of it is remembered: the same may invite once more.
        join(&mut router, [[2, 1, 3], [4, 5, 6]][declined], false);
        router.decline(links[declined]);
        assert_eq!(router.linked_nodes().len(), 4, "an invitation is declined once");
    }
}

/// Nothing of an earlier life is taken for something of a later one.
#[test]
fn whoever_leaves_begins_anew() {
    let mask = Mask::new(name(77));
    let mut router = router();
    let link = join(&mut router, [2, 1, 1], false);
    let (near, far) = router.create_pipe();
    // Somebody speaks to a pipe that never left: it is held, and forgotten.
    let stranger = EndpointName { creator: name(1), number: 1 };
    let body = Body::User(Parcel { bytes: vec![1], handles: vec![5].into(), ..parcel(0, Vec::new()) });
    let said = Frame::Endpoint { to: near, from: stranger, body };
    router.on_frame(link, said).expect("nobody's fault");
    // Something with a handle waits for somebody who has not been met.
    let (going, waiting) = router.create_pipe();
    let at = Address { node: name(9), endpoint: EndpointName { creator: name(9), number: 1 } };
    router.refer(going, name(9), name(1));
    router.endpoints.get_mut(&going).expect("it is there").set_peer(at);
    let draft = |handle| Draft { bytes: Vec::new(), ends: Default::default(), handles: vec![handle].into() };
    router.send(going, draft(6)).expect("there is room");
    assert!(!router.is_drained(), "it has not been said yet");

    assert_eq!(router.leave(mask), [link]);
    assert_eq!(router.effects_mut().trash, [6, 5]);
    assert_eq!(router.mask(), mask);
    assert!(router.peers.knows_nobody() && router.names().is_empty() && router.is_drained());
    assert!(router.endpoints.get(&near).expect("it is there").held.is_none());
    assert!(router.accept() > link, "links of both lives are closed at the same time");
    assert!(matches!(router.receive(waiting), Received::Empty), "it is still open");
    assert!(router.send(going, draft(8)).is_err());
    // What is within the node goes on.
    router.send(near, draft(7)).expect("there is room");
    assert!(matches!(router.receive(far), Received::Message(message) if *message.handles == [7]));
}

/// Under a mask every name is another one, and its own again under the same.
#[test]
fn masks_are_taken_off_as_they_are_put_on() {
    let named = |bytes| NodeName::from_bytes(bytes).expect("not all zeros");
    let names = [name(1), name(u64::MAX), named([0xf0; 16])];
    for mask in [name(5), named([0x3c; 16])].map(Mask::new) {
        for node in names {
            assert_eq!(mask.apply(mask.apply(node)), node);
        }
        assert!(mask.apply(NodeName::LOCAL).is_local());
    }
    assert_eq!(Mask::default().apply(name(1)), name(1));
}

/// An end says once that it has ended, whether it was heard or not.
#[test]
fn last_words_are_said_once() {
    for mute in [false, true] {
        let mut router = router();
        let link = accept(&mut router);
        let at = |number| EndpointName { creator: name(1), number };
        let descriptor = Descriptor {
            number: 1,
            pipe: PipeName { creator: name(1), number: 1 },
            side: Side::First,
            mute,
            peer: Address { node: name(1), endpoint: at(1) },
            origin: at(2),
            window: Window::new(&Limits::default()),
        };
        let pipes = vec![(Default::default(), descriptor)];
        told(&mut router, link, Welcome { pipes, ..welcome([2, 1, 1]) }).expect("an honest welcome");
        router.effects_mut().list.clear();
        let end = EndpointName { creator: name(1), number: 1 };
        let ended = Frame::Endpoint { to: end, from: at(2), body: Body::End(Why::Closed) };
        router.on_frame(link, ended).expect("prev may say it");
        let frames = router.effects_mut().list.len();
        router.close(end, Why::Closed);
        assert_eq!((frames, router.effects_mut().list.len()), (1, 1), "mute: {mute}");
    }
}
