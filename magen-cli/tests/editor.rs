//! `magen lsp`, as an editor meets it.

#[path = "editor/client.rs"]
mod client;

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use async_lsp::lsp_types::request::Request;
use async_lsp::lsp_types::{Position, PrepareRenameResponse, Range};
use async_lsp::{Error, ErrorCode, LanguageServer};
use client::{Client, code, converse, covered, edited, marked, position, read};

const GEOMETRY: &str = "\
/// Shapes.
module geometry;

const int SIDES_MAX = 12;

/// A point, in *pixels*.
struct Point { int x; int y = -1; }

/// How it is drawn.
enum Style {
  /// Only the border.
  OUTLINE,
  FILLED = 5,
}

struct Shape {
  array<Point> max SIDES_MAX sides;
  Style style = Style.FILLED;
  Style other = OUTLINE;
}
";

const CANVAS: &str = "\
import \"geometry.magen\";

interface Canvas {
  /// Draws it.
  Draw(Shape shape, geometry.Point at) => (bool done) error string;
  Watch(pending_remote<Canvas> other);
}
";

const FILES: [(&str, &str); 2] = [("geometry.magen", GEOMETRY), ("canvas.magen", CANVAS)];

/// The place of the `number`th `what` in `text`.
fn place(text: &str, what: &str, number: usize) -> Position {
    let (place, _) = text.match_indices(what).nth(number).unwrap_or_else(|| panic!("{what} in {text}"));
    position(text, place)
}

#[test]
fn what_is_wrong_is_said_as_soon_as_it_is_written() {
    converse(&[], async |client| {
        let text = "// \u{1f9d9}\ninterface A { F(strng a); }\nstruct B {}\nstruct B {}\n";
        client.open("a.magen", text);
        let (name, told) = client.told().await;
        assert_eq!((name.as_str(), told.len()), ("a.magen", 2));
        assert_eq!((code(&told[0]).as_str(), covered(text, told[0].range)), ("unknown-type", "strng"));
        assert_eq!(told[0].message, "unknown type `strng`\nhelp: did you mean `string`?");
        assert_eq!((code(&told[1]).as_str(), covered(text, told[1].range)), ("duplicate-declaration", "B"));
        let related = &told[1].related_information.as_ref().unwrap()[0];
        assert_eq!((related.location.range.start.line, related.message.as_str()), (2, "first declared here"));
        client.change("a.magen", "interface A { F(string a); }");
        assert_eq!(client.told().await.1, []);
        client.close("a.magen");
        client.open("a.magen", "interface A {");
        assert_eq!(client.told().await.1.len(), 1);
    });
}

#[test]
fn what_is_open_is_imported_as_it_is_there() {
    converse(&FILES, async |client| {
        client.open("canvas.magen", CANVAS);
        assert_eq!(client.told().await, ("canvas.magen".to_owned(), vec![]));
        // Nothing of this is saved.
        client.open("geometry.magen", "module geometry; struct Shape { int a; }");
        let told = client.told_codes(2).await;
        assert_eq!(told["canvas.magen"], ["unknown-type"]);
        assert_eq!(told["geometry.magen"], [""; 0]);
        client.change("geometry.magen", "module geometry; struct Shape { strng a; }");
        let told = client.told_codes(2).await;
        assert_eq!(told["geometry.magen"], ["unknown-type"]);
        assert_eq!(told["canvas.magen"], [""; 0], "what imports it is not looked into");
        client.close("geometry.magen");
        assert_eq!(client.told_codes(1).await["geometry.magen"], [""; 0]);
        client.change("canvas.magen", "import \"geometry.magen\"; import \"nothing.magen\";");
        assert_eq!(client.told_codes(1).await["canvas.magen"], ["import-not-found"]);
    });
}

