//! Builds of one interface that are of different age: they get along where the interface says so, and where they do not
//! the error names what differs.

use std::fs::File;

use futures::FutureExt;
use futures::future::join;
use mage::{
    BadMessage, CallError, Interface, MessagePipe, Node, RawMessage, Receiver, RecvError, Remote, Reply,
    SendErrorKind, Why,
};
use mage_tests::players::{player_new as new, player_old as old, player_other as other};
use mage_tests::{Stage, on_every_scheduler};

/// Of a message between two bound ends.
const HEADER_BYTES: usize = 32;

struct OldPlayer {
    heard: Vec<String>,
}

impl old::Player for OldPlayer {
    fn open(&mut self, url: String, options: old::Options, reply: Reply<old::Mode>) {
        self.heard.push(format!("{url} {}", options.title));
        let _ = reply.send(old::Mode::Slow);
    }

    fn watch(&mut self, event: old::Event, reply: Reply<bool>) {
        let _ = reply.send(!matches!(event, old::Event::Unknown(_)));
    }

    fn note(&mut self, text: String) {
        self.heard.push(text);
    }
}

struct NewPlayer {
    heard: Vec<String>,
    streams: Vec<MessagePipe>,
    node: Node,
}

impl new::Player for NewPlayer {
    fn open(
        &mut self,
        url: String,
        options: new::Options,
        volume: i32,
        log: Option<MessagePipe>,
        reply: Reply<new::PlayerOpenResponse>,
    ) {
        let new::Options { title, speed, files } = options;
        self.heard.push(format!("{url} {title} {speed} {} {volume} {}", files.len(), log.is_some()));
        let (kept, stream) = self.node.create_message_pipes();
        self.streams.push(kept);
        let _ = reply.send(new::PlayerOpenResponse {
            mode: new::Mode::Medium,
            why: "it is the middle".to_owned(),
            stream: Some(stream),
        });
    }

    fn watch(&mut self, _event: new::Event, reply: Reply<bool>) {
        let _ = reply.send(true);
    }

    fn note(&mut self, text: String) {
        self.heard.push(text);
    }

    fn seek(&mut self, range: new::Range, reply: Reply<i64>) {
        let _ = reply.send(range.from);
    }

    fn forget(&mut self, _text: String) {}
}

async fn a_new_caller_and_an_old_player(stage: Stage) {
    let ((node, ours), (_other, theirs)) = stage.linked().await;
    let mut player = OldPlayer { heard: Vec::new() };
    let served = Receiver::<dyn old::Player>::new(theirs).serve(&mut player);
    let talk = async {
        let remote = Remote::<dyn new::Player>::new(ours);
        let (log, log_theirs) = node.create_message_pipes();
        let null = File::open("/dev/null").expect("there is one").into();
        let options = new::Options { title: "t".to_owned(), files: vec![null], ..new::Options::default() };
        let answer = remote.open("url", options, 9, Some(log_theirs)).await.expect("it gets along");
        assert_eq!((answer.mode, answer.why.as_str()), (new::Mode::Slow, "unknown"));
        assert!(answer.stream.is_none());
        // What the player does not know is closed there.
        assert_eq!(log.recv().await.map(drop), Err(Why::Closed));

        let (kept, sent) = node.create_message_pipes();
        drop(kept);
        assert!(remote.watch(new::Event::Position(1)).await.expect("it is known"));
        assert!(!remote.watch(new::Event::Failed("f".to_owned())).await.expect("it is skipped"));
        assert!(!remote.watch(new::Event::Pipe(sent)).await.expect("it is skipped"));

        let range = new::Range { from: 1, to: 2 };
        let error = remote.seek(&range).await.expect_err("it is newer");
        assert_eq!(
            error.to_string(),
            "media.Player has Seek since version 1, and the other end is of version 0"
        );
        assert!(
            matches!(
                error,
                CallError::NoSuchMethod { interface: "media.Player", method: "Seek", since: 1, version: 0 }
            ),
            "{error:?}"
        );
        remote.forget("nobody knows how").expect("it is sent");
        remote.note("still there").expect("it is sent");

        assert_eq!(Remote::query_version(&remote).await.expect("it answers"), 0);
        Remote::require_version(&remote, 0).await.expect("it is as old");
        let error = Remote::require_version(&remote, 2).await.expect_err("it is older");
        assert!(
            matches!(error, CallError::OlderVersion { interface: "media.Player", required: 2, version: 0 }),
            "{error:?}"
        );
        assert_eq!(Remote::difference(&remote), None);
    };
    let (served, ()) = join(served, talk).await;
    served.expect("nothing was wrong");
    assert_eq!(player.heard, ["url t", "still there"]);
}

