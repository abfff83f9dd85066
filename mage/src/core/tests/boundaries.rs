//! Limits at their edge: as much as they say is taken, and not one more.

use super::admissions::{hello, name, welcome};
use super::scenarios::parcel;
use crate::core::effect::LinkId;
use crate::core::frame::{Body, Control, Descriptor, Frame, Parcel, Welcome};
use crate::core::message::Draft;
use crate::core::name::EndpointName;
use crate::core::{Count, NodeName, Router, Window};
use crate::error::{FuseError, PeerMisbehaved, SendErrorKind, Why};
use crate::limits::{HOPS_MAX, Limits, MESSAGE_HANDLES_MAX, MESSAGE_PIPES_MAX};

pub(super) fn draft(bytes: usize) -> Draft<u8> {
    Draft { bytes: vec![0; bytes], ends: Default::default(), handles: Default::default() }
}

#[test]
fn a_message_is_as_large_as_it_may_be() {
    let mut router = Router::<u8>::new(Limits { message_bytes_max: 100, ..Limits::default() });
    let (end, _other) = router.create_pipe();
    let ends: Vec<EndpointName> = (0..=MESSAGE_PIPES_MAX).map(|_| router.create_pipe().0).collect();
    for (message, fits) in [
        (draft(99), true),
        (draft(100), true),
        (draft(101), false),
        (draft(200), false),
        (Draft { ends: ends.clone().into(), ..draft(0) }, false),
        (Draft { ends: ends[1..].to_vec().into(), ..draft(0) }, true),
        (Draft { handles: vec![0; MESSAGE_HANDLES_MAX + 1].into(), ..draft(0) }, false),
        (Draft { handles: vec![0; MESSAGE_HANDLES_MAX].into(), ..draft(0) }, true),
    ] {
        let sent = router.send(end, message).map_err(|refused| refused.why);
        assert_eq!(sent, if fits { Ok(()) } else { Err(SendErrorKind::TooLarge) });
    }
}

#[test]
fn a_reader_admits_what_it_has_granted() {
    let window = Window::new(&Limits { window_messages: 2, window_bytes: 10, ..Limits::default() });
    let queued = |messages, bytes| Count { messages, bytes };
    assert!(window.admits(1, queued(1, 9)));
    assert!(!window.admits(1, queued(1, 10)), "no byte is left");
    assert!(!window.admits(2, queued(2, 9)), "no message is left");
    assert!(!window.is_beyond(queued(2, 10)));
    assert!(window.is_beyond(queued(1, 10)));
    assert!(window.is_beyond(queued(2, 9)));
}

#[test]
fn only_fresh_pipes_of_equal_windows_are_fused() {
    let mut router = Router::<u8>::new(Limits::default());
    let (first, far) = router.create_pipe();
    assert_eq!(router.fuse(first, first), Err(FuseError::SamePipe));
    assert_eq!(router.fuse(first, far), Err(FuseError::SamePipe));
    let (second, _) = router.create_pipe();
    let whole = Window::new(&Limits::default()).limit;
    for more in [Count { messages: whole.messages + 1, ..whole }, Count { bytes: whole.bytes + 1, ..whole }] {
        let window = &mut router.endpoints.get_mut(&second).expect("it is there").window;
        window.limit = more;
        assert_eq!(router.fuse(first, second), Err(FuseError::OtherWindow));
        let window = &mut router.endpoints.get_mut(&second).expect("it is there").window;
        (window.limit, window.granted) = (whole, more);
        assert_eq!(router.fuse(first, second), Err(FuseError::OtherWindow));
        router.endpoints.get_mut(&second).expect("it is there").window.granted = whole;
    }
    assert_eq!(router.fuse(first, second), Ok(()));
}

#[test]
fn endpoints_that_are_gone_are_not_counted() {
    let mut router = Router::<u8>::new(Limits::default());
    let pipes = [(); 3].map(|()| router.create_pipe());
    assert_eq!(router.endpoints.len(), 6);
    for end in pipes.into_iter().flat_map(|(one, other)| [one, other]) {
        router.close(end, Why::Closed);
    }
    assert_eq!((router.endpoints.len(), router.endpoints.iter().count()), (0, 0));
}

