//! The command, as the process that it is.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const GOOD: &str = "interface Logger { Log(string text); }\n";
const BAD: &str = "interface Logger { Log(strng text); }\n";

/// A directory with two good files and two bad ones.
fn workshop() -> TempDir {
    let workshop = tempfile::tempdir().unwrap();
    for (name, text) in
        [("good.magen", GOOD), ("other.magen", ""), ("bad.magen", BAD), ("worse.magen", "interface")]
    {
        fs::write(workshop.path().join(name), text).unwrap();
    }
    fs::create_dir(workshop.path().join("out")).unwrap();
    fs::create_dir(workshop.path().join("elsewhere")).unwrap();
    fs::write(workshop.path().join("elsewhere/good.magen"), GOOD).unwrap();
    workshop
}

fn magen(workshop: &TempDir, arguments: &[&str]) -> Output {
    magen_with_stdin(workshop, arguments, "")
}

fn magen_with_stdin(workshop: &TempDir, arguments: &[&str], stdin: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_magen"));
    command.args(arguments).current_dir(workshop.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn assert_ends(output: &Output, status: i32, stdout: &str, stderr: &str) {
    assert_eq!(text(&output.stderr), stderr);
    assert_eq!(text(&output.stdout), stdout);
    assert_eq!(output.status.code(), Some(status));
}

fn good_code() -> String {
    magen::generate(GOOD, "good.magen").unwrap()
}

const BAD_SHOWN: &str = "\
error[unknown-type]: unknown type `strng`
 --> bad.magen:1:24
  |
1 | interface Logger { Log(strng text); }
  |                        ^^^^^
  |
  = help: did you mean `string`?

error: could not compile `bad.magen`: 1 error
";

#[test]
fn one_input_goes_to_the_standard_output() {
    let workshop = workshop();
    assert_ends(&magen(&workshop, &["generate", "good.magen"]), 0, &good_code(), "");
    assert_ends(&magen(&workshop, &["generate", "good.magen", "-o", "-"]), 0, &good_code(), "");
}

#[test]
fn the_standard_input_can_be_compiled() {
    let workshop = workshop();
    let code = magen::generate(GOOD, "<stdin>").unwrap();
    assert_ends(&magen_with_stdin(&workshop, &["generate", "-"], GOOD), 0, &code, "");
    let shown = BAD_SHOWN.replace("bad.magen", "<stdin>");
    assert_ends(&magen_with_stdin(&workshop, &["check", "-"], BAD), 1, "", &shown);
    let refused = magen_with_stdin(&workshop, &["generate", "-", "-o", "out"], GOOD);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn one_input_goes_to_a_file() {
    let workshop = workshop();
    assert_ends(&magen(&workshop, &["generate", "good.magen", "--output", "code.rs"]), 0, "", "");
    assert_eq!(fs::read_to_string(workshop.path().join("code.rs")).unwrap(), good_code());
}

#[test]
fn several_inputs_go_to_a_directory() {
    let workshop = workshop();
    assert_ends(&magen(&workshop, &["generate", "-o", "out", "good.magen", "other.magen"]), 0, "", "");
    assert_eq!(fs::read_to_string(workshop.path().join("out/good.magen.rs")).unwrap(), good_code());
    assert!(workshop.path().join("out/other.magen.rs").exists());
    assert_ends(&magen(&workshop, &["generate", "-o", "out/", "good.magen"]), 0, "", "");
}

#[test]
fn a_faulty_input_is_shown_and_nothing_is_written() {
    let workshop = workshop();
    assert_ends(&magen(&workshop, &["generate", "bad.magen"]), 1, "", BAD_SHOWN);
    assert_ends(&magen(&workshop, &["generate", "good.magen", "bad.magen", "-o", "out"]), 1, "", BAD_SHOWN);
    assert_eq!(fs::read_dir(workshop.path().join("out")).unwrap().count(), 0);
}

#[test]
fn check_shows_every_fault_and_writes_nothing() {
    let workshop = workshop();
    assert_ends(&magen(&workshop, &["check", "good.magen", "other.magen"]), 0, "", "");
    let output = magen(&workshop, &["check", "bad.magen", "good.magen", "worse.magen", "missing.magen"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stderr);
    assert!(shown.starts_with(BAD_SHOWN), "{shown}");
    assert!(
        shown.contains(
            "error[unexpected-token]: expected the name of the interface, found the end of the file"
        )
    );
    assert!(shown.contains("error: cannot read `missing.magen`: "));
    assert!(!shown.contains("panicked") && output.stdout.is_empty());
}

#[test]
fn a_file_that_is_far_too_large_is_refused_at_its_place() {
    let workshop = workshop();
    let large = fs::File::create(workshop.path().join("large.magen")).unwrap();
    large.set_len(100 << 20).unwrap();
    for arguments in [
        &["check", "large.magen"][..],
        &["generate", "large.magen"],
        &["fmt", "large.magen"],
        &["fmt", "--check", "large.magen"],
        &["breaking", "--against", "good.magen", "large.magen"],
        &["breaking", "--against", "large.magen", "good.magen"],
        &["doc", "large.magen", "-o", "out"],
        &["decode", "large.magen", "good.magen"],
    ] {
        let output = magen(&workshop, arguments);
        let shown = text(&output.stderr);
        let start = "error[file-too-large]: the file is larger than 16 MiB\n--> large.magen:1:16777217\n";
        assert!(shown.starts_with(start), "{arguments:?}: {shown}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn two_inputs_of_one_name_are_refused() {
    let workshop = workshop();
    let output = magen(&workshop, &["generate", "-o", "out", "good.magen", "elsewhere/good.magen"]);
    let shown = "error: `good.magen` and `elsewhere/good.magen` are both compiled to `out/good.magen.rs`\n \
                 |\n = help: rename one of them: the name of the file decides what it is compiled to\n";
    assert_ends(&output, 1, "", shown);
}

#[test]
fn files_that_cannot_be_written_are_named() {
    let workshop = workshop();
    let output = magen(&workshop, &["generate", "good.magen", "-o", "missing/code.rs"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: cannot write `missing/code.rs`: "));
    let output = magen(&workshop, &["generate", "good.magen", "-o", "missing/"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: cannot write `missing/good.magen.rs`: "));
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_the_usage() {
    let workshop = workshop();
    for (arguments, message) in [
        (&[][..], "error: there is no command\n"),
        (&["good.magen"], "error: there is no command `good.magen`\n"),
        (&["generate"], "error: `magen generate` needs an input\n"),
        (&["check"], "error: `magen check` needs an input\n"),
        (&["check", "good.magen", "-o", "x"], "error: `magen check` writes nothing: leave out `--output`\n"),
        (
            &["generate", "good.magen", "other.magen"],
            "error: several inputs need a directory as `--output`\n",
        ),
        (&["fmt", "good.magen", "-o", "x"], "error: `magen fmt` writes in place: leave out `--output`\n"),
        (&["check", "--check", "good.magen"], "error: invalid option '--check'\n"),
        (&["generate", "--fast", "good.magen"], "error: invalid option '--fast'\n"),
        (&["generate", "good.magen", "-o"], "error: missing argument for option '-o'\n"),
    ] {
        let output = magen(&workshop, arguments);
        let shown = text(&output.stderr);
        assert!(
            shown.starts_with(message)
                && shown.contains("usage: magen generate")
                && shown.lines().count() < 13,
            "{arguments:?}: {shown}"
        );
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn files_are_laid_out_in_place() {
    let workshop = workshop();
    let messy = workshop.path().join("messy.magen");
    fs::write(&messy, "interface  Logger{Log( strng text );}").unwrap();
    let checked = magen(&workshop, &["fmt", "--check", "good.magen", "messy.magen"]);
    assert_ends(&checked, 1, "", "`messy.magen` is not laid out\n");
    assert_ends(&magen(&workshop, &["fmt", "good.magen", "messy.magen"]), 0, "", "");
    assert_eq!(fs::read_to_string(&messy).unwrap(), BAD);
    assert_ends(&magen(&workshop, &["fmt", "--check", "good.magen", "messy.magen"]), 0, "", "");
    assert_ends(&magen_with_stdin(&workshop, &["fmt", "-"], "interface A{}"), 0, "interface A {}\n", "");
    let refused = magen(&workshop, &["fmt", "worse.magen"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(fs::read_to_string(workshop.path().join("worse.magen")).unwrap(), "interface");
}

#[test]
fn help_and_version_go_to_the_standard_output() {
    let workshop = workshop();
    for arguments in [&["--help"][..], &["help"], &["fmt", "-h"]] {
        let help = magen(&workshop, arguments);
        let shown = text(&help.stdout);
        assert!(
            help.status.success() && shown.contains("usage: magen generate") && shown.contains("options:")
        );
    }
    let version = concat!("magen ", env!("CARGO_PKG_VERSION"), "\n");
    assert_ends(&magen(&workshop, &["-V"]), 0, version, "");
}
