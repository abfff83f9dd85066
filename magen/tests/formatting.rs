//! What `magen fmt` does: the same tokens in another layout, once and for all.

mod common;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

/// Asserts that the layout of `source` says the same as `source`, and is final.
#[track_caller]
fn assert_stable(source: &str) -> String {
    let once = magen::format(source, "once.magen").unwrap_or_else(|error| panic!("{error}"));
    let twice = magen::format(&once, "twice.magen")
        .unwrap_or_else(|error| panic!("{error}from\n{once}\nfrom\n{source}"));
    assert_eq!(once, twice, "from\n{source}");
    assert_eq!(bare(source), bare(&once), "from\n{source}");
    if let Ok(code) = magen::generate(source, "code.magen") {
        assert_eq!(magen::generate(&once, "code.magen").unwrap(), code, "{once}");
    }
    once
}

/// Everything but white space.
fn bare(source: &str) -> String {
    source.trim_start_matches('\u{feff}').chars().filter(|character| !character.is_whitespace()).collect()
}

#[test]
fn files_are_laid_out_as_expected() {
    for path in common::files("format", "magen") {
        let formatted = assert_stable(&fs::read_to_string(&path).unwrap());
        common::assert_file(&path.with_extension("expected"), &formatted);
    }
}

#[test]
fn every_right_file_of_the_tests_has_a_final_layout() {
    for directory in ["golden", "seed", "format"] {
        for path in common::files(directory, "magen") {
            assert_stable(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn a_faulty_file_is_not_laid_out() {
    assert!(magen::format("interface Logger { Log(string text) ", "bad.magen").is_err());
    // But whether a type exists makes no difference to the layout.
    assert!(magen::format("interface Logger { Log(strng text); }", "bad.magen").is_ok());
}

/// The files of `corpus/`, as their words: every comment left out, and nothing of the layout.
fn corpus() -> Vec<Vec<String>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let words = texts.map(|text| {
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        code.flat_map(str::split_whitespace).map(str::to_owned).collect()
    });
    words.collect()
}

#[test]
fn the_corpus_has_a_final_layout_on_one_line_and_on_many() {
    for words in corpus() {
        assert_stable(&words.join(" "));
        assert_stable(&words.join("\n"));
    }
}

/// A piece of white space, or a comment.
fn gap() -> impl Strategy<Value = String> {
    let gaps = ["", " ", " ", "\n", "\n\n\n", "\t", " // x\n", "\n// y\n\n"];
    prop::sample::select(gaps.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn white_space_and_comments_anywhere_are_survived(gaps in prop::collection::vec(gap(), 80)) {
        let tokens = "module a.b ; import \"x.magen\" ; [ Extensible ] enum Mode { FAST = 1 , reserved 2 , 3 ; SLOW } \
            struct Point { int x = 5 ; array < string < 8 > > max 4 ? names ; } union Shape { Point moved @ 2 ; } \
            interface Logger { Log @ 1 ( string text , int level ) => ( bool ok ) error Mode ; Done ( ) => ( ) ; }";
        let mut source = String::new();
        for (index, token) in tokens.split(' ').enumerate() {
            source.push_str(token);
            source.push_str(gaps.get(index % gaps.len()).map_or(" ", String::as_str));
            source.push(' ');
        }
        assert_stable(&source);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_layout_of_any_file_of_the_corpus_becomes_a_final_one(
        words in prop::sample::select(corpus()),
        gaps in prop::collection::vec(gap(), 1..60),
    ) {
        let mut source = String::new();
        for (word, gap) in words.iter().zip(gaps.iter().cycle()) {
            source.push_str(word);
            source.push(' ');
            source.push_str(gap);
        }
        assert_stable(&source);
    }
}