#[test]
fn a_file_that_is_faulty_on_the_disk_is_named_and_forgotten() {
    let files = [("a.magen", "import \"b.magen\";"), ("b.magen", "struct")];
    converse(&files, async |client| {
        client.open("a.magen", files[0].1);
        let told = client.told_codes(2).await;
        assert_eq!((told["a.magen"].len(), told["b.magen"].len()), (0, 1));
        client.change("a.magen", "");
        let told = client.told_codes(2).await;
        assert_eq!((told["a.magen"].len(), told["b.magen"].len()), (0, 0));
    });
}

#[test]
fn names_say_what_they_mean_and_where_that_is() {
    converse(&FILES, async |client| {
        for (file, text) in FILES {
            client.open(file, text);
        }
        for (file, what, number, defined_in, defined, shown) in [
            (1, "Shape", 0, 0, "Shape {", "struct geometry.Shape {\n  array<Point> max SIDES_MAX sides;\n"),
            (
                1,
                "Point",
                0,
                0,
                "Point {",
                "struct geometry.Point {\n  int x;\n  int y = -1;\n}\n```\n\nA point, in *pixels*.",
            ),
            (1, "geometry.Point", 0, 0, "geometry;", "module geometry;"),
            (1, "\"geometry", 0, 0, "geometry;", "module geometry;"),
            (1, "Canvas", 0, 1, "Canvas {", "interface Canvas {\n  Draw("),
            (1, "Canvas", 1, 1, "Canvas {", "interface Canvas {"),
            (
                1,
                "Draw(",
                0,
                1,
                "Draw(",
                "Draw(Shape shape, geometry.Point at) => (bool done) error string\n```\n\nDraws it.",
            ),
            (1, "at)", 0, 1, "at)", "geometry.Point at"),
            (0, "SIDES_MAX", 1, 0, "SIDES_MAX", "const int geometry.SIDES_MAX = 12;"),
            (
                0,
                "Style",
                1,
                0,
                "Style {",
                "enum geometry.Style {\n  OUTLINE,\n  FILLED,\n}\n```\n\nHow it is drawn.",
            ),
            (0, "Style.", 0, 0, "Style {", "enum geometry.Style"),
            (0, "FILLED", 1, 0, "FILLED", "Style.FILLED = 5"),
            (0, "OUTLINE", 1, 0, "OUTLINE", "Style.OUTLINE\n```\n\nOnly the border."),
            (0, "y = -1", 0, 0, "y = -1", "int y = -1"),
        ] {
            let (file, text) = FILES[file];
            let at = place(text, what, number);
            let (content, range) =
                client.hover(file, at).await.unwrap_or_else(|| panic!("{what} says nothing"));
            assert!(content.starts_with("```magen\n") && content.contains(shown), "{what}: {content}");
            let word = what.trim_end_matches(['.', ')', ';', '(']).split(['.', ' ']).next().unwrap();
            assert!(covered(text, range).starts_with(word), "{what}: {}", covered(text, range));
            let location = client.definition(file, at).await.unwrap();
            let (file, text) = FILES[defined_in];
            assert_eq!(location.uri, client.uri(file), "{what}");
            assert_eq!(location.range.start, place(text, defined, 0), "{what}");
        }
        for (what, number) in [("interface", 0), ("pending_remote", 0), (" =>", 0), ("bool", 0)] {
            let at = place(CANVAS, what, number);
            assert_eq!(
                (client.hover("canvas.magen", at).await, client.definition("canvas.magen", at).await),
                (None, None),
                "{what}"
            );
        }
    });
}

#[test]
fn faulty_files_are_understood_as_far_as_they_can_be() {
    converse(&[], async |client| {
        let text =
            "struct A { B }\ninterface I { F(A a, nothing b) => (A }\nstruct C { A again; \nenum E { X";
        client.open("a.magen", text);
        let location = client.definition("a.magen", place(text, "A again", 0)).await.unwrap();
        assert_eq!(location.range.start, place(text, "A {", 0));
    });
}

