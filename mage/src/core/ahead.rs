//! What others can have an endpoint here say, to somebody who does not read it.
//!
//! A place passes on what it hears, and an end that is read grants more. Who speaks to them may be hostile, and who should read it may
//! stand still, or be the other's friend. An honest sender has never more than a window under way, so what waits for a link is
//! bounded by endpoint: over it the endpoint's pipe ends. The link goes on, for its reader may be honest, and only slow.

use super::frame::{Body, Ends, Frame};
use super::message::cost;
use super::name::EndpointName;
use super::probe::{Mutation, mutated};
use super::router::Router;
use super::window::{Count, Window};
use crate::error::Why;

/// What waits for one link of what one endpoint says for others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ahead {
    messages: Count,
    credits: u64,
}

/// One thing of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SaidForOthers {
    /// A message of this cost, which is passed on.
    Message(u64),
    Credit,
}

impl Ahead {
    /// Takes note of one more, if there may be one.
    pub(crate) fn take(&mut self, said: SaidForOthers, most: Count) -> bool {
        let Self { messages, credits } = self;
        // As in a window, a message that crosses the line is still taken.
        let has_room = match said {
            SaidForOthers::Message(_) => messages.messages < most.messages && messages.bytes < most.bytes,
            SaidForOthers::Credit => *credits < most.messages,
        };
        match said {
            _ if !has_room => {}
            SaidForOthers::Message(cost) => *messages = messages.plus(cost),
            SaidForOthers::Credit => *credits += 1,
        }
        has_room
    }
}

impl<H> Frame<H> {
    /// What an endpoint here says for others with this, if it does, and which.
    pub(crate) fn said_for_others(&self) -> Option<(EndpointName, SaidForOthers)> {
        match self {
            Self::Endpoint { from, body: Body::User(parcel), .. } if parcel.hops > 1 => {
                let cost = cost(parcel.bytes.len(), parcel.ends.len(), parcel.handles.len());
                Some((*from, SaidForOthers::Message(cost)))
            }
            Self::Endpoint { from, body: Body::Credit(_), .. } => Some((*from, SaidForOthers::Credit)),
            Self::Endpoint { .. } | Self::Control(_) => None,
        }
    }
}

impl<H> Router<H> {
    /// The most that may wait for one link of what one endpoint says for others.
    pub(crate) fn ahead_max(&self) -> Count {
        if mutated(Mutation::AheadUnbounded) {
            return Count { messages: u64::MAX, bytes: u64::MAX };
        }
        Window::most(&self.limits)
    }

    /// Such a frame comes back, because there may not be one more.
    pub(crate) fn take_back(&mut self, frame: Frame<H>) {
        let Frame::Endpoint { from, body, .. } = frame else { return };
        if let Body::User(parcel) = body {
            if let Ends::Moved(ends) = &parcel.ends {
                ends.iter().for_each(|end| self.lose_peer(end.origin, Why::BrokenRules));
            }
            self.effects.trash.extend(parcel.handles);
        }
        self.end_incoming(from, Why::BrokenRules);
        self.settle();
    }
}
