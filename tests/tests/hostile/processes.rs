//! The same attacks among three processes: `evil-peer` says them, a victim with little of everything suffers them, and this process
//! is the honest third.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use mage::{MessagePipe, Node, RawMessage, Remote, Why};
use mage_tests::evil::{self, Attack, End, Part};
use mage_tests::fixtures::Echo;
use mage_tests::victim::{Look, ended, order};
use mage_tests::words::pair;
use mage_tests::{Flavor, Puppet, Stage, role, run};

use super::bytes_of;

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");
const EVIL: &str = env!("CARGO_BIN_EXE_evil-peer");

/// Memory that a victim may take during an attack, in KiB, beside what it has: a few whole windows, and the frames of an answer that
/// nobody reads.
const PEAK_MAX: usize = 96 << 10;
/// Memory that may still be there when all is over: names of nodes, which are remembered, lie between what the allocator would
/// otherwise give back.
const KEPT_MAX: usize = 32 << 10;

macro_rules! tests {
    ($($name:ident on [$($flavor:ident),*];)*) => {$(
        #[test]
        fn $name() {
            for flavor in [$(Flavor::$flavor),*] {
                run(flavor, |stage| besieged(stage, stringify!($name)));
            }
        }
    )*};
}

tests! {
    forgeries on [Loop, TokioMulti, Smol];
    messages on [Loop, TokioMulti, Smol];
    frames on [Loop, TokioMulti, Smol];
    controls on [Loop, TokioMulti, Smol];
    floods on [Loop];
    handshake on [Loop];
    half_open on [Loop, Smol];
    deputy on [Loop, TokioMulti];
}

/// A process that is killed when this is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The victim, and this process's node, which calls it without pause.
struct Siege {
    _victim: Killed,
    node: Node,
    control: MessagePipe,
    remote: Arc<Remote<dyn Echo>>,
    stop: Arc<AtomicBool>,
    calling: BoxFuture<'static, Result<(), String>>,
    attackers: u16,
}

impl Siege {
    async fn new(stage: &Stage) -> Self {
        let (victim, socket) = Puppet::spawn(stage, CHILD, role::VICTIM).expect("the victim starts");
        let node = stage.node();
        let control = node.accept_invitation(socket).await.expect("the victim invites");
        let (ours, theirs) = node.create_message_pipes();
        let serve = RawMessage { bytes: order::ECHO.to_vec(), pipes: vec![theirs], ..RawMessage::default() };
        control.try_send(serve).expect("there is room");
        let remote = Arc::new(Remote::<dyn Echo>::new(ours));
        remote.text("here").await.expect("the victim answers");
        let stop = Arc::new(AtomicBool::new(false));
        let (caller, until) = (Arc::clone(&remote), Arc::clone(&stop));
        let calling = stage.start(async move {
            while !until.load(Ordering::Relaxed) {
                caller.text("an honest question").await.map_err(|error| error.to_string())?;
            }
            Ok(())
        });
        Self { _victim: Killed(victim), node, control, remote, stop, calling, attackers: 0 }
    }

    async fn hear(&self) -> String {
        let message = self.control.recv().await.expect("the victim lives");
        String::from_utf8(message.bytes).expect("it speaks in text")
    }

    async fn look(&self) -> Look {
        let ask = RawMessage { bytes: order::LOOK.to_vec(), ..RawMessage::default() };
        self.control.try_send(ask).expect("there is room");
        Look::read(&self.hear().await).expect("a look")
    }

    /// Has the victim meet an attacker.
    fn attack(&mut self, group: &str, row: usize, part: Part) -> Killed {
        let (ours, theirs) = pair();
        self.attackers += 1;
        let honest: String =
            bytes_of(self.node.inspect().names[0]).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut command = Command::new(EVIL);
        command.args([group, &row.to_string(), &self.attackers.to_string(), &honest]);
        let evil = command.stdin(Stdio::from(theirs)).spawn().expect("the attacker starts");
        let meet = match part {
            Part::Inviter => order::ACCEPT,
            Part::Guest => order::INVITE,
        };
        let meet = RawMessage { bytes: meet.to_vec(), handles: vec![ours], ..RawMessage::default() };
        self.control.try_send(meet).expect("there is room");
        Killed(evil)
    }

    /// Sees that all is as it was before: it takes as many looks as it takes, each a whole round trip.
    async fn healed(&self, what: &str, before: &Look) -> Look {
        let mut most = 0;
        loop {
            let now = self.look().await;
            most = most.max(now.memory[1]);
            if now.node == before.node && now.descriptors == before.descriptors {
                let taken = most.saturating_sub(before.memory[0]);
                assert!(taken <= PEAK_MAX, "{what}: it took {taken} KiB");
                return Look { memory: [now.memory[0], most], ..now };
            }
            self.remote.text("still there?").await.expect(what);
        }
    }

