//! Messages that are wrong in meaning: who rejects them, who is told, and whose they were.

use std::sync::Arc;

use mage::{BadMessage, BadMessageReport, Bouncer, CallError, MessagePipe, Node, RawMessage};
use mage::{Receiver, RecvError, Remote, Why};
use mage_sched::sync::Mutex;
use mage_tests::fixtures::{Echo, SecondInterface};
use mage_tests::{Stage, next_text, on_every_scheduler};

on_every_scheduler! {
    a_handler_rejects_a_call
    a_handler_rejects_what_has_no_answer
    what_does_not_validate_is_reported_too
    a_forwarder_is_not_blamed
    long_words_are_cut
}

type Reports = Arc<Mutex<Vec<BadMessageReport>>>;

/// A node that keeps what it is told of bad messages, and then panics.
fn watchful(stage: &Stage) -> (Node, Reports) {
    let reports = Reports::default();
    let kept = Arc::clone(&reports);
    let watch = move |report: &BadMessageReport| {
        kept.lock().push(report.clone());
        panic!("the test wants this panic");
    };
    (Node::builder(Arc::clone(&stage.scheduler)).on_bad_message(watch).build(), reports)
}

/// Two nodes with a pipe between them; the second is watchful.
async fn linked(stage: &Stage) -> ((Node, MessagePipe), (Node, MessagePipe), Reports) {
    let (guest, reports) = watchful(stage);
    let inviter = stage.node();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a socket pair");
    let sent = inviter.send_invitation(ours).expect("a stream socket");
    let accepted = guest.accept_invitation(theirs).await.expect("the other node invites");
    ((inviter, sent), (guest, accepted), reports)
}

fn rejected(text: &str) -> BadMessage {
    BadMessage::Rejected { text: text.into() }
}

fn by_handler(text: &str) -> BadMessage {
    BadMessage::RejectedByHandler { text: text.into() }
}

async fn a_handler_rejects_a_call(stage: Stage) {
    let ((inviter, far), (guest, near), reports) = linked(&stage).await;
    let (local, served) = guest.create_message_pipes();
    for (ours, theirs, sender) in [(far, near, Some(inviter.inspect().names[0])), (local, served, None)] {
        let (remote, mut receiver) = (Remote::<dyn Echo>::new(ours), Receiver::<dyn Echo>::new(theirs));
        loop {
            // Until nothing goes through the place that the end has left.
            let call = remote.text("an honest one");
            let (text, reply) = next_text(&mut receiver).await;
            reply.send(text).expect("the caller waits");
            call.await.expect("it was answered");
            if Remote::is_direct(&remote) {
                break;
            }
        }
        let (bad, other) = (remote.text("../../etc/passwd"), remote.text("an honest one"));
        let (_, reply) = next_text(&mut receiver).await;
        reply.reject("not below the root");
        for call in [bad, other] {
            match call.await {
                Err(CallError::BadMessage(bad)) => assert_eq!(bad, rejected("not below the root")),
                other => panic!("not rejected: {other:?}"),
            }
        }
        assert_eq!(Remote::closed(&remote).await, Why::Rejected);
        assert_eq!(
            receiver.recv().await.expect_err("it has ended"),
            RecvError::BadMessage(by_handler("not below the root"))
        );
        let report = reports.lock().pop().expect("it was told");
        assert_eq!((report.interface, report.fault), ("Echo", by_handler("not below the root")));
        assert_eq!((report.sender, report.forwarded), (sender, false));
        assert!(reports.lock().is_empty(), "it was told once");
    }
    assert!(
        inviter.inspect().faults.is_empty() && inviter.inspect().links.len() == 1,
        "the link is unharmed"
    );
}

struct Strict(Bouncer);

impl SecondInterface for Strict {
    fn send_string_and_notify_done(&mut self, message: String) {
        assert_eq!(message, "good", "nothing comes behind what was rejected");
    }
    fn notify_done_via_callback(&mut self) {
        self.0.reject("not before the string");
        self.0.reject("a second word is none");
    }
}

