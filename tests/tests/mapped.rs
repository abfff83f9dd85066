//! Types of users in the place of those of the interface language: converted on the way, refused when that fails.

use futures::future::join;
use mage::testing::pair;
use mage::{BadMessage, CallError, Receiver, RecvError, Remote, SendErrorKind};
use mage_tests::asked_for::{Lamp, LampDimResponse, LampMock, Scene, Switch};
use mage_tests::{Percent, Stage, Word, on_every_scheduler};

on_every_scheduler! {
    what_is_sent_is_converted_twice
    what_cannot_be_converted_is_a_bad_message
    an_answer_that_cannot_be_converted_is_bad
    bounds_hold_for_what_travels
}

fn word(text: &str) -> Word {
    Word(text.to_owned())
}

fn scene(brightness: u8) -> Scene {
    Scene { brightness: Percent(brightness), name: word("night") }
}

async fn what_is_sent_is_converted_twice(stage: Stage) {
    let ((_near, ours), (_far, theirs)) = stage.linked().await;
    let lamp = Remote::<dyn Lamp>::new(ours);
    let mut mock = LampMock::default();
    mock.dim.once(|(level, reply)| {
        assert_eq!(level, Percent(30));
        let _ = reply.send(LampDimResponse { before: Percent(100) });
    });
    mock.name.once(|(name,)| assert_eq!(name, word("sun")));
    mock.name.once(|(name,)| assert_eq!(name, word("")));
    mock.apply.once(|(now, later, reply)| {
        assert_eq!((now, later.len()), (scene(1), 2));
        let _ = reply.send(Switch::Dimmed(later[1].brightness));
    });
    let test = async move {
        assert_eq!(lamp.dim(&Percent(30)).await.expect("it answers").before, Percent(100));
        lamp.name(&word("sun")).expect("there is room");
        lamp.name(&word("")).expect("there is room");
        let state = lamp.apply(&scene(1), &[scene(2), scene(3)]).await.expect("it answers");
        assert_eq!(state, Switch::Dimmed(Percent(3)));
    };
    let (served, ()) = join(Receiver::<dyn Lamp>::new(theirs).serve(&mut mock), test).await;
    served.expect("the test closes its end");
    assert!(mock.is_satisfied());
}

fn not_converted(field: &'static str) -> BadMessage {
    BadMessage::NotConverted { field, why: "101 is more than all".to_owned() }
}

async fn what_cannot_be_converted_is_a_bad_message(_stage: Stage) {
    for (field, send) in [
        ("level", (|lamp| drop(lamp.dim(&Percent(101)))) as fn(&Remote<dyn Lamp>)),
        ("brightness", |lamp| drop(lamp.apply(&scene(101), &[]))),
        ("brightness", |lamp| drop(lamp.apply(&scene(1), &[scene(1), scene(101)]))),
    ] {
        let (lamp, receiver) = pair::<dyn Lamp>();
        send(&lamp);
        let mut mock = LampMock::default();
        let served = receiver.serve(&mut mock).await;
        assert_eq!(served, Err(RecvError::BadMessage(not_converted(field))));
        assert_eq!(mock.dim.calls() + mock.apply.calls(), 0, "no handler sees it");
    }
    assert_eq!(not_converted("level").to_string(), "the value of `level` is no good: 101 is more than all");
}

async fn an_answer_that_cannot_be_converted_is_bad(_stage: Stage) {
    let (lamp, receiver) = pair::<dyn Lamp>();
    let mut mock = LampMock::default();
    mock.dim.once(|(_, reply)| drop(reply.send(LampDimResponse { before: Percent(101) })));
    let test = async move {
        match lamp.dim(&Percent(1)).await {
            Err(CallError::BadMessage(bad)) => assert_eq!(bad, not_converted("before")),
            other => panic!("it was taken: {other:?}"),
        }
    };
    let (_served, ()) = join(receiver.serve(&mut mock), test).await;
}

async fn bounds_hold_for_what_travels(_stage: Stage) {
    let (lamp, _receiver) = pair::<dyn Lamp>();
    let refused = lamp.name(&word("too long a word")).expect_err("it is too long");
    assert_eq!(refused.kind(), SendErrorKind::OutOfBounds { length: 15, length_max: 8 });
}
