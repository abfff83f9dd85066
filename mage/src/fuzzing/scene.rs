//! A victim, an honest neighbour and links to somebody hostile, in one thread: the shipped router, codec and inbox, and no
//! sockets.
//!
//! ```text
//!   honest ◄── a pipe that nobody else ever has anything to do with ──► victim ◄── links ──► hostile
//! ```

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::mem;

use super::input::name;
use crate::core::{
    Draft, Effect, EndpointName, Frame, Invitation, LinkId, Mask, NodeName, PipeLabel, Received, Router,
};
use crate::error::{InvitationError, Why};
use crate::limits::{HELD_WINDOWS, Limits};
use crate::link::{Inbox, Stop};
use crate::wire::{Batch, Names, encode};

pub(super) const VICTIM: usize = 0;
pub(super) const HONEST: usize = 1;
/// What the two call themselves in their own network.
pub(super) const NAMES: [u8; 2] = [0x11, 0x22];
/// Links to the hostile one, and guests of its guests: no more are made.
const LINKS_MAX: usize = 24;
/// What is delivered between the two before somebody else has a turn.
const DELIVERIES_IN_A_TURN: usize = 64;
/// What is enough to come to rest, whatever has been said.
const DELIVERIES_TO_REST: usize = 20_000;

thread_local! {
    static IN_CORE: Cell<bool> = const { Cell::new(false) };
    /// The two after their handshake, which is most of the work of an input that does little.
    static CONNECTED: Scene = Scene::connected();
}

/// A descriptor. The core never drops one, for it works under a lock.
#[derive(Clone, Debug)]
pub(super) struct Handle;

impl Drop for Handle {
    fn drop(&mut self) {
        assert!(!IN_CORE.get() || std::thread::panicking(), "the core has dropped a handle");
    }
}

fn in_core<T>(call: impl FnOnce() -> T) -> T {
    IN_CORE.set(true);
    let result = call();
    IN_CORE.set(false);
    result
}

#[derive(Clone, Debug)]
struct Link {
    /// The honest node at the other end, and what the link is called there; or somebody hostile.
    other: Option<(usize, LinkId)>,
    names: Names,
    inbox: Inbox<Handle>,
    unread: VecDeque<(Vec<u8>, Option<Batch<Handle>>)>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) router: Router<Handle>,
    links: BTreeMap<LinkId, Link>,
    /// The ends that its user holds, except the one that is nobody's business.
    pub(super) ends: Vec<EndpointName>,
    /// Acceptances that have been answered, by links that led to pipes and by such that did not.
    pub(super) answered: [usize; 2],
}

#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) nodes: [Node; 2],
    /// The two ends of the pipe.
    guarded: [EndpointName; 2],
    fresh_names: u8,
}

fn limits() -> Limits {
    Limits {
        message_bytes_max: 256,
        window_messages: 8,
        window_bytes: 4096,
        pending_calls_max: 4,
        open_requests_max: 16,
        held_controls_max: 8,
        pending_frames_max: 8,
        pending_bytes_max: 4096,
        known_nodes_max: 16,
        link_handles_max: 16,
        node_handles_max: 32,
        guests_max: 8,
        link_endpoints_max: 48,
        endpoints_max: 64,
    }
}

impl Scene {
    /// The two are connected, and each holds one more end of a pipe to the other.
    pub(super) fn new() -> Self {
        CONNECTED.with(Clone::clone)
    }

    fn connected() -> Self {
        let node = || Node {
            router: Router::new(limits()),
            links: BTreeMap::new(),
            ends: Vec::new(),
            answered: [0; 2],
        };
        let nothing = EndpointName::NONE;
        let mut scene = Self { nodes: [node(), node()], guarded: [nothing; 2], fresh_names: 0x80 };
        let (kept, given) = scene.call(VICTIM, Router::create_pipe);
        let (guarded, sent) = scene.call(VICTIM, Router::create_pipe);
        let ends = vec![(PipeLabel::default(), given), (label("guarded"), sent)];
        let [me, guest] = NAMES.map(name);
        let invitation = Invitation { me, guest, ends, isolated: false };
        let inviting = scene.nodes[VICTIM].router.invite(invitation);
        let accepting = scene.nodes[HONEST].router.accept();
        scene.plug(VICTIM, inviting, Some((HONEST, accepting)), Names::default(), false);
        scene.plug(HONEST, accepting, Some((VICTIM, inviting)), Names::default(), false);
        scene.absorb(VICTIM);
        scene.absorb(HONEST);
        scene.rest();
        let accepted = scene.nodes[HONEST].ends.pop().expect("two pipes were offered");
        scene.guarded = [guarded, accepted];
        scene.nodes[VICTIM].ends.push(kept);
        scene
    }

