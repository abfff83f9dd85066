//! How many threads the process has.

use std::env;
use std::fs;
use std::process::Command;

use futures::channel::oneshot;

use super::Harness;
use super::support::{Watched, run_unwatched, tell};

/// Set in the process that does the counting: the process of a test suite has threads that come and go.
const COUNTING: &str = "MAGE_SCHED_CONFORMANCE_COUNTING";

/// Starts this test alone in a process of its own, which then counts its threads. Where there is no `/proc`, does nothing.
///
/// `module` is the path of the module of the test, with the crate's name in front.
pub fn no_thread_is_started<H: Harness>(make: impl FnOnce() -> H, module: &str) {
    if env::var_os(COUNTING).is_some() {
        count(make);
        return;
    }
    if threads().is_none() {
        return;
    }
    let module = module.split_once("::").map_or(module, |(_crate, rest)| rest);
    let output = Command::new(env::current_exe().expect("a test knows its file"))
        .args(["--exact", &format!("{module}::no_thread_is_started"), "--test-threads=1"])
        .env(COUNTING, "yes")
        .output()
        .expect("a test can be started");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("1 passed"), "the test did not find itself: {report}");
}

fn count<H: Harness>(make: impl FnOnce() -> H) {
    let before = threads();
    let mut harness = make();
    run_unwatched(&mut harness, |scheduler| async move {
        let (mut ours, theirs) = Watched::pair(&*scheduler);
        let mut theirs = Watched::new(&*scheduler, std::sync::Arc::new(theirs.into()));
        let (sink, (done, waiting)) = (scheduler.new_sink(), oneshot::channel());
        sink.post(move || tell(done, ())).expect("the sequence is there");
        waiting.await.expect("the job ran");
        for _ in 0..100 {
            ours.write_all(b"there").await.expect("the peer is there");
            assert_eq!(theirs.read(&mut [0; 64]).await.expect("the peer is there"), 5);
        }
    });
    let owned = harness.threads();
    assert_eq!(threads(), before.map(|before| before + owned), "the runtime owns {owned} threads");
}

fn threads() -> Option<usize> {
    fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}
