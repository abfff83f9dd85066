//! Being in a network: leaving one for another, hearing that it has lost its broker, and an entry that comes to nothing.

use std::future::poll_fn;
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::task::Poll;

use futures::future::{Either, select};
use mage::{InvitationError, Node, RawMessage, Remote, SendErrorKind, Why};
use mage_tests::directory::Directory;
use mage_tests::member::{Fellow, file_of, settled, text_in};
use mage_tests::raw::{self, RawPeer};
use mage_tests::waits::kept_wakers;
use mage_tests::words::{a_turn, bytes, end_of, heard, invite};
use mage_tests::{Stage, on_every_scheduler};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");

on_every_scheduler! {
    a_process_leaves_and_joins_another
    a_node_leaves_and_comes_back
    a_broker_leaves_its_network
    what_is_under_way_when_a_node_leaves
    a_lost_broker_is_told_to_whoever_asks
    members_hear_that_the_broker_is_lost
    an_entry_that_fails_changes_nothing
    an_entry_that_is_given_up_changes_nothing
    an_entry_that_drags_on_holds_up_no_other
    a_shutdown_is_final
    waits_that_are_given_up_leave_nothing_behind
}

/// Polls once.
async fn polled<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    let mut future = Some(future);
    poll_fn(|context| Poll::Ready(future.take().expect("polled once").poll(context))).await
}

/// A node is as if it had never met anybody.
fn expect_new(node: &Node) {
    let seen = node.inspect();
    assert!(seen.names.is_empty() && seen.links.is_empty() && seen.proxies == 0, "{seen}");
}

// ---- leaving

async fn a_process_leaves_and_joins_another(stage: Stage) {
    let directory = Directory::new();
    let path = directory.service();
    let (first, second) = (stage.node(), stage.node());
    let [mover, left] = [(); 2].map(|()| Fellow::launch(&stage, CHILD, &first));
    let resident = Fellow::launch(&stage, CHILD, &second);
    let mut service = second.listen(&path).expect("the path is free");
    // Pipes from the mover to each of the first network, one of them with something unread.
    let (ours, theirs) = first.create_message_pipes();
    mover.put("home", theirs).await;
    ours.try_send(bytes("0")).expect("there is room");
    let (one, other) = first.create_message_pipes();
    mover.put("friend", one).await;
    left.put("friend", other).await;
    assert_eq!(mover.remote.recite("friend", 0, 5, true).await.expect("it answers"), 5);
    assert_eq!(left.remote.recite("friend", 0, 5, true).await.expect("it answers"), 5);
    mover.direct("friend").await;
    settled(&first, &[&mover, &left]).await;
    while mover.look().await.unread < 6 || left.look().await.unread < 5 {}

    mover.remote.migrate(path.to_str().expect("a plain path")).expect("there is room");
    let moved = service.accept().await.expect("it comes").admit().expect("it can be invited");
    let moved = Fellow { remote: Remote::new(moved), process: None };
    let seen = moved.look().await;
    assert_eq!((seen.links, seen.broker, seen.proxies), (1, true, 0), "it is nowhere else");
    // What had arrived is read; behind it is why nothing more will come.
    assert_eq!(moved.remote.listen("home", 0, 1).await.expect("it answers").heard, 1);
    let unread = moved.remote.listen("friend", 0, 5).await.expect("it answers");
    assert_eq!((unread.heard, unread.files), (5, 2));
    for name in ["home", "friend"] {
        assert_eq!(moved.remote.end(name).await.expect("it answers"), "Left");
    }
    // Those it has left read what it had said, and go on.
    assert_eq!(left.remote.listen("friend", 0, 5).await.expect("it answers").heard, 5);
    assert_eq!(left.remote.end("friend").await.expect("it answers"), "PeerDied");
    assert_eq!(end_of(&ours).await, Why::PeerDied);
    Remote::closed(&mover.remote).await;
    assert!(left.answers().await && first.inspect().links.len() == 1);
    // It meets strangers in its new network as anybody does.
    let (one, other) = second.create_message_pipes();
    moved.put("x", one).await;
    resident.put("x", other).await;
    resident.remote.mirror("x").expect("there is room");
    assert_eq!(moved.remote.converse("x", 100).await.expect("it answers"), 100);
    moved.direct("x").await;
    settled(&second, &[&moved, &resident]).await;
    assert_eq!(moved.look().await.links, 2);
    moved.leave().await;
    left.leave().await;
    resident.leave().await;
}

