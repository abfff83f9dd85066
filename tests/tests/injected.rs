//! Four processes carry out a script, and one of them is killed, or stopped and then killed, at each of its socket calls in turn.
//! Whatever anybody waited for comes to an end, and nothing is left of it anywhere. In another script it is their broker that dies.

use futures::future::{join, join3};
use mage::{Node, Remote};
use mage_tests::fixtures::Member;
use mage_tests::member::Fellow;
use mage_tests::traced::{Ended, Fault, Traced};
use mage_tests::{Flavor, Stage, run};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");

/// The three beside this process, which is their broker: two ends, and whoever lies between them for a while.
const ROLES: [&str; 3] = ["the mirror", "the speaker", "the middle"];
const MIRROR: usize = 0;
const SPEAKER: usize = 1;
const MIDDLE: usize = 2;

/// How often the long form tries every call: who is ahead of whom differs from one time to the next.
const ROUNDS: u32 = 50;

/// How many socket calls a process makes differs a little too, so a sweep ends when this many in a row came too late.
const LATE_MAX: u32 = 3;

#[test]
fn a_fault_at_every_socket_call() {
    sweep_of_all();
}

#[test]
fn a_fault_of_the_broker_at_every_socket_call() {
    sweep_of_the_broker();
}

#[test]
#[ignore = "takes minutes"]
fn many_faults_at_every_socket_call() {
    let injected: u32 = (0..ROUNDS).map(|_| sweep_of_all() + sweep_of_the_broker()).sum();
    eprintln!("{injected} faults in {ROUNDS} rounds");
}

/// Each role at every call, in both ways. Says how many faults that were.
fn sweep_of_all() -> u32 {
    let injected = (0..ROLES.len())
        .map(|victim| sweep(ROLES[victim], async move |stage, fault| suffer(&stage, victim, fault).await))
        .sum();
    // Each of them is invited, introduced to the two others, told what to do, and answers.
    assert!(injected > 60, "only {injected} faults: are they followed?");
    injected
}

/// The broker at every call, in both ways.
fn sweep_of_the_broker() -> u32 {
    let injected = sweep("the broker", async |stage, fault| lose_the_broker(&stage, fault).await);
    // It invites this process, admits its three guests, and introduces each to the others.
    assert!(injected > 20, "only {injected} faults: are they followed?");
    injected
}

/// Carries out a script with a fault at each call of its victim, until it makes no more.
fn sweep(victim: &str, script: impl AsyncFn(Stage, Fault) -> Ended + Copy + 'static) -> u32 {
    let mut injected = 0;
    for fault in [Fault::Kill, Fault::Stop] {
        let (mut at, mut late) = (1, 0);
        while late < LATE_MAX {
            eprintln!("{victim}: {:?}", fault(at));
            let ended = run(Flavor::Loop, move |stage| async move { script(stage, fault(at)).await });
            assert!(matches!(ended, Ended::Killed | Ended::Itself(0)), "{ended:?}");
            late = if ended == Ended::Killed { 0 } else { late + 1 };
            injected += u32::from(late == 0);
            at += 1;
        }
    }
    injected
}

async fn suffer(stage: &Stage, victim: usize, fault: Fault) -> Ended {
    let node = stage.node();
    let mut fellows = [(); 3].map(|()| None);
    let survivors = [(victim + 1) % 3, (victim + 2) % 3];
    for survivor in survivors {
        fellows[survivor] = Some(Fellow::launch(stage, CHILD, &node));
    }
    let [one, other] = survivors.map(|survivor| fellows[survivor].as_ref().expect("it was launched"));
    let (ones, others) = node.create_message_pipes();
    one.put("apart", ones).await;
    other.put("apart", others).await;
    other.remote.mirror("apart").expect("there is room");
    among_themselves(one, other).await;

    let mut launched = Fellow::launch(stage, CHILD, &node);
    let mut traced = Traced::follow(launched.process.take().expect("a child of ours"), fault);
    fellows[victim] = Some(launched);
    let fellows = fellows.map(|fellow| fellow.expect("it was launched"));
    let [one, other] = survivors.map(|survivor| &fellows[survivor]);
    let script = async {
        follow_script(&node, &fellows).await;
        // Where there is no fault it leaves, so that the fault may also come while it does.
        let _ = fellows[victim].remote.leave();
        Remote::closed(&fellows[victim].remote).await;
    };
    let bystanders = async {
        let stands = traced.stands().await;
        if stands {
            among_themselves(one, other).await;
            traced.kill();
        }
        stands
    };
    let ((), stood) = join(script, bystanders).await;
    let ended = traced.ended();
    assert_eq!(stood, ended == Ended::Killed && matches!(fault, Fault::Stop(_)));

    among_themselves(one, other).await;
    let mut fellows = fellows.map(Some);
    drop(fellows[victim].take());
    let survivors = survivors.map(|survivor| fellows[survivor].take().expect("it survives"));
    nothing_is_left(&node, &survivors, Some(2)).await;
    for survivor in survivors {
        survivor.leave().await;
    }
    ended
}

