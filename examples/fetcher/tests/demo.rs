//! The example as its user sees it: on every scheduler, and with its network process killed.

#![expect(clippy::disallowed_types, reason = "whoever waits for something that may hang needs a clock")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

const PATIENCE: Duration = Duration::from_secs(60);
const PATHS: [&str; 7] = ["/", "/large", "/slow", "/stream", "/moved", "/missing", "/refused"];

/// The program at work. It is killed when the test is over, however that ends.
struct Demo {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        Self::start_with_input(arguments, "")
    }

    fn start_with_input(arguments: &[&str], input: &str) -> Self {
        let (demo, mut stdin) = Self::start_with_stdin(arguments);
        stdin.write_all(input.as_bytes()).expect("the demo reads");
        demo
    }

    /// Starts it with a standard input that is open until the returned one is dropped.
    fn start_with_stdin(arguments: &[&str]) -> (Self, ChildStdin) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fetcher"));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the demo starts");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        (Self { child, lines, seen: String::new() }, stdin)
    }

    /// Waits for a line with this in it.
    fn line_with(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("no {text:?} in:\n{}", self.seen) };
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for the end; returns everything that was printed.
    fn finish(&mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.seen.push_str(&line);
            self.seen.push('\n');
        }
        // Its standard output is closed, or time is up.
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(ends_within(Pid::from_child(&self.child), left), "the demo hangs:\n{}", self.seen);
        (self.child.wait().expect("a child of ours"), self.seen.clone())
    }

    /// The number of a process, as the demo prints it.
    fn pid(&mut self, name: &str) -> Pid {
        let line = self.line_with(&format!("{name} "));
        let number = line.split_whitespace().nth(2).and_then(|number| number.parse().ok());
        number.and_then(Pid::from_raw).expect("a process number")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended, which is as good
        let _ = self.child.wait();
    }
}

/// Waits for a process to end, but no longer than this.
fn ends_within(process: Pid, patience: Duration) -> bool {
    let process = pidfd_open(process, PidfdFlags::empty()).expect("it has not been waited for");
    let patience = patience.try_into().expect("a minute at most");
    let ended = retry_on_intr(|| poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)));
    ended.expect("a descriptor of a process can be waited for") == 1
}

/// Runs the demo on its own site and checks all that it says.
fn everything_is_fetched(arguments: &[&str]) {
    let (status, seen) = Demo::start(arguments).finish();
    assert!(status.success(), "{status}:\n{seen}");
    for path in PATHS {
        let reported = |line: &&str| {
            ["  200", "  404", "  failed"].iter().any(|start| line.starts_with(start))
                && line.split_whitespace().any(|word| word.starts_with("http://") && word.ends_with(path))
        };
        assert!(seen.lines().any(|line| reported(&line)), "{path} is missing:\n{seen}");
    }
    assert!(seen.contains("6 fetched, 1 failed; 14.50 MiB"), "{seen}");
    assert!(seen.contains("Connection refused"), "{seen}");
    assert!(seen.contains("Now it is direct"), "{seen}");
    // Seven beginnings, seven ends, and the end of the log.
    assert!(seen.contains("\n15 lines.\n"), "{seen}");
}

#[test]
fn on_the_loop() {
    everything_is_fetched(&["--runtime", "loop"]);
}

#[test]
fn on_tokio() {
    everything_is_fetched(&["--runtime", "tokio"]);
}

#[test]
fn on_smol() {
    everything_is_fetched(&["--runtime", "smol"]);
}

#[test]
fn on_one_of_each() {
    everything_is_fetched(&["--runtime=smol", "--network-runtime=loop", "--logger-runtime=tokio"]);
}

#[test]
fn in_a_sandbox_on_the_loop() {
    everything_is_fetched(&["--sandbox", "--runtime", "loop"]);
}

#[test]
fn in_a_sandbox_on_tokio() {
    everything_is_fetched(&["--sandbox", "--runtime", "tokio"]);
}

#[test]
fn in_a_sandbox_on_smol() {
    everything_is_fetched(&["--sandbox", "--runtime", "smol"]);
}

