//! `magen breaking` against a file, a directory and a revision of git.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const OLD: &str = "struct Size { int width; }\n[Extensible]\ninterface Screen { Show(Size size); }\n";
const GROWN: &str = "struct Size { int width; }\n[Extensible]\ninterface Screen { Show(Size size); [MinVersion=1] Hide(); }\n";
const BROKEN: &str = "struct Size { long width; }\n[Extensible]\ninterface Screen { Show(Size size); }\n";

fn magen(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_magen")).current_dir(directory).args(arguments).output().unwrap()
}

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(directory.path(), name, text);
    }
    directory
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What is said on the standard error, and the status.
fn said(output: &Output) -> (String, Option<i32>) {
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code())
}

#[test]
fn against_a_file() {
    let files = directory(&[("old.magen", OLD), ("grown.magen", GROWN), ("broken.magen", BROKEN)]);
    let output = magen(files.path(), &["breaking", "--against", "old.magen", "grown.magen"]);
    assert_eq!(said(&output), (String::new(), Some(0)));
    let (text, status) = said(&magen(files.path(), &["breaking", "broken.magen", "--against", "old.magen"]));
    assert_eq!(status, Some(1));
    for line in [
        "error[changed-type]: the field `width` was `int` and is `long`",
        " --> broken.magen:1:15",
        " ::: old.magen:1:15",
        "error: `broken.magen` breaks with `old.magen` in 1 place",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // Back from the grown one, a method is missing.
    let (text, status) = said(&magen(files.path(), &["breaking", "--against", "grown.magen", "old.magen"]));
    assert_eq!(status, Some(1));
    assert!(text.contains("error[removed-method]: the method `Hide` was removed"), "{text}");
}

#[test]
fn against_a_directory() {
    let files = directory(&[
        ("old/screen.magen", OLD),
        ("old/deep/gone.magen", "enum Mode { A }"),
        ("new/screen.magen", BROKEN),
        ("new/added.magen", "interface Added {}"),
    ]);
    let (text, status) = said(&magen(files.path(), &["breaking", "--against", "old", "new"]));
    assert_eq!(status, Some(1));
    assert!(text.contains("new/screen.magen:1:15"), "{text}");
    assert!(text.contains("error[removed-file]: `old/deep/gone.magen` is not there any more"), "{text}");
    let (text, status) = said(&magen(files.path(), &["breaking", "--against", "old", "new/added.magen"]));
    assert_eq!((text.as_str(), status), ("", Some(0)), "what is new breaks nothing");
}

#[test]
fn against_a_revision() {
    let files = directory(&[
        ("magen/geometry.magen", "module geometry; struct Point { int x; }"),
        ("magen/canvas.magen", "import \"geometry.magen\"; interface Canvas { Draw(Point to); }"),
    ]);
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"];
        let run = Command::new("git").current_dir(files.path()).args(identity).args(arguments).output();
        run.is_ok_and(|output| output.status.success())
    };
    if !git(&["init", "-q"]) {
        eprintln!("there is no git here");
        return;
    }
    assert!(git(&["add", "."]) && git(&["commit", "-qm", "first"]));
    assert_eq!(
        said(&magen(files.path(), &["breaking", "--against", "HEAD", "magen"])),
        (String::new(), Some(0))
    );
    write(files.path(), "magen/geometry.magen", "module geometry;\nstruct Point { long x; }");
    let inside = files.path().join("magen");
    for (directory, input, shown) in [
        (files.path(), "magen", "magen/geometry.magen:2:16"),
        (files.path(), "./magen/canvas.magen", "magen/geometry.magen:2:16"),
        (&inside, "canvas.magen", "geometry.magen:2:16"),
        (&inside, ".", "geometry.magen:2:16"),
    ] {
        let (text, status) = said(&magen(directory, &["breaking", "--against", "HEAD", input]));
        assert_eq!(status, Some(1), "{input}: {text}");
        assert!(text.contains(shown), "{input}: {text}");
        assert!(text.contains("HEAD:"), "{input}: {text}");
        assert_eq!(text.matches("error[changed-type]").count(), 1, "{input}: it is shown once\n{text}");
    }
    let (text, status) = said(&magen(files.path(), &["breaking", "--against", "nowhere", "magen"]));
    assert_eq!(status, Some(1));
    assert!(text.contains("error: `nowhere` is no file, and git says:"), "{text}");
}

#[test]
fn arguments_that_make_no_sense() {
    let files = directory(&[("old.magen", OLD)]);
    for arguments in [
        &["breaking", "old.magen"][..],
        &["breaking", "--against", "old.magen"],
        &["breaking", "--against", "old.magen", "."],
        &["breaking", "--against", "old.magen", "--against", "old.magen", "old.magen"],
        &["breaking", "--against", "--upload-pack=x", "old.magen"],
    ] {
        assert_eq!(magen(files.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
    let (text, status) = said(&magen(files.path(), &["breaking", "--against", "old.magen", "missing.magen"]));
    assert_eq!(status, Some(1));
    assert!(text.contains("cannot read `missing.magen`"), "{text}");
}
