//! One run: a network of honest nodes and honest users, of which one node turns hostile at some moment.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::bounds::{self, Reached};
use super::liar::Liar;
use super::taint::{Pipe, Taint};
use crate::core::message::Draft;
use crate::core::name::EndpointName;
use crate::core::probe::{Mark, set_hops_max, take_marks};
use crate::core::tests::checks::{self, Excuse, Windows};
use crate::core::tests::chooser::Chooser;
use crate::core::tests::oracle::{Hand, Oracle};
use crate::core::tests::world::{BROKER, Step, World};
use crate::core::{Received, Role};
use crate::limits::Limits;

/// What kind of hostility it is.
#[derive(Clone, Debug)]
pub(super) struct Temper {
    pub(super) nodes: usize,
    pub(super) operations: usize,
    pub(super) window_messages: u64,
    /// Attacks for each operation of the users, in thousandths of another one.
    pub(super) rate: usize,
    /// How much of what it is told it goes on doing, of a thousand.
    pub(super) obeys: usize,
    /// How many attacks cost the link, of a thousand.
    pub(super) lies: usize,
    /// Whether users see to it that no pipe waits in one that waits in it: then no pipe may end for such a reason, either.
    pub(super) ordered: bool,
    pub(super) held_controls_max: usize,
}

/// Steps after which a network that has not come to rest never will.
const STEPS_MAX: usize = 300_000;

/// What a run that went well has seen.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) marks: BTreeMap<Mark, usize>,
    pub(super) reached: Reached,
    /// Ends of pipes that the hostile node never had a hand in, and that work at the end.
    pub(super) untouched: usize,
    /// Those among them whose pipes had run through it before.
    pub(super) healed: usize,
    pub(super) convicted: usize,
    /// Endpoints that are left at honest nodes when the hostile one is gone and everything is closed.
    pub(super) left: usize,
}

struct Siege<'a> {
    temper: &'a Temper,
    chooser: Chooser,
    world: World,
    oracle: Oracle,
    windows: Windows,
    liar: Liar,
    /// From when it turns.
    taint: Option<Taint>,
    /// Pipes that have had an endpoint at the hostile node while that was honest.
    passed: std::collections::BTreeSet<Pipe>,
    /// Ends of tainted pipes in the hands of honest users.
    strangers: Vec<Hand>,
    outcome: Outcome,
    steps: usize,
}

/// Runs one seed. An error is the list of promises that were broken.
pub(super) fn run(seed: u64, temper: &Temper) -> Result<Outcome, String> {
    take_marks();
    set_hops_max(64);
    let mut siege = Siege::new(seed, temper);
    siege.begin();
    siege.operate();
    siege.finish()
}

impl<'a> Siege<'a> {
    fn new(seed: u64, temper: &'a Temper) -> Self {
        let limits = Limits {
            window_messages: temper.window_messages,
            held_controls_max: temper.held_controls_max,
            known_nodes_max: 60,
            ..Limits::default()
        };
        let limits = vec![limits; temper.nodes];
        let mut chooser = Chooser::new(seed);
        let (world, ends) = World::new(&limits);
        let mut oracle = Oracle::default();
        oracle.hands.extend(ends.iter().map(|&end| Hand { node: BROKER, end }));
        let liar = Liar::new(chooser.number(1..temper.nodes), temper.lies);
        Self {
            temper,
            chooser,
            world,
            oracle,
            windows: Windows::of(&limits),
            liar,
            taint: None,
            passed: std::collections::BTreeSet::new(),
            strangers: Vec::new(),
            outcome: Outcome::default(),
            steps: 0,
        }
    }

    /// A pipe between any two nodes, so that most have met.
    fn begin(&mut self) {
        self.rest();
        let nodes = self.world.nodes.len();
        let guests: Vec<Hand> =
            self.oracle.hands.iter().copied().filter(|hand| hand.node != BROKER).collect();
        let near: Vec<Hand> = self.oracle.hands.iter().copied().filter(|hand| hand.node == BROKER).collect();
        for one in 1..nodes {
            for other in 1..one {
                let ends = self.oracle.create(&mut self.world, BROKER);
                for (end, to) in ends.into_iter().zip([one, other]) {
                    let carrier = near[to - 1];
                    let sent = self.oracle.send(&mut self.world, carrier, &[end], 0, 0);
                    self.rest();
                    let read = guests.iter().find(|guest| guest.node == to);
                    let read = read.map(|guest| self.oracle.receive(&mut self.world, *guest).is_ok());
                    assert!(sent.is_ok() && read == Some(true), "an honest network works");
                }
                self.rest();
            }
        }
    }

