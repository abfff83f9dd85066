//! A peer that wants to do harm, and says what it likes by hand.
//!
//! Each attack is a row of `mage_tests::evil`: what the peer is to its victim, what it says, and what becomes of it. During all of
//! them an honest node calls the victim and no call fails; after each, the victim has as many descriptors, pipe ends and links
//! as before. Here all three are in one process, whose memory and descriptors are limited, on every scheduler; in `processes`
//! each is a process of its own.

mod processes;

use std::env;
use std::fs;
use std::hash::{Hash, Hasher};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use futures::channel::oneshot;
use futures::future::{BoxFuture, join};
use mage::event_loop::EventLoop;
use mage::{
    BadMessage, InvitationError, MessagePipe, Node, NodeName, RawMessage, Receiver, RecvError, Remote, Why,
};
use mage_tests::evil::{self, Attack, Called, End, Known, Part};
use mage_tests::fixtures::Echo;
use mage_tests::raw::{self, RawPeer};
use mage_tests::victim::used;
use mage_tests::words::{bytes, heard, pair};
use mage_tests::{EchoImpl, Flavor, Stage, run};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Descriptors that the process may have.
const DESCRIPTORS_MAX: u64 = 1024;
/// Memory that it may have: much less than the floods say.
const MEMORY_MAX: u64 = 4 << 30;

// ---- a process of its own

const BODY: &str = "MAGE_TEST_HOSTILE";

/// Runs the attacks of this name on this scheduler, in a process of its own.
fn alone(flavor: Flavor, name: &str) {
    let mut command = Command::new(env::current_exe().expect("this program has a name"));
    command.args(["--exact", "hostile::in_a_process_of_its_own", "--ignored", "--nocapture"]);
    let output = command.env(BODY, format!("{} {name}", flavor.name())).output().expect("the child runs");
    let (heard, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && heard.contains("1 passed"),
        "{name}: {}\n{heard}{error}",
        output.status
    );
}

#[test]
#[ignore = "the child process of the others"]
fn in_a_process_of_its_own() {
    let body = env::var(BODY).unwrap_or_default();
    let Some((flavor, name)) = body.split_once(' ') else { return };
    for (resource, most) in [(Resource::Nofile, DESCRIPTORS_MAX), (Resource::As, MEMORY_MAX)] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).expect("it may be lowered");
    }
    let flavor = flavor.parse().expect("a scheduler");
    match name {
        "forgeries" => run(flavor, |stage| every(stage, evil::FORGERIES)),
        "messages" => run(flavor, |stage| every(stage, evil::MESSAGES)),
        "frames" => run(flavor, |stage| every(stage, evil::FRAMES)),
        "controls" => run(flavor, |stage| every(stage, evil::CONTROLS)),
        "floods" => run(flavor, |stage| every(stage, evil::FLOODS)),
        "handshakes" => run(flavor, flipped_handshakes),
        "half_open" => run(flavor, invitations_that_nobody_finishes),
        "never_reading" => run(flavor, a_peer_that_never_reads),
        "passed_on" => run(flavor, a_flood_that_is_passed_on),
        "garbage" => run(flavor, messages_of_garbage),
        unknown => panic!("nothing is called {unknown}"),
    }
}

macro_rules! tests {
    ($($name:ident on [$($flavor:ident),*];)*) => {$(
        #[test]
        fn $name() {
            for flavor in [$(Flavor::$flavor),*] {
                alone(flavor, stringify!($name));
            }
        }
    )*};
}

tests! {
    forgeries on [Loop, TokioMulti, TokioCurrent, TokioLocal, Smol, SmolLocal];
    messages on [Loop, TokioMulti, TokioCurrent, TokioLocal, Smol, SmolLocal];
    frames on [Loop, TokioMulti, TokioCurrent, TokioLocal, Smol, SmolLocal];
    controls on [Loop, TokioMulti, TokioCurrent, TokioLocal, Smol, SmolLocal];
    floods on [Loop];
    handshakes on [Loop];
    half_open on [Loop, TokioMulti];
    never_reading on [Loop, Smol];
    passed_on on [Loop, TokioMulti];
    garbage on [Loop, TokioLocal];
}

// ---- the victim, and the honest node

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("this process has one").count()
}

/// Keeps what is hashed: a name says its bytes to nobody else.
#[derive(Default)]
struct Hashed(Vec<u64>);

