//! Invitations that go wrong, at every step and in every way, and whose fault it was.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Child as Process;
use std::sync::Arc;
use std::thread;

use futures::future::{self, BoxFuture, Either};
use mage::sched::sync::Mutex;
use mage::sched::{Scheduler, Watch};
use mage::{
    BadMessage, CallError, InvitationError, MessagePipe, Node, PeerMisbehaved, RawMessage, Receiver,
    RecvError, Remote, Why,
};
use mage_tests::fixtures::{Callback, CallbackMessage, Child, Echo};
use mage_tests::raw::{self, RawPeer, kind};
use mage_tests::words::{bytes, end_of, pair};
use mage_tests::{EchoImpl, Puppet, Stage, next, on_every_scheduler, quiet, role};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");

on_every_scheduler! {
    a_second_invitation_from_the_same_node
    an_acceptor_killed_at_every_step
    an_inviter_killed_at_every_step
    a_host_killed_before_and_after_collapse
    anything_but_a_handshake
    another_version
    both_in_one_role
    frames_that_break_the_rules
    messages_that_break_the_rules
    handles_that_break_the_rules
    the_end_of_the_stream_at_every_byte
    a_forgotten_acceptance_hangs_up
    not_a_stream_socket
    two_networks_do_not_mix
    a_launched_child_has_its_own_socket_only
    a_grandchild_has_none
    not_launched
    a_program_that_is_not_there
    nothing_is_started_that_cannot_be_invited
    a_child_that_never_accepts
    rejected_by_the_reader
}

fn kill(mut process: Process) {
    process.kill().expect("the child can be killed");
    process.wait().expect("the child was not waited for");
}

fn accepting(
    stage: &Stage,
    node: &Node,
    socket: OwnedFd,
) -> BoxFuture<'static, Result<MessagePipe, InvitationError>> {
    let node = node.clone();
    stage.start(async move { node.accept_invitation(socket).await })
}

fn expect_clean(node: &Node) {
    let seen = node.inspect();
    assert!(seen.links.is_empty(), "{seen}");
    assert!(seen.faults.is_empty(), "nobody is to blame: {seen}");
    assert_eq!((seen.ends, seen.proxies), (0, 0), "{seen}");
}

// ---- killed

async fn an_acceptor_killed_at_every_step(stage: Stage) {
    for role in
        [role::STOP_BEFORE_HELLO, role::STOP_AFTER_HELLO, role::STOP_AFTER_WELCOME, role::STOP_AFTER_ACCEPTED]
    {
        let node = stage.node();
        let (ours, theirs) = pair();
        let pipe = node.send_invitation(ours).expect("a stream socket");
        let (carried, travels) = node.create_message_pipes();
        pipe.try_send(RawMessage { pipes: vec![travels], ..bytes(b"queued") }).expect("it can be queued");
        let process = Puppet::spawn_still(&stage, CHILD, role, theirs).await;
        kill(process);
        assert_eq!(end_of(&pipe).await, Why::PeerDied, "{role}");
        // The end that was on its way is closed with its message, or has died over there.
        let why = end_of(&carried).await;
        assert!(matches!(why, Why::Closed | Why::PeerDied), "{role}: {why}");
        drop((pipe, carried));
        expect_clean(&node);
    }
}

async fn an_inviter_killed_at_every_step(stage: Stage) {
    for role in [role::STOP_BEFORE_HELLO, role::STOP_AFTER_INVITING] {
        let node = stage.node();
        let (ours, theirs) = pair();
        let accepting = accepting(&stage, &node, ours);
        kill(Puppet::spawn_still(&stage, CHILD, role, theirs).await);
        let error = accepting.await.expect_err("there was no welcome");
        assert!(matches!(error, InvitationError::Closed), "{role}: {error}");
        expect_clean(&node);
    }
    for role in [role::STOP_AFTER_WELCOMING, role::STOP_AFTER_ACCEPTANCE] {
        let node = stage.node();
        let (ours, theirs) = pair();
        let accepting = accepting(&stage, &node, ours);
        let process = Puppet::spawn_still(&stage, CHILD, role, theirs).await;
        let pipe = accepting.await.expect("the welcome has come");
        pipe.try_send(bytes(b"to the dead")).expect("there is room");
        kill(process);
        assert_eq!(end_of(&pipe).await, Why::PeerDied, "{role}");
        drop(pipe);
        expect_clean(&node);
    }
}

