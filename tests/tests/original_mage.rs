//! The 25 tests of the original's `mage_test.cc`, by their names.
//!
//! Where the original counted handles and endpoints, these count pipe ends and proxies; and where it left proxies
//! behind for ever, these see them collapse.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use futures::channel::mpsc;
use futures::{FutureExt, StreamExt};
use mage::{MessagePipe, Node, RawMessage, Receiver, Remote, SendErrorKind, Why};
use mage_tests::fixtures::{
    Callback, CallbackMessage, Child, Echo, FirstInterface, FirstInterfaceMessage, SecondInterface,
};
use mage_tests::words::a_turn;
use mage_tests::{EchoImpl, Puppet, Stage, next, on_every_scheduler, quiet, role, run, text_of};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");

on_every_scheduler! {
    parent_is_inviter_and_receiver
    parent_is_acceptor_and_receiver
    parent_is_acceptor_and_receiver_but_child_blocks_on_acceptance
    send_handle_and_queued_message_over_initial_pipe_01
    send_handle_and_queued_message_over_initial_pipe_02
    send_handle_and_queued_message_over_initial_pipe_05
    send_handle_and_queued_message_over_arbitrary_pipe
    send_invitation_and_receive_queued_endpoints_from_acceptor
    receive_handle_from_remote_node
    child_pass_accept_invitation_pipe_back_to_parent
    child_pass_send_invitation_pipe_back_to_parent
    child_pass_remote_and_receiver_to_parent
    child_pass_remote_and_receiver_to_parent_to_send_endpoint_baring_message_over
    pass_handle_back_and_forth_between_processes
    pass_endpoint_bearing_handle_back_and_forth_between_processes
    in_process_queued_messages_after_receiver_bound
    in_process_queued_messages_before_receiver_bound
    ordering_not_preserved_between_pipes_send_before_receiver_bound
    ordering_not_preserved_between_pipes_send_after_receiver_bound
    ordering_not_preserved_between_pipes_simple
    in_process_cross_thread
    send_message_to_deleted_receiver
    send_handle_to_bound_endpoint
    multi_thread_racy_message_sending_from_same_process
    multi_thread_racy_message_sending_from_remote_process
}

// ---- invitations

/// What the child says by itself, in each of the first tests.
async fn expect_the_childs_call(pipe: MessagePipe) {
    let mut receiver = Receiver::<dyn FirstInterface>::new(pipe);
    match next(&mut receiver).await {
        FirstInterfaceMessage::SendString { message } => assert_eq!(message, "Message from the child"),
        other => panic!("not the string: {other:?}"),
    }
    match next(&mut receiver).await {
        FirstInterfaceMessage::SendMoney { amount, currency } => {
            assert_eq!((amount, currency.as_str()), (1000, "JPY"));
        }
        other => panic!("not the money: {other:?}"),
    }
}

async fn parent_is_inviter_and_receiver(stage: Stage) {
    let node = stage.node();
    let (mut process, pipe) = Puppet::launch_pipe(&stage, CHILD, &node, role::ACCEPT_AND_CALL);
    expect_the_childs_call(pipe).await;
    node.shutdown().await;
    assert!(process.wait().expect("the child can be waited for").success());
}

async fn parent_accepts_from(stage: &Stage, role: &str, first_word: &[u8]) {
    let node = stage.node();
    let (mut process, socket) = Puppet::spawn(stage, CHILD, role).expect("the child starts");
    let pipe = node.accept_invitation(socket).await.expect("the child invites");
    let seen = node.inspect();
    assert_eq!((seen.ends, seen.proxies, seen.links.len()), (1, 0, 1), "{seen}");
    if !first_word.is_empty() {
        pipe.try_send(RawMessage { bytes: first_word.to_vec(), ..RawMessage::default() })
            .expect("there is room");
    }
    expect_the_childs_call(pipe).await;
    node.shutdown().await;
    assert!(process.wait().expect("the child can be waited for").success());
}

