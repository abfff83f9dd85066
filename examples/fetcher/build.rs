//! Compiles the interfaces of the three processes.

fn main() {
    magen::compile(["magen/network_process.magen", "magen/logger.magen"]);
}
