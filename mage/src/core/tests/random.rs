//! Random runs: users who do anything at all, on a network that is as slow, as broken and as unlucky as its
//! configuration says. The oracle tells whether the network has kept its promises.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::checks::{self, Excuse, Windows};
use super::chooser::Chooser;
use super::configurations::Configuration;
use super::oracle::{Hand, Oracle};
use super::world::{BROKER, Step, World, name_of};
use crate::core::frame::{Body, Frame};
use crate::core::name::EndpointName;
use crate::core::probe::{Mark, Mutation, mutated, reached, set_hops_max, take_marks};
use crate::core::window::Count;

/// Steps after which a network that has not come to rest never will.
const STEPS_MAX: usize = 1_000_000;

/// A run that has ended as it should.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) marks: BTreeMap<Mark, usize>,
    pub(super) moves: usize,
    pub(super) full: usize,
    pub(super) over_itself: usize,
    pub(super) introductions: usize,
    pub(super) open: usize,
    pub(super) sure: usize,
}

/// One run under way.
struct Run<'a> {
    configuration: &'a Configuration,
    chooser: Chooser,
    world: World,
    oracle: Oracle,
    windows: Windows,
    /// How often, of a thousand times, a step is taken when it is chosen.
    speeds: BTreeMap<Step, usize>,
    /// Pipes that what has befallen the network must not have touched.
    sure: Vec<(Hand, Hand)>,
    befallen: bool,
    /// The node that gives away what it holds and is about to leave.
    leaving: Option<usize>,
    left: usize,
    forged: u64,
    steps: usize,
    next_check: usize,
}

/// Runs one seed. An error is the list of promises that were broken.
pub(super) fn run(seed: u64, configuration: &Configuration) -> Result<Summary, String> {
    take_marks();
    set_hops_max(configuration.hops_max);
    let mut run = Run::new(seed, configuration);
    run.operate();
    run.finish()
}

impl<'a> Run<'a> {
    fn new(seed: u64, configuration: &'a Configuration) -> Self {
        let limits = configuration.limits();
        let (mut world, ends) = World::with_outsiders(&limits, configuration.outsiders);
        world.turns_away = configuration.turns_away;
        world.refused = configuration.refused.iter().copied().collect();
        world.twice = configuration.twice;
        let mut oracle = Oracle::default();
        oracle.hands.extend(ends.iter().map(|&end| Hand { node: BROKER, end }));
        let mut run = Self {
            configuration,
            chooser: Chooser::new(seed),
            world,
            oracle,
            windows: Windows::of(&limits),
            speeds: BTreeMap::new(),
            sure: Vec::new(),
            befallen: false,
            leaving: None,
            left: 0,
            forged: 0,
            steps: 0,
            next_check: 0,
        };
        run.second_carriers(&ends);
        run
    }

    /// Each guest gets a second pipe to the broker, over the first.
    fn second_carriers(&mut self, ends: &[EndpointName]) {
        for &end in ends {
            let [_, far] = self.oracle.create(&mut self.world, BROKER);
            let sent = self.oracle.send(&mut self.world, Hand { node: BROKER, end }, &[far], 0, 0);
            sent.expect("the first message fits");
        }
    }

    // ---- the network

    /// Takes one step, slow ones less often; false if there is none.
    fn step(&mut self) -> bool {
        let steps = self.world.steps();
        let Some(mut step) = self.chooser.pick(&steps) else { return false };
        for _ in 0..40 {
            let speed = self.speed(step);
            if self.chooser.chance(speed) {
                break;
            }
            step = self.chooser.pick(&steps).unwrap_or(step);
        }
        self.world.take(step);
        self.oracle.take_accepted(&mut self.world);
        self.leave();
        self.steps += 1;
        if self.steps >= self.next_check {
            self.check_always();
        }
        true
    }