    // ---- the network

    fn step(&mut self) -> bool {
        let steps = self.world.steps();
        let Some(step) = self.chooser.pick(&steps) else { return false };
        self.steps += 1;
        match step {
            Step::Deliver { channel, side } if self.is_for_liar(channel, side) => self.listen(channel, side),
            step => self.world.take(step),
        }
        if let Some(taint) = &mut self.taint {
            taint.follow(&mut self.world);
        } else {
            self.note_passing();
        }
        self.oracle.take_accepted(&mut self.world);
        if self.steps.is_multiple_of(8) {
            self.check_bounds();
        }
        true
    }

    fn is_for_liar(&self, channel: usize, side: usize) -> bool {
        self.taint.is_some() && self.world.reader(channel, side) == Some(self.liar.node)
    }

    /// The hostile node hears something, and does about it what it likes.
    fn listen(&mut self, channel: usize, side: usize) {
        let obeys = self.chooser.chance(self.temper.obeys);
        match self.world.peek(channel, side) {
            Some(frame) => {
                self.liar.overhear(frame);
                if obeys {
                    self.world.take(Step::Deliver { channel, side });
                } else {
                    self.world.ignore(channel, side);
                }
            }
            None => self.world.take(Step::Deliver { channel, side }),
        }
    }

    fn note_passing(&mut self) {
        for end in self.world.nodes[self.liar.node].router.endpoints.keys() {
            if let Some(way) = Oracle::way(&self.world, Hand { node: self.liar.node, end }) {
                self.passed.insert((way.0, way.1));
            }
        }
    }

    fn check_bounds(&mut self) {
        if self.taint.is_some() && self.oracle.faults.is_empty() {
            let reached = bounds::check(&self.world, self.liar.node, &mut self.oracle.faults);
            self.outcome.reached = self.outcome.reached.most(reached);
            for node in self.world.living() {
                if node != self.liar.node {
                    checks::carriers(&self.world.nodes[node].router, node, &mut self.oracle.faults);
                    checks::references(&self.world.nodes[node].router, node, &mut self.oracle.faults);
                }
            }
            self.oracle.faults.extend(self.world.faults.iter().cloned());
        }
    }

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

    // ---- who turns

    fn turn(&mut self) {
        self.rest();
        self.world.hostile = Some(self.liar.node);
        self.world.moved.clear();
        self.oracle.hands.retain(|hand| hand.node != self.liar.node);
        self.taint = Some(Taint::at_turn(&self.world, &self.oracle, self.liar.node));
        self.sort();
    }

    /// What is tainted is nobody's promise any more.
    fn sort(&mut self) {
        let Some(taint) = &self.taint else { return };
        let (strangers, hands): (Vec<Hand>, Vec<Hand>) =
            self.oracle.hands.drain(..).partition(|hand| taint.is_tainted(*hand));
        self.oracle.hands = hands;
        self.strangers.extend(strangers);
    }

    fn is_tainted(&self, hand: Hand) -> bool {
        self.taint.as_ref().is_some_and(|taint| taint.is_tainted(hand))
    }

    // ---- the users

