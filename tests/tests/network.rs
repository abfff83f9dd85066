//! Networks of real processes: who meets whom, and what survives whom.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io, process, thread};

use futures::future::{FutureExt, join, join_all};
use mage::{FuseError, InvitationError, Limits, MessagePipe, Node, RawMessage, Remote, SendErrorKind, Why};
use mage_tests::directory::Directory;
use mage_tests::member::{Fellow, file_of, settled, text_in};
use mage_tests::random::Random;
use mage_tests::raw::{self, RawPeer, kind};
use mage_tests::words::{bytes, end_of, heard};
use mage_tests::{Stage, on_every_scheduler};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{Pid, Signal, kill_process};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");

on_every_scheduler! {
    strangers_meet
    strangers_go_on_without_their_broker
    without_a_broker_nobody_meets
    who_may_not_meet_learns
    a_name_that_is_gone_is_an_answer
    grandchildren_are_reached_directly
    grandchildren_outlive_their_parents
    a_member_brings_so_many_and_no_more
    guests_that_are_asked_for_at_once_are_bounded_too
    pipes_of_an_invitation_have_names
    nothing_crosses_between_networks
    a_member_may_accept_again
    a_service_and_its_clients
    a_service_with_too_many_at_its_door_turns_clients_away
    a_dead_service_is_replaced
    nothing_is_read_of_a_client_before_it_is_admitted
    what_is_no_socket_is_left_alone
    fused_before_anything_moves
    fused_after_both_have_moved
    fused_with_closed_far_ends
    used_ends_are_not_fused
    a_fuse_races_with_a_death
    a_chain_loses_all_its_middle
    both_ends_bounce
    closed_while_collapsing
    many_pipes_leave_nothing_behind
    killed_during_an_introduction
    whoever_dies_before_collapse_is_noticed_by_both_ends
    a_stopped_process_stops_nobody_else
    stopped_at_any_moment
    whoever_drains_breaks_nothing
}

fn carrying(pipe: MessagePipe) -> RawMessage {
    RawMessage { pipes: vec![pipe], ..RawMessage::default() }
}

fn launch<const COUNT: usize>(stage: &Stage, node: &Node) -> [Fellow; COUNT] {
    std::array::from_fn(|_| Fellow::launch(stage, CHILD, node))
}

/// Gives each of the two an end of a new pipe.
async fn connect(node: &Node, name: &str, one: &Fellow, other: &Fellow) {
    let (ours, theirs) = node.create_message_pipes();
    one.put(name, ours).await;
    other.put(name, theirs).await;
}

/// Has the two converse through a pipe that one of them mirrors.
async fn converse(name: &str, one: &Fellow, count: i32) {
    assert_eq!(one.remote.converse(name, count).await.expect("it answers"), count);
}

// ---- introductions

async fn strangers_meet(stage: Stage) {
    let node = stage.node();
    let [one, other] = launch(&stage, &node);
    connect(&node, "x", &one, &other).await;
    other.remote.mirror("x").expect("there is room");
    converse("x", &one, 10).await;
    one.direct("x").await;
    other.direct("x").await;
    settled(&node, &[&one, &other]).await;
    for fellow in [&one, &other] {
        let seen = fellow.look().await;
        assert_eq!((seen.links, seen.broker), (2, true), "one to the broker, one to the other");
    }
    let seen = node.inspect();
    assert_eq!(seen.links.len(), 2);
    assert!(seen.pipes.iter().all(|pipe| pipe.peer.is_some() && pipe.direct), "{seen}");
    // There is nothing of that pipe here any more.
    assert_eq!(seen.ends, 2, "{seen}");
    converse("x", &one, 10).await;
    one.leave().await;
    other.leave().await;
}

/// A node of this process that was invited by another process, its broker.
async fn member(stage: &Stage) -> (Node, Fellow) {
    let (process, socket) = Fellow::broker(stage, CHILD);
    let node = stage.node();
    let pipe = node.accept_invitation(socket).await.expect("the broker invites");
    let broker = Fellow { remote: Remote::new(pipe), process: Some(process) };
    assert!(node.inspect().links[0].is_broker);
    (node, broker)
}

async fn strangers_go_on_without_their_broker(stage: Stage) {
    let (node, broker) = member(&stage).await;
    let [one, other] = launch(&stage, &node);
    connect(&node, "x", &one, &other).await;
    other.remote.mirror("x").expect("there is room");
    one.direct("x").await;
    other.direct("x").await;
    settled(&node, &[&one, &other, &broker]).await;
    assert!(one.look().await.broker);
    broker.kill().await;
    while one.look().await.broker || other.look().await.broker {}
    converse("x", &one, 100).await;
    assert_eq!(one.look().await.links, 2, "to this process, and to the other");
    assert!(node.inspect().links.iter().all(|link| !link.is_broker), "whoever looks is told");
    one.leave().await;
    other.leave().await;
}

async fn without_a_broker_nobody_meets(stage: Stage) {
    let (node, broker) = member(&stage).await;
    let [one, other] = launch(&stage, &node);
    assert!(one.answers().await && other.answers().await);
    broker.kill().await;
    while one.look().await.broker || other.look().await.broker {}
    connect(&node, "x", &one, &other).await;
    for fellow in [&one, &other] {
        assert_ne!(fellow.remote.end("x").await.expect("it answers"), "Closed");
        assert!(fellow.answers().await);
    }
    settled(&node, &[&one, &other]).await;
    one.leave().await;
    other.leave().await;
}

