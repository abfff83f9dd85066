//! Compiles the interface of the two processes.

fn main() {
    magen::compile(["magen/thermometer.magen"]);
}