fn pid(puppet: &Puppet) -> Pid {
    i32::try_from(puppet.process.id()).ok().and_then(Pid::from_raw).expect("a process")
}

/// Stops the child, all its threads, and returns when it stands.
fn stop(puppet: &Puppet) {
    kill_process(pid(puppet), Signal::STOP).expect("the child is there");
    let seen = waitpid(Some(pid(puppet)), WaitOptions::UNTRACED).expect("it is a child of ours");
    assert!(seen.is_some_and(|(_, status)| status.stopped()), "it ended instead");
}

fn let_go_on(puppet: &Puppet) {
    kill_process(pid(puppet), Signal::CONT).expect("the child is there");
}

/// One pipe, an end in each of two children. Either is killed: while this process still forwards between them, because
/// one of them is stopped and cannot take part in the collapse, and when the two are direct.
async fn a_host_killed_before_and_after_collapse(stage: Stage) {
    for collapsed in [false, true] {
        for stopped_one_dies in [false, true] {
            let node = stage.node();
            let (stopped, running) =
                (Puppet::launch(&stage, CHILD, &node), Puppet::launch(&stage, CHILD, &node));
            for puppet in [&stopped, &running] {
                puppet.remote.ping().await.expect("the child is there");
            }
            if !collapsed {
                stop(&stopped);
            }
            let (dying, living) = if stopped_one_dies { (stopped, running) } else { (running, stopped) };
            let (one, other) = node.create_message_pipes();
            let (reports, callback) = node.create_message_pipes();
            dying.remote.keep(one).expect("there is room");
            living.remote.watch(other, callback).expect("there is room");
            if collapsed {
                quiet(&node, &dying).await;
                quiet(&node, &living).await;
                assert_eq!(node.inspect().ends, 3, "the pipe no longer passes here");
            } else {
                let running = if stopped_one_dies { &living } else { &dying };
                running.remote.ping().await.expect("it is not stopped");
                assert_ne!(node.inspect().proxies, 0, "the pipe passes here");
            }
            dying.kill().await;
            if !collapsed {
                let_go_on(&living);
            }
            match next(&mut Receiver::<dyn Callback>::new(reports)).await {
                CallbackMessage::Text { text } => assert_eq!(text, "PeerDied"),
                other => panic!("not a reason: {other:?}"),
            }
            quiet(&node, &living).await;
            living.finish().await;
            expect_clean(&node);
        }
    }
}

// ---- said wrongly

/// What an inviter and an acceptor make of what is said to them first.
async fn said_first(stage: &Stage, said: &[u8]) -> (PeerMisbehaved, InvitationError) {
    let node = stage.node();
    let (ours, theirs) = pair();
    let pipe = node.send_invitation(ours).expect("a stream socket");
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    let _ = peer.write(said).await; // it may hang up in the middle
    assert_eq!(end_of(&pipe).await, Why::PeerDied);
    peer.until_hang_up().await;
    drop(pipe);
    let seen = node.inspect();
    assert_eq!((seen.ends, seen.proxies, seen.links.len(), seen.faults.len()), (0, 0, 0, 1), "{seen}");

    let guest = stage.node();
    let (ours, theirs) = pair();
    let accepting = accepting(stage, &guest, ours);
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    let _ = peer.write(said).await;
    let error = accepting.await.expect_err("this is no invitation");
    peer.until_hang_up().await;
    (seen.faults[0], error)
}

fn fault_of(error: &InvitationError) -> PeerMisbehaved {
    match error {
        InvitationError::Misbehaved(fault) => *fault,
        other => panic!("nobody is blamed: {other}"),
    }
}

async fn anything_but_a_handshake(stage: Stage) {
    let mut wrong_magic = raw::invites();
    wrong_magic[12] ^= 1;
    let garbage: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\n",
        &[0; 64],
        &[0xff; 64],
        &raw::frame(kind::USER, b"a frame, but not the first"),
        &wrong_magic,
    ];
    for said in garbage {
        let (fault, error) = said_first(&stage, said).await;
        assert_eq!(fault, PeerMisbehaved::NotMage, "{said:?}");
        assert_eq!(fault_of(&error), PeerMisbehaved::NotMage, "{said:?}");
    }
}

