//! Models of an end that closes while something else happens to its pipe.
#![cfg(loom)]

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use mage::{Node, SendErrorKind, Why};
use mage_loom::{check, drain, node, receive, send, send_with, thread};

/// Looks at the node when it is woken, as a task may that is polled at once.
struct Looks(Node);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        let _ = self.0.inspect();
    }
}

/// M5. The race: both ends close at once, and so does the other end of a pipe that waits unread in one of them.
///
/// Caught: waking a reader before the lock is given back. The woken task looks at the node, and the two wait for
/// each other.
#[test]
fn two_ends_that_close_at_once_leave_nothing_behind() {
    check(|| {
        let node = node();
        let (ours, theirs) = node.create_message_pipes();
        let (kept, carried) = node.create_message_pipes();
        let waker = Waker::from(Arc::new(Looks(node.clone())));
        assert!(ours.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        assert!(kept.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        send_with(&ours, 1, Some(carried)).expect("the other end is open");
        let closers = [ours, kept].map(|end| thread::spawn(move || drop(end)));
        drop(theirs);
        for closer in closers {
            closer.join().expect("the closer did not panic");
        }
        assert_eq!(node.inspect().ends, 0);
        assert_eq!(node.inspect().proxies, 0);
    });
}

/// M6. The race: a message is sent while its reader closes. What it carries is with the reader, and ends with it, or comes
/// back to the sender, alive; never both, and never neither.
///
/// Caught: a sender that checks under one lock and sends under the next. The message is refused unseen, and the end in it
/// is with nobody.
#[test]
fn a_message_that_meets_a_close_is_delivered_or_returned() {
    check(|| {
        let node = node();
        let (ours, theirs) = node.create_message_pipes();
        let (kept, carried) = node.create_message_pipes();
        let closer = thread::spawn(move || drop(theirs));
        match send_with(&ours, 1, Some(carried)) {
            Ok(()) => {
                closer.join().expect("the closer did not panic");
                assert_eq!(drain(&kept), (vec![], Some(Why::Closed)));
            }
            Err(error) => {
                closer.join().expect("the closer did not panic");
                assert_eq!(error.kind(), SendErrorKind::Disconnected);
                let carried = error.into_pipes();
                assert_eq!(carried.len(), 1);
                assert_eq!(drain(&kept), (vec![], None));
                send(&kept, 2).expect("the end has come back");
            }
        }
        assert_eq!(drain(&ours), (vec![], Some(Why::Closed)));
    });
}

/// M6, from the other side: the sender closes while its messages are read. The end is seen after the last of them.
///
/// Caught: a reader that looks into the queue under one lock and asks under the next whether the pipe has ended. The last
/// message comes in between.
#[test]
fn the_end_is_seen_after_the_last_message() {
    check(|| {
        let (ours, theirs) = node().create_message_pipes();
        let sender = thread::spawn(move || {
            send(&ours, 1).expect("the reader is there");
            drop(ours);
        });
        assert_eq!(receive(&theirs), Ok(1));
        assert_eq!(receive(&theirs), Err(Why::Closed));
        sender.join().expect("the sender did not panic");
        assert!(matches!(
            theirs.poll_recv(&mut Context::from_waker(Waker::noop())),
            Poll::Ready(Err(Why::Closed))
        ));
    });
}