async fn an_old_caller_and_a_new_player(stage: Stage) {
    let ((_node, ours), (node, theirs)) = stage.linked().await;
    let mut player = NewPlayer { heard: Vec::new(), streams: Vec::new(), node };
    let served = Receiver::<dyn new::Player>::new(theirs).serve(&mut player);
    let talk = async {
        let remote = Remote::<dyn old::Player>::new(ours);
        let options = old::Options { title: "t".to_owned() };
        assert_eq!(remote.open("url", &options).await.expect("it gets along"), old::Mode::Unknown(7));
        assert!(remote.watch(&old::Event::Position(1)).await.expect("it is known"));
        // What was received from somebody newer stays here: its value is not known.
        let passed_on = remote.watch(&old::Event::Unknown(2)).await.map_err(|error| match error {
            CallError::NotSent(error) => error.kind(),
            other => panic!("{other}"),
        });
        assert_eq!(passed_on, Err(SendErrorKind::UnknownMember { number: 2 }));
        assert_eq!(Remote::query_version(&remote).await.expect("it answers"), 2);
        Remote::require_version(&remote, 2).await.expect("it is newer");
    };
    let (served, ()) = join(served, talk).await;
    served.expect("nothing was wrong");
    assert_eq!(player.heard, ["url t 1.5 0 5 false"]);
    let stream = player.streams.pop().expect("one was made");
    assert_eq!(stream.recv().await.map(drop), Err(Why::Closed), "the caller has no use for it");
}

/// Both have the same first version, and each an addition of its own in version 1.
async fn builds_that_went_apart(stage: Stage) {
    assert_eq!(<dyn new::Player>::FINGERPRINT, <dyn other::Player>::FINGERPRINT);
    for is_call in [true, false] {
        let ((_node, ours), (node, theirs)) = stage.linked().await;
        let mut player = NewPlayer { heard: Vec::new(), streams: Vec::new(), node };
        let served = Receiver::<dyn new::Player>::new(theirs).serve(&mut player);
        let talk = async {
            let remote = Remote::<dyn other::Player>::new(ours);
            let expected =
                "`media.Options`, `speed`: `float since version 1` here, `double since version 1` there";
            if is_call {
                let error = remote.seek(&other::Range { from: 1, to: 2 }).await.expect_err("it is refused");
                let CallError::OtherInterface { interface: "media.Player", difference } = error else {
                    panic!("{error:?}")
                };
                assert_eq!(difference.expect("it was told").to_string(), expected);
            } else {
                remote.note("into the dark").expect("it is sent");
            }
            assert_eq!(Remote::closed(&remote).await, Why::Rejected);
            let difference = Remote::difference(&remote).expect("it was told");
            assert_eq!(difference.to_string(), expected);
            assert_eq!(
                (difference.definition.as_str(), difference.field.as_deref()),
                ("media.Options", Some("speed"))
            );
        };
        let (served, ()) = join(served, talk).await;
        let bad = BadMessage::OtherVersion {
            interface: "media.Player",
            definition: "media.Options".to_owned(),
            version: 1,
        };
        assert_eq!(served.expect_err("it is another"), RecvError::BadMessage(bad));
        assert_eq!(player.heard.len(), 0, "nothing was decoded");
    }
}

