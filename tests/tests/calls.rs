//! How calls end: answered, given up, out of time, or with the other side.

use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use mage::limits::STRAY_ANSWERS_MAX;
use mage::{BadMessage, CallError, Interface, Limits, MessagePipe, Node, RawMessage};
use mage::{Receiver, RecvError, Remote, SendErrorKind, Why};
use mage_tests::fixtures::{Echo, EchoMessage};
use mage_tests::words::end_of;
use mage_tests::{Stage, next, next_text, on_every_scheduler};

on_every_scheduler! {
    a_dropped_call_is_cancelled
    a_cancellation_is_seen_while_nobody_reads
    a_cancellation_that_comes_too_late_is_none
    a_detached_call_goes_on
    an_answered_call_is_detached
    a_detached_call_leaves_its_place
    a_detached_call_is_answered_badly
    cancellations_wait_for_room
    a_cancelled_call_keeps_its_place
    a_hostile_caller_is_bounded
    answers_to_nothing_come_to_an_end
    the_end_of_a_pipe_cancels
    a_call_has_a_deadline
    an_unbound_receiver_answers
    a_late_answer_to_an_earlier_remote_is_nobodys
    a_view_ends_with_its_remote
    who_does_not_wait_any_more_is_forgotten
}

/// A remote and its receiver: in one node, and in two with a link between them.
async fn pairs(stage: &Stage, limits: &Limits) -> [(Remote<dyn Echo>, Receiver<dyn Echo>, Vec<Node>); 2] {
    let node = stage.node_with(limits.clone());
    let (near, far) = node.create_message_pipes();
    let (inviter, guest) = (stage.node_with(limits.clone()), stage.node_with(limits.clone()));
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a socket pair");
    let sent = inviter.send_invitation(ours).expect("a stream socket");
    let accepted = guest.accept_invitation(theirs).await.expect("the other node invites");
    [
        (Remote::new(near), Receiver::new(far), vec![node]),
        (Remote::new(sent), Receiver::new(accepted), vec![inviter, guest]),
    ]
}

/// A message with a header by hand.
fn by_hand(kind: u8, request: u64, method: u32) -> RawMessage {
    let mut bytes = vec![32, 0, kind, 0, 0, 0, 0, 0];
    bytes.extend(request.to_le_bytes());
    bytes.extend(<dyn Echo>::FINGERPRINT.to_le_bytes());
    bytes.extend(method.to_le_bytes());
    bytes.extend([0; 4]);
    RawMessage { bytes, ..RawMessage::default() }
}

const CANCEL: u8 = 4;
const NO_REPLY: u8 = 3;
const REQUEST: u8 = 1;
/// `Echo.Never`, which has no arguments.
const NEVER: u32 = 3;

async fn a_dropped_call_is_cancelled(stage: Stage) {
    for (remote, mut receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let call = remote.text("unwanted");
        let (_, reply) = next_text(&mut receiver).await;
        assert!(!reply.is_cancelled());
        assert!(reply.cancelled().now_or_never().is_none());
        drop(call);
        // The word comes before whatever is said after it.
        let call = remote.text("wanted");
        let (text, wanted) = next_text(&mut receiver).await;
        assert!(reply.is_cancelled());
        reply.cancelled().await;
        reply.send("late".into()).expect("a late answer is dropped in silence");
        assert!(!wanted.is_cancelled());
        wanted.send(text).expect("the caller waits");
        assert_eq!(call.await.expect("it was answered"), "wanted");
    }
}

/// The handler is at work and reads no messages; and between the request and its cancellation there are others.
async fn a_cancellation_is_seen_while_nobody_reads(stage: Stage) {
    for (remote, mut receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let calls: Vec<_> = (0..5).map(|number| remote.text(&number.to_string())).collect();
        let (_, first) = next_text(&mut receiver).await;
        assert!(first.cancelled().now_or_never().is_none());
        drop(calls);
        first.cancelled().await;
        // What was looked at is still there, in order, and each knows by now that it is not wanted.
        drop(first);
        for number in 1..5 {
            let (text, reply) = next_text(&mut receiver).await;
            assert_eq!(text, number.to_string());
            reply.cancelled().await;
        }
        let call = remote.text("on it goes");
        let (text, reply) = next_text(&mut receiver).await;
        reply.send(text).expect("the caller waits");
        assert_eq!(call.await.expect("it was answered"), "on it goes");
    }
}

