//! `magen doc`: the pages, whole. `MAGEN_UPDATE=1` rewrites the expected ones.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/document")
}

fn magen(workshop: &TempDir, inputs: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_magen"));
    command.arg("doc").arg("--output").arg(workshop.path().join("pages")).args(inputs);
    command.current_dir(directory()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn pages_are_the_expected_ones() {
    let workshop = tempfile::tempdir().unwrap();
    let output = magen(&workshop, &["shapes.magen", "canvas.magen"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", text(&output.stderr));
    for name in ["index.html", "module.shapes.html", "module.canvas.html"] {
        let page = fs::read_to_string(workshop.path().join("pages").join(name)).unwrap();
        let expected = directory().join(name);
        if env::var_os("MAGEN_UPDATE").is_some_and(|value| value == "1") {
            fs::write(&expected, &page).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        assert!(page == expected, "{name} is another page; MAGEN_UPDATE=1 rewrites it\n{page}");
        assert!(!page.contains("<script") && !page.contains("javascript:") && !page.contains("<img"));
    }
    assert_eq!(fs::read_dir(workshop.path().join("pages")).unwrap().count(), 3);
}

/// What every link goes to, page and place.
fn links(page: &str) -> Vec<(&str, &str)> {
    let links = page.split("href=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0);
    links
        .filter(|link| !link.contains("://"))
        .map(|link| link.split_once('#').unwrap_or((link, "")))
        .collect()
}

#[test]
fn every_link_between_the_pages_of_the_corpus_leads_somewhere() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../magen/corpus");
    let inputs: Vec<String> =
        fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    let workshop = tempfile::tempdir().unwrap();
    let output = magen(&workshop, &inputs.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut count = 0;
    for entry in fs::read_dir(workshop.path().join("pages")).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        for (name, place) in links(&page) {
            let target =
                if name.is_empty() { path.clone() } else { workshop.path().join("pages").join(name) };
            let target = fs::read_to_string(&target).unwrap_or_else(|_| panic!("{path:?}: no {name}"));
            let is_there = place.is_empty() || target.contains(&format!(" id=\"{place}\""));
            assert!(is_there, "{path:?}: no {name}#{place}");
            count += 1;
        }
    }
    assert!(count > 2000, "{count}");
}

#[test]
fn what_cannot_be_documented_is_named() {
    let workshop = tempfile::tempdir().unwrap();
    let bad = workshop.path().join("bad.magen");
    fs::write(&bad, "struct A { strng a; }").unwrap();
    let output = magen(&workshop, &[bad.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error[unknown-type]"), "{}", text(&output.stderr));
    let output = magen(&workshop, &["shapes.magen", "./shapes.magen"]);
    let message = "error: `shapes.magen` and `./shapes.magen` would be one page: `module.shapes.html`\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), message));
    let output = magen(&workshop, &["-"]);
    assert_eq!(output.status.code(), Some(2));
}
