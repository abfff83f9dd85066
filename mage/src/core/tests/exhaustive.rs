//! Every order of events, of small scripts: whatever can happen next does, in some run.
//!
//! The states of the whole network, the users included, are a graph; it is walked from the start, each state once. A
//! script is a list of steps of one actor, who waits until a step can be done.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::checks::{self, Excuse, Windows};
use super::oracle::{Hand, Oracle};
use super::world::{BROKER, World};
use crate::core::probe::take_marks;
use crate::error::SendErrorKind;
use crate::limits::Limits;

use Act::{Close, Move, Read, Send, Take};

/// What an actor does; ends go by names, for they move.
#[derive(Clone, Copy, Debug)]
enum Act {
    Send(&'static str),
    Read(&'static str),
    /// Sends the second over the first.
    Move(&'static str, &'static str),
    /// Reads from the first the message that brings the second.
    Take(&'static str, &'static str),
    Close(&'static str),
}

/// A small world to explore.
struct Scope {
    scripts: &'static [&'static [Act]],
    window_messages: u64,
    crashes: usize,
    /// Whether the second end of the pipe starts on node 2, which node 1 then has met, or with the broker.
    met: bool,
    /// States after which the search is given up.
    states_max: usize,
}

#[derive(Clone)]
struct State {
    world: World,
    oracle: Oracle,
    ends: BTreeMap<&'static str, Hand>,
    done: Vec<usize>,
    crashes: usize,
}

/// What a search has seen.
#[derive(Debug)]
struct Found {
    states: usize,
    last: usize,
    complete: bool,
}

impl State {
    /// The pipe p between node 1 (p0) and node 2 or the broker (p1), and the carriers a and b, whose ends a0 and b0
    /// nodes 1 and 2 hold and a1 and b1 the broker.
    fn new(scope: &Scope) -> Self {
        let limits = Limits { window_messages: scope.window_messages, ..Limits::default() };
        let (mut world, near) = World::new(&vec![limits; 3]);
        let mut oracle = Oracle::default();
        rest(&mut world);
        oracle.take_accepted(&mut world);
        let far = oracle.hands.clone();
        oracle.hands.extend(near.iter().map(|&end| Hand { node: BROKER, end }));
        let mut ends = BTreeMap::from([
            ("a0", far[0]),
            ("b0", far[1]),
            ("a1", Hand { node: BROKER, end: near[0] }),
            ("b1", Hand { node: BROKER, end: near[1] }),
        ]);
        let [p0, p1] = oracle.create(&mut world, BROKER);
        let mut carry = |end: Hand, from: &str, to: &str| {
            oracle.send(&mut world, ends[from], &[end], 0, 0).expect("there is room");
            rest(&mut world);
            let before = oracle.hands.len();
            oracle.receive(&mut world, ends[to]).expect("it has come");
            rest(&mut world);
            oracle.hands[before]
        };
        let p0 = carry(p0, "a1", "a0");
        let p1 = if scope.met { carry(p1, "b1", "b0") } else { p1 };
        ends.extend([("p0", p0), ("p1", p1)]);
        Self { world, oracle, ends, done: vec![0; scope.scripts.len()], crashes: 0 }
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.world.hash_state(&mut hasher);
        self.oracle.hash_state(&mut hasher);
        (&self.ends, &self.done, self.crashes).hash(&mut hasher);
        hasher.finish()
    }

    /// Does the next step of an actor; false if it cannot be done now. Steps on ends that are gone are skipped.
    fn act(&mut self, act: Act) -> bool {
        let (Send(name) | Read(name) | Move(name, _) | Take(name, _) | Close(name)) = act;
        let Some(&hand) = self.ends.get(name) else { return self.crashes > 0 };
        match act {
            Send(_) => self.oracle.send(&mut self.world, hand, &[], 0, 0) != Err(SendErrorKind::Full),
            Move(_, end) => {
                let moves = self.ends.get(end).copied().filter(|end| end.node == hand.node);
                let Some(moves) = moves else { return self.crashes > 0 };
                match self.oracle.send(&mut self.world, hand, &[moves], 0, 0) {
                    Ok(()) => self.ends.remove(end).is_some(),
                    Err(why) => why != SendErrorKind::Full,
                }
            }
            Read(_) | Take(_, _) => {
                let before = self.oracle.hands.len();
                let read = self.oracle.receive(&mut self.world, hand);
                if let (Take(_, end), Some(&arrived)) = (act, self.oracle.hands.get(before)) {
                    self.ends.insert(end, arrived);
                }
                read.map_or_else(|ended| ended.0, |()| true)
            }
            Close(_) => {
                self.oracle.close(&mut self.world, hand);
                self.ends.remove(name).is_some()
            }
        }
    }

    /// Every state that can come next; true for those that nobody but fate brings about.
    fn successors(&self, scope: &Scope) -> Vec<(Self, bool)> {
        let mut next = Vec::new();
        for (actor, script) in scope.scripts.iter().enumerate() {
            let Some(&act) = script.get(self.done[actor]) else { continue };
            let mut state = self.clone();
            if state.act(act) {
                state.done[actor] += 1;
                next.push((state, false));
            }
        }
        for step in self.world.steps() {
            let mut state = self.clone();
            state.world.take(step);
            next.push((state, false));
        }
        if self.crashes < scope.crashes {
            for node in self.world.living() {
                // Everything that is under way is lost, or nothing.
                for lost in [true, false] {
                    let mut state = self.clone();
                    state.world.kill(node, |length| if lost { 0 } else { length });
                    state.oracle.hands.retain(|hand| hand.node != node);
                    state.ends.retain(|_, hand| hand.node != node);
                    state.crashes += 1;
                    next.push((state, true));
                }
            }
        }
        next
    }

    /// Nothing can happen any more: everything must be as it should.
    fn conclude(mut self, scope: &Scope) -> Vec<String> {
        let stalled = (0..self.done.len()).any(|actor| self.done[actor] < scope.scripts[actor].len());
        if stalled && self.crashes == 0 {
            self.oracle.blame(format!("the actors wait for ever, after {:?} steps", self.done));
        }
        loop {
            let hands = self.oracle.hands.clone();
            let mut read = |hand: &Hand| self.oracle.receive(&mut self.world, *hand).is_ok();
            let progress = hands.iter().filter(|hand| read(hand)).count() > 0;
            rest(&mut self.world);
            if !progress {
                break;
            }
        }
        let ended = self.crashes > 0;
        let excuse = Excuse { any: ended, collapsed: ended };
        checks::at_rest(&mut self.world, &mut self.oracle, windows(scope), excuse, &[]);
        for hand in self.oracle.hands.clone() {
            self.oracle.close(&mut self.world, hand);
        }
        rest(&mut self.world);
        checks::after_closing(&self.world, &mut self.oracle);
        self.oracle.faults
    }
}

fn rest(world: &mut World) {
    while let Some(&step) = world.steps().first() {
        world.take(step);
    }
}

fn windows(scope: &Scope) -> Windows {
    let whole = (scope.window_messages, Limits::default().window_bytes);
    Windows { least: whole, most: whole }
}

/// Walks all states of a scope, each once.
fn explore(scope: &Scope) -> Found {
    take_marks();
    let start = State::new(scope);
    let mut seen = BTreeSet::from([start.digest()]);
    let mut todo = vec![start];
    let mut last = 0;
    while let Some(state) = todo.pop() {
        if seen.len() > scope.states_max {
            return Found { states: seen.len(), last, complete: false };
        }
        let mut moved = false;
        for (next, fate) in state.successors(scope) {
            moved |= !fate;
            if !seen.insert(next.digest()) {
                continue;
            }
            let mut faults = next.oracle.faults.clone();
            checks::always(&next.world, windows(scope), &mut faults);
            assert!(faults.is_empty(), "{faults:#?}\nafter {:?} steps", next.done);
            todo.push(next);
        }
        if !moved {
            last += 1;
            let done = state.done.clone();
            let faults = state.conclude(scope);
            assert!(faults.is_empty(), "{faults:#?}\nat rest after {done:?} steps");
        }
    }
    Found { states: seen.len(), last, complete: true }
}

type Script = &'static [&'static [Act]];

/// The writer's end moves.
const WRITER: Script =
    &[&[Send("p0"), Move("a0", "p0")], &[Take("a1", "p0"), Send("p0")], &[Read("p1"), Read("p1")]];

/// The reader's end moves.
const READER: Script =
    &[&[Send("p0"), Send("p0")], &[Read("p1"), Move("b0", "p1")], &[Take("b1", "p1"), Read("p1")]];

/// Both ends move.
const BOTH: Script = &[
    &[Send("p0"), Move("a0", "p0")],
    &[Take("a1", "p0"), Send("p0")],
    &[Read("p1"), Move("b0", "p1")],
    &[Take("b1", "p1"), Read("p1")],
];

/// Both ends move, one to a node that the other has not met.
const MEETING: Script = &[
    &[Send("p0"), Move("a0", "p0")],
    &[Take("a1", "p0"), Send("p0")],
    &[Read("p1"), Move("b1", "p1")],
    &[Take("b0", "p1"), Read("p1")],
];

/// Both ends move, and one is closed.
const CLOSING: Script = &[
    &[Send("p0"), Move("a0", "p0")],
    &[Take("a1", "p0"), Send("p0"), Close("p0")],
    &[Read("p1"), Move("b0", "p1")],
    &[Take("b1", "p1"), Read("p1")],
];

/// Explores a script to the end, with windows of one message.
fn complete(scripts: Script, met: bool, crashes: usize) -> Found {
    let scope = Scope { scripts, window_messages: 1, crashes, met, states_max: 3_000_000 };
    let found = explore(&scope);
    assert!(found.complete, "{found:?}");
    assert!(found.states > 100 && found.last > 0, "{found:?}");
    found
}

#[test]
fn one_end_moves() {
    complete(WRITER, true, 0);
    complete(READER, true, 0);
    complete(WRITER, false, 0);
}

#[test]
fn one_end_moves_and_a_node_dies() {
    complete(WRITER, true, 1);
    complete(READER, true, 1);
    complete(WRITER, false, 1);
}

#[test]
fn both_ends_move() {
    complete(BOTH, true, 0);
}

#[test]
fn both_ends_move_and_one_closes() {
    complete(CLOSING, true, 0);
}

#[test]
fn both_ends_move_and_meet() {
    complete(MEETING, false, 0);
}

/// Two moves, two messages, a close and a crash.
#[test]
fn both_ends_move_and_one_closes_and_a_node_dies() {
    complete(CLOSING, true, 1);
}

#[test]
#[ignore = "most of a minute with --release; for the night"]
fn both_ends_move_and_meet_and_a_node_dies() {
    let found = complete(MEETING, false, 1);
    assert!(found.states > 300_000, "{found:?}");
}