/// A file that is there to be fetched.
fn file() -> String {
    format!("file://{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_sandbox_has_no_files() {
    let (status, seen) = Demo::start(&[&file()]).finish();
    assert!(status.success() && seen.contains("1 fetched, 0 failed"), "{status}:\n{seen}");
    for runtime in ["loop", "tokio", "smol"] {
        // A name is looked up in files, and without them it is unknown.
        let (status, seen) =
            Demo::start(&["--sandbox", "--runtime", runtime, &file(), "http://localhost:1/"]).finish();
        assert!(status.success(), "to be refused is an answer: {status}:\n{seen}");
        assert!(seen.contains("0 fetched, 2 failed"), "{seen}");
        let refused = |line: &str| line.contains("failed") && line.contains("ermission denied");
        assert!(seen.lines().any(refused), "{seen}");
    }
}

/// Whatever a process that is taken over does that it never needed to, it does not live to see the outcome.
#[test]
fn a_forbidden_call_is_the_last() {
    let (status, seen) = Demo::start(&["--takeover"]).finish();
    assert!(status.success() && seen.contains("a shell was started"), "without a sandbox: {status}:\n{seen}");
    for runtime in ["loop", "tokio", "smol"] {
        let (status, seen) = Demo::start(&["--sandbox", "--takeover", "--runtime", runtime]).finish();
        assert_eq!(status.code(), Some(1), "{seen}");
        assert!(!seen.contains("a shell was started"), "{seen}");
        let gone = seen.lines().find(|line| line.contains("The network process is gone:"));
        assert!(gone.is_some_and(|line| line.contains("SIGSYS")), "{seen}");
        assert!(seen.contains("the log breaks off"), "{seen}");
    }
}

/// On a kernel without Landlock there are no files either, and the user is told what that rests on.
#[test]
fn a_sandbox_without_landlock() {
    let json = r#"{"none": {"match_action": {"errno": 38}, "mismatch_action": "allow",
        "filter": [{"syscall": "landlock_create_ruleset"}]}}"#;
    let arch = std::env::consts::ARCH.try_into().expect("seccomp knows it");
    let programs = seccompiler::compile_from_json(json.as_bytes(), arch).expect("a filter");
    // It holds for the thread of this test and for what it starts.
    seccompiler::apply_filter(&programs["none"]).expect("the kernel takes it");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fetcher"));
    command.args(["--sandbox", &file()]).stdin(Stdio::null());
    let output = command.output().expect("the demo starts");
    let (seen, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("this kernel has no Landlock"), "{said}");
    assert!(output.status.success() && seen.contains("0 fetched, 1 failed"), "{seen}");
    assert!(seen.contains("ermission denied"), "{seen}");
}

#[test]
fn urls_from_standard_input() {
    let input = "http://127.0.0.1:1/nobody\n\n  not a url\n";
    let (status, seen) = Demo::start_with_input(&[], input).finish();
    assert!(status.success(), "{status}:\n{seen}");
    assert!(seen.contains("0 fetched, 2 failed"), "{seen}");
    assert!(seen.contains("http://127.0.0.1:1/nobody"), "{seen}");
    assert!(seen.contains("not a url"), "{seen}");
}

/// Kills the network process while the slow pages are on their way.
fn the_network_process_dies(runtime: &str) {
    let mut demo = Demo::start(&["--stall", "--runtime", runtime]);
    let network = demo.pid("network");
    demo.line_with("/missing"); // the slow ones were asked for before it
    rustix::process::kill_process(network, rustix::process::Signal::KILL).expect("it is alive");
    let (status, seen) = demo.finish();
    assert_eq!(status.code(), Some(1), "{seen}");
    for path in ["/large", "/slow", "/stream"] {
        let failed =
            |line: &&str| line.starts_with("  failed") && line.contains(path) && line.contains("died");
        assert!(seen.lines().any(|line| failed(&line)), "{path} is not listed as failed:\n{seen}");
    }
    assert!(seen.contains("The network process is gone:"), "{seen}");
    assert!(seen.contains("SIGKILL"), "{seen}");
    assert!(seen.contains("the log breaks off"), "{seen}");
}

#[test]
fn killed_on_the_loop() {
    the_network_process_dies("loop");
}

#[test]
fn killed_on_tokio() {
    the_network_process_dies("tokio");
}

#[test]
fn killed_on_smol() {
    the_network_process_dies("smol");
}

#[test]
fn the_logger_may_die() {
    // As long as more could be asked for, nobody asks for the log.
    let (mut demo, mut stdin) = Demo::start_with_stdin(&[]);
    let logger = demo.pid("logger");
    writeln!(stdin, "{}", file()).expect("the demo reads");
    demo.line_with("  200");
    rustix::process::kill_process(logger, rustix::process::Signal::KILL).expect("it is alive");
    assert!(ends_within(logger, PATIENCE), "it survives");
    writeln!(stdin, "{}", file()).expect("the demo reads");
    drop(stdin);
    let (status, seen) = demo.finish();
    assert!(status.success(), "the pages came all the same: {status}:\n{seen}");
    assert!(seen.contains("2 fetched, 0 failed"), "{seen}");
    assert!(seen.contains("The logger is gone:"), "{seen}");
}

#[test]
fn a_wrong_option_is_explained() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fetcher"));
    let mut child =
        command.args(["--runtime", "rayon"]).stderr(Stdio::piped()).spawn().expect("the demo starts");
    let mut text = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut text).expect("text");
    assert_eq!(child.wait().expect("a child of ours").code(), Some(1));
    assert!(text.contains("rayon") && text.contains("loop, tokio and smol"), "{text}");
}