async fn a_node_leaves_and_comes_back(stage: Stage) {
    let (broker, guest) = (stage.node(), stage.node());
    let (within, other) = guest.create_message_pipes();
    let mut kept = Vec::new();
    for round in 0..5_usize {
        // The broker counts from one each time, and what it has made before is still held.
        let (ours, theirs) = invite(&broker, &guest).await;
        let (near, far) = broker.create_message_pipes();
        for text in ["unread", "too"] {
            ours.try_send(bytes(text)).expect("there is room");
        }
        ours.try_send(RawMessage { pipes: vec![far], handles: vec![file_of("a file")], ..bytes("brought") })
            .expect("there is room");
        near.try_send(bytes("in the pipe that was brought")).expect("there is room");
        theirs.try_send(bytes("said before leaving")).expect("there is room");
        // A whole round trip in front of the last message, so that all of it has arrived.
        assert_eq!(heard(&theirs).await, "unread");
        assert_eq!(heard(&ours).await, "said before leaving");
        assert_eq!(guest.inspect().names.len(), 1);
        near.try_send(bytes("behind")).expect("there is room");
        while guest.inspect().pipes.iter().map(|pipe| pipe.unread_messages).sum::<u64>()
            < 4 + 4 * round as u64
        {
            theirs.try_send(bytes("here?")).expect("there is room");
            assert_eq!(heard(&ours).await, "here?");
        }
        guest.leave().await.expect("there are random numbers");
        expect_new(&guest);
        assert_eq!(end_of(&ours).await, Why::PeerDied);
        assert_eq!(end_of(&near).await, Why::PeerDied);
        let refused = theirs.try_send(bytes("too late")).expect_err("nobody is there");
        assert_eq!(refused.kind(), SendErrorKind::Disconnected);
        kept.push((theirs, near));
    }
    // An end that has not been read to its end may travel on in the next network.
    let (ours, theirs) = invite(&broker, &guest).await;
    let (travels, _) = kept.pop().expect("there are five");
    theirs.try_send(RawMessage { pipes: vec![travels], ..bytes("an old one") }).expect("it is of no network");
    let old = ours.recv().await.expect("it arrives").pipes.remove(0);
    for (theirs, _) in kept.into_iter().chain([(old, within)]) {
        assert_eq!(heard(&theirs).await, "too");
        let mut brought = theirs.recv().await.expect("it has arrived");
        assert_eq!(text_in(brought.handles.remove(0)), "a file");
        let brought = brought.pipes.remove(0);
        assert_eq!(heard(&brought).await, "in the pipe that was brought");
        assert_eq!(heard(&brought).await, "behind");
        for pipe in [&brought, &theirs] {
            assert_eq!(end_of(pipe).await, Why::Left);
        }
    }
    // What both ends of which are here was never in a network.
    drop(other);
    assert!(broker.inspect().faults.is_empty() && guest.inspect().faults.is_empty());
}

async fn a_broker_leaves_its_network(stage: Stage) {
    let node = stage.node();
    let [one, other] = [(); 2].map(|()| Fellow::launch(&stage, CHILD, &node));
    let (first, second) = node.create_message_pipes();
    one.put("x", first).await;
    other.put("x", second).await;
    one.direct("x").await;
    other.direct("x").await;
    settled(&node, &[&one, &other]).await;
    let (mine, yours) = node.create_message_pipes();
    mine.try_send(bytes("within")).expect("there is room");
    node.leave().await.expect("there are random numbers");
    expect_new(&node);
    assert_eq!(Remote::closed(&one.remote).await, Why::Left);
    // Pipes within the node go on, and it may found another network.
    assert_eq!(heard(&yours).await, "within");
    let again = Fellow::launch(&stage, CHILD, &node);
    again.put("y", yours).await;
    again.remote.mirror("y").expect("there is room");
    mine.try_send(bytes("to another network")).expect("there is room");
    assert_eq!(heard(&mine).await, "to another network");
    again.leave().await;
}

