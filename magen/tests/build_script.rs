//! What a build script does, as the process that it is.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const GOOD: &str = "interface Logger { Log(string text); }\n";
const BAD: &str = "interface Logger { Log(strng text); }\n";

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

/// A directory with a good file and a bad one.
fn workshop() -> TempDir {
    let workshop = tempfile::tempdir().unwrap();
    for (name, text) in [("good.magen", GOOD), ("bad.magen", BAD)] {
        fs::write(workshop.path().join(name), text).unwrap();
    }
    fs::create_dir(workshop.path().join("out")).unwrap();
    workshop
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// What a build script does; only run by the tests below, in a process of its own, because it may end the process.
#[test]
fn build_script() {
    if env::var_os("OUT_DIR").is_none() {
        return;
    }
    magen::compile(
        ["good.magen", "bad.magen", "missing.magen"].iter().filter(|path| Path::new(path).exists()),
    );
    io::stdout().write_all(b"compiled\n").unwrap();
}

fn run_build_script(workshop: &TempDir) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "build_script", "--nocapture"]);
    command.current_dir(workshop.path()).env("OUT_DIR", workshop.path().join("out")).output().unwrap()
}

#[test]
fn a_build_script_compiles_to_the_directory_of_cargo() {
    let workshop = workshop();
    fs::remove_file(workshop.path().join("bad.magen")).unwrap();
    let output = run_build_script(&workshop);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("cargo::rerun-if-changed=good.magen\n"));
    let written = workshop.path().join("out/good.magen.rs");
    assert_eq!(fs::read_to_string(&written).unwrap(), magen::generate(GOOD, "good.magen").unwrap());

    let modified = fs::metadata(&written).unwrap().modified().unwrap();
    assert!(run_build_script(&workshop).status.success());
    assert_eq!(
        fs::metadata(&written).unwrap().modified().unwrap(),
        modified,
        "what has not changed is not written"
    );
}

#[test]
fn a_build_script_shows_what_is_wrong_and_ends() {
    let workshop = workshop();
    let output = run_build_script(&workshop);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), BAD_SHOWN);
    let stdout = text(&output.stdout);
    assert!(
        stdout.contains("cargo::rerun-if-changed=bad.magen\n"),
        "a repaired file must be noticed: {stdout}"
    );
    assert!(!stdout.contains("compiled\n"));
}

#[test]
fn a_build_script_says_where_a_file_is_too_large() {
    let workshop = workshop();
    fs::File::create(workshop.path().join("bad.magen")).unwrap().set_len(100 << 20).unwrap();
    let output = run_build_script(&workshop);
    assert_eq!(output.status.code(), Some(1));
    let place = "the file is larger than 16 MiB\n--> bad.magen:1:16777217\n";
    assert!(text(&output.stderr).contains(place), "{}", text(&output.stderr));
}