async fn who_may_not_meet_learns(stage: Stage) {
    let node = Node::builder(Arc::clone(&stage.scheduler)).may_meet(|_, _| false).build();
    let [one, other] = launch(&stage, &node);
    connect(&node, "x", &one, &other).await;
    one.remote.recite("x", 0, 10, true).await.expect("it answers");
    for fellow in [&one, &other] {
        assert_ne!(fellow.remote.end("x").await.expect("it answers"), "Closed");
        assert_eq!(fellow.look().await.links, 1, "it has met nobody");
    }
    settled(&node, &[&one, &other]).await;
    assert!(node.inspect().faults.is_empty());
    one.leave().await;
    other.leave().await;
}

async fn a_name_that_is_gone_is_an_answer(stage: Stage) {
    let node = stage.node();
    let [one, other] = launch(&stage, &node);
    assert!(one.answers().await && other.answers().await);
    one.signal(Signal::STOP);
    connect(&node, "x", &one, &other).await;
    assert!(other.answers().await, "and so everything has been sent");
    other.kill().await;
    // What it reads now is a pipe to somebody of whom it has never heard, and who is no more.
    one.signal(Signal::CONT);
    assert_ne!(one.remote.end("x").await.expect("it answers"), "Closed");
    settled(&node, &[&one]).await;
    one.leave().await;
}

// ---- grandchildren

async fn grandchildren_are_reached_directly(stage: Stage) {
    let node = stage.node();
    let [child] = launch(&stage, &node);
    let grandchild = child.launch_its_own(&node).await;
    assert!(grandchild.answers().await);
    while !Remote::is_direct(&grandchild.remote) {
        assert!(grandchild.answers().await);
    }
    settled(&node, &[&child, &grandchild]).await;
    let seen = node.inspect();
    assert_eq!((seen.links.len(), seen.ends), (2, 2), "{seen}");
    assert!(grandchild.look().await.broker, "it has a link of its own to the broker");
    let great = grandchild.launch_its_own(&node).await;
    assert!(great.answers().await);
    settled(&node, &[&child, &grandchild, &great]).await;
    child.leave().await;
    grandchild.leave().await;
    assert!(great.answers().await);
    great.leave().await;
}

async fn grandchildren_outlive_their_parents(stage: Stage) {
    const MESSAGES: i32 = 100;
    let node = stage.node();
    let [one, other] = launch(&stage, &node);
    let ones = one.launch_its_own(&node).await;
    let others = other.launch_its_own(&node).await;
    connect(&node, "x", &ones, &others).await;
    for (from, to) in [(&ones, &others), (&others, &ones)] {
        let sent = from.remote.recite("x", 0, MESSAGES, true).await.expect("it answers");
        let heard = to.remote.listen("x", 0, MESSAGES).await.expect("it answers");
        assert_eq!((sent, heard.heard, heard.files), (MESSAGES, MESSAGES, MESSAGES / 2));
    }
    settled(&node, &[&one, &other, &ones, &others]).await;
    one.leave().await;
    other.kill().await;
    for (from, to) in [(&ones, &others), (&others, &ones)] {
        assert_eq!(from.remote.recite("x", 0, MESSAGES, true).await.expect("it answers"), MESSAGES);
        let heard = to.remote.listen("x", 0, MESSAGES).await.expect("it answers");
        assert_eq!((heard.heard, heard.files), (MESSAGES, MESSAGES / 2));
    }
    ones.leave().await;
    others.leave().await;
}

async fn a_member_brings_so_many_and_no_more(stage: Stage) {
    const GUESTS: usize = 3;
    let limits = Limits { guests_max: GUESTS, ..Limits::default() };
    let broker = stage.node_with(limits);
    let members = [stage.node(), stage.node()];
    let mut kept = Vec::new();
    for member in &members {
        let (ours, theirs) = invite(&broker, member).await.expect("the broker counts its own itself");
        kept.extend([ours, theirs]);
        // A chain of guests, each of whom brings the next, and in the end the member itself one more.
        let mut host = member.clone();
        for _ in 0..GUESTS {
            let guest = stage.node();
            let (ours, theirs) = invite(&host, &guest).await.expect("there is room");
            kept.extend([ours, theirs]);
            host = guest;
        }
        for host in [&host, member] {
            let (sent, refused) = invite(host, &stage.node()).await.expect_err("there is none");
            assert!(matches!(refused, InvitationError::Closed), "{refused}");
            assert_eq!(end_of(&sent).await, Why::PeerDied);
        }
        // Where one leaves there is room for another.
        host.shutdown().await;
        loop {
            match invite(member, &stage.node()).await {
                Ok((ours, theirs)) => break kept.extend([ours, theirs]),
                Err((_, error)) => assert!(matches!(error, InvitationError::Closed), "{error}"),
            }
        }
    }
    assert!(broker.inspect().faults.is_empty());
}

