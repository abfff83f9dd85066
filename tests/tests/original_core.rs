//! The 11 tests of the original's `core_unittest.cc`, by their names.
//!
//! Four of them pinned a crash or a hole. What the compiler has to say about those programs is in
//! `mage_tests::refused`; here is what happens at run time to whoever comes closest.

use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;
use std::thread;

use futures::FutureExt;
use mage::{BadMessage, Interface, MessagePipe, RawMessage, Receiver, RecvError, Remote, SendErrorKind, Why};
use mage_tests::fixtures::{FirstInterface, FirstInterfaceMessage, SecondInterface};
use mage_tests::words::bytes;
use mage_tests::{Stage, next, on_every_scheduler, text_of};
use static_assertions::{assert_impl_all, assert_not_impl_any};

on_every_scheduler! {
    core_init_state_unit_test
    use_unbound_remote_crashes
    use_unbound_remote_crashes2
    send_bound_remote_technically_allowed_unit_test
    send_bound_receiver_unit_test
    remote_and_receiver_different_interfaces
    initialize_and_entangle_endpoints_unit_test
    send_invitation_unit_test
    accept_invitation_unit_test
    create_message_pipes_from_any_thread
    multi_thread_racy_invitation_sending
}

// No end can be copied, and none can exist without a pipe.
assert_not_impl_any!(MessagePipe: Clone, Copy, Default);
assert_not_impl_any!(Remote<dyn FirstInterface>: Clone, Copy, Default);
assert_not_impl_any!(Receiver<dyn FirstInterface>: Clone, Copy, Default);
assert_impl_all!(Remote<dyn FirstInterface>: Send, Sync);

async fn core_init_state_unit_test(stage: Stage) {
    let seen = stage.node().inspect();
    assert_eq!((seen.ends, seen.proxies), (0, 0));
    assert!(seen.links.is_empty() && seen.faults.is_empty());
}

async fn use_unbound_remote_crashes(stage: Stage) {
    // The nearest thing to an unbound remote is one whose other end is gone. It says so.
    let (ours, theirs) = stage.node().create_message_pipes();
    drop(theirs);
    let remote = Remote::<dyn FirstInterface>::new(ours);
    let refused = remote.send_string("to nobody").expect_err("nobody is there");
    assert_eq!(refused.kind(), SendErrorKind::Disconnected);
}

async fn use_unbound_remote_crashes2(stage: Stage) {
    let (ours, theirs) = stage.node().create_message_pipes();
    let remote = Remote::<dyn FirstInterface>::new(ours);
    remote.send_string("bound").expect("there is room");
    let remote = Remote::<dyn FirstInterface>::new(Remote::into_pipe(remote));
    remote.send_string("bound again").expect("there is room");
    let mut receiver = Receiver::<dyn FirstInterface>::new(theirs);
    for expected in ["bound", "bound again"] {
        match next(&mut receiver).await {
            FirstInterfaceMessage::SendString { message } => assert_eq!(message, expected),
            other => panic!("not a string: {other:?}"),
        }
    }
}

/// Sends `pipe` over a pipe of its own, and returns what arrives.
async fn carried(stage_node: &mage::Node, pipe: MessagePipe) -> MessagePipe {
    let (ours, theirs) = stage_node.create_message_pipes();
    Remote::<dyn FirstInterface>::new(ours).send_second_interface_receiver(pipe).expect("there is room");
    match next(&mut Receiver::<dyn FirstInterface>::new(theirs)).await {
        FirstInterfaceMessage::SendSecondInterfaceReceiver { receiver } => receiver,
        other => panic!("not the pipe: {other:?}"),
    }
}

async fn send_bound_remote_technically_allowed_unit_test(stage: Stage) {
    let node = stage.node();
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn SecondInterface>::new(ours);
    remote.send_string_and_notify_done("bound here").expect("there is room");
    let arrived = carried(&node, Remote::into_pipe(remote)).await;
    let remote = Remote::<dyn SecondInterface>::new(arrived);
    remote.send_string_and_notify_done("bound there").expect("there is room");
    let mut receiver = Receiver::new(theirs);
    assert_eq!(text_of(&mut receiver).await, "bound here");
    assert_eq!(text_of(&mut receiver).await, "bound there");
}

async fn send_bound_receiver_unit_test(stage: Stage) {
    let node = stage.node();
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn SecondInterface>::new(ours);
    remote.send_string_and_notify_done("read here").expect("there is room");
    remote.send_string_and_notify_done("unread here").expect("there is room");
    let mut receiver = Receiver::new(theirs);
    assert_eq!(text_of(&mut receiver).await, "read here");
    let arrived = carried(&node, receiver.into_pipe()).await;
    assert_eq!(text_of(&mut Receiver::new(arrived)).await, "unread here");
}