async fn another_version(stage: Stage) {
    let node = stage.node();
    let (ours, theirs) = pair();
    let pipe = node.send_invitation(ours).expect("a stream socket");
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    peer.write(&raw::hello((7, 9), false)).await.expect("it listens");
    assert_eq!(end_of(&pipe).await, Why::PeerDied);
    assert_eq!(node.inspect().faults, [PeerMisbehaved::Version]);
    assert!(peer.until_hang_up().await, "our hello tells the other side what we speak");

    let guest = stage.node();
    let (ours, theirs) = pair();
    let accepting = accepting(&stage, &guest, ours);
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    peer.write(&raw::hello((7, 9), true)).await.expect("it listens");
    let error = accepting.await.expect_err("there is no common version");
    assert!(matches!(error, InvitationError::Version { ours: (1, 1), theirs: (7, 9) }), "{error}");
    assert!(peer.until_hang_up().await, "our hello tells the other side what we speak");

    // A range that contains ours is welcome.
    let (ours, theirs) = pair();
    let pipe = node.send_invitation(ours).expect("a stream socket");
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    peer.write(&raw::hello((1, 9), false)).await.expect("it listens");
    assert_eq!(peer.frame().await.expect("our hello")[4], kind::HELLO);
    let welcome = peer.frame().await.expect("our welcome");
    assert_eq!((welcome[4], &welcome[8..10]), (kind::WELCOME, &1_u16.to_le_bytes()[..]));
    peer.write(&raw::accepted(&welcome)).await.expect("it listens");
    pipe.try_send(bytes(b"over there")).expect("there is room");
    // What the other end of the pipe is to know about its new place may come first.
    let message = loop {
        let frame = peer.frame().await.expect("our message");
        if frame[4] == kind::USER {
            break frame;
        }
    };
    assert!(message.ends_with(b"over there"));
}

async fn both_in_one_role(stage: Stage) {
    // By hand, so that each node's verdict is its own.
    let node = stage.node();
    let (ours, theirs) = pair();
    let pipe = node.send_invitation(ours).expect("a stream socket");
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    peer.write(&raw::invites()).await.expect("it listens");
    assert_eq!(end_of(&pipe).await, Why::PeerDied);
    assert_eq!(node.inspect().faults, [PeerMisbehaved::SameRole]);

    let (ours, theirs) = pair();
    let accepting_by_hand = accepting(&stage, &stage.node(), ours);
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    peer.write(&raw::accepts()).await.expect("it listens");
    let error = accepting_by_hand.await.expect_err("nobody invites");
    assert_eq!(fault_of(&error), PeerMisbehaved::SameRole);

    // Two nodes: whichever notices first, neither hangs.
    let (ours, theirs) = pair();
    let (one, other) = (accepting(&stage, &stage.node(), ours), accepting(&stage, &stage.node(), theirs));
    let (one, other) = future::join(one, other).await;
    assert!(one.is_err() && other.is_err());
    let (ours, theirs) = pair();
    let one = node.send_invitation(ours).expect("a stream socket");
    let other = stage.node().send_invitation(theirs).expect("a stream socket");
    assert_eq!((end_of(&one).await, end_of(&other).await), (Why::PeerDied, Why::PeerDied));
}

/// A guest that a hand-made inviter has welcomed, and its end of the pipe.
async fn welcomed(stage: &Stage) -> (Node, MessagePipe, RawPeer) {
    let guest = stage.node();
    let (ours, theirs) = pair();
    let accepting = accepting(stage, &guest, ours);
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    peer.write(&raw::invites()).await.expect("it listens");
    peer.write(&raw::welcome(&[raw::descriptor(1)])).await.expect("it listens");
    let pipe = accepting.await.expect("this is an invitation");
    assert_eq!(peer.frame().await.expect("its hello")[4], kind::HELLO);
    assert_eq!(peer.frame().await.expect("its acceptance")[4], kind::ACCEPTED);
    (guest, pipe, peer)
}

