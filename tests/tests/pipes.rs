//! What a pipe promises, wherever its ends are.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use futures::FutureExt;
use futures::future::join_all;
use mage::{
    CallError, Limits, MessagePipe, Node, RawMessage, Receiver, RecvError, Remote, Reply, SendError,
    SendErrorKind, Why,
};
use mage_tests::fixtures::{Child, Echo, SecondInterface};
use mage_tests::words::bytes;
use mage_tests::{EchoImpl, Puppet, Stage, next_text, on_every_scheduler, quiet, role};
use static_assertions::{assert_impl_all, assert_not_impl_any};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");

on_every_scheduler! {
    queues_until_bound
    keeps_order
    keeps_order_across_processes
    closes_after_the_last_message
    every_type_arrives_as_it_was
    a_pipe_travels_with_its_queue_and_comes_back
    queues_nest
    a_dropped_message_closes_the_ends_in_it
    nothing_travels_over_itself
    full_gives_back_and_ready_wakes
    a_slow_reader_in_another_process_is_not_overrun
    replies_in_any_order_from_any_thread
    a_peer_that_dies_settles_what_is_pending
    a_call_to_nobody_was_not_sent
    a_call_outlives_its_remote
    a_forgotten_call_is_no_fault
    a_request_travels_with_its_pipe
    calls_in_flight_are_limited
    a_panic_ends_its_receiver_only
    a_handler_may_stay_on_its_thread
    nodes_are_values
    one_process_invites_many
    either_side_may_invite
    a_dead_child_is_noticed
    a_dead_parent_is_noticed
    large_messages
    handles_travel
    handles_leak_nowhere
    shutdown_sends_everything_first
}

assert_impl_all!(Remote<dyn Echo>: Send, Sync);
assert_impl_all!(Receiver<dyn Echo>: Send, Sync);
assert_impl_all!(Reply<MessagePipe>: Send, Sync);
assert_impl_all!(mage::Call<String>: Send);
assert_impl_all!(Node: Send, Sync, Clone);
assert_not_impl_any!(Reply<()>: Clone);

fn carrying(pipe: MessagePipe) -> RawMessage {
    RawMessage { pipes: vec![pipe], ..RawMessage::default() }
}

fn serve_echo(stage: &Stage, pipe: MessagePipe) {
    stage.spawn(async move {
        let _ = Receiver::<dyn Echo>::new(pipe).serve(&mut EchoImpl).await;
    });
}

/// A remote whose other end is served in the same process.
fn echo(stage: &Stage, node: &Node) -> Remote<dyn Echo> {
    let (ours, theirs) = node.create_message_pipes();
    serve_echo(stage, theirs);
    Remote::new(ours)
}

/// A remote and the receiver it talks to.
fn echo_pair(node: &Node) -> (Remote<dyn Echo>, Receiver<dyn Echo>) {
    let (ours, theirs) = node.create_message_pipes();
    (Remote::new(ours), Receiver::new(theirs))
}

/// A remote whose other end is served by a child.
fn echo_in(puppet: &Puppet, node: &Node) -> Remote<dyn Echo> {
    let (ours, theirs) = node.create_message_pipes();
    puppet.remote.serve_echo(theirs).expect("there is room");
    Remote::new(ours)
}

// ---- queues and order

async fn queues_until_bound(stage: Stage) {
    let node = stage.node();
    let (remote, receiver) = echo_pair(&node);
    let calls: Vec<_> = (0..10).map(|number| remote.text(&number.to_string())).collect();
    let pipe = receiver.into_pipe();
    serve_echo(&stage, pipe);
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.expect("it has waited"), number.to_string());
    }
}

const MANY: u32 = 1000;

async fn keeps_order(stage: Stage) {
    let (first, second) = stage.node().create_message_pipes();
    for number in 0..MANY {
        first.try_send(bytes(number.to_le_bytes())).expect("there is room");
        second.try_send(bytes((number + MANY).to_le_bytes())).expect("the directions are apart");
    }
    for number in 0..MANY {
        assert_eq!(second.recv().await.expect("it arrives").bytes, number.to_le_bytes());
        assert_eq!(first.recv().await.expect("it arrives").bytes, (number + MANY).to_le_bytes());
    }
}

