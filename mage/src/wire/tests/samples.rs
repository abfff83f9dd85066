//! Frames to test with: a fixed one of each kind, and strategies for all of them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::names::Names;
use crate::core::{
    Address, Body, Control, Count, Descriptor, EndpointName, Ends, Frame, Hello, Mask, NodeName, Parcel,
    PipeLabel, PipeName, Side, Welcome, Window,
};
use crate::error::Why;
use crate::limits::{MESSAGE_HANDLES_MAX, MESSAGE_PIPES_MAX, PIPE_LABEL_BYTES_MAX};

/// What stands for a descriptor in these tests.
pub(super) type Handle = u32;

pub(super) fn node(byte: u8) -> NodeName {
    NodeName::from_bytes([byte; 16]).unwrap()
}

/// The node that encodes.
pub(super) const ALICE: u8 = 0xaa;
/// The node that decodes.
pub(super) const BOB: u8 = 0xbb;
/// A third one.
pub(super) const CAROL: u8 = 0xcc;

/// What Alice knows about the link to Bob.
pub(super) fn at_alice() -> Names {
    Names::between(node(ALICE), node(BOB), Mask::default())
}

/// What Bob knows about the link to Alice.
pub(super) fn at_bob() -> Names {
    Names::between(node(BOB), node(ALICE), Mask::default())
}

pub(super) fn endpoint(creator: NodeName, number: u64) -> EndpointName {
    EndpointName { creator, number }
}

fn count(messages: u64, bytes: u64) -> Count {
    Count { messages, bytes }
}

pub(super) fn descriptor() -> Descriptor {
    Descriptor {
        number: 17,
        pipe: PipeName { creator: NodeName::LOCAL, number: 18 },
        side: Side::Second,
        mute: true,
        peer: Address { node: node(CAROL), endpoint: endpoint(node(CAROL), 19) },
        origin: endpoint(node(BOB), 20),
        window: Window {
            sent: count(1, 0x100),
            limit: count(2, 0x200),
            read: count(3, 0x300),
            granted: count(4, 0x400),
        },
    }
}

pub(super) fn between(body: Body<Handle>) -> Frame<Handle> {
    Frame::Endpoint { to: endpoint(node(BOB), 5), from: endpoint(NodeName::LOCAL, 6), body }
}

pub(super) fn user(bytes: Vec<u8>, ends: Vec<Descriptor>, handles: Vec<Handle>) -> Frame<Handle> {
    between(Body::User(Parcel {
        sequence: 7,
        hops: 1,
        bytes,
        ends: Ends::Moved(ends.into()),
        handles: handles.into(),
        handles_lost: false,
    }))
}

pub(super) fn hello() -> Frame<Handle> {
    let hello = Hello { version_min: 1, version_max: 2, features: 0x0102_0304, inviting: true };
    Frame::Control(Control::Hello(hello))
}

pub(super) fn label(text: &str) -> PipeLabel {
    PipeLabel::new(text).unwrap()
}

/// By the broker, with these pipes.
pub(super) fn welcome(labels: &[&str]) -> Frame<Handle> {
    let (me, you) = (node(ALICE), node(BOB));
    let pipes = labels.iter().map(|text| (label(text), descriptor())).collect();
    let welcome = Welcome { version: 1, isolated: false, you, me, broker: me, socket: None, pipes };
    Frame::Control(Control::Welcome(welcome))
}

/// By a member of Carol's network.
fn welcome_by_a_member() -> Frame<Handle> {
    let Frame::Control(Control::Welcome(welcome)) = welcome(&["audio", ""]) else { panic!("no welcome") };
    Frame::Control(Control::Welcome(Welcome { broker: node(CAROL), socket: Some(3), ..welcome }))
}

/// Into a network of the two.
fn welcome_in_isolation() -> Frame<Handle> {
    let Frame::Control(Control::Welcome(welcome)) = welcome(&[]) else { panic!("no welcome") };
    Frame::Control(Control::Welcome(Welcome { isolated: true, ..welcome }))
}

/// A message whose handles are lost.
fn bereft() -> Frame<Handle> {
    let Frame::Endpoint { to, from, body: Body::User(parcel) } = user(b"payload".to_vec(), vec![], vec![])
    else {
        panic!("no message")
    };
    Frame::Endpoint { to, from, body: Body::User(Parcel { handles_lost: true, ..parcel }) }
}

/// The fixed frame of this name.
pub(super) fn sample(name: &str) -> Frame<Handle> {
    all().into_iter().find(|(other, _)| *other == name).unwrap().1
}