async fn what_is_under_way_when_a_node_leaves(stage: Stage) {
    let node = stage.node();
    // An invitation that nobody has accepted, with a queue; a stopped member; an acceptance that waits.
    let (unaccepted, _theirs) = UnixStream::pair().expect("a socket pair");
    let invited = node.send_invitation(unaccepted).expect("a stream socket");
    let (near, far) = node.create_message_pipes();
    invited.try_send(RawMessage { pipes: vec![far], ..RawMessage::default() }).expect("there is room");
    let stopped = Fellow::launch(&stage, CHILD, &node);
    assert!(stopped.answers().await);
    stopped.signal(rustix::process::Signal::STOP);
    let (_silent, socket) = UnixStream::pair().expect("a socket pair");
    let mut accepting = pin!(node.accept_invitation(socket));
    assert!(polled(accepting.as_mut()).await.is_pending());
    node.leave().await.expect("there are random numbers");
    expect_new(&node);
    assert_eq!(end_of(&invited).await, Why::Left);
    assert_eq!(end_of(&near).await, Why::Closed, "it waited in a message that nobody will read");
    assert_eq!(Remote::closed(&stopped.remote).await, Why::Left);
    assert!(matches!(accepting.await, Err(InvitationError::Left)));
    stopped.signal(rustix::process::Signal::CONT);
    let (ours, theirs) = invite(&stage.node(), &node).await;
    drop(theirs);
    assert_eq!(end_of(&ours).await, Why::Closed);
}

// ---- the broker

async fn a_lost_broker_is_told_to_whoever_asks(stage: Stage) {
    let (broker, guest) = (stage.node(), stage.node());
    let waits = guest.clone();
    let mut lost = pin!(waits.broker_lost());
    assert!(polled(lost.as_mut()).await.is_pending(), "it is in no network");
    let (_ours, theirs) = invite(&broker, &guest).await;
    assert!(polled(lost.as_mut()).await.is_pending());
    assert!(polled(pin!(broker.broker_lost())).await.is_pending(), "it is the broker");
    broker.shutdown().await;
    lost.await;
    guest.broker_lost().await;
    assert_eq!(end_of(&theirs).await, Why::PeerDied);
    // It may look for another.
    guest.leave().await.expect("there are random numbers");
    assert!(polled(pin!(guest.broker_lost())).await.is_pending(), "there is none to lose");
    let another = stage.node();
    let (_ours, theirs) = invite(&another, &guest).await;
    let lost = pin!(guest.broker_lost());
    let Either::Left(..) = select(pin!(async { another.shutdown().await }), lost).await else {
        return assert_eq!(end_of(&theirs).await, Why::PeerDied);
    };
    guest.broker_lost().await;
}

async fn members_hear_that_the_broker_is_lost(stage: Stage) {
    // The broker is another process.
    let (process, socket) = Fellow::broker(&stage, CHILD);
    let node = stage.node();
    let pipe = node.accept_invitation(socket).await.expect("the broker invites");
    let broker = Fellow { remote: Remote::new(pipe), process: Some(process) };
    let [one, other, third] = [(); 3].map(|()| Fellow::launch(&stage, CHILD, &node));
    let (first, second) = node.create_message_pipes();
    one.put("x", first).await;
    other.put("x", second).await;
    other.remote.mirror("x").expect("there is room");
    assert_eq!(one.remote.converse("x", 1).await.expect("it answers"), 1);
    one.direct("x").await;
    other.direct("x").await;
    assert!(third.answers().await);
    settled(&node, &[&one, &other, &third, &broker]).await;
    let told = [&one, &other, &third].map(|fellow| fellow.remote.broker_lost());
    assert!(one.answers().await && other.answers().await && third.answers().await, "they wait");
    broker.kill().await;
    // The kernel's hang-up is all that there is: nothing is sent to anybody meanwhile.
    for told in told {
        told.await.expect("it answers");
    }
    node.broker_lost().await;
    // Who has met goes on, who has not does not meet any more, and is told so at once.
    assert_eq!(one.remote.converse("x", 100).await.expect("it answers"), 100);
    let (first, second) = node.create_message_pipes();
    one.put("y", first).await;
    third.put("y", second).await;
    for fellow in [&one, &third] {
        let why = fellow.remote.end("y").await.expect("it answers");
        assert!(["Unreachable", "PeerDied"].contains(&why.as_str()), "{why}");
    }
    assert_eq!(third.look().await.links, 1);
    for fellow in [one, other, third] {
        fellow.leave().await;
    }
}

