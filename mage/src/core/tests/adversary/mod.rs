//! The adversary: one node of the simulated network keeps no rule any more.
//!
//! It knows every name, sends any frame to anybody it has a link to, and does with what it hears as it likes. Honest users
//! meanwhile use its pipes as they use all others. Promised is, for every pipe that it has had no hand in and every pipe that
//! has healed since: messages arrive once and in order, the pipe does not end without a reason of its own, nothing is left. No
//! link between honest nodes is ever dropped, and what a node keeps for others stays within named limits.
//!
//! `MAGE_SEED=1234 cargo test -p mage-ipc --lib siege` runs one again; `MAGE_SEEDS=50000` runs so many.

mod bounds;
mod defences;
mod liar;
mod siege;
mod stories;
mod taint;

use std::collections::BTreeMap;
use std::thread;

use self::bounds::Reached;
use self::siege::{Outcome, Temper};
use crate::core::probe::{Mark, Mutation};

pub(super) use self::defences::DEFENCES;

/// How many runs a plain `cargo test` makes.
const RUNS: u64 = 1_000;

const PLAIN: Temper = Temper {
    nodes: 4,
    operations: 90,
    window_messages: 4,
    rate: 500,
    obeys: 700,
    lies: 0,
    ordered: true,
    held_controls_max: 64,
};

const TEMPERS: &[Temper] = &[
    PLAIN,
    Temper { ordered: false, ..PLAIN },
    Temper { lies: 20, ..PLAIN },
    Temper { nodes: 5, obeys: 1000, ..PLAIN },
    Temper { nodes: 3, rate: 800, ..PLAIN },
    Temper { obeys: 0, rate: 750, lies: 5, ..PLAIN },
    Temper { nodes: 5, operations: 140, window_messages: 2, ordered: false, ..PLAIN },
    Temper { rate: 850, held_controls_max: 8, window_messages: 1, ..PLAIN },
];

/// What the hostile node must bring about, or the campaign tests less than it says.
const TO_BE_REACHED: &[Mark] = &[
    Mark::Held,
    Mark::HeldMessages,
    Mark::HeldControls,
    Mark::Spoiled,
    Mark::OutOfOrder,
    Mark::Overdrawn,
    Mark::Endless,
    Mark::CreditMoving,
    Mark::CreditForwarded,
];

/// One run.
fn one(seed: u64) -> Result<Outcome, String> {
    siege::run(seed, &TEMPERS[(seed % TEMPERS.len() as u64) as usize])
}

#[derive(Debug, Default)]
struct Sum {
    marks: BTreeMap<Mark, usize>,
    reached: Reached,
    untouched: usize,
    healed: usize,
    convicted: usize,
    left: usize,
}

impl Sum {
    fn add(&mut self, outcome: Outcome) {
        outcome.marks.into_iter().for_each(|(mark, times)| *self.marks.entry(mark).or_insert(0) += times);
        self.reached = self.reached.most(outcome.reached);
        self.untouched += outcome.untouched;
        self.healed += outcome.healed;
        self.convicted += outcome.convicted;
        self.left += outcome.left;
    }
}

#[test]
fn siege() {
    match std::env::var("MAGE_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => lay(seed..seed + 1),
        None => {
            let runs = std::env::var("MAGE_SEEDS").ok().and_then(|runs| runs.parse().ok());
            lay(0..runs.unwrap_or(RUNS));
        }
    }
}

#[test]
#[ignore = "takes minutes; for the night, and for changes of the protocol"]
fn long_siege() {
    lay(0..100_000);
}

fn lay(seeds: std::ops::Range<u64>) {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let share = |thread| seeds.clone().skip(thread as usize).step_by(threads as usize);
    let results: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..threads).map(|thread| scope.spawn(move || some(share(thread)))).collect();
        runs.into_iter().map(|run| run.join().expect("a run does not panic")).collect()
    });
    let mut sum = Sum::default();
    for result in results {
        match result {
            Ok(outcomes) => outcomes.into_iter().for_each(|outcome| sum.add(outcome)),
            Err((seed, report)) => panic!(
                "siege {seed} has broken promises:\n{report}temper: {:?}\nto see it again: MAGE_SEED={seed}",
                TEMPERS[(seed % TEMPERS.len() as u64) as usize]
            ),
        }
    }
    if seeds.end - seeds.start >= RUNS {
        let missed: Vec<_> = TO_BE_REACHED.iter().filter(|mark| !sum.marks.contains_key(mark)).collect();
        assert!(missed.is_empty(), "never reached: {missed:?}");
        assert!(sum.untouched > 0 && sum.healed > 0 && sum.convicted > 0, "{sum:?}");
    }
}

fn some(seeds: impl Iterator<Item = u64>) -> Result<Vec<Outcome>, (u64, String)> {
    seeds.map(|seed| one(seed).map_err(|report| (seed, report))).collect()
}

/// Whether the runs notice that a defence is missing.
fn is_seen(mutation: Mutation, runs: u64) -> bool {
    crate::core::probe::mutate(Some(mutation));
    let seen = (0..runs).any(|seed| one(seed).is_err());
    crate::core::probe::mutate(None);
    seen
}