async fn parent_is_acceptor_and_receiver(stage: Stage) {
    parent_accepts_from(&stage, role::INVITE_AND_CALL, b"").await;
}

async fn parent_is_acceptor_and_receiver_but_child_blocks_on_acceptance(stage: Stage) {
    parent_accepts_from(&stage, role::INVITE_WAIT_AND_CALL, b"accepted").await;
}

// ---- pipes in messages, with messages in the pipes

/// A callback of ours, and what comes there; the other end of a pipe to a [`SecondInterface`], too.
struct Handles {
    callback: MessagePipe,
    reports: Receiver<dyn Callback>,
    receiver: MessagePipe,
    remote: Remote<dyn SecondInterface>,
}

impl Handles {
    fn new(node: &Node) -> Self {
        let (reports, callback) = node.create_message_pipes();
        let (remote, receiver) = node.create_message_pipes();
        Self { callback, reports: Receiver::new(reports), receiver, remote: Remote::new(remote) }
    }
}

async fn expect_report(reports: &mut Receiver<dyn Callback>, expected: &str) {
    match next(reports).await {
        CallbackMessage::Text { text } => assert_eq!(text, expected),
        other => panic!("not {expected:?}: {other:?}"),
    }
}

/// Says `text`, and sees that it arrives over there.
async fn say(remote: &Remote<dyn SecondInterface>, reports: &mut Receiver<dyn Callback>, text: &str) {
    remote.send_string_and_notify_done(text).expect("there is room");
    expect_report(reports, text).await;
}

/// The handles go to the child, and a message into the second pipe, in either order; later messages arrive, too.
async fn handles_and_message(stage: &Stage, message_first: bool, made_before_invitation: bool) {
    let node = stage.node();
    let early = made_before_invitation.then(|| Handles::new(&node));
    let puppet = Puppet::launch(stage, CHILD, &node);
    let Handles { callback, mut reports, receiver, remote } = early.unwrap_or_else(|| Handles::new(&node));
    if message_first {
        remote.send_string_and_notify_done("queued").expect("there is room");
    }
    puppet.remote.send_handles(callback, receiver).expect("there is room");
    if !message_first {
        remote.send_string_and_notify_done("queued").expect("there is room");
    }
    expect_report(&mut reports, "queued").await;
    say(&remote, &mut reports, "later").await;
    remote.notify_done_via_callback().expect("there is room");
    assert!(matches!(next(&mut reports).await, CallbackMessage::NotifyDone));

    quiet(&node, &puppet).await;
    assert!(Remote::is_direct(&remote));
    assert_eq!(node.inspect().ends, 3); // the child's remote, the reports, the second pipe's remote
    assert_eq!(puppet.census().await, (3, 0));
    puppet.finish().await;
}

async fn send_handle_and_queued_message_over_initial_pipe_01(stage: Stage) {
    handles_and_message(&stage, false, false).await;
}

async fn send_handle_and_queued_message_over_initial_pipe_02(stage: Stage) {
    handles_and_message(&stage, true, false).await;
}

async fn send_handle_and_queued_message_over_initial_pipe_05(stage: Stage) {
    handles_and_message(&stage, true, true).await;
}

/// A message waits in pipe 4, the end of pipe 4 in a message in pipe 3, and pipe 3 is sent over pipe 2, made later.
async fn send_handle_and_queued_message_over_arbitrary_pipe(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    puppet.remote.ping().await.expect("the child is there");

    let (second, second_receiver) = node.create_message_pipes();
    puppet.remote.serve(second_receiver).expect("there is room");
    let second = Remote::<dyn Child>::new(second);

    let (third, third_receiver) = node.create_message_pipes();
    let third = Remote::<dyn Child>::new(third);
    let Handles { callback, mut reports, receiver, remote } = Handles::new(&node);
    remote.send_string_and_notify_done("in the innermost pipe").expect("there is room");
    third.send_handles(callback, receiver).expect("there is room");
    second.serve(third_receiver).expect("there is room");

    expect_report(&mut reports, "in the innermost pipe").await;
    say(&remote, &mut reports, "afterwards").await;
    third.ping().await.expect("the third pipe works, too");

    quiet(&node, &puppet).await;
    assert!(Remote::is_direct(&second) && Remote::is_direct(&third) && Remote::is_direct(&remote));
    puppet.finish().await;
}