// ---- an entry that comes to nothing

/// A welcome, and why it is none.
fn unwelcoming() -> [(Vec<u8>, &'static str); 5] {
    let good = raw::welcome(&[raw::descriptor(1)]);
    let mut nameless = good.clone();
    nameless[8 + 2 + 1..][..16].fill(0);
    let mut foreign_broker = good.clone();
    foreign_broker[8 + 2 + 1 + 32..][..16].fill(0xcc);
    [
        (raw::welcome(&[]), "it brings no pipe"),
        (raw::welcome(&[raw::descriptor(2), raw::descriptor(2)]), "two ends have one name"),
        (raw::welcome(&[raw::descriptor(2), raw::descriptor(1)]), "numbers that fall"),
        (nameless, "a guest without a name"),
        (foreign_broker, "a broker without a socket"),
    ]
}

async fn an_entry_that_fails_changes_nothing(stage: Stage) {
    let guest = stage.node();
    for (welcome, what) in unwelcoming() {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let mut peer = RawPeer::new(&*stage.scheduler, ours);
        peer.write(&[raw::invites(), welcome].concat()).await.expect("it listens");
        let error = guest.accept_invitation(theirs).await.expect_err(what);
        assert!(matches!(error, InvitationError::Misbehaved(_) | InvitationError::NoPipe), "{what}: {error}");
        expect_new(&guest);
        assert_eq!(guest.inspect().ends, 0, "{what}");
    }
    // And a welcome whose link to the broker is no socket.
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut peer = RawPeer::new(&*stage.scheduler, ours);
    let mut welcome = raw::welcome(&[raw::descriptor(1)]);
    welcome[8 + 2 + 1 + 32..][..16].fill(0xcc);
    welcome[6] = 1;
    let file = file_of("no socket");
    peer.write(&raw::invites()).await.expect("it listens");
    peer.write_with(&welcome, &[std::os::fd::AsFd::as_fd(&file)]).await.expect("it listens");
    let error = guest.accept_invitation(theirs).await.expect_err("there is no way to the broker");
    assert!(matches!(error, InvitationError::Misbehaved(mage::PeerMisbehaved::NotASocket)), "{error}");
    expect_new(&guest);
    // It may join a network all the same, and its own guests with it.
    let broker = stage.node();
    let (ours, theirs) = invite(&broker, &guest).await;
    assert!(guest.inspect().links[0].is_broker, "it is a member, not in isolation");
    let (_, below) = invite(&guest, &stage.node()).await;
    ours.try_send(bytes("to the guest")).expect("there is room");
    assert_eq!(heard(&theirs).await, "to the guest");
    drop(below);
}

async fn an_entry_that_is_given_up_changes_nothing(stage: Stage) {
    let broker = stage.node();
    let guest = stage.node();
    for polls in 0..40 {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let pipe = broker.send_invitation(ours).expect("a stream socket");
        let (near, far) = broker.create_message_pipes();
        pipe.try_send(RawMessage { pipes: vec![far], ..RawMessage::default() }).expect("there is room");
        // Given up after any number of steps of the handshake, the last of which may have let it in.
        let mut accepted = None;
        {
            let mut accepting = pin!(guest.accept_invitation(theirs));
            for _ in 0..polls {
                if let Poll::Ready(result) = polled(accepting.as_mut()).await {
                    accepted = Some(result.expect("it invites"));
                    break;
                }
                a_turn().await;
            }
        }
        if let Some(pipe) = accepted {
            drop(pipe);
            guest.leave().await.expect("there are random numbers");
        }
        assert_ne!(end_of(&near).await, Why::Left);
        end_of(&pipe).await;
        // Its driver may be on another thread, and in the middle of it.
        while !guest.inspect().links.is_empty() || guest.inspect().ends != 0 {
            a_turn().await;
        }
        expect_new(&guest);
    }
    let (ours, theirs) = invite(&broker, &guest).await;
    theirs.try_send(bytes("in the end")).expect("there is room");
    assert_eq!(heard(&ours).await, "in the end");
    assert!(broker.inspect().faults.is_empty() && guest.inspect().faults.is_empty());
}

async fn an_entry_that_drags_on_holds_up_no_other(stage: Stage) {
    let (broker, guest) = (stage.node(), stage.node());
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut endless = pin!(guest.accept_invitation(theirs));
    assert!(polled(endless.as_mut()).await.is_pending());
    let (there, here) = invite(&broker, &guest).await;
    assert!(guest.inspect().links[0].is_broker, "it is a member, not in isolation");
    let (below, above) = invite(&guest, &stage.node()).await;
    below.try_send(bytes("to the guest's guest")).expect("there is room");
    assert_eq!(heard(&above).await, "to the guest's guest");
    assert!(polled(endless.as_mut()).await.is_pending());
    broker.shutdown().await;
    guest.broker_lost().await;
    drop((there, here, ours));
    assert!(matches!(endless.await, Err(InvitationError::Closed)));
}

// ---- the end of a node

async fn a_shutdown_is_final(stage: Stage) {
    const OVER: &str = "this node has been shut down";
    let (inviter, node) = (stage.node(), stage.node());
    let (_ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut waiting = pin!(node.accept_invitation(theirs));
    assert!(polled(waiting.as_mut()).await.is_pending());
    node.clone().shutdown().await;
    assert_eq!(waiting.await.expect_err("it is over").to_string(), OVER);
    for leaves_first in [false, true] {
        if leaves_first {
            node.leave().await.expect("there are random numbers");
        }
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let pipe = inviter.send_invitation(ours).expect("a stream socket");
        assert_eq!(node.accept_invitation(theirs).await.expect_err("it is over").to_string(), OVER);
        assert_eq!(end_of(&pipe).await, Why::PeerDied);
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        assert_eq!(node.send_invitation(ours).expect_err("it is over").to_string(), OVER);
        let nobody = stage.node().accept_invitation(theirs).await;
        assert!(matches!(nobody, Err(InvitationError::Closed)), "{nobody:?}");
        let launched = node.launch_pipe(&mut std::process::Command::new("true"));
        assert_eq!(launched.expect_err("it is over").to_string(), OVER);
        let seen = node.inspect();
        assert!(seen.links.is_empty() && seen.names.is_empty() && seen.ends == 0, "{seen}");
    }
    let (one, other) = node.create_message_pipes();
    one.try_send(bytes("within")).expect("there is room");
    assert_eq!(heard(&other).await, "within");
}

async fn waits_that_are_given_up_leave_nothing_behind(stage: Stage) {
    let node = stage.node();
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let pipe = node.send_invitation(ours).expect("a stream socket");
    let mut guest = RawPeer::new(&*stage.scheduler, theirs);
    guest.write(&raw::accepts()).await.expect("it listens");
    guest.frame().await.expect("a hello");
    let welcome = guest.frame().await.expect("a welcome");
    assert_eq!(kept_wakers(node.broker_lost()), [1, 0]);
    // The end of the invitation's pipe is still under way.
    assert_eq!(kept_wakers(node.drain()), [1, 0]);
    // A link to somebody who reads no more cannot be flushed.
    guest.write(&raw::accepted(&welcome)).await.expect("it listens");
    node.drain().await;
    pipe.try_send(bytes(vec![0; 4 << 20])).expect("there is room");
    assert_eq!(kept_wakers(node.clone().shutdown()), [1, 0]);
    drop(guest);
    node.shutdown().await;
}
