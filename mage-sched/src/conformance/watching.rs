//! Reading from watched descriptors.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use futures::channel::oneshot;

use super::Harness;
use super::support::{
    Numbers, Watched, block_on_here, echo, listen_to_stutter, pair, round_trips, run, stutter, tell,
};
use crate::Scheduler;

/// How many tries a watcher may waste where none is needed: runtimes may report a descriptor once too often.
const SPURIOUS_MAX: usize = 2;

/// A watcher for which there is nothing to read does not try to, however much goes on beside it.
pub fn an_idle_watcher_does_not_spin<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (mut idle, mut peer) = Watched::pair(&*scheduler);
        let attempts = Arc::new(AtomicUsize::new(0));
        let (done, waiting) = oneshot::channel();
        let count = Arc::clone(&attempts);
        scheduler.spawn(Box::pin(async move {
            let got = idle.read(&mut [0; 64]).await.expect("the peer is there");
            count.store(idle.attempts, Ordering::Release);
            let _ = done.send(got);
        }));
        let (mut busy, other) = Watched::pair(&*scheduler);
        let echo = echo(other);
        round_trips(&mut busy, 300).await;
        peer.write_all(b"end").expect("the reader is there");
        assert_eq!(waiting.await, Ok(3));
        let attempts = attempts.load(Ordering::Acquire);
        assert!(attempts <= 2 + SPURIOUS_MAX, "an idle watcher tried {attempts} times");
        drop(busy);
        echo.join().expect("the echo did not panic");
    });
}

/// After `Drained`, the next poll waits without a try.
pub fn drained_waits_without_trying<H: Harness>(make: impl FnOnce() -> H) {
    const ROUNDS: usize = 200;
    run(make, |scheduler| async move {
        let (mut watched, mut peer) = Watched::pair(&*scheduler);
        for _ in 0..ROUNDS {
            peer.write_all(b"0123456789").expect("the reader is there");
            assert_eq!(watched.read(&mut [0; 64]).await.expect("the peer is there"), 10);
            assert!(watched.read_would_wait().await);
        }
        let wasted = watched.attempts - ROUNDS;
        assert!(wasted <= ROUNDS / 10, "{wasted} tries were wasted in {ROUNDS} reads");
    });
}

/// While a foreign thread is between the system call of a read and its end, more comes in, and the runtime hears of it.
/// The `Drained` that the read then reports is out of date.
pub fn an_event_during_a_read_is_kept<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (done, waiting) = oneshot::channel();
        let foreigner = thread::spawn(move || {
            let (mut watched, mut peer) = Watched::pair(&*scheduler);
            for _ in 0..200 {
                peer.write_all(b"a").expect("the reader is there");
                let first = block_on_here(watched.read_and(&mut || {
                    peer.write_all(b"b").expect("the reader is there");
                    let_events_pass(&scheduler);
                }));
                assert_eq!(first.expect("the peer is there"), 1);
                let second = block_on_here(watched.read(&mut [0; 64]));
                assert_eq!(second.expect("the peer is there"), 1);
            }
            tell(done, ());
        });
        waiting.await.expect("the other thread did not panic");
        foreigner.join().expect("the other thread did not panic");
    });
}

/// Blocks until the runtime has reported an event that happened after this was called, so it knows all before. Must not
/// be called on a thread that the runtime needs.
fn let_events_pass(scheduler: &Arc<dyn Scheduler>) {
    let (passed, passing) = mpsc::channel();
    let (mut watched, mut peer) = Watched::pair(&**scheduler);
    peer.write_all(b"event").expect("the reader is there");
    scheduler.spawn(Box::pin(async move {
        // A runtime that tries before it waits has to wait for the second.
        for _ in 0..2 {
            assert_eq!(watched.read(&mut [0; 64]).await.expect("the peer is there"), 5);
            assert!(watched.read_would_wait().await);
            peer.write_all(b"event").expect("the reader is there");
        }
        passed.send(()).expect("the other thread waits");
    }));
    passing.recv().expect("the task did not panic");
}

/// Five thousand messages to another thread and back; each wait for an answer follows a `Drained`.
pub fn no_wake_up_is_lost<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (mut watched, peer) = Watched::pair(&*scheduler);
        let echo = echo(peer);
        round_trips(&mut watched, 5000).await; // each read is short, so each wait follows a `Drained`
        drop(watched);
        echo.join().expect("the echo did not panic");
    });
}

