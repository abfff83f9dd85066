//! Texts and bytes that are slices of the message they came in: they arrive as all others do, wherever they stand.

use std::collections::BTreeMap;

use futures::future::{join, join3};
use futures::{SinkExt, StreamExt};
use mage::testing::pair;
use mage::{
    BadMessage, Bytes, CallError, MessagePipe, Receiver, RecvError, Remote, SendErrorKind, StreamError,
    stream,
};
use mage_tests::asked_for::{Drawer, DrawerFindResponse, DrawerMessage, DrawerMock, Slip, fuzz_drawer};
use mage_tests::random::Random;
use mage_tests::{Label, Stage, next, on_every_scheduler};

on_every_scheduler! {
    what_is_sent_arrives
    answers_are_slices_too
    a_stream_of_slices
    what_is_wrong_does_not_arrive
}

/// A slip with texts and bytes of this length, and another within.
fn slip(length: usize) -> Slip {
    let parts = ["", "a", "b"].map(|name| (name.into(), vec![7; length].into()));
    let inner = Slip { title: "own".repeat(length), ..Slip::default() };
    Slip { title: "x".repeat(length), text: "slice".into(), parts: parts.into(), more: vec![inner] }
}

/// A pipe within a node, and one between two.
async fn pipes(stage: &Stage) -> ([(MessagePipe, MessagePipe); 2], [mage::Node; 3]) {
    let node = stage.node();
    let ((first, near), (second, far)) = stage.linked().await;
    ([node.create_message_pipes(), (near, far)], [node, first, second])
}

async fn what_is_sent_arrives(stage: Stage) {
    let (pipes, _nodes) = pipes(&stage).await;
    for (near, far) in pipes {
        let (drawer, mut receiver) = (Remote::<dyn Drawer>::new(near), Receiver::<dyn Drawer>::new(far));
        let mut kept = Vec::new();
        for length in [0, 1, 300, 64 << 10] {
            let sent = [vec![1; length].into(), Bytes::from_static(b"2")];
            let sent_small = (length > 0).then_some(&b"small"[..]);
            // The key may be most of the message, and before everything that is a slice of it.
            for sent_key in ["", &"key".repeat(length * 3)] {
                drawer.put(sent_key, &slip(length), &sent, sent_small).expect("there is room");
                match next(&mut receiver).await {
                    DrawerMessage::Put { key, slip: came, pair, small } => {
                        assert_eq!((key.as_str(), &came, &pair), (sent_key, &slip(length), &sent));
                        assert_eq!(small.as_deref(), sent_small);
                        kept.push((came.text, pair));
                    }
                    other => panic!("not what was sent: {other:?}"),
                }
            }
        }
        // They outlive their messages, and the pipe.
        drop((drawer, receiver));
        let lengths: Vec<usize> = kept.iter().map(|(_, [first, _])| first.len()).collect();
        assert_eq!(lengths, [0, 0, 1, 1, 300, 300, 64 << 10, 64 << 10]);
        assert!(kept.iter().all(|(text, [_, second])| text == "slice" && *second == b"2"[..]));
    }
}

async fn answers_are_slices_too(stage: Stage) {
    let (pipes, _nodes) = pipes(&stage).await;
    for (near, far) in pipes {
        let mut mock = DrawerMock::default();
        mock.find.always(|(among, reply)| {
            let longest = among.into_values().map(|slip| slip.text).max_by_key(|text| text.len());
            let _ = reply.send(DrawerFindResponse { label: Label(longest.unwrap_or_default()) });
        });
        let test = async move {
            let drawer = Remote::<dyn Drawer>::new(near);
            let long = Slip { text: "longest of all".into(), ..slip(9) };
            let among = BTreeMap::from([("a".repeat(1000), slip(1)), ("b".to_owned(), long)]);
            let found = drawer.find(&among).await.expect("it answers");
            assert_eq!(found.label, Label("longest of all".into()));
            // A type of the program's is made of the slice, or is not.
            let refused = drawer.find(&BTreeMap::new()).await.expect_err("nothing is written there");
            let bad = BadMessage::NotConverted { field: "label", why: "nothing is written there".to_owned() };
            assert!(matches!(&refused, CallError::BadMessage(found) if *found == bad), "{refused:?}");
        };
        let (served, ()) = join(Receiver::<dyn Drawer>::new(far).serve(&mut mock), test).await;
        assert!(served.is_err() && mock.is_satisfied());
    }
}

