//! What a node asks its broker for, and what it need not.

use super::admissions::{hello, name, welcome};
use crate::core::effect::{Effect, LinkId};
use crate::core::frame::{Body, Control, Frame};
use crate::core::held::Acquaintance;
use crate::core::name::{Address, EndpointName, NodeName};
use crate::core::{Invitation, Router};
use crate::error::{InvitationError, PeerMisbehaved};
use crate::limits::{ASKED_NAMES_MAX, Limits};

const STRANGER: u64 = 9;

/// A node that has just been invited, with one pipe.
fn guest() -> (Router<u8>, LinkId) {
    let mut router = Router::new(Limits::default());
    let link = router.accept();
    router.on_frame(link, hello(true)).expect("an honest hello");
    router.on_frame(link, welcome(&[1], None)).expect("an honest welcome");
    router.effects_mut().list.clear();
    (router, link)
}

/// The other end of the pipe is now with somebody of whom the guest has never heard.
fn hear_of_the_stranger(router: &mut Router<u8>, link: LinkId) {
    let at = EndpointName { creator: NodeName::LOCAL, number: 5 };
    let successor = Address { node: name(STRANGER), endpoint: at };
    let to = EndpointName { creator: name(1), number: 1 };
    let from = EndpointName { creator: name(1), number: 2 };
    let frame = Frame::Endpoint { to, from, body: Body::PrevIs(successor) };
    router.on_frame(link, frame).expect("nobody's fault");
}

fn introduce(router: &mut Router<u8>, link: LinkId) {
    let introduction = Control::Introduce { name: name(STRANGER), socket: 7 };
    router.on_frame(link, Frame::Control(introduction)).expect("an honest broker");
}

/// How often the guest wants to be introduced, and how many links it has been given.
fn outcome(router: &mut Router<u8>) -> (usize, usize) {
    let effects = &router.effects_mut().list;
    let asks = |effect: &&Effect<u8>| match effect {
        Effect::Transmit { frame: Frame::Control(Control::RequestIntroduction { name: asked }), .. } => {
            *asked == name(STRANGER)
        }
        _ => false,
    };
    let links = effects.iter().filter(|effect| matches!(effect, Effect::Adopt { .. })).count();
    (effects.iter().filter(asks).count(), links)
}

#[test]
fn a_stranger_is_asked_for_once() {
    let (mut router, link) = guest();
    hear_of_the_stranger(&mut router, link);
    assert_eq!(outcome(&mut router), (1, 0));
    introduce(&mut router, link);
    assert_eq!(outcome(&mut router), (1, 1));
}

#[test]
fn a_stranger_who_comes_with_its_introduction_is_not_asked_for() {
    let (mut router, link) = guest();
    hear_of_the_stranger(&mut router, link);
    introduce(&mut router, link);
    assert_eq!(outcome(&mut router), (0, 1));
}

