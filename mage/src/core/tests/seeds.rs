//! What all random runs have in common: a seed says everything about a run, and the runs are shared out among threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::thread;

use crate::core::probe::{Mark, Mutation, mutate};

/// Runs after which a mistake counts as unnoticed. All but the rarest are noticed in the first hundred.
const UNNOTICED: u64 = 20_000;

/// A run of one seed. An error is the list of promises that were broken.
pub(super) type Run<T> = fn(u64) -> Result<T, String>;

/// The seeds to run: the one that `MAGE_SEED` names, as many as `MAGE_SEEDS` says, or so many.
pub(super) fn asked_for(runs: u64) -> Range<u64> {
    match variable("MAGE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("MAGE_SEEDS").unwrap_or(runs),
    }
}

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is to be a number, not {value}")))
}

/// What each thread makes of its share of the items; there are as many as there are cores.
fn shared<T: Send, R: Send>(items: Vec<T>, work: impl Fn(Vec<T>) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut shares: Vec<Vec<T>> = (0..threads).map(|_| Vec::new()).collect();
    for (place, item) in items.into_iter().enumerate() {
        shares[place % threads].push(item);
    }
    thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || work(share))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a run does not panic")).collect()
    })
}

/// Runs all the seeds, and adds up what came of them on each thread. Panics with the first seed of a thread that has broken a
/// promise.
pub(super) fn run_all<T: Send, S: Default + Send>(
    seeds: Range<u64>,
    run: Run<T>,
    add: fn(&mut S, T),
    about: fn(u64) -> String,
) -> Vec<S> {
    let sums = shared(seeds.collect(), |share| {
        let mut sum = S::default();
        for seed in share {
            add(&mut sum, run(seed).map_err(|report| (seed, report))?);
        }
        Ok(sum)
    });
    let whole = |sum: Result<S, (u64, String)>| match sum {
        Ok(sum) => sum,
        Err((seed, report)) => panic!(
            "run {seed} has broken promises:\n{report}{}\nto see it again: MAGE_SEED={seed}",
            about(seed)
        ),
    };
    sums.into_iter().map(whole).collect()
}

/// Adds marks to those that there are.
pub(super) fn add_marks(sum: &mut BTreeMap<Mark, usize>, more: BTreeMap<Mark, usize>) {
    more.into_iter().for_each(|(mark, times)| *sum.entry(mark).or_default() += times);
}

/// Panics unless all of these have been reached.
pub(super) fn expect_reached(marks: &BTreeMap<Mark, usize>, expected: &[Mark]) {
    let missed: Vec<_> = expected.iter().filter(|mark| !marks.contains_key(mark)).collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
}

/// Those of the mistakes that no run notices.
pub(super) fn unnoticed<T>(mistakes: impl Iterator<Item = Mutation>, run: Run<T>) -> Vec<Mutation> {
    let is_seen = |mutation: &Mutation| {
        mutate(Some(*mutation));
        let seen = (0..UNNOTICED).any(|seed| run(seed).is_err());
        mutate(None);
        seen
    };
    let shares = shared(mistakes.collect(), |share| {
        share.into_iter().filter(|mutation| !is_seen(mutation)).collect::<Vec<_>>()
    });
    shares.into_iter().flatten().collect()
}