/// A frame of each kind, by its name.
pub(super) fn all() -> Vec<(&'static str, Frame<Handle>)> {
    let name = node(CAROL);
    let address = Address { node: name, endpoint: endpoint(NodeName::LOCAL, 9) };
    let near = Address { node: node(BOB), endpoint: endpoint(node(BOB), 9) };
    vec![
        ("Hello", hello()),
        ("Welcome", welcome(&[""])),
        ("Welcome by a member", welcome_by_a_member()),
        ("Welcome in isolation", welcome_in_isolation()),
        ("RequestIntroduction", Frame::Control(Control::RequestIntroduction { name })),
        ("Introduce", Frame::Control(Control::Introduce { name, socket: 3 })),
        ("IntroductionFailed", Frame::Control(Control::IntroductionFailed { name })),
        ("RequestAdmission", Frame::Control(Control::RequestAdmission { guest: 21 })),
        ("Admit", Frame::Control(Control::Admit { guest: 21, name, socket: 3 })),
        ("RefuseAdmission", Frame::Control(Control::RefuseAdmission { guest: 21 })),
        ("User", user(b"payload".to_vec(), vec![], vec![])),
        ("User with attachments", user(b"payload".to_vec(), vec![descriptor()], vec![4, 5])),
        ("User without its handles", bereft()),
        ("End", between(Body::End(Why::Rejected))),
        ("PrevIs", between(Body::PrevIs(address))),
        ("PrevIsPlace", between(Body::PrevIsPlace(address))),
        ("Credit", between(Body::Credit(count(1024, 1 << 20)))),
        ("Accepted", between(Body::Accepted)),
        ("Bypass", between(Body::Bypass(near))),
        ("Ack", between(Body::Ack)),
        ("Gone", between(Body::Gone)),
    ]
}

// ---- the same frame with other eyes

/// What one node calls `name`, as the node at the other end calls it.
fn seen_node(name: NodeName, from: Names) -> NodeName {
    if name.is_local() {
        from.me.unwrap()
    } else if Some(name) == from.them {
        NodeName::LOCAL
    } else {
        name
    }
}

fn seen_endpoint(name: EndpointName, from: Names) -> EndpointName {
    endpoint(seen_node(name.creator, from), name.number)
}

fn seen_address(address: Address, from: Names) -> Address {
    Address { node: seen_node(address.node, from), endpoint: seen_endpoint(address.endpoint, from) }
}

fn seen_descriptor(descriptor: Descriptor, from: Names) -> Descriptor {
    let PipeName { creator, number } = descriptor.pipe;
    Descriptor {
        pipe: PipeName { creator: seen_node(creator, from), number },
        peer: seen_address(descriptor.peer, from),
        origin: seen_endpoint(descriptor.origin, from),
        ..descriptor
    }
}

fn seen_descriptors(descriptors: Vec<Descriptor>, from: Names) -> Vec<Descriptor> {
    descriptors.into_iter().map(|descriptor| seen_descriptor(descriptor, from)).collect()
}

/// The frame that a node with the names `from` speaks of, as the node at the other end sees it.
pub(super) fn seen(frame: Frame<Handle>, from: Names) -> Frame<Handle> {
    match frame {
        Frame::Endpoint { to, from: origin, body } => {
            let body = match body {
                Body::User(Parcel {
                    ends: Ends::Moved(ends),
                    sequence,
                    hops,
                    bytes,
                    handles,
                    handles_lost,
                }) => {
                    let ends = Ends::Moved(seen_descriptors(ends.into_vec(), from).into());
                    Body::User(Parcel { sequence, hops, bytes, ends, handles, handles_lost })
                }
                Body::PrevIs(address) => Body::PrevIs(seen_address(address, from)),
                Body::PrevIsPlace(address) => Body::PrevIsPlace(seen_address(address, from)),
                Body::Bypass(address) => Body::Bypass(seen_address(address, from)),
                other => other,
            };
            Frame::Endpoint { to: seen_endpoint(to, from), from: seen_endpoint(origin, from), body }
        }
        Frame::Control(control) => Frame::Control(match control {
            Control::Welcome(welcome) => {
                let (labels, pipes): (Vec<_>, Vec<_>) = welcome.pipes.into_iter().unzip();
                let pipes = labels.into_iter().zip(seen_descriptors(pipes, from)).collect();
                Control::Welcome(Welcome { pipes, ..welcome })
            }
            Control::RequestIntroduction { name } => {
                Control::RequestIntroduction { name: seen_node(name, from) }
            }
            Control::Introduce { name, socket } => Control::Introduce { name: seen_node(name, from), socket },
            Control::IntroductionFailed { name } => {
                Control::IntroductionFailed { name: seen_node(name, from) }
            }
            Control::Admit { guest, name, socket } => {
                Control::Admit { guest, name: seen_node(name, from), socket }
            }
            unnamed @ (Control::Hello(_)
            | Control::RequestAdmission { .. }
            | Control::RefuseAdmission { .. }) => unnamed,
        }),
    }
}