/// What only a peer that means no good says of versions.
async fn answers_about_versions_of_garbage(stage: Stage) {
    /// What is made of the request, and what is said of that.
    type Row = (&'static str, fn(&mut Vec<u8>), fn(&CallError) -> bool);
    let refused = |bytes: &mut Vec<u8>, text: &[u8]| {
        bytes.truncate(HEADER_BYTES);
        bytes[..2].copy_from_slice(&(HEADER_BYTES as u16).to_le_bytes());
        bytes[2] = 11;
        bytes[8..16].fill(0);
        bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(text);
    };
    let answer = |bytes: &mut Vec<u8>, kind: u8, body: &[u8]| {
        bytes.truncate(HEADER_BYTES);
        bytes[..2].copy_from_slice(&(HEADER_BYTES as u16).to_le_bytes());
        bytes[2] = kind;
        bytes.extend_from_slice(body);
    };
    static REFUSED: [&[u8]; 5] =
        [b"", b"nonsense", b"interface", b"\xff\xff", b"extensible interface media.Player\nmethod 0 0"];
    for text in REFUSED {
        let error = call_and_answer(&stage, |bytes| refused(bytes, text)).await;
        assert!(
            matches!(error, CallError::OtherInterface { interface: "media.Player", difference: None }),
            "{text:?}: {error:?}"
        );
    }
    let endless = "method 0 1 A\n".repeat(1 << 15);
    let endless = format!("interface media.Player\n{endless}");
    let error = call_and_answer(&stage, |bytes| refused(bytes, endless.as_bytes())).await;
    assert!(matches!(error, CallError::OtherInterface { difference: None, .. }), "{error:?}");
    let rows: &[Row] = &[
        (
            "half a version",
            |bytes| bytes.extend([0, 0]),
            |error| matches!(error, CallError::BadMessage(BadMessage::Truncated)),
        ),
        (
            "a method that was never called",
            |bytes| {
                bytes[24..28].fill(9);
                bytes.extend([0; 4]);
            },
            |error| matches!(error, CallError::BadMessage(BadMessage::UnknownMethod { .. })),
        ),
    ];
    for (what, spoil, expected) in rows {
        let error = call_and_answer(&stage, |bytes| {
            answer(bytes, 8, &[]);
            spoil(bytes);
        });
        let error = error.await;
        assert!(expected(&error), "{what}: {error:?}");
    }
}

/// A method that is not known has no place among the open calls, and so it could be said under the number of one that has.
async fn an_unknown_method_under_a_number_that_is_taken(stage: Stage) {
    let node = stage.node();
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn new::Player>::new(ours);
    let _calls = (remote.watch(new::Event::Position(1)), remote.seek(&new::Range { from: 1, to: 2 }));
    let (evil, theirs_old) = node.create_message_pipes();
    for _ in 0..2 {
        let mut bytes = theirs.recv().await.expect("it arrives").bytes;
        bytes[8..16].copy_from_slice(&7_u64.to_le_bytes());
        evil.try_send(RawMessage { bytes, ..RawMessage::default() }).expect("there is room");
    }
    let mut receiver = Receiver::<dyn old::Player>::new(theirs_old);
    let Ok(Some(old::PlayerMessage::Watch { reply, .. })) = receiver.recv().await else { panic!("no call") };
    let next = receiver.recv().now_or_never().expect("it is here");
    assert_eq!(next.expect_err("it is bad"), RecvError::BadMessage(BadMessage::InvalidHeader));
    assert_eq!(reply.send(true).expect_err("the pipe is closed").kind(), SendErrorKind::Disconnected);
}

/// How a call ends whose request is made into an answer.
async fn call_and_answer(stage: &Stage, make: impl FnOnce(&mut Vec<u8>)) -> CallError {
    let (ours, theirs) = stage.node().create_message_pipes();
    let remote = Remote::<dyn new::Player>::new(ours);
    let call = remote.seek(&new::Range { from: 1, to: 2 });
    let mut bytes = theirs.recv().await.expect("it arrives").bytes;
    make(&mut bytes);
    theirs.try_send(RawMessage { bytes, ..RawMessage::default() }).expect("there is room");
    call.await.expect_err("that is no answer")
}

on_every_scheduler! {
    answers_about_versions_of_garbage
    a_new_caller_and_an_old_player
    an_old_caller_and_a_new_player
    builds_that_went_apart
    an_unknown_method_under_a_number_that_is_taken
}
