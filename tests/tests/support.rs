//! What users get for their own tests: mocks, recorders, pairs in memory, and food for fuzzers.

use futures::future::join;
use mage::testing::{Recorder, pair};
use mage::{CallError, RecvError, Reply};
use mage_tests::asked_for::{OpenError, Player, PlayerMock, PlayerPositionResponse, fuzz_player};
use mage_tests::random::Random;
use mage_tests::{Stage, on_every_scheduler};

on_every_scheduler! {
    a_mock_answers_as_it_is_told
    what_a_mock_does_not_expect_is_an_error
    a_recorder_writes_down_and_passes_on
}

async fn a_mock_answers_as_it_is_told(_stage: Stage) {
    let (player, receiver) = pair::<dyn Player>();
    let mut mock = PlayerMock::default();
    mock.open.once(|(url, observer, reply)| {
        assert_eq!((url.as_str(), observer.is_some()), ("a", false));
        let _ = reply.send(Ok(7));
    });
    mock.open.always(|(_, _, reply)| {
        let _ = reply.send(Err(OpenError::Denied));
    });
    mock.stop.always(|()| {});
    mock.position.once(|(reply,)| drop(reply));
    assert!(!mock.is_satisfied());
    let test = async move {
        assert_eq!(player.open("a", None).await.expect("it answers"), Ok(7));
        assert_eq!(player.open("b", None).await.expect("it answers"), Err(OpenError::Denied));
        player.stop().expect("there is room");
        assert!(matches!(player.position().await, Err(CallError::NoReply)));
    };
    let (served, ()) = join(receiver.serve(&mut mock), test).await;
    served.expect("the test closes its end");
    assert!(mock.is_satisfied());
    assert_eq!([mock.open.calls(), mock.stop.calls(), mock.seek.calls()], [2, 1, 0]);
}

async fn what_a_mock_does_not_expect_is_an_error(_stage: Stage) {
    let (player, receiver) = pair::<dyn Player>();
    player.seek(1, None).expect("there is room");
    let served = receiver.serve(&mut PlayerMock::default()).await;
    assert_eq!(served, Err(RecvError::HandlerPanicked));
}

/// Where it is, and nothing else.
struct At(i64);

impl Player for At {
    fn stop(&mut self) {}

    fn open(&mut self, _: String, _: Option<mage::MessagePipe>, reply: Reply<Result<i64, OpenError>>) {
        let _ = reply.send(Err(OpenError::NotFound));
    }

    fn seek(&mut self, position: i64, _arguments: Option<String>) {
        self.0 = position;
    }

    fn position(&mut self, reply: Reply<PlayerPositionResponse>) {
        let _ = reply.send(PlayerPositionResponse { position: self.0, length: 100 });
    }
}

async fn a_recorder_writes_down_and_passes_on(_stage: Stage) {
    let (player, receiver) = pair::<dyn Player>();
    let mut recorder = Recorder::new(At(0));
    let record = recorder.record();
    let test = async move {
        player.seek(5, Some("because")).expect("there is room");
        assert_eq!(player.position().await.expect("it answers").position, 5);
        assert!(player.open("a", None).await.expect("it answers").is_err());
        record.calls().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let (served, recorded) = join(receiver.serve(&mut recorder), test).await;
    served.expect("the test closes its end");
    let expected =
        ["Seek(position: 5, arguments: Some(\"because\"))", "Position()", "Open(url: \"a\", observer: None)"];
    assert_eq!(recorded, expected);
    assert_eq!(recorder.into_inner().0, 5);
}

/// A call of the method at this place, with these arguments, as a fuzzer would come upon it.
fn call(place: u8, attachments: u8, arguments: &[u8]) -> Vec<u8> {
    let length = u8::try_from(arguments.len()).expect("short");
    [&[place, attachments, length, 0], arguments].concat()
}

#[test]
fn a_fuzzer_reaches_the_handler() {
    let mut recorder = Recorder::new(At(0));
    let record = recorder.record();
    let bytes = [
        call(2, 0, b"\x2a\0\0\0\0\0\0\0\0"), // Seek(42, nothing)
        call(2, 0, b"\x2a\0\0\0"),           // too short
        call(1, 1, b"\x01\0\0\0a\x01"),      // Open("a", a pipe)
        call(1, 0x10, b"\x01\0\0\0a\0"),     // a handle too many
        call(4, 0, b""),                     // Stop()
        vec![3, 0, 9],                       // the end
    ];
    fuzz_player(&bytes.concat(), &mut recorder);
    let recorded: Vec<_> = record.calls().iter().map(|call| call.method).collect();
    assert_eq!(recorded, ["Seek", "Open", "Stop"]);
}

#[test]
fn nothing_that_a_fuzzer_finds_is_more_than_an_error() {
    let mut random = Random::new(1);
    for _ in 0..2000 {
        // Small numbers are more telling than large ones.
        let mut byte = || if random.below(4) == 0 { random.below(256) } else { random.below(4) } as u8;
        let bytes: Vec<u8> = (0..64).map(|_| byte()).collect();
        fuzz_player(&bytes, &mut At(0));
    }
}
