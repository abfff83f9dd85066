//! `magen decode`, on messages that were captured between real ends: by a pipe in the middle, whose keeper passes on what
//! it has looked at.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use mage::event_loop::EventLoop;
use mage::{MessagePipe, Node, RawMessage, Receiver, Remote};
use tempfile::TempDir;

use values::{
    Codec, Empty, Event, FileError, Options, PixelFormat, Point, Settings, Shape, Tree, Values, ValuesMessage,
};

#[allow(dead_code, clippy::allow_attributes, reason = "not all of it is sent here")]
mod values {
    include!("../../magen/tests/golden/values.rs");
}

/// Both ends of an interface, and a pipe of its own for each, whose other ends are held here.
struct Tap {
    event_loop: EventLoop,
    remote: Remote<dyn Values>,
    receiver: Receiver<dyn Values>,
    at_remote: MessagePipe,
    at_receiver: MessagePipe,
    workshop: TempDir,
}

impl Tap {
    fn new() -> Self {
        let event_loop = EventLoop::new().unwrap();
        let node = Node::new(event_loop.scheduler());
        let (remote, at_remote) = node.create_message_pipes();
        let (receiver, at_receiver) = node.create_message_pipes();
        let workshop = tempfile::tempdir().unwrap();
        let (remote, receiver) = (Remote::new(remote), Receiver::new(receiver));
        Self { event_loop, remote, receiver, at_remote, at_receiver, workshop }
    }

    /// What the remote has sent, which is passed on.
    fn request(&mut self) -> Capture {
        let message = self.event_loop.run_until(self.at_remote.recv()).unwrap();
        let capture = Capture::new(&message);
        self.at_receiver.try_send(message).unwrap();
        capture
    }

    /// What the receiver has answered.
    fn answer(&mut self) -> Capture {
        let message = self.event_loop.run_until(self.at_receiver.recv()).unwrap();
        Capture::new(&message)
    }

    fn arrived(&mut self) -> ValuesMessage {
        self.event_loop.run_until(self.receiver.recv()).unwrap().expect("a message")
    }

    fn decode(&self, capture: &Capture) -> Output {
        let path = self.workshop.path().join("message");
        fs::write(&path, &capture.bytes).unwrap();
        let (pipes, handles) = (capture.pipes.to_string(), capture.handles.to_string());
        magen(&["decode", "--pipes", &pipes, "--handles", &handles, &schema(), path.to_str().unwrap()])
    }

    #[track_caller]
    fn assert_shown(&self, capture: &Capture, expected: &str) {
        let output = self.decode(capture);
        assert_eq!((text(&output.stdout), text(&output.stderr)), (expected, ""));
        assert_eq!(output.status.code(), Some(0));
    }

    #[track_caller]
    fn assert_refused(&self, capture: &Capture, expected: &str) {
        let output = self.decode(capture);
        assert_eq!((text(&output.stdout), text(&output.stderr)), ("", expected));
        assert_eq!(output.status.code(), Some(1));
    }
}

#[derive(Clone)]
struct Capture {
    bytes: Vec<u8>,
    pipes: usize,
    handles: usize,
}

impl Capture {
    fn new(message: &RawMessage) -> Self {
        let (pipes, handles) = (message.pipes.len(), message.handles.len());
        let mut bytes = message.bytes.clone();
        // How requests are numbered is the business of the bindings.
        if bytes[8..16] != [0; 8] {
            bytes[8..16].copy_from_slice(&7_u64.to_le_bytes());
        }
        Self { bytes, pipes, handles }
    }

    fn with_byte(&self, place: usize, byte: u8) -> Self {
        let mut capture = self.clone();
        capture.bytes[place] = byte;
        capture
    }
}

fn schema() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../magen/tests/golden/values.magen").display().to_string()
}

fn magen(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_magen")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn a_message_is_shown_with_its_names() {
    let mut tap = Tap::new();
    tap.remote.numbers(-1, -2, -3, -4, 5, 6, 7, u64::MAX, 0.5).unwrap();
    let request = tap.request();
    let expected = "\
Values.Numbers, message without an answer
  a: -1
  b: -2
  c: -3
  d: -4
  e: 5
  f: 6
  g: 7
  h: 18446744073709551615
  i: 0.5
";
    tap.assert_shown(&request, expected);
    let hexadecimal: Vec<String> = request.bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let hexadecimal = Capture { bytes: hexadecimal.join(" ").into_bytes(), ..request };
    tap.assert_shown(&hexadecimal, expected);
}