    fn speed(&mut self, step: Step) -> usize {
        if let Some(&speed) = self.speeds.get(&step) {
            return speed;
        }
        let speed = match step {
            Step::Introduce | Step::Admit => self.configuration.broker,
            Step::Deliver { .. } if self.chooser.chance(self.configuration.slow) => 30,
            Step::Deliver { .. } => 1000,
        };
        self.speeds.insert(step, speed);
        speed
    }

    fn check_always(&mut self) {
        let endpoints = self.world.nodes.iter().map(|node| node.router.endpoints.len()).sum::<usize>();
        self.next_check = self.steps + 16 + endpoints;
        if self.oracle.faults.is_empty() {
            checks::always(&self.world, self.windows, &mut self.oracle.faults);
        }
    }

    /// Lets everything happen that can; false if there is no end to it.
    fn rest(&mut self) -> bool {
        for _ in 0..STEPS_MAX {
            if !self.step() {
                return true;
            }
            if !self.oracle.faults.is_empty() {
                return false;
            }
        }
        self.oracle.blame("the network does not come to rest");
        false
    }

    // ---- the users

    fn operate(&mut self) {
        let operations = self.configuration.operations;
        let moment = |chooser: &mut Chooser| chooser.number(10..operations);
        let crashes: Vec<_> = (0..self.configuration.crashes).map(|_| moment(&mut self.chooser)).collect();
        let cuts: Vec<_> = (0..self.configuration.cuts).map(|_| moment(&mut self.chooser)).collect();
        let invitations: Vec<_> =
            (0..self.configuration.outsiders).map(|_| moment(&mut self.chooser)).collect();
        let drains: Vec<_> = (0..self.configuration.drains).map(|_| moment(&mut self.chooser)).collect();
        let leaves: Vec<_> = (0..self.configuration.leaves).map(|_| moment(&mut self.chooser)).collect();
        for operation in 0..operations {
            if leaves.contains(&operation) {
                self.leave_networks();
            }
            if crashes.contains(&operation) {
                self.crash();
            }
            if cuts.contains(&operation) {
                self.cut();
            }
            for (outsider, _) in invitations.iter().enumerate().filter(|(_, when)| **when == operation) {
                self.invite(self.configuration.nodes - 1 - outsider);
            }
            if drains.contains(&operation) {
                self.drain_one();
            }
            if self.configuration.forged && self.chooser.chance(300) {
                self.forge();
            }
            self.operation();
            for _ in 0..self.chooser.number(0..5) {
                self.step();
            }
            if !self.oracle.faults.is_empty() {
                return;
            }
        }
    }

    fn operation(&mut self) {
        let Some(hand) = self.chooser.pick(&self.oracle.hands) else { return };
        match self.chooser.number(0..100) {
            0..12 => {
                let living = self.world.living();
                if let Some(node) = self.chooser.pick(&living) {
                    self.oracle.create(&mut self.world, node);
                }
            }
            12..65 => self.say(hand),
            65..85 => {
                let most = self.windows.most.0.min(8) as usize;
                let times = [1, 2, most][self.chooser.number(0..3)];
                for _ in 0..times {
                    if self.oracle.receive(&mut self.world, hand).is_err() {
                        break;
                    }
                }
            }
            _ if self.chooser.chance(self.configuration.fuses) => self.fuse(hand),
            85..88 if self.oracle.hands.len() > 6 => self.oracle.close(&mut self.world, hand),
            _ => {}
        }
    }

    /// Makes one pipe of two that have never been used, one of them new.
    fn fuse(&mut self, hand: Hand) {
        let [fresh, other] = self.oracle.create(&mut self.world, hand.node);
        let near: Vec<Hand> = self
            .oracle
            .hands
            .iter()
            .filter(|near| near.node == hand.node && **near != fresh)
            .copied()
            .collect();
        if self.chooser.chance(500) {
            self.oracle.send(&mut self.world, other, &[], 0, 0).expect("a new pipe has room");
        }
        if let Some(second) = self.chooser.pick(&near) {
            self.oracle.fuse(&mut self.world, fresh, second);
        }
    }

