//! The hostile node: frames that no honest node would send, made from what a liar can know, which is everything.

use crate::core::frame::{Body, Control, Descriptor, Ends, Frame, Hello, Parcel};
use crate::core::name::{Address, EndpointName, NodeName, PipeName};
use crate::core::probe::hops_max;
use crate::core::tests::chooser::Chooser;
use crate::core::tests::oracle::Hand;
use crate::core::tests::scenarios::{endpoint_of, parcel};
use crate::core::tests::token::Token;
use crate::core::tests::world::{World, name_of};
use crate::core::{Count, Side, Window};
use crate::error::Why;
use crate::limits::MESSAGE_PIPES_MAX;

#[derive(Debug)]
pub(super) struct Liar {
    pub(super) node: usize,
    /// How many of a thousand attacks are such as cost the link.
    pub(super) lies: usize,
    /// What has been said to it, for replays.
    overheard: Vec<Frame<Token>>,
    invented: u64,
}

/// The most frames that are kept for replays.
const OVERHEARD_MAX: usize = 200;

impl Liar {
    pub(super) fn new(node: usize, lies: usize) -> Self {
        Self { node, lies, overheard: Vec::new(), invented: 0 }
    }

    pub(super) fn overhear(&mut self, frame: &Frame<Token>) {
        if self.overheard.len() < OVERHEARD_MAX && matches!(frame, Frame::Endpoint { .. }) {
            self.overheard.push(frame.clone());
        }
    }

    /// Forgets what it has heard, handles and all.
    pub(super) fn forget(&mut self) {
        self.overheard.clear();
    }

    /// One attack on somebody.
    pub(super) fn attack(&mut self, chooser: &mut Chooser, world: &mut World) {
        let linked = |node: &usize| *node != self.node && world.link_between(self.node, *node).is_some();
        let victims: Vec<usize> = (0..world.nodes.len()).filter(linked).collect();
        let Some(victim) = chooser.pick(&victims) else { return };
        if chooser.chance(self.lies) {
            let frame = self.lie(chooser, world, victim);
            return world.forge(self.node, victim, frame);
        }
        match chooser.number(0..100) {
            0..10 if !self.overheard.is_empty() => self.replay(chooser, world, victim),
            0..16 => self.flood(chooser, world, victim),
            16..22 => self.deputies(chooser, world, victim),
            22..26 => {
                let name = name_of(chooser.number(0..world.nodes.len() + 20));
                if victim == 0 && name != name_of(self.node) {
                    world.forge(self.node, 0, Frame::Control(Control::RequestIntroduction { name }));
                }
            }
            _ => {
                let Some(to) = self.target(chooser, world, victim) else { return };
                let frame = self.word(chooser, world, to);
                world.forge(self.node, victim, frame);
            }
        }
    }

    /// An endpoint of the victim, often one that knows us.
    fn target(&self, chooser: &mut Chooser, world: &World, victim: usize) -> Option<Hand> {
        let endpoints = &world.nodes[victim].router.endpoints;
        let me = name_of(self.node);
        let near = endpoints.iter().filter(|(_, there)| there.prev().node == me || there.peer().node == me);
        let near: Vec<EndpointName> = near.map(|(name, _)| name).collect();
        let all: Vec<EndpointName> = endpoints.keys().collect();
        let end = if chooser.chance(550) {
            chooser.pick(&near).or_else(|| chooser.pick(&all))
        } else {
            chooser.pick(&all)
        };
        Some(Hand { node: victim, end: end? })
    }

    /// Something for an endpoint to hear.
    fn word(&mut self, chooser: &mut Chooser, world: &mut World, to: Hand) -> Frame<Token> {
        let body = match chooser.number(0..14) {
            0..4 => self.message(chooser, world, to),
            4 => Body::End(Why::Rejected),
            5 | 6 => Body::PrevIs(self.address(chooser, world, to)),
            7 => Body::PrevIsPlace(self.address(chooser, world, to)),
            8 => Body::Credit(self.credit(chooser, world, to)),
            9 => Body::Accepted,
            10 | 11 => Body::Bypass(self.address(chooser, world, to)),
            12 => Body::Ack,
            _ => Body::Gone,
        };
        let from = self.from(chooser, world, to, &body);
        Frame::Endpoint { to: endpoint_of(to), from, body }
    }

    /// Whom it says it is: mostly the one of ours, or of somebody else's, that the victim listens to.
    fn from(&mut self, chooser: &mut Chooser, world: &World, to: Hand, body: &Body<Token>) -> EndpointName {
        if let Some(endpoint) =
            world.nodes[to.node].router.endpoints.get(&to.end).filter(|_| chooser.chance(750))
        {
            let address = match body {
                Body::Accepted | Body::Bypass(_) => endpoint.peer(),
                _ => endpoint.prev(),
            };
            let creator =
                if address.endpoint.creator.is_local() { name_of(to.node) } else { address.endpoint.creator };
            return EndpointName { creator, ..address.endpoint };
        }
        self.stranger(chooser, world)
    }