async fn frames_that_break_the_rules(stage: Stage) {
    let header = |length, kind, flags, handles| raw::header(length, kind, flags, handles).to_vec();
    let mut half_a_name = raw::end(0);
    half_a_name.truncate(20);
    half_a_name[0] = 20;
    let cases: [(&str, Vec<u8>, PeerMisbehaved); 12] = [
        ("shorter than its header", header(7, kind::USER, 1, 0), PeerMisbehaved::FrameLength),
        ("4 GiB", header(u32::MAX, kind::USER, 1, 0), PeerMisbehaved::FrameLength),
        ("over the limit", header((16 << 20) + (1 << 16), kind::USER, 1, 0), PeerMisbehaved::FrameLength),
        ("too long for its kind", header(1 << 20, kind::END, 1, 0), PeerMisbehaved::FrameLength),
        ("too short for its kind", header(9, kind::END, 1, 0), PeerMisbehaved::FrameShape),
        ("half a name", half_a_name, PeerMisbehaved::FrameShape),
        ("an unknown kind that matters", header(8, 250, 1, 0), PeerMisbehaved::UnknownFrame),
        ("handles where none can be", header(27, kind::END, 1, 1), PeerMisbehaved::UnexpectedHandles),
        ("handles that do not come", header(37, kind::USER, 1, 1), PeerMisbehaved::MissingHandles),
        ("a hello again", raw::invites(), PeerMisbehaved::WrongStage),
        ("a welcome again", raw::welcome(&[raw::descriptor(2)]), PeerMisbehaved::WrongStage),
        (
            "a request of a guest",
            raw::frame(kind::REQUEST_INTRODUCTION, &[7; 16]),
            PeerMisbehaved::NotYourBroker,
        ),
    ];
    for (what, said, fault) in cases {
        let (guest, pipe, mut peer) = welcomed(&stage).await;
        pipe.try_send(bytes(b"unharmed so far")).expect("there is room");
        let mut said = said;
        if fault == PeerMisbehaved::MissingHandles {
            said.resize(37, 0); // the whole frame, or it would be waited for
        }
        let _ = peer.write(&said).await;
        assert_eq!(end_of(&pipe).await, Why::PeerDied, "{what}");
        assert_eq!(guest.inspect().faults, [fault], "{what}");
        peer.until_hang_up().await;
    }
    // What is unknown and does not matter is skipped, and the next frame is as good as ever.
    let (guest, pipe, mut peer) = welcomed(&stage).await;
    let mut said = header(12, 250, 0, 0);
    said.extend([1, 2, 3, 4]);
    said.extend(raw::user(0, 1, b"behind it"));
    peer.write(&said).await.expect("it listens");
    assert_eq!(pipe.recv().await.expect("it arrives").bytes, b"behind it");
    assert!(guest.inspect().faults.is_empty());
}

/// Not the link's rules, but the pipe's: only the pipe ends, because somebody further away may have done it.
async fn messages_that_break_the_rules(stage: Stage) {
    for (what, said, why) in [
        ("a number left out", raw::user(1, 1, b""), Why::BrokenRules),
        ("a number used twice", [raw::user(0, 1, b""), raw::user(0, 1, b"")].concat(), Why::BrokenRules),
        ("a reason nobody knows", raw::end(99), Why::PeerDied),
        ("an honest end", raw::end(0), Why::Closed),
        ("a rejection", raw::end(4), Why::Rejected),
    ] {
        let (guest, pipe, mut peer) = welcomed(&stage).await;
        peer.write(&said).await.expect("it listens");
        assert_eq!(end_of(&pipe).await, why, "{what}");
        assert!(guest.inspect().faults.is_empty(), "{what}");
        assert_eq!(guest.inspect().links.len(), 1, "{what}");
    }
    for (what, said, fault) in [
        ("no hops", raw::user(0, 0, b""), PeerMisbehaved::HopCount),
        ("endless hops", raw::user(0, u16::MAX, b""), PeerMisbehaved::HopCount),
    ] {
        let (guest, pipe, mut peer) = welcomed(&stage).await;
        peer.write(&said).await.expect("it listens");
        assert_eq!(end_of(&pipe).await, Why::PeerDied, "{what}");
        assert_eq!(guest.inspect().faults, [fault], "{what}");
    }
    // More than the window allows: the reader does not read, and is not made to store.
    let (_guest, pipe, mut peer) = welcomed(&stage).await;
    let flood: Vec<u8> = (0..2000).flat_map(|number| raw::user(number, 1, b"flood")).collect();
    let _ = peer.write(&flood).await;
    let mut read = 0;
    let why = loop {
        match pipe.recv().await {
            Ok(_) if read == 0 => {
                // All of it is here before the first is read: the end of the link is behind it.
                drop(std::mem::replace(&mut peer, RawPeer::new(&*stage.scheduler, pair().0)));
                read = 1;
            }
            Ok(_) => read += 1,
            Err(why) => break why,
        }
    };
    assert!(matches!(why, Why::BrokenRules | Why::PeerDied), "{why}");
    assert!(read < 2000 || why == Why::PeerDied, "{read} were stored");
}

