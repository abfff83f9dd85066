//! Sends everything a value can be and looks at what arrives; the argument of `include!` stands for the generated code.

use std::collections::BTreeMap;
use std::fs::File;

use mage::codegen::{Channel, Proxy, arrive_bytes};
use mage::{BadMessage, Dispatch, Interface, MessagePipe, PendingReceiver, PendingRemote, Reply, SendErrorKind};
use mage::{decode_bytes, encode_bytes};

include!(VALUES);

#[derive(Default)]
struct Handler {
    calls: Vec<String>,
}

impl Values for Handler {
    fn numbers(&mut self, a: i8, b: i16, c: i32, d: i64, e: u8, f: u16, g: u32, h: u64, i: f32) {
        self.calls.push(format!("{a} {b} {c} {d} {e} {f} {g} {h} {i}"));
    }

    fn data(&mut self, data: Vec<u8>, four: Vec<u8>, reply: Reply<Vec<u8>>) {
        reply.send([data, four].concat()).unwrap();
    }

    fn lists(&mut self, numbers: Vec<i32>, texts: Vec<String>, points: Vec<Point>, address: [u8; 4]) {
        self.calls.push(format!("{numbers:?} {texts:?} {} {address:?}", points.len()));
    }

    fn maps(&mut self, points: BTreeMap<String, Point>, values: BTreeMap<PixelFormat, Vec<i32>>) {
        self.calls.push(format!("{:?} {values:?}", points.keys()));
    }

    fn maybe(
        &mut self,
        number: Option<i32>,
        text: Option<String>,
        point: Option<Point>,
        list: Option<Vec<i32>>,
        pipe: Option<MessagePipe>,
        data: Option<Vec<u8>>,
        reply: Reply<ValuesMaybeResponse>,
    ) {
        self.calls.push(format!("{point:?} {list:?} {pipe:?} {data:?}"));
        reply.send(ValuesMaybeResponse { number, text }).unwrap();
    }

    fn structs(&mut self, settings: Settings, tree: Tree, shape: Shape, empty: Empty, reply: Reply<Settings>) {
        self.calls.push(format!("{tree:?} {shape:?} {empty:?}"));
        reply.send(settings).unwrap();
    }

    fn ends(
        &mut self,
        ends: Ends,
        resource: Resource,
        remote: Option<PendingRemote<dyn Values>>,
        reply: Reply<PendingReceiver<dyn Values>>,
    ) {
        self.calls.push(format!("{:?} {:?} {resource:?} {remote:?}", ends.pipe, ends.receivers));
        reply.send(PendingReceiver::new(ends.remote.0)).unwrap();
    }

    fn open(&mut self, path: String, reply: Reply<Result<std::os::fd::OwnedFd, FileError>>) {
        reply.send(if path == "/dev/nul" { Ok(File::open("/dev/null").unwrap().into()) } else { Err(FileError::NotFound) }).unwrap();
    }

    fn close(&mut self, reply: Reply<Result<(), String>>) {
        reply.send(Err("never open".to_owned())).unwrap();
    }

    fn bounded(&mut self, reply: Reply<ValuesBoundedResponse>) {
        let refused = reply.send(ValuesBoundedResponse { text: "12345".to_owned() }).unwrap_err();
        assert_eq!(refused.kind(), SendErrorKind::OutOfBounds { length: 5, length_max: 4 });
    }

    fn extended(&mut self, options: Options, event: Event, codec: Codec, reply: Reply<ValuesExtendedResponse>) {
        self.calls.push(format!("{codec:?}"));
        reply.send(ValuesExtendedResponse { options, event }).unwrap();
    }
}

fn tree(depth: usize) -> Tree {
    let children = if depth == 0 { vec![] } else { vec![tree(depth - 1)] };
    Tree { name: depth.to_string(), children, ..Tree::default() }
}

fn main() {
    what_is_sent_arrives();
    bounds_are_kept_on_both_sides();
    depth_is_limited_on_both_sides();
    newer_values_are_survived();
    hostile_bytes_are_survived();
    defaults_are_the_declared_ones();
}