/// All of them arrive in one read, and are decided together.
async fn guests_that_are_asked_for_at_once_are_bounded_too(stage: Stage) {
    const GUESTS: usize = 3;
    const ASKED: usize = 32;
    let broker = stage.node_with(Limits { guests_max: GUESTS, ..Limits::default() });
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let _pipe = broker.send_invitation(ours).expect("a stream socket");
    let mut member = RawPeer::new(&*stage.scheduler, theirs);
    member.write(&raw::accepts()).await.expect("it listens");
    for kind in [kind::HELLO, kind::WELCOME] {
        assert_eq!(member.frame().await.expect("it speaks")[4], kind);
    }
    let request = |guest: usize| raw::frame(kind::REQUEST_ADMISSION, &(guest as u64).to_le_bytes());
    member.write(&(0..ASKED).flat_map(request).collect::<Vec<u8>>()).await.expect("it listens");
    let (answers, sockets) = member.frames_and_handles(ASKED).await.expect("each is answered");
    let admitted = answers.iter().filter(|answer| answer[4] == kind::ADMIT).count();
    assert_eq!((admitted, sockets.len()), (GUESTS, GUESTS));
    assert_eq!(broker.inspect().links.len(), 1 + GUESTS);
    assert!(broker.inspect().faults.is_empty());
}

/// Has the one invite the other. What was sent comes back if it is refused.
async fn invite(
    inviter: &Node,
    guest: &Node,
) -> Result<(MessagePipe, MessagePipe), (MessagePipe, InvitationError)> {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let sent = inviter.send_invitation(ours).expect("a stream socket");
    match guest.accept_invitation(theirs).await {
        Ok(accepted) => Ok((sent, accepted)),
        Err(error) => Err((sent, error)),
    }
}

// ---- invitations

async fn pipes_of_an_invitation_have_names(stage: Stage) {
    let (inviter, guest) = (stage.node(), stage.node());
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut invitation = inviter.invitation();
    let [audio, video, surplus] =
        ["audio", "video", "surplus"].map(|name| invitation.attach(name).expect("the name is free"));
    let (far, near) = inviter.create_message_pipes();
    invitation.attach_pipe("old", near).expect("the name is free");
    assert_eq!(invitation.attach("audio").expect_err("it is taken").kind(), io::ErrorKind::InvalidInput);
    for pipe in [&audio, &video, &surplus, &far] {
        pipe.try_send(bytes("early")).expect("it can be used at once");
    }
    invitation.send(ours).expect("a stream socket");
    let mut accepted = guest.accept_named_invitation(theirs).await.expect("it invites");
    let mut names: Vec<&str> = accepted.names().collect();
    names.sort_unstable();
    assert_eq!(names, ["audio", "old", "surplus", "video"]);
    assert!(accepted.extract("missing").is_none());
    let [their_video, their_audio, their_old] =
        ["video", "audio", "old"].map(|name| accepted.extract(name).expect("it was attached"));
    assert!(accepted.extract("audio").is_none(), "it has been extracted");
    drop(accepted);
    assert_eq!(end_of(&surplus).await, Why::Closed);
    for (ours, theirs) in [(audio, their_audio), (video, their_video), (far, their_old)] {
        assert_eq!(heard(&theirs).await, "early");
        theirs.try_send(bytes("late")).expect("there is room");
        assert_eq!(heard(&ours).await, "late");
    }
}

/// Has `inviter` invite `guest` into a network of their own.
async fn isolated(inviter: &Node, guest: &Node) -> (MessagePipe, MessagePipe) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut invitation = inviter.invitation().isolated();
    let pipe = invitation.attach("").expect("the name is free");
    invitation.send(ours).expect("a stream socket");
    (pipe, guest.accept_invitation(theirs).await.expect("it invites"))
}

/// Sees that `over` refuses what belongs to the other network, and gives it back.
async fn refused(over: &MessagePipe, foreign: MessagePipe) -> MessagePipe {
    let message =
        RawMessage { bytes: b"far".to_vec(), pipes: vec![foreign], handles: vec![file_of("a file")] };
    let error = over.try_send(message).expect_err("it belongs to the other network");
    assert_eq!(error.kind(), SendErrorKind::OtherNetwork);
    let (mut pipes, mut handles) = error.into_parts();
    assert_eq!((pipes.len(), handles.len()), (1, 1));
    assert_eq!(text_in(handles.remove(0)), "a file");
    pipes.remove(0)
}

async fn nothing_crosses_between_networks(stage: Stage) {
    let node = stage.node();
    let [child] = launch(&stage, &node);
    assert!(child.answers().await);
    let stranger = stage.node();
    let (ours, theirs) = isolated(&node, &stranger).await;
    let (mine, childs) = node.create_message_pipes();
    child.put("x", childs).await;
    child.remote.mirror("x").expect("there is room");
    let mine = refused(&ours, mine).await;
    // Nor hidden in the queue of a pipe that belongs to no network yet.
    let (box_, content) = node.create_message_pipes();
    box_.try_send(carrying(mine)).expect("both are here");
    let content = refused(&ours, content).await;
    let mine = content.recv().await.expect("it has waited").pipes.remove(0);
    mine.try_send(bytes("unharmed")).expect("there is room");
    assert_eq!(heard(&mine).await, "unharmed");
    // And the reverse.
    Remote::ready(&child.remote).await;
    let error = child.remote.put("y", ours).expect_err("it belongs to the other network");
    assert_eq!(error.kind(), SendErrorKind::OtherNetwork);
    let ours = error.into_pipes().remove(0);
    // What belongs to neither may pass.
    let (fresh, other) = node.create_message_pipes();
    ours.try_send(carrying(other)).expect("it has been nowhere");
    let other = theirs.recv().await.expect("it comes").pipes.remove(0);
    other.try_send(bytes("over there")).expect("there is room");
    assert_eq!(heard(&fresh).await, "over there");
    assert_eq!(node.inspect().names.len(), 2, "a name in each network");
    assert_eq!(child.look().await.links, 1, "it has met nobody");
    child.leave().await;
}

