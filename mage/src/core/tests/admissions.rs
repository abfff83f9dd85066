//! Joining a network, and having guests admitted to it, against those who make too much of either.

use crate::core::effect::{Effect, LinkId};
use crate::core::frame::{Control, Descriptor, Frame, Hello, Welcome};
use crate::core::name::{EndpointName, NodeName, PipeName};
use crate::core::{Address, Invitation, PipeLabel, Router, Side, Window};
use crate::error::{InvitationError, PeerMisbehaved};
use crate::limits::{Limits, PENDING_ADMISSIONS_MAX};

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
    let more = [100_001, 100_002].map(|guest| admits(&mut router, (member, name(2)), guest).is_some());
    if more == [true, false] { Ok(()) } else { Err(format!("one has gone, and {more:?} may come")) }
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

/// What nobody has decided yet is bounded, too, and counted once.
#[test]
fn so_many_wait_for_a_decision_and_no_more() {
    let (mut router, member) = broker();
    let ask = |router: &mut Router<u8>| {
        router.on_frame(member, Frame::Control(Control::RequestAdmission { guest: 9 }))
    };
    for _ in 0..PENDING_ADMISSIONS_MAX {
        assert_eq!(ask(&mut router), Ok(()));
    }
    for _ in 0..2 {
        router.admit(name(2), 9, None);
        assert_eq!(ask(&mut router), Ok(()), "one has been decided");
    }
    assert_eq!(ask(&mut router), Err(PeerMisbehaved::TooManyRequests));
}

/// A broker decides about guests of its own network that wait for it, and about nothing else.
#[test]
fn a_broker_decides_about_those_who_wait_for_it() {
    let mut router: Router<u8> = Router::new(Limits::default());
    let [own, other] = [1, 5].map(|broker| {
        let link = router.accept();
        router.on_frame(link, hello(true)).expect("an honest hello");
        let Frame::Control(Control::Welcome(welcome)) = welcome(&[], None) else { panic!("another frame") };
        let (you, broker) = (name(broker + 1), name(broker));
        let welcome = Welcome { you, me: broker, broker, ..welcome };
        router.on_frame(link, Frame::Control(Control::Welcome(welcome))).expect("an honest welcome");
        link
    });
    let guest =
        router.invite(Invitation { me: name(50), guest: name(51), ends: Vec::new(), isolated: false });
    let admit = |guest: LinkId, name| Frame::Control(Control::Admit { guest: guest.0, name, socket: 3 });
    let refuse = |guest: LinkId| Frame::Control(Control::RefuseAdmission { guest: guest.0 });
    for (says, over, frame, admitted) in [
        ("the broker of another network admits it", other, admit(guest, name(60)), false),
        ("the broker of another network refuses it", other, refuse(guest), false),
        ("the broker admits itself", own, admit(own, name(60)), false),
        ("the broker refuses itself", own, refuse(own), false),
        ("the broker admits nobody", own, admit(LinkId(99), name(60)), false),
        ("the broker refuses nobody", own, refuse(LinkId(99)), false),
        ("the broker admits it", own, admit(guest, name(60)), true),
        ("the broker admits it again", own, admit(guest, name(61)), true),
        ("the broker refuses it then", own, refuse(guest), true),
    ] {
        let sockets = router.peers.sockets.len();
        router.effects_mut().trash.clear();
        assert_eq!(router.on_frame(over, frame.clone()), Ok(()), "{says}");
        assert_eq!(
            [own, other, guest].map(|link| router.peers.links.contains_key(&link)),
            [true; 3],
            "{says}"
        );
        assert_eq!(router.peers.knows(name(60)), admitted, "{says}");
        let taken = router.peers.sockets.len() - sockets;
        let sent = usize::from(matches!(frame, Frame::Control(Control::Admit { .. })));
        assert_eq!(taken + router.effects_mut().trash.len(), sent, "{says}");
    }
    assert!(!router.peers.knows(name(61)));
    for (misnamed, whose) in
        [(name(1), "its own"), (name(5), "of another network"), (NodeName::LOCAL, "none")]
    {
        let mut router = router.clone();
        router.effects_mut().trash.clear();
        let fault = router.on_frame(own, admit(guest, misnamed));
        assert_eq!(fault, Err(PeerMisbehaved::InvalidName), "{whose}");
        assert!(router.effects_mut().trash.contains(&3), "{whose}");
    }
}

/// A broker that lies has admitted a guest, and introduces the same. The two links are of one node; the loss of the older means
/// nothing.
#[test]
fn the_older_of_two_links_is_not_missed() {
    let mut router: Router<u8> = Router::new(Limits::default());
    let broker = router.accept();
    router.on_frame(broker, hello(true)).expect("an honest hello");
    router.on_frame(broker, welcome(&[], None)).expect("an honest welcome");
    let guest =
        router.invite(Invitation { me: name(50), guest: name(51), ends: Vec::new(), isolated: false });
    let admit = Control::Admit { guest: guest.0, name: name(60), socket: 3 };
    router.on_frame(broker, Frame::Control(admit)).expect("an honest broker");
    let introduce = Control::Introduce { name: name(60), socket: 4 };
    router.on_frame(broker, Frame::Control(introduce)).expect("no fault that could be seen");
    let introduced = router.peers.link_to(name(60)).expect("the first link to the guest");
    router.on_frame(guest, hello(false)).expect("an honest hello");
    assert_eq!(router.peers.link_to(name(60)), Some(guest));
    router.on_link_down(introduced, InvitationError::Closed);
    assert_eq!(router.peers.link_to(name(60)), Some(guest));
    router.on_link_down(guest, InvitationError::Closed);
    assert!(router.peers.is_lost(name(60)));
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
