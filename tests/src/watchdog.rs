//! A test that hangs says so, and ends.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Longer than any test takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// While this lives, a clock runs; should it run out, the process is aborted and its peers see it die.
#[derive(Debug)]
pub struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    /// Starts the clock for what this thread does now.
    pub fn start() -> Self {
        let (alive, ended) = channel::<()>();
        let name = thread::current().name().unwrap_or("a nameless thread").to_owned();
        thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{name} has not ended in {PATIENCE:?}: it hangs");
                std::process::abort();
            }
        });
        Self { _alive: alive }
    }
}
