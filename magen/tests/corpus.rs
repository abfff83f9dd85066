//! Interfaces as they are written in earnest, in `corpus/`: each is laid out and right, all are compiled by rustc, and
//! their decoders are fed with whatever comes.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn corpus() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let entries = fs::read_dir(directory).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

#[test]
fn every_file_has_the_canonical_layout() {
    for path in corpus() {
        let source = fs::read_to_string(&path).unwrap();
        let formatted = magen::format(&source, stem(&path)).unwrap_or_else(|error| panic!("{error}"));
        common::assert_file(&path, &formatted);
    }
}

/// The names that stand between `before` and `after` on a line of `code`.
fn names<'code>(code: &'code str, before: &str, after: &str) -> Vec<&'code str> {
    code.lines().filter_map(|line| line.strip_prefix(before)?.strip_suffix(after)).collect()
}

#[test]
fn every_decoder_survives_everything_and_gives_back_what_was_encoded() {
    let workshop = tempfile::tempdir().unwrap();
    let mut modules = String::new();
    let mut calls = String::new();
    for path in corpus() {
        let code = magen::generate_file(&path).unwrap_or_else(|error| panic!("{error}"));
        let module = stem(&path);
        for message in names(&code, "pub enum ", "Message {") {
            calls += &format!("    feed_message::<{module}::{message}Message>();\n");
        }
        for value in names(&code, "impl ::mage::codegen::Encode for &", " {") {
            calls += &format!("    feed_value::<{module}::{value}>();\n");
        }
        let defaults = names(&code, "impl ::core::default::Default for ", " {");
        for value in defaults.into_iter().filter(|value| code.contains(&format!("Encode for &{value} "))) {
            calls += &format!("    assert_comes_back::<{module}::{value}>(Default::default());\n");
        }
        modules += &format!("#[allow(dead_code)]\nmod {module} {{\n{code}\n}}\n");
    }
    assert!(calls.lines().count() > 100, "{calls}");
    let text = fs::read_to_string(common::directory("stub").join("corpus.rs")).unwrap();
    let program = workshop.path().join("program.rs");
    fs::write(&program, text.replace("// MODULES", &modules).replace("    // CALLS\n", &calls)).unwrap();

    let stub = common::directory("stub").join("mage.rs");
    for (source, arguments) in
        [(stub, ["--crate-type=rlib", "-Cdebuginfo=0"]), (program, ["--crate-type=bin", "--extern=mage"])]
    {
        let mut rustc = common::tool("rustc").expect("a toolchain runs this test");
        rustc.args(["--edition=2024", "--cap-lints=warn", "-Copt-level=1"]).args(arguments);
        rustc.arg("--out-dir").arg(workshop.path()).arg("-L").arg(workshop.path()).arg(&source);
        let output = rustc.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    common::assert_clean(&Command::new(workshop.path().join("program")).output().unwrap(), "the program");
}