async fn assert_renamed(
    client: &mut Client,
    file: &str,
    at: Position,
    to: &str,
    expected: &[(&str, String)],
) {
    let edit = client.rename(file, at, to).await.unwrap().unwrap();
    let changes = edit.changes.unwrap();
    assert_eq!(changes.len(), expected.len(), "{changes:?}");
    for (name, expected) in expected {
        let text = read(client, name);
        assert_eq!(&edited(&text, &changes[&client.uri(name)]), expected, "{name}");
    }
}

#[test]
fn a_name_is_changed_wherever_it_is_used() {
    converse(&FILES, async |client| {
        // The other file is on the disk only.
        client.open("canvas.magen", CANVAS);
        let at = place(CANVAS, "Point", 0);
        let expected = [
            ("geometry.magen", GEOMETRY.replace("Point", "Place")),
            ("canvas.magen", CANVAS.replace("Point", "Place")),
        ];
        assert_renamed(client, "canvas.magen", at, "Place", &expected).await;
        client.open("geometry.magen", GEOMETRY);
        let end = Position { character: at.character + 5, ..at };
        assert_renamed(client, "canvas.magen", end, "Place", &expected).await;
        for (name, number) in
            [("SIDES_MAX", 0), ("SIDES_MAX", 1), ("FILLED", 1), ("OUTLINE", 0), ("sides;", 0)]
        {
            let name = name.trim_end_matches(';');
            let at = place(GEOMETRY, name, number);
            let expected = [("geometry.magen", GEOMETRY.replace(name, "OTHER"))];
            assert_renamed(client, "geometry.magen", at, "OTHER", &expected).await;
        }
        let expected = GEOMETRY.replace("Style", "Look");
        assert_renamed(
            client,
            "geometry.magen",
            place(GEOMETRY, "Style", 2),
            "Look",
            &[("geometry.magen", expected)],
        )
        .await;
        let expected = CANVAS.replace("Canvas", "Board");
        assert_renamed(
            client,
            "canvas.magen",
            place(CANVAS, "Canvas", 1),
            "Board",
            &[("canvas.magen", expected)],
        )
        .await;
    });
}

#[test]
fn what_has_no_name_keeps_it() {
    converse(&FILES, async |client| {
        client.open("canvas.magen", CANVAS);
        let point = place(CANVAS, "Point", 0);
        let prepared = client.server.prepare_rename(client.at("canvas.magen", point)).await.unwrap();
        let Some(PrepareRenameResponse::Range(range)) = prepared else { panic!("{prepared:?}") };
        assert_eq!(covered(CANVAS, range), "Point");
        for what in ["interface", "bool", "geometry", "pending_remote", "error"] {
            let at = place(CANVAS, what, 0);
            let prepared = client.server.prepare_rename(client.at("canvas.magen", at)).await.unwrap();
            assert_eq!(prepared, None, "{what}");
            let refused = client.rename("canvas.magen", at, "Other").await.unwrap_err();
            assert!(
                matches!(&refused, Error::Response(error) if error.code == ErrorCode::REQUEST_FAILED),
                "{refused}"
            );
        }
        let long = "a".repeat(61);
        for name in ["", "2nd", "_a", "a b", "a-b", "\u{e9}", "a.b", "a;}", &long] {
            let refused = client.rename("canvas.magen", point, name).await.unwrap_err();
            assert!(
                matches!(&refused, Error::Response(error) if error.code == ErrorCode::INVALID_PARAMS),
                "{name}"
            );
        }
    });
}

