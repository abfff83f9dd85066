//! Handles in messages: in any number and order, and what becomes of them when a process has no room for them.
//!
//! Whoever counts descriptors or lowers their limit is alone in its process: such a body is run by a test of this same
//! binary in a child process, see [`alone`].

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use mage::limits::HANDLE_COST;
use mage::{InvitationError, Limits, MessagePipe, Node, PeerMisbehaved, RawMessage, SendErrorKind, Why};
use mage_tests::raw::{self, RawPeer, kind};
use mage_tests::words::{a_turn, end_of};
use mage_tests::{Flavor, Stage, on_every_scheduler, run};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Resource, Rlimit, getrlimit, getuid, setrlimit};

on_every_scheduler! {
    as_many_as_there_can_be
    one_too_many_comes_back
    a_pipe_holds_so_many_and_then_is_full
    a_frame_and_its_handles_belong_together
    a_message_that_says_its_handles_are_lost
}

fn handle() -> OwnedFd {
    memfd_create("handle", MemfdFlags::CLOEXEC).expect("a file in memory")
}

fn with_handles(bytes: &[u8], count: usize) -> RawMessage {
    let handles = std::iter::repeat_with(handle).take(count).collect();
    RawMessage { bytes: bytes.to_vec(), pipes: Vec::new(), handles }
}

async fn says(from: &MessagePipe, to: &MessagePipe, text: &[u8]) {
    from.try_send(RawMessage { bytes: text.to_vec(), ..RawMessage::default() }).expect("the pipe is there");
    assert_eq!(to.recv().await.expect("it arrives").bytes, text);
}

/// One more pipe between the two, over the one they have.
async fn another(node: &Node, from: &MessagePipe, to: &MessagePipe) -> (MessagePipe, MessagePipe) {
    let (kept, travels) = node.create_message_pipes();
    from.try_send(RawMessage { pipes: vec![travels], ..RawMessage::default() }).expect("the pipe is there");
    let mut message = to.recv().await.expect("it arrives");
    (kept, message.pipes.pop().expect("with the end"))
}

// ---- how many

async fn as_many_as_there_can_be(stage: Stage) {
    let ((node, ours), (_guest, theirs)) = stage.linked().await;
    let (kept, travel): (Vec<_>, Vec<_>) = (0..64).map(|_| node.create_message_pipes()).unzip();
    let mut message = with_handles(b"full", 64);
    for (number, handle) in (0_u8..).zip(&message.handles) {
        rustix::io::write(handle, &[number]).expect("there is room");
    }
    message.pipes = travel;
    ours.try_send(message).expect("it is allowed");
    let arrived = theirs.recv().await.expect("it arrives");
    assert_eq!(
        (arrived.bytes.as_slice(), arrived.pipes.len(), arrived.handles.len()),
        (&b"full"[..], 64, 64)
    );
    for (number, handle) in (0_u8..).zip(&arrived.handles) {
        let mut byte = [0];
        rustix::io::pread(handle, &mut byte, 0).expect("it is the same file");
        assert_eq!(byte, [number]);
    }
    for (kept, arrived) in kept.iter().zip(&arrived.pipes) {
        says(kept, arrived, b"through").await;
    }
}

async fn one_too_many_comes_back(stage: Stage) {
    let ((node, ours), (_guest, theirs)) = stage.linked().await;
    let refused = ours.try_send(with_handles(b"handles", 65)).expect_err("it is one too many");
    assert_eq!(refused.kind(), SendErrorKind::TooLarge);
    let pipes: Vec<MessagePipe> = (0..65).map(|_| node.create_message_pipes().0).collect();
    let message = RawMessage { pipes, ..with_handles(b"pipes", 64) };
    let refused = ours.try_send(message).expect_err("it is one too many");
    assert_eq!(refused.kind(), SendErrorKind::TooLarge);
    let (pipes, handles) = refused.into_parts();
    assert_eq!((pipes.len(), handles.len()), (65, 64));
    says(&ours, &theirs, b"nothing has happened").await;
}

async fn a_pipe_holds_so_many_and_then_is_full(stage: Stage) {
    let whole = usize::try_from(Limits::default().window_bytes / HANDLE_COST).expect("few");
    assert_eq!(whole, 128, "as it is written down");
    let ((node, ours), (_guest, theirs)) = stage.linked().await;
    let within = node.create_message_pipes();
    for (from, to) in [(&ours, &theirs), (&within.0, &within.1)] {
        for round in 0..3 {
            for number in 0..whole / 2 {
                from.try_send(with_handles(b"", 2))
                    .unwrap_or_else(|_| panic!("{number} of round {round} fits"));
            }
            let refused = from.try_send(with_handles(b"one too many", 3)).expect_err("nobody has read");
            assert_eq!((refused.kind(), refused.into_parts().1.len()), (SendErrorKind::Full, 3));
            for _ in 0..whole / 2 {
                assert_eq!(to.recv().await.expect("it arrives").handles.len(), 2);
            }
            // Behind all that it has granted by reading.
            to.try_send(RawMessage::default()).expect("there is room");
            from.recv().await.expect("it arrives");
        }
    }
}

