//! Rules about the source itself, as a test.

use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 700;

/// What the core must not name: it has no lock, no thread, no I/O, no clock, no runtime, and knows no ring outside itself.
const FORBIDDEN_IN_CORE: [&str; 12] = [
    "std::sync",
    "std::thread",
    "std::os",
    "std::time",
    "std::net",
    "std::fs",
    "rustix",
    "futures",
    "mage_sched",
    "crate::node",
    "crate::link",
    "crate::bindings",
];

/// The files that may have unsafe code: one system's way to poll, and an allocator of tests, which counts.
const UNSAFE_ALLOWED: [&str; 2] = ["adapters/mage-loop/src/poller/portable.rs", "tests/src/counting.rs"];

/// The files that may sleep, none of them to wait for something that could be awaited: a web server that is slow on
/// purpose, and a death at a moment that nobody chose.
const SLEEP_ALLOWED: [&str; 2] = ["examples/fetcher/src/site.rs", "tests/tests/network.rs"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace")
}

/// Every Rust file of the workspace, by its path from the root, with its text.
fn sources() -> Vec<(String, String)> {
    let mut todo = vec![root().to_owned()];
    let mut sources = Vec::new();
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(&directory).expect("it can be listed").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    todo.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is text");
                sources.push((from_root(&path), text));
            }
        }
    }
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    sources
}

fn from_root(path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root()).expect("it is under the root").components().collect();
    path.to_string_lossy().replace('\\', "/")
}

/// The lines of code, without comments, each with its number.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
        .filter(|(_, line)| !line.trim().is_empty())
}

fn expect_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// Places where the code of a file names one of these.
fn places(path: &str, text: &str, forbidden: &[&str]) -> Vec<String> {
    let named = |line: &str| forbidden.iter().find(|name| line.contains(*name)).copied();
    code(text)
        .filter_map(|(number, line)| named(line).map(|name| format!("{path}:{number} names {name}")))
        .collect()
}

#[test]
fn the_core_is_pure() {
    let core: Vec<(String, String)> =
        sources().into_iter().filter(|(path, _)| path.starts_with("mage/src/core/")).collect();
    assert!(core.len() > 10, "the core has moved");
    let product = core.iter().filter(|(path, _)| !path.contains("/tests"));
    let found: Vec<String> =
        product.flat_map(|(path, text)| places(path, text, &FORBIDDEN_IN_CORE)).collect();
    expect_none("the core is pure", &found);
}

#[test]
fn no_source_is_too_long() {
    let found: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| path.contains("/src/"))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| format!("{path} has {lines} lines"))
        .collect();
    expect_none("no file is longer than can be read at once", &found);
}

#[test]
fn nobody_sleeps() {
    // Put together, so that this line is none of those it looks for.
    let sleeping = [concat!("thread::", "sleep"), concat!("tokio::time::", "sleep")];
    let found: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| !path.starts_with("benches/") && !SLEEP_ALLOWED.contains(&path.as_str()))
        .flat_map(|(path, text)| places(path, text, &sleeping))
        .collect();
    expect_none("to sleep is to hope", &found);
}

#[test]
fn unsafe_is_where_it_is_known_to_be() {
    // As a word of the code: not in `unsafe_code`, `forbid(unsafe_code)` and the like.
    let words = [
        concat!("unsafe ", "{"),
        concat!("unsafe ", "fn"),
        concat!("unsafe ", "impl"),
        concat!("unsafe ", "extern"),
    ];
    let found: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| !UNSAFE_ALLOWED.contains(&path.as_str()))
        .flat_map(|(path, text)| places(path, text, &words))
        .collect();
    expect_none("unsafe code is in few places, all of them listed", &found);
    for path in UNSAFE_ALLOWED {
        let text = fs::read_to_string(root().join(path)).expect("a file of the list is there");
        assert!(
            !places(path, &text, &words).is_empty(),
            "{path} has no unsafe code any more: strike it off the list"
        );
    }
}

#[test]
fn a_place_is_found() {
    let text = "// std::time is fine here\nlet now = std::time::Instant::now();\n";
    assert_eq!(places("core.rs", text, &FORBIDDEN_IN_CORE), ["core.rs:2 names std::time"]);
}
