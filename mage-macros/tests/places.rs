//! Faults are shown where they are. `MAGEN_UPDATE=1` rewrites what is expected.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The macros as the compiler loads them: the newest that was built beside this test.
fn library() -> PathBuf {
    let test = env::current_exe().expect("this is a process");
    let entries = fs::read_dir(test.parent().expect("it is in a directory")).expect("it can be listed");
    let is_library = |name: &str| {
        name.trim_start_matches("lib").starts_with("mage_macros-") && name.ends_with(env::consts::DLL_SUFFIX)
    };
    entries
        .flatten()
        .filter(|entry| is_library(&entry.file_name().to_string_lossy()))
        .max_by_key(|entry| entry.metadata().and_then(|metadata| metadata.modified()).ok())
        .expect("the macros were built for this test")
        .path()
}

/// What is wrong and where; how the compiler draws it is its own affair.
fn shown(source: &str) -> String {
    let beside_cargo = env::var_os("CARGO").map(|cargo| Path::new(&cargo).with_file_name("rustc"));
    let mut rustc = Command::new(beside_cargo.filter(|path| path.exists()).unwrap_or_else(|| "rustc".into()));
    let mut library_argument = std::ffi::OsString::from("mage_macros=");
    library_argument.push(library());
    rustc.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/places"));
    rustc.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "-o", "/dev/null"]);
    rustc.arg("--extern").arg(library_argument).arg(source);
    let output = rustc.output().expect("a toolchain runs this test");
    assert!(!output.status.success(), "{source} has faults");
    let text = String::from_utf8(output.stderr).expect("the compiler writes text");
    let telling = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("-->") || line.starts_with("help: ") || line.starts_with("error: ")
    };
    let lines = text.lines().filter(telling).filter(|line| !line.contains("aborting"));
    lines.map(|line| format!("{}\n", line.trim_start())).collect()
}

#[test]
fn faults_are_shown_where_they_are() {
    for name in ["in_place", "in_rust"] {
        let shown = shown(&format!("{name}.rs"));
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/places").join(name).with_extension("stderr");
        if env::var_os("MAGEN_UPDATE").is_some_and(|value| value == "1") {
            fs::write(&path, &shown).expect("it can be written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(shown, expected, "MAGEN_UPDATE=1 rewrites {}", path.display());
    }
}