async fn a_handler_rejects_what_has_no_answer(stage: Stage) {
    let ((inviter, ours), (_guest, theirs), reports) = linked(&stage).await;
    let remote = Remote::<dyn SecondInterface>::new(ours);
    remote.send_string_and_notify_done("good").expect("there is room");
    remote.notify_done_via_callback().expect("there is room");
    remote.send_string_and_notify_done("behind").expect("there is room");
    let receiver = Receiver::<dyn SecondInterface>::new(theirs);
    let mut handler = Strict(receiver.bouncer());
    let ended = receiver.serve(&mut handler).await.expect_err("it was rejected");
    assert_eq!(ended, RecvError::BadMessage(by_handler("not before the string")));
    assert_eq!(Remote::closed(&remote).await, Why::Rejected);
    let reports = reports.lock();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].sender, Some(inviter.inspect().names[0]));
}

async fn what_does_not_validate_is_reported_too(stage: Stage) {
    let ((inviter, ours), (_guest, theirs), reports) = linked(&stage).await;
    ours.try_send(RawMessage { bytes: b"no header".to_vec(), ..RawMessage::default() })
        .expect("there is room");
    let remote = Remote::<dyn Echo>::new(ours);
    let call = remote.text("an honest one");
    let mut receiver = Receiver::<dyn Echo>::new(theirs);
    let ended = receiver.recv().await.expect_err("it does not validate");
    assert_eq!(ended, RecvError::BadMessage(BadMessage::Truncated));
    assert!(matches!(call.await, Err(CallError::BadMessage(bad)) if bad == rejected("")));
    assert_eq!(reports.lock()[0].sender, Some(inviter.inspect().names[0]));
    assert_eq!(reports.lock()[0].fault, BadMessage::Truncated);
}

/// The message waits at the broker, in an end that then moves on: it comes over the broker's link.
async fn a_forwarder_is_not_blamed(stage: Stage) {
    let ((broker, to_reader), (_reader, from_broker), reports) = linked(&stage).await;
    let culprit = stage.node();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a socket pair");
    let to_culprit = broker.send_invitation(ours).expect("a stream socket");
    let from_culprit = culprit.accept_invitation(theirs).await.expect("the other node invites");
    let (kept, sent) = culprit.create_message_pipes();
    let remote = Remote::<dyn Echo>::new(kept);
    let call = remote.text("bad");
    from_culprit.try_send(RawMessage { pipes: vec![sent], ..RawMessage::default() }).expect("there is room");
    let passed_on = to_culprit.recv().await.expect("it arrives");
    to_reader.try_send(passed_on).expect("there is room");
    let end = from_broker.recv().await.expect("it arrives").pipes.pop().expect("with the end");
    let mut receiver = Receiver::<dyn Echo>::new(end);
    next_text(&mut receiver).await.1.reject("bad");
    assert!(matches!(call.await, Err(CallError::BadMessage(bad)) if bad == rejected("bad")));
    let report = reports.lock().pop().expect("it was told");
    assert_eq!((report.sender, report.forwarded), (Some(culprit.inspect().names[0]), true));
}

async fn long_words_are_cut(stage: Stage) {
    let ((_inviter, ours), (_guest, theirs), _reports) = linked(&stage).await;
    let remote = Remote::<dyn Echo>::new(ours);
    let call = remote.text("bad");
    let mut receiver = Receiver::<dyn Echo>::new(theirs);
    let words = "x".to_owned() + &"ä".repeat(mage::limits::REJECTION_BYTES_MAX);
    next_text(&mut receiver).await.1.reject(words.clone());
    match call.await {
        Err(CallError::BadMessage(BadMessage::Rejected { text })) => {
            assert_eq!(text.len(), mage::limits::REJECTION_BYTES_MAX - 1);
            assert!(words.starts_with(&text));
        }
        other => panic!("not rejected: {other:?}"),
    }
}
