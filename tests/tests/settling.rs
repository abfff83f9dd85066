//! Every call settles in exactly one way: each way, wherever the handler lives.
//!
//! A cell of the matrix is a call on a pipe of its own. What shows that it has settled once is the room for calls: after it there
//! is room for as many as ever, and not for one more. What its handler still has to say comes later, and is nobody's.

use std::future::{Future, ready};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{self, BoxFuture};
use mage::{BadMessage, Call, CallError, Limits, MessagePipe, Remote, SendErrorKind, Why};
use mage_tests::fixtures::{Fate, Fated, Refusal};
use mage_tests::{Puppet, Stage, mirror, on_every_scheduler, serve_fate};

const CHILD: &str = env!("CARGO_BIN_EXE_mage-test-child");

on_every_scheduler! {
    in_the_same_sequence
    in_another_thread
    in_another_process
}

/// Calls that a remote here may have under way.
const CALLS: usize = 2;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The handler does this to it.
    Handled(Fate),
    /// What comes back is not an answer.
    Garbled,
    /// The caller takes its pipe back.
    TakenBack,
    /// Its time is up.
    OutOfTime,
    /// The other end was gone before.
    ToNobody,
    /// The process dies in which the handler lives.
    Killed,
}

/// All but the last, which takes a process.
const WAYS: [Way; 10] = [
    Way::Handled(Fate::Answered),
    Way::Handled(Fate::Refused),
    Way::Handled(Fate::Dropped),
    Way::Handled(Fate::Rejected),
    Way::Handled(Fate::Closed),
    Way::Handled(Fate::Panicked),
    Way::Garbled,
    Way::TakenBack,
    Way::OutOfTime,
    Way::ToNobody,
];

type Settled = Result<Result<String, Refusal>, CallError>;

impl Way {
    /// Whether this is how such a call settles.
    fn expects(self, settled: &Settled) -> bool {
        match self {
            Self::Handled(Fate::Answered) => matches!(settled, Ok(Ok(text)) if text == "answered"),
            Self::Handled(Fate::Refused) => matches!(settled, Ok(Err(Refusal::AsTold))),
            // Whoever panics drops what it has.
            Self::Handled(Fate::Dropped | Fate::Panicked) => matches!(settled, Err(CallError::NoReply)),
            Self::Handled(Fate::Rejected) => {
                matches!(settled, Err(CallError::BadMessage(BadMessage::Rejected { text })) if text == "as told")
            }
            Self::Handled(Fate::Closed) => matches!(settled, Err(CallError::PeerGone(Why::Closed))),
            Self::Garbled => {
                matches!(settled, Err(CallError::BadMessage(bad)) if !matches!(bad, BadMessage::Rejected { .. }))
            }
            Self::TakenBack => matches!(settled, Err(CallError::Cancelled)),
            Self::OutOfTime => matches!(settled, Err(CallError::Deadline)),
            Self::ToNobody => {
                matches!(settled, Err(CallError::NotSent(error)) if error.kind() == SendErrorKind::Disconnected)
            }
            Self::Killed => matches!(settled, Err(CallError::PeerGone(Why::PeerDied))),
            Self::Handled(_) => unreachable!("not a way to settle"),
        }
    }

    /// Whether the pipe goes on behind it.
    fn leaves_the_pipe(self) -> bool {
        matches!(
            self,
            Self::Handled(Fate::Answered | Fate::Refused | Fate::Dropped) | Self::TakenBack | Self::OutOfTime
        )
    }

    /// What the other end does.
    async fn serve(self, pipe: MessagePipe) {
        match self {
            Self::Garbled => mirror(pipe).await,
            Self::ToNobody => drop(pipe),
            _ => serve_fate(pipe).await,
        }
    }
}

fn few_calls() -> Limits {
    Limits { pending_calls_max: CALLS, ..Limits::default() }
}

/// One cell: a call that goes this way, to a handler at the other end of the pipe. `kill` is what ends its process.
async fn settles(way: Way, ours: MessagePipe, kill: impl Future<Output = ()>) {
    let mut remote = Remote::<dyn Fated>::new(ours);
    let settled = match way {
        Way::Handled(fate) => remote.meet(fate).await,
        Way::Garbled => remote.meet(Fate::Answered).await,
        Way::TakenBack => {
            let call = remote.meet(Fate::Kept);
            remote = Remote::new(Remote::into_pipe(remote));
            call.await
        }
        Way::OutOfTime => Remote::with_deadline(&remote, Duration::ZERO, ready).meet(Fate::Kept).await,
        Way::ToNobody => {
            Remote::closed(&remote).await;
            remote.meet(Fate::Answered).await
        }
        Way::Killed => {
            let call = remote.meet(Fate::Kept);
            kill.await;
            call.await
        }
    };
    assert!(way.expects(&settled), "{way:?}: {settled:?}");
    if way.leaves_the_pipe() {
        // The handler answers what it has kept first.
        assert_eq!(text(remote.meet(Fate::Answered)).await, "answered", "{way:?}");
        let mut kept = [(); CALLS].map(|()| remote.meet(Fate::Kept));
        for call in &mut kept {
            assert!(call.now_or_never().is_none(), "{way:?}: there is less room for calls than before");
        }
        match remote.meet(Fate::Kept).await {
            Err(CallError::NotSent(error)) => assert_eq!(error.kind(), SendErrorKind::Full, "{way:?}"),
            other => panic!("{way:?}: it has left room for one call too many: {other:?}"),
        }
        drop(kept);
    } else {
        Remote::closed(&remote).await;
        for _ in 0..=CALLS {
            // Another thread may be about to close the pipe: until then a call is taken, and told what the first was.
            let settled = remote.meet(Fate::Answered).await;
            assert!(Way::ToNobody.expects(&settled) || way.expects(&settled), "{way:?}: {settled:?}");
        }
    }
}

async fn text(call: Call<Result<String, Refusal>>) -> String {
    call.await.expect("the handler is there").expect("it answers")
}

async fn in_the_same_sequence(stage: Stage) {
    let node = stage.node_with(few_calls());
    for way in WAYS {
        let (ours, theirs) = node.create_message_pipes();
        future::join(settles(way, ours, ready(())), way.serve(theirs)).await;
    }
}

async fn in_another_thread(stage: Stage) {
    let node = stage.node_with(few_calls());
    for way in WAYS {
        let (ours, theirs) = node.create_message_pipes();
        let handler = thread::spawn(move || smol::block_on(way.serve(theirs)));
        settles(way, ours, ready(())).await;
        handler.join().expect("it ends with its pipe");
    }
}

async fn in_another_process(stage: Stage) {
    let node = stage.node_with(few_calls());
    let puppet = Puppet::launch(&stage, CHILD, &node);
    for way in WAYS {
        let (ours, theirs) = node.create_message_pipes();
        match way {
            Way::Garbled => puppet.remote.mirror(theirs).expect("there is room"),
            Way::ToNobody => {
                puppet.remote.keep(theirs).expect("there is room");
                puppet.remote.let_go().await.expect("it closes what it has");
            }
            _ => puppet.remote.serve_fate(theirs).expect("there is room"),
        }
        settles(way, ours, ready(())).await;
    }
    let (ours, theirs) = node.create_message_pipes();
    puppet.remote.serve_fate(theirs).expect("there is room");
    let killed: BoxFuture<'_, ()> = puppet.kill().boxed();
    settles(Way::Killed, ours, killed).await;
}
