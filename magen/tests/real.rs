//! Generated code and the crate it is generated for, together: what is sent over a real pipe arrives.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use futures::future::join;
use mage::event_loop::EventLoop;
use mage::{CallError, MessagePipe, Node, PendingReceiver, PendingRemote, Remote, Reply, SendErrorKind};

use values::{
    Codec, Empty, Ends, Event, FileError, Options, PixelFormat, Point, Resource, Settings, Shape, Tree,
    Values, ValuesBoundedResponse, ValuesExtendedResponse, ValuesMaybeResponse,
};

mod values {
    include!("golden/values.rs");
}

struct Handler {
    node: Node,
    calls: Vec<String>,
    /// The other ends of what was sent.
    kept: Vec<MessagePipe>,
}

impl Values for Handler {
    fn numbers(&mut self, a: i8, b: i16, c: i32, d: i64, e: u8, f: u16, g: u32, h: u64, i: f32) {
        self.calls.push(format!("{a} {b} {c} {d} {e} {f} {g} {h} {i}"));
    }

    fn data(&mut self, data: Vec<u8>, four: Vec<u8>, reply: Reply<Vec<u8>>) {
        let _ = reply.send([data, four].concat());
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
        _point: Option<Point>,
        _list: Option<Vec<i32>>,
        _pipe: Option<MessagePipe>,
        _data: Option<Vec<u8>>,
        reply: Reply<ValuesMaybeResponse>,
    ) {
        let _ = reply.send(ValuesMaybeResponse { number, text });
    }

    fn structs(&mut self, settings: Settings, _: Tree, _: Shape, _: Empty, reply: Reply<Settings>) {
        let _ = reply.send(settings);
    }

    fn ends(
        &mut self,
        mut ends: Ends,
        resource: Resource,
        remote: Option<PendingRemote<dyn Values>>,
        reply: Reply<PendingReceiver<dyn Values>>,
    ) {
        let mut text = String::new();
        File::from(ends.file).read_to_string(&mut text).unwrap();
        self.calls.push(format!("{text} {} {}", ends.receivers.len(), remote.is_some()));
        let Resource::Pipe(pipe) = resource else { panic!("not a pipe: {resource:?}") };
        self.kept.extend([pipe, ends.remote.into_pipe()]);
        self.kept.extend(ends.receivers.pop().map(PendingReceiver::into_pipe));
        let (remote, receiver) = PendingRemote::create(&self.node);
        self.kept.push(remote.into_pipe());
        let _ = reply.send(receiver);
    }

    fn open(&mut self, path: String, reply: Reply<Result<OwnedFd, FileError>>) {
        let opened = File::open(path).map(OwnedFd::from).map_err(|_| FileError::NotFound);
        let _ = reply.send(opened);
    }

    fn close(&mut self, reply: Reply<Result<(), String>>) {
        let _ = reply.send(Err("never open".to_owned()));
    }

    fn bounded(&mut self, reply: Reply<ValuesBoundedResponse>) {
        let error = reply.send(ValuesBoundedResponse { text: "12345".to_owned() }).unwrap_err();
        assert_eq!(error.kind(), SendErrorKind::OutOfBounds { length: 5, length_max: 4 });
    }

    fn extended(
        &mut self,
        options: Options,
        event: Event,
        codec: Codec,
        reply: Reply<ValuesExtendedResponse>,
    ) {
        self.calls.push(format!("{codec:?}"));
        let _ = reply.send(ValuesExtendedResponse { options, event });
    }
}

async fn talk(node: Node, values: Remote<dyn Values>) {
    values.numbers(-1, -2, -3, -4, 5, 6, 7, u64::MAX, 0.5).unwrap();
    let megabyte = vec![7; 1 << 20];
    assert_eq!(values.data(&megabyte, b"wxyz").await.unwrap().len(), (1 << 20) + 4);
    let refused = values.data(b"", b"vwxyz").await.unwrap_err();
    let CallError::NotSent(refused) = refused else { panic!("it was sent: {refused}") };
    assert_eq!(refused.kind(), SendErrorKind::OutOfBounds { length: 5, length_max: 4 });
    let points = [Point { x: 1, y: 2 }];
    values.lists(&[1, -1], &["a".to_owned()], &points, &[127, 0, 0, 1]).unwrap();
    let named = BTreeMap::from([("a".to_owned(), points[0].clone())]);
    values.maps(&named, &BTreeMap::from([(PixelFormat::Bgra, vec![1])])).unwrap();
    let answer = values.maybe(Some(3), Some("text"), None, Some(&[1]), None, None).await.unwrap();
    assert_eq!((answer.number, answer.text.as_deref()), (Some(3), Some("text")));
    let settings = Settings { path: points.to_vec(), ..Settings::default() };
    let tree = Tree { parent: Some(Box::default()), ..Tree::default() };
    let answer = values.structs(&settings, &tree, &Shape::Codec(Codec::Av1), &Empty {}).await;
    assert_eq!(answer.unwrap(), settings);

    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"through a handle").unwrap();
    drop(writer);
    let (remote, receiver) = PendingRemote::<dyn Values>::create(&node);
    let (pipe, _kept) = node.create_message_pipes();
    let ends = Ends { pipe: None, file: reader.into(), remote, receivers: vec![receiver] };
    assert!(values.ends(ends, Resource::Pipe(pipe), None).await.is_ok());

    assert!(values.open("/null").await.unwrap().is_err());
    assert_eq!(values.close().await.unwrap(), Err("never open".to_owned()));
    assert!(matches!(values.bounded().await, Err(CallError::NoReply)), "what cannot be sent is no answer");
    let options = Options { title: Some("t".to_owned()), ..Options::default() };
    let event = Event::Moved(Point { x: 1, y: 2 });
    let answer = values.extended(&options, &event, Codec::Unknown(77)).await.unwrap();
    assert_eq!((answer.options, answer.event), (options, event));
}

#[test]
fn every_value_travels_over_a_real_pipe() {
    let mut event_loop = EventLoop::new().unwrap();
    let node = Node::new(event_loop.scheduler());
    let (remote, receiver) = PendingRemote::<dyn Values>::create(&node);
    let mut handler = Handler { node: node.clone(), calls: Vec::new(), kept: Vec::new() };
    let served = receiver.bind().serve(&mut handler);
    let (served, ()) = event_loop.run_until(join(served, talk(node, remote.bind())));
    served.unwrap();
    assert_eq!(
        handler.calls,
        [
            "-1 -2 -3 -4 5 6 7 18446744073709551615 0.5",
            r#"[1, -1] ["a"] 1 [127, 0, 0, 1]"#,
            r#"["a"] {Bgra: [1]}"#,
            "through a handle 1 false",
            "Unknown(77)",
        ]
    );
    assert_eq!(handler.kept.len(), 4);
}