    fn say(&mut self, hand: Hand) {
        let mut ends = Vec::new();
        if self.chooser.chance(600) {
            let near = |other: &&Hand| other.node == hand.node && **other != hand;
            let mut near: Vec<Hand> = self.oracle.hands.iter().filter(near).copied().collect();
            for _ in 0..[1, 1, 1, 2, 3][self.chooser.number(0..5)] {
                if let Some(end) = self.chooser.pick(&near) {
                    near.retain(|other| *other != end);
                    ends.push(end);
                }
            }
        }
        let burst = self.windows.most.0.min(8) as usize + 1;
        let times = if ends.is_empty() { [1, 1, 2, burst][self.chooser.number(0..4)] } else { 1 };
        for _ in 0..times {
            let files = [0, 0, 0, 1, 2][self.chooser.number(0..5)];
            let padding = self.chooser.number(0..40);
            let way = self.oracle.says(&self.world, hand);
            if self.oracle.send(&mut self.world, hand, &ends, files, padding).is_err() {
                break;
            }
            let (messages, bytes) = way.map_or((0, 0), |way| self.oracle.under_way(way));
            self.oracle.messages_most = self.oracle.messages_most.max(messages);
            if messages > self.windows.most.0 || bytes >= self.windows.most.1 {
                self.oracle.blame(format!("{way:?} has {messages} messages and {bytes} bytes under way"));
            }
        }
    }

    // ---- what befalls the network

    fn crash(&mut self) {
        let living = self.world.living();
        let broker = self.configuration.broker_crashes && living.contains(&BROKER);
        let Some(node) = (if broker { Some(BROKER) } else { self.chooser.pick(&living) }) else { return };
        let chooser = &mut self.chooser;
        self.world.kill(node, |length| chooser.number(0..length + 1));
        self.oracle.hands.retain(|hand| hand.node != node);
        self.befallen = true;
        self.sure = self.oracle.collapsed(&self.world);
    }

    fn cut(&mut self) {
        let living = self.world.living();
        let linked = |pair: &(usize, usize)| self.world.link_between(pair.0, pair.1).is_some();
        let pairs = living.iter().flat_map(|&one| living.iter().map(move |&other| (one, other)));
        let pairs: Vec<_> = pairs.filter(linked).collect();
        if let Some((node, other)) = self.chooser.pick(&pairs) {
            self.world.cut(node, other);
            self.befallen = true;
            self.sure.clear();
        }
    }

    /// A member invites an outsider, and gives it one end of a new pipe.
    fn invite(&mut self, outsider: usize) {
        let outside = self.world.nodes.len() - self.configuration.outsiders;
        let living = self.world.living();
        let members: Vec<usize> = living.iter().copied().filter(|node| *node < outside).collect();
        let Some(sponsor) = self.chooser.pick(&members).filter(|_| living.contains(&outsider)) else {
            return;
        };
        let [_, end] = self.oracle.create(&mut self.world, sponsor);
        self.oracle.hands.retain(|hand| *hand != end);
        self.world.sponsor(sponsor, outsider, end.end, self.configuration.isolated);
        if self.configuration.isolated {
            reached(Mark::Isolated);
        }
        self.oracle.take_accepted(&mut self.world);
    }

    /// A node closes all that its users hold. It stays until nothing is routed through it.
    fn drain_one(&mut self) {
        let living: Vec<usize> = self.world.living().into_iter().filter(|node| *node != BROKER).collect();
        let Some(node) = self.chooser.pick(&living).filter(|_| self.leaving.is_none()) else { return };
        self.leaving = Some(node);
        self.close_all(node);
        self.leave();
    }

    fn close_all(&mut self, node: usize) {
        for hand in self.oracle.hands.clone().into_iter().filter(|hand| hand.node == node) {
            self.oracle.close(&mut self.world, hand);
        }
    }