async fn handles_that_break_the_rules(stage: Stage) {
    let (reader, _writer) = io::pipe().expect("a pipe");
    let (guest, pipe, mut peer) = welcomed(&stage).await;
    peer.write_with(&raw::user(0, 1, b"declares none"), &[reader.as_fd()]).await.expect("it listens");
    assert_eq!(end_of(&pipe).await, Why::PeerDied);
    assert_eq!(guest.inspect().faults, [PeerMisbehaved::UnexpectedHandles]);

    // A guest is introduced by nobody but its broker, and to sockets only.
    let introduction = |name: [u8; 16]| {
        let mut said = raw::frame(kind::INTRODUCE, &name);
        said[6] = 1; // one handle
        said
    };
    let (guest, pipe, mut peer) = welcomed(&stage).await;
    peer.write_with(&introduction([7; 16]), &[reader.as_fd()]).await.expect("it listens");
    peer.write(&raw::user(0, 1, b"the broker's own link goes on")).await.expect("it listens");
    assert!(!pipe.recv().await.expect("it arrives").bytes.is_empty());
    assert_eq!(guest.inspect().links.len(), 1, "what came as a link is none");

    // An inviter is not to be introduced by its guest.
    let node = stage.node();
    let (ours, theirs) = pair();
    let pipe = node.send_invitation(ours).expect("a stream socket");
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    peer.write(&raw::accepts()).await.expect("it listens");
    for expected in [kind::HELLO, kind::WELCOME] {
        assert_eq!(peer.frame().await.expect("it listens and answers")[4], expected);
    }
    let (one, _other) = pair();
    peer.write_with(&introduction([7; 16]), &[one.as_fd()]).await.expect("it listens");
    assert_eq!(end_of(&pipe).await, Why::PeerDied);
    assert_eq!(node.inspect().faults, [PeerMisbehaved::NotBroker]);
}

// ---- cut off

/// Passes everything on from one socket to another, and keeps it.
fn tap(stage: &Stage, from: OwnedFd, to: OwnedFd) -> (Arc<Mutex<Vec<u8>>>, BoxFuture<'static, ()>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let copy = Arc::clone(&kept);
    let (mut from, mut to) = (RawPeer::new(&*stage.scheduler, from), RawPeer::new(&*stage.scheduler, to));
    let passing = stage.start(async move {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            copy.lock().extend(&buffer[..count]);
            let _ = to.write(&buffer[..count]).await;
        }
    });
    (kept, passing)
}

/// What the inviter, and what the acceptor says in a good handshake with a message each way and a good end.
async fn recorded(stage: &Stage) -> (Vec<u8>, Vec<u8>) {
    let (inviter, guest) = (stage.node(), stage.node());
    let ((left, left_tap), (right_tap, right)) = (pair(), pair());
    let duplicate = |socket: &OwnedFd| socket.try_clone().expect("a descriptor");
    let (said_left, passing_left) = tap(stage, duplicate(&left_tap), duplicate(&right_tap));
    let (said_right, passing_right) = tap(stage, right_tap, left_tap);
    let sent = inviter.send_invitation(left).expect("a stream socket");
    sent.try_send(bytes(b"from the inviter")).expect("there is room");
    let accepted = guest.accept_invitation(right).await.expect("the other invites");
    accepted.try_send(bytes(b"from the acceptor")).expect("there is room");
    assert_eq!(accepted.recv().await.expect("it arrives").bytes, b"from the inviter");
    assert_eq!(sent.recv().await.expect("it arrives").bytes, b"from the acceptor");
    drop(sent);
    assert_eq!(end_of(&accepted).await, Why::Closed);
    drop(accepted);
    inviter.shutdown().await;
    guest.shutdown().await;
    drop((passing_left, passing_right));
    (said_left.lock().clone(), said_right.lock().clone())
}

