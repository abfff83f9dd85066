//! Models of [`Mailbox`]: every interleaving of a writer and the reader.
//!
//! Run with `RUSTFLAGS="--cfg loom -C debug-assertions" LOOM_MAX_PREEMPTIONS=3 cargo test -p mage-loom --release`.
#![cfg(loom)]

use std::future::poll_fn;

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use mage_sched::Mailbox;

/// M1. The race: a push falls between the reader's look at the empty queue and its parking. If the push does not see the
/// parked waker, and the reader does not see the item, the reader sleeps for ever, which loom reports as a deadlock.
///
/// Caught: a reader that looks and parks under two locks instead of one; a push that wakes nobody.
#[test]
fn a_push_while_the_reader_parks_wakes_it() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let writer = thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || {
                mailbox.push(1).expect("the reader is there");
                mailbox.push(2).expect("the reader is there");
            }
        });
        let got = block_on(async {
            [
                poll_fn(|context| mailbox.poll_pop(context)).await,
                poll_fn(|context| mailbox.poll_pop(context)).await,
            ]
        });
        assert_eq!(got, [Some(1), Some(2)]);
        writer.join().expect("the writer did not panic");
    });
}

/// M1, the other way to wake: the last writer finishes while the reader parks.
///
/// Caught: the same, and an end that wakes nobody.
#[test]
fn the_end_while_the_reader_parks_wakes_it() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let writer = thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || {
                mailbox.push(1).expect("the reader is there");
                mailbox.finish();
            }
        });
        let got = block_on(async {
            [
                poll_fn(|context| mailbox.poll_pop(context)).await,
                poll_fn(|context| mailbox.poll_pop(context)).await,
            ]
        });
        assert_eq!(got, [Some(1), None]);
        writer.join().expect("the writer did not panic");
    });
}

/// M2. The race: a push while the reader leaves. Each item must be left behind for the reader's end to drop, or come back
/// to the writer; never both, and never neither. What the counted items hold is also checked by loom for leaks.
///
/// Caught: a push that looks whether the reader is there under one lock and appends under the next; a reader that takes what
/// there is under one lock and leaves under the next.
#[test]
fn a_push_while_the_reader_leaves_is_taken_or_returned_once() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let writer = thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || [mailbox.push(Arc::new(1)), mailbox.push(Arc::new(2))].map(Result::err)
        });
        let left = mailbox.close();
        let returned = writer.join().expect("the writer did not panic");
        let mut seen: Vec<i32> = left.iter().chain(returned.iter().flatten()).map(|item| **item).collect();
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
        assert!(mailbox.close().is_empty());
    });
}