async fn remote_and_receiver_different_interfaces(stage: Stage) {
    let node = stage.node();
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn FirstInterface>::new(ours);
    remote.send_string("to the wrong one").expect("there is room");
    let mut receiver = Receiver::<dyn SecondInterface>::new(theirs);
    let expected = RecvError::BadMessage(BadMessage::OtherInterface {
        expected: "SecondInterface",
        expected_fingerprint: <dyn SecondInterface>::FINGERPRINT,
        found_fingerprint: <dyn FirstInterface>::FINGERPRINT,
    });
    assert_eq!(receiver.recv().await.expect_err("another interface"), expected);
    assert_eq!(Remote::closed(&remote).await, Why::Rejected);

    // What the original died of: a method that is not there.
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn FirstInterface>::new(ours);
    remote.send_string("").expect("there is room");
    let pipe = Remote::into_pipe(remote);
    let mut forged = theirs.recv().await.expect("it arrives").bytes;
    forged[24..28].copy_from_slice(&999_u32.to_le_bytes()); // the header's method
    theirs.try_send(RawMessage { bytes: forged, ..RawMessage::default() }).expect("there is room");
    let unknown = BadMessage::UnknownMethod { interface: "FirstInterface", method: 999 };
    let answer = Receiver::<dyn FirstInterface>::new(pipe).recv().await;
    assert_eq!(answer.expect_err("no such method"), RecvError::BadMessage(unknown));
    assert_eq!(theirs.recv().await.expect_err("the pipe is closed"), Why::Rejected);
}

async fn initialize_and_entangle_endpoints_unit_test(stage: Stage) {
    let node = stage.node();
    let (first, second) = node.create_message_pipes();
    assert_eq!((node.inspect().ends, node.inspect().proxies), (2, 0));
    assert!(first.is_direct() && second.is_direct());
    for (from, to) in [(&first, &second), (&second, &first)] {
        from.try_send(bytes(b"to the other end")).expect("there is room");
        assert_eq!(to.recv().await.expect("it arrives").bytes, b"to the other end");
    }
    drop(first);
    assert_eq!(node.inspect().ends, 1);
    assert_eq!(second.recv().await.expect_err("the other end is gone"), Why::Closed);
}

async fn send_invitation_unit_test(stage: Stage) {
    let (node, guest) = (stage.node(), stage.node());
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let pipe = node.send_invitation(ours).expect("a stream socket");
    assert_eq!(node.inspect().ends, 1);
    assert!(node.inspect().links.is_empty(), "nobody has accepted");
    pipe.try_send(bytes(b"before the acceptance")).expect("it can be queued");
    let accepted = guest.accept_invitation(theirs).await.expect("the node invites");
    assert_eq!(accepted.recv().await.expect("it has waited").bytes, b"before the acceptance");
}

async fn accept_invitation_unit_test(stage: Stage) {
    let (node, guest) = (stage.node(), stage.node());
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut accepting = Box::pin(guest.accept_invitation(theirs));
    assert!((&mut accepting).now_or_never().is_none());
    let seen = guest.inspect();
    assert_eq!((seen.ends, seen.links.len()), (0, 0), "nothing is there before the invitation is");
    let inviting = node.send_invitation(ours).expect("a stream socket");
    let accepted = accepting.await.expect("the node invites");
    assert_eq!((guest.inspect().ends, guest.inspect().links.len()), (1, 1));
    drop((inviting, accepted));
}

async fn create_message_pipes_from_any_thread(stage: Stage) {
    let node = stage.node();
    let threads: Vec<_> = (0..100_u32)
        .map(|_| {
            let node = node.clone();
            thread::spawn(move || (0..100).map(|_| node.create_message_pipes()).collect::<Vec<_>>())
        })
        .collect();
    let pairs: Vec<_> =
        threads.into_iter().flat_map(|thread| thread.join().expect("pipes are made")).collect();
    assert_eq!(node.inspect().ends, 20_000);
    // Each is a pipe of its own: what goes in at one end comes out at its other end, and only there.
    for (number, (first, _)) in pairs.iter().enumerate() {
        first.try_send(bytes(number.to_le_bytes())).expect("there is room");
    }
    for (number, (_, second)) in pairs.iter().enumerate() {
        assert_eq!(second.recv().await.expect("it arrives").bytes, number.to_le_bytes());
        assert!(second.recv().now_or_never().is_none());
    }
    drop(pairs);
    assert_eq!(node.inspect().ends, 0);
}

async fn multi_thread_racy_invitation_sending(stage: Stage) {
    let node = stage.node();
    let threads: Vec<_> = (0..10_u8)
        .map(|thread| {
            let node = node.clone();
            thread::spawn(move || {
                (0..8_u8)
                    .map(|socket| {
                        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
                        let pipe = node.send_invitation(ours).expect("a stream socket");
                        pipe.try_send(bytes([thread, socket])).expect("there is room");
                        (pipe, theirs)
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let sent: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("all is sent")).collect();
    assert_eq!(node.inspect().ends, 80);
    let mut guests = Vec::new();
    for (pipe, socket) in sent {
        let guest = stage.node();
        let accepted = guest.accept_invitation(socket).await.expect("the node invites");
        let word = accepted.recv().await.expect("it has waited").bytes;
        accepted.try_send(bytes(&word)).expect("there is room");
        assert_eq!(pipe.recv().await.expect("the guest answers").bytes, word);
        guests.push((guest, pipe, accepted, word));
    }
    let words: BTreeSet<&[u8]> = guests.iter().map(|(.., word)| word.as_slice()).collect();
    assert_eq!(words.len(), 80);
    assert_eq!(node.inspect().links.len(), 80);
}