async fn send_invitation_and_receive_queued_endpoints_from_acceptor(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let pipe = puppet.remote.make_queued(3).await.expect("the child answers");
    let mut receiver = Receiver::<dyn SecondInterface>::new(pipe);
    for number in 0..3 {
        assert_eq!(text_of(&mut receiver).await, format!("queued {number}"));
    }
    quiet(&node, &puppet).await;
    puppet.finish().await;
}

async fn receive_handle_from_remote_node(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    puppet.remote.ping().await.expect("the child is there");
    assert_eq!(node.inspect().ends, 1);
    let pipe = puppet.remote.make_queued(0).await.expect("the child answers");
    assert_eq!(node.inspect().ends, 2);
    quiet(&node, &puppet).await;
    assert_eq!(puppet.census().await, (2, 0));
    drop(pipe);
    assert_eq!(node.inspect().ends, 1);
    puppet.finish().await;
}

// ---- both ends come to the parent

/// The two ends are in this process now, and talk to each other.
async fn expect_entangled(stage: &Stage, one: MessagePipe, other: MessagePipe) -> Remote<dyn Echo> {
    let remote = Remote::<dyn Echo>::new(one);
    stage.spawn(async move {
        Receiver::<dyn Echo>::new(other).serve(&mut EchoImpl).await.expect("the caller closes its end");
    });
    for text in ["one", "two", "three"] {
        assert_eq!(remote.text(text).await.expect("the other end answers"), text);
    }
    remote
}

/// The child sends the very pipe of the invitation back, over one that it has got through it.
async fn invitation_pipe_comes_back(stage: &Stage, pipe: MessagePipe, node: &Node) {
    let (way, theirs) = node.create_message_pipes();
    pipe.try_send(RawMessage { pipes: vec![theirs], ..RawMessage::default() }).expect("there is room");
    let mut message = way.recv().await.expect("the child sends the pipe");
    let other = message.pipes.pop().expect("a pipe is in it");
    let remote = expect_entangled(stage, pipe, other).await;
    // Only frames of the child can end the last proxy, and no call of ours makes it send one: wait for the pipe to be
    // direct by calling over it.
    while node.inspect().proxies != 0 || !Remote::is_direct(&remote) {
        remote.text("again").await.expect("the other end answers");
        a_turn().await;
    }
    drop(remote);
    drop(way);
}

async fn child_pass_accept_invitation_pipe_back_to_parent(stage: Stage) {
    let node = stage.node();
    let (mut process, pipe) = Puppet::launch_pipe(&stage, CHILD, &node, role::ACCEPT_AND_RETURN);
    invitation_pipe_comes_back(&stage, pipe, &node).await;
    node.shutdown().await;
    assert!(process.wait().expect("the child can be waited for").success());
}

async fn child_pass_send_invitation_pipe_back_to_parent(stage: Stage) {
    let node = stage.node();
    let (mut process, socket) =
        Puppet::spawn(&stage, CHILD, role::INVITE_AND_RETURN).expect("the child starts");
    let pipe = node.accept_invitation(socket).await.expect("the child invites");
    invitation_pipe_comes_back(&stage, pipe, &node).await;
    node.shutdown().await;
    assert!(process.wait().expect("the child can be waited for").success());
}

async fn child_pass_remote_and_receiver_to_parent(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let pair = puppet.remote.make_pipes().await.expect("the child answers");
    let remote = expect_entangled(&stage, pair.first, pair.second).await;
    quiet(&node, &puppet).await;
    assert!(Remote::is_direct(&remote), "it still goes through the child");
    assert_eq!(node.inspect().ends, 3);
    assert_eq!(puppet.census().await, (1, 0));
    puppet.finish().await;
    // The child is gone, and the pipe that it made is not.
    assert_eq!(remote.text("still").await.expect("the other end answers"), "still");
}