async fn a_cancellation_that_comes_too_late_is_none(stage: Stage) {
    for (remote, mut receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let pipe = Remote::into_pipe(remote);
        for request in [1, 2, u64::MAX] {
            pipe.try_send(by_hand(CANCEL, request, 0)).expect("there is room");
        }
        pipe.try_send(by_hand(REQUEST, 7, NEVER)).expect("there is room");
        let EchoMessage::Never { reply } = next(&mut receiver).await else { panic!("another message") };
        reply.send(()).expect("the pipe is open");
        pipe.try_send(by_hand(CANCEL, 7, 0)).expect("there is room");
        pipe.try_send(by_hand(CANCEL, 7, 0)).expect("there is room");
        pipe.try_send(by_hand(REQUEST, 8, NEVER)).expect("there is room");
        let EchoMessage::Never { reply } = next(&mut receiver).await else { panic!("another message") };
        assert!(!reply.is_cancelled());
    }
}

async fn a_detached_call_goes_on(stage: Stage) {
    for (remote, mut receiver, nodes) in pairs(&stage, &Limits::default()).await {
        remote.text("to be done").detach();
        drop(remote);
        let (_, reply) = next_text(&mut receiver).await;
        assert!(reply.cancelled().now_or_never().is_none());
        let next = receiver.recv();
        assert!(next.now_or_never().is_none(), "the pipe is kept open until the call is settled");
        reply.send("done".into()).expect("the pipe is open");
        assert!(receiver.recv().await.expect("an ordinary end").is_none());
        assert_eq!(nodes[0].inspect().ends, usize::from(nodes.len() == 1), "nothing is left of the remote");
    }
}

/// It is the last that keeps the pipe open, and an open pipe that is closed wakes whoever reads it: the remote, on this thread.
async fn an_answered_call_is_detached(stage: Stage) {
    for (remote, mut receiver, nodes) in pairs(&stage, &Limits::default()).await {
        let calls = [remote.text("first"), remote.text("second")];
        for _ in &calls {
            let (text, reply) = next_text(&mut receiver).await;
            reply.send(text).expect("the caller waits");
        }
        let [first, second] = calls;
        assert_eq!(second.await.expect("it was answered, and so was the one before it"), "second");
        drop(remote);
        first.detach();
        assert!(receiver.recv().await.expect("an ordinary end").is_none());
        assert_eq!(nodes[0].inspect().ends, usize::from(nodes.len() == 1), "nothing is left of the remote");
    }
}