    /// An endpoint of ours that nobody has heard of. Its creator is whoever we say.
    fn stranger(&mut self, chooser: &mut Chooser, world: &World) -> EndpointName {
        self.invented += 1;
        let creator = match chooser.number(0..4) {
            0 => name_of(self.node),
            1 | 2 => name_of(chooser.number(0..world.nodes.len())),
            _ => name_of(50 + chooser.number(0..200)),
        };
        EndpointName { creator, number: 1_000 + self.invented % 40 }
    }

    /// Some address: of an endpoint that is there, was there or will be, of one of ours, of one that is nowhere.
    fn address(&mut self, chooser: &mut Chooser, world: &World, near: Hand) -> Address {
        let nodes = world.nodes.len();
        match chooser.number(0..100) {
            0..5 => Address { node: name_of(near.node), endpoint: endpoint_of(near) },
            5..65 => {
                let node = chooser.number(0..nodes);
                let there: Vec<EndpointName> = world.nodes[node].router.endpoints.keys().collect();
                let endpoint = chooser.pick(&there).map(|end| endpoint_of(Hand { node, end }));
                let unknown = EndpointName { creator: name_of(node), number: chooser.number(1..40) as u64 };
                Address { node: name_of(node), endpoint: endpoint.unwrap_or(unknown) }
            }
            65..75 => {
                let (node, creator) = (chooser.number(0..nodes), chooser.number(0..nodes));
                let endpoint =
                    EndpointName { creator: name_of(creator), number: chooser.number(1..40) as u64 };
                Address { node: name_of(node), endpoint }
            }
            75..95 => Address { node: name_of(self.node), endpoint: self.stranger(chooser, world) },
            _ => {
                Address { node: name_of(50 + chooser.number(0..6)), endpoint: self.stranger(chooser, world) }
            }
        }
    }

    fn credit(&self, chooser: &mut Chooser, world: &World, to: Hand) -> Count {
        let endpoint = world.nodes[to.node].router.endpoints.get(&to.end);
        let sent = endpoint.map(|endpoint| endpoint.window.sent).unwrap_or_default();
        match chooser.number(0..8) {
            0 => Count { messages: u64::MAX, bytes: u64::MAX },
            1 => Count::default(),
            _ => sent.joined(Count { messages: chooser.number(0..9) as u64, bytes: 1 << 20 }),
        }
    }

    fn message(&mut self, chooser: &mut Chooser, world: &mut World, to: Hand) -> Body<Token> {
        let ends = [0, 1, 1, 2, 3, 8][chooser.number(0..6)];
        let ends: Vec<Descriptor> = (0..ends).filter_map(|_| self.end(chooser, world, to.node)).collect();
        let next = world.nodes[to.node]
            .router
            .endpoints
            .get(&to.end)
            .map_or(0, |endpoint| endpoint.window.read.messages + endpoint.queue.count().messages);
        let sequence = if chooser.chance(800) { next } else { chooser.number(0..12) as u64 };
        let hops = [1, 1, 2, hops_max(), hops_max() + 1][chooser.number(0..5)];
        let handles = (0..[0, 0, 0, 1][chooser.number(0..4)]).map(|_| world.file()).collect();
        let handles_lost = chooser.chance(20);
        let bytes = b"evil".to_vec();
        Body::User(Parcel { hops, bytes, handles, handles_lost, ..parcel(sequence, ends) })
    }

    /// A pipe end that never was, under a number that is as it should be.
    fn end(&mut self, chooser: &mut Chooser, world: &mut World, victim: usize) -> Option<Descriptor> {
        let number = world.nodes[self.node].router.next_number_for(name_of(victim));
        if number == 0 {
            return None;
        }
        let own = EndpointName { creator: name_of(self.node), number };
        let peer = match chooser.number(0..10) {
            0 => Address { node: name_of(victim), endpoint: own },
            1 => Address { node: name_of(victim), endpoint: EndpointName { number: number + 1, ..own } },
            _ => self.address(chooser, world, Hand { node: victim, end: own }),
        };
        let whole = world.nodes[victim].router.limits.window_messages;
        let claimed = Count { messages: whole * chooser.number(1..5) as u64, bytes: 1 << 20 };
        let mut window = Window::new(&world.nodes[victim].router.limits);
        (window.limit, window.granted) = (claimed, claimed);
        Some(Descriptor {
            number,
            pipe: PipeName {
                creator: name_of(chooser.number(0..world.nodes.len())),
                number: chooser.number(1..60) as u64,
            },
            side: if chooser.chance(500) { Side::First } else { Side::Second },
            mute: chooser.chance(100),
            peer,
            origin: EndpointName { creator: name_of(self.node), number: 500 + chooser.number(0..60) as u64 },
            window,
        })
    }

