//! Every kind of diagnostic, as it is shown. `MAGEN_UPDATE=1` rewrites the expected files.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use magen::{DiagnosticKind, Diagnostics, FileError, RenderStyle};

fn diagnostics(source: impl AsRef<[u8]>, file_name: &str) -> Diagnostics {
    magen::generate(source, file_name).expect_err(file_name)
}

/// Sources that are too large to keep as files.
fn large_sources() -> [(&'static str, Vec<u8>); 5] {
    let methods: String = (0..4100).map(|number| format!("  Method{number}();\n")).collect();
    let fields: String = (0..1030).map(|number| format!("  int f{number};\n")).collect();
    let versions: String =
        (1..1030).map(|number| format!("  [MinVersion={number}] M{number}();\n")).collect();
    let faults: String = (0..200).map(|number| format!("  M{number}(what a);\n")).collect();
    [
        ("file-too-large", [&b"\n"[..], &vec![b' '; 16 << 20]].concat()),
        ("too-many-methods", format!("interface Logger {{\n{methods}}}\n").into_bytes()),
        ("too-many-versions", format!("[Extensible]\ninterface Old {{\n{versions}}}\n").into_bytes()),
        ("too-many-members", format!("struct Large {{\n{fields}}}\nwhat\n").into_bytes()),
        ("too-many-faults", format!("interface Logger {{\n{faults}}}\n").into_bytes()),
    ]
}

fn all() -> Vec<(String, Diagnostics)> {
    let mut all = Vec::new();
    for path in common::files("ui", "magen") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let shown = diagnostics(fs::read(&path).unwrap(), &format!("{name}.magen"));
        all.push((name, shown));
    }
    for path in common::files("ui/imports", "magen") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("library") {
            let relative = Path::new("tests/ui/imports").join(path.file_name().unwrap());
            let error = magen::generate_file(relative).expect_err(&name);
            let Some(FileError::Diagnostics(shown)) = error.iter().next() else { panic!("{error}") };
            all.push((name, shown.clone()));
        }
    }
    for (name, source) in large_sources() {
        all.push((name.to_owned(), diagnostics(source, &format!("{name}.magen"))));
    }
    all
}

#[test]
fn diagnostics_are_shown_as_expected() {
    for (name, shown) in all() {
        common::assert_file(
            &common::directory("ui").join(&name).with_extension("stderr"),
            &shown.to_string(),
        );
    }
}

#[test]
fn every_kind_has_a_file_of_its_name() {
    let mut kinds: BTreeSet<&str> = DiagnosticKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(kinds.len(), DiagnosticKind::ALL.len(), "two kinds have one name");
    for (name, shown) in all() {
        let has_kind = shown.iter().any(|diagnostic| diagnostic.kind().name() == name);
        assert!(
            has_kind || ["several", "too-many-faults", "type-too-large-in-itself"].contains(&name.as_str()),
            "{name} does not show its kind"
        );
        kinds.remove(name.as_str());
    }
    assert!(kinds.is_empty(), "no file in tests/ui shows {kinds:?}");
}

#[test]
fn every_fault_has_a_place() {
    for (name, shown) in all() {
        let text = shown.to_string();
        let place = format!("--> {}:", shown.file_name());
        let places: Vec<&str> =
            text.lines().filter_map(|line| line.trim_start().strip_prefix(&place)).collect();
        assert!(places.len() >= shown.iter().count(), "{name}: {text}");
        for place in places {
            let numbers: Vec<usize> = place.split(':').map(|number| number.parse().expect(&text)).collect();
            assert!(numbers.len() == 2 && !numbers.contains(&0), "{name}: {text}");
        }
    }
}

#[test]
fn faults_are_told_in_source_order_and_in_full() {
    let source = "interface A { M(what a); N(int b,); }\n\ninterface B { M(which a); M(); }";
    let shown = diagnostics(source, "order.magen");
    let kinds: Vec<&str> = shown.iter().map(|diagnostic| diagnostic.kind().name()).collect();
    assert_eq!(kinds, ["unknown-type", "trailing-comma", "unknown-type", "duplicate-method"]);
    assert_eq!(shown.iter().next().unwrap().message(), "unknown type `what`");
    assert_eq!(shown.file_name(), "order.magen");
    assert!(!shown.is_truncated());
    let text = shown.to_string();
    for place in ["order.magen:1:17", "order.magen:1:33", "order.magen:3:17", "order.magen:3:27"] {
        assert!(text.contains(place), "{text}");
    }
}

#[test]
fn colours_only_add_escape_sequences() {
    let shown = diagnostics("interface A { M(strng a); }", "colour.magen");
    let coloured = shown.render(RenderStyle::Coloured);
    assert!(coloured.contains('\u{1b}'));
    let mut plain = String::new();
    for (index, part) in coloured.split('\u{1b}').enumerate() {
        plain += if index == 0 { part } else { part.split_once('m').unwrap().1 };
    }
    assert_eq!(plain, shown.render(RenderStyle::Plain));
}
