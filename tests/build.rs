//! Compiles the interfaces that the tests talk through.

fn main() {
    magen::compile(["magen/fixtures.magen"]);
}
