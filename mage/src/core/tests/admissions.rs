//! Joining a network, and having guests admitted to it, against those who make too much of either.

use crate::core::effect::{Effect, LinkId};
use crate::core::frame::{Control, Descriptor, Frame, Hello, Welcome};
use crate::core::name::{EndpointName, NodeName, PipeName};
use crate::core::{Address, Invitation, PipeLabel, Router, Side, Window};
use crate::error::{InvitationError, PeerMisbehaved};
use crate::limits::Limits;

const GUESTS_MAX: u64 = 40;

pub(super) fn name(number: u64) -> NodeName {
    let mut bytes = [1; 16];
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    NodeName::from_bytes(bytes).expect("not all zeros")
}

pub(super) fn hello(inviting: bool) -> Frame<u8> {
    Frame::Control(Control::Hello(Hello { version_min: 1, version_max: 1, features: 0, inviting }))
}

/// A broker, and its link to the one member it has invited itself.
fn broker() -> (Router<u8>, LinkId) {
    let mut router = Router::new(Limits { guests_max: GUESTS_MAX as usize, ..Limits::default() });
    let invitation = Invitation { me: name(1), guest: name(2), ends: Vec::new(), isolated: false };
    let link = router.invite(invitation);
    router.on_frame(link, hello(false)).expect("an honest hello");
    (router, link)
}

/// A member asks for one guest more. The guest's link, if it is admitted.
fn admits(router: &mut Router<u8>, (member, sponsor): (LinkId, NodeName), guest: u64) -> Option<LinkId> {
    router.effects_mut().list.clear();
    let request = Frame::Control(Control::RequestAdmission { guest });
    router.on_frame(member, request).expect("to ask is no fault");
    let asked = router.effects_mut().list.iter().any(|effect| matches!(effect, Effect::Admit { .. }));
    if asked {
        router.admit(sponsor, guest, Some((name(10 + guest), (0, 0))));
    }
    router.effects_mut().list.iter().find_map(|effect| match effect {
        Effect::Adopt { link, .. } => Some(*link),
        _ => None,
    })
}

/// Guests of guests go on the account of whom the broker itself has invited.
pub(super) fn guests_are_bounded() -> Result<(), String> {
    let (mut router, member) = broker();
    let mut links = Vec::new();
    let mut sponsor = (member, name(2));
    for guest in 0..GUESTS_MAX {
        let Some(link) = admits(&mut router, sponsor, guest) else {
            return Err(format!("guest {guest} is refused"));
        };
        links.push(link);
        if guest.is_multiple_of(7) {
            sponsor = (link, name(10 + guest));
        }
    }
    for asks in [(member, name(2)), sponsor] {
        if admits(&mut router, asks, 100_000).is_some() {
            return Err("one too many".to_owned());
        }
    }
    router.on_link_down(links[1], InvitationError::Closed);
    admits(&mut router, (member, name(2)), 100_001)
        .map(|_| ())
        .ok_or_else(|| "there is room again".to_owned())
}

#[test]
fn a_member_and_its_guests_have_so_many_guests_and_no_more() {
    assert_eq!(guests_are_bounded(), Ok(()));
}

/// All is asked for before anything of it is carried out, as it is when the frames come in one read.
#[test]
fn those_who_are_asked_for_at_once_are_bounded_too() {
    let (mut router, member) = broker();
    let asked = 0..2 * GUESTS_MAX;
    for guest in asked.clone() {
        let request = Frame::Control(Control::RequestAdmission { guest });
        router.on_frame(member, request).expect("to ask is no fault");
    }
    let wanted = |effect: &Effect<u8>| match effect {
        Effect::Admit { guest, .. } => Some(*guest),
        _ => None,
    };
    let wanted: Vec<u64> = router.effects_mut().list.iter().filter_map(wanted).collect();
    for guest in wanted {
        router.admit(name(2), guest, Some((name(10 + guest), (1, 2))));
    }
    let refused = |effect: &&Effect<u8>| {
        matches!(effect, Effect::Transmit { frame: Frame::Control(Control::RefuseAdmission { .. }), .. })
    };
    let refused = router.effects_mut().list.iter().filter(refused).count() as u64;
    let admitted = router.linked_nodes().len() as u64 - 1;
    assert_eq!((admitted, refused), (GUESTS_MAX, GUESTS_MAX), "each is answered");
    assert_eq!(router.effects_mut().trash, [1, 2].repeat(GUESTS_MAX as usize), "sockets that nobody needs");
    assert!(router.peers.admissions.values().all(|pending| *pending == 0));
}