impl Hasher for Hashed {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, word: u64) {
        self.0.push(word);
    }

    fn finish(&self) -> u64 {
        0
    }
}

fn bytes_of(name: NodeName) -> raw::Name {
    let mut hashed = Hashed::default();
    name.hash(&mut hashed);
    let [high, low] = hashed.0[..] else { panic!("a name is two words") };
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

/// A victim, and an honest node that calls it without pause.
struct Scene {
    victim: Node,
    honest: Node,
    remote: Arc<Remote<dyn Echo>>,
    stop: Arc<AtomicBool>,
    calling: BoxFuture<'static, Result<(), String>>,
    before: usize,
}

impl Scene {
    async fn new(stage: &Stage) -> Self {
        let ((victim, near), (honest, far)) = stage.linked().await;
        stage.spawn(async move {
            let _ = Receiver::<dyn Echo>::new(near).serve(&mut EchoImpl).await;
        });
        let remote = Arc::new(Remote::<dyn Echo>::new(far));
        remote.text("here").await.expect("the victim answers");
        let before = descriptors();
        let stop = Arc::new(AtomicBool::new(false));
        let (caller, until) = (Arc::clone(&remote), Arc::clone(&stop));
        let calling = stage.start(async move {
            loop {
                caller.text("an honest question").await.map_err(|error| error.to_string())?;
                if until.load(Ordering::Relaxed) {
                    return Ok(());
                }
            }
        });
        Self { victim, honest, remote, stop, calling, before }
    }

    /// Sees that all is as it was before.
    async fn unharmed(self, what: &str) {
        while descriptors() != self.before || self.victim.inspect().links.len() != 1 {
            self.remote.text("still there?").await.expect(what);
        }
        self.stop.store(true, Ordering::Relaxed);
        self.calling.await.expect(what);
        let seen = self.victim.inspect();
        assert_eq!((seen.ends, seen.proxies), (1, 0), "{what}: {seen}");
        let seen = self.honest.inspect();
        assert!(seen.faults.is_empty() && seen.links.len() == 1, "{what}: {seen}");
        assert_eq!((seen.ends, seen.proxies), (1, 0), "{what}: {seen}");
    }

    /// Says it, unless the victim has hung up.
    async fn say(&self, peer: &mut RawPeer, bytes: &[u8], handles: &[BorrowedFd<'_>]) -> bool {
        loop {
            match peer.write_with(bytes, handles).await {
                // The kernel passes no more before the victim has taken some.
                Err(error) if error.raw_os_error() == Some(Errno::TOOMANYREFS.raw_os_error()) => {
                    self.remote.text("meanwhile").await.expect("it is honest");
                }
                result => return result.is_ok(),
            }
        }
    }

    /// A hostile peer in this part, and the victim's end of the pipe to it.
    async fn enter(&self, stage: &Stage, part: Part) -> (RawPeer, MessagePipe, Known) {
        let (ours, theirs) = pair();
        let mut peer = RawPeer::new(&*stage.scheduler, theirs);
        let honest = bytes_of(self.honest.inspect().names[0]);
        let called = Called::numbered(0);
        match part {
            Part::Inviter => {
                let victim = self.victim.clone();
                let accepting = stage.start(async move { victim.accept_invitation(ours).await });
                let known = evil::enter(&mut peer, part, called, honest).await.expect("it listens");
                (peer, accepting.await.expect("this is an invitation"), known)
            }
            Part::Guest => {
                let pipe = self.victim.send_invitation(ours).expect("a stream socket");
                let known = evil::enter(&mut peer, part, called, honest).await.expect("it listens");
                (peer, pipe, known)
            }
        }
    }
}

/// How the pipe ends, whatever comes before. All of that is kept until then.
async fn end_of(pipe: &MessagePipe) -> Why {
    let mut kept = Vec::new();
    loop {
        match pipe.recv().await {
            Ok(message) => kept.push(used(message)),
            Err(why) => return why,
        }
    }
}

// ---- the rows

async fn every(stage: Stage, rows: &'static [Attack]) {
    let mut before = None;
    for Attack(what, part, said, end) in rows {
        let mut scene = Scene::new(&stage).await;
        // What the last row had open may be open for a moment longer.
        scene.before = *before.get_or_insert(scene.before);
        let (mut peer, pipe, known) = scene.enter(&stage, *part).await;
        let handle = fs::File::open("/dev/null").expect("it is there");
        for (bytes, handles) in said(&known) {
            if !scene.say(&mut peer, &bytes, &vec![handle.as_fd(); handles]).await {
                break;
            }
        }
        match end {
            End::Fault(fault) => {
                assert_eq!(end_of(&pipe).await, Why::PeerDied, "{what}");
                peer.until_hang_up().await;
                assert_eq!(scene.victim.inspect().faults, [*fault], "{what}");
            }
            End::Pipe(_) | End::PipeFor(_) => {
                let why = end_of(&pipe).await;
                assert!(end.allows(why), "{what}: {why:?}");
                scene.remote.text("behind it").await.expect(what);
                let seen = scene.victim.inspect();
                assert!(seen.faults.is_empty() && seen.links.len() >= 2, "{what}: {seen}");
            }
            End::Nothing(sequence) => {
                let last = evil::as_ever(&known, *sequence);
                peer.write(&last).await.unwrap_or_else(|error| panic!("{what}: {error}"));
                let mut kept = Vec::new();
                loop {
                    let message = pipe.recv().await.unwrap_or_else(|why| {
                        panic!("{what}: the pipe ended: {why}; {}", scene.victim.inspect())
                    });
                    kept.push(used(message));
                    if kept.last().is_some_and(|message| message.bytes == evil::AS_EVER) {
                        break;
                    }
                }
                scene.remote.text("behind it").await.expect(what);
                assert!(scene.victim.inspect().faults.is_empty(), "{what}");
            }
        }
        drop((peer, pipe, handle));
        scene.unharmed(what).await;
    }
}

// ---- the handshake

/// Every bit of a good handshake, turned over: an inviter's at once, an acceptor's a byte at a time.
async fn flipped_handshakes(stage: Stage) {
    let scene = Scene::new(&stage).await;
    let mut accepted = 0_usize;
    let good = [raw::invites(), raw::welcome(&[raw::descriptor(1)]), raw::user(0, 1, b"hello")].concat();
    for bit in 0..good.len() * 8 {
        let mut said = good.clone();
        said[bit / 8] ^= 1 << (bit % 8);
        // A name that the victim has lost never comes back to it.
        let guest = stage.node();
        let (ours, theirs) = pair();
        let (accepting, mut peer) = (guest.accept_invitation(ours), RawPeer::new(&*stage.scheduler, theirs));
        let speaking = async {
            let _ = peer.write(&said).await;
            drop(peer);
        };
        match join(accepting, speaking).await.0 {
            Ok(pipe) => {
                accepted += 1;
                let why = end_of(&pipe).await;
                assert!(
                    matches!(why, Why::PeerDied | Why::BrokenRules | Why::HandlesLost | Why::Circular),
                    "bit {bit}: {why}"
                );
            }
            Err(
                InvitationError::Misbehaved(_) | InvitationError::Closed | InvitationError::Version { .. },
            ) => {}
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
    assert!(accepted > 0);
    let good = raw::accepts();
    for bit in 0..good.len() * 8 {
        let mut said = good.clone();
        said[bit / 8] ^= 1 << (bit % 8);
        let (ours, theirs) = pair();
        let pipe = scene.victim.send_invitation(ours).expect("a stream socket");
        let mut peer = RawPeer::new(&*stage.scheduler, theirs);
        for byte in said {
            let _ = peer.write(&[byte]).await;
        }
        drop(peer);
        assert_eq!(end_of(&pipe).await, Why::PeerDied, "bit {bit}");
    }
    scene.unharmed("handshakes").await;
}

/// Invitations that nobody finishes, all open at the same time.
async fn invitations_that_nobody_finishes(stage: Stage) {
    let scene = Scene::new(&stage).await;
    let (mut inviting, mut accepting) = (Vec::new(), Vec::new());
    for said in 0..75 {
        let (ours, theirs) = pair();
        let mut peer = RawPeer::new(&*stage.scheduler, theirs);
        let pipe = scene.victim.send_invitation(ours).expect("a stream socket");
        peer.write(&raw::accepts()[..said % 29]).await.expect("it listens");
        inviting.push((peer, pipe));

        let (ours, theirs) = pair();
        let mut peer = RawPeer::new(&*stage.scheduler, theirs);
        let victim = scene.victim.clone();
        let acceptance = stage.start(async move { victim.accept_invitation(ours).await });
        peer.write(&raw::invites()[..said % 30]).await.expect("it listens");
        accepting.push((peer, acceptance));
    }
    for _ in 0..100 {
        scene.remote.text("among all these").await.expect("it is honest");
    }
    for (peer, pipe) in inviting {
        drop(peer);
        assert_eq!(end_of(&pipe).await, Why::PeerDied);
    }
    for (peer, acceptance) in accepting {
        drop(peer);
        assert!(matches!(acceptance.await, Err(InvitationError::Closed)));
    }
    // A socket of another sort in the place of a link.
    let (one, other) = UnixDatagram::pair().expect("a socket pair");
    scene.victim.accept_invitation(one).await.expect_err("datagrams are no stream");
    drop(other);
    scene.unharmed("half open").await;
}

/// The victim speaks to somebody who never reads: it is told that there is no room, and keeps no more than a window.
async fn a_peer_that_never_reads(stage: Stage) {
    let scene = Scene::new(&stage).await;
    let (peer, pipe, _) = scene.enter(&stage, Part::Inviter).await;
    let mut sent = 0_usize;
    while pipe.try_send(RawMessage { bytes: vec![7; 100_000], ..RawMessage::default() }).is_ok() {
        sent += 1;
        scene.remote.text("meanwhile").await.expect("it is honest");
    }
    assert!((50..200).contains(&sent), "{sent} were taken");
    drop(peer);
    assert_eq!(end_of(&pipe).await, Why::PeerDied);
    drop(pipe);
    scene.unharmed("never reading").await;
}

/// The victim passes on to somebody what the peer says, and that one reads nothing for a while. More of it is kept than anybody may
/// send ahead, and no more; and neither link is dropped.
async fn a_flood_that_is_passed_on(stage: Stage) {
    let scene = Scene::new(&stage).await;
    let (mut peer, pipe, known) = scene.enter(&stage, Part::Guest).await;
    let (ours, theirs) = pair();
    let near = scene.victim.send_invitation(ours).expect("a stream socket");
    let (stand, stands) = oneshot::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut event_loop = EventLoop::new().expect("a loop");
        let node = Node::new(event_loop.scheduler());
        let (far, end) = event_loop.run_until(async {
            let far = node.accept_invitation(theirs).await.expect("it invites");
            let end = far.recv().await.expect("it is sent").pipes.pop().expect("with the end");
            far.try_send(bytes("I have it")).expect("there is room");
            stands.await.expect("it is told to");
            (far, end)
        });
        may_go_on.recv().expect("it is told to");
        event_loop.run_until(async {
            let why = end_of(&end).await;
            far.try_send(bytes("it was not me")).expect("there is room");
            drop(far);
            node.shutdown().await;
            why
        })
    });
    peer.write(&evil::message(known.to, known.prev, (0, 1), &[raw::descriptor(2)]))
        .await
        .expect("it listens");
    let given = pipe.recv().await.expect("an end comes");
    near.try_send(RawMessage { pipes: given.pipes, ..RawMessage::default() }).expect("there is room");
    assert_eq!(heard(&near).await, "I have it");
    stand.send(()).expect("it waits");
    let place = (evil::SENDER, 2);
    for sequence in (0..100_000).step_by(1000) {
        let said: Vec<u8> = (sequence..sequence + 1000)
            .flat_map(|number| evil::message(place, place, (number, 1), &[]))
            .collect();
        scene.say(&mut peer, &said, &[]).await;
    }
    while scene.victim.inspect().proxies > 0 {
        scene.remote.text("meanwhile").await.expect("it is honest");
    }
    go_on.send(()).expect("it waits");
    assert_eq!(heard(&near).await, "it was not me");
    assert_eq!(reader.join().expect("it has not panicked"), Why::BrokenRules);
    let seen = scene.victim.inspect();
    assert!(seen.faults.is_empty(), "{seen}");
    drop((peer, pipe, near));
    scene.unharmed("passed on").await;
}

// ---- the bindings

/// Messages whose header or arguments are not what the interface says.
async fn messages_of_garbage(stage: Stage) {
    /// What is attacked, how a good message is spoilt, and what is said of it.
    type Row = (&'static str, fn(&mut Vec<u8>), fn(&BadMessage) -> bool);
    let rows: &[Row] = &[
        ("nothing at all", Vec::clear, |bad| *bad == BadMessage::Truncated),
        ("half a header", |bytes| bytes.truncate(16), |bad| *bad == BadMessage::Truncated),
        ("a small header", |bytes| bytes[0] = 31, |bad| *bad == BadMessage::InvalidHeader),
        ("a header without end", |bytes| bytes[..2].fill(0xff), |bad| *bad == BadMessage::InvalidHeader),
        ("an unknown kind", |bytes| bytes[2] = 5, |bad| *bad == BadMessage::InvalidHeader),
        ("the kind of a reply", |bytes| bytes[2] = 2, |bad| *bad == BadMessage::WrongKind),
        ("the kind of no reply", |bytes| bytes[2] = 3, |bad| *bad == BadMessage::WrongKind),
        ("the kind of no such method", |bytes| bytes[2] = 8, |bad| *bad == BadMessage::WrongKind),
        ("the kind of a version", |bytes| bytes[2] = 10, |bad| *bad == BadMessage::WrongKind),
        ("a question with something behind it", |bytes| bytes[2] = 9, |bad| *bad == BadMessage::TrailingData),
        (
            "the kind of a refusal",
            |bytes| {
                bytes[2] = 11;
                bytes[8..16].fill(0)
            },
            |bad| *bad == BadMessage::WrongKind,
        ),
        ("a refusal of a request", |bytes| bytes[2] = 11, |bad| *bad == BadMessage::InvalidHeader),
        (
            "versions that are not there",
            |bytes| {
                bytes[0] = 34;
                bytes.splice(32..32, [1, 0]);
            },
            |bad| *bad == BadMessage::InvalidHeader,
        ),
        (
            "a version twice",
            |bytes| {
                bytes[0] = 74;
                bytes.splice(32..32, [&[2, 0][..], &[7; 40]].concat());
            },
            |bad| *bad == BadMessage::InvalidHeader,
        ),
        (
            "a call that wants no answer",
            |bytes| {
                bytes[2] = 0;
                bytes[8..16].fill(0)
            },
            |bad| *bad == BadMessage::WrongKind,
        ),
        ("an answer to no request", |bytes| bytes[8..16].fill(0), |bad| *bad == BadMessage::InvalidHeader),
        ("a flag", |bytes| bytes[3] = 1, |bad| *bad == BadMessage::InvalidHeader),
        ("another interface of the pipe", |bytes| bytes[4] = 1, |bad| *bad == BadMessage::InvalidHeader),
        (
            "another fingerprint",
            |bytes| bytes[16] ^= 1,
            |bad| matches!(bad, BadMessage::OtherInterface { .. }),
        ),
        (
            "an unknown method",
            |bytes| bytes[24..28].fill(0xff),
            |bad| matches!(bad, BadMessage::UnknownMethod { method: u32::MAX, .. }),
        ),
        ("a text without end", |bytes| bytes[32..36].fill(0xff), |bad| *bad == BadMessage::Truncated),
        ("half a text", |bytes| bytes.truncate(37), |bad| *bad == BadMessage::Truncated),
        ("more than there is", |bytes| bytes.push(0), |bad| *bad == BadMessage::TrailingData),
        ("no text", |bytes| *bytes.last_mut().expect("a byte") = 0xff, |bad| *bad == BadMessage::InvalidText),
    ];
    let scene = Scene::new(&stage).await;
    for (what, spoil, expected) in rows {
        let (near, far) = scene.victim.create_message_pipes();
        let remote = Remote::<dyn Echo>::new(near);
        let call = remote.text("text");
        let mut good = far.recv().await.expect("it arrives").bytes;
        drop((call, remote, far));
        spoil(&mut good);

        let ((_other, sending), (_victim, pipe)) = stage.linked().await;
        sending.try_send(RawMessage { bytes: good, ..RawMessage::default() }).expect("there is room");
        let error = Receiver::<dyn Echo>::new(pipe).serve(&mut EchoImpl).await.expect_err(what);
        assert!(matches!(&error, RecvError::BadMessage(bad) if expected(bad)), "{what}: {error:?}");
        assert_eq!(end_of(&sending).await, Why::Rejected, "{what}");
    }
    scene.unharmed("garbage").await;
}