async fn a_detached_call_leaves_its_place(stage: Stage) {
    let limits = Limits { pending_calls_max: 1, ..Limits::default() };
    for (remote, mut receiver, nodes) in pairs(&stage, &limits).await {
        let call = remote.text("only");
        let (text, reply) = next_text(&mut receiver).await;
        reply.send(text).expect("the caller waits");
        let sleeper = Arc::new(Sleeper::default());
        let waker = Waker::from(Arc::clone(&sleeper));
        let mut ready = pin!(Remote::ready(&remote));
        assert!(ready.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        call.detach();
        assert!(nodes.len() == 2 || sleeper.is_awake(), "the answer is here");
        ready.await;
        let call = remote.text("next");
        let (text, reply) = next_text(&mut receiver).await;
        reply.send(text).expect("the caller waits");
        assert_eq!(call.await.expect("it was answered"), "next");
    }
}

/// Nobody is left to be told but the one who has answered.
async fn a_detached_call_is_answered_badly(stage: Stage) {
    for (remote, receiver, nodes) in pairs(&stage, &Limits::default()).await {
        remote.text("to be done").detach();
        drop(remote);
        let pipe = receiver.into_pipe();
        pipe.recv().await.expect("the call");
        pipe.try_send(by_hand(REQUEST, 1, NEVER)).expect("there is room");
        assert_eq!(pipe.recv().await.map(drop), Err(Why::Rejected));
        assert_eq!(nodes[0].inspect().ends, usize::from(nodes.len() == 1), "nothing is left of the remote");
    }
}

async fn cancellations_wait_for_room(stage: Stage) {
    let limits = Limits { window_messages: 8, pending_calls_max: 2, ..Limits::default() };
    for (remote, mut receiver, _nodes) in pairs(&stage, &limits).await {
        let calls = [remote.text("first"), remote.text("second")];
        while remote.panic().is_ok() {}
        drop(calls);
        assert_eq!(remote.panic().expect_err("the window is full").kind(), SendErrorKind::Full);
        let replies = [next_text(&mut receiver).await.1, next_text(&mut receiver).await.1];
        assert!(replies.iter().all(|reply| reply.cancelled().now_or_never().is_none()));
        for _ in 0..6 {
            assert!(matches!(next(&mut receiver).await, EchoMessage::Panic));
        }
        // There is room again, and nobody does anything about it but the remote itself.
        for reply in &replies {
            reply.cancelled().await;
        }
    }
}

/// Otherwise more answers could be under way than there is room for, and an honest caller would be taken for one that
/// does not read.
async fn a_cancelled_call_keeps_its_place(stage: Stage) {
    let limits = Limits { window_messages: 8, pending_calls_max: 4, ..Limits::default() };
    for (remote, mut receiver, _nodes) in pairs(&stage, &limits).await {
        for _ in 0..3 {
            let calls: Vec<_> = (0..4).map(|_| remote.text("unwanted")).collect();
            drop(calls);
            let mut replies = Vec::new();
            for _ in 0..4 {
                replies.push(next_text(&mut receiver).await.1);
            }
            match remote.text("one too many").await {
                Err(CallError::NotSent(error)) => assert_eq!(error.kind(), SendErrorKind::Full),
                other => panic!("not refused: {other:?}"),
            }
            assert!(Remote::ready(&remote).now_or_never().is_none());
            drop(replies);
            Remote::ready(&remote).await;
            // All are settled, and what is waited for is that this side has heard of it.
            let call = remote.text("wanted");
            let (text, reply) = next_text(&mut receiver).await;
            reply.send(text).expect("the caller waits");
            assert_eq!(call.await.expect("it was answered"), "wanted");
        }
    }
}

async fn a_hostile_caller_is_bounded(stage: Stage) {
    let limits = Limits { open_requests_max: 4, ..Limits::default() };
    let none = |request: u64| (request..request + 5).collect::<Vec<_>>();
    for (requests, fault) in
        [(none(1), BadMessage::TooManyRequests), (vec![1, 2, 1], BadMessage::InvalidHeader)]
    {
        for (remote, mut receiver, _nodes) in pairs(&stage, &limits).await {
            let pipe: MessagePipe = Remote::into_pipe(remote);
            for request in &requests {
                pipe.try_send(by_hand(REQUEST, *request, NEVER)).expect("there is room");
            }
            let mut replies = Vec::new();
            let error = loop {
                match receiver.recv().await {
                    Ok(message) => replies.push(message),
                    Err(error) => break error,
                }
            };
            assert_eq!(error, RecvError::BadMessage(fault.clone()));
            assert_eq!(replies.len(), requests.len() - 1);
        }
    }
}

/// Whoever sorts answers out does so until there are no more, and that may be a caller at its first call, while another thread delivers.
async fn answers_to_nothing_come_to_an_end(stage: Stage) {
    for (remote, receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let asked = remote.text("the answer is found among them");
        let peer = receiver.into_pipe();
        let request = peer.recv().await.expect("it has been sent").bytes;
        let request = request[8..16].try_into().map(u64::from_le_bytes).expect("a number");
        for _ in 0..STRAY_ANSWERS_MAX {
            peer.send(by_hand(NO_REPLY, request + 1, 0)).await.expect("it is passed over");
        }
        peer.send(by_hand(NO_REPLY, request, 0)).await.expect("so far all is well");
        assert!(matches!(asked.await, Err(CallError::NoReply)));
        let call = remote.text("has no answer");
        peer.send(by_hand(NO_REPLY, request + 1, 0)).await.expect("the pipe is open");
        match call.await {
            Err(CallError::BadMessage(bad)) => assert_eq!(bad, BadMessage::TooManyAnswers),
            other => panic!("one more is too many: {other:?}"),
        }
        assert_eq!(end_of(&peer).await, Why::Rejected);
    }
}

async fn the_end_of_a_pipe_cancels(stage: Stage) {
    for (remote, mut receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let call = remote.text("unwanted");
        let reply = next_text(&mut receiver).await.1;
        assert!(reply.cancelled().now_or_never().is_none());
        drop((remote, call));
        reply.cancelled().await;
        let _ = reply.send("late".into()); // whether the pipe has ended by now or not
        assert!(receiver.recv().await.expect("an ordinary end").is_none());
    }
    for (remote, mut receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let _call = remote.text("unwanted");
        let reply = next_text(&mut receiver).await.1;
        assert!(reply.cancelled().now_or_never().is_none());
        drop(receiver);
        reply.cancelled().await;
    }
}

async fn a_call_has_a_deadline(stage: Stage) {
    for (remote, mut receiver, nodes) in pairs(&stage, &Limits::default()).await {
        let asked = Arc::new(AtomicU64::new(0));
        let ask = Arc::clone(&asked);
        let at_once = Remote::with_deadline(&remote, Duration::from_micros(1500), move |time| {
            ask.fetch_add(time.as_micros().try_into().expect("it is short"), Ordering::Relaxed);
            ready("a timer may say anything")
        });
        let patient = Remote::with_deadline(&remote, Duration::MAX, |_| pending::<()>());

        let call = at_once.text("too slow");
        let (_, reply) = next_text(&mut receiver).await;
        assert_eq!(reply.deadline(), Some(Duration::from_millis(2)), "rounded up");
        assert_eq!(asked.load(Ordering::Relaxed), 1500);
        assert!(matches!(call.await, Err(CallError::Deadline)));
        reply.cancelled().await;

        let call = patient.text("fast enough");
        let (text, reply) = next_text(&mut receiver).await;
        assert_eq!(reply.deadline(), Some(Duration::from_millis(u32::MAX.into())));
        reply.send(text).expect("the caller waits");
        assert_eq!(call.await.expect("it was answered"), "fast enough");

        if nodes.len() == 1 {
            let call = at_once.text("answered already when its time is asked for");
            let (text, reply) = next_text(&mut receiver).await;
            reply.send(text).expect("the caller waits");
            call.await.expect("an answer that is here counts");
        }

        let call = remote.text("for ever");
        let (_, reply) = next_text(&mut receiver).await;
        assert_eq!(reply.deadline(), None);
        drop(reply);
        assert!(matches!(call.await, Err(CallError::NoReply)));
    }
}

async fn an_unbound_receiver_answers(stage: Stage) {
    for (remote, mut receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let calls = [remote.text("held"), remote.text("unread")];
        let (_, held) = next_text(&mut receiver).await;
        assert!(held.cancelled().now_or_never().is_none());
        let mut receiver = Receiver::<dyn Echo>::new(receiver.into_pipe());
        held.cancelled().await;
        let refused = held.send("late".into()).expect_err("the pipe is another's");
        assert_eq!(refused.kind(), SendErrorKind::Disconnected);
        let (text, reply) = next_text(&mut receiver).await;
        reply.send(text).expect("the caller waits");
        let [held, unread] = calls;
        assert!(matches!(held.await, Err(CallError::NoReply)));
        assert_eq!(unread.await.expect("it was answered"), "unread");
    }
}

async fn a_late_answer_to_an_earlier_remote_is_nobodys(stage: Stage) {
    for (remote, mut receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let earlier = remote.text("earlier");
        let (_, late) = next_text(&mut receiver).await;
        let remote = Remote::<dyn Echo>::new(Remote::into_pipe(remote));
        assert!(matches!(earlier.await, Err(CallError::Cancelled)));
        let call = remote.text("later");
        late.send("to the earlier call".into()).expect("the pipe is open");
        let (_, reply) = next_text(&mut receiver).await;
        reply.send("to the later call".into()).expect("the caller waits");
        assert_eq!(call.await.expect("it was answered"), "to the later call");
    }
}

async fn a_view_ends_with_its_remote(stage: Stage) {
    for (remote, _receiver, _nodes) in pairs(&stage, &Limits::default()).await {
        let view = Remote::with_deadline(&remote, Duration::from_secs(1), |_| pending::<()>());
        let pipe = Remote::into_pipe(remote);
        match view.text("through a pipe that is another's").await {
            Err(CallError::NotSent(error)) => assert_eq!(error.kind(), SendErrorKind::Disconnected),
            other => panic!("not refused: {other:?}"),
        }
        assert_eq!(view.panic().expect_err("the same").kind(), SendErrorKind::Disconnected);
        drop(pipe);
    }
}

/// A task that only counts how often it was woken.
#[derive(Default)]
struct Sleeper(AtomicU64);

impl Sleeper {
    fn is_awake(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

async fn who_does_not_wait_any_more_is_forgotten(stage: Stage) {
    let limits = Limits { pending_calls_max: 1, ..Limits::default() };
    for (remote, receiver, _nodes) in pairs(&stage, &limits).await {
        let only = remote.text("only");
        let sleepers = [(); 2].map(|()| Arc::new(Sleeper::default()));
        let wakers = sleepers.each_ref().map(|sleeper| Waker::from(Arc::clone(sleeper)));
        let [first, second] = wakers.each_ref().map(Context::from_waker);
        {
            let mut gone = (Box::pin(Remote::closed(&remote)), Box::pin(Remote::ready(&remote)));
            for mut context in [first, second] {
                assert!(gone.0.poll_unpin(&mut context).is_pending());
                assert!(gone.1.poll_unpin(&mut context).is_pending());
            }
            assert_eq!(
                Arc::strong_count(&sleepers[0]),
                2,
                "a future that has moved is known by its last task"
            );
            assert_eq!(Arc::strong_count(&sleepers[1]), 4);
        }
        assert_eq!(Arc::strong_count(&sleepers[1]), 2, "nobody waits there any more");

        // Each of them has a waker of its own.
        let mut waits: FuturesUnordered<_> = (0..3).map(|_| Remote::closed(&remote)).collect();
        assert!(waits.next().now_or_never().is_none());
        drop(receiver);
        assert_eq!(waits.by_ref().collect::<Vec<_>>().await, [Why::Closed; 3]);
        assert!(!sleepers.iter().any(|sleeper| sleeper.is_awake()));
        assert!(matches!(only.await, Err(CallError::PeerGone(Why::Closed))));
    }
}
