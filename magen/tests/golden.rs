//! The generated code, whole, for a file of each kind. `MAGEN_UPDATE=1` rewrites the expected files.

mod common;

use std::fs;

#[test]
fn generated_code_is_the_expected_code() {
    for path in common::files("golden", "magen") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let code = magen::generate(fs::read(&path).unwrap(), name).unwrap();
        common::assert_file(&path.with_extension("rs"), &code);
    }
}

#[test]
fn what_is_asked_for_is_added() {
    for path in common::files("options", "magen") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let code = common::everything().generate(fs::read(&path).unwrap(), name).unwrap();
        common::assert_file(&path.with_extension("rs"), &code);
    }
}

#[test]
fn generated_code_depends_on_nothing_but_the_source_and_the_name() {
    for path in common::files("golden", "magen") {
        let source = fs::read_to_string(&path).unwrap();
        let code = magen::generate(&source, "here/name.magen").unwrap();
        assert_eq!(magen::generate(&source, "/elsewhere/name.magen").unwrap(), code);
        assert_eq!(magen::generate(source.replace('\n', "\r\n"), "name.magen").unwrap(), code);
        assert_eq!(magen::generate(format!("\u{feff}{source}"), "name.magen").unwrap(), code);
    }
}

#[test]
fn fingerprints_never_change() {
    let source = "interface NetworkProcess { FetchURL(string url); Ask(int a) => (string b); }";
    let code = magen::generate(source, "network_process.magen").unwrap();
    assert!(code.contains("const FINGERPRINT: u64 = 0xef8f_1221_adf4_f53d;"), "{code}");
}

#[test]
fn the_name_of_the_file_cannot_end_the_comment_it_is_in() {
    let code = magen::generate("", "a\nstruct Injected;\r.magen").unwrap();
    assert_eq!(code.lines().count(), 1);
}