#[test]
fn what_could_be_written_is_offered() {
    converse(&FILES, async |client| {
        client.open("a.magen", "");
        for (text, offered, not_offered) in [
            ("$", &["interface", "struct", "import", "const"][..], &["int", "Point"][..]),
            ("struct A {}\nstr$", &["struct", "enum"], &["string"]),
            (
                "interface I { F($",
                &["int", "string", "array", "stream", "Own", "Point", "geometry.Point", "Style"],
                &["SIDES_MAX", "struct"],
            ),
            ("interface I { F(int a, Po$", &["Point", "pending_remote"], &[]),
            ("interface I { F() => ($", &["Point"], &[]),
            ("interface I { F() => () error $", &["string", "Style"], &[]),
            ("interface I { F(pending_remote<$", &["I", "Canvas"], &["Point", "int"]),
            ("interface I { F(array<$", &["Point", "int"], &["SIDES_MAX"]),
            ("interface I { F(string<$", &["SIDES_MAX", "geometry.SIDES_MAX"], &["int"]),
            ("interface I { F(array<int> max $", &["SIDES_MAX"], &["int"]),
            ("interface I { F(geometry.$", &["Point", "Shape"], &["Own", "int"]),
            ("interface I { F(geometry.Po$", &["Point"], &["Own", "int"]),
            ("struct S { $", &["int", "Point"], &["SIDES_MAX"]),
            ("struct S { int a; $", &["int", "Point"], &["SIDES_MAX"]),
            ("struct S { Style a = $", &["Style", "SIDES_MAX", "true"], &["Point"]),
            ("struct S { Style a = Style.$", &["OUTLINE", "FILLED"], &["Point"]),
            ("[$", &["Extensible", "MinVersion"], &["int"]),
            ("struct S { [Shared, $", &["MinVersion", "Rust"], &["int"]),
            ("struct S { [Shared] $", &["string", "bytes"], &["MinVersion"]),
            ("interface I { F(int a, [MinVersion=1, Sh$", &["Shared"], &["int"]),
            ("interface I { F(int a, [MinVersion=1, Shared] $", &["string", "bytes"], &["Shared"]),
            ("interface I { [MinVersion=1] $", &[], &["string", "Shared"]),
            ("const $", &["int", "string"], &["struct"]),
            ("struct $", &[], &["int", "struct", "Point"]),
            ("struct S { int $", &[], &["int", "Point"]),
            ("interface I { $", &[], &["int", "Point"]),
            ("enum E { A, $", &[], &["int"]),
            ("// $", &[], &["int", "struct"]),
            ("import \"$", &[], &["int", "struct"]),
        ] {
            let head = "import \"geometry.magen\"; import \"canvas.magen\"; struct Own { int a; }\n";
            let (text, at) = marked(&format!("{head}{text}"));
            client.change("a.magen", &text);
            let completions = client.completions("a.magen", at).await;
            for name in offered {
                assert!(completions.iter().any(|it| it == name), "{text}: no {name} in {completions:?}");
            }
            for name in not_offered {
                assert!(!completions.iter().any(|it| it == name), "{text}: {name} in {completions:?}");
            }
        }
    });
}

#[test]
fn a_file_is_laid_out() {
    converse(&[], async |client| {
        let text = "// \u{1f9d9}\r\ninterface  A{F( int a ) ;}";
        client.open("a.magen", text);
        let edits = client.format("a.magen").await.unwrap();
        let formatted = edited(text, &edits);
        assert_eq!(formatted, magen::format(text, "").unwrap());
        client.change("a.magen", &formatted);
        assert_eq!(client.format("a.magen").await, None);
        client.change("a.magen", "interface {");
        assert_eq!(client.format("a.magen").await, None, "too faulty");
    });
}

/// A request that does not exist.
enum Unknown {}

impl Request for Unknown {
    type Params = ();
    type Result = ();
    const METHOD: &'static str = "magen/unknown";
}

/// A request whose parameters make no sense.
enum Senseless {}

impl Request for Senseless {
    type Params = String;
    type Result = ();
    const METHOD: &'static str = "textDocument/hover";
}

