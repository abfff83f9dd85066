//! Streams of values: their order, their credit, and how they end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use futures::{FutureExt, SinkExt, StreamExt, TryStreamExt};
use mage::sched::Scheduler;
use mage::{
    BadMessage, Limits, MessagePipe, Node, RawMessage, Receiver, Remote, Reply, SendErrorKind, StreamError,
    StreamReceiver, StreamSender, Why, stream,
};
use mage_tests::asked_for::{OpenError, Voice};
use mage_tests::{Stage, on_every_scheduler};
use static_assertions::assert_impl_all;

on_every_scheduler! {
    values_go_in_both_directions
    a_sender_waits_for_its_reader
    a_reader_that_leaves_stops_the_sender
    a_reader_that_talks_back_is_heard_in_turns
    what_was_not_finished_was_cut
    an_error_is_the_last_item
    a_link_that_ends_cuts_its_streams
    a_bad_value_ends_the_stream
    a_stream_is_passed_on
    a_sink_and_a_stream
}

assert_impl_all!(StreamSender<String>: Send, Sync);
assert_impl_all!(StreamReceiver<String, String>: Send, Sync);

/// Says numbers, and puts words together.
struct Speaker(Arc<dyn Scheduler>, Node);

impl Voice for Speaker {
    fn listen(&mut self, count: i32, fails: bool, reply: Reply<StreamReceiver<i64, OpenError>>) {
        let (mut sender, receiver) = stream(&self.1);
        reply.send(receiver).expect("the caller waits");
        self.0.spawn(Box::pin(async move {
            for number in 0..i64::from(count) {
                if sender.send(number).await.is_err() {
                    return;
                }
            }
            let _ = if fails { sender.fail(OpenError::Denied).await } else { sender.finish().await };
        }));
    }

    fn say(&mut self, words: StreamReceiver<String>, reply: Reply<String>) {
        self.0.spawn(Box::pin(async move {
            let heard: Result<Vec<String>, _> = words.try_collect().await;
            let _ = reply.send(heard.map_or_else(|error| error.to_string(), |words| words.join(" ")));
        }));
    }
}

/// A voice at the other side of a link, and both nodes.
async fn voice(stage: &Stage) -> (Remote<dyn Voice>, Node, Node) {
    let ((near, ours), (far, theirs)) = stage.linked().await;
    let mut speaker = Speaker(Arc::clone(&stage.scheduler), far.clone());
    stage.spawn(async move {
        let _ = Receiver::<dyn Voice>::new(theirs).serve(&mut speaker).await;
    });
    (Remote::new(ours), near, far)
}

async fn values_go_in_both_directions(stage: Stage) {
    let (voice, near, _far) = voice(&stage).await;
    // Several times what a window has room for.
    let samples: Vec<i64> =
        voice.listen(5000, false).await.expect("it answers").try_collect().await.expect("it finishes");
    assert_eq!(samples, (0..5000).collect::<Vec<_>>());

    let (mut words, receiver) = stream(&near);
    let heard = voice.say(receiver);
    for word in ["one", "two", "three"] {
        words.send(word.to_owned()).await.expect("it is heard");
    }
    words.finish().await.expect("it is heard");
    assert_eq!(heard.await.expect("it answers"), "one two three");
}

async fn a_sender_waits_for_its_reader(stage: Stage) {
    let node = stage.node_with(Limits { window_messages: 4, ..Limits::default() });
    let (mut sender, mut receiver) = stream::<u32, Infallible>(&node);
    for number in 0..4 {
        sender.try_send(number).expect("there is room");
    }
    assert_eq!(sender.try_send(4).expect_err("there is none").kind(), SendErrorKind::Full);
    assert!(sender.ready().now_or_never().is_none());
    assert!(sender.send(4).now_or_never().is_none());
    assert_eq!(receiver.recv().await, Ok(Some(0)));
    // Credit comes back in lots, so that more than one may have to be read first.
    let reading = async {
        for expected in 1..5 {
            assert_eq!(receiver.recv().await, Ok(Some(expected)));
        }
        assert_eq!(receiver.recv().await, Ok(None));
    };
    let sending = async {
        sender.send(4).await.expect("there will be room");
        sender.finish().await.expect("there will be room");
    };
    futures::future::join(reading, sending).await;
}

async fn a_reader_that_leaves_stops_the_sender(stage: Stage) {
    let ((near, ours), (_far, theirs)) = stage.linked().await;
    let (mut sender, receiver) = stream::<String, Infallible>(&near);
    ours.try_send(carry(receiver)).expect("there is room");
    let receiver = theirs.recv().await.expect("it arrives").pipes.remove(0);
    assert!(sender.closed().now_or_never().is_none());
    drop(receiver);
    assert_eq!(sender.closed().await, Why::Closed);
    let refused = sender.send("to nobody".to_owned()).await.expect_err("nobody reads");
    assert_eq!(refused.kind(), SendErrorKind::Disconnected);
    sender.ready().await;
    assert!(sender.finish().await.is_err());
}

/// A message with the end of a stream in it, as generated code sends it.
fn carry(receiver: StreamReceiver<String>) -> RawMessage {
    RawMessage { pipes: vec![receiver.into_pipe()], ..RawMessage::default() }
}

