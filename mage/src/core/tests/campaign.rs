//! Many random runs. A seed says everything about its run: which of the configurations it is, too.
//!
//! `MAGE_SEED=1234 cargo test -p mage-ipc --lib campaign` runs one again; `MAGE_SEEDS=50000` runs so many.

use std::collections::BTreeMap;
use std::ops::Range;

use super::configurations::{ALL, Configuration};
use super::random::{self, Summary};
use super::seeds;
use crate::core::probe::Mark;

/// How many runs a plain `cargo test` makes.
const RUNS: u64 = 10_000;

/// Places that honest nodes come to, sooner or later. A campaign that misses one tests less than it says.
const TO_BE_REACHED: &[Mark] = &[
    Mark::Endless,
    Mark::Overloaded,
    Mark::Spoiled,
    Mark::HeldControls,
    Mark::PendingOverflow,
    Mark::Held,
    Mark::CreditMoving,
    Mark::CreditForwarded,
    Mark::PendingFlushed,
    Mark::Redundant,
    Mark::Fused,
    Mark::FusedUnread,
    Mark::Admitted,
    Mark::AdmittedEarly,
    Mark::AdmittedLate,
    Mark::TurnedAway,
    Mark::NeverAdmitted,
    Mark::Isolated,
    Mark::OtherNetwork,
    Mark::Left,
    Mark::LeftInHaste,
];

#[test]
fn ten_thousand_runs() {
    conclude(seeds::asked_for(RUNS));
}

#[test]
#[ignore = "takes minutes; for the night, and for changes of the protocol"]
fn a_hundred_thousand_runs() {
    conclude(0..100_000);
}

/// Which configuration this seed is for.
fn configuration(seed: u64) -> &'static Configuration {
    &ALL[(seed % ALL.len() as u64) as usize]
}

/// One run.
pub(super) fn one(seed: u64) -> Result<Summary, String> {
    random::run(seed, configuration(seed))
}

fn conclude(all: Range<u64>) {
    let add = |sum: &mut BTreeMap<_, _>, summary: Summary| seeds::add_marks(sum, summary.marks);
    let about = |seed| format!("configuration: {:?}", configuration(seed));
    let enough = all.end - all.start >= RUNS;
    let mut marks = BTreeMap::new();
    for more in seeds::run_all(all, one, add, about) {
        seeds::add_marks(&mut marks, more);
    }
    if enough {
        seeds::expect_reached(&marks, TO_BE_REACHED);
    }
}
