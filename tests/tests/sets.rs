//! Sets of receivers and of remotes, receivers that own what they call, and services by name.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::channel::oneshot;
use futures::future::join;
use futures::{FutureExt, StreamExt};
use mage::{
    BadMessage, BinderMap, Dispatch, EndId, MessagePipe, Node, PendingReceiver, RawMessage, Receiver,
    ReceiverSet, RecvError, Remote, RemoteSet, SendErrorKind, SetEvent, Why,
};
use mage_tests::fixtures::{Callback, CallbackMessage, Echo, SecondInterface};
use mage_tests::{EchoImpl, Stage, next, on_every_scheduler, text_of};
use static_assertions::assert_impl_all;

on_every_scheduler! {
    one_handler_for_many_ends
    a_loud_end_does_not_silence_the_others
    a_bad_end_leaves_and_the_others_stay
    a_panic_costs_the_end_whose_message_it_was
    ends_come_and_go_while_a_set_is_served
    a_set_that_is_gone_gives_back
    what_is_taken_out_keeps_its_messages
    a_broadcast_reaches_all_and_drops_the_gone
    a_set_hears_of_each_disconnect
    a_self_owned_handler_goes_with_its_pipe
    services_by_name
}

assert_impl_all!(ReceiverSet<dyn Callback, String>: Send, Sync);
assert_impl_all!(RemoteSet<dyn Callback>: Send, Sync);
assert_impl_all!(BinderMap: Send);

/// A set with so many ends, each with its number as context, and the remotes.
fn set_of(node: &Node, count: i32) -> (ReceiverSet<dyn Callback, i32>, Vec<Remote<dyn Callback>>) {
    let mut set = ReceiverSet::new();
    let remotes = (0..count).map(|number| {
        let (ours, theirs) = node.create_message_pipes();
        set.add(Receiver::new(theirs), number);
        Remote::new(ours)
    });
    let remotes = remotes.collect();
    (set, remotes)
}

/// Adds up what it is told, and counts who has left.
#[derive(Default)]
struct Sum {
    values: i32,
    left: Vec<(i32, Result<(), RecvError>)>,
}

impl Callback for Sum {
    fn notify_done(&mut self) {
        panic!("the test wants this panic");
    }

    fn text(&mut self, _text: String) {}

    fn value(&mut self, _sender: i32, value: i32) {
        self.values += value;
    }
}

impl Sum {
    fn leave(&mut self, _id: EndId, context: i32, result: Result<(), RecvError>) {
        self.left.push((context, result));
    }
}

async fn one_handler_for_many_ends(stage: Stage) {
    let ((_near, ours), (_far, theirs)) = stage.linked().await;
    let node = stage.node();
    let (mut set, remotes) = set_of(&node, 3);
    let across = set.add(Receiver::new(theirs), 3);
    assert_eq!(set.context_mut(across), Some(&mut 3));
    for (number, remote) in remotes.iter().enumerate() {
        for value in 0..100 {
            remote.value(i32::try_from(number).expect("small"), value).expect("there is room");
        }
    }
    Remote::<dyn Callback>::new(ours).value(3, 50).expect("there is room");
    drop(remotes);
    let mut sum = Sum::default();
    set.serve(&mut sum, Sum::leave).await;
    assert_eq!(sum.values, 3 * 4950 + 50);
    sum.left.sort_by_key(|(context, _)| *context);
    assert_eq!(sum.left, [0, 1, 2, 3].map(|context| (context, Ok(()))));
}

async fn a_loud_end_does_not_silence_the_others(stage: Stage) {
    let node = stage.node();
    let (mut set, remotes) = set_of(&node, 10);
    for _ in 0..500 {
        remotes[0].value(0, 0).expect("there is room");
    }
    for remote in &remotes[1..] {
        remote.value(1, 0).expect("there is room");
        remote.value(1, 1).expect("there is room");
    }
    // Each has said all that it has to say before the loud one has said a third thing.
    let mut said = [0; 10];
    for _ in 0..20 {
        let Some(SetEvent::Message { context, .. }) = set.next().await else { panic!("no message") };
        said[usize::try_from(*context).expect("small")] += 1;
    }
    assert_eq!(said, [2; 10]);
}

async fn a_bad_end_leaves_and_the_others_stay(stage: Stage) {
    let node = stage.node();
    let (mut set, remotes) = set_of(&node, 1);
    let (bad, theirs) = node.create_message_pipes();
    set.add(Receiver::new(theirs), 7);
    bad.try_send(RawMessage { bytes: b"no header".to_vec(), ..RawMessage::default() })
        .expect("there is room");
    let handle = set.handle();
    let mut sum = Sum::default();
    {
        let serving = set.serve(&mut sum, Sum::leave);
        let talking = async {
            assert_eq!(bad.recv().await.map(drop), Err(Why::Rejected));
            remotes[0].value(0, 5).expect("there is room");
            drop((remotes, handle));
        };
        join(serving, talking).await;
    }
    assert_eq!(sum.values, 5);
    assert_eq!(sum.left[0], (7, Err(RecvError::BadMessage(BadMessage::Truncated))));
    assert_eq!(sum.left[1], (0, Ok(())));
}