async fn a_member_may_accept_again(stage: Stage) {
    let ((_inviter, first), (guest, theirs)) = stage.linked().await;
    let second_inviter = stage.node();
    let (ours, socket) = UnixStream::pair().expect("a socket pair");
    let second = second_inviter.send_invitation(ours).expect("a stream socket");
    let theirs_too = guest.accept_invitation(socket).await.expect("it invites");
    let theirs = refused(&theirs_too, theirs).await;
    let theirs_too = refused(&theirs, theirs_too).await;
    for (ours, theirs) in [(&first, &theirs), (&second, &theirs_too)] {
        ours.try_send(bytes("to the guest")).expect("there is room");
        assert_eq!(heard(theirs).await, "to the guest");
    }
    drop(second_inviter);
    drop(second);
    assert_eq!(end_of(&theirs_too).await, Why::Closed);
    first.try_send(bytes("still here")).expect("there is room");
    assert_eq!(heard(&theirs).await, "still here");
}

// ---- services

async fn a_service_and_its_clients(stage: Stage) {
    let directory = Directory::new();
    let path = directory.service();
    let node = stage.node();
    let mut listener = node.listen(&path).expect("the path is free");
    assert_eq!(listener.path(), path);
    let mode = |path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    let again = stage.node().listen(&path).expect_err("the service lives");
    assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
    let mut clients = Vec::new();
    for _ in 0..3 {
        let process = Fellow::client(&stage, CHILD, &path);
        let connection = listener.accept().await.expect("a client comes");
        let credentials = connection.credentials();
        assert_eq!(u32::try_from(credentials.process).expect("a number of a process"), process.id());
        assert_eq!(credentials.user, rustix::process::getuid().as_raw());
        assert_eq!(credentials.group, rustix::process::getgid().as_raw());
        let pipe = connection.admit().expect("it can be invited");
        clients.push(Fellow { remote: Remote::new(pipe), process: Some(process) });
    }
    let mut unwanted = Fellow::client(&stage, CHILD, &path);
    drop(listener.accept().await.expect("a client comes"));
    assert!(!unwanted.wait().expect("it was not waited for").success(), "it was turned away");
    let lonely = Fellow::client(&stage, CHILD, &path);
    let pipe = listener.accept().await.expect("a client comes").admit_isolated().expect("it can be invited");
    let lonely = Fellow { remote: Remote::new(pipe), process: Some(lonely) };
    assert!(lonely.answers().await);
    // The admitted meet, the isolated one cannot.
    connect(&node, "x", &clients[0], &clients[2]).await;
    clients[2].remote.mirror("x").expect("there is room");
    converse("x", &clients[0], 10).await;
    clients[0].direct("x").await;
    let (ours, theirs) = node.create_message_pipes();
    clients[1].put("y", ours).await;
    let error = lonely.remote.put("y", theirs).expect_err("it is of another network");
    assert_eq!(error.kind(), SendErrorKind::OtherNetwork);
    // Without its listener a service is closed, and its clients stay.
    drop(listener);
    assert!(!path.exists());
    let error = stage.node().connect(&path).await.expect_err("nobody listens");
    assert!(matches!(error, InvitationError::Io(_)), "{error}");
    for client in clients.into_iter().chain([lonely]) {
        client.leave().await;
    }
    let open = node.listen_with_mode(&path, 0o660).expect("the path is free again");
    assert_eq!(mode(&path), 0o660);
    drop(open);
}

/// To connect never blocks the thread, on which everything else may run.
async fn a_service_with_too_many_at_its_door_turns_clients_away(stage: Stage) {
    let directory = Directory::new();
    let path = directory.service();
    let service = UnixListener::bind(&path).expect("the path is free");
    rustix::net::listen(&service, 0).expect("it listens");
    let address = SocketAddrUnix::new(&path).expect("a short path");
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let mut waiting = Vec::new();
    while waiting.last().is_none_or(|(_, connected)| *connected) {
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
        let socket = socket.expect("there are descriptors");
        let connected = rustix::net::connect(&socket, &address).is_ok();
        waiting.push((socket, connected));
    }
    let refused = stage.node().connect(&path).await.expect_err("there is no room");
    let why = match &refused {
        InvitationError::Io(error) => Some(error.kind()),
        _ => None,
    };
    assert_eq!(why, Some(io::ErrorKind::WouldBlock), "{refused}");
    // Where one is let in there is room for another.
    drop(service.accept().expect("one waits"));
    let node = stage.node();
    let connecting = node.connect(&path).now_or_never();
    assert!(connecting.is_none(), "it waits to be invited: {connecting:?}");
}