// ---- by hand

/// A guest whose inviter is played by hand.
async fn welcomed(stage: &Stage) -> (Node, MessagePipe, RawPeer) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let guest = stage.node();
    let mut peer = RawPeer::new(&*stage.scheduler, ours);
    peer.write(&[raw::invites(), raw::welcome(&[raw::descriptor(1)])].concat()).await.expect("it listens");
    let pipe = guest.accept_invitation(theirs).await.expect("it is welcome");
    (guest, pipe, peer)
}

/// The first message, with so many handles in its header.
fn declaring(handles: u8) -> Vec<u8> {
    let mut message = raw::user(0, 1, b"a message");
    message[6] = handles;
    message
}

async fn a_frame_and_its_handles_belong_together(stage: Stage) {
    let file = handle();
    let sent = |count: usize| vec![file.as_fd(); count];
    let (half, other_half) = (declaring(2)[..20].to_vec(), declaring(2)[20..].to_vec());
    let wrong = [
        (vec![(declaring(2), 1)], PeerMisbehaved::MissingHandles),
        (vec![(declaring(2), 0)], PeerMisbehaved::MissingHandles),
        (vec![(half, 1), (other_half, 1)], PeerMisbehaved::MissingHandles),
        (vec![(declaring(1), 2)], PeerMisbehaved::UnexpectedHandles),
        (vec![(declaring(64), 253)], PeerMisbehaved::UnexpectedHandles),
        (vec![(declaring(65), 65)], PeerMisbehaved::TooManyAttachments),
    ];
    for (pieces, expected) in wrong {
        let (guest, pipe, mut peer) = welcomed(&stage).await;
        for (bytes, count) in pieces {
            // It may have hung up already.
            let _ = peer.write_with(&bytes, &sent(count)).await;
        }
        assert_eq!(end_of(&pipe).await, Why::PeerDied);
        assert_eq!(guest.inspect().faults, [expected]);
    }
}

async fn a_message_that_says_its_handles_are_lost(stage: Stage) {
    let (guest, pipe, mut peer) = welcomed(&stage).await;
    let mut message = raw::user(0, 1, b"a message");
    message[5] |= 2;
    peer.write(&message).await.expect("it listens");
    assert_eq!(pipe.recv().await.expect_err("a part of a message is none"), Why::HandlesLost);
    assert!(guest.inspect().faults.is_empty(), "nobody is to blame");
    assert_eq!(guest.inspect().links.len(), 1);
}

// ---- alone in a process

const BODY: &str = "MAGE_TEST_BODY";

