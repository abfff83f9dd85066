//! What breaks is found and shown, what does not break is left alone, and the rules are those that two running ends have.

mod common;

use std::collections::BTreeSet;

use magen::breaking::{self, BreakKind, Breaks, Source, Tree};

fn compare(old: &str, new: &str) -> Breaks {
    let (old, new) = (Source::text("old.magen", old), Source::text("new.magen", new));
    breaking::compare(&old, &new).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn breaks_are_shown_as_expected() {
    let mut kinds: BTreeSet<BreakKind> = BreakKind::ALL.iter().copied().collect();
    let read = |which: &str| {
        let name = format!("all.{which}.magen");
        Source::text(&name, std::fs::read(common::directory("breaking").join(&name)).unwrap())
    };
    let breaks = breaking::compare(&read("old"), &read("new")).unwrap_or_else(|error| panic!("{error}"));
    for found in breaks.iter() {
        kinds.remove(&found.kind());
    }
    assert!(kinds.is_empty(), "nothing shows {kinds:?}");
    common::assert_file(&common::directory("breaking").join("all.stderr"), &breaks.to_string());
}

/// What Chromium's checker of stable interfaces says, case by case, in our language.
#[test]
fn the_rules_are_those_of_chromium() {
    for (old, new, is_fine) in [
        // Enums.
        ("enum E { A, B }", "enum E { A, B, C }", false),
        ("[Extensible] enum E { A, B }", "[Extensible] enum E { A, B, C }", false),
        (
            "[Extensible] enum E { A, [MinVersion=1] B }",
            "[Extensible] enum E { A, [MinVersion=1] B, [MinVersion=1] C }",
            false,
        ),
        ("enum E { A, B }", "enum E { A }", false),
        ("[Extensible] enum E { A, B }", "[Extensible] enum E { A }", false),
        ("[Extensible] enum E { A, [MinVersion=1] B }", "[Extensible] enum E { A }", false),
        ("[Extensible] enum E { A, B }", "[Extensible] enum E { A, B, [MinVersion=1] C }", true),
        (
            "[Extensible] enum E { A, [MinVersion=1] B }",
            "[Extensible] enum E { A, [MinVersion=1] B, [MinVersion=2] C }",
            true,
        ),
        ("enum E { A, B }", "enum E { X, Y }", true),
        ("enum E { A, B }", "enum E { B = 1, A = 0 }", true),
        // Structs.
        ("struct S { string a; }", "struct S { string a; string b; }", false),
        ("struct S { string a; string b; }", "struct S { string a; }", false),
        ("struct S { string a; }", "struct S { array<int> a; }", false),
        ("struct S { string a; }", "struct S { string? a; }", false),
        ("struct S { string? a; }", "struct S { string a; }", false),
        ("struct S { string a; bool b; }", "struct S { bool b; string a; }", false),
        (
            "[Extensible] struct S { int a; [MinVersion=1] int? b; }",
            "[Extensible] struct S { int a; [MinVersion=2] int? b; }",
            false,
        ),
        (
            "[Extensible] struct S { int a; [MinVersion=2] int? b; [MinVersion=3] int c; }",
            "[Extensible] struct S { int a; [MinVersion=1] int? b; [MinVersion=3] int c; }",
            false,
        ),
        (
            "[Extensible] struct S { int a; [MinVersion=1] int b; }",
            "[Extensible] struct S { int a; [MinVersion=1] int b; [MinVersion=1] int c; }",
            false,
        ),
        ("[Extensible] struct S { int a; }", "[Extensible] struct S { int a; [MinVersion=1] int b; }", true),
        (
            "[Extensible] struct S { int a; [MinVersion=1] int b; }",
            "[Extensible] struct S { int a; [MinVersion=1] int b; [MinVersion=2] bool c; }",
            true,
        ),
        ("struct S { int x; bool b; }", "struct S { int a; bool b; }", true),
        // What is within.
        (
            "[Extensible] struct S {} struct T { S s; }",
            "[Extensible] struct S { [MinVersion=1] int x; } struct T { S s; }",
            true,
        ),
        ("struct S {} struct T { S s; }", "struct S { int x; } struct T { S s; }", false),
        (
            "[Extensible] struct S { array<S> a; }",
            "[Extensible] struct S { array<S> a; [MinVersion=1] string? b; }",
            true,
        ),
        (
            "[Extensible] interface F { A(); } struct S { pending_receiver<F> r; }",
            "[Extensible] interface F { A(); [MinVersion=1] B(); } struct S { pending_receiver<F> r; }",
            true,
        ),
        // Unions.
        ("union U { string a; }", "union U { string a; string b; }", false),
        ("[Extensible] union U { string a; }", "[Extensible] union U { string a; string b; }", false),
        ("union U { string a; string b; }", "union U { string a; }", false),
        ("union U { string a; bool b; }", "union U { bool b; string a; }", false),
        ("union U { bool b @1; int a @0; }", "union U { int a @0; bool b @1; }", true),
        ("[Extensible] union U { int a; }", "[Extensible] union U { int a; [MinVersion=1] int b; }", true),
        (
            "[Extensible] union U { int a; [MinVersion=1] int b; }",
            "[Extensible] union U { int a; [MinVersion=2] int b; }",
            false,
        ),
        (
            "[Extensible] union U { int a; [MinVersion=1] int b; }",
            "[Extensible] union U { int a; [MinVersion=1] int b; [MinVersion=1] int c; }",
            false,
        ),
        ("union U { int a; }", "union U { int b; }", true),
        // Interfaces.
        ("[Extensible] interface F { A(); }", "[Extensible] interface F { A(); B(); }", false),
        ("interface F { A(); }", "interface F { A(); B(); }", false),
        ("interface F { A(); B(); }", "interface F { A(); }", false),
        ("interface F { A(); }", "interface F { A(int x); }", false),
        ("interface F { A(int x); }", "interface F { A(bool x); }", false),
        ("interface F { A(int x); }", "interface F { A(int a); }", true),
        (
            "[Extensible] interface F { A(int x); }",
            "[Extensible] interface F { A(int x, [MinVersion=1] string? s); }",
            true,
        ),
        (
            "[Extensible] interface F { A(int x, [MinVersion=1] string? s); }",
            "[Extensible] interface F { A(int x, [MinVersion=1] string? s, [MinVersion=1] int y); }",
            false,
        ),
        ("interface F { A(); }", "interface F { A() => (); }", false),
        ("interface F { A() => (); }", "interface F { A(); }", false),
        ("interface F { A() => (); }", "interface F { A() => (int x); }", false),
        ("interface F { A() => (int x); }", "interface F { A() => (); }", false),
        ("interface F { A() => (bool x); }", "interface F { A() => (int x); }", false),
        ("interface F { A() => (int a); }", "interface F { A() => (int x); }", true),
        (
            "[Extensible] interface F { A() => (int x); }",
            "[Extensible] interface F { A() => (int x, [MinVersion=1] string? s); }",
            true,
        ),
        (
            "[Extensible] interface F { A(); [MinVersion=1] B(); }",
            "[Extensible] interface F { A(); [MinVersion=1] B(); [MinVersion=1] C(); }",
            false,
        ),
        ("[Extensible] interface F { A(); }", "[Extensible] interface F { A(); [MinVersion=1] B(); }", true),
        // The newest version taken back: running builds would get along, but its number would be used again.
        ("[Extensible] struct S { int a; [MinVersion=1] int b; }", "[Extensible] struct S { int a; }", false),
        // What Chromium has nothing of, or is less strict about.
        ("interface F { A(); }", "interface F { B(); }", false),
        ("interface F { A() => () error string; }", "interface F { A() => (); }", false),
        ("struct S { int a; }", "[Extensible] struct S { int a; }", false),
        ("interface F { A(string<4> a); }", "interface F { A(string<5> a); }", false),
        (
            "[Extensible] interface F { A(); [MinVersion=5] B(); }",
            "[Extensible] interface F { A([MinVersion=1] int x); [MinVersion=5] B(); }",
            false,
        ),
        ("module a; struct S { int a; }", "module b; struct S { int a; }", false),
        ("const int A = 1;", "", true),
        ("struct S { int a = 1; }", "/// S.\nstruct S { int a = 2; }", true),
    ] {
        let breaks = compare(old, new);
        assert_eq!(breaks.is_empty(), is_fine, "{old} -> {new}\n{breaks}");
        assert!(compare(old, old).is_empty());
    }
}

#[test]
fn imported_files_are_compared_where_they_were() {
    let mut tree = Tree::new("v1");
    tree.insert("magen/geometry.magen", b"module geometry; struct Point { int x; }".to_vec());
    let canvas = b"import \"../magen/./geometry.magen\"; interface Canvas { Draw(Point to); }";
    tree.insert("magen/canvas.magen", canvas.to_vec());
    let old = Source::in_tree(&tree, "magen/canvas.magen").unwrap();
    let mut changed = tree.clone();
    changed.insert("magen/geometry.magen", b"module geometry; struct Point { long x; }".to_vec());
    let new = Source::in_tree(&changed, "magen/canvas.magen").unwrap();
    assert!(breaking::compare(&old, &old).unwrap().is_empty());
    let breaks = breaking::compare(&old, &new).unwrap();
    let found: Vec<_> =
        breaks.iter().map(|found| (found.definition(), found.member(), found.line())).collect();
    assert_eq!(found, [("geometry.Point", Some("x"), Some(1))]);
    assert!(breaks.to_string().contains("v1:magen/../magen/./geometry.magen:1:33"), "{breaks}");
    assert!(Source::in_tree(&tree, "canvas.magen").is_err());
}

#[test]
fn what_is_faulty_is_not_compared() {
    let compared = breaking::compare(&Source::text("old.magen", "struct {"), &Source::text("new.magen", ""));
    assert!(compared.unwrap_err().to_string().contains("old.magen:1:8"));
}