#[test]
fn whatever_is_asked_is_answered() {
    converse(&[], async |client| {
        let text = "interface A { F(string \u{1f9d9}a); }\n";
        client.open("a.magen", text);
        let extremes = [0, 1, 24, 25, 26, 99, u32::MAX - 1, u32::MAX];
        for (line, character) in extremes.iter().flat_map(|line| extremes.map(|character| (*line, character)))
        {
            let at = Position::new(line, character);
            client.hover("a.magen", at).await;
            client.definition("a.magen", at).await;
            client.completions("a.magen", at).await;
            let _ = client.rename("a.magen", at, "B").await;
        }
        assert_eq!(client.hover("missing.magen", Position::new(0, 0)).await, None);
        assert_eq!(client.format("missing.magen").await, None);
        let refused = client.server.request::<Unknown>(()).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Response(error) if error.code == ErrorCode::METHOD_NOT_FOUND),
            "{refused}"
        );
        let refused = client.server.request::<Senseless>("x".to_owned()).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Response(error) if error.code == ErrorCode::INVALID_PARAMS),
            "{refused}"
        );
        // Of files that are not open.
        client.change("b.magen", "struct");
        client.close("b.magen");
        client.change("a.magen", "struct A {}");
        assert_eq!(client.told().await.1.len(), 1);
        assert_eq!(client.told().await.1.len(), 0);
    });
}

#[test]
fn a_file_of_any_size_and_depth_is_survived() {
    converse(&[], async |client| {
        client.open("a.magen", &format!("\n{}", "a".repeat(17 << 20)));
        let (name, faults) = client.told().await;
        assert_eq!(name, "a.magen");
        let place = Position::new(1, (16 << 20) - 1);
        assert_eq!(faults[0].range, Range::new(place, place), "{faults:?}");
        assert!(format!("{:?}", faults[0].code).contains("file-too-large"), "{faults:?}");
        assert_eq!(client.hover("a.magen", Position::new(0, 5)).await, None);
        let deep = format!("interface A {{ B({}int{} a); }}", "array<".repeat(10_000), ">".repeat(10_000));
        client.change("a.magen", &deep);
        assert_eq!(client.told_codes(1).await["a.magen"], ["type-too-deep"]);
        client.hover("a.magen", Position::new(0, 900)).await;
        client.completions("a.magen", Position::new(0, 900)).await;
    });
}

/// What the server does with these bytes.
fn fed(bytes: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_magen"));
    command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    child.wait_with_output().unwrap()
}

fn framed(text: &str) -> Vec<u8> {
    format!("Content-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
}

#[test]
fn an_editor_that_makes_no_sense_is_left() {
    for bytes in [
        &b""[..],
        b"\r\n",
        b"Content-Length: 5\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: -1\r\n\r\n{}",
        &framed("{}"),
        &framed("{]"),
        &framed("null"),
        &[0xff; 100],
        &framed(r#"{"jsonrpc":"2.0","method":"exit"}"#),
    ] {
        let output = fed(bytes);
        let shown = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(shown.starts_with("error: the editor "), "{shown}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_order_of_a_conversation_is_kept() {
    let messages = [
        r#"{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{}}"#,
        r#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":"two","method":"initialize","params":{"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":4,"result":null}"#,
        r#"{"jsonrpc":"2.0","id":5,"method":"shutdown"}"#,
        r#"{"jsonrpc":"2.0","id":6,"method":"shutdown"}"#,
        r#"{"jsonrpc":"2.0","method":"exit"}"#,
    ];
    let output = fed(&messages.map(framed).concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut answers = String::new();
    (&output.stdout[..]).read_to_string(&mut answers).unwrap();
    for (answer, expected) in answers.split("Content-Length: ").skip(1).zip([
        r#""id":1,"error":{"code":-32002"#,
        r#""id":"two","result":{"capabilities""#,
        r#""id":3,"error":{"code":-32601"#,
        r#""id":5,"result":null"#,
        r#""id":6,"error":{"code":-32600"#,
    ]) {
        assert!(answer.contains(expected), "{answer}");
    }
    assert_eq!(answers.matches("Content-Length: ").count(), 5, "{answers}");
}