async fn keeps_order_across_processes(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, theirs) = node.create_message_pipes();
    for number in 0..MANY {
        ours.try_send(bytes(number.to_le_bytes())).expect("there is room");
        // The other end leaves in the middle of it all, and what is sent meanwhile must not overtake its queue.
        if number == MANY / 2 {
            puppet.remote.ping().await.expect("the child is there");
        }
    }
    puppet.remote.mirror(theirs).expect("there is room");
    for number in MANY..2 * MANY {
        ours.ready().await;
        ours.try_send(bytes(number.to_le_bytes())).expect("there is room now");
    }
    for number in 0..2 * MANY {
        assert_eq!(ours.recv().await.expect("it comes back").bytes, number.to_le_bytes());
    }
    quiet(&node, &puppet).await;
    assert!(ours.is_direct());
    puppet.finish().await;
}

async fn closes_after_the_last_message(stage: Stage) {
    let ((_inviter, far), (_guest, near)) = stage.linked().await;
    let (first, second) = stage.node().create_message_pipes();
    for (from, to) in [(first, second), (far, near)] {
        from.try_send(bytes(b"the last")).expect("there is room");
        drop(from);
        assert_eq!(to.recv().await.expect("it comes before the end").bytes, b"the last");
        assert_eq!(to.recv().await.expect_err("the other end is closed"), Why::Closed);
        assert_eq!(to.recv().await.expect_err("it stays closed"), Why::Closed);
        let refused = to.try_send(carrying(stage.node().create_message_pipes().0));
        assert_eq!(refused.expect_err("nobody is there").kind(), SendErrorKind::OtherNetwork);
        let refused = to.try_send(bytes(b"to nobody")).expect_err("nobody is there");
        assert_eq!(refused.kind(), SendErrorKind::Disconnected);
        to.ready().await; // waiting would be of no use
    }
}

async fn every_type_arrives_as_it_was(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    for remote in [echo(&stage, &node), echo_in(&puppet, &node)] {
        for (a, b, c, d, e) in [
            (false, 0, 0, 0.0, 0),
            (true, i32::MAX, i64::MAX, f64::MAX, u8::MAX),
            (true, i32::MIN, i64::MIN, -0.0, b'x'),
            (false, -1, -1, f64::NEG_INFINITY, 127),
        ] {
            let answer = remote.numbers(a, b, c, d, e).await.expect("it answers");
            let same = (answer.a, answer.b, answer.c, answer.d.to_bits(), answer.e);
            assert_eq!(same, (a, b, c, d.to_bits(), e));
        }
        assert!(remote.numbers(false, 0, 0, f64::NAN, 0).await.expect("it answers").d.is_nan());
        for text in ["", "plain", "größer 🧙 \0 inside", "\u{10ffff}"] {
            assert_eq!(remote.text(text).await.expect("it answers"), text);
        }
    }
    puppet.finish().await;
}

async fn a_pipe_travels_with_its_queue_and_comes_back(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, mut traveller) = node.create_message_pipes();
    for trip in 0..5_u8 {
        ours.try_send(bytes([trip, 1])).expect("there is room");
        traveller.try_send(bytes([trip, 2])).expect("there is room");
        let call = puppet.remote.bounce(traveller);
        ours.try_send(bytes([trip, 3])).expect("there is room");
        traveller = call.await.expect("it comes back");
    }
    for trip in 0..5_u8 {
        assert_eq!(traveller.recv().await.expect("it has travelled along").bytes, [trip, 1]);
        assert_eq!(traveller.recv().await.expect("it was sent after").bytes, [trip, 3]);
        assert_eq!(ours.recv().await.expect("it was sent by the traveller").bytes, [trip, 2]);
    }
    quiet(&node, &puppet).await;
    assert!(ours.is_direct() && traveller.is_direct());
    puppet.finish().await;
}