async fn a_dead_service_is_replaced(stage: Stage) {
    let directory = Directory::new();
    let path = directory.service();
    let text = path.to_str().expect("a plain path");
    let node = stage.node();
    let [service, other] = launch(&stage, &node);
    assert_eq!(service.remote.offer(text).await.expect("it answers"), "");
    let busy = io::ErrorKind::AddrInUse;
    assert_eq!(other.remote.offer(text).await.expect("it answers"), busy.to_string());
    assert_eq!(node.listen(&path).expect_err("the service lives").kind(), busy);
    service.kill().await;
    assert!(path.exists(), "nobody has cleaned up");
    assert_eq!(other.remote.offer(text).await.expect("it answers"), "");
    assert_eq!(node.listen(&path).expect_err("the service lives").kind(), busy);
    other.leave().await;
    let mut listener = node.listen(&path).expect("the service has left");
    let process = Fellow::client(&stage, CHILD, &path);
    let pipe = listener.accept().await.expect("a client comes").admit().expect("it can be invited");
    let client = Fellow { remote: Remote::new(pipe), process: Some(process) };
    assert!(client.answers().await);
    client.leave().await;
}

async fn nothing_is_read_of_a_client_before_it_is_admitted(stage: Stage) {
    let directory = Directory::new();
    let path = directory.service();
    let mut listener = stage.node().listen(&path).expect("the path is free");
    for speaks in [true, false] {
        let mut client = UnixStream::connect(&path).expect("it listens");
        if speaks {
            client.write_all(b"anything at all").expect("there is room");
        }
        let connection = listener.accept().await.expect("a client comes");
        assert_eq!(connection.credentials().user, rustix::process::getuid().as_raw());
        drop(connection);
        // The kernel tells apart whether what was written has been read.
        let end = client.read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(end, if speaks { Err(io::ErrorKind::ConnectionReset) } else { Ok(0) });
    }
    // Admitted, it is read, and found to be no client.
    let mut client = UnixStream::connect(&path).expect("it listens");
    client.write_all(b"anything at all").expect("there is room");
    let pipe = listener.accept().await.expect("a client comes").admit().expect("it can be invited");
    assert_eq!(end_of(&pipe).await, Why::PeerDied);
}

async fn what_is_no_socket_is_left_alone(stage: Stage) {
    let directory = Directory::new();
    let path = directory.service();
    fs::write(&path, "somebody's work").expect("a new file");
    let error = stage.node().listen(&path).expect_err("it is no socket");
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).expect("it is still there"), "somebody's work");
}

// ---- fuse

/// Two pipes whose near ends are still unused: far, near, near, far.
fn two_pipes(node: &Node) -> [MessagePipe; 4] {
    let (first, second) = (node.create_message_pipes(), node.create_message_pipes());
    [first.0, first.1, second.0, second.1]
}

async fn fused_before_anything_moves(stage: Stage) {
    let node = stage.node();
    let [one, other] = launch(&stage, &node);
    let [far, near, near_too, far_too] = two_pipes(&node);
    far.try_send(bytes("0")).expect("there is room");
    far_too.try_send(bytes("0")).expect("there is room");
    near.fuse(near_too).expect("both are unused");
    one.put("x", far).await;
    other.put("x", far_too).await;
    talk_on(&node, &one, &other).await;
}

async fn fused_after_both_have_moved(stage: Stage) {
    let node = stage.node();
    for settle in [false, true] {
        let [one, other] = launch(&stage, &node);
        let [far, near, near_too, far_too] = two_pipes(&node);
        one.put("x", far).await;
        other.put("x", far_too).await;
        let recited = [&one, &other].map(|fellow| fellow.remote.recite("x", 0, 1, false));
        if settle {
            settled(&node, &[&one, &other]).await;
        }
        near.fuse(near_too).expect("both are unused");
        for sent in join_all(recited).await {
            assert_eq!(sent.expect("it answers"), 1);
        }
        talk_on(&node, &one, &other).await;
    }
}

/// Both have said the first number, and go on.
async fn talk_on(node: &Node, one: &Fellow, other: &Fellow) {
    for (from, to) in [(one, other), (other, one)] {
        assert_eq!(from.remote.recite("x", 1, 99, true).await.expect("it answers"), 99);
        let heard = to.remote.listen("x", 0, 100).await.expect("it answers");
        assert_eq!((heard.heard, heard.files), (100, 50));
    }
    one.direct("x").await;
    other.direct("x").await;
    settled(node, &[one, other]).await;
    assert_eq!(one.look().await.links, 2);
    one.remote.close("x").await.expect("it answers");
    assert_eq!(other.remote.end("x").await.expect("it answers"), "Closed");
}

async fn fused_with_closed_far_ends(stage: Stage) {
    let node = stage.node();
    let [child] = launch(&stage, &node);
    // The one far end is closed before, here; the other lives over there, and hears what was said before the end.
    let [far, near, near_too, far_too] = two_pipes(&node);
    child.put("x", far_too).await;
    far.try_send(bytes("0")).expect("there is room");
    drop(far);
    near.fuse(near_too).expect("both are unused");
    let heard = child.remote.listen("x", 0, 1).await.expect("it answers");
    assert_eq!(heard.heard, 1);
    assert_eq!(child.remote.end("x").await.expect("it answers"), "Closed");
    // The one over there is closed before.
    let [far, near, near_too, far_too] = two_pipes(&node);
    child.put("y", far_too).await;
    child.remote.close("y").await.expect("it answers");
    near.fuse(near_too).expect("both are unused");
    assert_eq!(end_of(&far).await, Why::Closed);
    // Both are.
    let [far, near, near_too, far_too] = two_pipes(&node);
    child.put("z", far_too).await;
    drop(far);
    child.remote.close("z").await.expect("it answers");
    near.fuse(near_too).expect("both are unused");
    settled(&node, &[&child]).await;
    assert_eq!(child.look().await.ends, 2, "what it is told through, and what it has not closed");
    child.leave().await;
}

