//! Random interfaces and what becomes of them: what `breaking` says is what the fingerprints say, and messages of builds
//! that are compatible are understood in both directions. A failing case is printed with the seed that repeats it:
//! `MAGEN_SEED=n` runs only that one.

#[path = "common/lost.rs"]
mod lost;
#[path = "common/pairs.rs"]
mod pairs;

use std::env;

use lost::has_lost;
use magen::breaking::{self, Source};
use magen::dynamic::{self, Interface, Random, Types};
use pairs::{NAME, Pair};

const SEEDS: u64 = 1000;

fn seeds() -> std::ops::Range<u64> {
    match env::var("MAGEN_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("MAGEN_SEED is a number");
            seed..seed + 1
        }
        Err(_) => 0..SEEDS,
    }
}

/// Hands both interfaces of every pair to `examine`.
fn for_every_pair(examine: impl Fn(&Pair, &str, Types<'_>, Types<'_>)) {
    for seed in seeds() {
        let pair = Pair::new(seed);
        let (old, new) = (pair.old.text(), pair.new.text());
        let what = format!("MAGEN_SEED={seed}: {}\n--- old\n{old}\n--- new\n{new}", pair.change);
        let used = dynamic::with_source(&old, "old.magen", |old| {
            dynamic::with_source(&new, "new.magen", |new| examine(&pair, &what, old, new))
        });
        used.and_then(|used| used).unwrap_or_else(|error| panic!("{what}\n{error}"));
    }
}

fn interface(types: Types<'_>) -> Interface<'_> {
    types.interface(&format!("pairs.{NAME}")).expect("every file has it")
}

/// Whether two ends get along, by the plainest way to say so.
fn get_along(old: Interface<'_>, new: Interface<'_>) -> bool {
    let (ours, theirs) = (old.lineage(), new.lineage());
    let newest = |lineage: &[(u64, u32, u64)], definition: u64| {
        lineage.iter().filter(|stage| stage.0 == definition).map(|stage| stage.1).max()
    };
    let are_same =
        ours.iter().chain(&theirs).all(|stage| match (newest(&ours, stage.0), newest(&theirs, stage.0)) {
            (Some(here), Some(there)) if stage.1 <= here.min(there) => {
                ours.contains(stage) && theirs.contains(stage)
            }
            _ => true,
        });
    old.fingerprint() == new.fingerprint() && are_same
}

#[test]
fn breaking_says_what_the_fingerprints_say() {
    let breaks_and_not = std::cell::Cell::new([0, 0]);
    for_every_pair(|pair, what, old, new| {
        let is_fine = pair.expected.is_none();
        assert_eq!(get_along(interface(old), interface(new)), is_fine, "the fingerprints\n{what}");
        let source = |name, schema: &pairs::Schema| Source::text(name, schema.text());
        let breaks = breaking::compare(&source("old", &pair.old), &source("new", &pair.new)).expect(what);
        assert_eq!(breaks.is_empty(), is_fine, "{breaks}{what}");
        if let Some((definition, method, member)) = &pair.expected {
            let first = breaks.iter().next().expect(what);
            let found = (first.definition(), first.method(), first.member());
            let expected = (definition.as_str(), method.as_deref(), member.as_deref());
            assert_eq!(found, expected, "{breaks}{what}");
        }
        let mut counts = breaks_and_not.get();
        counts[usize::from(is_fine)] += 1;
        breaks_and_not.set(counts);
    });
    let counts = breaks_and_not.get();
    assert!(env::var_os("MAGEN_SEED").is_some() || counts.iter().all(|count| *count > 200), "{counts:?}");
}

#[test]
fn compatible_builds_understand_each_other() {
    for_every_pair(|pair, what, old, new| {
        if pair.expected.is_some() {
            return;
        }
        let mut random = Random::new(1);
        for (sender, reader) in [(old, new), (new, old)] {
            for method in interface(sender).methods() {
                let Some(known) = interface(reader).method(method.ordinal()) else { continue };
                for _ in 0..3 {
                    let value = method.parameters().random(&mut random).expect(what);
                    let body = method.parameters().encode(&value).expect(what);
                    let read = known.parameters().decode(&body);
                    let read = read.unwrap_or_else(|fault| panic!("{fault}: {value}\n{what}"));
                    if has_lost(&read) {
                        continue;
                    }
                    // What comes back has what both know, and defaults for the rest.
                    let back = known.parameters().encode(&read).expect(what);
                    let back = method.parameters().decode(&back);
                    let back = back.unwrap_or_else(|fault| panic!("{fault}: {read}\n{what}"));
                    let again = known.parameters().decode(&method.parameters().encode(&back).expect(what));
                    assert_eq!(again.as_ref(), Ok(&read), "{what}");
                }
            }
        }
    });
}