/// Runs the body of this name in a process of its own, as an ordinary user: the limits do not hold for others.
fn alone(name: &str) {
    // By its descriptor, since the other user need not be able to enter the directory that it is in.
    let program = File::open("/proc/self/exe").expect("this program is a file");
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command.args(["--exact", "handles::in_a_process_of_its_own", "--ignored", "--nocapture"]).env(BODY, name);
    if getuid().is_root() {
        // What is in flight counts for its user, so each is one of its own.
        let user = 60_000 + name.bytes().map(u32::from).sum::<u32>();
        command.uid(user).gid(user);
    }
    let output = command.output().expect("the child runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{text}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "the child process of the others"]
fn in_a_process_of_its_own() {
    let body = env::var(BODY).unwrap_or_default();
    match body.as_str() {
        "back_to_the_start" => run(Flavor::Loop, back_to_the_start),
        "no_room_for_handles" => run(Flavor::Loop, no_room_for_handles),
        "no_room_for_sockets" => run(Flavor::Loop, no_room_for_sockets),
        "too_many_in_flight" => run(Flavor::Loop, too_many_in_flight),
        "a_flood" => run(Flavor::Loop, a_flood),
        _ => {}
    }
}

#[test]
fn all_are_closed_in_the_end() {
    alone("back_to_the_start");
}

#[test]
fn a_receiver_without_room_ends_the_pipe() {
    alone("no_room_for_handles");
}

#[test]
fn a_receiver_without_room_meets_nobody() {
    alone("no_room_for_sockets");
}

#[test]
fn a_sender_with_too_many_in_flight_ends_the_pipe() {
    alone("too_many_in_flight");
}

#[test]
fn a_peer_cannot_take_every_descriptor() {
    alone("a_flood");
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("this process has one").count()
}

/// Takes all descriptors but so many, until it is dropped.
struct Full {
    _taken: Vec<File>,
    before: Rlimit,
}

impl Full {
    fn but(free: usize) -> Self {
        let before = getrlimit(Resource::Nofile);
        let limit = Rlimit { current: Some(descriptors() as u64 + 32), ..before };
        setrlimit(Resource::Nofile, limit).expect("it may be lowered");
        let mut taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        taken.truncate(taken.len() - free);
        Self { _taken: taken, before }
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.before).expect("it may be raised again");
    }
}

/// The same handles with numbers that nobody else gets: sending them makes no room.
fn out_of_the_way(message: RawMessage) -> RawMessage {
    let moved = |handle: OwnedFd| rustix::io::fcntl_dupfd_cloexec(handle, 500).expect("there is room");
    RawMessage { handles: message.handles.into_iter().map(moved).collect(), ..message }
}

async fn back_to_the_start(stage: Stage) {
    let ((node, ours), (_guest, theirs)) = stage.linked().await;
    says(&ours, &theirs, b"whatever is opened once is open now").await;
    let before = descriptors();
    for round in 0..200_usize {
        let (from, to) = if round % 2 == 0 { (&ours, &theirs) } else { (&theirs, &ours) };
        let (kept, travels) = node.create_message_pipes();
        let mut message = with_handles(b"round", round % 5);
        if round % 3 != 0 && round % 2 == 0 {
            message.pipes.push(travels);
        }
        let shape = (message.pipes.len(), message.handles.len());
        from.try_send(message).expect("there is room");
        if round % 7 == 0 {
            continue; // it is read with the next
        }
        let mut arrived = to.recv().await.expect("it arrives");
        if round % 14 == 2 && round > 14 {
            continue; // it is dropped unread
        }
        while arrived.pipes.len() != shape.0 || arrived.handles.len() != shape.1 {
            arrived = to.recv().await.expect("what was left comes first");
        }
        if let Some(pipe) = arrived.pipes.pop() {
            kept.try_send(with_handles(b"nested", 2)).expect("there is room");
            if round % 4 == 0 {
                assert_eq!(pipe.recv().await.expect("it arrives").handles.len(), 2);
            }
        }
    }
    // One more each way, behind everything else.
    for (from, to) in [(&ours, &theirs), (&theirs, &ours)] {
        from.try_send(RawMessage { bytes: b"last".to_vec(), ..RawMessage::default() })
            .expect("there is room");
        while to.recv().await.expect("it arrives").bytes != b"last" {}
    }
    // What travelled in the nested ones is closed when they are: ask until it is.
    while descriptors() != before {
        says(&ours, &theirs, b"still there?").await;
    }
}

async fn no_room_for_handles(stage: Stage) {
    let ((node, ours), (guest, theirs)) = stage.linked().await;
    let before = descriptors();
    for free in [0, 1, 3] {
        let (near, far) = another(&node, &ours, &theirs).await;
        let (kept, travels) = node.create_message_pipes();
        let message = RawMessage { pipes: vec![travels], ..out_of_the_way(with_handles(b"part", 10)) };
        says(&near, &far, b"earlier").await;
        near.try_send(RawMessage { bytes: b"before".to_vec(), ..RawMessage::default() })
            .expect("there is room");
        let full = Full::but(free);
        near.try_send(message).expect("there is room");
        near.try_send(RawMessage { bytes: b"behind".to_vec(), ..RawMessage::default() })
            .expect("there is room");
        assert_eq!(far.recv().await.expect("what came before is good").bytes, b"before");
        assert_eq!(far.recv().await.expect_err("a part of a message is none"), Why::HandlesLost);
        assert_eq!(end_of(&near).await, Why::HandlesLost);
        assert_eq!(end_of(&kept).await, Why::Closed, "what the message carried is closed");
        says(&ours, &theirs, b"the link goes on").await;
        says(&theirs, &ours, b"both ways").await;
        drop(full);
        drop((near, far, kept));
        ours.try_send(with_handles(b"whole", 10)).expect("there is room");
        assert_eq!(theirs.recv().await.expect("there is room again").handles.len(), 10);
        assert_eq!(descriptors(), before);
    }
    assert!(guest.inspect().faults.is_empty() && node.inspect().faults.is_empty());
}

async fn no_room_for_sockets(stage: Stage) {
    let (one, _other) = UnixStream::pair().expect("a socket pair");
    let one = OwnedFd::from(one);
    let with_one = |mut frame: Vec<u8>| {
        frame[6] = 1;
        frame
    };
    // An introduction.
    let (guest, pipe, mut peer) = welcomed(&stage).await;
    let full = Full::but(0);
    let introduction = with_one(raw::frame(kind::INTRODUCE, &[7; 16]));
    peer.write_with(&introduction, &[one.as_fd()]).await.expect("it listens");
    peer.write(&raw::user(0, 1, b"the link goes on")).await.expect("it listens");
    assert_eq!(pipe.recv().await.expect("it arrives").bytes, b"the link goes on");
    assert!(guest.inspect().faults.is_empty());
    assert_eq!(guest.inspect().links.len(), 1);
    drop(full);

    // An admission. What the guest says first is its hello, that an end has been accepted, and its request.
    let (ours, _theirs) = UnixStream::pair().expect("a socket pair");
    let invited = guest.send_invitation(ours).expect("a stream socket");
    let request = loop {
        let frame = peer.frame().await.expect("it speaks");
        if frame[4] == 6 {
            break frame;
        }
    };
    let full = Full::but(0);
    let admission = with_one(raw::frame(7, &[&request[8..], &[8; 16]].concat()));
    peer.write_with(&admission, &[one.as_fd()]).await.expect("it listens");
    assert_eq!(end_of(&invited).await, Why::PeerDied);
    peer.write(&raw::user(1, 1, b"the link goes on")).await.expect("it listens");
    assert_eq!(pipe.recv().await.expect("it arrives").bytes, b"the link goes on");
    assert!(guest.inspect().faults.is_empty());
    drop(full);

    // A welcome.
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut peer = RawPeer::new(&*stage.scheduler, ours);
    let mut welcome = with_one(raw::welcome(&[]));
    welcome[8 + 2 + 1 + 32..][..16].fill(0xcc); // another is the broker
    peer.write(&raw::invites()).await.expect("it listens");
    peer.write_with(&welcome, &[one.as_fd()]).await.expect("it listens");
    let guest = stage.node();
    let accepting = guest.accept_invitation(theirs);
    let full = Full::but(0);
    let error = accepting.await.expect_err("there is no link to the broker");
    assert!(matches!(error, InvitationError::HandlesLost), "{error}");
    assert!(guest.inspect().faults.is_empty());
    drop(full);
}

async fn too_many_in_flight(stage: Stage) {
    assert!(!getuid().is_root(), "for a privileged user nothing is too much");
    let ((node, ours), (guest, theirs)) = stage.linked().await;
    let before = descriptors();
    let (near, far) = another(&node, &ours, &theirs).await;
    let (kept, travels) = node.create_message_pipes();
    // As many as a process may have open may be in flight.
    let full = Full::but(16);
    let (filled, unread) = UnixStream::pair().expect("there is room");
    filled.set_nonblocking(true).expect("it is a socket");
    while fill(&filled, filled.as_fd()).is_ok() {}
    near.try_send(RawMessage { pipes: vec![travels], ..with_handles(b"refused", 2) }).expect("there is room");
    assert_eq!(far.recv().await.expect_err("without its handles it is none"), Why::HandlesLost);
    assert_eq!(end_of(&near).await, Why::HandlesLost);
    assert_eq!(end_of(&kept).await, Why::Closed, "what the message carried is closed");
    says(&ours, &theirs, b"the link goes on").await;
    drop((filled, unread, full, near, far, kept));
    // The kernel takes its time to forget what was in flight.
    loop {
        let (near, far) = another(&node, &ours, &theirs).await;
        near.try_send(with_handles(b"taken", 2)).expect("there is room");
        match far.recv().await {
            Ok(message) => break assert_eq!(message.handles.len(), 2),
            Err(why) => assert_eq!(why, Why::HandlesLost),
        }
    }
    assert!(guest.inspect().faults.is_empty() && node.inspect().faults.is_empty());
    assert_eq!(descriptors(), before);
}

/// Peers with many pipes send descriptors that nobody reads. Each gets half of what there is, and the next half of what is left.
async fn a_flood(stage: Stage) {
    const PIPES: u64 = 40;
    const OPEN_MAX: u64 = 1024;
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(OPEN_MAX), ..before }).expect("it may be lowered");
    let limits = Limits::default();
    assert!(limits.link_handles_max < limits.node_handles_max);
    let guest = stage.node();
    let file = handle();
    let mut floods = Vec::new();
    for flood in 0..3 {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let mut peer = RawPeer::new(&*stage.scheduler, ours);
        let descriptors: Vec<Vec<u8>> = (1..=PIPES).map(raw::descriptor).collect();
        let mut welcome = raw::welcome(&descriptors);
        // Another inviter each time, by another name.
        welcome[8 + 2] = 1;
        for place in [0, 16, 32] {
            welcome[8 + 2 + 1 + place..][..15].fill(0x10 * (flood + 1) + u8::from(place == 0));
        }
        peer.write(&[raw::invites(), welcome].concat()).await.expect("it listens");
        let mut accepted = guest.accept_named_invitation(theirs).await.expect("it is welcome");
        let pipes: Vec<MessagePipe> = (0..usize::try_from(PIPES).expect("few"))
            .map(|place| accepted.extract(&if place == 0 { String::new() } else { format!("pipe {place}") }))
            .map(|pipe| pipe.expect("it was brought"))
            .collect();
        for number in 1..=PIPES {
            let mut message = raw::user_on(number, 0, 1, b"full of files");
            message[6] = 64;
            flood_with(&mut peer, &message, &file).await;
        }
        // Whatever it says is heard still.
        peer.write(&raw::user_on(1, 1, 1, b"the link goes on")).await.expect("it listens");
        let settled = (usize::from(flood) + 1) * usize::try_from(PIPES).expect("few");
        while ended(&guest) + unread(&guest) < settled {
            a_turn().await;
        }
        assert!(ended(&guest) > 0, "there was no room for all of them");
        floods.push((peer, pipes));
    }
    assert!(descriptors() < limits.node_handles_max + 100, "{}", descriptors());
    let room: Vec<File> = (0..256).map(|_| File::open("/dev/null").expect("there is room")).collect();
    drop(room);
    assert!(guest.inspect().faults.is_empty(), "nobody can be blamed for it");
    assert_eq!(guest.inspect().links.len(), 3);
    // There is something left for an honest one.
    let (honest, theirs) = UnixStream::pair().expect("there is room");
    let inviter = stage.node();
    let near = inviter.send_invitation(honest).expect("a stream socket");
    let far = guest.accept_invitation(theirs).await.expect("the other node invites");
    near.try_send(with_handles(b"taken", 16)).expect("there is room");
    assert_eq!(far.recv().await.expect("there is room for it").handles.len(), 16);
    drop((near, far));
    // What was taken is whole, and what was not is said.
    let mut shares = Vec::new();
    for (_, pipes) in &floods {
        let (mut whole, mut lost) = (0, 0);
        for pipe in pipes {
            match pipe.recv().await {
                Ok(message) => whole += usize::from(message.handles.len() == 64),
                Err(why) => lost += usize::from(why == Why::HandlesLost),
            }
        }
        assert_eq!(whole + lost, pipes.len());
        shares.push(whole * 64);
    }
    let most = limits.node_handles_max;
    assert_eq!(shares, [most / 2, most / 4, most / 8], "half, and half of what is left");
    // Read or closed, they are nobody's any more, and there is room again.
    let (peer, pipes) = floods.first_mut().expect("there are three");
    let mut message = raw::user_on(1, 2, 1, b"again");
    message[6] = 64;
    flood_with(peer, &message, &file).await;
    assert_eq!(pipes[0].recv().await.expect("it arrives").bytes, b"the link goes on");
    assert_eq!(pipes[0].recv().await.expect("there is room again").handles.len(), 64);
    setrlimit(Resource::Nofile, before).expect("it may be raised again");
}

/// Says it, with as many descriptors as there can be, once not too many are in flight.
async fn flood_with(peer: &mut RawPeer, message: &[u8], file: &OwnedFd) {
    while let Err(error) = peer.write_with(message, &vec![file.as_fd(); 64]).await {
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::TOOMANYREFS.raw_os_error()), "{error}");
        a_turn().await;
    }
}

/// How many pipes have lost a message's handles.
fn ended(node: &Node) -> usize {
    node.inspect().pipes.iter().filter(|pipe| pipe.ended == Some(Why::HandlesLost)).count()
}

/// How many pipes have a message that nobody has read.
fn unread(node: &Node) -> usize {
    node.inspect().pipes.iter().filter(|pipe| pipe.unread_messages > 0).count()
}

fn fill(socket: &UnixStream, handle: BorrowedFd<'_>) -> rustix::io::Result<usize> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
    let handles = [handle; 8];
    assert!(control.push(rustix::net::SendAncillaryMessage::ScmRights(&handles)), "there is room for eight");
    let bytes = [io::IoSlice::new(b"x")];
    rustix::net::sendmsg(socket, &bytes, &mut control, rustix::net::SendFlags::NOSIGNAL)
}
