//! A whole node that is fed frames, while its user goes on.

use super::input::{Input, name};
use super::scene::{HONEST, Handle, NAMES, Scene, VICTIM};
use crate::core::{
    Address, Body, Control, Count, Descriptor, Draft, EndpointName, Ends, Frame, Hello, LinkId, NodeName,
    Parcel, PipeLabel, PipeName, Side, Welcome, Window,
};
use crate::error::Why;
use crate::wire::{Batch, Names, encode};

/// What the hostile one is called as a guest of the victim, and what it calls itself and the victim as its host.
const GUEST: u8 = 0x33;
const HOST: u8 = 0x44;
const VICTIM_AS_GUEST: u8 = 0x55;
/// A node that nobody knows.
const NOBODY: u8 = 0x77;

/// Ends that a user keeps before it makes no more of its own.
const ENDS_MAX: usize = 24;

/// Frames of every kind with anything in them, and bytes that are none, come over links of all sorts, while the users of the victim
/// and of its honest neighbour read, send, close and hand on whatever they have. No honest link is dropped, no honest pipe is
/// touched, nothing panics, and all comes to rest.
pub fn node(data: &[u8]) {
    let mut input = Input(data);
    let mut scene = Scene::new();
    let parts = input.byte();
    if parts & 1 == 0 {
        be_guest(&mut scene);
    }
    if parts & 2 == 0 {
        be_host(&mut scene);
    }
    while !input.is_over() {
        act(&mut scene, &mut input);
        scene.take_turn();
    }
    scene.check();
    scene.end();
}

fn act(scene: &mut Scene, input: &mut Input<'_>) {
    let node = if input.byte() & 1 == 0 { VICTIM } else { HONEST };
    let choice = input.byte();
    if choice < 0x80 {
        return use_end(scene, input, node, choice);
    }
    let links = scene.hostile_links(node);
    let Some(link) = input.index(links.len()).map(|index| links[index]) else { return };
    match choice {
        0xff => scene.hang_up(node, link),
        0xf0.. => {
            let (length, handles) = (usize::from(input.byte()), input.byte() & 7);
            let bytes = input.bytes(length);
            scene.say(node, link, bytes, batch((0..handles).map(|_| Handle).collect()));
        }
        _ => {
            let names = scene.names(node, link);
            let said = Hostile { me: names.them, them: names.me };
            let frame = said.frame(input);
            say(scene, node, link, frame);
        }
    }
}

fn batch(handles: Vec<Handle>) -> Option<Batch<Handle>> {
    (!handles.is_empty()).then_some(Batch { handles, truncated: false })
}

/// Says a frame as its writer would.
fn say(scene: &mut Scene, node: usize, link: LinkId, frame: Frame<Handle>) {
    let reader = scene.names(node, link);
    let mut names = Names { me: reader.them, them: reader.me, ..reader };
    if let Frame::Control(Control::Welcome(welcome)) = &frame {
        names = Names::of_inviter(welcome, names.mask);
    }
    let (mut bytes, mut handles) = (Vec::new(), Vec::new());
    encode(frame, names, &mut bytes, &mut handles);
    scene.say(node, link, &bytes, batch(handles));
}

fn hello(inviting: bool) -> Frame<Handle> {
    Frame::Control(Control::Hello(Hello { version_min: 1, version_max: 1, features: 0, inviting }))
}

fn be_guest(scene: &mut Scene) {
    let link = scene.invite(VICTIM, name(GUEST));
    say(scene, VICTIM, link, hello(false));
}

fn be_host(scene: &mut Scene) {
    let link = scene.accept(VICTIM);
    say(scene, VICTIM, link, hello(true));
    let end = EndpointName { creator: NodeName::LOCAL, number: 1 };
    let descriptor = Descriptor {
        number: 1,
        pipe: PipeName { creator: NodeName::LOCAL, number: 1 },
        side: Side::Second,
        mute: false,
        peer: Address::here(EndpointName { number: 2, ..end }),
        origin: end,
        window: window(),
    };
    let welcome = Welcome {
        version: 1,
        isolated: false,
        you: name(VICTIM_AS_GUEST),
        me: name(HOST),
        broker: name(HOST),
        socket: None,
        pipes: vec![(PipeLabel::default(), descriptor)],
    };
    say(scene, VICTIM, link, Frame::Control(Control::Welcome(welcome)));
}

fn window() -> Window {
    let whole = Count { messages: 8, bytes: 4096 };
    Window { sent: Count::default(), limit: whole, read: Count::default(), granted: whole }
}

// ---- users

fn use_end(scene: &mut Scene, input: &mut Input<'_>, node: usize, choice: u8) {
    let count = scene.nodes[node].ends.len();
    let Some(index) = input.index(count) else {
        if count == 0 {
            make_pipe(scene, node);
        }
        return;
    };
    let end = scene.nodes[node].ends[index];
    match choice % 8 {
        0 | 1 => scene.receive(node, end),
        2 => {
            scene.nodes[node].ends.swap_remove(index);
            scene.call(node, |router| router.close(end, Why::Closed));
        }
        3 => make_pipe(scene, node),
        4 => {
            let Some(other) = input.index(count).filter(|other| *other != index) else { return };
            let other = scene.nodes[node].ends[other];
            if scene.call(node, |router| router.fuse(end, other)).is_ok() {
                scene.nodes[node].ends.retain(|kept| *kept != end && *kept != other);
            }
        }
        5 => {
            let bytes = vec![0; usize::from(input.byte())];
            let handles = (0..input.byte() & 3).map(|_| Handle).collect();
            scene.send(node, end, Draft { bytes, ends: Default::default(), handles });
        }
        _ => {
            // It hands on what it has.
            let Some(other) = input.index(count).filter(|other| *other != index) else { return };
            let carried = scene.nodes[node].ends.swap_remove(other);
            scene.send(
                node,
                end,
                Draft { bytes: Vec::new(), ends: vec![carried].into(), handles: Default::default() },
            );
        }
    }
}

