//! Compiles the interface that is measured.

fn main() {
    magen::compile(["magen/bench.magen"]);
}
