//! The reference of the language, `docs/MAGEN.md`, says what is so.

use std::fs;
use std::path::Path;

use magen::DiagnosticKind;

/// The page, or `None` in a package that was taken out of the repository.
fn reference() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/MAGEN.md");
    path.exists().then(|| fs::read_to_string(path).unwrap())
}

/// The code blocks of this language in `page`.
fn blocks<'page>(page: &'page str, language: &str) -> Vec<&'page str> {
    let fence = format!("\n```{language}\n");
    page.split(fence.as_str()).skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

#[test]
fn every_example_compiles() {
    let Some(page) = reference() else {
        return;
    };
    let examples = blocks(&page, "magen");
    assert_eq!(examples.len(), 12);
    for example in examples {
        if let Err(diagnostics) = magen::generate(example, "docs/MAGEN.md") {
            panic!("{diagnostics}");
        }
    }
}

#[test]
fn every_kind_of_diagnostic_is_listed() {
    let Some(page) = reference() else {
        return;
    };
    let listed: Vec<&str> = DiagnosticKind::ALL.iter().map(|kind| kind.name()).collect();
    let rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|row| row.0).collect();
    let position = rows.iter().position(|row| *row == listed[0]).expect("there is a table of diagnostics");
    assert_eq!(rows[position..], listed);
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