/// An end in a message in a pipe whose end is in a message, and so on; then the outermost goes to another process.
async fn queues_nest(stage: Stage) {
    const LEVELS: u8 = 6;
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    for far in [false, true] {
        let (mut kept, mut outermost) = (Vec::new(), None);
        for level in 0..LEVELS {
            let (ours, theirs) = node.create_message_pipes();
            let pipes = outermost.take().into_iter().collect();
            ours.try_send(RawMessage { bytes: vec![level], pipes, ..RawMessage::default() })
                .expect("there is room");
            kept.push(ours);
            outermost = Some(theirs);
        }
        let mut end = outermost.expect("there is a level");
        if far {
            end = puppet.remote.bounce(end).await.expect("it comes back");
        }
        for level in (0..LEVELS).rev() {
            let mut message = end.recv().await.expect("it has waited");
            assert_eq!(message.bytes, [level]);
            end.try_send(bytes([level, level])).expect("the way back is open");
            assert_eq!(
                kept.pop().expect("one per level").recv().await.expect("it arrives").bytes,
                [level, level]
            );
            match message.pipes.pop() {
                Some(inner) => end = inner,
                None => assert_eq!(level, 0),
            }
        }
    }
    quiet(&node, &puppet).await;
    puppet.finish().await;
}

async fn a_dropped_message_closes_the_ends_in_it(stage: Stage) {
    let ((inviter, far), (_guest, near)) = stage.linked().await;
    // Two pipes deep, and unread.
    let (outer, outer_end) = inviter.create_message_pipes();
    let (inner, inner_end) = inviter.create_message_pipes();
    outer.try_send(carrying(inner_end)).expect("there is room");
    far.try_send(carrying(outer_end)).expect("there is room");
    drop(near);
    assert_eq!(outer.recv().await.expect_err("its other end was dropped unread"), Why::Closed);
    assert_eq!(inner.recv().await.expect_err("and so was what waited in it"), Why::Closed);

    let (ours, theirs) = inviter.create_message_pipes();
    let refused = far.try_send(carrying(theirs)).expect_err("nobody is there");
    assert_eq!(refused.kind(), SendErrorKind::Disconnected);
    assert!(ours.recv().now_or_never().is_none(), "the refused end is still open");
    drop(refused);
    assert_eq!(ours.recv().await.expect_err("dropped with the error"), Why::Closed);
}

/// Sends everything that can be in a message over `over`, and sees that it is refused and comes back whole.
fn expect_refused(over: &MessagePipe, pipes: Vec<MessagePipe>) -> Vec<MessagePipe> {
    let count = pipes.len();
    let handles = vec![OwnedFd::from(std::io::pipe().expect("a pipe").0)];
    let refused = over.try_send(RawMessage { bytes: vec![1], pipes, handles }).expect_err("it is refused");
    assert_eq!(refused.kind(), SendErrorKind::OverItself);
    let (pipes, handles) = refused.into_parts();
    assert_eq!((pipes.len(), handles.len()), (count, 1));
    pipes
}

async fn nothing_travels_over_itself(stage: Stage) {
    let ((inviter, far), (_guest, near)) = stage.linked().await;
    let (first, second) = inviter.create_message_pipes();
    let (other, bystander) = inviter.create_message_pipes();

    // Over its own pipe, with an innocent one beside it, which comes back, too, and in the same place.
    let mut back = expect_refused(&first, vec![bystander, second]);
    let (second, bystander) = (back.pop().expect("two"), back.pop().expect("two"));
    first.try_send(bytes(b"still entangled")).expect("there is room");
    assert_eq!(second.recv().await.expect("it arrives").bytes, b"still entangled");
    other.try_send(bytes(b"unharmed")).expect("there is room");
    assert_eq!(bystander.recv().await.expect("it arrives").bytes, b"unharmed");

    // By a detour: `second` waits in `bystander`; sending `bystander` over `first` would close the circle.
    other.try_send(carrying(second)).expect("this alone is allowed");
    let bystander = expect_refused(&first, vec![bystander]).pop().expect("it comes back");
    let second = bystander.recv().await.expect("it arrives").pipes.pop().expect("with the end");
    first.try_send(bytes(b"still there")).expect("there is room");
    assert_eq!(second.recv().await.expect("it arrives").bytes, b"still there");

    // Over its own pipe when the other end is on another node.
    let (_, wrong) = inviter.create_message_pipes();
    let refused = near.try_send(carrying(wrong)).expect_err("the end is of another node");
    assert_eq!(refused.kind(), SendErrorKind::OtherNetwork);
    far.try_send(carrying(second)).expect("there is room");
    let mut travelled = near.recv().await.expect("it arrives").pipes.pop().expect("with the end");
    first.try_send(bytes(b"over there")).expect("there is room");
    assert_eq!(travelled.recv().await.expect("it arrives").bytes, b"over there");
    near.try_send(carrying(travelled)).expect("there is room");
    travelled = far.recv().await.expect("it arrives").pipes.pop().expect("with the end");
    expect_refused(&first, vec![travelled]);
}