    /// Whoever wants to leave does so when it may. Pipes that others hold must not suffer, collapsed or not.
    fn leave(&mut self) {
        let Some(node) = self.leaving else { return };
        if !self.world.nodes[node].alive {
            self.leaving = None;
            return;
        }
        self.close_all(node);
        let router = &self.world.nodes[node].router;
        if !router.is_drained() {
            return;
        }
        if router.endpoints.len() > 0 && !mutated(Mutation::DrainedTooSoon) {
            return; // An end has arrived just now, in something that nobody will read.
        }
        reached(Mark::Left);
        self.leaving = None;
        self.left += 1;
        self.sure = checks::pairs(&self.world, &self.oracle)
            .into_iter()
            .filter_map(|(hand, other)| Some((hand, other?)))
            .filter(|(hand, other)| {
                !checks::has_ended(&self.world, *hand) && !checks::has_ended(&self.world, *other)
            })
            .collect();
        if self.configuration.leaves > 0 {
            self.world.leave(node);
        } else {
            self.world.kill(node, |under_way| under_way);
        }
        self.befallen = true;
    }

    /// A node leaves, whatever is under way. Its pipes to others end at once, those within it go on, and it stays.
    fn leave_networks(&mut self) {
        let mut living = self.world.living();
        if self.configuration.broker_crashes && self.world.nodes[BROKER].alive {
            living = vec![BROKER];
        }
        let Some(node) = self.chooser.pick(&living) else { return };
        let leads_out = |run: &Self, hand: &Hand| {
            let endpoint = run.world.nodes[node].router.endpoints.get(&hand.end);
            hand.node == node && endpoint.is_some_and(|endpoint| !endpoint.prev().node.is_local())
        };
        let out: Vec<Hand> = self.oracle.hands.iter().filter(|hand| leads_out(self, hand)).copied().collect();
        self.world.leave(node);
        reached(Mark::LeftInHaste);
        for hand in out.into_iter().filter(|hand| !checks::has_ended(&self.world, *hand)) {
            self.oracle.blame(format!("{hand:?} leads out of a network that its node has left"));
        }
        self.befallen = true;
        self.sure = self.oracle.collapsed(&self.world);
    }

    /// A node gives credit to an endpoint that has never heard of it.
    fn forge(&mut self) {
        let living = self.world.living();
        let (Some(to), Some(from)) = (self.chooser.pick(&living), self.chooser.pick(&living)) else { return };
        let names: Vec<_> = self.world.nodes[to].router.endpoints.keys().collect();
        let Some(name) = self.chooser.pick(&names) else { return };
        let Some(endpoint) = self.world.nodes[to].router.endpoints.get(&name) else { return };
        let (messages, bytes) = (endpoint.window.sent.messages, endpoint.window.sent.bytes);
        let whole = self.windows.most;
        let credit = Count { messages: messages + whole.0, bytes: bytes + whole.1 };
        let creator = if name.creator.is_local() { name_of(to) } else { name.creator };
        self.forged += 1;
        let stranger = EndpointName { creator: name_of(from), number: u64::MAX - self.forged % 9 };
        let to_name = EndpointName { creator, ..name };
        let frame = Frame::Endpoint { to: to_name, from: stranger, body: Body::Credit(credit) };
        self.world.forge(from, to, frame);
    }

    // ---- the end

    /// Reads all there is, again and again.
    fn drain(&mut self) -> bool {
        loop {
            let mut progress = false;
            for hand in self.oracle.hands.clone() {
                while self.oracle.receive(&mut self.world, hand).is_ok() {
                    progress = true;
                }
            }
            if !self.rest() {
                return false;
            }
            if !progress {
                return true;
            }
        }
    }