async fn a_panic_costs_the_end_whose_message_it_was(stage: Stage) {
    let (mut set, remotes) = set_of(&stage.node(), 2);
    remotes[0].notify_done().expect("there is room");
    remotes[0].value(0, 100).expect("there is room");
    remotes[1].value(1, 1).expect("there is room");
    let handler = &mut Sum::default();
    {
        let serving = set.serve(handler, Sum::leave);
        let talking = async {
            Remote::closed(&remotes[0]).await;
            drop(remotes);
        };
        join(serving, talking).await;
    }
    assert_eq!(handler.values, 1);
    assert_eq!(handler.left, [(0, Err(RecvError::HandlerPanicked)), (1, Ok(()))]);
}

async fn ends_come_and_go_while_a_set_is_served(stage: Stage) {
    let node = stage.node();
    let mut set = ReceiverSet::<dyn Callback, i32>::new();
    let handle = set.handle();
    let (done, served) = oneshot::channel();
    stage.spawn(async move {
        let mut sum = Sum::default();
        set.serve(&mut sum, Sum::leave).await;
        let _ = done.send((sum, set.next().await.is_none()));
    });
    let clients: Vec<_> = (1..=5)
        .map(|number| {
            let (ours, theirs) = node.create_message_pipes();
            let handle = handle.clone();
            stage.spawn(async move {
                handle.add(Receiver::new(theirs), number).expect("the set is served");
            });
            Remote::<dyn Callback>::new(ours)
        })
        .collect();
    for client in &clients {
        client.value(0, 1).expect("there is room");
    }
    let (ours, theirs) = node.create_message_pipes();
    let removed = Remote::<dyn Callback>::new(ours);
    let id = handle.add(Receiver::new(theirs), 6).expect("the set is served");
    handle.remove(id);
    assert_eq!(Remote::closed(&removed).await, Why::Closed);
    drop((clients, handle));
    let (mut sum, is_at_its_end) = served.await.expect("it ends");
    assert_eq!(sum.values, 5);
    sum.left.sort_by_key(|(context, _)| *context);
    assert_eq!(sum.left, [1, 2, 3, 4, 5].map(|context| (context, Ok(()))));
    assert!(is_at_its_end);
}

async fn a_set_that_is_gone_gives_back(stage: Stage) {
    let node = stage.node();
    let mut set = ReceiverSet::<dyn Callback>::new();
    let handle = set.handle();
    let pair = || node.create_message_pipes();
    let ((waiting, theirs), (ours, returned)) = (pair(), pair());
    handle.add(Receiver::new(theirs), ()).expect("the set is there");
    drop(set);
    // What waited to be added is closed with the set.
    assert_eq!(waiting.recv().await.map(drop), Err(Why::Closed));
    let (receiver, ()) = handle.add(Receiver::new(returned), ()).expect_err("the set is gone");
    Remote::<dyn Callback>::new(ours).value(1, 2).expect("there is room");
    let mut receiver = receiver;
    assert!(matches!(next(&mut receiver).await, CallbackMessage::Value { sender: 1, value: 2 }));
}

async fn what_is_taken_out_keeps_its_messages(stage: Stage) {
    let node = stage.node();
    let mut set = ReceiverSet::<dyn Callback>::new();
    let (ours, theirs) = node.create_message_pipes();
    let remote = Remote::<dyn Callback>::new(ours);
    let id = set.add(Receiver::new(theirs), ());
    for value in 0..3 {
        remote.value(0, value).expect("there is room");
    }
    let Some(SetEvent::Message { message, .. }) = set.next().await else { panic!("no message") };
    message.dispatch(&mut Sum::default());
    let (mut receiver, ()) = set.remove(id).expect("it is there");
    assert!(set.remove(id).is_none());
    assert!(set.next().await.is_none(), "there is nothing left to wait for");
    for expected in 1..3 {
        let CallbackMessage::Value { value, .. } = next(&mut receiver).await else { panic!("no value") };
        assert_eq!(value, expected);
    }
}