// ---- windows

async fn full_gives_back_and_ready_wakes(stage: Stage) {
    let node = stage.node_with(Limits { window_messages: 4, ..Limits::default() });
    let (ours, theirs) = node.create_message_pipes();
    for _ in 0..4 {
        ours.try_send(bytes(b"fits")).expect("there is room");
    }
    let (kept, carried) = node.create_message_pipes();
    let refused = ours.try_send(carrying(carried)).expect_err("four are unread");
    assert_eq!(refused.kind(), SendErrorKind::Full);
    let carried = refused.into_pipes().pop().expect("it comes back");

    let ours = Arc::new(ours);
    let (said, waited) = futures::channel::oneshot::channel();
    let waiting = Arc::clone(&ours);
    stage.spawn(async move {
        waiting.ready().await;
        let _ = said.send(waiting.try_send(carrying(carried)));
    });
    assert!(ours.ready().now_or_never().is_none());
    for _ in 0..4 {
        assert_eq!(theirs.recv().await.expect("it was taken").bytes, b"fits");
    }
    waited.await.expect("it was woken").expect("there was room then");
    drop(theirs.recv().await.expect("it arrives"));
    assert_eq!(kept.recv().await.expect_err("its end was dropped"), Why::Closed);
    drop(theirs);
    ours.ready().await; // nobody will ever make room: waiting ends
}

async fn a_slow_reader_in_another_process_is_not_overrun(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, theirs) = node.create_message_pipes();
    puppet.remote.mirror(theirs).expect("there is room");
    // The mirror does not read on while we do not read what it mirrors: both windows fill, and nothing is lost.
    let mut sent = 0_u32;
    while let Ok(()) = ours.try_send(bytes(sent.to_le_bytes())) {
        sent += 1;
    }
    assert_eq!(sent, 1024);
    let mut received = 0;
    while received < 10 * MANY {
        let back = ours.recv().await.expect("it comes back").bytes;
        assert_eq!(back, received.to_le_bytes());
        received += 1;
        while sent < 10 * MANY && ours.try_send(bytes(sent.to_le_bytes())).is_ok() {
            sent += 1;
        }
    }
    puppet.finish().await;
}

// ---- calls

async fn replies_in_any_order_from_any_thread(stage: Stage) {
    let ((_inviter, far), (_guest, near)) = stage.linked().await;
    let (remote, mut receiver) = (Remote::<dyn Echo>::new(far), Receiver::<dyn Echo>::new(near));
    let calls = ["first", "second", "third"].map(|text| remote.text(text));
    let mut replies = Vec::new();
    for _ in &calls {
        replies.push(next_text(&mut receiver).await);
    }
    let [first, second, third] = calls;
    let answer = |(text, reply): (String, Reply<String>)| {
        thread::spawn(move || reply.send(format!("{text} answered"))).join().expect("it answers")
    };
    answer(replies.pop().expect("three")).expect("the caller is there");
    assert_eq!(third.await.expect("it was answered first"), "third answered");
    answer(replies.remove(0)).expect("the caller is there");
    answer(replies.remove(0)).expect("the caller is there");
    assert_eq!(second.await.expect("it was answered"), "second answered");
    assert_eq!(first.await.expect("it was answered"), "first answered");
}