pub(super) fn welcome(numbers: &[u64], socket: Option<u8>) -> Frame<u8> {
    let end = |number| Descriptor {
        number,
        pipe: PipeName { creator: name(1), number },
        side: Side::First,
        mute: false,
        peer: Address { node: name(1), endpoint: EndpointName { creator: name(1), number: 1 } },
        origin: EndpointName { creator: name(1), number: 2 },
        window: Window::new(&Limits::default()),
    };
    let pipes = numbers.iter().map(|number| (PipeLabel::default(), end(*number))).collect();
    let broker = if socket.is_some() { name(3) } else { name(1) };
    let welcome = Welcome { version: 1, isolated: false, you: name(2), me: name(1), broker, socket, pipes };
    Frame::Control(Control::Welcome(welcome))
}

/// A welcome with impossible ends, and a link to a broker in it.
pub(super) fn a_bad_welcome() -> Result<(), String> {
    let mut router = Router::new(Limits::default());
    let link = router.accept();
    router.on_frame(link, hello(true)).expect("an honest hello");
    let fault = router.on_frame(link, welcome(&[1, 1], Some(7)));
    if fault != Err(PeerMisbehaved::EndpointNameReused) {
        return Err(format!("taken for good: {fault:?}"));
    }
    let adopted = router.effects_mut().list.iter().any(|effect| matches!(effect, Effect::Adopt { .. }));
    let told = router.effects_mut().list.iter().any(|effect| matches!(effect, Effect::NotAccepted { .. }));
    let closed = router.effects_mut().trash == [7];
    if adopted || !told || !closed || !router.names().is_empty() || !router.linked_nodes().is_empty() {
        return Err(format!("half joined: {:?}", router.effects_mut().list));
    }
    let link = router.accept();
    router.on_frame(link, hello(true)).expect("an honest hello");
    router.on_frame(link, welcome(&[1, 2], None)).map_err(|fault| fault.to_string())?;
    if router.names() == [name(2)] { Ok(()) } else { Err(format!("called {:?}", router.names())) }
}

#[test]
fn a_bad_welcome_leaves_nothing_half_done() {
    assert_eq!(a_bad_welcome(), Ok(()));
}

/// Somebody else of whom an invitation is awaited, and who never says more than this, is in nobody's way.
#[test]
fn acceptances_do_not_hinder_each_other() {
    for says_hello in [false, true] {
        let mut router: Router<u8> = Router::new(Limits::default());
        let stranger = router.accept();
        if says_hello {
            router.on_frame(stranger, hello(true)).expect("an honest hello");
        }
        let link = router.accept();
        router.on_frame(link, hello(true)).expect("an honest hello");
        router.on_frame(link, welcome(&[1], Some(7))).expect("an honest welcome");
        let broker = router.peers.link_to(name(3)).expect("the broker is linked");
        assert!(router.linked_nodes().contains(&(name(3), broker, true)));
        // It is a member like any other: the broker admits its guests, and is missed.
        router.effects_mut().list.clear();
        router.invite(Invitation { me: name(50), guest: name(51), ends: Vec::new(), isolated: false });
        let asks = |effect: &Effect<u8>| match effect {
            Effect::Transmit { link, frame: Frame::Control(Control::RequestAdmission { .. }) } => {
                *link == broker
            }
            _ => false,
        };
        assert!(router.effects_mut().list.iter().any(asks), "{:?}", router.effects_mut().list);
        assert!(!router.has_lost_broker());
        router.on_link_down(broker, InvitationError::Closed);
        assert!(router.has_lost_broker());
        // Nor does it end with the network that the other has led into.
        router.effects_mut().list.clear();
        router.decline(link);
        assert!(router.names().is_empty());
        assert_eq!(router.peers.links.keys().collect::<Vec<_>>(), [&stranger]);
        if !says_hello {
            router.on_frame(stranger, hello(true)).expect("an honest hello");
        }
        router.on_frame(stranger, welcome(&[1], None)).expect("an honest welcome");
        assert_eq!(router.linked_nodes(), [(name(1), stranger, true)]);
    }
}