async fn a_broadcast_reaches_all_and_drops_the_gone(stage: Stage) {
    let node = stage.node_with(mage::Limits { window_messages: 2, ..mage::Limits::default() });
    let mut set = RemoteSet::<dyn Callback>::new();
    let mut receivers = Vec::new();
    let ids: Vec<EndId> = (0..3)
        .map(|_| {
            let (ours, theirs) = node.create_message_pipes();
            receivers.push(Receiver::<dyn Callback>::new(theirs));
            set.add(Remote::new(ours))
        })
        .collect();
    for _ in 0..2 {
        assert!(set.broadcast(|remote| remote.text("to all")).is_empty());
    }
    for receiver in &mut receivers[1..] {
        for _ in 0..2 {
            next(receiver).await;
        }
    }
    drop(receivers.pop());
    let failed = set.broadcast(|remote| remote.text("more"));
    let kinds: Vec<_> = failed.iter().map(|(id, error)| (*id, error.kind())).collect();
    assert_eq!(kinds, [(ids[0], SendErrorKind::Full), (ids[2], SendErrorKind::Disconnected)]);
    assert_eq!(set.iter().map(|(id, _)| id).collect::<Vec<_>>(), ids[..2]);
    assert!(set.get(ids[2]).is_none());
}

async fn a_set_hears_of_each_disconnect(stage: Stage) {
    let ((_near, ours), (far, theirs)) = stage.linked().await;
    let node = stage.node();
    let mut set = RemoteSet::<dyn Callback>::new();
    assert_eq!(set.disconnected().await, None);
    let across = set.add(Remote::new(ours));
    let (ours, local) = node.create_message_pipes();
    let near = set.add(Remote::new(ours));
    assert!(set.disconnected().now_or_never().is_none());
    drop(local);
    assert_eq!(set.disconnected().await, Some((near, Why::Closed)));
    far.shutdown().await;
    drop(theirs);
    let (id, why) = set.disconnected().await.expect("one is left");
    assert_eq!(id, across);
    assert!(matches!(why, Why::Closed | Why::PeerDied), "{why}");
    assert_eq!(set.disconnected().await, None);
}

/// Says when it is dropped.
struct Owned(Arc<AtomicBool>, Option<oneshot::Sender<()>>);

impl SecondInterface for Owned {
    fn send_string_and_notify_done(&mut self, _message: String) {}
    fn notify_done_via_callback(&mut self) {}
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        let _ = self.1.take().map(|dropped| dropped.send(()));
    }
}

async fn a_self_owned_handler_goes_with_its_pipe(stage: Stage) {
    let (ours, theirs) = stage.node().create_message_pipes();
    let is_dropped = Arc::new(AtomicBool::new(false));
    let (dropped, was_dropped) = oneshot::channel();
    let handler = Owned(Arc::clone(&is_dropped), Some(dropped));
    Receiver::<dyn SecondInterface>::new(theirs).spawn(&*stage.scheduler, handler);
    let remote = Remote::<dyn SecondInterface>::new(ours);
    remote.send_string_and_notify_done("it lives").expect("there is room");
    Remote::ready(&remote).await;
    assert!(!is_dropped.load(Ordering::SeqCst));
    drop(remote);
    was_dropped.await.expect("it is told");
    assert!(is_dropped.load(Ordering::SeqCst));
}

async fn services_by_name(stage: Stage) {
    let node = stage.node();
    let mut services = BinderMap::new();
    let scheduler = Arc::clone(&stage.scheduler);
    services.add(move |receiver: PendingReceiver<dyn Echo>| receiver.bind().spawn(&*scheduler, EchoImpl));
    let (sender, mut strings) = futures::channel::mpsc::unbounded();
    services.add_named("strings", move |receiver: PendingReceiver<dyn SecondInterface>| {
        let _ = sender.unbounded_send(receiver.bind());
    });
    assert_eq!(services.names().collect::<Vec<_>>(), ["Echo", "strings"]);

    // What is called before it is bound waits.
    let (ours, theirs) = node.create_message_pipes();
    let answer = Remote::<dyn Echo>::new(ours).text("early");
    services.bind_pending(PendingReceiver::<dyn Echo>::new(theirs)).expect("it is offered");
    assert_eq!(answer.await.expect("it answers"), "early");

    let (ours, theirs) = node.create_message_pipes();
    services.bind("strings", theirs).expect("it is offered");
    Remote::<dyn SecondInterface>::new(ours).send_string_and_notify_done("named").expect("there is room");
    let mut bound = strings.next().now_or_never().flatten().expect("it was bound at once");
    assert_eq!(text_of(&mut bound).await, "named");

    let (ours, theirs): (MessagePipe, MessagePipe) = node.create_message_pipes();
    let unknown = services.bind("Echo ", theirs).expect_err("it is not offered");
    assert_eq!(unknown.to_string(), "there is no service called \"Echo \"");
    drop(unknown);
    assert_eq!(ours.recv().await.map(drop), Err(Why::Closed));
    assert!(services.remove("Echo"));
    let (_ours, theirs) = node.create_message_pipes();
    assert_eq!(services.bind("Echo", theirs).expect_err("it was taken back").name, "Echo");
}
