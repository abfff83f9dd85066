//! mage in a process that may make no other system call than those that `docs/SECURITY.md` publishes.

use std::os::unix::process::ExitStatusExt;

use mage::{MessagePipe, Node, RawMessage, Remote};
use mage_tests::member::file_of;
use mage_tests::{Puppet, Stage, on_every_scheduler, role};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");
const SIGSYS: i32 = 31;

on_every_scheduler! {
    only_the_published_calls
    a_call_that_is_not_published
}

fn launch(stage: &Stage, node: &Node) -> Puppet {
    let (process, pipe) = Puppet::launch_pipe(stage, CHILD, node, role::SANDBOXED);
    Puppet { remote: Remote::new(pipe), process }
}

/// Says it and hears it come back.
async fn there_and_back(pipe: &MessagePipe, bytes: usize, handles: usize) {
    let handles = (0..handles).map(|_| file_of("a file")).collect();
    let message = RawMessage { bytes: vec![7; bytes], pipes: Vec::new(), handles };
    let count = message.handles.len();
    pipe.ready().await;
    pipe.try_send(message).expect("there is room");
    let back = pipe.recv().await.expect("it comes back");
    assert_eq!((back.bytes.len(), back.handles.len()), (bytes, count));
}

async fn only_the_published_calls(stage: Stage) {
    let node = stage.node();
    let (one, other) = (launch(&stage, &node), launch(&stage, &node));
    for _ in 0..100 {
        one.remote.ping().await.expect("it answers");
    }
    // Messages of every size, with descriptors and without.
    let (ours, theirs) = node.create_message_pipes();
    one.remote.mirror(theirs).expect("there is room");
    for bytes in [0, 1 << 10, 100 << 10, 4 << 20, 12 << 20, 1] {
        there_and_back(&ours, bytes, 0).await;
        there_and_back(&ours, bytes, 20).await;
    }
    // The two meet, and their pipe becomes direct.
    let made = one.remote.make_pipes().await.expect("it answers");
    other.remote.mirror(made.second).expect("there is room");
    let near = one.remote.bounce(made.first).await.expect("it answers");
    for _ in 0..10 {
        there_and_back(&near, 10, 1).await;
    }
    let queued = other.remote.make_queued(500).await.expect("it answers");
    one.remote.keep(queued).expect("there is room");
    one.remote.let_go().await.expect("it answers");
    drop((ours, near));
    while one.census().await.1 != 0 || other.census().await.1 != 0 {}
    // One ends by itself, when its pipe does; the other is told to.
    let Puppet { remote, mut process } = one;
    drop(remote);
    other.finish().await;
    let status = process.wait().expect("a child of ours");
    assert!(status.success(), "it ended with {status}");
}

/// That the list is enforced: to look at its descriptors, the child has to open a directory.
async fn a_call_that_is_not_published(stage: Stage) {
    let node = stage.node();
    let Puppet { remote, mut process } = launch(&stage, &node);
    remote.ping().await.expect("it answers");
    remote.descriptors().await.expect_err("it cannot know");
    let status = process.wait().expect("a child of ours");
    assert_eq!(status.signal(), Some(SIGSYS), "{status}");
}