/// A broker has two guests in its network and one in a network of two, and each is introduced to whom it may meet, once.
#[test]
fn a_broker_introduces_each_pair_once() {
    let mut router: Router<u8> = Router::new(Limits::default());
    let [first, second, _] = [(2, false), (3, false), (4, true)].map(|(guest, isolated)| {
        let ends = Vec::new();
        let link = router.invite(Invitation { me: name(1), guest: name(guest), ends, isolated });
        router.on_frame(link, hello(false)).expect("an honest hello");
        link
    });
    let asks = |router: &mut Router<u8>, link, named| {
        router.effects_mut().list.clear();
        router.effects_mut().trash.clear();
        router.on_frame(link, Frame::Control(Control::RequestIntroduction { name: named }))
    };
    // What it answers: that it will introduce them, or that it will not.
    let answer = |router: &mut Router<u8>| match &router.effects_mut().list[..] {
        [Effect::Introduce { first, second }] => Some((*first, *second)),
        [Effect::Transmit { frame: Frame::Control(Control::IntroductionFailed { .. }), .. }] => None,
        effects => panic!("{effects:?}"),
    };
    assert_eq!(asks(&mut router, first, name(3)), Ok(()));
    assert_eq!(answer(&mut router), Some((name(2), name(3))));
    for stranger in [name(4), name(9)] {
        assert_eq!(asks(&mut router, first, stranger), Ok(()));
        assert_eq!(answer(&mut router), None, "nobody in this network");
    }
    router.effects_mut().list.clear();
    router.introduce(name(2), name(3), Some((5, 6)));
    assert_eq!((router.effects_mut().list.len(), router.effects_mut().trash.len()), (2, 0), "both are told");
    router.introduce(name(3), name(2), Some((7, 8)));
    assert_eq!((router.effects_mut().list.len(), &router.effects_mut().trash[..]), (2, &[7, 8][..]));
    for (link, named) in [(first, name(3)), (second, name(2))] {
        assert_eq!(asks(&mut router, link, named), Ok(()));
        assert_eq!(answer(&mut router), None, "they have met");
    }
    router.on_link_down(second, InvitationError::Closed);
    assert!(!router.peers.introduced.contains(name(2), name(3)), "who is gone is forgotten");
    assert!(!router.peers.introduced.contains(name(3), name(2)));
    for nobody in [name(2), NodeName::LOCAL] {
        let mut router = router.clone();
        assert_eq!(asks(&mut router, first, nobody), Err(PeerMisbehaved::NotYourBroker));
    }
}

/// Nobody is introduced who is nobody, or the broker itself.
#[test]
fn an_introduction_is_of_somebody() {
    for nobody in [name(1), NodeName::LOCAL] {
        let (mut router, link) = guest();
        let introduction = Frame::Control(Control::Introduce { name: nobody, socket: 7 });
        assert_eq!(router.on_frame(link, introduction), Err(PeerMisbehaved::NotBroker));
        assert_eq!(router.effects_mut().trash, [7]);
    }
}

/// So many names are asked for on the word of one node, and as many again as have been answered.
#[test]
fn so_many_names_are_asked_for_and_no_more() {
    let (mut router, link) = guest();
    let to = EndpointName { creator: name(1), number: 1 };
    let refer = |router: &mut Router<u8>, number: u64| {
        router.refer(to, name(1000 + number), name(1));
        router.peers.knows(name(1000 + number))
    };
    let most = ASKED_NAMES_MAX as u64;
    assert!((0..most).all(|number| refer(&mut router, number)));
    assert!(!refer(&mut router, most));
    let answers = [
        Control::Introduce { name: name(1000), socket: 7 },
        Control::IntroductionFailed { name: name(1001) },
    ];
    for (answer, more) in answers.into_iter().zip([most, most + 1]) {
        router.on_frame(link, Frame::Control(answer)).expect("an honest broker");
        assert!(refer(&mut router, more), "there is room for one");
        assert!(!refer(&mut router, 2 * most), "and no more");
    }
}

/// Each name is younger than those before it.
#[test]
fn names_have_an_age() {
    let (mut router, _) = guest();
    assert_eq!(router.peers.known_since(NodeName::LOCAL), Some(0));
    assert_eq!(router.peers.known_since(name(STRANGER)), None);
    let known = router.peers.names_known();
    router.refer(EndpointName { creator: name(1), number: 1 }, name(STRANGER), name(1));
    assert_eq!(
        (router.peers.known_since(name(1)), router.peers.known_since(name(STRANGER))),
        (Some(0), Some(known))
    );
    assert_eq!((known, router.peers.names_known()), (1, 2));
}

#[test]
fn a_broker_that_is_gone_is_asked_for_nothing() {
    let (mut router, link) = guest();
    hear_of_the_stranger(&mut router, link);
    router.on_link_down(link, InvitationError::Closed);
    assert_eq!(outcome(&mut router), (0, 0));
}
