//! Models of calls and their answers. Whoever delivers an answer also sorts it out, on its own thread, while the
//! caller polls, gives up, or makes the next call.
#![cfg(loom)]

use std::sync::Arc;
use std::task::Poll;

use mage::{CallError, Limits, MessagePipe, RawMessage, Receiver, Remote, Why};
use mage_loom::{Double, Doubler, block_on, check, node, node_with, poll_once, thread};

fn bind((ours, theirs): (MessagePipe, MessagePipe)) -> (Remote<dyn Doubler>, Receiver<dyn Doubler>) {
    (Remote::new(ours), Receiver::new(theirs))
}

fn next(receiver: &mut Receiver<dyn Doubler>) -> Double {
    block_on(receiver.recv()).expect("a good message").expect("a message")
}

fn answer(Double { number, reply }: Double) -> bool {
    reply.send(2 * number).is_ok()
}

/// The race: the answer comes between the caller's look and its parking.
///
/// Caught: a call that looks for its answer and parks under two locks.
#[test]
fn an_answer_that_meets_the_first_poll_is_seen() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        let handler = thread::spawn(move || assert!(answer(request)));
        assert!(matches!(block_on(call), Ok(4)));
        handler.join().expect("the handler did not panic");
    });
}

/// The race: the handler drops its right to answer between the caller's look and its parking.
///
/// Caught: the same.
#[test]
fn a_dropped_reply_that_meets_the_first_poll_is_seen() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        let handler = thread::spawn(move || drop(request));
        assert!(matches!(block_on(call), Err(CallError::NoReply)));
        handler.join().expect("the handler did not panic");
    });
}

/// The race: the answer comes before the channel has ever asked the pipe to wake it, or just then.
///
/// Caught: a channel that takes what is there and parks under two locks.
#[test]
fn an_answer_that_meets_the_first_call_is_seen() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let handler = thread::spawn(move || {
            let request = next(&mut receiver);
            assert!(answer(request));
            receiver
        });
        assert!(matches!(block_on(remote.double(2)), Ok(4)));
        let _receiver = handler.join().expect("the handler did not panic");
    });
}

/// The race: the answer comes while the call is dropped, and the next call takes its place.
///
/// Caught: calls that leave their place as soon as they are given up, and are told apart by their place alone, take the answer
/// of the one before.
#[test]
fn an_answer_that_meets_a_dropped_call_goes_to_nobody() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let forgotten = remote.double(2);
        let request = next(&mut receiver);
        let handler = thread::spawn(move || assert!(answer(request)));
        drop(forgotten);
        let mut call = std::pin::pin!(remote.double(3));
        let early = poll_once(call.as_mut());
        assert!(early.is_pending(), "an answer to another call: {early:?}");
        let request = next(&mut receiver);
        assert!(answer(request));
        assert!(matches!(block_on(call), Ok(6)));
        handler.join().expect("the handler did not panic");
    });
}

/// The race: two threads make the first calls of one remote at once.
///
/// Caught: a channel that takes what is there and parks under two locks.
#[test]
fn the_first_calls_of_two_threads_are_both_answered() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let remote = Arc::new(remote);
        let callers = [2, 3].map(|number| {
            let remote = Arc::clone(&remote);
            thread::spawn(move || {
                assert!(matches!(block_on(remote.double(number)), Ok(twice) if twice == 2 * number))
            })
        });
        for _ in 0..2 {
            let request = next(&mut receiver);
            assert!(answer(request));
        }
        for caller in callers {
            caller.join().expect("the caller did not panic");
        }
    });
}

/// The race: one thread answers, another closes the pipe, and the caller waits. If the answer was taken, the caller gets
/// it: the end of a pipe is learnt after its last message.
///
/// Caught: two threads that sort answers out at once. The one that comes upon the end overtakes the other, which still has
/// the answer in its hands.
#[test]
fn an_answer_before_the_end_is_not_overtaken_by_it() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        let handler = thread::spawn(move || answer(request));
        let closer = thread::spawn(move || drop(receiver));
        let result = block_on(call);
        let taken = handler.join().expect("the handler did not panic");
        closer.join().expect("the closer did not panic");
        match result {
            Ok(twice) => assert_eq!((twice, taken), (4, true)),
            Err(CallError::PeerGone(Why::Closed)) => assert!(!taken, "the end overtook the answer"),
            Err(other) => panic!("{other:?}"),
        }
    });
}

/// The race: the other end closes while a call is made, and while somebody waits for just that.
///
/// Caught: a channel that takes what is there and parks under two locks.
#[test]
fn an_end_that_meets_a_call_settles_it() {
    check(|| {
        let (remote, receiver) = bind(node().create_message_pipes());
        let closer = thread::spawn(move || drop(receiver));
        assert!(matches!(
            block_on(remote.double(1)),
            Err(CallError::PeerGone(Why::Closed) | CallError::NotSent(_))
        ));
        assert_eq!(block_on(Remote::closed(&remote)), Why::Closed);
        closer.join().expect("the closer did not panic");
    });
}

