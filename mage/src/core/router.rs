//! The node's part of the protocol: its endpoints, and what frames do to them.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::task::Waker;

use super::effect::{Effect, LinkId};
use super::endpoint::{Endpoint, Incoming, Outgoing, Role, Side, Standing, State, Status};
use super::frame::{Body, Control, Descriptor, Ends, Frame, Parcel};
use super::held::Guest;
use super::message::Message;
use super::name::{Address, EndpointName, NodeName, PipeName};
use super::peers::Peers;
use super::probe::{Mark, Mutation, hops_max, mutated, reached};
use super::window::Window;
use crate::error::{PeerMisbehaved, Why};
use crate::limits::{CARRIED_MAX, HELD_WINDOWS, Limits};

/// A node without locks, sockets or time. Every method runs to completion; whoever calls one must then take the
/// effects from [`Router::effects_mut`] and carry them out in order.
#[derive(Clone, Debug)]
pub(crate) struct Router<H> {
    pub(super) limits: Limits,
    pub(super) endpoints: BTreeMap<EndpointName, Endpoint<H>>,
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
    pub(crate) wake: Vec<Waker>,
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
        Self { list: Vec::new(), wake: Vec::new(), trash: Vec::new() }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Work<H> {
    /// A frame from one endpoint of this node to another.
    Deliver { to: EndpointName, from: EndpointName, body: Body<H> },
    /// Nobody holds this end any more.
    Close(EndpointName),
    /// This node can no longer be reached.
    Lose(NodeName),
}

impl<H> Router<H> {
    /// A node with no peers.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            endpoints: BTreeMap::new(),
            peers: Peers::default(),
            local_numbers: 0,
            pipe_numbers: 0,
            work: VecDeque::new(),
            effects: Effects::default(),
        }
    }

    /// What is to be done, for the caller to take.
    pub(crate) fn effects_mut(&mut self) -> &mut Effects<H> {
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
        let here = Address::here(name);
        let other =
            endpoint.peer.node.is_local().then(|| self.endpoints.get(&endpoint.peer.endpoint)).flatten();
        let direct = endpoint.peer == endpoint.prev
            && (!endpoint.peer.node.is_local()
                || other.is_some_and(|other| other.is_open() && other.peer == here && other.prev == here));
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
            peer: endpoint.peer,
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
            Some(State::Open(open)) => mem::replace(&mut open.reader, reader),
            _ => reader,
        }
    }

    /// Parks one more who waits for room; returns the waker if it is there already, or is of no use.
    pub(crate) fn add_writer(&mut self, name: EndpointName, writer: Waker) -> Option<Waker> {
        match self.endpoints.get_mut(&name).map(|endpoint| &mut endpoint.state) {
            Some(State::Open(open)) if !open.writers.iter().any(|known| known.will_wake(&writer)) => {
                open.writers.push(writer);
                None
            }
            _ => Some(writer),
        }
    }

    /// What can be seen of everything.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        self.endpoints.keys().filter_map(|name| self.status(*name)).collect()
    }

    /// Whether nothing is routed through this node: every endpoint is an end.
    pub(crate) fn is_drained(&self) -> bool {
        self.endpoints.values().all(Endpoint::is_open)
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
        self.on_body(to, Address { node, endpoint: from }, body);
        Ok(())
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
            if !self.peers.admit_number(node, descriptor.number) {
                return Err(PeerMisbehaved::EndpointNameReused);
            }
            if !descriptor.window.is_consistent() {
                return Err(PeerMisbehaved::DescriptorNumbers);
            }
        }
        Ok(())
    }

    // ---- what a frame does

    fn on_body(&mut self, to: EndpointName, from: Address, body: Body<H>) {
        match body {
            Body::Accepted => self.on_accepted(to, from),
            Body::Bypass(target) => self.on_bypass(to, from, target),
            Body::Ack => self.on_ack(to, from),
            Body::Gone => {
                let listens = self.endpoints.get(&to).is_some_and(|endpoint| endpoint.prev == from);
                if listens && !mutated(Mutation::GoneIgnored) {
                    self.end_incoming(to, Why::PeerDied);
                }
            }
            Body::User(_) | Body::End(_) | Body::PrevIs(_) | Body::PrevIsPlace(_) | Body::Credit(_) => {
                self.on_speech(to, from, body)
            }
        }
    }

    /// A frame that only prev may send.
    fn on_speech(&mut self, to: EndpointName, from: Address, body: Body<H>) {
        let Some(endpoint) = self.endpoints.get_mut(&to) else { return self.discard(from.node, body) };
        if endpoint.incoming != Incoming::Open {
            return self.discard(from.node, body);
        }
        let credit = matches!(body, Body::Credit(_));
        if endpoint.prev == from
            || mutated(Mutation::NoHold)
            || credit && mutated(Mutation::CreditOfStrangersBelieved)
        {
            return self.on_speech_of_prev(to, body);
        }
        if !(credit && mutated(Mutation::CreditOfStrangersDropped)) {
            self.hold(to, from, body);
        }
    }

    fn hold(&mut self, to: EndpointName, from: Address, body: Body<H>) {
        reached(Mark::Held);
        if let Body::User(Parcel { ends: Ends::Here(ends), .. }) = &body {
            if self.would_enclose(to, ends) && !mutated(Mutation::CircleAnywhere) {
                reached(Mark::Enclosed);
                if let Some(endpoint) = self.endpoints.get_mut(&to) {
                    endpoint.held.get_or_insert_default().spoil(from, &self.peers);
                }
                return self.discard(from.node, body);
            }
            for end in ends.clone() {
                self.carry(end, to);
            }
        }
        let Some(endpoint) = self.endpoints.get_mut(&to) else { return };
        let room = match endpoint.state {
            _ if mutated(Mutation::HeldRoomOfThisNode) => Window::new(&self.limits).limit,
            State::Open(_) | State::Moving(_) => endpoint.window.granted_unread(),
            // The reader beyond may have granted more than was granted from here.
            State::Proxying(_) => {
                Window::new(&self.limits).limit.max(endpoint.window.granted_unread()).times(HELD_WINDOWS)
            }
        };
        let guest = Guest { from, room, controls_max: self.limits.held_controls_max as u64 };
        let refused = endpoint.held.get_or_insert_default().keep(guest, body, &self.peers);
        for body in refused {
            self.discard(from.node, body);
        }
    }

    fn on_speech_of_prev(&mut self, name: EndpointName, body: Body<H>) {
        match body {
            Body::User(parcel) => self.on_user(name, parcel),
            Body::End(why) => self.end_incoming(name, why),
            Body::Credit(limit) => self.on_credit(name, limit),
            Body::PrevIs(next) => self.on_prev_is(name, next, Standing::End),
            Body::PrevIsPlace(next) => self.on_prev_is(name, next, Standing::Place),
            Body::Accepted | Body::Bypass(_) | Body::Ack | Body::Gone => {}
        }
    }

    fn on_user(&mut self, name: EndpointName, parcel: Parcel<H>) {
        let Some(endpoint) = self.endpoints.get(&name) else { return };
        let node = endpoint.prev.node;
        let proxying = matches!(endpoint.state, State::Proxying(_));
        let in_order = proxying || endpoint.window.admits(parcel.sequence, endpoint.queue.count());
        let carries = parcel.ends.len();
        let endless = carries > 0 && parcel.hops > hops_max() && !mutated(Mutation::NoHopLimit);
        let overloaded = carries > 0 && self.is_overloaded(name, carries);
        let enclosing = match &parcel.ends {
            Ends::Here(ends) => {
                !proxying && self.would_enclose(name, ends) && !mutated(Mutation::CircleAnywhere)
            }
            Ends::Moved(_) => false,
        };
        for (broken, mark) in [
            (!in_order, Mark::OutOfOrder),
            (endless, Mark::Endless),
            (overloaded, Mark::Overloaded),
            (enclosing, Mark::Enclosed),
        ] {
            if broken {
                reached(mark);
            }
        }
        if !in_order || endless || overloaded || enclosing {
            self.discard(node, Body::User(parcel));
            self.end_incoming(name, Why::BrokenRules);
            return;
        }
        if parcel.handles_lost {
            // As if the pipe had broken in front of this message: a part of one is none.
            self.discard(node, Body::User(parcel));
            self.end_incoming(name, Why::HandlesLost);
            return;
        }
        let message = self.open_parcel(node, parcel, Some(name));
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        if proxying {
            let peer = endpoint.peer;
            self.forward(name, peer, message);
        } else {
            endpoint.queue.push(message);
            if !mutated(Mutation::ReaderNotWoken) {
                self.effects.wake.extend(endpoint.take_reader());
            }
            if mutated(Mutation::CreditOnArrival) {
                let (read, peer) = (endpoint.window.read.joined(endpoint.queue.count()), endpoint.peer);
                self.post(name, peer, Body::Credit(read.joined(Window::new(&self.limits).limit)));
            }
        }
    }

    fn on_credit(&mut self, name: EndpointName, limit: super::window::Count) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        let peer = endpoint.peer;
        match &mut endpoint.state {
            State::Proxying(_) => {
                reached(Mark::CreditForwarded);
                if !mutated(Mutation::CreditNotForwarded) {
                    self.post(name, peer, Body::Credit(limit));
                }
            }
            State::Moving(moving) => {
                reached(Mark::CreditMoving);
                if mutated(Mutation::CreditForgottenWhileMoving) {
                    return;
                }
                let best = moving.slot.get_or_insert(limit);
                best.messages = best.messages.max(limit.messages);
                best.bytes = best.bytes.max(limit.bytes);
            }
            State::Open(_) => match endpoint.window.raise(limit) {
                Ok(()) if mutated(Mutation::WritersNotWoken) => {}
                Ok(()) => self.effects.wake.extend(endpoint.take_writers()),
                Err(()) => {
                    reached(Mark::Overdrawn);
                    self.end_incoming(name, Why::BrokenRules);
                }
            },
        }
    }

    fn on_prev_is(&mut self, name: EndpointName, next: Address, standing: Standing) {
        let via = self.endpoints.get(&name).map_or(NodeName::LOCAL, |endpoint| endpoint.prev.node);
        self.refer(next.node, via);
        let unreachable = (self.is_gone(next.node)
            && !mutated(Mutation::LostSuccessorUnchecked)
            && !mutated(Mutation::PrevLossIgnored))
            || next == Address::here(name);
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        endpoint.prev = next;
        endpoint.standing = standing;
        let spent = endpoint.held.as_ref().is_some_and(|held| held.has_lost(next, &self.peers))
            && !mutated(Mutation::OriginNotRemembered);
        if unreachable || spent {
            let why = if spent { Why::BrokenRules } else { Why::PeerDied };
            if spent {
                reached(Mark::Spoiled);
            }
            self.end_incoming(name, why);
            return;
        }
        let replay = endpoint.held.as_mut().map(|held| held.release(next)).unwrap_or_default();
        if endpoint.held.as_ref().is_some_and(|held| held.is_empty()) {
            endpoint.held = None;
        }
        if matches!(endpoint.state, State::Proxying(_)) && !mutated(Mutation::NoReannouncement) {
            self.ask_to_be_bypassed(name);
        }
        for body in replay {
            self.replay(name, next, body);
        }
    }

    /// A frame that was held; what came before it may have changed who is heard.
    fn replay(&mut self, name: EndpointName, from: Address, body: Body<H>) {
        match self.endpoints.get(&name) {
            Some(endpoint) if endpoint.incoming == Incoming::Open => {
                if endpoint.prev == from {
                    self.on_speech_of_prev(name, body);
                } else {
                    self.hold(name, from, body);
                }
            }
            _ => self.discard(from.node, body),
        }
    }

    /// Nothing more will come from prev, behind what is already here.
    pub(super) fn end_incoming(&mut self, name: EndpointName, why: Why) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        if endpoint.incoming != Incoming::Open {
            return;
        }
        endpoint.incoming = Incoming::Ended(why);
        let (peer, told) = (endpoint.peer, endpoint.outgoing == Outgoing::Told);
        if matches!(endpoint.state, State::Proxying(_)) {
            self.post(name, peer, Body::End(why));
            self.erase(name);
            return;
        }
        let held = endpoint.held.take();
        let open = endpoint.is_open();
        endpoint.outgoing = if open || told { Outgoing::Told } else { Outgoing::Lost };
        self.effects.wake.extend(endpoint.take_reader());
        let writers = endpoint.take_writers();
        self.effects.wake.extend(writers);
        if open && !told && !mutated(Mutation::EndNotPassedOn) {
            self.post(name, peer, Body::End(why));
        }
        for (node, body) in held.into_iter().flat_map(|held| held.into_bodies()) {
            self.discard(node, body);
        }
    }

    // ---- loss

    /// `node` cannot be reached any more: everything that hears it or speaks to it ends.
    pub(super) fn lose_node(&mut self, node: NodeName) {
        let touched: Vec<EndpointName> = self
            .endpoints
            .iter()
            .filter(|(_, endpoint)| endpoint.prev.node == node || endpoint.peer.node == node)
            .map(|(name, _)| *name)
            .collect();
        for name in touched {
            let hears = self.endpoints.get(&name).is_some_and(|endpoint| endpoint.prev.node == node);
            if hears && !mutated(Mutation::PrevLossIgnored) {
                self.end_incoming(name, Why::PeerDied);
            }
            if self.endpoints.get(&name).is_some_and(|endpoint| endpoint.peer.node == node) {
                self.lose_peer(name, Why::PeerDied);
            }
        }
    }

    /// The place this endpoint sends to is gone.
    pub(super) fn lose_peer(&mut self, name: EndpointName, why: Why) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        if endpoint.outgoing == Outgoing::Open {
            endpoint.outgoing = Outgoing::Lost;
        }
        match &endpoint.state {
            // The incoming side is told by the ring, in order.
            State::Open(_) => {
                let writers = endpoint.take_writers();
                self.effects.wake.extend(writers);
            }
            State::Moving(moving) => {
                let old = moving.old;
                self.lose_moving(name, old, why);
            }
            State::Proxying(_) => self.erase(name),
        }
    }

    // ---- messages and the ends in them

    /// Turns a parcel into a message: makes the ends it brings.
    fn open_parcel(
        &mut self,
        node: NodeName,
        parcel: Parcel<H>,
        carrier: Option<EndpointName>,
    ) -> Message<H> {
        let Parcel { sequence, hops, bytes, ends, handles, handles_lost: _ } = parcel;
        let ends = match ends {
            Ends::Here(ends) => ends,
            Ends::Moved(descriptors) => {
                descriptors.into_iter().map(|descriptor| self.bind(node, descriptor)).collect()
            }
        };
        if let Some(carrier) = carrier {
            for &end in &ends {
                self.carry(end, carrier);
            }
        }
        Message { sequence, hops, bytes, ends, handles }
    }

    /// Makes the end that a descriptor describes, and tells its old place.
    pub(super) fn bind(&mut self, node: NodeName, descriptor: Descriptor) -> EndpointName {
        let name = EndpointName { creator: node, number: descriptor.number };
        let origin = Address { node, endpoint: descriptor.origin };
        let window = self.mutate_window(descriptor.window);
        let mut endpoint = Endpoint::new(descriptor.pipe, descriptor.side, descriptor.peer, origin, window);
        endpoint.standing = Standing::Place;
        if descriptor.mute && !mutated(Mutation::MuteForgotten) {
            endpoint.outgoing = Outgoing::Lost;
        }
        self.endpoints.insert(name, endpoint);
        self.post(name, origin, Body::Accepted);
        self.refer(descriptor.peer.node, node);
        let crowded = self.endpoints.len() > self.limits.endpoints_max;
        if crowded {
            reached(Mark::Crowded);
        }
        if self.is_gone(node) || crowded {
            self.end_incoming(name, if crowded { Why::Unreachable } else { Why::PeerDied });
        }
        if self.is_gone(descriptor.peer.node) {
            self.lose_peer(name, Why::PeerDied);
        }
        name
    }

    /// What a mistaken node would make of the numbers that an end brings.
    fn mutate_window(&self, mut window: Window) -> Window {
        let fresh = Window::new(&self.limits);
        if mutated(Mutation::LimitStaysBehind) {
            window.limit = fresh.limit;
        }
        if mutated(Mutation::SentStaysBehind) {
            window.sent = fresh.sent;
        }
        if mutated(Mutation::ReadStaysBehind) {
            window.read = fresh.read;
        }
        if mutated(Mutation::GrantedRecomputed) {
            window.granted = window.read.joined(fresh.limit);
        }
        window
    }

    /// A frame that nobody wants: what it carries is closed.
    pub(super) fn discard(&mut self, node: NodeName, body: Body<H>) {
        let Body::User(parcel) = body else { return };
        let message = self.open_parcel(node, parcel, None);
        self.discard_message(message);
    }

    pub(super) fn discard_message(&mut self, message: Message<H>) {
        if !mutated(Mutation::RefusedEndsStayOpen) {
            self.work.extend(message.ends.into_iter().map(Work::Close));
        }
        if !mutated(Mutation::HandlesDropped) {
            self.effects.trash.extend(message.handles);
        }
    }

    /// A frame is forgotten, ends and all: whoever sent it is not believed.
    pub(super) fn trash_body(&mut self, body: Body<H>) {
        if let Body::User(parcel) = body {
            self.effects.trash.extend(parcel.handles);
        }
    }

    /// `carrier` now has `end` in its unread messages.
    fn carry(&mut self, end: EndpointName, carrier: EndpointName) {
        self.uncarry(end);
        if let Some(endpoint) = self.endpoints.get_mut(&end) {
            endpoint.carrier = Some(carrier);
            if let Some(carrier) = self.endpoints.get_mut(&carrier) {
                carrier.carried = carrier.carried.saturating_add(1);
            }
        }
    }

    pub(super) fn uncarry(&mut self, end: EndpointName) {
        let Some(carrier) = self.endpoints.get_mut(&end).and_then(|endpoint| endpoint.carrier.take()) else {
            return;
        };
        if let Some(carrier) = self.endpoints.get_mut(&carrier) {
            carrier.carried = carrier.carried.saturating_sub(1);
        }
    }

    /// Whether putting `ends` into the queue of `name` would close a circle of pipes that wait in each other, which
    /// nobody could ever reach again.
    pub(super) fn would_enclose(&self, name: EndpointName, ends: &[EndpointName]) -> bool {
        let mut at = name;
        for _ in 0..=self.endpoints.len() {
            if ends.contains(&at) {
                return true;
            }
            match self.endpoints.get(&at).and_then(|endpoint| endpoint.carrier) {
                Some(carrier) => at = carrier,
                None => return false,
            }
        }
        true // a circle there already
    }

    /// Whether `name` may bring that many more ends; the deeper it waits itself, the fewer.
    fn is_overloaded(&self, name: EndpointName, more: usize) -> bool {
        let mut depth = 0;
        let mut at = name;
        while let Some(carrier) = self.endpoints.get(&at).and_then(|endpoint| endpoint.carrier) {
            if depth + 1 >= CARRIED_MAX.len() {
                break;
            }
            depth += 1;
            at = carrier;
        }
        let allowed = CARRIED_MAX.get(depth).copied().unwrap_or(0);
        let carried = self.endpoints.get(&name).map_or(0, |endpoint| endpoint.carried);
        carried as usize + more > allowed as usize
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
            self.discard_message(message);
        }
        for (node, body) in endpoint.held.take().into_iter().flat_map(|held| held.into_bodies()) {
            self.discard(node, body);
        }
        self.discard_state(endpoint.state);
    }

    /// Whoever waited here should look again.
    pub(super) fn discard_state(&mut self, state: State) {
        if let State::Open(open) = state {
            self.effects.wake.extend(open.reader);
            self.effects.wake.extend(open.writers);
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
                Work::Close(name) => self.close_now(name, Why::Closed),
                Work::Lose(node) => self.lose_node(node),
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