// ---- equality, which no other code needs

fn parts(body: &Body<Handle>) -> (u8, Option<Address>, Count, Option<Why>) {
    let none = Count::default();
    match body {
        Body::User(parcel) => (0, None, count(parcel.sequence, u64::from(parcel.hops)), None),
        Body::End(why) => (1, None, none, Some(*why)),
        Body::PrevIs(address) => (2, Some(*address), none, None),
        Body::Credit(count) => (3, None, *count, None),
        Body::Accepted => (4, None, none, None),
        Body::Bypass(address) => (5, Some(*address), none, None),
        Body::Ack => (6, None, none, None),
        Body::Gone => (7, None, none, None),
        Body::PrevIsPlace(address) => (8, Some(*address), none, None),
    }
}

fn same_body(one: &Body<Handle>, other: &Body<Handle>) -> bool {
    let attachments = match (one, other) {
        (Body::User(one), Body::User(other)) => match (&one.ends, &other.ends) {
            (Ends::Moved(ends), Ends::Moved(others)) => {
                ends == others
                    && one.bytes == other.bytes
                    && one.handles == other.handles
                    && one.handles_lost == other.handles_lost
            }
            _ => false,
        },
        _ => true,
    };
    attachments && parts(one) == parts(other)
}

pub(super) fn same(one: &Frame<Handle>, other: &Frame<Handle>) -> bool {
    match (one, other) {
        (
            Frame::Endpoint { to, from, body },
            Frame::Endpoint { to: other_to, from: other_from, body: other_body },
        ) => to == other_to && from == other_from && same_body(body, other_body),
        (Frame::Control(one), Frame::Control(other)) => match (one, other) {
            (Control::Hello(one), Control::Hello(other)) => one == other,
            (Control::Welcome(one), Control::Welcome(other)) => one == other,
            (Control::RequestIntroduction { name }, Control::RequestIntroduction { name: other })
            | (Control::IntroductionFailed { name }, Control::IntroductionFailed { name: other }) => {
                name == other
            }
            (
                Control::Introduce { name, socket },
                Control::Introduce { name: other_name, socket: other_socket },
            ) => name == other_name && socket == other_socket,
            (Control::RequestAdmission { guest }, Control::RequestAdmission { guest: other })
            | (Control::RefuseAdmission { guest }, Control::RefuseAdmission { guest: other }) => {
                guest == other
            }
            (
                Control::Admit { guest, name, socket },
                Control::Admit { guest: other_guest, name: other_name, socket: other_socket },
            ) => (guest, name, socket) == (other_guest, other_name, other_socket),
            _ => false,
        },
        _ => false,
    }
}

// ---- strategies

/// Any node as Alice calls it.
fn any_node() -> impl Strategy<Value = NodeName> {
    prop_oneof![
        Just(NodeName::LOCAL),
        Just(node(BOB)),
        Just(node(CAROL)),
        any::<[u8; 16]>().prop_filter_map("a free name", |bytes| {
            NodeName::from_bytes(bytes).filter(|name| *name != node(ALICE))
        }),
    ]
}

fn any_endpoint() -> impl Strategy<Value = EndpointName> {
    (any_node(), any::<u64>()).prop_map(|(creator, number)| endpoint(creator, number))
}

fn any_address() -> impl Strategy<Value = Address> {
    (any_node(), any_endpoint()).prop_map(|(node, endpoint)| Address { node, endpoint })
}

fn any_count() -> impl Strategy<Value = Count> {
    any::<(u64, u64)>().prop_map(|(messages, bytes)| count(messages, bytes))
}

fn any_window() -> impl Strategy<Value = Window> {
    (any_count(), any_count(), any_count(), any_count()).prop_map(|(sent, limit, read, granted)| Window {
        sent,
        limit,
        read,
        granted,
    })
}