async fn used_ends_are_not_fused(stage: Stage) {
    let node = stage.node();
    let [far, near, near_too, far_too] = two_pipes(&node);
    near.try_send(bytes("used")).expect("there is room");
    let failure = near.fuse(near_too).expect_err("it has sent");
    assert_eq!(failure.error, FuseError::Used);
    let (near, near_too) = (failure.first, failure.second);
    far_too.try_send(bytes("read")).expect("there is room");
    assert_eq!(heard(&near_too).await, "read");
    let [fresh, other, ..] = two_pipes(&node);
    let failure = fresh.fuse(near_too).expect_err("it has read");
    assert_eq!(failure.error, FuseError::Used);
    let failure = failure.first.fuse(other).expect_err("they are one pipe");
    assert_eq!(failure.error, FuseError::SamePipe);
    let failure = failure.first.fuse(stage.node().create_message_pipes().0).expect_err("another node's");
    assert_eq!(failure.error, FuseError::OtherNetwork);
    // What came back is as it was.
    assert_eq!(heard(&far).await, "used");
    far.try_send(bytes("back")).expect("there is room");
    assert_eq!(heard(&near).await, "back");
}

/// How often a race is run.
fn rounds() -> u64 {
    env::var("MAGE_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(200)
}

async fn a_fuse_races_with_a_death(stage: Stage) {
    let mut random = Random::of_this_run();
    let node = stage.node();
    for _ in 0..rounds() {
        let [mut one] = launch(&stage, &node);
        let [far, near, near_too, far_too] = two_pipes(&node);
        one.put("x", far).await;
        if random.below(2) == 0 {
            assert!(one.answers().await);
        }
        let process = one.process.take().expect("a child of ours");
        let killer = kill_after(process, random.below(500));
        far_too.try_send(bytes("into the race")).expect("there is room");
        if random.below(2) == 0 {
            settle_once(&one).await;
        }
        near.fuse(near_too).expect("both are unused");
        let _ = end_of(&far_too).await;
        killer.join().expect("it killed");
        Remote::closed(&one.remote).await;
        while node.inspect().proxies != 0 {
            let (ours, theirs) = node.create_message_pipes();
            drop(ours);
            end_of(&theirs).await;
        }
    }
    assert!(node.inspect().faults.is_empty(), "a death is no fault");
}

/// Gives the fellow a chance to answer, dead or alive.
async fn settle_once(fellow: &Fellow) {
    let _ = fellow.answers().await;
}

/// Kills the process so many microseconds from now.
fn kill_after(mut process: process::Child, micros: u64) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(Duration::from_micros(micros));
        process.kill().expect("it can be killed");
        process.wait().expect("it was not waited for");
    })
}

// ---- death

/// Gives each its carrier to the next: what goes into `next` of one comes out of `previous` of the next.
async fn chain(node: &Node, fellows: &[Fellow]) {
    for pair in fellows.windows(2) {
        let (ours, theirs) = node.create_message_pipes();
        pair[0].put("next", ours).await;
        pair[1].put("previous", theirs).await;
    }
}

async fn a_chain_loses_all_its_middle(stage: Stage) {
    const LENGTH: usize = 8;
    const CALLS: i32 = 1000;
    let node = stage.node();
    let mut fellows: Vec<Fellow> = launch::<LENGTH>(&stage, &node).into();
    chain(&node, &fellows).await;
    for middle in &fellows[1..LENGTH - 1] {
        middle.remote.relay("previous", "next").expect("there is room");
    }
    let first = &fellows[0];
    let last = &fellows[LENGTH - 1];
    first.remote.make("mine", "x").expect("there is room");
    first.remote.carry("next", "x").await.expect("it answers");
    assert!(last.remote.unpack("previous", "x").await.expect("it answers"));
    last.remote.mirror("x").expect("there is room");
    converse("mine", first, 10).await;
    first.direct("mine").await;
    last.direct("x").await;
    settled(&node, &fellows.iter().collect::<Vec<_>>()).await;
    let last = fellows.pop().expect("there are eight");
    let first = fellows.swap_remove(0);
    join_all(fellows.into_iter().map(Fellow::kill)).await;
    converse("mine", &first, CALLS).await;
    assert_eq!(first.look().await.links, 2, "to the broker, and to the last");
    first.leave().await;
    last.leave().await;
}