fn make_pipe(scene: &mut Scene, node: usize) {
    if scene.nodes[node].ends.len() >= ENDS_MAX {
        return;
    }
    let (first, second) = scene.call(node, |router| router.create_pipe());
    scene.nodes[node].ends.extend([first, second]);
}

// ---- the hostile one

/// What it calls itself and its victim; within a frame it is "here".
struct Hostile {
    me: Option<NodeName>,
    them: Option<NodeName>,
}

impl Hostile {
    fn node(&self, input: &mut Input<'_>) -> NodeName {
        match input.byte() % 8 {
            0..=2 => NodeName::LOCAL,
            3 | 4 => self.them.unwrap_or_else(|| name(NOBODY)),
            5 => name(NAMES[usize::from(input.byte() & 1)]),
            6 => name([GUEST, HOST, VICTIM_AS_GUEST, NOBODY][usize::from(input.byte() & 3)]),
            _ => name(input.byte()),
        }
    }

    fn endpoint(&self, input: &mut Input<'_>) -> EndpointName {
        EndpointName { creator: self.node(input), number: input.number() }
    }

    fn address(&self, input: &mut Input<'_>) -> Address {
        Address { node: self.node(input), endpoint: self.endpoint(input) }
    }

    fn count(input: &mut Input<'_>) -> Count {
        Count { messages: input.number(), bytes: input.number() }
    }

    fn descriptor(&self, input: &mut Input<'_>) -> Descriptor {
        let flags = input.byte();
        Descriptor {
            number: input.number(),
            pipe: PipeName { creator: self.node(input), number: input.number() },
            side: if flags & 1 == 0 { Side::First } else { Side::Second },
            mute: flags & 2 != 0,
            peer: self.address(input),
            origin: self.endpoint(input),
            window: if flags & 0xc0 == 0xc0 {
                Window {
                    sent: Self::count(input),
                    limit: Self::count(input),
                    read: Self::count(input),
                    granted: Self::count(input),
                }
            } else {
                window()
            },
        }
    }

    fn parcel(&self, input: &mut Input<'_>) -> Parcel<Handle> {
        let shape = input.byte();
        let ends = (0..shape & 3).map(|_| self.descriptor(input)).collect();
        Parcel {
            sequence: input.number(),
            hops: if shape & 0xf0 == 0xf0 { u16::from(input.byte()) << 3 } else { 1 },
            bytes: vec![0; usize::from(shape >> 4)],
            ends: Ends::Moved(ends),
            handles: (0..(shape >> 2) & 1).map(|_| Handle).collect(),
            handles_lost: shape & 8 != 0,
        }
    }

    fn frame(&self, input: &mut Input<'_>) -> Frame<Handle> {
        let kind = input.byte() % 18;
        if kind >= 10 {
            return Frame::Control(self.control(input, kind));
        }
        let (to, from) = (self.endpoint(input), self.endpoint(input));
        let body = match kind {
            0 | 1 => {
                let parcel = self.parcel(input);
                let handles_lost = parcel.handles_lost && parcel.handles.is_empty();
                Body::User(Parcel { handles_lost, ..parcel })
            }
            2 => Body::End(Why::from_code(input.byte())),
            3 => Body::PrevIs(self.address(input)),
            4 => Body::PrevIsPlace(self.address(input)),
            5 => Body::Credit(Self::count(input)),
            6 => Body::Accepted,
            7 => Body::Bypass(self.address(input)),
            8 => Body::Ack,
            _ => Body::Gone,
        };
        Frame::Endpoint { to, from, body }
    }

    fn control(&self, input: &mut Input<'_>, kind: u8) -> Control<Handle> {
        match kind {
            10 => Control::RequestIntroduction { name: self.named(input) },
            11 => Control::Introduce { name: self.named(input), socket: Handle },
            12 => Control::IntroductionFailed { name: self.named(input) },
            13 => Control::RequestAdmission { guest: input.number() },
            14 => Control::Admit { guest: input.number(), name: self.named(input), socket: Handle },
            15 => Control::RefuseAdmission { guest: input.number() },
            16 => Control::Hello(Hello {
                version_min: 1,
                version_max: 1,
                features: 0,
                inviting: input.byte() & 1 == 0,
            }),
            _ => Control::Welcome(Welcome {
                version: u16::from(input.byte() & 3),
                isolated: input.byte() & 1 == 0,
                you: self.named(input),
                me: self.named(input),
                broker: self.named(input),
                socket: (input.byte() & 1 == 0).then_some(Handle),
                pipes: Vec::new(),
            }),
        }
    }

    /// A node in full: never "here", which has no name before the handshake.
    fn named(&self, input: &mut Input<'_>) -> NodeName {
        let node = self.node(input);
        if node.is_local() { self.me.unwrap_or_else(|| name(NOBODY)) } else { node }
    }
}
