//! Many random runs. A seed says everything about its run: which of the configurations it is, too.
//!
//! `MAGE_SEED=1234 cargo test -p mage-ipc --lib campaign` runs one again; `MAGE_SEEDS=50000` runs so many.

use std::collections::BTreeMap;
use std::thread;

use super::configurations::{ALL, Configuration};
use super::random::{self, Summary};
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
    match variable("MAGE_SEED") {
        Some(seed) => conclude(seed..seed + 1),
        None => conclude(0..variable("MAGE_SEEDS").unwrap_or(RUNS)),
    }
}

#[test]
#[ignore = "takes minutes; for the night, and for changes of the protocol"]
fn a_hundred_thousand_runs() {
    conclude(0..100_000);
}

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is to be a number, not {value}")))
}

/// Which configuration this seed is for.
fn configuration(seed: u64) -> &'static Configuration {
    &ALL[(seed % ALL.len() as u64) as usize]
}

/// One run.
pub(super) fn one(seed: u64) -> Result<Summary, String> {
    random::run(seed, configuration(seed))
}

fn conclude(seeds: std::ops::Range<u64>) {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let share = |thread| seeds.clone().skip(thread as usize).step_by(threads as usize);
    let results: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..threads).map(|thread| scope.spawn(move || some(share(thread)))).collect();
        runs.into_iter().map(|run| run.join().expect("a run does not panic")).collect()
    });
    let mut marks = BTreeMap::new();
    for result in results {
        match result {
            Ok(more) => more.into_iter().for_each(|(mark, times)| *marks.entry(mark).or_insert(0) += times),
            Err((seed, report)) => panic!(
                "run {seed} has broken promises:\n{report}configuration: {:?}\nto see it again: MAGE_SEED={seed}",
                configuration(seed)
            ),
        }
    }
    if seeds.end - seeds.start >= RUNS {
        let missed: Vec<_> = TO_BE_REACHED.iter().filter(|mark| !marks.contains_key(mark)).collect();
        assert!(missed.is_empty(), "never reached: {missed:?}");
    }
}

fn some(seeds: impl Iterator<Item = u64>) -> Result<BTreeMap<Mark, usize>, (u64, String)> {
    let mut marks = BTreeMap::new();
    for seed in seeds {
        let summary = one(seed).map_err(|report| (seed, report))?;
        summary.marks.into_iter().for_each(|(mark, times)| *marks.entry(mark).or_insert(0) += times);
    }
    Ok(marks)
}