async fn the_end_of_the_stream_at_every_byte(stage: Stage) {
    let (inviter_says, acceptor_says) = recorded(&stage).await;
    let frames = |said: &[u8]| -> Vec<usize> {
        let mut ends = vec![0];
        let mut at = 0;
        while at < said.len() {
            at += u32::from_le_bytes(said[at..at + 4].try_into().expect("four bytes")) as usize;
            ends.push(at);
        }
        ends
    };
    let (hello, welcome) = (frames(&acceptor_says)[1], frames(&inviter_says)[2]);
    assert!(welcome < inviter_says.len() && frames(&acceptor_says).len() > 3, "too little was recorded");
    for cut in 0..=inviter_says.len() {
        let guest = stage.node();
        let (ours, mut theirs) = UnixStream::pair().expect("a socket pair");
        theirs.write_all(&inviter_says[..cut]).expect("it fits");
        drop(theirs);
        match guest.accept_invitation(ours).await {
            Ok(pipe) => {
                assert!(cut >= welcome, "accepted after {cut} bytes");
                let why = end_of(&pipe).await;
                assert!(matches!(why, Why::PeerDied | Why::Closed), "{why} after {cut} bytes");
            }
            Err(error) => {
                assert!(cut < welcome, "{error} after {cut} bytes");
                assert!(matches!(error, InvitationError::Closed), "{error} after {cut} bytes");
            }
        }
        // A pipe that was closed well says nothing of its link, which is about to end.
        guest.clone().shutdown().await;
        expect_clean(&guest);
    }
    for cut in 0..=acceptor_says.len() {
        let node = stage.node();
        let (ours, theirs) = pair();
        let pipe = node.send_invitation(ours).expect("a stream socket");
        let mut peer = RawPeer::new(&*stage.scheduler, theirs);
        let (first, rest) = acceptor_says[..cut].split_at(cut.min(hello));
        peer.write(first).await.expect("it listens");
        if !rest.is_empty() {
            // No acceptor says more before it is welcome.
            for expected in [kind::HELLO, kind::WELCOME] {
                assert_eq!(peer.frame().await.expect("it answers")[4], expected);
            }
            peer.write(rest).await.expect("it listens");
        }
        drop(peer);
        let _ = pipe.try_send(bytes(b"from the inviter"));
        let why = end_of(&pipe).await;
        assert!(matches!(why, Why::PeerDied | Why::Closed), "{why} after {cut} bytes");
        drop(pipe);
        node.clone().shutdown().await;
        expect_clean(&node);
    }
}

async fn a_forgotten_acceptance_hangs_up(stage: Stage) {
    let guest = stage.node();
    let (ours, theirs) = pair();
    let mut peer = RawPeer::new(&*stage.scheduler, theirs);
    {
        let accepting = Box::pin(guest.accept_invitation(ours));
        let hello = Box::pin(peer.frame());
        match future::select(accepting, hello).await {
            Either::Left((accepted, _)) => panic!("nobody invited: {accepted:?}"),
            Either::Right((hello, _)) => assert_eq!(hello.expect("its hello")[4], kind::HELLO),
        }
    }
    assert!(!peer.until_hang_up().await, "it says no more");
    guest.clone().shutdown().await;
    expect_clean(&guest);
}

async fn not_a_stream_socket(stage: Stage) {
    let node = stage.node();
    let (reader, _writer) = io::pipe().expect("a pipe");
    let datagrams = std::os::unix::net::UnixDatagram::pair().expect("a socket pair");
    let file = std::fs::File::open("/dev/null").expect("it is there");
    node.send_invitation(reader).expect_err("a pipe is no socket");
    node.send_invitation(datagrams.0).expect_err("datagrams are no stream");
    let error = node.accept_invitation(datagrams.1).await.expect_err("datagrams are no stream");
    assert!(matches!(error, InvitationError::Io(_)), "{error}");
    let error = node.accept_invitation(file).await.expect_err("a file is no socket");
    assert!(matches!(error, InvitationError::Io(_)), "{error}");
    expect_clean(&node);
}