    /// A link of this node to somebody hostile, whose handshake has not begun.
    pub(super) fn invite(&mut self, node: usize, guest: NodeName) -> LinkId {
        let (kept, given) = self.call(node, Router::create_pipe);
        let ends = vec![(PipeLabel::default(), given)];
        let invitation = Invitation { me: name(NAMES[node]), guest, ends, isolated: false };
        let link = self.nodes[node].router.invite(invitation);
        self.nodes[node].ends.push(kept);
        self.plug(node, link, None, Names::default(), false);
        self.absorb(node);
        link
    }

    /// The same, and this node is the one to be invited.
    pub(super) fn accept(&mut self, node: usize) -> LinkId {
        let link = self.nodes[node].router.accept();
        self.plug(node, link, None, Names::default(), false);
        self.absorb(node);
        link
    }

    fn plug(&mut self, node: usize, link: LinkId, other: Option<(usize, LinkId)>, names: Names, up: bool) {
        let inbox = Inbox::new(up);
        self.nodes[node].links.insert(link, Link { other, names, inbox, unread: VecDeque::new() });
    }

    // ---- what the users do

    /// Calls a router and does what it wants done.
    pub(super) fn call<R>(&mut self, node: usize, call: impl FnOnce(&mut Router<Handle>) -> R) -> R {
        let result = in_core(|| call(&mut self.nodes[node].router));
        self.absorb(node);
        result
    }

    pub(super) fn send(&mut self, node: usize, from: EndpointName, draft: Draft<Handle>) -> bool {
        let refused = self.call(node, |router| router.send(from, draft)).err();
        let sent = refused.is_none();
        if let Some(refused) = refused {
            self.nodes[node].ends.extend(refused.message.ends);
        }
        sent
    }

    pub(super) fn receive(&mut self, node: usize, at: EndpointName) {
        if let Received::Message(message) = self.call(node, |router| router.receive(at)) {
            self.nodes[node].ends.extend(message.ends);
        }
    }

    // ---- what comes of it

    fn absorb(&mut self, node: usize) {
        let effects = mem::take(self.nodes[node].router.effects_mut());
        for effect in effects.list {
            self.apply(node, effect);
        }
        effects.wake.each(std::task::Waker::wake);
        drop(effects.trash);
    }

    fn apply(&mut self, node: usize, effect: Effect<Handle>) {
        match effect {
            Effect::Transmit { link, frame } => self.transmit(node, link, frame),
            Effect::Adopt { link, me, peer, socket } => {
                drop(socket);
                self.plug(node, link, None, Names::between(me, peer, Mask::default()), true);
                if self.nodes[node].links.len() > LINKS_MAX {
                    self.hang_up(node, link);
                }
            }
            Effect::Introduce { first, second } => {
                self.call(node, |router| router.introduce(first, second, Some((Handle, Handle))));
            }
            Effect::Admit { sponsor, guest } => {
                self.fresh_names = self.fresh_names.wrapping_add(1).max(0x80);
                let admission = (name(self.fresh_names), (Handle, Handle));
                self.call(node, |router| router.admit(sponsor, guest, Some(admission)));
            }
            Effect::Accepted { link: _, pipes } => {
                self.nodes[node].answered[0] += 1;
                self.nodes[node].ends.extend(pipes.into_iter().map(|(_, end)| end));
            }
            Effect::NotAccepted { .. } => self.nodes[node].answered[1] += 1,
            Effect::BrokerLost => {}
            Effect::Drop { link, fault } => {
                let dropped = self.nodes[node].links.remove(&link);
                let honest = dropped.is_some_and(|link| link.other.is_some());
                assert!(!honest, "an honest link is dropped: {fault:?}");
            }
        }
    }

    fn transmit(&mut self, node: usize, link: LinkId, frame: Frame<Handle>) {
        let Some(link) = self.nodes[node].links.get_mut(&link) else { return };
        if let Frame::Control(crate::core::Control::Welcome(welcome)) = &frame {
            link.names = Names::of_inviter(welcome, link.names.mask);
        }
        let Some((other, over)) = link.other else { return };
        let (mut bytes, mut handles) = (Vec::new(), Vec::new());
        encode(frame, link.names, &mut bytes, &mut handles);
        let batch = (!handles.is_empty()).then_some(Batch { handles, truncated: false });
        let unread = &mut self.nodes[other].links.get_mut(&over).expect("an honest link stays").unread;
        unread.push_back((bytes, batch));
    }

