//! Models of a receiver, which waits for the next message as it takes the last one, and looks again only if it was woken.
#![cfg(loom)]

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use mage::{MessagePipe, Receiver, RecvError, Remote};
use mage_loom::{Double, Doubler, block_on, check, node, thread};

/// A task whose waker is the same at every poll, which loom's is not: to a receiver it would be another one each time.
struct Task(Waker);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
}

/// What comes, one after the other, until nothing does.
async fn read_all(mut receiver: Receiver<dyn Doubler>, most: usize) -> Result<Vec<i32>, RecvError> {
    let task = poll_fn(|context| Poll::Ready(Waker::from(Arc::new(Task(context.waker().clone()))))).await;
    let mut numbers = Vec::new();
    while numbers.len() < most {
        let next = poll_fn(|_| receiver.poll_recv(&mut Context::from_waker(&task))).await?;
        match next {
            Some(Double { number, .. }) => numbers.push(number),
            None => break,
        }
    }
    Ok(numbers)
}

fn bind((ours, theirs): (MessagePipe, MessagePipe)) -> (Remote<dyn Doubler>, Receiver<dyn Doubler>) {
    (Remote::new(ours), Receiver::new(theirs))
}

/// The race: a message comes while the receiver takes the one before, or behind that.
///
/// Caught: a receiver that forgets after its look that it was woken, and not before.
#[test]
fn a_message_that_meets_a_look_is_seen() {
    check(|| {
        let (remote, receiver) = bind(node().create_message_pipes());
        let caller = thread::spawn(move || {
            let calls = [remote.double(1), remote.double(2)];
            (remote, calls)
        });
        assert_eq!(block_on(read_all(receiver, 2)).expect("good messages"), [1, 2]);
        drop(caller.join().expect("the caller did not panic"));
    });
}

/// The race: the other end is closed while the receiver takes the last message, or behind that.
///
/// Caught: a receiver that takes the last message of a pipe that has ended already, waits for no more, and never looks again.
#[test]
fn an_end_that_meets_a_look_is_seen() {
    check(|| {
        let (remote, receiver) = bind(node().create_message_pipes());
        let caller = thread::spawn(move || drop(remote.double(1)));
        assert_eq!(block_on(read_all(receiver, 2)).expect("good messages"), [1]);
        caller.join().expect("the caller did not panic");
    });
}
