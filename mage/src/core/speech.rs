//! What the frames between endpoints do.

use super::endpoint::{Incoming, Standing, State};
use super::frame::{Body, Ends, Parcel};
use super::held::Guest;
use super::name::{Address, EndpointName, NodeName};
use super::probe::{Mark, Mutation, hops_max, mutated, reached};
use super::router::Router;
use super::window::{Count, Window};
use crate::error::{PeerMisbehaved, Why};

impl<H> Router<H> {
    pub(super) fn on_body(&mut self, to: EndpointName, from: Address, body: Body<H>) {
        match body {
            Body::Accepted => self.on_accepted(to, from),
            Body::Bypass(target) => self.on_bypass(to, from, target),
            Body::Ack => self.on_ack(to, from),
            Body::Gone => {
                let listens = self
                    .endpoints
                    .get(&to)
                    .is_some_and(|endpoint| endpoint.prev() == from || mutated(Mutation::GoneOfStrangers));
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
    pub(super) fn on_speech(&mut self, to: EndpointName, from: Address, body: Body<H>) {
        let Some(endpoint) = self.endpoints.get_mut(&to) else { return self.discard(from.node, body) };
        if endpoint.incoming != Incoming::Open {
            return self.discard(from.node, body);
        }
        let credit = matches!(body, Body::Credit(_));
        if endpoint.prev() == from
            || mutated(Mutation::NoHold)
            || credit && mutated(Mutation::CreditOfStrangersBelieved)
        {
            return match endpoint.take_plain(body) {
                Ok(reader) => {
                    self.effects.wake.extend(reader);
                    self.grant_too_soon(to);
                }
                Err(body) => self.on_speech_of_prev(to, body),
            };
        }
        if !(credit && mutated(Mutation::CreditOfStrangersDropped)) {
            self.hold(to, from, body);
        }
    }

    pub(super) fn hold(&mut self, to: EndpointName, from: Address, body: Body<H>) {
        reached(Mark::Held);
        if let Body::User(Parcel { ends: Ends::Here(ends), .. }) = &body {
            if self.would_enclose(to, ends) && !mutated(Mutation::CircleAnywhere) {
                reached(Mark::Enclosed);
                // It waits in what is to wait in it, so it goes with that in any case.
                self.refuse(from.node, body, Why::Circular);
                return self.end_incoming(to, Why::Circular);
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
            State::Proxying(_) => Window::most(&self.limits),
        };
        let guest = Guest { from, room, controls_max: self.limits.held_controls_max as u64 };
        let refused = endpoint.held.get_or_insert_default().keep(guest, body, &self.peers);
        let blamed = self.peers.link_to(from.node).filter(|_| mutated(Mutation::HoldOverflowCostsLink));
        if let Some(link) = blamed.filter(|_| !refused.is_empty()) {
            self.drop_link(link, Some(PeerMisbehaved::FieldValue));
        }
        for body in refused {
            self.discard(from.node, body);
        }
    }

    pub(super) fn on_speech_of_prev(&mut self, name: EndpointName, body: Body<H>) {
        match body {
            Body::User(parcel) => self.on_user(name, parcel),
            Body::End(why) => self.end_incoming(name, why),
            Body::Credit(limit) => self.on_credit(name, limit),
            Body::PrevIs(next) => self.on_prev_is(name, next, Standing::End),
            Body::PrevIsPlace(next) => self.on_prev_is(name, next, Standing::Place),
            Body::Accepted | Body::Bypass(_) | Body::Ack | Body::Gone => {}
        }
    }

    pub(super) fn on_user(&mut self, name: EndpointName, parcel: Parcel<H>) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        let node = endpoint.prev().node;
        let proxying = matches!(endpoint.state, State::Proxying(_));
        let in_order = match &endpoint.state {
            State::Proxying(proxying) => proxying.admits(parcel.sequence),
            State::Open(_) | State::Moving(_) => {
                endpoint.window.admits(parcel.sequence, endpoint.queue.count())
                    || mutated(Mutation::WindowUnchecked)
            }
        };
        let carries = !parcel.ends.is_empty();
        let endless = carries && parcel.hops > hops_max() && !mutated(Mutation::NoHopLimit);
        let overloaded = carries && self.is_overloaded(name, parcel.ends.len());
        let moved = matches!(&parcel.ends, Ends::Moved(ends) if !ends.is_empty());
        let crowded = moved && self.is_crowded_by(node);
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
        if !in_order || endless || overloaded || enclosing || crowded {
            let why = match (in_order && !overloaded, endless || enclosing) {
                (false, _) => Why::BrokenRules,
                (true, true) => Why::Circular,
                (true, false) => Why::Unreachable,
            };
            self.refuse(node, Body::User(parcel), why);
            self.end_incoming(name, why);
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
        if let State::Proxying(proxying) = &mut endpoint.state {
            proxying.pass();
            let peer = endpoint.peer();
            self.forward(name, peer, message);
        } else {
            self.effects.wake.extend(endpoint.arrive(message));
            self.grant_too_soon(name);
        }
    }

    /// What a mistaken node would grant for what has arrived and not been read.
    fn grant_too_soon(&mut self, name: EndpointName) {
        if !mutated(Mutation::CreditOnArrival) {
            return;
        }
        let Some(endpoint) = self.endpoints.get(&name) else { return };
        let (read, peer) = (endpoint.window.read.joined(endpoint.queue.count()), endpoint.peer());
        self.post(name, peer, Body::Credit(read.joined(Window::new(&self.limits).limit)));
    }

    pub(super) fn on_credit(&mut self, name: EndpointName, limit: Count) {
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        let peer = endpoint.peer();
        match &mut endpoint.state {
            State::Proxying(proxying) => {
                reached(Mark::CreditForwarded);
                if proxying.grant(limit) && !mutated(Mutation::CreditNotForwarded) {
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
            State::Open(_) => match endpoint.window.raise(limit, Window::most(&self.limits)) {
                Ok(()) if mutated(Mutation::WritersNotWoken) => {}
                Ok(()) => self.effects.wake.extend(endpoint.take_writers()),
                Err(()) => {
                    reached(Mark::Overdrawn);
                    self.end_incoming(name, Why::BrokenRules);
                }
            },
        }
    }

    pub(super) fn on_prev_is(&mut self, name: EndpointName, next: Address, standing: Standing) {
        let via = self.endpoints.get(&name).map_or(NodeName::LOCAL, |endpoint| endpoint.prev().node);
        self.refer(name, next.node, via);
        let gone = self.is_beyond(next.node, via)
            && !mutated(Mutation::LostSuccessorUnchecked)
            && !mutated(Mutation::PrevLossIgnored);
        let Some(endpoint) = self.endpoints.get_mut(&name) else { return };
        endpoint.set_prev(next);
        endpoint.standing = standing;
        let spent = endpoint.held.as_ref().is_some_and(|held| held.has_lost(next, &self.peers))
            && !mutated(Mutation::OriginNotRemembered);
        if spent || next == Address::here(name) {
            let why = if spent { Why::BrokenRules } else { Why::PeerDied };
            if spent {
                reached(Mark::Spoiled);
            }
            self.end_incoming(name, why);
            return;
        }
        if gone && mutated(Mutation::SuccessorUnheard) {
            return self.end_incoming(name, Why::PeerDied);
        }
        let replay = endpoint.held.as_mut().map(|held| held.release(next)).unwrap_or_default();
        if endpoint.held.as_ref().is_some_and(|held| held.is_empty()) {
            endpoint.held = None;
        }
        if matches!(endpoint.state, State::Proxying(_)) && !gone && !mutated(Mutation::NoReannouncement) {
            self.ask_to_be_bypassed(name);
        }
        for body in replay {
            self.replay(name, next, body);
        }
        // It may have left in good order, and its last words, which name its own successor, have arrived before the word that
        // it was to be heard at all.
        if gone && self.endpoints.get(&name).is_some_and(|endpoint| endpoint.prev() == next) {
            self.end_incoming(name, Why::PeerDied);
        }
    }

    /// A frame that was held; what came before it may have changed who is heard.
    pub(super) fn replay(&mut self, name: EndpointName, from: Address, body: Body<H>) {
        match self.endpoints.get(&name) {
            Some(endpoint) if endpoint.incoming == Incoming::Open => {
                if endpoint.prev() == from {
                    self.on_speech_of_prev(name, body);
                } else {
                    self.hold(name, from, body);
                }
            }
            _ => self.discard(from.node, body),
        }
    }
}