    fn operate(&mut self) {
        let turns = self.chooser.number(5..self.temper.operations * 2 / 3);
        for operation in 0..self.temper.operations {
            if operation == turns {
                self.turn();
            }
            while self.taint.is_some() && self.chooser.chance(self.temper.rate) {
                self.liar.attack(&mut self.chooser, &mut self.world);
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

    fn all_hands(&self) -> Vec<Hand> {
        self.oracle.hands.iter().chain(&self.strangers).copied().collect()
    }

    fn operation(&mut self) {
        let hands = self.all_hands();
        let Some(hand) = self.chooser.pick(&hands) else { return };
        match self.chooser.number(0..100) {
            0..12 => self.create(),
            12..65 => self.say(hand, &hands),
            65..85 => {
                self.read(hand);
            }
            85..88 if hands.len() > 6 => self.close(hand),
            _ => {}
        }
        self.sort();
    }

    fn create(&mut self) {
        let honest: Vec<usize> = self
            .world
            .living()
            .into_iter()
            .filter(|node| self.taint.is_none() || *node != self.liar.node)
            .collect();
        let Some(node) = self.chooser.pick(&honest) else { return };
        for hand in self.oracle.create(&mut self.world, node) {
            let way = Oracle::way(&self.world, hand);
            if let (Some(taint), Some(way)) = (&mut self.taint, way) {
                taint.made(hand, (way.0, way.1));
            }
        }
    }

    fn say(&mut self, hand: Hand, hands: &[Hand]) {
        let order = |hand: Hand| Oracle::way(&self.world, hand).map(|way| (way.1, way.0));
        let may = |end: &Hand| {
            end.node == hand.node && *end != hand && (!self.temper.ordered || order(*end) > order(hand))
        };
        let near: Vec<Hand> = hands.iter().copied().filter(may).collect();
        let carries = self.chooser.chance(600);
        let ends: Vec<Hand> = self.chooser.pick(&near).into_iter().filter(|_| carries).collect();
        let times = if ends.is_empty() { [1, 1, 2, 5][self.chooser.number(0..4)] } else { 1 };
        for _ in 0..times {
            let sent =
                if self.is_tainted(hand) { self.hand_over(hand, &ends) } else { self.speak(hand, &ends) };
            if !sent {
                break;
            }
        }
    }

    /// Sends over a pipe of which everything is promised.
    fn speak(&mut self, hand: Hand, ends: &[Hand]) -> bool {
        let files = [0, 0, 0, 1][self.chooser.number(0..4)];
        let sent = self.oracle.send(&mut self.world, hand, ends, files, 0).is_ok();
        if sent {
            self.strangers.retain(|other| !ends.contains(other));
        }
        sent
    }

    /// Sends over a pipe of which nothing is promised: whatever goes over it is the hostile node's.
    fn hand_over(&mut self, hand: Hand, ends: &[Hand]) -> bool {
        let names: Vec<EndpointName> = ends.iter().map(|end| end.end).collect();
        let message = Draft {
            bytes: b"to whom it may concern".to_vec(),
            ends: names.into(),
            handles: Default::default(),
        };
        if self.world.send(hand.node, hand.end, message).is_err() {
            return false;
        }
        self.oracle.hands.retain(|other| !ends.contains(other));
        self.strangers.retain(|other| !ends.contains(other));
        for &end in ends {
            let Some(taint) = &mut self.taint else { continue };
            if let Some(pipe) = taint.pipe_of(end) {
                taint.taint(pipe, &self.oracle);
            }
        }
        true
    }

    /// Reads one message; false if there is none.
    fn read(&mut self, hand: Hand) -> bool {
        if self.is_tainted(hand) {
            let Received::Message(message) = self.world.receive(hand.node, hand.end) else { return false };
            self.strangers.extend(message.ends.iter().map(|&end| Hand { node: hand.node, end }));
            return true;
        }
        if let (Some(taint), Some(endpoint)) =
            (&self.taint, self.world.nodes[hand.node].router.endpoints.get(&hand.end))
        {
            let made_up = endpoint.queue.ends().filter(|&end| taint.is_made_up(hand.node, end));
            self.oracle.strangers.extend(made_up.map(|end| Hand { node: hand.node, end }));
        }
        self.oracle.receive(&mut self.world, hand).is_ok()
    }

    fn close(&mut self, hand: Hand) {
        self.strangers.retain(|other| *other != hand);
        self.oracle.close(&mut self.world, hand);
    }

    // ---- the end

    fn drain(&mut self) -> bool {
        for round in 0..400 {
            let mut progress = false;
            if round < 5 {
                for _ in 0..6 {
                    if self.chooser.chance(self.temper.rate) {
                        self.liar.attack(&mut self.chooser, &mut self.world);
                    }
                }
            }
            for hand in self.all_hands() {
                while self.read(hand) {
                    progress = true;
                }
                self.sort();
            }
            if !self.rest() {
                return false;
            }
            if !progress && round >= 5 {
                return true;
            }
        }
        self.oracle.blame("there is always something more to read");
        false
    }

    fn finish(mut self) -> Result<Outcome, String> {
        if self.oracle.faults.is_empty() && self.rest() && self.drain() {
            self.judge();
        }
        if self.oracle.faults.is_empty() && self.rest() {
            self.conclude();
        }
        self.outcome.marks = take_marks();
        self.outcome.convicted = self.world.convicted;
        if self.oracle.faults.is_empty() {
            return Ok(self.outcome);
        }
        let mut report = format!("  node {} is hostile\n", self.liar.node);
        for fault in self.oracle.faults.iter().take(4) {
            let _ = writeln!(report, "  {fault:.600}");
        }
        Err(report)
    }

    /// Everything that the hostile node has had no hand in is as it would be without it.
    fn judge(&mut self) {
        self.check_bounds();
        self.sort();
        let excuse = Excuse { any: self.oracle.circles > 0 || !self.temper.ordered, collapsed: true };
        for node in self.honest() {
            let names: Vec<EndpointName> = self.world.nodes[node].router.endpoints.keys().collect();
            for end in names {
                let hand = Hand { node, end };
                let role = self.world.nodes[node].router.status(end).map(|status| status.role);
                if self.is_tainted(hand) {
                    continue;
                }
                if role != Some(Role::Open) {
                    self.oracle.blame(format!("{hand:?} is stuck"));
                } else if !self.oracle.hands.contains(&hand) {
                    self.oracle.blame(format!("{hand:?} is out of everybody's reach"));
                }
            }
        }
        for (hand, other) in checks::pairs(&self.world, &self.oracle) {
            match other {
                None if checks::has_ended(&self.world, hand) => {}
                None => self.oracle.blame(format!("{hand:?} is half of a pipe without another half")),
                Some(other) => {
                    let windows = self.windows;
                    checks::pair_at_rest(&self.world, &mut self.oracle, windows, excuse, (hand, other));
                    self.probe(hand, other);
                }
            }
        }
    }

    fn honest(&self) -> Vec<usize> {
        self.world.living().into_iter().filter(|node| *node != self.liar.node).collect()
    }

    /// Messages pass each way of a pipe that is open.
    fn probe(&mut self, hand: Hand, other: Hand) {
        if checks::has_ended(&self.world, hand) || !self.oracle.faults.is_empty() {
            return;
        }
        self.outcome.untouched += 2;
        let pipe = self.taint.as_ref().and_then(|taint| taint.pipe_of(hand));
        self.outcome.healed += 2 * usize::from(pipe.is_some_and(|pipe| self.passed.contains(&pipe)));
        for (from, to) in [(hand, other), (other, hand)] {
            for _ in 0..self.windows.most.0.min(4) + 1 {
                let sent = self.oracle.send(&mut self.world, from, &[], 0, 0).is_ok();
                if !sent || !self.rest() || self.oracle.receive(&mut self.world, to).is_err() || !self.rest()
                {
                    self.oracle.blame(format!("{from:?} does not get through to {to:?}"));
                    return;
                }
            }
        }
    }

    /// Everybody closes everything, then the hostile node goes.
    fn conclude(&mut self) {
        for hand in self.all_hands() {
            self.close(hand);
        }
        if !self.rest() {
            return;
        }
        self.world.kill(self.liar.node, |under_way| under_way);
        self.liar.forget();
        if !self.rest() {
            return;
        }
        for node in self.honest() {
            let names: Vec<EndpointName> = self.world.nodes[node].router.endpoints.keys().collect();
            for end in names {
                if self.is_tainted(Hand { node, end }) {
                    self.outcome.left += 1;
                } else {
                    self.oracle.blame(format!("{end:?} on node {node} is left over"));
                }
            }
            if self.world.nodes[node].router.peers.asked() > 0 {
                self.oracle.blame(format!("node {node} still waits for an introduction"));
            }
        }
        if self.outcome.left == 0 {
            checks::handles(&self.world, &mut self.oracle);
        }
    }
}