fn any_descriptor() -> impl Strategy<Value = Descriptor> {
    let names = (any_endpoint(), any_address(), any_endpoint());
    (any::<(u64, bool, bool)>(), names, any_window()).prop_map(|((number, second, mute), names, window)| {
        let (pipe, peer, origin) = names;
        let pipe = PipeName { creator: pipe.creator, number: pipe.number };
        let side = if second { Side::Second } else { Side::First };
        Descriptor { number, pipe, side, mute, peer, origin, window }
    })
}

fn any_descriptors() -> impl Strategy<Value = Vec<Descriptor>> {
    prop_oneof![
        6 => vec(any_descriptor(), 0..4),
        1 => vec(any_descriptor(), MESSAGE_PIPES_MAX..=MESSAGE_PIPES_MAX),
    ]
}

/// No two of them are called the same, and the first is called nothing.
fn any_labelled() -> impl Strategy<Value = Vec<(PipeLabel, Descriptor)>> {
    let texts = vec("\\PC{0,62}", MESSAGE_PIPES_MAX);
    (texts, any_descriptors()).prop_map(|(texts, descriptors)| {
        let labels = texts.into_iter().enumerate().map(|(index, mut text)| {
            while text.len() > PIPE_LABEL_BYTES_MAX - 2 {
                text.pop();
            }
            label(&if index == 0 { String::new() } else { format!("{index:02}{text}") })
        });
        labels.zip(descriptors).collect()
    })
}

fn any_parcel() -> impl Strategy<Value = Parcel<Handle>> {
    let handles = prop_oneof![Just(vec![]), vec(any::<Handle>(), 0..=MESSAGE_HANDLES_MAX)];
    let numbers = any::<(u64, u16, bool)>();
    (numbers, vec(any::<u8>(), 0..200), any_descriptors(), handles).prop_map(
        |((sequence, hops, lost), bytes, ends, handles)| Parcel {
            sequence,
            hops,
            bytes,
            ends: Ends::Moved(ends.into()),
            handles_lost: lost && handles.is_empty(),
            handles: handles.into(),
        },
    )
}

fn any_body() -> impl Strategy<Value = Body<Handle>> {
    prop_oneof![
        4 => any_parcel().prop_map(Body::User),
        1 => (0..7_u8).prop_map(|code| Body::End(Why::from_code(code))),
        1 => any_address().prop_map(Body::PrevIs),
        1 => any_address().prop_map(Body::PrevIsPlace),
        1 => any_count().prop_map(Body::Credit),
        1 => Just(()).prop_map(|()| Body::Accepted),
        1 => any_address().prop_map(Body::Bypass),
        1 => Just(()).prop_map(|()| Body::Ack),
        1 => Just(()).prop_map(|()| Body::Gone),
    ]
}

fn any_control() -> impl Strategy<Value = Control<Handle>> {
    let hello = (any::<(u16, u16, u64, bool)>()).prop_map(|(one, other, features, inviting)| Hello {
        version_min: one.min(other),
        version_max: one.max(other),
        features,
        inviting,
    });
    let fields = (any::<(u16, bool)>(), any_node(), any::<Option<Handle>>());
    let welcome = (fields, any_labelled()).prop_map(|(((version, isolated), broker, socket), pipes)| {
        let broker = if broker.is_local() { node(ALICE) } else { broker };
        Welcome { version, isolated, you: node(BOB), me: node(ALICE), broker, socket, pipes }
    });
    prop_oneof![
        any::<u64>().prop_map(|guest| Control::RequestAdmission { guest }),
        any::<u64>().prop_map(|guest| Control::RefuseAdmission { guest }),
        (any::<u64>(), any_node(), any::<Handle>()).prop_map(|(guest, name, socket)| Control::Admit {
            guest,
            name,
            socket
        }),
        hello.prop_map(Control::Hello),
        welcome.prop_map(Control::Welcome),
        any_node().prop_map(|name| Control::RequestIntroduction { name }),
        (any_node(), any::<Handle>()).prop_map(|(name, socket)| Control::Introduce { name, socket }),
        any_node().prop_map(|name| Control::IntroductionFailed { name }),
    ]
}

/// Any frame that Alice may send.
pub(super) fn any_frame() -> impl Strategy<Value = Frame<Handle>> {
    let endpoints = (any_endpoint(), any_endpoint(), any_body())
        .prop_map(|(to, from, body)| Frame::Endpoint { to, from, body });
    prop_oneof![2 => endpoints, 1 => any_control().prop_map(Frame::Control)]
}