async fn both_ends_bounce(stage: Stage) {
    const ROUNDS: i32 = 100;
    let node = stage.node();
    let one: [Fellow; 2] = launch(&stage, &node);
    let other: [Fellow; 2] = launch(&stage, &node);
    for pair in [&one, &other] {
        connect(&node, "link", &pair[0], &pair[1]).await;
    }
    connect(&node, "x", &one[0], &other[0]).await;
    for round in 0..ROUNDS {
        let (from, to) = (usize::from(round % 2 == 1), usize::from(round % 2 == 0));
        let turns = [&one, &other].map(async |pair| {
            let said = pair[from].remote.recite("x", round, 1, true);
            assert_eq!(said.await.expect("it answers"), 1);
            // Nobody waits for anything to collapse.
            pair[from].remote.carry("link", "x").await.expect("it answers");
            assert!(pair[to].remote.unpack("link", "x").await.expect("it answers"));
        });
        join_all(turns).await;
    }
    let [one_last, other_last] = [&one[0], &other[0]];
    for fellow in [one_last, other_last] {
        let heard = fellow.remote.listen("x", 0, ROUNDS).await.expect("it answers");
        assert_eq!((heard.heard, heard.files), (ROUNDS, ROUNDS / 2));
    }
    one_last.direct("x").await;
    other_last.direct("x").await;
    settled(&node, &[&one[0], &one[1], &other[0], &other[1]]).await;
    other_last.remote.mirror("x").expect("there is room");
    converse("x", one_last, 10).await;
    for fellow in one.into_iter().chain(other) {
        fellow.leave().await;
    }
}

async fn closed_while_collapsing(stage: Stage) {
    const PIPES: i32 = 3000;
    let node = stage.node();
    let [one, other] = launch(&stage, &node);
    let before = [one.look().await.ends, other.look().await.ends];
    for number in 0..PIPES {
        let (name, ends) = (format!("{}-{number}", number % 2), node.create_message_pipes());
        one.put(&name, ends.0).await;
        other.put(&name, ends.1).await;
    }
    // Each closes every other one, and sees the rest closed.
    let closed = join(one.remote.close("0-"), other.remote.close("1-")).await;
    closed.0.and(closed.1).expect("they answer");
    let (first, second) = join(one.remote.end_each("1-"), other.remote.end_each("0-")).await;
    for ended in [first.expect("it answers"), second.expect("it answers")] {
        assert_eq!((ended.closed, ended.broken), (PIPES / 2, 0));
    }
    let closed = join(one.remote.close(""), other.remote.close("")).await;
    closed.0.and(closed.1).expect("they answer");
    settled(&node, &[&one, &other]).await;
    assert_eq!([one.look().await.ends, other.look().await.ends], before);
    one.leave().await;
    other.leave().await;
}

async fn many_pipes_leave_nothing_behind(stage: Stage) {
    const PIPES: i32 = 1000;
    let node = stage.node();
    let [one, other] = launch(&stage, &node);
    connect(&node, "x", &one, &other).await;
    one.direct("x").await;
    other.direct("x").await;
    settled(&node, &[&one, &other]).await;
    let before = [one.look().await.descriptors, other.look().await.descriptors];
    let mut counts = Vec::new();
    for round in 0..2 {
        for number in 0..PIPES {
            connect(&node, &format!("many-{number}"), &one, &other).await;
        }
        assert_eq!(one.remote.say_each("many-").await.expect("it answers"), PIPES);
        assert_eq!(other.remote.hear_each("many-").await.expect("it answers"), PIPES);
        one.direct("many-7").await;
        let during = [one.look().await.descriptors, other.look().await.descriptors];
        one.remote.close("many-").await.expect("it answers");
        other.remote.close("many-").await.expect("it answers");
        settled(&node, &[&one, &other]).await;
        assert_eq!(during, before, "a pipe costs none, in round {round}");
        let after = [one.look().await, other.look().await];
        assert_eq!(after.each_ref().map(|seen| seen.descriptors), before);
        counts.push((after.map(|seen| (seen.ends, seen.links, seen.descriptors)), node.inspect().ends));
    }
    assert_eq!(counts[0], counts[1]);
    assert_eq!(counts[0].0.map(|seen| (seen.0, seen.1)), [(2, 2); 2], "what they are told through, and x");
    one.leave().await;
    other.leave().await;
}

async fn killed_during_an_introduction(stage: Stage) {
    let mut random = Random::of_this_run();
    let node = stage.node();
    let [survivor] = launch(&stage, &node);
    for round in 0..rounds() {
        let [mut victim] = launch(&stage, &node);
        if random.below(4) != 0 {
            assert!(victim.answers().await);
        }
        let process = victim.process.take().expect("a child of ours");
        let killer = kill_after(process, random.below(400));
        let (ours, theirs) = node.create_message_pipes();
        let name = format!("x-{round}");
        // It may be dead by now; the end is then closed instead.
        drop(victim.remote.put(&name, ours));
        survivor.put(&name, theirs).await;
        let said = survivor.remote.recite(&name, 0, 10, true).await.expect("it answers");
        assert!(said <= 10);
        // Why it ends depends on how far the end had come; that it ends does not.
        survivor.remote.end(&name).await.expect("it answers");
        killer.join().expect("it killed");
        Remote::closed(&victim.remote).await;
        survivor.remote.close(&name).await.expect("it answers");
    }
    settled(&node, &[&survivor]).await;
    let seen = survivor.look().await;
    assert_eq!((seen.ends, seen.links), (1, 1));
    assert!(node.inspect().faults.is_empty(), "a death is no fault");
    survivor.leave().await;
}

