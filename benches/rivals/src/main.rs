//! Checks a large file of interfaces with magen, and the same interfaces in Protocol Buffers with protox, which is the
//! compiler that prost is used with where there is no `protoc`. What counts is the time of the CPU, per line. The status is 1 if magen
//! is slower than that, or than it wants to be.
//!
//! ```sh
//! cd benches/rivals && cargo run --release
//! ```

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use protox::Compiler;
use protox::file::{File, FileResolver};
use rustix::time::{ClockId, clock_gettime};

/// How many interfaces there are, each with a type of its own: enough for 20 000 lines.
const INTERFACES: usize = 1000;
const METHODS: usize = 12;

/// How often everything is done. Of all rounds, the fastest counts: nothing makes a computer faster than it is.
const ROUNDS: usize = 15;

/// What a file of 20 000 lines may take, and so one line.
const SECONDS_PER_LINE_MAX: f64 = 0.2 / 20_000.0;

fn main() -> ExitCode {
    let (ours, theirs) = (in_magen(), in_proto());
    let mut fastest = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        // In turns, so that whatever else the machine does hits all of them.
        let times = [
            seconds(|| magen::check_from(ours.as_bytes(), "large.magen").expect("it is right")),
            seconds(|| drop(File::from_source("large.proto", &theirs).expect("it is right"))),
            seconds(|| check_proto(&theirs)),
        ];
        for (fastest, time) in fastest.iter_mut().zip(times) {
            *fastest = fastest.min(time);
        }
    }
    let [checked, parsed, compiled] = fastest;
    let checked = show("magen, checked", &ours, checked);
    show("protox, parsed only", &theirs, parsed);
    let compiled = show("protox, checked", &theirs, compiled);
    if checked <= compiled.min(SECONDS_PER_LINE_MAX) {
        return ExitCode::SUCCESS;
    }
    println!(
        "magen is too slow: a line may take what it takes protox, and {:.2} us",
        SECONDS_PER_LINE_MAX * 1e6
    );
    ExitCode::FAILURE
}

/// Shows what a text took; the time per line.
fn show(what: &str, text: &str, seconds: f64) -> f64 {
    let lines = text.lines().count();
    let per_line = seconds / lines as f64;
    println!("{what:20} {lines:6} lines {:8.1} ms {:7.2} us per line", seconds * 1e3, per_line * 1e6);
    per_line
}

/// The time of the CPU that `work` takes.
fn seconds(work: impl FnOnce()) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let start = now();
    work();
    now() - start
}

fn in_magen() -> String {
    let mut text = String::new();
    for number in 0..INTERFACES {
        let _ = writeln!(text, "/// Number {number}.\ninterface Service{number} {{");
        for method in 0..METHODS {
            let _ = writeln!(text, "  Method{method}(Item{number} item) => (Item{number} answer);");
        }
        let _ = writeln!(text, "}}\n\nstruct Item{number} {{\n  int id;\n  string name;\n  bytes data;");
        let _ = writeln!(text, "  map<string, long> counts;\n  array<double> values;\n}}\n");
    }
    text
}

fn in_proto() -> String {
    let mut text = "syntax = \"proto3\";\n".to_owned();
    for number in 0..INTERFACES {
        let _ = writeln!(text, "// Number {number}.\nservice Service{number} {{");
        for method in 0..METHODS {
            let _ = writeln!(text, "  rpc Method{method}(Item{number}) returns (Item{number});");
        }
        let _ = writeln!(
            text,
            "}}\n\nmessage Item{number} {{\n  int32 id = 1;\n  string name = 2;\n  bytes data = 3;"
        );
        let _ = writeln!(text, "  map<string, int64> counts = 4;\n  repeated double values = 5;\n}}\n");
    }
    text
}

fn check_proto(text: &str) {
    let mut compiler = Compiler::with_file_resolver(Memory(text.to_owned()));
    compiler.open_file("large.proto").expect("it is right");
}

/// The one file that there is.
struct Memory(String);

impl FileResolver for Memory {
    fn resolve_path(&self, _: &Path) -> Option<String> {
        None
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name != "large.proto" {
            return Err(protox::Error::file_not_found(name));
        }
        File::from_source(name, &self.0)
    }
}