/// The race: the remote and its call are dropped, on two threads, while the answer comes. Nothing is left of the pipe.
///
/// Caught: waking a channel before the lock is given back.
#[test]
fn an_answer_that_meets_the_end_of_its_caller_leaves_nothing_behind() {
    check(|| {
        let node = node();
        let (remote, mut receiver) = bind(node.create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        let handler = thread::spawn(move || {
            answer(request);
            drop(receiver);
        });
        let caller = thread::spawn(move || match poll_once(call) {
            Poll::Ready(result) => assert!(matches!(result, Ok(4))),
            Poll::Pending => {}
        });
        drop(remote);
        handler.join().expect("the handler did not panic");
        caller.join().expect("the caller did not panic");
        assert_eq!(node.inspect().ends, 0);
    });
}

/// The race: the remote gives its pipe back while an answer is delivered. The answer is dropped, for nobody waits for it; what
/// comes after is for whoever has the pipe now.
///
/// Caught: a channel that was just woken reads from a pipe that is no longer its own.
#[test]
fn an_answer_that_meets_the_giving_back_of_the_pipe_takes_nothing_along() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let _calls = (remote.double(2), remote.double(3));
        let (early, late) = (next(&mut receiver), next(&mut receiver));
        let taker = thread::spawn(move || {
            let pipe = Remote::into_pipe(remote);
            assert!(answer(late));
            let message = block_on(pipe.recv()).expect("the pipe is open");
            assert!(matches!(*message.bytes, [.., 4 | 6, 0, 0, 0]));
            pipe
        });
        assert!(answer(early));
        let _pipe = taker.join().expect("the taker did not panic");
    });
}

/// The race: the caller gives up while the handler answers. Either way the place of the call is free for the next one.
///
/// Caught: a call that is given up without a look at whether it has been answered.
#[test]
fn a_call_that_is_given_up_while_it_is_answered_leaves_its_place() {
    check(|| {
        let limits = Limits { pending_calls_max: 1, ..Limits::default() };
        let (remote, mut receiver) = bind(node_with(limits).create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        let handler = thread::spawn(move || assert!(answer(request)));
        drop(call);
        handler.join().expect("the handler did not panic");
        let call = remote.double(3);
        assert!(answer(next(&mut receiver)));
        assert!(matches!(block_on(call), Ok(6)));
    });
}

/// The race: the caller gives up between the handler's look and its parking. The handler reads no messages meanwhile.
///
/// Caught: a look at what is unread that parks under a second lock.
#[test]
fn a_cancellation_that_meets_the_first_look_is_seen() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        let caller = thread::spawn(move || {
            drop(call);
            remote
        });
        block_on(request.reply.cancelled());
        let _remote = caller.join().expect("the caller did not panic");
    });
}

/// The race: room comes between the try to say that a call is given up and the parking of the one who waits to say it.
///
/// Caught: a cancellation that waits for the next call to be said.
#[test]
fn a_cancellation_that_waits_for_room_is_said() {
    check(|| {
        let limits = Limits { window_messages: 1, ..Limits::default() };
        let (remote, mut receiver) = bind(node_with(limits).create_message_pipes());
        let call = remote.double(2); // now the window is full
        let caller = thread::spawn(move || {
            drop(call);
            remote
        });
        let request = next(&mut receiver);
        block_on(request.reply.cancelled());
        let _remote = caller.join().expect("the caller did not panic");
    });
}

/// The race: what is no answer comes while the remote gives its pipe back. What was open when it was given back stays open.
///
/// Caught: a channel that asks whether the pipe is its own, and closes it, under two locks.
#[test]
fn a_bad_answer_that_meets_the_giving_back_of_the_pipe_closes_nobody_elses() {
    check(|| {
        let (ours, theirs) = node().create_message_pipes();
        let remote: Remote<dyn Doubler> = Remote::new(ours);
        let _call = remote.double(2);
        let peer = thread::spawn(move || {
            assert!(theirs.try_send(RawMessage::default()).is_ok());
            theirs
        });
        let pipe = Remote::into_pipe(remote);
        let was_open = pipe.try_send(RawMessage::default()).is_ok();
        let _theirs = peer.join().expect("the peer did not panic");
        assert_eq!(pipe.try_send(RawMessage::default()).is_ok(), was_open);
    });
}

/// The race: a handler rejects its call while the receiver gives its pipe back. What was open when it was given back stays open.
///
/// Caught: a receiver that asks whether the pipe is its own, and closes it, under two locks.
#[test]
fn a_rejection_that_meets_the_giving_back_of_the_pipe_closes_nobody_elses() {
    check(|| {
        let (remote, mut receiver) = bind(node().create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        let _theirs = Remote::into_pipe(remote);
        drop(call);
        let handler = thread::spawn(move || request.reply.reject("no number"));
        let pipe = receiver.into_pipe();
        let was_open = pipe.try_send(RawMessage::default()).is_ok();
        handler.join().expect("the handler did not panic");
        assert_eq!(pipe.try_send(RawMessage::default()).is_ok(), was_open);
    });
}

/// The race: the answer comes while the call is detached, and somebody waits for the place that it has.
///
/// Caught: a call that is detached without a word to whoever waits.
#[test]
fn a_call_that_is_detached_while_it_is_answered_leaves_its_place() {
    check(|| {
        let limits = Limits { pending_calls_max: 1, ..Limits::default() };
        let (remote, mut receiver) = bind(node_with(limits).create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        let handler = thread::spawn(move || {
            assert!(answer(request));
            call.detach();
        });
        block_on(Remote::ready(&remote));
        handler.join().expect("the handler did not panic");
    });
}

/// The race: the answer comes while its call, which alone keeps the pipe open, is detached. Nothing is left of the pipe.
///
/// Caught: a call that closes the pipe while it holds what the channel takes when the pipe wakes it.
#[test]
fn a_detached_call_closes_the_pipe_when_it_is_answered() {
    check(|| {
        let node = node();
        let (remote, mut receiver) = bind(node.create_message_pipes());
        let call = remote.double(2);
        let request = next(&mut receiver);
        drop(remote);
        let handler = thread::spawn(move || {
            assert!(answer(request));
            receiver
        });
        call.detach();
        let receiver = handler.join().expect("the handler did not panic");
        assert_eq!(node.inspect().ends, 1);
        drop(receiver);
    });
}
