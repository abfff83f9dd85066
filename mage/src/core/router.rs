//! The node's part of the protocol: its endpoints, and what frames do to them.

use std::collections::VecDeque;
use std::task::Waker;

use super::effect::{Effect, LinkId};
use super::endpoint::{Endpoint, Incoming, Role, Side, State, Status};
use super::frame::{Body, Control, Descriptor, Ends, Frame};
use super::name::{Address, EndpointName, NodeName, PipeName};
use super::peers::Peers;
use super::probe::{Mutation, hops_max, mutated};
use super::table::Endpoints;
use super::window::Window;
use crate::error::{PeerMisbehaved, Why};
use crate::few::Few;
use crate::limits::Limits;
use crate::waiters::Ticket;

/// A node without locks, sockets or time. Every method runs to completion; whoever calls one must then take the
/// effects from [`Router::effects_mut`] and carry them out in order.
#[derive(Clone, Debug)]
pub(crate) struct Router<H> {
    pub(super) limits: Limits,
    pub(super) endpoints: Endpoints<H>,
    pub(super) peers: Peers<H>,
    local_numbers: u64,
    pipe_numbers: u64,
    /// What is still to be done before the running input is over. Never recursion.
    work: VecDeque<Work<H>>,
    pub(super) effects: Effects<H>,
}

/// What a call wants done, in order.
#[derive(Clone, Debug)]
pub(crate) struct Effects<H> {
    pub(crate) list: Vec<Effect<H>>,
    /// To be woken, with no lock held.
    pub(crate) wake: Few<Waker>,
    /// To be dropped, with no lock held.
    pub(crate) trash: Vec<H>,
}

impl<H> Effects<H> {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.wake.is_empty() && self.trash.is_empty()
    }
}

impl<H> Default for Effects<H> {
    fn default() -> Self {
        Self { list: Vec::new(), wake: Few::new(), trash: Vec::new() }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Work<H> {
    /// A frame from one endpoint of this node to another.
    Deliver { to: EndpointName, from: EndpointName, body: Body<H> },
    /// Nobody holds this end any more.
    Close(EndpointName, Why),
    /// This node can no longer be reached.
    Lose { node: NodeName, touched: Vec<EndpointName> },
}

impl<H> Router<H> {
    /// A node with no peers.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            endpoints: Endpoints::default(),
            peers: Peers::default(),
            local_numbers: 0,
            pipe_numbers: 0,
            work: VecDeque::new(),
            effects: Effects::default(),
        }
    }

    /// What is to be done, for the caller to take.
    pub(crate) fn effects_mut(&mut self) -> &mut Effects<H> {
        self.ask_for_introductions();
        &mut self.effects
    }

    /// Makes a pipe, both of whose ends are here.
    pub(crate) fn create_pipe(&mut self) -> (EndpointName, EndpointName) {
        self.pipe_numbers += 1;
        let pipe = PipeName { creator: NodeName::LOCAL, number: self.pipe_numbers };
        let (first, second) = (self.next_local_name(), self.next_local_name());
        let window = Window::new(&self.limits);
        let ends = [(first, second, Side::First), (second, first, Side::Second)];
        for (name, other, side) in ends {
            let other = Address::here(other);
            self.endpoints.insert(name, Endpoint::new(pipe, side, other, other, window));
        }
        (first, second)
    }

    fn next_local_name(&mut self) -> EndpointName {
        self.local_numbers += 1;
        EndpointName { creator: NodeName::LOCAL, number: self.local_numbers }
    }

    /// What can be seen of an end.
    pub(crate) fn status(&self, name: EndpointName) -> Option<Status> {
        let endpoint = self.endpoints.get(&name)?;
        let (here, peer) = (Address::here(name), endpoint.peer());
        let other = peer.node.is_local().then(|| self.endpoints.get(&peer.endpoint)).flatten();
        let direct = peer == endpoint.prev()
            && (!peer.node.is_local()
                || other
                    .is_some_and(|other| other.is_open() && other.peer() == here && other.prev() == here));
        let count = endpoint.queue.count();
        Some(Status {
            role: match endpoint.state {
                State::Open(_) => Role::Open,
                State::Moving(_) => Role::Moving,
                State::Proxying(_) => Role::Proxying,
            },
            room_messages: endpoint.window.limit.messages.saturating_sub(endpoint.window.sent.messages),
            unread_messages: count.messages,
            unread_bytes: count.bytes,
            peer,
            prev: endpoint.prev(),
            hops: endpoint.hops.0,
            direct,
            ended: match endpoint.incoming {
                Incoming::Open => None,
                Incoming::Ended(why) => Some(why),
            },
        })
    }