fn what_is_sent_arrives() {
    let proxy = <dyn Values as Interface>::Proxy::new(Channel::default());
    proxy.numbers(-1, -2, -3, -4, 5, 6, 7, u64::MAX, 0.5).unwrap();
    let data = proxy.data(b"abc", b"wxyz");
    let points = [Point { x: 1, y: 2 }, Point::default()];
    proxy.lists(&[1, -1, i32::MAX], &["a".to_owned(), String::new()], &points, &[127, 0, 0, 1]).unwrap();
    let named = BTreeMap::from([("b".to_owned(), points[0].clone()), ("a".to_owned(), points[1].clone())]);
    proxy.maps(&named, &BTreeMap::from([(PixelFormat::Bgra, vec![1, 2])])).unwrap();
    let maybe = proxy.maybe(Some(3), Some("text"), None, Some(&[1]), Some(MessagePipe(4)), None);
    let settings = Settings { path: points.to_vec(), target: Some(points[0].clone()), counters: BTreeMap::from([("n".to_owned(), -1)]), ..Settings::default() };
    let shape = Shape::Group(vec![Shape::Text("t".to_owned()), Shape::Codec(Codec::Unknown(77)), Shape::Point(points[0].clone())]);
    let family = Tree { parent: Some(Box::new(tree(0))), shapes: BTreeMap::from([(1, shape.clone())]), ..tree(1) };
    let structs = proxy.structs(&settings, &family, &shape, &Empty {});
    let ends = Ends { pipe: None, file: File::open("/dev/null").unwrap().into(), remote: PendingRemote::new(MessagePipe(1)), receivers: vec![PendingReceiver::new(MessagePipe(2)), PendingReceiver::new(MessagePipe(3))] };
    let sent_ends = proxy.ends(ends, Resource::Pipe(MessagePipe(9)), None);
    let (opened, refused) = (proxy.open("/dev/nul"), proxy.open("x"));
    let closed = proxy.close();
    let options = Options { title: Some("t".to_owned()), ..Options::default() };
    let extended = proxy.extended(&options, &Event::Moved(points[0].clone()), Codec::Av1);

    let mut handler = Handler::default();
    for sent in proxy.into_channel().sent() {
        sent.arrive::<ValuesMessage>().unwrap().dispatch(&mut handler);
    }
    assert_eq!(data.take(), b"abcwxyz");
    let answer = maybe.take();
    assert_eq!((answer.number, answer.text.as_deref()), (Some(3), Some("text")));
    assert_eq!(structs.take(), settings);
    assert_eq!(sent_ends.take().0, MessagePipe(1));
    assert!(opened.take().is_ok());
    assert_eq!(refused.take().unwrap_err(), FileError::NotFound);
    assert_eq!(closed.take(), Err("never open".to_owned()));
    let answer = extended.take();
    assert_eq!((answer.options, answer.event), (options, Event::Moved(points[0].clone())));
    assert_eq!(handler.calls, [
        "-1 -2 -3 -4 5 6 7 18446744073709551615 0.5".to_owned(),
        r#"[1, -1, 2147483647] ["a", ""] 2 [127, 0, 0, 1]"#.to_owned(),
        r#"["a", "b"] {Bgra: [1, 2]}"#.to_owned(),
        "None Some([1]) Some(MessagePipe(4)) None".to_owned(),
        format!("{family:?} {shape:?} Empty"),
        "None [MessagePipe(2), MessagePipe(3)] Pipe(MessagePipe(9)) None".to_owned(),
        "Av1".to_owned(),
    ]);
}

