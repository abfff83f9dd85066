//! What a node asks its broker for, and what it need not.

use super::admissions::{hello, name, welcome};
use crate::core::Router;
use crate::core::effect::{Effect, LinkId};
use crate::core::frame::{Body, Control, Frame};
use crate::core::name::{Address, EndpointName, NodeName};
use crate::limits::Limits;

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

#[test]
fn a_broker_that_is_gone_is_asked_for_nothing() {
    let (mut router, link) = guest();
    hear_of_the_stranger(&mut router, link);
    router.on_link_down(link, crate::error::InvitationError::Closed);
    assert_eq!(outcome(&mut router), (0, 0));
}