/// This process is a guest of the victim, and the three are guests of this one.
async fn lose_the_broker(stage: &Stage, fault: Fault) -> Ended {
    let node = stage.node();
    let (broker, socket) = Fellow::broker(stage, CHILD);
    let mut traced = Traced::follow(broker, fault);
    let script = async {
        let broker = Remote::<dyn Member>::new(node.accept_invitation(socket).await.ok()?);
        let fellows = [(); 3].map(|()| Fellow::launch(stage, CHILD, &node));
        follow_script(&node, &fellows).await;
        let _ = broker.leave();
        Remote::closed(&broker).await;
        Some(fellows)
    };
    let bystander = async {
        if traced.stands().await {
            traced.kill();
        }
    };
    let (fellows, ()) = join(script, bystander).await;
    let mut survivors = Vec::new();
    for fellow in fellows.into_iter().flatten() {
        // One that was not admitted in time is nobody's, and its pipe says so.
        if fellow.answers().await {
            survivors.push(fellow);
        }
    }
    nothing_is_left(&node, &survivors, None).await;
    for survivor in survivors {
        survivor.leave().await;
    }
    traced.ended()
}

/// The survivors answer, and converse with each other.
async fn among_themselves(one: &Fellow, other: &Fellow) {
    assert!(one.answers().await && other.answers().await);
    assert_eq!(one.remote.converse("apart", 5).await.expect("it answers"), 5);
}

/// Introductions, calls in flight, descriptors, an end that moves twice under way and leaves two forwarders. Each step may
/// fail, for a process is dying; that each comes to an end is what is tested.
async fn follow_script(node: &Node, fellows: &[Fellow; 3]) {
    let [mirror, speaker, middle] = [MIRROR, SPEAKER, MIDDLE].map(|role| &fellows[role].remote);
    for (name, one, other) in [("y", speaker, mirror), ("x", speaker, middle), ("z", mirror, middle)] {
        let (ones, others) = node.create_message_pipes();
        // An order that cannot be given any more is given back with its pipe, which closes.
        drop(one.put(name, ones));
        drop(other.put(name, others));
    }
    drop(mirror.mirror("y"));
    let converses = async {
        let _ = speaker.converse("y", 3).await;
    };
    let moves = async {
        let recites = speaker.recite("x", 0, 10, true);
        if let Ok(pipe) = middle.take("x").await {
            drop(mirror.put("x", pipe));
            let _ = mirror.listen("x", 0, 10).await;
            drop(mirror.mirror("x"));
        }
        let _ = recites.await;
        let _ = speaker.converse("x", 3).await;
        let _ = middle.close("z").await;
    };
    let waits = async {
        let _ = mirror.end("z").await;
    };
    join3(converses, moves, waits).await;
}

/// Waits until neither this process nor a survivor has anything left but what the survivors are told through, and so many links
/// each, if they are all introduced. Each look is preceded by whole round trips, and nothing sleeps.
async fn nothing_is_left(node: &Node, survivors: &[Fellow], links: Option<i32>) {
    for survivor in survivors {
        survivor.remote.close("").await.expect("it answers");
    }
    loop {
        let mut left = false;
        for survivor in survivors {
            let seen = survivor.look().await;
            left |= (seen.ends, seen.proxies, seen.unread) != (1, 0, 0);
            left |= links.is_some_and(|links| seen.links != links);
        }
        let seen = node.inspect();
        assert!(seen.faults.is_empty(), "a death is no fault: {seen}");
        left |= (seen.ends, seen.proxies, seen.links.len()) != (survivors.len(), 0, survivors.len());
        left |= !seen.awaited.is_empty() || !seen.routes.is_empty();
        if !left {
            return;
        }
    }
}