async fn child_pass_remote_and_receiver_to_parent_to_send_endpoint_baring_message_over(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let pair = puppet.remote.make_pipes().await.expect("the child answers");
    let (carrier, carried_to) = (pair.first, pair.second);
    assert_eq!(node.inspect().ends, 3);

    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn SecondInterface>::new(ours);
    remote.send_string_and_notify_done("queued").expect("there is room");
    carrier.try_send(RawMessage { pipes: vec![theirs], ..RawMessage::default() }).expect("there is room");
    let arrived = carried_to.recv().await.expect("the message arrives").pipes.pop().expect("with the pipe");
    let mut receiver = Receiver::<dyn SecondInterface>::new(arrived);
    assert_eq!(text_of(&mut receiver).await, "queued");
    remote.send_string_and_notify_done("later").expect("there is room");
    assert_eq!(text_of(&mut receiver).await, "later");

    quiet(&node, &puppet).await;
    assert_eq!(node.inspect().ends, 5);
    assert!(Remote::is_direct(&remote) && carrier.is_direct());
    puppet.finish().await;
}

// ---- back and forth

const BOUNCES: usize = 10;

async fn bounce(puppet: &Puppet, mut pipe: MessagePipe) -> MessagePipe {
    for _ in 0..BOUNCES {
        pipe = puppet.remote.bounce(pipe).await.expect("the child sends it back");
    }
    pipe
}

async fn pass_handle_back_and_forth_between_processes(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, traveller) = node.create_message_pipes();
    let remote = Remote::<dyn SecondInterface>::new(ours);
    remote.send_string_and_notify_done("before").expect("there is room");
    let traveller = bounce(&puppet, traveller).await;
    remote.send_string_and_notify_done("after").expect("there is room");
    let mut receiver = Receiver::<dyn SecondInterface>::new(traveller);
    assert_eq!(text_of(&mut receiver).await, "before");
    assert_eq!(text_of(&mut receiver).await, "after");

    quiet(&node, &puppet).await;
    assert!(Remote::is_direct(&remote));
    assert_eq!((node.inspect().ends, puppet.census().await), (3, (1, 0)));
    puppet.finish().await;
}

async fn pass_endpoint_bearing_handle_back_and_forth_between_processes(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (carrier, traveller) = node.create_message_pipes();
    let traveller = bounce(&puppet, traveller).await;

    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn SecondInterface>::new(ours);
    remote.send_string_and_notify_done("queued").expect("there is room");
    carrier.try_send(RawMessage { pipes: vec![theirs], ..RawMessage::default() }).expect("there is room");
    let arrived = traveller.recv().await.expect("the message arrives").pipes.pop().expect("with the pipe");
    let mut receiver = Receiver::<dyn SecondInterface>::new(arrived);
    assert_eq!(text_of(&mut receiver).await, "queued");

    quiet(&node, &puppet).await;
    assert!(carrier.is_direct() && traveller.is_direct() && Remote::is_direct(&remote));
    puppet.finish().await;
}

// ---- in one process

/// Counts on this very thread.
struct Counter(Rc<Cell<usize>>);

impl SecondInterface for Counter {
    fn send_string_and_notify_done(&mut self, message: String) {
        assert_eq!(message, self.0.get().to_string());
        self.0.set(self.0.get() + 1);
    }

    fn notify_done_via_callback(&mut self) {}
}

const QUEUED: usize = 5;

/// Delivery is never a call: what is sent is handled when the receiver's task has its turn. Both are in one task here,
/// so that turn cannot come by accident.
async fn delivered_in_the_receivers_turn(stage: &Stage, bound_first: bool) {
    let (ours, theirs) = stage.node().create_message_pipes();
    let remote = Remote::<dyn SecondInterface>::new(ours);
    let handled = Rc::new(Cell::new(0));
    let mut counter = Counter(Rc::clone(&handled));
    let serve = Receiver::<dyn SecondInterface>::new(theirs).serve(&mut counter);
    let mut serve = Box::pin(serve);
    if bound_first {
        assert!((&mut serve).now_or_never().is_none());
    }
    for number in 0..QUEUED {
        remote.send_string_and_notify_done(&number.to_string()).expect("there is room");
        assert_eq!(handled.get(), 0, "handled while it was sent");
    }
    drop(remote);
    serve.await.expect("every message is good");
    assert_eq!(handled.get(), QUEUED);
}