async fn a_peer_that_dies_settles_what_is_pending(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn Echo>::new(ours);
    let early = remote.text("queued on the way");
    puppet.remote.keep(theirs).expect("there is room");
    let late = remote.text("queued over there");
    puppet.remote.ping().await.expect("the child has the pipe");
    puppet.kill().await;
    for call in [early, late] {
        assert!(matches!(call.await, Err(CallError::PeerGone(Why::PeerDied))));
    }
    assert_eq!(Remote::closed(&remote).await, Why::PeerDied);

    // Closed by intent, in this process: the error says so.
    let (remote, mut receiver) = echo_pair(&node);
    let (unread, read) = (remote.text("read"), remote.text("unread"));
    let held = next_text(&mut receiver).await.1;
    drop(receiver);
    assert!(matches!(unread.await, Err(CallError::PeerGone(Why::Closed))));
    assert!(matches!(read.await, Err(CallError::PeerGone(Why::Closed))));
    let refused = held.send("too late".into()).expect_err("the end to answer through is closed");
    assert_eq!(refused.kind(), SendErrorKind::Disconnected);
}

async fn a_call_to_nobody_was_not_sent(stage: Stage) {
    let node = stage.node();
    let (remote, receiver) = echo_pair(&node);
    drop(receiver);
    let (kept, carried) = node.create_message_pipes();
    match remote.pipe(carried).await {
        Err(CallError::NotSent(error)) => {
            assert_eq!(error.kind(), SendErrorKind::Disconnected);
            let back = error.into_pipes().pop().expect("it comes back");
            back.try_send(bytes(b"unharmed")).expect("there is room");
        }
        other => panic!("not refused: {other:?}"),
    }
    assert_eq!(kept.recv().await.expect("it was sent").bytes, b"unharmed");
}

async fn a_call_outlives_its_remote(stage: Stage) {
    let (remote, mut receiver) = echo_pair(&stage.node());
    let call = remote.text("outlives");
    drop(remote);
    let (text, reply) = next_text(&mut receiver).await;
    reply.send(text).expect("the caller waits");
    assert_eq!(call.await.expect("it was answered"), "outlives");
    assert!(receiver.recv().await.expect("an ordinary end").is_none());
}

async fn a_forgotten_call_is_no_fault(stage: Stage) {
    let (remote, mut receiver) = echo_pair(&stage.node());
    drop(remote.text("forgotten"));
    let call = remote.text("remembered");
    for _ in 0..2 {
        let (text, reply) = next_text(&mut receiver).await;
        reply.send(text).expect("the pipe is open");
    }
    assert_eq!(call.await.expect("it was answered"), "remembered");
}

async fn a_request_travels_with_its_pipe(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn Echo>::new(ours);
    let calls: Vec<_> = (0..10).map(|number| remote.text(&number.to_string())).collect();
    let theirs = puppet.remote.bounce(theirs).await.expect("it comes back");
    puppet.remote.serve_echo(theirs).expect("there is room");
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.expect("it was answered over there"), number.to_string());
    }
    quiet(&node, &puppet).await;
    assert!(Remote::is_direct(&remote));
    puppet.finish().await;
}

async fn calls_in_flight_are_limited(stage: Stage) {
    let node = stage.node_with(Limits { pending_calls_max: 16, ..Limits::default() });
    let (remote, receiver) = echo_pair(&node);
    let calls: Vec<_> = (0..16).map(|number| remote.text(&number.to_string())).collect();
    match remote.text("one too many").await {
        Err(CallError::NotSent(error)) => assert_eq!(error.kind(), SendErrorKind::Full),
        other => panic!("not refused: {other:?}"),
    }
    serve_echo(&stage, receiver.into_pipe());
    let answers = join_all(calls).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.expect("it was answered"), number.to_string());
    }
    assert_eq!(remote.text("one more").await.expect("there is room again"), "one more");
}

// ---- handlers