    fn finish(mut self) -> Result<Summary, String> {
        let rested = self.oracle.faults.is_empty() && self.rest() && self.drain();
        self.check_always();
        let marks = take_marks();
        let mut summary = Summary { marks, ..Summary::default() };
        if rested && self.oracle.faults.is_empty() {
            self.judge(&mut summary);
        }
        if self.oracle.faults.is_empty() {
            return Ok(summary);
        }
        let mut report = String::new();
        for fault in self.oracle.faults.iter().take(6) {
            let _ = writeln!(report, "  {fault}");
        }
        Err(report)
    }

    fn judge(&mut self, summary: &mut Summary) {
        let reached = |mark: Mark| summary.marks.contains_key(&mark);
        let trips = [Mark::Endless, Mark::Overloaded, Mark::Enclosed].into_iter().any(reached);
        let spoilt = [Mark::HeldControls, Mark::Spoiled, Mark::PendingOverflow].into_iter().any(reached);
        // What no sender saw comes to light on delivery, and nothing else does.
        let circles = summary.marks.get(&Mark::Enclosed).copied().unwrap_or_default();
        if circles > self.oracle.circles {
            self.oracle.blame(format!("{circles} circles were met, users made {}", self.oracle.circles));
        }
        if reached(Mark::Endless) && self.oracle.circles == 0 && self.configuration.hops_max >= 64 {
            self.oracle.blame("a chase without a circle");
        }
        // Who has no broker, any more or yet, founds a network when it invites somebody.
        let other_networks = self.configuration.outsiders > 0;
        if reached(Mark::OtherNetwork) && !other_networks {
            self.oracle.blame("there is but one network");
        }
        if self.configuration.isolated {
            self.stay_apart();
        }
        for never in [Mark::OutOfOrder, Mark::Overdrawn, Mark::HeldMessages, Mark::Crowded] {
            if reached(never) {
                self.oracle.blame(format!("honest nodes have met with {never:?}"));
            }
        }
        let refused = !self.configuration.refused.is_empty();
        let excuse = Excuse { any: self.befallen || refused || trips || spoilt, collapsed: trips };
        checks::at_rest(&mut self.world, &mut self.oracle, self.windows, excuse, &self.sure);
        summary.sure = self.sure.len();
        summary.moves = self.oracle.moves;
        summary.full = self.oracle.full;
        summary.over_itself = self.oracle.over_itself;
        summary.introductions = self.world.introductions;
        self.probe(summary);
        for hand in self.oracle.hands.clone() {
            self.oracle.close(&mut self.world, hand);
        }
        if self.oracle.faults.is_empty() && self.rest() {
            checks::after_closing(&self.world, &mut self.oracle);
            checks::handles(&self.world, &mut self.oracle);
        }
    }

    /// Who was invited in isolation has met nobody but its sponsor.
    fn stay_apart(&mut self) {
        let nodes = self.world.nodes.len();
        for outsider in nodes - self.configuration.outsiders..nodes {
            let met = (0..nodes).filter(|other| self.world.links_between(outsider, *other) > 0).count();
            if met > 1 {
                self.oracle.blame(format!("{met} nodes have met {outsider}, which is isolated"));
            }
        }
    }

    /// More than a window passes each way of every pipe that is open.
    fn probe(&mut self, summary: &mut Summary) {
        for (hand, other) in checks::pairs(&self.world, &self.oracle) {
            let Some(other) = other else { continue };
            if checks::has_ended(&self.world, hand) || checks::has_ended(&self.world, other) {
                continue;
            }
            summary.open += 1;
            for (from, to) in [(hand, other), (other, hand)] {
                for _ in 0..self.windows.most.0.min(16) * 2 + 1 {
                    if self.oracle.faults.is_empty() && !self.passes(from, to) {
                        self.oracle.blame(format!("{from:?} does not get through to {to:?}"));
                    }
                }
            }
        }
    }

    fn passes(&mut self, from: Hand, to: Hand) -> bool {
        self.oracle.send(&mut self.world, from, &[], 0, 0).is_ok()
            && self.rest()
            && self.oracle.receive(&mut self.world, to).is_ok()
            && self.rest()
    }
}
