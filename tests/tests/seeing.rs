//! What can be seen of a network: routes, hops, links and queues, as data and as text; and how a child has ended.

use std::future::poll_fn;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::task::Poll;

use mage::{Inspection, PipeState, RawMessage, Remote};
use mage_tests::member::{Fellow, settled};
use mage_tests::words::{a_turn, bytes, heard, invite};
use mage_tests::{Stage, on_every_scheduler};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");

on_every_scheduler! {
    a_route_is_seen_until_it_is_gone
    whoever_is_not_met_yet_is_seen
    what_has_ended_is_seen
    a_child_is_awaited_without_blocking
}

/// How many steps the messages took that wait in the ends of this node.
fn steps(seen: &Inspection) -> Vec<u16> {
    let waiting = seen.pipes.iter().filter(|pipe| pipe.state == PipeState::Open && pipe.unread_messages > 0);
    waiting.map(|pipe| pipe.hops.expect("a message has come").get()).collect()
}

async fn a_route_is_seen_until_it_is_gone(stage: Stage) {
    let (node, friend) = (stage.node(), stage.node());
    let far = Fellow::launch(&stage, CHILD, &node);
    let (to_friend, at_friend) = invite(&node, &friend).await;
    let (end, theirs) = node.create_message_pipes();
    far.put("x", theirs).await;
    assert_eq!(far.remote.recite("x", 0, 1, false).await.expect("it answers"), 1);
    far.direct("x").await;
    settled(&node, &[&far]).await;
    let seen = node.inspect();
    assert_eq!(steps(&seen), [1], "{seen}");
    assert!(seen.routes.is_empty() && seen.awaited.is_empty(), "{seen}");
    let [name, friends_name] =
        [&far.look().await.name, &friend.inspect().names[0].to_string()].map(Clone::clone);

    // Stopped, it cannot be told to send elsewhere: its end is reached through this node.
    far.stop();
    to_friend.try_send(RawMessage { pipes: vec![end], ..RawMessage::default() }).expect("there is room");
    let end = at_friend.recv().await.expect("it comes").pipes.remove(0);
    while friend.inspect().pipes.iter().all(|pipe| pipe.unread_messages == 0) {
        to_friend.try_send(bytes("?")).expect("there is room");
        heard(&at_friend).await;
    }
    assert_eq!(steps(&friend.inspect()), [2], "one step more: {}", friend.inspect());
    let seen = node.inspect();
    assert_eq!((seen.proxies, seen.routes.len()), (1, 1), "{seen}");
    let route = seen.routes[0];
    let named = |node: Option<mage::NodeName>| node.expect("another node").to_string();
    assert_eq!((named(route.from), named(route.to)), (name.clone(), friends_name.clone()));
    assert_eq!((route.places, route.waiting_messages), (1, 0));
    let text = seen.to_string();
    assert!(text.contains(&format!("{name} ──► [1 place, 0 waiting] ──► {friends_name}")), "{text}");
    assert!(!end.is_direct());

    far.go_on();
    settled(&node, &[&far]).await;
    far.direct("x").await;
    assert!(node.inspect().routes.is_empty());
    assert_eq!(heard(&end).await, "0");
    assert_eq!(far.remote.recite("x", 1, 1, false).await.expect("it answers"), 1);
    assert_eq!(heard(&end).await, "1");
    let seen = friend.inspect();
    let hops: Vec<u16> = seen.pipes.iter().filter_map(|pipe| pipe.hops).map(|hops| hops.get()).collect();
    assert!(hops.iter().all(|hops| *hops == 1), "{hops:?} {seen}");
    assert!(end.is_direct());
    assert!(seen.pipes.iter().all(|pipe| pipe.direct && pipe.hears == pipe.peer), "{seen}");
    far.leave().await;
}

async fn whoever_is_not_met_yet_is_seen(stage: Stage) {
    let (process, socket) = Fellow::broker(&stage, CHILD);
    let (node, guest) = (stage.node(), stage.node());
    let pipe = node.accept_invitation(socket).await.expect("the broker invites");
    let broker = Fellow { remote: Remote::new(pipe), process: Some(process) };
    let (to_guest, at_guest) = invite(&node, &guest).await;
    let stranger = Fellow::launch(&stage, CHILD, &node);
    assert!(stranger.answers().await);
    let name = stranger.look().await.name;
    settled(&node, &[&broker, &stranger]).await;
    // Nobody introduces anybody while the broker stands.
    broker.stop();
    let (one, other) = node.create_message_pipes();
    stranger.put("x", other).await;
    to_guest.try_send(RawMessage { pipes: vec![one], ..RawMessage::default() }).expect("there is room");
    let one = at_guest.recv().await.expect("it comes").pipes.remove(0);
    one.try_send(bytes("0")).expect("it can be used at once");
    while !node.inspect().routes.is_empty() {
        assert!(stranger.answers().await);
    }
    // What goes through this node is there, and what comes now waits.
    for text in ["1", "2"] {
        one.try_send(bytes(text)).expect("there is room");
    }
    let seen = guest.inspect();
    let [awaited] = seen.awaited.as_slice() else { panic!("{seen}") };
    assert_eq!(awaited.peer.to_string(), name);
    // The first one has gone through, or waits with them.
    assert!((2..=3).contains(&awaited.waiting_frames), "{seen}");
    let waiting = format!("{name}: not met yet, {} frames waiting", awaited.waiting_frames);
    assert!(seen.to_string().contains(&waiting), "{seen}");
    // Whoever left now would take with it what waits.
    let mut drained = Box::pin(guest.drain());
    let pending = poll_fn(|context| Poll::Ready(drained.as_mut().poll(context).is_pending())).await;
    assert!(pending, "{}", guest.inspect());
    broker.go_on();
    drained.await;
    assert_eq!(stranger.remote.listen("x", 0, 3).await.expect("it answers").heard, 3);
    assert!(guest.inspect().awaited.is_empty());
    stranger.leave().await;
    broker.leave().await;
}

async fn what_has_ended_is_seen(stage: Stage) {
    let ((_inviter, far), (node, near)) = stage.linked().await;
    let (_first, _second) = node.create_message_pipes();
    far.try_send(bytes("last words")).expect("there is room");
    drop(far);
    while node.inspect().pipes.iter().all(|pipe| pipe.ended.is_none()) {
        a_turn().await;
    }
    let seen = node.inspect().to_string();
    assert!(seen.contains("within this node: 2 ends") && seen.contains("ended: 1 end, 1 unread"), "{seen}");
    assert_eq!(heard(&near).await, "last words");
}

async fn a_child_is_awaited_without_blocking(stage: Stage) {
    let node = stage.node();
    // What it is told leaves only while this thread runs the scheduler.
    let mut leaves = Fellow::launch(&stage, CHILD, &node);
    let mut child = leaves.process.take().expect("a child of ours");
    leaves.remote.leave().expect("there is room");
    assert!(node.wait(&mut child).await.expect("it can be awaited").success());
    assert!(node.wait(&mut child).await.expect("it is known").success());
    // Given up and taken up again; stopped is not ended.
    let mut killed = Fellow::launch(&stage, CHILD, &node);
    assert!(killed.answers().await);
    killed.stop();
    let mut child = killed.process.take().expect("a child of ours");
    for _ in 0..3 {
        let mut waiting = pin!(node.wait(&mut child));
        let pending = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await;
        assert!(pending, "it stands there");
    }
    child.kill().expect("it can be killed");
    let status = node.wait(&mut child).await.expect("it can be awaited");
    assert_eq!(status.signal(), Some(9));
}