/// A node that is a guest in two networks keeps them apart.
async fn two_networks_do_not_mix(stage: Stage) {
    let (one, other, guest) = (stage.node(), stage.node(), stage.node());
    let (ours, theirs) = pair();
    let at_one = one.send_invitation(ours).expect("a stream socket");
    let from_one = guest.accept_invitation(theirs).await.expect("the node invites");
    let (ours, theirs) = pair();
    let _at_other = other.send_invitation(ours).expect("a stream socket");
    let from_other = guest.accept_invitation(theirs).await.expect("the node invites");

    let (_, travels) = one.create_message_pipes();
    at_one.try_send(RawMessage { pipes: vec![travels], ..RawMessage::default() }).expect("there is room");
    let arrived = from_one.recv().await.expect("it arrives").pipes.pop().expect("with the end");
    let refused = from_other
        .try_send(RawMessage { pipes: vec![arrived], ..RawMessage::default() })
        .expect_err("it is of the other network");
    assert_eq!(refused.kind(), mage::SendErrorKind::OtherNetwork);
    let arrived = refused.into_pipes().pop().expect("it comes back");
    from_one.try_send(RawMessage { pipes: vec![arrived], ..RawMessage::default() }).expect("and may go home");
}

// ---- launching

fn sockets(lines: &str) -> BTreeSet<String> {
    lines.lines().filter(|line| line.starts_with("socket:")).map(str::to_owned).collect()
}

/// Children that several threads launch at once: no socket is in two of them, and none of this process's is in any.
async fn a_launched_child_has_its_own_socket_only(stage: Stage) {
    let node = stage.node();
    let scheduler = Arc::clone(&stage.scheduler);
    let flavor = stage.flavor;
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (node, scheduler) = (node.clone(), Arc::clone(&scheduler));
            thread::spawn(move || {
                let stage = Stage { flavor, scheduler, local: None };
                [Puppet::launch(&stage, CHILD, &node), Puppet::launch(&stage, CHILD, &node)]
            })
        })
        .collect();
    let puppets: Vec<Puppet> =
        threads.into_iter().flat_map(|thread| thread.join().expect("the children start")).collect();
    let mut seen = BTreeSet::new();
    for puppet in &puppets {
        let own = sockets(&puppet.remote.descriptors().await.expect("the child answers"));
        assert!(!own.is_empty(), "it has its own");
        for socket in own {
            assert!(seen.insert(socket.clone()), "{socket} is in two children");
        }
    }
    let here: BTreeSet<String> = std::fs::read_dir("/proc/self/fd")
        .expect("it is there")
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|target| target.display().to_string())
        .collect();
    assert!(seen.is_disjoint(&here), "a child has a socket of this process");
    for puppet in puppets {
        puppet.finish().await;
    }
}

async fn a_grandchild_has_none(stage: Stage) {
    let node = stage.node();
    let puppet = Puppet::launch(&stage, CHILD, &node);
    let own = sockets(&puppet.remote.descriptors().await.expect("the child answers"));
    let grandchild = puppet.remote.grandchild_descriptors().await.expect("the child answers");
    assert!(grandchild.lines().count() > 2, "its standard input is the first of them: {grandchild}");
    assert!(own.is_disjoint(&sockets(&grandchild)), "{grandchild}");
    puppet.finish().await;
}

async fn not_launched(stage: Stage) {
    let node = stage.node();
    let error = node.inherited_pipe().await.expect_err("nobody launched this process");
    assert!(matches!(&error, InvitationError::Io(io) if io.kind() == io::ErrorKind::NotFound), "{error}");
    let error = node.inherited_receiver::<dyn Echo>().await.expect_err("nobody launched this process");
    assert!(matches!(&error, InvitationError::Io(io) if io.kind() == io::ErrorKind::NotFound), "{error}");
    expect_clean(&node);
}

async fn a_program_that_is_not_there(stage: Stage) {
    let node = stage.node();
    let error = node
        .launch::<dyn Child>(&mut std::process::Command::new("/nowhere/no-such-program"))
        .expect_err("there is no such program");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    expect_clean(&node);
}

/// A scheduler that can watch nothing.
#[derive(Debug)]
struct Blind(Arc<dyn Scheduler>);