async fn a_panic_ends_its_receiver_only(stage: Stage) {
    let node = stage.node();
    let (remote, receiver) = echo_pair(&node);
    let bystander = echo(&stage, &node);
    let call = remote.text("before");
    remote.panic().expect("there is room");
    let pending = remote.text("after");
    assert_eq!(receiver.serve(&mut EchoImpl).await, Err(RecvError::HandlerPanicked));
    assert_eq!(call.await.expect("it was answered"), "before");
    assert!(matches!(pending.await, Err(CallError::PeerGone(_))));
    assert_eq!(bystander.text("unharmed").await.expect("the node goes on"), "unharmed");
}

/// Not `Send`, as the state of many a program.
struct Local(Rc<RefCell<Vec<String>>>);

impl SecondInterface for Local {
    fn send_string_and_notify_done(&mut self, message: String) {
        self.0.borrow_mut().push(message);
    }
    fn notify_done_via_callback(&mut self) {}
}

async fn a_handler_may_stay_on_its_thread(stage: Stage) {
    let Some(local) = &stage.local else { return }; // that it does not compile there is in `mage_tests::refused`
    let (ours, theirs) = stage.node().create_message_pipes();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let mut handler = Local(Rc::clone(&heard));
    let (said, ended) = futures::channel::oneshot::channel();
    local.spawn_local(Box::pin(async move {
        let _ = said.send(Receiver::<dyn SecondInterface>::new(theirs).serve(&mut handler).await);
    }));
    let remote = Remote::<dyn SecondInterface>::new(ours);
    remote.send_string_and_notify_done("to a handler with an Rc").expect("there is room");
    drop(remote);
    ended.await.expect("it was served").expect("an ordinary end");
    assert_eq!(*heard.borrow(), ["to a handler with an Rc"]);
}

// ---- nodes and invitations

async fn nodes_are_values(stage: Stage) {
    let ((inviter, far), (guest, near)) = stage.linked().await;
    serve_echo(&stage, near);
    let remote = Remote::<dyn Echo>::new(far);
    assert_eq!(remote.text("across").await.expect("it answers"), "across");
    assert_eq!((inviter.inspect().ends, guest.inspect().ends), (1, 1));
    // A clone is the same node; and a pipe keeps its node going.
    let clone = inviter.clone();
    drop((inviter, guest));
    assert_eq!(remote.text("still").await.expect("it answers"), "still");
    assert_eq!(clone.inspect().links.len(), 1);
}

async fn one_process_invites_many(stage: Stage) {
    let node = stage.node();
    let puppets: Vec<Puppet> = (0..4).map(|_| Puppet::launch(&stage, CHILD, &node)).collect();
    let pings = join_all(puppets.iter().map(|puppet| puppet.remote.ping())).await;
    assert!(pings.iter().all(Result::is_ok), "{pings:?}");
    assert_eq!(node.inspect().links.len(), 4);
    // And a process may be the guest of several nodes of its own.
    let guests = (stage.linked().await, stage.linked().await);
    assert_eq!((guests.0.0.0.inspect().links.len(), guests.1.0.0.inspect().links.len()), (1, 1));
    for puppet in puppets {
        puppet.finish().await;
    }
}

async fn either_side_may_invite(stage: Stage) {
    let node = stage.node();
    let (process, socket) = Puppet::spawn(&stage, CHILD, role::INVITE).expect("the child starts");
    let pipe = node.accept_invitation(socket).await.expect("the child invites");
    let puppet = Puppet { remote: Remote::<dyn Child>::new(pipe), process };
    puppet.remote.ping().await.expect("it serves");
    let remote = echo_in(&puppet, &node);
    assert_eq!(remote.text("to my inviter").await.expect("it answers"), "to my inviter");
    let (_kept, traveller) = node.create_message_pipes();
    drop(puppet.remote.bounce(traveller).await.expect("it comes back"));
    quiet(&node, &puppet).await;
    puppet.finish().await;
}