async fn in_process_queued_messages_after_receiver_bound(stage: Stage) {
    delivered_in_the_receivers_turn(&stage, true).await;
}

async fn in_process_queued_messages_before_receiver_bound(stage: Stage) {
    delivered_in_the_receivers_turn(&stage, false).await;
}

/// Writes everything into one log, whichever pipe it came through.
#[derive(Clone)]
struct Log(mpsc::UnboundedSender<String>);

impl FirstInterface for Log {
    fn send_string(&mut self, message: String) {
        self.0.unbounded_send(message).expect("the log is read");
    }
    fn send_money(&mut self, amount: i32, _currency: String) {
        self.send_string(amount.to_string());
    }
    fn send_second_interface_receiver(&mut self, _receiver: MessagePipe) {}
    fn send_handles(&mut self, _first: MessagePipe, _second: MessagePipe) {}
}

impl SecondInterface for Log {
    fn send_string_and_notify_done(&mut self, message: String) {
        self.0.unbounded_send(message).expect("the log is read");
    }
    fn notify_done_via_callback(&mut self) {}
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    First,
    Last,
    Between,
}

/// Two pipes to one log. What is promised: everything arrives, each pipe's messages in their order. What is not: any
/// order between the two.
async fn each_pipe_in_order(stage: &Stage, bound: Bound) {
    let node = stage.node();
    let (log, lines) = mpsc::unbounded();
    let log = Log(log);
    let (first, first_end) = node.create_message_pipes();
    let (second, second_end) = node.create_message_pipes();
    let (first, second) =
        (Remote::<dyn FirstInterface>::new(first), Remote::<dyn SecondInterface>::new(second));
    let (first_receiver, second_receiver) =
        (Receiver::<dyn FirstInterface>::new(first_end), Receiver::<dyn SecondInterface>::new(second_end));

    let serve_first = |mut log: Log| {
        stage.spawn(async move { first_receiver.serve(&mut log).await.expect("every message is good") });
    };
    let serve_second = |mut log: Log| {
        stage.spawn(async move { second_receiver.serve(&mut log).await.expect("every message is good") });
    };
    let send = |from: i32| {
        for number in from..from + 5 {
            first.send_string(&format!("first {number}")).expect("there is room");
            second.send_string_and_notify_done(&format!("second {number}")).expect("there is room");
        }
    };
    match bound {
        Bound::First => {
            serve_second(log.clone());
            serve_first(log);
            send(0);
            send(5);
        }
        Bound::Last => {
            send(0);
            send(5);
            serve_second(log.clone());
            serve_first(log);
        }
        Bound::Between => {
            serve_first(log.clone());
            send(0);
            serve_second(log);
            send(5);
        }
    }
    drop((first, second));
    let lines: Vec<String> = lines.collect().await;
    for pipe in ["first", "second"] {
        let arrived: Vec<&String> = lines.iter().filter(|line| line.starts_with(pipe)).collect();
        let sent: Vec<String> = (0..10).map(|number| format!("{pipe} {number}")).collect();
        assert!(arrived.into_iter().eq(&sent), "{lines:?}");
    }
}

async fn ordering_not_preserved_between_pipes_send_before_receiver_bound(stage: Stage) {
    each_pipe_in_order(&stage, Bound::Last).await;
}

async fn ordering_not_preserved_between_pipes_send_after_receiver_bound(stage: Stage) {
    each_pipe_in_order(&stage, Bound::First).await;
}

async fn ordering_not_preserved_between_pipes_simple(stage: Stage) {
    each_pipe_in_order(&stage, Bound::Between).await;
}