/// Nobody reads a stream that way round, and a peer may say any number of things there.
async fn a_reader_that_talks_back_is_heard_in_turns(stage: Stage) {
    let (sender, receiver) = stream::<i32, Infallible>(&stage.node());
    let pipe = receiver.into_pipe();
    while pipe.try_send(RawMessage::default()).is_ok() {}
    drop(pipe);
    let mut turns = 0;
    let mut closed = pin!(sender.closed());
    let why = poll_fn(|context| {
        turns += 1;
        closed.as_mut().poll(context)
    });
    assert_eq!(why.await, Why::Closed);
    assert!(turns > 1, "everything was heard at once");
}

async fn what_was_not_finished_was_cut(stage: Stage) {
    let (mut sender, mut receiver) = stream::<u8, Infallible>(&stage.node());
    sender.send(1).await.expect("there is room");
    drop(sender);
    assert_eq!(receiver.recv().await, Ok(Some(1)));
    assert_eq!(receiver.next().await, Some(Err(StreamError::Cut(Why::Closed))));
    assert_eq!(receiver.next().await, None, "nothing comes behind the end");
}

async fn an_error_is_the_last_item(stage: Stage) {
    let (voice, ..) = voice(&stage).await;
    let samples: Vec<_> = voice.listen(2, true).await.expect("it answers").collect().await;
    assert_eq!(samples, [Ok(0), Ok(1), Err(StreamError::Failed(OpenError::Denied))]);
}

async fn a_link_that_ends_cuts_its_streams(stage: Stage) {
    let (voice, near, far) = voice(&stage).await;
    let mut samples = voice.listen(i32::MAX, false).await.expect("it answers");
    assert_eq!(samples.recv().await, Ok(Some(0)));
    let (words, receiver) = stream::<String, Infallible>(&near);
    let _heard = voice.say(receiver);
    far.shutdown().await;
    let last = loop {
        if let Err(error) = samples.recv().await.transpose().expect("it does not finish") {
            break error;
        }
    };
    assert!(matches!(last, StreamError::Cut(_)), "{last:?}");
    words.closed().await;
}

async fn a_bad_value_ends_the_stream(stage: Stage) {
    let node = stage.node();
    let mut header = [0; 32];
    header[0] = 32;
    let kind = |kind: u8, behind: &[u8]| {
        let mut bytes = [&header, behind].concat();
        bytes[2] = kind;
        bytes
    };
    let mut longer = kind(16, b"\0\0\0\0\x07");
    longer[0] = 36;
    for (bytes, read) in [
        (kind(16, &[7]), Ok(Some(7))),
        (longer, Ok(Some(7))),
        (kind(17, &[]), Ok(None)),
        (kind(18, &[]), Err(BadMessage::InvalidValue)),
        (kind(19, &[]), Err(BadMessage::InvalidHeader)),
        (kind(0, &[7]), Err(BadMessage::InvalidHeader)),
        (kind(16, &[]), Err(BadMessage::Truncated)),
        (kind(16, &[7, 7]), Err(BadMessage::TrailingData)),
        (kind(17, &[7]), Err(BadMessage::TrailingData)),
        (b"short".to_vec(), Err(BadMessage::Truncated)),
    ] {
        let (ours, theirs) = node.create_message_pipes();
        let mut receiver = StreamReceiver::<u8>::from_pipe(theirs);
        ours.try_send(RawMessage { bytes: bytes.clone(), ..RawMessage::default() }).expect("there is room");
        let is_bad = read.is_err();
        assert_eq!(receiver.recv().await, read.map_err(StreamError::BadMessage), "{bytes:?}");
        if is_bad {
            assert_eq!(ours.recv().await.map(drop), Err(Why::Rejected));
        }
    }
}

async fn a_stream_is_passed_on(stage: Stage) {
    let ((near, ours), (_middle, theirs)) = stage.linked().await;
    let ((_other, onwards), (_far, last)) = stage.linked().await;
    let (mut sender, receiver) = stream::<String, Infallible>(&near);
    sender.send("early".to_owned()).await.expect("there is room");
    ours.try_send(carry(receiver)).expect("there is room");
    let mut passed: MessagePipe = theirs.recv().await.expect("it arrives").pipes.remove(0);
    // Two networks do not share their pipes; within one it goes on.
    let refused = onwards.try_send(RawMessage { pipes: vec![passed], ..RawMessage::default() });
    passed = refused.expect_err("they are two").into_pipes().remove(0);
    drop(last);
    let mut receiver = StreamReceiver::<String>::from_pipe(passed);
    assert_eq!(receiver.recv().await, Ok(Some("early".to_owned())));
    sender.finish().await.expect("there is room");
    assert_eq!(receiver.recv().await, Ok(None));
}

async fn a_sink_and_a_stream(stage: Stage) {
    let node = stage.node_with(Limits { window_messages: 4, ..Limits::default() });
    let (sender, receiver) = stream::<u32, Infallible>(&node);
    let numbers = futures::stream::iter(0..100).map(Ok);
    let (sent, received) = futures::future::join(
        async move {
            let mut sender = sender;
            sender.send_all(&mut numbers.boxed()).await?;
            SinkExt::<u32>::close(&mut sender).await
        },
        receiver.try_collect::<Vec<u32>>(),
    )
    .await;
    sent.expect("it is read");
    assert_eq!(received.expect("it is finished"), (0..100).collect::<Vec<_>>());
}