    /// Something that was said to us, to somebody else.
    fn replay(&mut self, chooser: &mut Chooser, world: &mut World, victim: usize) {
        let index = chooser.number(0..self.overheard.len());
        let Frame::Endpoint { to, from, mut body } = self.overheard[index].clone() else { return };
        if let Body::User(Parcel { ends: Ends::Moved(ends), .. }) = &mut body {
            // As it stands the numbers would give it away.
            for end in ends.iter_mut() {
                end.number = world.nodes[self.node].router.next_number_for(name_of(victim));
            }
        }
        let to = match self.target(chooser, world, victim).filter(|_| chooser.chance(500)) {
            Some(hand) => endpoint_of(hand),
            None => to,
        };
        world.forge(self.node, victim, Frame::Endpoint { to, from, body });
    }

    /// Much for an endpoint that knows nothing of us.
    fn flood(&mut self, chooser: &mut Chooser, world: &mut World, victim: usize) {
        let Some(to) = self.target(chooser, world, victim) else { return };
        let from = self.stranger(chooser, world);
        for _ in 0..chooser.number(4..40) {
            let from = if chooser.chance(700) { from } else { self.stranger(chooser, world) };
            let body = match chooser.number(0..4) {
                0 => Body::End(Why::Rejected),
                1 => Body::Credit(Count { messages: 3, bytes: 3 }),
                2 => Body::PrevIs(self.address(chooser, world, to)),
                _ => self.message(chooser, world, to),
            };
            world.forge(self.node, victim, Frame::Endpoint { to: endpoint_of(to), from, body });
        }
    }

    /// A message that will be refused, with ends whose peer is a stranger: each makes the victim say `End` to that.
    fn deputies(&mut self, chooser: &mut Chooser, world: &mut World, victim: usize) {
        let nobody = EndpointName { creator: name_of(9), number: 9 };
        let third = Hand { node: victim, end: nobody };
        let stranger = self.address(chooser, world, third);
        for _ in 0..chooser.number(1..6) {
            let count = chooser.number(1..9).min(MESSAGE_PIPES_MAX);
            let mut ends: Vec<Descriptor> =
                (0..count).filter_map(|_| self.end(chooser, world, victim)).collect();
            ends.iter_mut().for_each(|end| end.peer = stranger);
            let from = self.stranger(chooser, world);
            let body = Body::User(parcel(0, ends));
            world.forge(self.node, victim, Frame::Endpoint { to: nobody, from, body });
        }
    }

    /// What nobody could have made us say: it costs the link.
    fn lie(&mut self, chooser: &mut Chooser, world: &mut World, victim: usize) -> Frame<Token> {
        let name = name_of(chooser.number(0..world.nodes.len()));
        match chooser.number(0..9) {
            0 => Frame::Control(Control::IntroductionFailed { name }),
            1 => {
                let (socket, other) = world.socket_pair();
                world.throw_away(other);
                Frame::Control(Control::Introduce { name, socket })
            }
            2 => Frame::Control(Control::RefuseAdmission { guest: 1 }),
            3 => Frame::Control(Control::RequestIntroduction { name: name_of(self.node) }),
            4 => {
                let hello =
                    Hello { version_min: 1, version_max: 1, features: 0, inviting: chooser.chance(500) };
                Frame::Control(Control::Hello(hello))
            }
            kind => {
                let to = Hand { node: victim, end: EndpointName { creator: NodeName::LOCAL, number: 1 } };
                let to = self.target(chooser, world, victim).unwrap_or(to);
                let mut body = self.message(chooser, world, to);
                if let Body::User(parcel) = &mut body {
                    let end = self.end(chooser, world, victim);
                    self.spoil(chooser, kind, parcel, end);
                }
                Frame::Endpoint { to: endpoint_of(to), from: self.stranger(chooser, world), body }
            }
        }
    }

    fn spoil(&self, chooser: &mut Chooser, kind: usize, parcel: &mut Parcel<Token>, end: Option<Descriptor>) {
        let Some(mut end) = end else { return };
        match kind {
            5 => parcel.hops = [0, u16::MAX][chooser.number(0..2)],
            6 => end.window.sent = Count { messages: u64::MAX, bytes: u64::MAX },
            _ => end.number = chooser.number(0..20) as u64,
        }
        parcel.ends = Ends::Moved(vec![end].into());
    }
}
