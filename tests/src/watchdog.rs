//! A test that hangs says so, and ends.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

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
        let (running, runs) = channel::<()>();
        thread::spawn(move || {
            drop(running);
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{name} has not ended in {PATIENCE:?}: it hangs");
                kill_children();
                std::process::abort();
            }
        });
        // A thread makes system calls of its own before it begins, which the process may be about to give up.
        let _ = runs.recv();
        Self { _alive: alive }
    }
}

/// A child that is stopped would outlive us and keep our output open.
fn kill_children() {
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|number| Pid::from_raw(number.parse().ok()?)) {
            let _ = kill_process(child, Signal::KILL);
        }
    }
}