    // ---- links

    /// These links of this node lead to somebody hostile.
    pub(super) fn hostile_links(&self, node: usize) -> Vec<LinkId> {
        let hostile = self.nodes[node].links.iter().filter(|(_, link)| link.other.is_none());
        hostile.map(|(link, _)| *link).collect()
    }

    /// What the two ends of a link call each other.
    pub(super) fn names(&self, node: usize, link: LinkId) -> Names {
        self.nodes[node].links.get(&link).map(|link| link.names).unwrap_or_default()
    }

    /// This comes over the link.
    pub(super) fn say(
        &mut self,
        node: usize,
        link: LinkId,
        mut bytes: &[u8],
        mut batch: Option<Batch<Handle>>,
    ) {
        while !bytes.is_empty() {
            let Some(over) = self.nodes[node].links.get_mut(&link) else { return };
            let count = over.inbox.fill_from(bytes, batch.take());
            assert!(count > 0, "the inbox has no room for anything");
            bytes = &bytes[count..];
            let mut frames = Vec::new();
            let read = over.inbox.decode(&mut over.names, &limits(), &mut frames);
            let honest = over.other.is_some();
            for frame in frames {
                let answer = self.call(node, |router| router.on_frame(link, frame));
                assert!(answer.is_ok() || !honest, "fault is found with an honest node: {answer:?}");
            }
            match read {
                Ok(()) => {}
                Err(Stop::Misbehaved(fault)) => {
                    assert!(!honest, "fault is found with an honest node: {fault}");
                    self.call(node, |router| router.drop_link(link, Some(fault)));
                }
                Err(Stop::LostWelcome) => self.hang_up(node, link),
            }
        }
    }

    /// The link is over.
    pub(super) fn hang_up(&mut self, node: usize, link: LinkId) {
        if self.nodes[node].links.remove(&link).is_some() {
            self.call(node, |router| router.on_link_down(link, InvitationError::Closed));
        }
    }

    /// The honest two hear each other, for a while. True if there is nothing left to hear.
    fn deliver(&mut self, most: usize) -> bool {
        for _ in 0..most {
            let waiting = (0..2).find_map(|node| {
                let mut links = self.nodes[node].links.iter_mut();
                links.find_map(|(link, state)| Some((node, *link, state.unread.pop_front()?)))
            });
            let Some((node, link, (bytes, batch))) = waiting else { return true };
            self.say(node, link, &bytes, batch);
        }
        false
    }

    pub(super) fn take_turn(&mut self) {
        self.deliver(DELIVERIES_IN_A_TURN);
    }

    /// Everything that is under way arrives.
    pub(super) fn rest(&mut self) {
        assert!(self.deliver(DELIVERIES_TO_REST), "the two never come to rest");
    }

    // ---- what must be so

    /// The pipe of the two is as it was, whatever else happens.
    pub(super) fn check(&mut self) {
        for (from, to) in [(VICTIM, HONEST), (HONEST, VICTIM)] {
            let [near, far] = [self.guarded[from], self.guarded[to]];
            let draft =
                Draft { bytes: b"as ever".to_vec(), ends: Default::default(), handles: vec![Handle].into() };
            assert!(self.send(from, near, draft), "the guarded pipe does not take a message");
            self.rest();
            match self.call(to, |router| router.receive(far)) {
                Received::Message(message) => assert_eq!(message.bytes, b"as ever"),
                other => panic!("the guarded pipe does not bring its message: {other:?}"),
            }
        }
        for node in &self.nodes {
            let statuses = node.router.statuses();
            // Those that exist when the limit is reached may still make a few of their own.
            assert!(statuses.len() <= 2 * limits().endpoints_max, "{} endpoints", statuses.len());
            let unread = statuses.iter().map(|status| status.unread_messages).max().unwrap_or(0);
            assert!(unread <= HELD_WINDOWS * limits().window_messages, "{unread} unread messages");
        }
    }

    /// Everybody hangs up and closes what is open; the two are still at peace.
    pub(super) fn end(mut self) {
        for node in [VICTIM, HONEST] {
            for link in self.hostile_links(node) {
                self.hang_up(node, link);
            }
        }
        self.rest();
        for node in [VICTIM, HONEST] {
            for end in mem::take(&mut self.nodes[node].ends) {
                self.call(node, |router| router.close(end, Why::Closed));
            }
        }
        self.rest();
        self.check();
    }
}

fn label(text: &str) -> PipeLabel {
    PipeLabel::new(text).expect("it is short")
}
