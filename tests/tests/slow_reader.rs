//! One reader stops. Its sender is bounded by the window, and a thousand other pipes of the same link go on.
#![expect(clippy::disallowed_types, reason = "the long form compares times, and that is what it is for")]

use std::convert::Infallible;
use std::future::poll_fn;
use std::time::{Duration, Instant};

use futures::{FutureExt, SinkExt};
use mage::{MessagePipe, Node, RawMessage, Remote, SendErrorKind, stream};
use mage_tests::fixtures::Echo;
use mage_tests::waits::kept_wakers;
use mage_tests::{Puppet, Stage, on_every_scheduler};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");
const OTHERS: usize = 999;

on_every_scheduler! {
    a_stopped_reader_costs_a_window_and_nobody_else
    a_message_waits_for_room
    who_does_not_wait_for_room_any_more_is_forgotten
    #[ignore = "half a minute; see docs/TESTING.md"] half_a_minute_beside_a_stopped_reader
}

fn bytes(length: usize) -> RawMessage {
    RawMessage { bytes: vec![7; length], ..RawMessage::default() }
}

/// Pipes to a child that sends everything back, and one whose other end nobody reads over there.
async fn pipes(stage: &Stage, node: &Node) -> (Puppet, Vec<MessagePipe>, MessagePipe) {
    let puppet = Puppet::launch(stage, CHILD, node);
    let mut others = Vec::with_capacity(OTHERS);
    for _ in 0..OTHERS {
        let (ours, theirs) = node.create_message_pipes();
        Remote::ready(&puppet.remote).await;
        puppet.remote.mirror(theirs).expect("there is room now");
        others.push(ours);
    }
    let (stopped, unread) = node.create_message_pipes();
    Remote::ready(&puppet.remote).await;
    puppet.remote.keep(unread).expect("there is room now");
    puppet.remote.ping().await.expect("the child has it");
    (puppet, others, stopped)
}

/// Sends until there is no more room, and returns how much that was, in messages and bytes.
fn fill(stopped: &MessagePipe, length: usize) -> (usize, usize) {
    let mut messages = 0;
    loop {
        match stopped.try_send(bytes(length)) {
            Ok(()) => messages += 1,
            Err(error) => {
                assert_eq!(error.kind(), SendErrorKind::Full);
                assert_eq!(error.into_message().bytes.len(), length, "it comes back whole");
                return (messages, messages * length);
            }
        }
    }
}

async fn round(others: &[MessagePipe]) {
    for other in others {
        other.send(bytes(64)).await.expect("it is open");
    }
    for other in others {
        assert_eq!(other.recv().await.expect("it comes back").bytes.len(), 64);
    }
}

async fn a_stopped_reader_costs_a_window_and_nobody_else(stage: Stage) {
    let limits = mage::Limits::default();
    for length in [16, 64 << 10] {
        let node = stage.node();
        let (puppet, others, stopped) = pipes(&stage, &node).await;
        round(&others).await;
        let (messages, sum) = fill(&stopped, length);
        assert!(messages as u64 <= limits.window_messages, "{messages} messages");
        assert!(sum as u64 <= limits.window_bytes + length as u64, "{sum} bytes");
        assert!(messages as u64 == limits.window_messages || sum as u64 >= limits.window_bytes);
        // However often the others go round, there is no more room, and nothing of it waits here.
        for _ in 0..3 {
            round(&others).await;
            assert_eq!(fill(&stopped, length), (0, 0));
        }
        let inspection = node.inspect();
        assert!(inspection.pipes.iter().all(|pipe| pipe.unread_messages == 0), "{inspection}");
        puppet.finish().await;
    }
}

async fn a_message_waits_for_room(stage: Stage) {
    let ((_inviter, far), (_guest, near)) = stage.linked().await;
    fill(&far, 16);
    let mut sending = Box::pin(far.send(bytes(3)));
    assert!(sending.as_mut().now_or_never().is_none());
    let reading = async {
        let mut read = 0;
        while near.recv().await.expect("it arrives").bytes.len() == 16 {
            read += 1;
        }
        read
    };
    let (sent, read) = futures::future::join(sending, reading).await;
    sent.expect("the other end reads");
    assert_eq!(read, mage::Limits::default().window_messages, "each message came once");
    // Whoever waits is told when it is of no use, and has the message back.
    fill(&far, 16);
    let mut sending = Box::pin(far.send(bytes(5)));
    assert!(sending.as_mut().now_or_never().is_none());
    drop(near);
    let error = sending.await.expect_err("nobody is there");
    assert_eq!((error.kind(), error.into_message().bytes.len()), (SendErrorKind::Disconnected, 5));
}

async fn who_does_not_wait_for_room_any_more_is_forgotten(stage: Stage) {
    let ((inviter, far), (_guest, near)) = stage.linked().await;
    fill(&far, 16);
    assert_eq!(kept_wakers(far.ready()), [1, 0]);
    assert_eq!(kept_wakers(far.send(bytes(3)).map(drop)), [1, 0]);
    let remote = Remote::<dyn Echo>::new(far);
    assert_eq!(kept_wakers(Remote::ready(&remote)), [1, 0]);

    let (mut sender, receiver) = stream::<u32, Infallible>(&inviter);
    while sender.try_send(7).is_ok() {}
    assert_eq!(kept_wakers(sender.ready()), [1, 0]);
    // A sink does not know who waits no longer, but it waits for one task only.
    assert_eq!(kept_wakers(poll_fn(|context| sender.poll_ready_unpin(context)).map(drop)), [1, 1]);
    drop((near, receiver));
}

/// Each of the others in its turn, for so long; the 99th of a hundred round trips, sorted.
async fn p99(others: &[MessagePipe], time: Duration) -> Duration {
    let start = Instant::now();
    let mut trips = Vec::new();
    for other in others.iter().cycle() {
        let sent = Instant::now();
        round(std::slice::from_ref(other)).await;
        trips.push(sent.elapsed());
        if start.elapsed() > time {
            break;
        }
    }
    trips.sort();
    trips[trips.len() * 99 / 100]
}

async fn half_a_minute_beside_a_stopped_reader(stage: Stage) {
    let node = stage.node();
    let (puppet, others, stopped) = pipes(&stage, &node).await;
    let before = p99(&others, Duration::from_secs(10)).await;
    fill(&stopped, 1024);
    let beside = p99(&others, Duration::from_secs(30)).await;
    eprintln!("p99 of a round trip: {before:?} before, {beside:?} beside a stopped reader");
    assert_eq!(fill(&stopped, 1024), (0, 0));
    assert!(beside < before * 3, "{before:?} became {beside:?}");
    puppet.finish().await;
}