    /// Parks the one who waits to read, or nobody; returns whoever is no longer parked.
    pub(crate) fn swap_reader(&mut self, name: EndpointName, reader: Option<Waker>) -> Option<Waker> {
        match self.endpoints.get_mut(&name).map(|endpoint| &mut endpoint.state) {
            Some(State::Open(open)) => open.swap_reader(reader),
            _ => reader,
        }
    }

    /// Parks somebody who waits for room, in the place of this ticket; returns the waker that is not needed.
    pub(crate) fn add_writer(
        &mut self,
        name: EndpointName,
        ticket: &mut Option<Ticket>,
        writer: Waker,
    ) -> Option<Waker> {
        match self.endpoints.get_mut(&name).map(|endpoint| &mut endpoint.state) {
            Some(State::Open(open)) => open.add_writer(ticket, writer),
            _ => Some(writer),
        }
    }

    /// Somebody waits for room no longer; returns the waker.
    pub(crate) fn forget_writer(&mut self, name: EndpointName, ticket: Ticket) -> Option<Waker> {
        match self.endpoints.get_mut(&name).map(|endpoint| &mut endpoint.state) {
            Some(State::Open(open)) => open.forget_writer(ticket),
            _ => None,
        }
    }

    /// What can be seen of everything.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        self.endpoints.keys().filter_map(|name| self.status(name)).collect()
    }

    /// Whether nothing is routed through this node, every endpoint being an end, and nothing that was sent waits for
    /// somebody who has not been met.
    pub(crate) fn is_drained(&self) -> bool {
        let drained = self.endpoints.places() == 0 && self.has_said_everything();
        drained || mutated(Mutation::DrainedTooSoon)
    }

    // ---- frames from a link

    /// A frame has come over `link`. An error is the peer's fault; the link has then been dropped.
    pub(crate) fn on_frame(&mut self, link: LinkId, frame: Frame<H>) -> Result<(), PeerMisbehaved> {
        let answer = match frame {
            Frame::Endpoint { to, from, body } => self.on_endpoint_frame(link, to, from, body),
            Frame::Control(control) => self.on_control(link, control),
        };
        if let Err(fault) = answer {
            self.drop_link(link, Some(fault));
        }
        self.settle();
        answer
    }

    fn on_endpoint_frame(
        &mut self,
        link: LinkId,
        to: EndpointName,
        from: EndpointName,
        body: Body<H>,
    ) -> Result<(), PeerMisbehaved> {
        let Some(node) = self.peers.node_of(link) else {
            self.trash_body(body);
            return Err(PeerMisbehaved::WrongStage);
        };
        if let Err(fault) = self.check(node, &body) {
            self.trash_body(body);
            return Err(fault);
        }
        if self.would_blame(to, Address { node, endpoint: from }, &body) {
            return Err(PeerMisbehaved::FieldValue);
        }
        self.on_body(to, Address { node, endpoint: from }, body);
        Ok(())
    }

    /// What a mistaken node would hold against its peer, though others can make that say it.
    fn would_blame(&self, to: EndpointName, from: Address, body: &Body<H>) -> bool {
        if !mutated(Mutation::StrayIsViolation) && !mutated(Mutation::SelfSuccessorIsViolation) {
            return false;
        }
        let Some(endpoint) = self.endpoints.get(&to) else { return false };
        match body {
            Body::Accepted | Body::Bypass(_) => {
                endpoint.peer() != from && mutated(Mutation::StrayIsViolation)
            }
            Body::Ack | Body::Gone => endpoint.prev() != from && mutated(Mutation::StrayIsViolation),
            Body::PrevIs(next) | Body::PrevIsPlace(next) => {
                *next == Address::here(to) && mutated(Mutation::SelfSuccessorIsViolation)
            }
            Body::User(_) | Body::End(_) | Body::Credit(_) => false,
        }
    }

    /// What only the sending node itself can be guilty of.
    fn check(&mut self, node: NodeName, body: &Body<H>) -> Result<(), PeerMisbehaved> {
        let Body::User(parcel) = body else { return Ok(()) };
        if !(1..=hops_max() + 1).contains(&parcel.hops) {
            return Err(PeerMisbehaved::HopCount);
        }
        match &parcel.ends {
            Ends::Here(_) => Err(PeerMisbehaved::FieldValue),
            Ends::Moved(descriptors) => self.check_descriptors(node, descriptors),
        }
    }

    pub(super) fn check_descriptors(
        &mut self,
        node: NodeName,
        descriptors: &[Descriptor],
    ) -> Result<(), PeerMisbehaved> {
        for descriptor in descriptors {
            if !self.peers.admit_number(node, descriptor.number) && !mutated(Mutation::NumbersUnchecked) {
                return Err(PeerMisbehaved::EndpointNameReused);
            }
            if !descriptor.window.is_consistent() {
                return Err(PeerMisbehaved::DescriptorNumbers);
            }
        }
        Ok(())
    }

    // ---- posting and settling

    /// `from`, an endpoint of ours, says `body` to `to`.
    pub(super) fn post(&mut self, from: EndpointName, to: Address, body: Body<H>) {
        if to.node.is_local() {
            self.work.push_back(Work::Deliver { to: to.endpoint, from, body });
        } else {
            self.transmit(to.node, Frame::Endpoint { to: to.endpoint, from, body });
        }
    }

    pub(super) fn later(&mut self, work: Work<H>) {
        self.work.push_back(work);
    }

    /// Forgets an endpoint and closes everything that waits in it.
    pub(super) fn erase(&mut self, name: EndpointName) {
        self.uncarry(name);
        let Some(mut endpoint) = self.endpoints.remove(&name) else { return };
        for message in endpoint.queue.take() {
            self.discard_message(message, Why::Closed);
        }
        for (node, body) in endpoint.held.take().into_iter().flat_map(|held| held.into_bodies()) {
            self.discard(node, body);
        }
        self.discard_state(endpoint.state);
    }

    /// Whoever waited here should look again.
    pub(super) fn discard_state(&mut self, state: State) {
        if let State::Open(mut open) = state {
            self.effects.wake.extend(open.take_reader());
            self.effects.wake.extend(open.take_writers());
        }
    }

    /// Does what is left to do. Frames between endpoints of this node arrive here, one after the other.
    pub(super) fn settle(&mut self) {
        let next = |work: &mut VecDeque<Work<H>>| {
            if mutated(Mutation::WorkReversed) { work.pop_back() } else { work.pop_front() }
        };
        while let Some(work) = next(&mut self.work) {
            match work {
                Work::Deliver { to, from, body } => self.on_body(to, Address::here(from), body),
                Work::Close(name, why) => self.close_now(name, why),
                Work::Lose { node, touched } => self.lose_node(node, touched, Why::Unreachable),
            }
        }
    }

    pub(super) fn on_control(&mut self, link: LinkId, control: Control<H>) -> Result<(), PeerMisbehaved> {
        match control {
            Control::Hello(hello) => self.on_hello(link, &hello),
            Control::Welcome(welcome) => self.on_welcome(link, welcome),
            Control::RequestIntroduction { name } => self.on_request_introduction(link, name),
            Control::Introduce { name, socket } => self.on_introduce(link, name, socket),
            Control::IntroductionFailed { name } => self.on_introduction_failed(link, name),
            Control::RequestAdmission { guest } => self.on_request_admission(link, guest),
            Control::Admit { guest, name, socket } => self.on_admit(link, guest, name, socket),
            Control::RefuseAdmission { guest } => self.on_refuse_admission(link, guest),
        }
    }
}