#[test]
fn nested_values_are_shown_one_below_the_other() {
    let mut tap = Tap::new();
    let settings = Settings {
        name: "\u{1b}[31m\"".to_owned(),
        path: vec![Point { x: 1, y: 2 }; 9],
        target: Some(Point::default()),
        counters: BTreeMap::from([("n".to_owned(), -1)]),
        format: PixelFormat::None,
        ..Settings::default()
    };
    let tree = Tree {
        name: "t".to_owned(),
        shapes: BTreeMap::from([(1, Shape::Codec(Codec::Unknown(77)))]),
        ..Tree::default()
    };
    let shape = Shape::Group(vec![Shape::Text("a".repeat(100)), Shape::Point(Point::default())]);
    let _call = tap.remote.structs(&settings, &tree, &shape, &Empty {});
    let request = tap.request();
    tap.assert_shown(
        &request,
        &format!(
            "\
Values.Structs, request 7
  settings: {{
    on: true
    port: 8080
    name: \"\\u{{1b}}[31m\\\"\"
    short_name: \"\"
    scale: 1.5
    format: NONE
    origin: {{ x: 0, y: -3 }}
    target: {{ x: 0, y: -3 }}
    path: [
      0: {{ x: 1, y: 2 }}
      1: {{ x: 1, y: 2 }}
      2: {{ x: 1, y: 2 }}
      3: {{ x: 1, y: 2 }}
      4: {{ x: 1, y: 2 }}
      5: {{ x: 1, y: 2 }}
      6: {{ x: 1, y: 2 }}
      7: {{ x: 1, y: 2 }}
      8: {{ x: 1, y: 2 }}
    ]
    colour: [0, 0, 0]
    counters: {{\"n\": -1}}
    tags: []
    icon: \"\"
  }}
  tree: {{ name: \"t\", children: [], parent: absent, shapes: {{1: codec(unknown value 77)}} }}
  shape: group = [
    0: text(\"{}\")
    1: point({{ x: 0, y: -3 }})
  ]
  empty: {{}}
",
            "a".repeat(100)
        ),
    );
}

#[test]
fn answers_and_errors_are_shown() {
    let mut tap = Tap::new();
    let (opened, refused) = (tap.remote.open("/dev"), tap.remote.open("x"));
    for (path, answer) in
        [("/dev", Ok(File::open("/dev/null").unwrap().into())), ("x", Err(FileError::NotFound))]
    {
        let request = tap.request();
        assert!(text(&tap.decode(&request).stdout).contains(&format!("  path: {path:?}\n")));
        let ValuesMessage::Open { reply, .. } = tap.arrived() else { panic!("another message") };
        reply.send(answer).unwrap();
    }
    let answer = tap.answer();
    assert_eq!(answer.handles, 1);
    tap.assert_shown(&answer, "Values.Open, answer 7\n  file: handle 0\n");
    let without = Capture { handles: 0, ..answer };
    let shown = text(&tap.decode(&without).stderr).to_owned();
    assert!(
        shown.contains("error: `file`: a pipe or a handle is missing, at byte 33 of the message"),
        "{shown}"
    );
    let answer = tap.answer();
    tap.assert_shown(&answer, "Values.Open, answer 7\n  error: NOT_FOUND\n");

    let call = tap.remote.close();
    tap.request();
    let ValuesMessage::Close { reply } = tap.arrived() else { panic!("another message") };
    drop(reply);
    let answer = tap.answer();
    tap.assert_shown(&answer, "Values, refusal to answer 7\n");
    drop((opened, refused, call));
}

#[test]
fn what_is_malformed_is_named_with_its_place() {
    let mut tap = Tap::new();
    // The header of the first message may be longer.
    let _first = tap.remote.close();
    tap.request();
    let options = Options { title: Some("title".to_owned()), ..Options::default() };
    let _call = tap.remote.extended(&options, &Event::Moved(Point { x: 1, y: 2 }), Codec::Av1);
    let request = tap.request();
    let title = "Values.Extended, request 7\n";
    let broken = request.with_byte(32 + 6 + 4 + 1 + 4 + 2, 0xff);
    tap.assert_refused(
        &broken,
        &format!(
            "{title}error: `options.title`: the text is not UTF-8, at byte 47 of the message
      16 | {}| {}
      32 | 13 00 00 00 00 00 05 00 00 00 01 05 00 00 00 74 | ...............t
         |                                              ^^
",
            dumped(&broken, 16),
            broken.bytes[16..32].iter().map(shown).collect::<String>()
        ),
    );
    let cut = Capture { bytes: request.bytes[..50].to_vec(), ..request.clone() };
    let shown = text(&tap.decode(&cut).stderr).to_owned();
    assert!(
        shown.starts_with(&format!("{title}error: `options`: the message ends here, at byte ")),
        "{shown}"
    );
    let longer = Capture { bytes: [&request.bytes[..], b"!"].concat(), ..request.clone() };
    let shown = text(&tap.decode(&longer).stderr).to_owned();
    assert!(shown.contains("error: something is left over behind the last value, at byte "), "{shown}");

    for (place, byte, message) in [
        (2, 7, "error: no message is of kind 7, at byte 2 "),
        (2, 0, "error: the number 7 is not that of a message without an answer, at byte 8 "),
        (3, 1, "error: the flags 0x01 mean nothing, at byte 3 "),
        (0, 31, "error: the header says that it has 31 bytes, at byte 0 "),
        (4, 1, "error: it is for another interface of the same pipe, and there is none, at byte 4 "),
        (16, request.bytes[16] ^ 1, "error: no interface has the fingerprint 0x"),
        (24, 99, "error: `Values` has no method with the ordinal 99, at byte 24 "),
    ] {
        let shown = text(&tap.decode(&request.with_byte(place, byte)).stderr).to_owned();
        assert!(shown.starts_with(message), "{shown}");
    }
    let short = Capture { bytes: request.bytes[..31].to_vec(), ..request };
    let shown = text(&tap.decode(&short).stderr).to_owned();
    assert!(shown.starts_with("error: a header has 32 bytes, and the message 31, at byte 31 "), "{shown}");
}

/// A byte as a letter, in a dump.
fn shown(byte: &u8) -> char {
    if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' }
}

/// The bytes of one line of a dump.
fn dumped(capture: &Capture, from: usize) -> String {
    capture.bytes[from..from + 16].iter().map(|byte| format!("{byte:02x} ")).collect()
}

#[test]
fn what_ends_say_of_versions_is_shown() {
    let mut tap = Tap::new();
    let _call = tap.remote.close();
    let request = tap.request();
    for (kind, body, shown) in [
        (8, &[3, 0, 0, 0][..], "Values.Close, answer that it is newer 7\n  version: 3\n"),
        (4, &[], "Values, withdrawal of the request 7\n"),
        (9, &[], "Values, question for the version 7\n"),
        (10, &[2, 0, 0, 0], "Values, answer with the version 7\n  version: 2\n"),
        (
            11,
            b"\x0e\0\0\0interface Old\n",
            "Values, refusal of another interface\n  description: \"interface Old\\n\"\n",
        ),
    ] {
        let length = usize::from(u16::from_le_bytes([request.bytes[0], request.bytes[1]]));
        let mut bytes = request.bytes[..length].to_vec();
        bytes[2] = kind;
        if kind == 11 {
            bytes[8..16].fill(0);
        }
        bytes.extend(body);
        tap.assert_shown(&Capture { bytes, ..request }, shown);
    }
    let short = Capture { bytes: [&request.with_byte(2, 10).bytes[..], &[0]].concat(), ..request };
    let shown = text(&tap.decode(&short).stderr).to_owned();
    assert!(shown.contains("error: the message ends here, at byte "), "{shown}");
}

#[test]
fn everything_on_a_link_is_shown() {
    let mut tap = Tap::new();
    let _call = tap.remote.close();
    let request = tap.request();
    // A frame as in docs/WIRE.md, with that message.
    let length = 0x25 + u32::try_from(request.bytes.len()).unwrap();
    let mut stream = [&length.to_le_bytes()[..], &[0x20, 1, 0, 0]].concat();
    stream.extend([0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    stream.extend(&request.bytes);
    let other = [26, 0, 0, 0, 0x24, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0, 0];
    stream.extend(other);
    stream.extend(&other[..7]);
    let path = tap.workshop.path().join("link");
    fs::write(&path, &stream).unwrap();
    let output = magen(&["decode", "--link", &schema(), path.to_str().unwrap()]);
    assert_eq!(text(&output.stdout), "Values.Close, request 7\n");
    let place = stream.len() - 7;
    let expected = format!(
        "warning: no whole frame begins at byte {place} of {}\nnote: 1 frames without a message\n",
        stream.len()
    );
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for (arguments, message) in [
        (&["decode"][..], "error: `magen decode` needs a file with interfaces and one with a message\n"),
        (
            &["decode", "a", "b", "c"],
            "error: `magen decode` needs a file with interfaces and one with a message\n",
        ),
        (&["decode", "--link", "--pipes", "1", "a", "b"], "error: frames say how many attachments they have"),
        (&["decode", "--pipes", "x", "a", "b"], "error: cannot parse"),
    ] {
        let output = magen(arguments);
        assert!(text(&output.stderr).starts_with(message), "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(2));
    }
    let output = magen(&["decode", "--interface", "Value", &schema(), &schema()]);
    assert_eq!(text(&output.stderr), "error: there is no interface `Value`, but `Values`, `Player`\n");
    let output = magen(&["decode", "missing.magen", &schema()]);
    assert!(text(&output.stderr).starts_with("error: cannot read `missing.magen`: "));
}