/// A node that has been invited by `name(1)`, the broker, with the ends 1 and 2.
pub(super) fn guest(limits: Limits) -> (Router<u8>, LinkId) {
    let mut router = Router::new(limits);
    let link = router.accept();
    router.on_frame(link, hello(true)).expect("an honest hello");
    router.on_frame(link, welcome(&[1, 2], None)).expect("an honest welcome");
    (router, link)
}

/// The end of this number, which hears the inviter.
pub(super) fn end(router: &Router<u8>, number: u64) -> EndpointName {
    router.endpoints.keys().find(|end| end.number == number).expect("it was brought")
}

pub(super) fn says(to: EndpointName, body: Body<u8>) -> Frame<u8> {
    Frame::Endpoint { to, from: EndpointName { creator: name(1), number: 2 }, body }
}

pub(super) fn carrying(hops: u16, descriptor: Option<Descriptor>) -> Body<u8> {
    Body::User(Parcel { hops, ..parcel(0, descriptor.into_iter().collect()) })
}

#[test]
fn an_end_travels_as_far_as_it_may() {
    let Frame::Control(Control::Welcome(Welcome { pipes, .. })) = welcome(&[3, 2, 4], None) else {
        panic!("another frame")
    };
    let [third, second, fourth] = [0, 1, 2].map(|at: usize| pipes[at].1.clone());
    for (hops, descriptor, expected, open) in [
        (1, Some(third.clone()), Ok(()), true),
        (HOPS_MAX, Some(third.clone()), Ok(()), true),
        (HOPS_MAX + 1, Some(third), Ok(()), false),
        (HOPS_MAX + 1, None, Ok(()), true),
        (HOPS_MAX + 2, None, Err(PeerMisbehaved::HopCount), true),
        (0, None, Err(PeerMisbehaved::HopCount), true),
        (1, Some(second), Err(PeerMisbehaved::EndpointNameReused), true),
        (1, Some(fourth), Ok(()), true),
    ] {
        let (mut router, link) = guest(Limits::default());
        let to = end(&router, 1);
        assert_eq!(router.on_frame(link, says(to, carrying(hops, descriptor))), expected, "{hops}");
        if expected.is_ok() {
            let ended = router.status(to).expect("it is there").ended;
            assert_eq!(ended.is_none(), open, "{hops} hops: {ended:?}");
        }
    }
}

#[test]
fn a_welcome_names_everybody_and_nobody_twice() {
    let nobody = NodeName::LOCAL;
    let (me, you) = (name(1), name(2));
    for (inviter, guest, broker) in
        [(nobody, you, me), (me, nobody, me), (me, you, nobody), (me, me, me), (me, you, you)]
    {
        let Frame::Control(Control::Welcome(welcome)) = welcome(&[1], None) else { panic!("another frame") };
        let welcome = Welcome { me: inviter, you: guest, broker, socket: Some(7), ..welcome };
        let mut router = Router::<u8>::new(Limits::default());
        let link = router.accept();
        router.on_frame(link, hello(true)).expect("an honest hello");
        let fault = router.on_frame(link, Frame::Control(Control::Welcome(welcome)));
        assert_eq!(fault, Err(PeerMisbehaved::InvalidName), "{inviter:?} {guest:?} {broker:?}");
    }
}

/// What waits for a node that has not been met: frames and bytes, each up to its limit.
#[test]
fn what_waits_for_a_stranger_is_bounded_in_frames_and_in_bytes() {
    for (frames_max, bytes_max, bytes, taken) in
        [(4, 1 << 20, 0, 4), (100, 1000, 250, 4), (100, 1000, 251, 3)]
    {
        let limits =
            Limits { pending_frames_max: frames_max, pending_bytes_max: bytes_max, ..Limits::default() };
        let (mut router, link) = guest(limits);
        let to = end(&router, 1);
        // It hears somebody from now on who has not been met, and speaks to him.
        let stranger =
            crate::core::Address { node: name(9), endpoint: EndpointName { creator: name(9), number: 1 } };
        router.on_frame(link, says(to, Body::PrevIs(stranger))).expect("prev may say it");
        router.endpoints.get_mut(&to).expect("it is there").set_peer(stranger);
        let said = (0..10).take_while(|_| {
            router.send(to, draft(bytes)).is_ok()
                && router.awaited_nodes().iter().any(|(node, _)| *node == name(9))
        });
        let said = said.count();
        assert_eq!(said, taken, "{frames_max} frames, {bytes_max} bytes, {bytes} in each");
    }
}