/// A megabyte, written by a thread in pieces of many sizes, arrives as it was.
pub fn a_stream_arrives_whole<H: Harness>(make: impl FnOnce() -> H) {
    const BYTES: usize = 1_000_000;
    run(make, |scheduler| async move {
        let (mut watched, mut peer) = Watched::pair(&*scheduler);
        let writer = thread::spawn(move || {
            let content: Vec<u8> = (0..BYTES).map(|at| at.to_le_bytes()[0]).collect();
            let (mut numbers, mut rest) = (Numbers(0x5eed), &content[..]);
            while !rest.is_empty() {
                let (now, later) = rest.split_at(numbers.next(700).min(rest.len()));
                peer.write_all(now).expect("the reader is there");
                rest = later;
            }
        });
        let (mut at, mut buffer) = (0_usize, [0; 256]);
        loop {
            let count = watched.read(&mut buffer).await.expect("the stream ends without an error");
            if count == 0 {
                break;
            }
            for byte in buffer.iter().take(count) {
                assert_eq!(*byte, at.to_le_bytes()[0], "at byte {at}");
                at += 1;
            }
        }
        assert_eq!(at, BYTES);
        writer.join().expect("the writer did not panic");
    });
}

/// A guard made on a foreign thread works in a task.
pub fn a_watch_is_made_on_any_thread<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (give, given) = oneshot::channel();
        let maker = thread::spawn(move || tell(give, Watched::pair(&*scheduler)));
        let (mut watched, peer) = given.await.expect("the other thread made it");
        maker.join().expect("the other thread did not panic");
        let echo = echo(peer);
        round_trips(&mut watched, 100).await;
        drop(watched);
        echo.join().expect("the echo did not panic");
    });
}

/// A guard works on a thread that is none of the runtime's: events come in on one thread while another tries.
pub fn a_guard_works_on_a_foreign_thread<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (done, waiting) = oneshot::channel();
        let foreigner = thread::spawn(move || {
            let (mut watched, peer) = Watched::pair(&*scheduler);
            let stutterer = stutter(peer, 5000);
            block_on_here(listen_to_stutter(&mut watched, 5000));
            stutterer.join().expect("the other thread did not panic");
            tell(done, ());
        });
        waiting.await.expect("the other thread did not panic");
        foreigner.join().expect("the other thread did not panic");
    });
}

/// Two hundred guards are dropped while a thread writes to their peers.
pub fn a_guard_is_dropped_while_the_peer_writes<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let mut numbers = Numbers(0xd20b);
        for _ in 0..200 {
            let (mut watched, mut peer) = Watched::pair(&*scheduler);
            let writer = thread::spawn(move || while peer.write_all(&[7; 64]).is_ok() {});
            for _ in 0..numbers.next(5) {
                watched.read(&mut [0; 100]).await.expect("the writer goes on until we are gone");
            }
            drop(watched); // closes the socket too, so the writer ends
            writer.join().expect("the writer did not panic");
        }
    });
}

/// A descriptor that takes over the number of a watched one is not woken by what was meant for that.
pub fn a_reused_number_gets_no_stale_event<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (mut busy, other) = Watched::pair(&*scheduler);
        let echo = echo(other);
        for _ in 0..100 {
            let (fd, mut peer) = pair();
            let mut watched = Watched::new(&*scheduler, Arc::clone(&fd));
            assert!(watched.read_would_wait().await);
            peer.write_all(b"stale").expect("the reader is there"); // an event is on its way now
            drop(watched);
            let mut number = Arc::try_unwrap(fd).expect("the guard has given up its share");
            let (successor, mut new_peer) = UnixStream::pair().expect("the system has descriptors left");
            replace(&successor, &mut number);
            drop(successor);

            let mut watched = Watched::new(&*scheduler, Arc::new(number));
            assert!(watched.read_would_wait().await);
            round_trips(&mut busy, 3).await;
            assert!(watched.read_would_wait().await);
            assert!(watched.attempts <= 1 + SPURIOUS_MAX, "woken {} times for nothing", watched.attempts);
            new_peer.write_all(b"new").expect("the reader is there");
            assert_eq!(watched.read(&mut [0; 64]).await.expect("the peer is there"), 3);
        }
        drop(busy);
        echo.join().expect("the echo did not panic");
    });
}

/// Closes what `number` names and lets it name what `successor` does, in one step.
fn replace(successor: &impl AsFd, number: &mut OwnedFd) {
    rustix::io::dup2(successor, number).expect("both are open");
}

/// The end of a stream is seen, also when it came together with the last bytes and those were `Drained`.
pub fn the_end_is_seen_after_the_last_bytes<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        for parked in [false, true] {
            let (mut watched, mut peer) = Watched::pair(&*scheduler);
            if parked {
                assert!(watched.read_would_wait().await);
            }
            peer.write_all(b"last").expect("the reader is there");
            drop(peer); // bytes and end may well be one event
            assert_eq!(watched.read(&mut [0; 64]).await.expect("bytes come first"), 4);
            assert_eq!(watched.read(&mut [0; 64]).await.expect("then the end"), 0);
            assert_eq!(watched.read(&mut [0; 64]).await.expect("which stays"), 0);
        }
        let (mut watched, peer) = Watched::pair(&*scheduler);
        assert!(watched.read_would_wait().await);
        let dropper = thread::spawn(move || drop(peer));
        assert_eq!(watched.read(&mut [0; 64]).await.expect("the end is no error"), 0);
        dropper.join().expect("the other thread did not panic");
    });
}
