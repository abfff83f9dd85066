//! The reference of the language, `docs/MAGEN.md`, says what is so. Whether its interfaces become right Rust, `generated.rs`
//! sees.

mod common;

use std::fs;
use std::path::Path;

use magen::DiagnosticKind;
use magen::breaking::BreakKind;

use common::{blocks, reference};

#[test]
fn every_example_compiles() {
    let Some(page) = reference() else {
        return;
    };
    let examples = blocks(&page, "magen");
    assert_eq!(examples.len(), 18);
    let directory = tempfile::tempdir().unwrap();
    for path in common::write_examples(&examples, directory.path()) {
        if let Err(error) = magen::generate_file(&path) {
            panic!("{error}");
        }
    }
}

/// Everything that the grammar and the table of types have.
const CONSTRUCTS: [&str; 45] = [
    "module ",
    "import ",
    "interface ",
    "struct ",
    "union ",
    "enum ",
    "const ",
    "reserved ",
    "@10",
    "@7",
    "= 0x",
    "= -",
    "=> ()",
    "=> (",
    "error ",
    "[Extensible]",
    "[MinVersion=1]",
    "[Rust=\"",
    "[Shared]",
    "// ",
    "/// ",
    " = 640",
    "bool ",
    "int ",
    "long ",
    "char ",
    "double ",
    "float ",
    "int8 ",
    "int16 ",
    "int32 ",
    "int64 ",
    "uint8 ",
    "uint16 ",
    "uint32 ",
    "uint64 ",
    "string<64>",
    "bytes<4096>",
    "array<string<64>> max ",
    "array<uint8, 4>",
    "map<string, int>",
    "double? ",
    "pending_remote<",
    "pending_receiver<",
    "stream<",
];

#[test]
fn every_construct_has_an_example() {
    let Some(page) = reference() else {
        return;
    };
    let examples = blocks(&page, "magen").concat();
    let missing: Vec<&str> =
        CONSTRUCTS.into_iter().filter(|construct| !examples.contains(construct)).collect();
    assert!(missing.is_empty(), "no example has {missing:?}");
}

/// The rows of the table that begins with the row `first`, by what stands in their first column.
fn table<'page>(page: &'page str, first: &str) -> Vec<&'page str> {
    let start = page.find(&format!("| `{first}`")).expect("there is such a table");
    let rows = page[start..].lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).expect("a name")).collect()
}

#[test]
fn every_kind_of_break_is_listed() {
    let Some(page) = reference() else {
        return;
    };
    let kinds = BreakKind::ALL.iter().map(|kind| kind.name());
    let listed: Vec<&str> = ["removed-file"].into_iter().chain(kinds).collect();
    assert_eq!(table(&page, "removed-file"), listed);
}

#[test]
fn the_tutorial_is_the_example() {
    let Some(page) = reference() else {
        return;
    };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/tutorial");
    let interface = fs::read_to_string(example.join("magen/network_process.magen")).unwrap();
    assert_eq!(blocks(&page, "magen")[0].trim(), interface.trim());
    let shown: Vec<&str> = blocks(&page, "rust").into_iter().take(4).collect();
    for (block, name) in
        shown.into_iter().zip(["build.rs", "src/lib.rs", "src/bin/network_process.rs", "src/main.rs"])
    {
        let (title, code) = block.split_once('\n').unwrap();
        assert_eq!(title, format!("// {name}"));
        let text = fs::read_to_string(example.join(name)).unwrap();
        let is_preface = |line: &&str| line.starts_with("//!") || line.starts_with("#![");
        let text: Vec<&str> = text.lines().skip_while(is_preface).collect();
        assert_eq!(code.trim(), text.join("\n").trim(), "{name}");
    }
}

/// What the tutorial does not have is in a test of its own, with what it takes around it: `tests/tests/reference.rs`.
#[test]
fn all_rust_is_compiled() {
    let Some(page) = reference() else {
        return;
    };
    assert_eq!(
        page.matches("```rust").count(),
        page.matches("\n```rust\n").count(),
        "a block is not looked at"
    );
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    // How deep a fragment stands there does not matter.
    let flat = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let compiled = flat(&fs::read_to_string(tests.join("tests/reference.rs")).unwrap());
    for block in blocks(&page, "rust").into_iter().skip(4) {
        for fragment in block.split("\n\n") {
            assert!(
                compiled.contains(&format!("\n{}\n", flat(fragment))),
                "this is compiled nowhere:\n{fragment}"
            );
        }
    }
    let interfaces = blocks(&page, "magen");
    for entry in fs::read_dir(tests.join("magen/reference")).unwrap() {
        let path = entry.unwrap().path();
        let interface = fs::read_to_string(&path).unwrap();
        assert!(interfaces.contains(&interface.trim_end()), "{} is not on the page", path.display());
    }
}

#[test]
fn every_kind_of_diagnostic_is_listed() {
    let Some(page) = reference() else {
        return;
    };
    let listed: Vec<&str> = DiagnosticKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(table(&page, listed[0]), listed);
}

#[test]
fn the_shown_diagnostic_is_a_real_one() {
    let Some(page) = reference() else {
        return;
    };
    let source = "interface Logger {\n  Log(strng text);\n}\n";
    let shown = magen::generate(source, "logger.magen").unwrap_err().to_string();
    assert!(blocks(&page, "text").iter().any(|block| block.trim() == shown.trim()), "{shown}");
}
