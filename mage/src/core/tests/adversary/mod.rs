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
mod worst;

use std::collections::BTreeMap;

use self::bounds::Reached;
use self::siege::{Outcome, Temper};
use crate::core::probe::Mark;
use crate::core::tests::seeds;

pub(super) use self::defences::DEFENCES;

/// At most one endpoint is left over in so many runs.
const LEFT_SELDOM: u64 = 20;

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

fn temper(seed: u64) -> &'static Temper {
    &TEMPERS[(seed % TEMPERS.len() as u64) as usize]
}

/// One run.
fn one(seed: u64) -> Result<Outcome, String> {
    siege::run(seed, temper(seed))
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
        seeds::add_marks(&mut self.marks, outcome.marks);
        self.reached = self.reached.most(outcome.reached);
        self.untouched += outcome.untouched;
        self.healed += outcome.healed;
        self.convicted += outcome.convicted;
        self.left += outcome.left;
    }

    fn join(&mut self, other: Self) {
        let Self { marks, reached, untouched, healed, convicted, left } = other;
        self.add(Outcome { marks, reached, untouched, healed, convicted, left });
    }
}

#[test]
fn siege() {
    lay(seeds::asked_for(RUNS));
}

#[test]
#[ignore = "takes minutes; for the night, and for changes of the protocol"]
fn long_siege() {
    lay(0..100_000);
}

fn lay(all: std::ops::Range<u64>) {
    let about = |seed| format!("temper: {:?}", temper(seed));
    let runs = all.end - all.start;
    let enough = runs >= RUNS;
    let mut sum = Sum::default();
    for more in seeds::run_all(all, one, Sum::add, about) {
        sum.join(more);
    }
    if enough {
        seeds::expect_reached(&sum.marks, TO_BE_REACHED);
        assert!(sum.untouched > 0 && sum.healed > 0 && sum.convicted > 0, "{sum:?}");
        // "Lied rings" in docs/SECURITY.md.
        assert!(sum.left as u64 * LEFT_SELDOM <= runs, "{} endpoints are left: {sum:?}", sum.left);
    }
}
