//! Writing to watched descriptors, and waiting in both directions at once.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::task::Poll;
use std::thread;

use super::Harness;
use super::support::{Watched, run};

/// A task that waits to read and to write is woken for both when its peer goes away.
pub fn a_hang_up_wakes_both_directions<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        for _ in 0..20 {
            let (mut watched, peer) = Watched::pair(&*scheduler);
            watched.fill().await;
            assert!(watched.read_would_wait().await);
            let dropper = thread::spawn(move || drop(peer));
            let (mut read, mut written) = (None, None);
            poll_fn(|context| {
                if read.is_none() {
                    read = answer(watched.poll_read(context, &mut [0; 64]));
                }
                if written.is_none() {
                    written = answer(watched.poll_write(context, &[7; 4096]));
                }
                if read.is_some() && written.is_some() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            // The peer leaves unread bytes behind, which some systems report to the reader as a reset.
            assert!(matches!(read, Some(Ok(0) | Err(_))), "read {read:?}");
            assert!(matches!(written, Some(Err(_))), "wrote {written:?}");
            dropper.join().expect("the other thread did not panic");
        }
    });
}

/// A write to a full socket waits, and goes on when the peer has made room.
pub fn a_write_waits_for_room<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (mut watched, mut peer) = Watched::pair(&*scheduler);
        for _ in 0..20 {
            let filled = watched.fill().await;
            let drainer = thread::spawn(move || drain(peer, filled));
            watched.write_all(b"more").await.expect("the peer is there");
            peer = drain(drainer.join().expect("the drainer did not panic"), 4);
        }
    });
}

/// One task waits for both directions of one guard, and each wakes it.
pub fn both_directions_wait_in_one_task<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (mut watched, mut peer) = Watched::pair(&*scheduler);
        for round in 0..40 {
            let filled = watched.fill().await;
            let helper = thread::spawn(move || {
                // In turns: first the reader's reason to wake, then the writer's, or the other way round.
                if round % 2 == 0 {
                    peer.write_all(b"x").expect("the other end is there");
                    drain(peer, filled + 4)
                } else {
                    let mut peer = drain(peer, filled + 4);
                    peer.write_all(b"x").expect("the other end is there");
                    peer
                }
            });
            let (mut unread, mut unwritten) = (1, 4);
            poll_fn(|context| {
                while unread > 0 {
                    match watched.poll_read(context, &mut [0; 1]) {
                        Poll::Ready(result) => unread -= result.expect("the peer is there"),
                        Poll::Pending => break,
                    }
                }
                while unwritten > 0 {
                    match watched.poll_write(context, b"more".get(4 - unwritten..).unwrap_or_default()) {
                        Poll::Ready(result) => unwritten -= result.expect("the peer is there"),
                        Poll::Pending => break,
                    }
                }
                if unread + unwritten == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            peer = helper.join().expect("the helper did not panic");
        }
    });
}

fn answer<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Reads exactly `bytes` bytes, and gives the end back.
fn drain(mut peer: UnixStream, bytes: usize) -> UnixStream {
    let mut left = bytes;
    let mut buffer = [0; 4096];
    while left > 0 {
        let room = buffer.get_mut(..left.min(4096)).expect("within the buffer");
        left -= peer.read(room).expect("the writer is there");
    }
    peer
}
