//! What several tests share: files of expected output, and the tools of the Rust toolchain.

#![allow(dead_code, clippy::allow_attributes, reason = "no test uses all of it")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory below `tests/`.
pub(crate) fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// The files in `tests/<name>` with this extension, sorted.
pub(crate) fn files(name: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory(name)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// Asserts that `path` contains `actual`; with `MAGEN_UPDATE=1`, writes it there instead.
pub(crate) fn assert_file(path: &Path, actual: &str) {
    if env::var_os("MAGEN_UPDATE").is_some_and(|value| value == "1") {
        return fs::write(path, actual).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} is not what came out; MAGEN_UPDATE=1 rewrites it\n--- expected\n{expected}\n--- actual\n{actual}",
        path.display(),
    );
}

/// The reference of the language, or `None` in a package that was taken out of the repository.
pub(crate) fn reference() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/MAGEN.md");
    path.exists().then(|| fs::read_to_string(path).unwrap())
}

/// The code blocks of this language in `page`.
pub(crate) fn blocks<'page>(page: &'page str, language: &str) -> Vec<&'page str> {
    let fence = format!("\n```{language}\n");
    page.split(fence.as_str()).skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

/// Writes the examples of the reference, each to a file; those that say what they are called may import each other.
pub(crate) fn write_examples(examples: &[&str], directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for (index, example) in examples.iter().enumerate() {
        let named = example.lines().next().and_then(|line| line.strip_prefix("// ")?.strip_suffix(".magen"));
        let name = named.map_or_else(|| format!("example{index}"), str::to_owned);
        let path = directory.join(name).with_extension("magen");
        fs::write(&path, example).unwrap();
        paths.push(path);
    }
    paths
}

/// All options there are.
pub(crate) fn everything() -> magen::Options {
    magen::Options::new().mocks(true).fuzz(true)
}

/// A tool of the toolchain that runs this test.
pub(crate) fn tool(name: &str) -> Command {
    let beside_cargo = env::var_os("CARGO").map(|cargo| Path::new(&cargo).with_file_name(name));
    let program = beside_cargo.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(name));
    let works = Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(works, "this test needs {name}, a component of the Rust toolchain");
    Command::new(program)
}

/// The standard error of a command that must succeed and stay silent.
pub(crate) fn assert_clean(output: &Output, what: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.is_empty(), "{what}: {}\n{text}{stdout}", output.status);
}