/// The two ends and what lies between them. The one end's process is stopped, so the collapse cannot go on, and the place
/// between the two is killed.
async fn whoever_dies_before_collapse_is_noticed_by_both_ends(stage: Stage) {
    let node = stage.node();
    let [one, middle, other] = launch(&stage, &node);
    connect(&node, "link", &middle, &other).await;
    connect(&node, "x", &one, &middle).await;
    assert_eq!(one.remote.recite("x", 0, 10, true).await.expect("it answers"), 10);
    for fellow in [&one, &middle] {
        fellow.direct("x").await;
    }
    middle.direct("link").await;
    other.direct("link").await;
    settled(&node, &[&one, &middle, &other]).await;
    one.stop();
    middle.remote.carry("link", "x").await.expect("it answers");
    assert!(other.remote.unpack("link", "x").await.expect("it answers"));
    assert_eq!(other.remote.listen("x", 0, 10).await.expect("it answers").files, 5);
    assert_eq!(middle.look().await.proxies, 1, "it cannot go");
    let ends = [&one, &other].map(|fellow| fellow.remote.end("x"));
    assert!(other.answers().await, "it has the question");
    // From here on nobody sends anything: the kernel's hang-up is all that anybody hears.
    middle.kill().await;
    one.go_on();
    for end in join_all(ends).await {
        assert_eq!(end.expect("it answers"), "PeerDied");
    }
    settled(&node, &[&one, &other]).await;
    one.leave().await;
    other.leave().await;
}

/// Somebody is stopped at a random microsecond of handing on an end. The others talk meanwhile, and when it goes on nothing is
/// lost.
async fn stopped_at_any_moment(stage: Stage) {
    const ROUNDS: i32 = 50;
    let mut random = Random::of_this_run();
    let node = stage.node();
    let [one, other, middle] = launch(&stage, &node);
    connect(&node, "y", &one, &other).await;
    connect(&node, "link", &middle, &other).await;
    other.remote.mirror("y").expect("there is room");
    converse("y", &one, 1).await;
    assert!(middle.answers().await);
    for round in 0..ROUNDS {
        let stopped = Pid::from_child(middle.process.as_ref().expect("a child of ours"));
        let micros = random.below(1500);
        let stopper = thread::spawn(move || {
            thread::sleep(Duration::from_micros(micros));
            kill_process(stopped, Signal::STOP).expect("it is there");
        });
        let name = format!("x-{round}");
        connect(&node, &name, &one, &middle).await;
        let recited = one.remote.recite(&name, 0, 10, true);
        let carried = middle.remote.carry("link", &name);
        let unpacked = other.remote.unpack("link", &name);
        // On another thread: this one may be all that the scheduler has.
        while !stopper.is_finished() {
            converse("y", &one, 1).await;
        }
        stopper.join().expect("it stopped the process");
        converse("y", &one, 20).await;
        assert_eq!(recited.await.expect("it answers"), 10);
        middle.go_on();
        carried.await.expect("it answers");
        assert!(unpacked.await.expect("it answers"));
        let heard = other.remote.listen(&name, 0, 10).await.expect("it answers");
        assert_eq!((heard.heard, heard.files), (10, 5));
        one.remote.close(&name).await.expect("it answers");
        assert_eq!(other.remote.end(&name).await.expect("it answers"), "Closed");
    }
    settled(&node, &[&one, &other, &middle]).await;
    assert!(node.inspect().faults.is_empty());
    for fellow in [one, other, middle] {
        fellow.leave().await;
    }
}

async fn a_stopped_process_stops_nobody_else(stage: Stage) {
    let node = stage.node();
    for revived in [true, false] {
        let [one, other, middle] = launch(&stage, &node);
        connect(&node, "y", &one, &other).await;
        other.remote.mirror("y").expect("there is room");
        converse("y", &one, 1).await;
        assert!(middle.answers().await);
        middle.signal(Signal::STOP);
        connect(&node, "x", &one, &middle).await;
        // It can be spoken to, and others are as quick as ever.
        assert_eq!(one.remote.recite("x", 0, 100, true).await.expect("it answers"), 100);
        converse("y", &one, 100).await;
        if revived {
            middle.signal(Signal::CONT);
            let heard = middle.remote.listen("x", 0, 100).await.expect("it answers");
            assert_eq!((heard.heard, heard.files), (100, 50));
            one.direct("x").await;
            settled(&node, &[&one, &other, &middle]).await;
            middle.leave().await;
        } else {
            middle.kill().await;
            assert_ne!(one.remote.end("x").await.expect("it answers"), "Closed");
            settled(&node, &[&one, &other]).await;
        }
        converse("y", &one, 10).await;
        one.leave().await;
        other.leave().await;
    }
}

async fn whoever_drains_breaks_nothing(stage: Stage) {
    const MESSAGES: i32 = 1000;
    let node = stage.node();
    let [one, middle, other] = launch(&stage, &node);
    connect(&node, "link", &middle, &other).await;
    connect(&node, "x", &one, &middle).await;
    let said = one.remote.recite("x", 0, MESSAGES, false);
    middle.remote.carry("link", "x").await.expect("it answers");
    middle.remote.drain().await.expect("it answers");
    middle.leave().await;
    assert!(other.remote.unpack("link", "x").await.expect("it answers"));
    let heard = other.remote.listen("x", 0, MESSAGES).await.expect("it answers");
    assert_eq!(heard.heard, MESSAGES);
    assert_eq!(said.await.expect("it answers"), MESSAGES);
    other.remote.mirror("x").expect("there is room");
    converse("x", &one, 10).await;
    one.leave().await;
    other.leave().await;
}