async fn a_dead_child_is_noticed(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let remote = echo_in(&puppet, &node);
    assert_eq!(remote.text("alive").await.expect("it answers"), "alive");
    let Puppet { remote: child, mut process } = puppet;
    process.kill().expect("the child can be killed");
    assert_eq!(Remote::closed(&remote).await, Why::PeerDied);
    assert_eq!(Remote::closed(&child).await, Why::PeerDied);
    assert!(node.inspect().links.is_empty() && node.inspect().faults.is_empty(), "dying is no fault");
    process.wait().expect("the child was not waited for");
}

async fn a_dead_parent_is_noticed(stage: Stage) {
    let node = stage.node();
    let mut command = std::process::Command::new(CHILD);
    command.args([stage.flavor.name(), role::SERVE]).stdout(std::process::Stdio::piped());
    let launched = node.launch::<dyn Child>(&mut command).expect("the child starts");
    let mut puppet = Puppet { remote: launched.remote, process: launched.child };
    assert!(puppet.remote.launch_watcher().await.expect("the child answers"), "the grandchild has not come");
    let mut output = puppet.process.stdout.take().expect("it was asked for");
    puppet.kill().await;
    let mut said = String::new();
    output.read_to_string(&mut said).expect("the grandchild ends");
    assert_eq!(said, "PeerDied\n");
}

// ---- large, and not bytes

async fn large_messages(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, theirs) = node.create_message_pipes();
    puppet.remote.mirror(theirs).expect("there is room");
    for mebibytes in [1, 15] {
        let payload: Vec<u8> = (0..mebibytes << 20).map(|number: u32| number.to_le_bytes()[1]).collect();
        ours.ready().await;
        ours.try_send(bytes(&payload)).expect("it is within the limit");
        assert!(
            ours.recv().await.expect("it comes back").bytes == payload,
            "{mebibytes} MiB came back changed"
        );
    }
    let (_kept, carried) = node.create_message_pipes();
    let too_large = RawMessage { bytes: vec![0; (16 << 20) + 1], pipes: vec![carried], handles: Vec::new() };
    let refused = ours.try_send(too_large).expect_err("it is over the limit");
    assert_eq!(refused.kind(), SendErrorKind::TooLarge);
    assert_eq!(refused.into_pipes().len(), 1);
    let pipes = (0..=mage::limits::MESSAGE_PIPES_MAX).map(|_| node.create_message_pipes().0).collect();
    let refused = ours.try_send(RawMessage { pipes, ..RawMessage::default() }).expect_err("too many pipes");
    assert_eq!(refused.kind(), SendErrorKind::TooLarge);
    // A string through an interface is a message like any other.
    let remote = echo_in(&puppet, &node);
    let text = "0123456789abcdef".repeat(1 << 16);
    assert!(remote.text(&text).await.expect("it answers") == text);
    let refused = remote.text(&"x".repeat(17 << 20)).await.expect_err("it is over the limit");
    assert!(
        matches!(&refused, CallError::NotSent(error) if error.kind() == SendErrorKind::TooLarge),
        "{refused}"
    );
    puppet.finish().await;
}

/// A descriptor to send, and what must come out of it.
fn readable(text: &str) -> OwnedFd {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(text.as_bytes()).expect("it fits");
    reader.into()
}

fn read_all(handle: OwnedFd) -> String {
    let mut text = String::new();
    fs::File::from(handle).read_to_string(&mut text).expect("it can be read");
    text
}

async fn mirrored(ours: &MessagePipe, handles: Vec<OwnedFd>) -> Result<Vec<OwnedFd>, SendError> {
    ours.try_send(RawMessage { bytes: b"with handles".to_vec(), handles, ..RawMessage::default() })?;
    Ok(ours.recv().await.expect("it comes back").handles)
}