async fn a_stream_of_slices(stage: Stage) {
    let ((ours, near), (_theirs, far)) = stage.linked().await;
    let (mut sender, pages) = stream(&ours);
    let (drawer, mut receiver) = (Remote::<dyn Drawer>::new(near), Receiver::<dyn Drawer>::new(far));
    let answer = drawer.read(pages);
    let write = async move {
        for length in [0, 1, 64 << 10] {
            SinkExt::send(&mut sender, Bytes::from(vec![7; length])).await.expect("it is read");
        }
        sender.fail("no more paper".into()).await.expect("it is read");
    };
    let read = async {
        let DrawerMessage::Read { mut pages, reply } = next(&mut receiver).await else {
            panic!("not what was sent");
        };
        let mut lengths = Vec::new();
        let failed = loop {
            match pages.next().await.expect("it has not ended") {
                Ok(page) => lengths.push(page.len()),
                Err(error) => break error,
            }
        };
        assert_eq!(lengths, [0, 1, 64 << 10]);
        assert!(matches!(failed, StreamError::Failed(why) if why == "no more paper"));
        reply.send(Ok(vec![slip(3)])).expect("there is room");
    };
    let ((), (), answer) = join3(write, read, answer).await;
    assert_eq!(answer.expect("it answers"), Ok(vec![slip(3)]));
}

async fn what_is_wrong_does_not_arrive(stage: Stage) {
    let (near, _far) = stage.node().create_message_pipes();
    let long = Remote::<dyn Drawer>::new(near)
        .put("", &Slip::default(), &Default::default(), Some(b"123456789"))
        .expect_err("it is too long");
    assert_eq!(long.kind(), SendErrorKind::OutOfBounds { length: 9, length_max: 8 });
    let (near, far) = stage.node().create_message_pipes();
    Remote::<dyn Drawer>::new(near).put("", &slip(1), &Default::default(), None).expect("there is room");
    let sent = far.recv().await.expect("it arrives").bytes;
    let text = sent.windows(5).position(|bytes| bytes == b"slice").expect("it is in there");
    for (place, byte, expected) in [
        (text, 0xff, BadMessage::InvalidText),
        (text - 4, 17, BadMessage::OutOfBounds { length: 17, length_max: 16 }),
    ] {
        let mut bytes = sent.clone();
        bytes[place] = byte;
        let (near, far) = stage.node().create_message_pipes();
        near.try_send(mage::RawMessage { bytes, ..mage::RawMessage::default() }).expect("there is room");
        let refused = Receiver::<dyn Drawer>::new(far).recv().await.expect_err("it is wrong");
        assert_eq!(refused, RecvError::BadMessage(expected));
    }
}

/// Messages with a few wrong bytes, and bytes that never were a message.
#[test]
fn nothing_that_a_fuzzer_finds_is_more_than_an_error() {
    let (drawer, receiver) = pair::<dyn Drawer>();
    drawer
        .put("key", &slip(3), &[Bytes::from_static(b"1"), Bytes::new()], Some(b"x"))
        .expect("there is room");
    let message = futures::executor::block_on(receiver.into_pipe().recv()).expect("it arrives");
    let key = message.bytes.windows(7).position(|bytes| bytes == b"\x03\0\0\0key").expect("it is in there");
    let arguments = &message.bytes[key..];
    let mut mock = DrawerMock::default();
    mock.put.always(|_| {});
    mock.find.always(|_| {});
    mock.read.always(|_| {});
    let mut random = Random::new(1);
    let mut below = |end: usize| random.below(end as u64) as usize;
    for round in 0..5000 {
        let mut bytes = arguments.to_vec();
        for _ in 0..round % 4 {
            let place = below(bytes.len());
            bytes[place] = below(if round % 8 < 4 { 5 } else { 256 }) as u8;
        }
        if round % 5 == 0 {
            bytes.truncate(below(bytes.len()));
        }
        let length = u16::try_from(bytes.len()).expect("short").to_le_bytes();
        fuzz_drawer(&[&[round as u8 % 3, 0][..], &length, &bytes].concat(), &mut mock);
    }
    assert!(mock.put.calls() > 500, "{} of them were right", mock.put.calls());
}