    async fn over(self, before: &Look) {
        let after = self.look().await;
        let kept = after.memory[0].saturating_sub(before.memory[0]);
        assert!(kept <= KEPT_MAX, "{kept} KiB are still there");
        self.stop.store(true, Ordering::Relaxed);
        self.calling.await.expect("no call fails");
        let seen = self.node.inspect();
        assert!(seen.faults.is_empty() && seen.links.len() == 1, "{seen}");
    }
}

async fn besieged(stage: Stage, group: &'static str) {
    let mut siege = Siege::new(&stage).await;
    let before = siege.look().await;
    match evil::GROUPS.iter().find(|(name, _)| *name == group) {
        Some((_, rows)) => {
            for (number, row) in rows.iter().enumerate() {
                suffer(&mut siege, group, (number, row), &before).await;
            }
        }
        None if group == "deputy" => accused(&mut siege, &before).await,
        None if group == "half_open" => hesitant(&mut siege, &before).await,
        None => handshakes(&mut siege, &before).await,
    }
    siege.over(&before).await;
}

async fn suffer(siege: &mut Siege, group: &str, (number, row): (usize, &Attack), before: &Look) {
    let Attack(what, part, _, end) = row;
    let faults = siege.look().await.faults.len();
    let evil = siege.attack(group, number, *part);
    let heard = siege.hear().await;
    match end {
        End::Fault(fault) => {
            assert_eq!(heard, ended(Why::PeerDied), "{what}");
            let seen = siege.look().await.faults;
            assert_eq!(seen.get(faults..), Some(&[format!("{fault:?}")][..]), "{what}");
        }
        End::Pipe(_) | End::PipeFor(_) => {
            let expected = [Why::BrokenRules, Why::Closed, Why::HandlesLost, Why::PeerDied, Why::Rejected]
                .into_iter()
                .chain([Why::Unreachable, Why::Circular])
                .filter(|why| end.allows(*why));
            assert!(expected.map(ended).any(|expected| expected == heard), "{what}: {heard}");
            let seen = siege.look().await;
            assert!(seen.faults.len() == faults && seen.node[0] > before.node[0], "{what}: {seen}");
        }
        End::Nothing(_) => {
            assert_eq!(heard, "as ever", "{what}");
            assert_eq!(siege.look().await.faults.len(), faults, "{what}");
        }
    }
    drop(evil);
    if matches!(end, End::Nothing(_)) {
        assert_eq!(siege.hear().await, ended(Why::PeerDied), "{what}");
    }
    let after = siege.healed(what, before).await;
    let [now, most] = after.memory;
    eprintln!("{what}: {} KiB at most, {now} KiB now", most.saturating_sub(before.memory[0]));
}

/// Some of the bits of a good handshake, turned over. (All of them are in `super::flipped_handshakes`.)
async fn handshakes(siege: &mut Siege, before: &Look) {
    for bit in (0..2000).step_by(41) {
        let _evil = siege.attack("handshake", bit, Part::Inviter);
        let heard = siege.hear().await;
        let expected = [
            "refused: Misbehaved",
            "refused: Closed",
            "refused: Version",
            "ended: PeerDied",
            "ended: BrokenRules",
        ];
        assert!(expected.iter().any(|end| heard.starts_with(end)), "bit {bit}: {heard}");
        siege.healed("a handshake", before).await;
    }
}

/// Handshakes that stop at any byte, all at the same time. They end when their speakers do.
async fn hesitant(siege: &mut Siege, before: &Look) {
    const BOTH_WAYS: usize = 32;
    let mut attackers = Vec::new();
    for bytes in 0..BOTH_WAYS {
        for part in [Part::Inviter, Part::Guest] {
            let row = evil::half_open(part, bytes);
            attackers.push(siege.attack("half_open", row, part));
        }
    }
    while siege.look().await.descriptors < before.descriptors + attackers.len() {
        siege.remote.text("meanwhile").await.expect("it is honest");
    }
    drop(attackers);
    let mut heard = Vec::new();
    for _ in 0..2 * BOTH_WAYS {
        heard.push(siege.hear().await);
    }
    let died = heard.iter().filter(|heard| **heard == ended(Why::PeerDied)).count();
    let refused = heard.iter().filter(|heard| heard.starts_with("refused: Closed")).count();
    assert_eq!((died, refused), (BOTH_WAYS, BOTH_WAYS), "{heard:?}");
    siege.healed("half open", before).await;
}

/// The honest node, which is this process, says to the victim what the attacker has it say.
async fn accused(siege: &mut Siege, before: &Look) {
    let what = "a confused deputy";
    let evil = siege.attack("deputy", 0, Part::Guest);
    assert_eq!(siege.hear().await, "as ever", "{what}");
    for _ in 0..200 {
        siege.remote.text("meanwhile").await.expect(what);
    }
    assert!(siege.look().await.faults.is_empty(), "{what}: an honest link is blamed");
    drop(evil);
    assert_eq!(siege.hear().await, ended(Why::PeerDied), "{what}");
    siege.healed(what, before).await;
    // Its own link to the attacker ends as well.
    while siege.node.inspect().links.len() != 1 {
        siege.remote.text("still there?").await.expect(what);
    }
}
