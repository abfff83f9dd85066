//! What is woken while a loop runs: it is run in this turn or left for the next one, whatever else its thread does meanwhile.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use mage_loop::EventLoop;

/// Lets everything else have a turn.
async fn give_way() {
    let mut given = false;
    poll_fn(|context| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Starts a task that gives way so often and counts it.
fn counter(event_loop: &EventLoop, times: u32) -> Rc<Cell<u32>> {
    let count = Rc::new(Cell::new(0));
    let counts = Rc::clone(&count);
    event_loop.local().spawn_local(Box::pin(async move {
        for _ in 0..times {
            give_way().await;
            counts.set(counts.get() + 1);
        }
    }));
    count
}

#[test]
fn what_was_woken_is_left_for_the_next_run() {
    let mut event_loop = EventLoop::new().unwrap();
    let count = counter(&event_loop, 3);
    event_loop.run_until(async {});
    let before = count.get();
    assert!(before < 3, "it was not waited for");
    for _ in before..3 {
        event_loop.run_until(give_way());
    }
    assert_eq!(count.get(), 3);
}

#[test]
fn a_run_that_panics_leaves_what_was_woken() {
    let mut event_loop = EventLoop::new().unwrap();
    let count = counter(&event_loop, 2);
    let run = std::panic::AssertUnwindSafe(|| event_loop.run_until(async { panic!("as it should") }));
    assert!(std::panic::catch_unwind(run).is_err());
    for _ in count.get()..2 {
        event_loop.run_until(give_way());
    }
    assert_eq!(count.get(), 2);
}

/// A task may run a loop of its own. What that wakes of the outer loop's waits there.
#[test]
fn a_loop_within_a_task_wakes_the_tasks_of_both() {
    let mut outer = EventLoop::new().unwrap();
    let (tell, told) = futures::channel::oneshot::channel();
    let heard = Rc::new(Cell::new(None));
    let hears = Rc::clone(&heard);
    let count = counter(&outer, 5);
    // The second task, and the inner loop has but one: neither can be taken for the other.
    outer.local().spawn_local(Box::pin(async move { hears.set(told.await.ok()) }));
    let inner_count = outer.run_until(async {
        give_way().await; // by now the other one waits
        let mut inner = EventLoop::new().unwrap();
        let inner_count = counter(&inner, 3);
        inner.run_until(async {
            tell.send(7).unwrap();
            for _ in 0..4 {
                give_way().await;
            }
        });
        for _ in 0..6 {
            give_way().await;
        }
        inner_count.get()
    });
    assert_eq!((heard.get(), count.get(), inner_count), (Some(7), 5, 3));
}