fn bounds_are_kept_on_both_sides() {
    let proxy = <dyn Values as Interface>::Proxy::new(Channel::default());
    let refused = proxy.channel().notify(5, |writer| writer.put_as::<mage::codegen::Text<8>, _>("123456789"));
    let bounds = SendErrorKind::OutOfBounds { length: 9, length_max: 8 };
    assert_eq!(refused.unwrap_err().kind(), bounds);
    let long = Settings { tags: vec![String::new(); 5], ..Settings::default() };
    assert_eq!(encode_bytes(&long), Err(SendErrorKind::OutOfBounds { length: 5, length_max: 4 }));
    let mut bytes = encode_bytes(&Settings::default()).unwrap();
    assert_eq!(decode_bytes::<Settings>(&bytes), Ok(Settings::default()));
    // The length of `short_name`, behind a bool, a port and a text of seven letters.
    let length = 1 + 2 + 4 + 7;
    bytes[length] = 17;
    assert_eq!(decode_bytes::<Settings>(&bytes), Err(BadMessage::OutOfBounds { length: 17, length_max: 16 }));
    // A number of elements that cannot have arrived is refused before anything is reserved for it.
    assert_eq!(decode_bytes::<Vec<i64>>(&[255, 255, 255, 255, 0, 0]), Err(BadMessage::Truncated));
    assert_eq!(decode_bytes::<Vec<String>>(&[255, 255, 255, 127, 0, 0]), Err(BadMessage::Truncated));
    assert_eq!(decode_bytes::<BTreeMap<u8, u8>>(&[2, 0, 0, 0, 1, 0, 1, 0]), Err(BadMessage::InvalidValue));
    assert_eq!(decode_bytes::<PixelFormat>(&[9, 0, 0, 0]), Err(BadMessage::InvalidValue));
    assert_eq!(decode_bytes::<Option<u8>>(&[2, 0]), Err(BadMessage::InvalidValue));
    assert_eq!(decode_bytes::<String>(&[1, 0, 0, 0, 255]), Err(BadMessage::InvalidText));
    assert_eq!(decode_bytes::<u32>(&[1, 0, 0, 0, 0]), Err(BadMessage::TrailingData));
}

fn depth_is_limited_on_both_sides() {
    assert!(decode_bytes::<Tree>(&encode_bytes(&tree(63)).unwrap()).is_ok());
    assert_eq!(encode_bytes(&tree(64)), Err(SendErrorKind::TooDeep));
    // A tree of one child each, as no honest sender writes it.
    let level = [1, 0, 0, 0, b'x', 1, 0, 0, 0].repeat(100_000);
    assert_eq!(decode_bytes::<Tree>(&level), Err(BadMessage::TooDeep));
}

fn newer_values_are_survived() {
    // `Options` as its first version was, without what was added.
    let bytes = [5, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0];
    assert_eq!(decode_bytes::<Options>(&bytes), Ok(Options { volume: 9, title: None, speed: 7, label: None }));
    let bytes = [9, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 8, 0, 0, 0];
    assert_eq!(decode_bytes::<Options>(&bytes), Ok(Options { volume: 9, title: None, speed: 8, label: None }));
    // `Options` with a field more, and a member of `Event` that is not known here.
    let bytes = [12, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 6, 0, 0, 0, 0, 4, 5];
    assert_eq!(decode_bytes::<Options>(&bytes), Ok(Options { volume: 7, title: None, speed: 6, label: None }));
    let bytes = [9, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 2, 3];
    assert_eq!(decode_bytes::<Event>(&bytes), Ok(Event::Unknown(9)));
    assert_eq!(encode_bytes(&Event::Unknown(9)), Err(SendErrorKind::UnknownMember { number: 9 }));
    assert_eq!(decode_bytes::<Codec>(&[99, 0, 0, 0]), Ok(Codec::Unknown(99)));
    assert_eq!(Codec::Unknown(99).number(), 99);
    assert_eq!(Codec::from_number(10), Codec::Av1);
    // One that claims more than there is.
    assert_eq!(decode_bytes::<Options>(&[99, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0]), Err(BadMessage::Truncated));
    assert_eq!(decode_bytes::<Options>(&[5, 0, 0, 0, 1, 0, 7, 0, 0, 0, 0]), Err(BadMessage::MissingAttachment));
}

fn hostile_bytes_are_survived() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..200_000 {
        let method = (next() % 14) as u32;
        // Small numbers make lengths and kinds that lead further.
        let bytes: Vec<u8> = (0..next() % 80).map(|_| if next() % 4 > 0 { (next() % 3) as u8 } else { next() as u8 }).collect();
        let _ = arrive_bytes::<ValuesMessage>(method, &bytes, (next() % 3) as u8);
    }
}

fn defaults_are_the_declared_ones() {
    let settings = Settings::default();
    assert!(settings.on && settings.port == 8080 && settings.name == "default" && settings.scale == 1.5);
    assert_eq!((settings.format, settings.origin.y, settings.tags.len()), (PixelFormat::Bgra, -3, 0));
    assert_eq!((ENTRIES_MAX, LARGE, GREETING, HALF, ON), (1000, 0xffff_ffff_ffff, "hello", 0.5, true));
}
