//! Inputs that once took the fuzzer somewhere.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

/// Tries all that are kept for this target.
fn replay(target: &str, run: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut tried = 0;
    for entry in fs::read_dir(&seeds).expect("the seeds are in the repository") {
        let path = entry.expect("it can be listed").path();
        // Known if the test ends here: the panic itself does not say.
        eprintln!("{}", path.display());
        run(&fs::read(&path).expect("a seed can be read"));
        tried += 1;
    }
    assert!(tried >= 10, "only {tried} seeds were found in {}", seeds.display());
}

macro_rules! targets {
    ($($name:ident),*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn seeds() {
                replay(stringify!($name), crate::fuzzing::$name);
            }

            proptest! {
                #[test]
                fn anything(data in vec(any::<u8>(), 0..400)) {
                    crate::fuzzing::$name(&data);
                }
            }
        }
    )*};
}

targets!(frames, handshake, node);
