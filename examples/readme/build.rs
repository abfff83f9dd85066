//! Compiles the interface.

fn main() {
    magen::compile(["magen/network_process.magen"]);
}