impl Scheduler for Blind {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.spawn(task);
    }

    fn watch(&self, _: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

async fn nothing_is_started_that_cannot_be_invited(stage: Stage) {
    let node = Node::new(Arc::new(Blind(stage.scheduler.clone())));
    let (mut said, output) = io::pipe().expect("a pipe");
    let mut command = std::process::Command::new("echo");
    let error = node.launch_pipe(command.arg("I run").stdout(output)).expect_err("it cannot be watched");
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    drop(command);
    let mut text = String::new();
    said.read_to_string(&mut text).expect("it ends");
    assert_eq!(text, "");
}

async fn a_child_that_never_accepts(stage: Stage) {
    let node = stage.node();
    let mut launched =
        node.launch::<dyn Child>(&mut std::process::Command::new("true")).expect("the program is there");
    let call = launched.remote.ping();
    // It may be gone before it is called.
    let error = call.await.expect_err("nobody answers");
    assert!(matches!(error, CallError::PeerGone(Why::PeerDied) | CallError::NotSent(_)), "{error}");
    assert_eq!(Remote::closed(&launched.remote).await, Why::PeerDied);
    launched.child.wait().expect("the child was not waited for");
}

// ---- bound wrongly

async fn rejected_by_the_reader(stage: Stage) {
    // The interface of the wrong side of a link.
    let ((inviter, far), (guest, near)) = stage.linked().await;
    let remote = Remote::<dyn Callback>::new(far);
    remote.notify_done().expect("there is room");
    let error = Receiver::<dyn Echo>::new(near).serve(&mut EchoImpl).await.expect_err("another interface");
    assert!(
        matches!(error, RecvError::BadMessage(BadMessage::OtherInterface { expected: "Echo", .. })),
        "{error}"
    );
    assert_eq!(Remote::closed(&remote).await, Why::Rejected);
    // The pipe is over, the link is not.
    assert_eq!((inviter.inspect().links.len(), guest.inspect().links.len()), (1, 1));
    assert!(guest.inspect().faults.is_empty());

    // A message cut short, one with something behind it, and one that is no text.
    let node = stage.node();
    type Spoil = fn(&mut RawMessage);
    let spoils: [(Spoil, BadMessage); 5] = [
        (|message| message.bytes.truncate(message.bytes.len() - 1), BadMessage::Truncated),
        (|message| message.bytes.push(0), BadMessage::TrailingData),
        (|message| *message.bytes.last_mut().expect("a byte") = 0xff, BadMessage::InvalidText),
        (|message| message.bytes.truncate(31), BadMessage::Truncated),
        (|message| message.bytes[2] = 9, BadMessage::InvalidHeader),
    ];
    for (spoil, expected) in spoils {
        let (ours, theirs) = node.create_message_pipes();
        let remote = Remote::<dyn Callback>::new(ours);
        remote.text("text").expect("there is room");
        let mut message = theirs.recv().await.expect("it arrives");
        spoil(&mut message);
        let pipe = Remote::into_pipe(remote);
        theirs.try_send(message).expect("there is room");
        let error = Receiver::<dyn Callback>::new(pipe).recv().await.expect_err("it is spoilt");
        assert_eq!(error, RecvError::BadMessage(expected));
        assert_eq!(end_of(&theirs).await, Why::Rejected);
    }
}

/// Two nodes never have two links, and that is nobody's fault.
async fn a_second_invitation_from_the_same_node(stage: Stage) {
    let (inviter, guest) = (stage.node(), stage.node());
    let (ours, theirs) = UnixStream::pair().expect("two sockets");
    let first = inviter.send_invitation(ours).expect("it can be sent");
    let kept = guest.accept_invitation(theirs).await.expect("the first is accepted");
    let (ours, theirs) = UnixStream::pair().expect("two sockets");
    let second = inviter.send_invitation(ours).expect("it can be sent");
    let error = guest.accept_invitation(theirs).await.expect_err("they are connected already");
    assert!(matches!(error, InvitationError::AlreadyConnected), "{error}");
    assert_eq!(end_of(&second).await, Why::PeerDied);
    first
        .try_send(RawMessage { bytes: b"still here".to_vec(), ..RawMessage::default() })
        .expect("there is room");
    assert_eq!(kept.recv().await.expect("a message").bytes, b"still here");
    assert!(inviter.inspect().faults.is_empty() && guest.inspect().faults.is_empty(), "nobody misbehaved");
}