/// Says which thread it is called on.
struct WhichThread(mpsc::UnboundedSender<thread::ThreadId>);

impl SecondInterface for WhichThread {
    fn send_string_and_notify_done(&mut self, _message: String) {
        self.0.unbounded_send(thread::current().id()).expect("somebody wants to know");
    }
    fn notify_done_via_callback(&mut self) {}
}

async fn in_process_cross_thread(stage: Stage) {
    let (ours, theirs) = stage.node().create_message_pipes();
    let remote = Remote::<dyn SecondInterface>::new(ours);
    let (say, mut said) = mpsc::unbounded();
    remote.send_string_and_notify_done("queued").expect("there is room");
    let flavor = stage.flavor;
    let worker = thread::spawn(move || {
        let mut handler = WhichThread(say);
        run(flavor, |_stage| async move {
            Receiver::<dyn SecondInterface>::new(theirs)
                .serve(&mut handler)
                .await
                .expect("every message is good");
        });
    });
    assert_eq!(said.next().await, Some(worker.thread().id()));
    for _ in 0..10 {
        remote.send_string_and_notify_done("one more").expect("there is room");
        assert_eq!(said.next().await, Some(worker.thread().id()));
    }
    drop(remote);
    worker.join().expect("the worker ends when the pipe does");
}

async fn send_message_to_deleted_receiver(stage: Stage) {
    let node = stage.node();
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn FirstInterface>::new(ours);
    let receiver = Receiver::<dyn FirstInterface>::new(theirs);
    remote.send_string("never read").expect("there is room");
    drop(receiver);
    let refused = remote.send_string("to nobody").expect_err("nobody is there");
    assert_eq!(refused.kind(), SendErrorKind::Disconnected);
    assert_eq!(Remote::closed(&remote).await, Why::Closed);
    drop(remote);
    assert_eq!(node.inspect().ends, 0);
}

async fn send_handle_to_bound_endpoint(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    // The child's receiver is bound, and has handled something.
    puppet.remote.ping().await.expect("the child is there");
    let (ours, theirs) = node.create_message_pipes();
    puppet.remote.serve_echo(theirs).expect("there is room");
    let remote = Remote::<dyn Echo>::new(ours);
    assert_eq!(remote.text("at once").await.expect("the child answers"), "at once");
    puppet.finish().await;
}

// ---- many threads at once

const THREADS: i32 = 10;
const MESSAGES: i32 = 100;

/// Everything that every thread sent, each thread's in its order.
async fn expect_storm(callback: MessagePipe) {
    let mut receiver = Receiver::<dyn Callback>::new(callback);
    let mut expected = vec![0; THREADS as usize];
    while let Some(message) = receiver.recv().await.expect("every message is good") {
        let CallbackMessage::Value { sender, value } = message else { panic!("not a value: {message:?}") };
        let next = &mut expected[usize::try_from(sender).expect("a thread's number")];
        assert_eq!(value, *next, "of thread {sender}");
        *next += 1;
    }
    assert_eq!(expected, vec![MESSAGES; THREADS as usize]);
}

async fn multi_thread_racy_message_sending_from_same_process(stage: Stage) {
    let (ours, theirs) = stage.node().create_message_pipes();
    let remote = Arc::new(Remote::<dyn Callback>::new(ours));
    let threads: Vec<_> = (0..THREADS)
        .map(|sender| {
            let remote = Arc::clone(&remote);
            thread::spawn(move || {
                for value in 0..MESSAGES {
                    remote.value(sender, value).expect("there is room");
                }
            })
        })
        .collect();
    drop(remote);
    expect_storm(theirs).await;
    for thread in threads {
        thread.join().expect("the thread sends everything");
    }
}

async fn multi_thread_racy_message_sending_from_remote_process(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let (ours, theirs) = node.create_message_pipes();
    puppet.remote.storm(theirs, THREADS, MESSAGES).expect("there is room");
    expect_storm(ours).await;
    puppet.finish().await;
}