async fn handles_travel(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, theirs) = node.create_message_pipes();
    puppet.remote.mirror(theirs).expect("there is room");
    let most = mage::limits::MESSAGE_HANDLES_MAX;
    for count in [1, 3, most] {
        let handles = (0..count).map(|number| readable(&number.to_string())).collect();
        let back = mirrored(&ours, handles).await.expect("there is room");
        let texts: Vec<String> = back.into_iter().map(read_all).collect();
        assert_eq!(texts, (0..count).map(|number| number.to_string()).collect::<Vec<_>>());
    }
    let refused = mirrored(&ours, (0..=most).map(|_| readable("")).collect()).await.expect_err("too many");
    assert_eq!(refused.kind(), SendErrorKind::TooLarge);
    assert_eq!(refused.into_parts().1.len(), most + 1);
    // Several messages that leave in one go keep their own handles.
    for number in 0..20 {
        let handles = (0..number % 3).map(|handle| readable(&format!("{number}.{handle}"))).collect();
        ours.try_send(RawMessage { handles, ..RawMessage::default() }).expect("there is room");
    }
    for number in 0..20 {
        let back = ours.recv().await.expect("it comes back").handles;
        let texts: Vec<String> = back.into_iter().map(read_all).collect();
        assert_eq!(texts, (0..number % 3).map(|handle| format!("{number}.{handle}")).collect::<Vec<_>>());
    }
    puppet.finish().await;
}

/// What the descriptors of this process are.
fn open_here() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir("/proc/self/fd").expect("it can be listed");
    entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()).collect()
}

/// The child holds no descriptor after all this that it did not hold before, and this process none that it sent.
async fn handles_leak_nowhere(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let mut sent = BTreeSet::new();
    let mut readable = |text: &str| {
        let handle = readable(text);
        let link = format!("/proc/self/fd/{}", handle.as_raw_fd());
        sent.insert(fs::read_link(link).expect("it is open"));
        handle
    };
    let before = puppet.remote.descriptors().await.expect("the child answers");
    for _ in 0..10 {
        let (ours, theirs) = node.create_message_pipes();
        ours.try_send(RawMessage { handles: vec![readable("unread")], ..RawMessage::default() })
            .expect("there is room");
        let theirs = puppet.remote.bounce(theirs).await.expect("it comes back");
        puppet.remote.mirror(theirs).expect("there is room");
        assert_eq!(ours.recv().await.expect("it comes back").handles.len(), 1);
        mirrored(&ours, vec![readable("a"), readable("b")]).await.expect("there is room");
        // Never read over there: the pipe is closed before its message is asked for.
        let (sender, unread) = node.create_message_pipes();
        sender
            .try_send(RawMessage { handles: vec![readable("unread")], ..RawMessage::default() })
            .expect("there is room");
        puppet.remote.keep(unread).expect("there is room");
        drop(sender);
    }
    quiet(&node, &puppet).await;
    let kept = puppet.remote.descriptors().await.expect("the child answers");
    assert_eq!(kept.lines().count(), before.lines().count() + 10, "{before}\nbecame\n{kept}");
    puppet.remote.let_go().await.expect("the child answers");
    let after = puppet.remote.descriptors().await.expect("the child answers");
    assert_eq!(after.lines().count(), before.lines().count(), "{before}\nbecame\n{after}");
    puppet.finish().await;
    node.shutdown().await;
    assert!(sent.len() > 10 && sent.is_disjoint(&open_here()), "a handle that was sent away is still here");
}

async fn shutdown_sends_everything_first(stage: Stage) {
    let ((inviter, far), (_guest, near)) = stage.linked().await;
    // Its word is behind its acceptance, and until that has come what we send cannot leave.
    near.try_send(bytes(b"here")).expect("there is room");
    far.recv().await.expect("it arrives");
    for number in 0..MANY {
        far.try_send(bytes(number.to_le_bytes())).expect("there is room");
    }
    let (kept, internal) = inviter.create_message_pipes();
    inviter.shutdown().await;
    for number in 0..MANY {
        assert_eq!(near.recv().await.expect("it was sent before").bytes, number.to_le_bytes());
    }
    assert_eq!(near.recv().await.expect_err("the link is closed"), Why::PeerDied);
    assert_eq!(far.recv().await.expect_err("the link is closed"), Why::PeerDied);
    kept.try_send(bytes(b"within the node")).expect("pipes within the node go on");
    assert_eq!(internal.recv().await.expect("it arrives").bytes, b"within the node");
}
