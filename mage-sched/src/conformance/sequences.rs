//! Tasks, posts, and where they run.

use std::cell::Cell;
use std::panic;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use futures::channel::oneshot;

use super::Harness;
use super::support::{Watchdog, Watched, echo, round_trips, run, tell};
use crate::sync::Mutex;
use crate::{SequenceChecker, TaskSink, sequence};

/// Waits until everything posted to `sink` before has run.
async fn settle(sink: &TaskSink) {
    let (done, waiting) = oneshot::channel();
    sink.post(move || tell(done, ())).expect("the sequence is there");
    waiting.await.expect("the job ran");
}

/// A thousand jobs of one poster run in the order posted.
pub fn posts_run_in_order<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let sink = scheduler.new_sink();
        let seen = Arc::new(Mutex::new(Vec::new()));
        for number in 0..1000 {
            let seen = Arc::clone(&seen);
            sink.post(move || seen.lock().push(number)).expect("the sequence is there");
        }
        settle(&sink).await;
        assert_eq!(*seen.lock(), (0..1000).collect::<Vec<_>>());
    });
}

/// Four threads post 2500 jobs each: none is lost, and each thread's own stay in order.
pub fn ten_thousand_posts_arrive<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let sink = scheduler.new_sink();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let posters = [0, 1, 2, 3].map(|poster| {
            let (sink, seen) = (sink.clone(), Arc::clone(&seen));
            thread::spawn(move || {
                for number in 0..2500 {
                    let seen = Arc::clone(&seen);
                    sink.post(move || seen.lock().push((poster, number))).expect("the sequence is there");
                }
            })
        });
        for poster in posters {
            poster.join().expect("the poster did not panic");
        }
        settle(&sink).await;
        for poster in 0..4 {
            let of_one: Vec<i32> =
                seen.lock().iter().filter(|(by, _)| *by == poster).map(|(_, number)| *number).collect();
            assert_eq!(of_one, (0..2500).collect::<Vec<_>>());
        }
    });
}

/// A thousand times, another thread wakes a waiting task.
pub fn wakes_cross_threads<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |_scheduler| async move {
        let (ask, asked) = mpsc::channel::<oneshot::Sender<usize>>();
        let answerer = thread::spawn(move || {
            for (round, answer) in asked.iter().enumerate() {
                answer.send(round).expect("the asker waits");
            }
        });
        for round in 0..1000 {
            let (answer, waiting) = oneshot::channel();
            ask.send(answer).expect("the other thread is there");
            assert_eq!(waiting.await, Ok(round));
        }
        drop(ask);
        answerer.join().expect("the other thread did not panic");
    });
}

/// Another thread starts a task.
pub fn tasks_start_from_any_thread<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (done, waiting) = oneshot::channel();
        let starter = thread::spawn(move || scheduler.spawn(Box::pin(async { tell(done, 7) })));
        assert_eq!(waiting.await, Ok(7));
        starter.join().expect("the other thread did not panic");
    });
}

/// `TaskSink::current`, `TaskSink::runs_here` and `SequenceChecker` tell the truth inside jobs and outside.
pub fn a_job_knows_its_sequence<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (one, other) = (scheduler.new_sink(), scheduler.new_sink());
        assert!(!one.runs_here() && TaskSink::current().is_none() && one.id() != other.id());
        let made_outside = SequenceChecker::new();
        let (answer, told) = oneshot::channel();
        let (expected, elsewhere) = (one.clone(), other.clone());
        one.post(move || {
            let current = TaskSink::current().map(|sink| sink.id());
            let facts = [
                current == Some(expected.id()),
                expected.runs_here(),
                !elsewhere.runs_here(),
                !made_outside.check(),
                SequenceChecker::new().check(),
            ];
            tell(answer, (facts, SequenceChecker::new()));
        })
        .expect("the sequence is there");
        let (facts, made_inside) = told.await.expect("the job ran");
        assert_eq!(facts, [true; 5]);
        assert!(!made_inside.check());
        let made_inside = Arc::new(made_inside);
        for (sink, home) in [(&one, true), (&other, false)] {
            let (made_inside, (answer, told)) = (Arc::clone(&made_inside), oneshot::channel());
            sink.post(move || tell(answer, made_inside.check())).expect("the sequence is there");
            assert_eq!(told.await, Ok(home));
        }
    });
}

/// A sequence that was dropped refuses jobs and hands them back.
pub fn a_post_after_the_end_returns_the_job<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let (sink, sequence) = sequence();
        let (end, ending) = oneshot::channel::<()>();
        let (ended, waiting) = oneshot::channel();
        scheduler.spawn(Box::pin(async move {
            futures::future::select(sequence, ending).await; // drops the sequence when told to
            let _ = ended.send(());
        }));
        settle(&sink).await;
        drop(end);
        waiting.await.expect("the task ended");
        let ran = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&ran);
        let refused = sink.post(move || theirs.store(1, Ordering::Relaxed));
        let job = refused.expect_err("the sequence is gone").0;
        assert_eq!(ran.load(Ordering::Relaxed), 0);
        job();
        assert_eq!(ran.load(Ordering::Relaxed), 1);
    });
}

/// The jobs behind one that panics still run.
pub fn a_panicking_job_ends_alone<H: Harness>(make: impl FnOnce() -> H) {
    run(make, |scheduler| async move {
        let sink = scheduler.new_sink();
        // No message: `resume_unwind` does not call the panic hook.
        sink.post(|| panic::resume_unwind(Box::new("on purpose"))).expect("the sequence is there");
        settle(&sink).await;
        assert!(TaskSink::current().is_none());
    });
}

/// A sequence that never runs dry starves neither another nor a descriptor.
pub fn a_long_sequence_lets_others_run<H: Harness>(make: impl FnOnce() -> H) {
    fn again(stop: Arc<AtomicUsize>) {
        if stop.load(Ordering::Acquire) == 0 {
            let sink = TaskSink::current().expect("this is a job");
            sink.post(move || again(stop)).expect("the sequence is there");
        }
    }
    run(make, |scheduler| async move {
        let (busy, calm) = (scheduler.new_sink(), scheduler.new_sink());
        let stop = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&stop);
        busy.post(move || again(theirs)).expect("the sequence is there");
        settle(&busy).await;
        settle(&calm).await;
        let (mut watched, peer) = Watched::pair(&*scheduler);
        let echo = echo(peer);
        round_trips(&mut watched, 20).await;
        drop(watched);
        echo.join().expect("the echo did not panic");
        stop.store(1, Ordering::Release);
        settle(&busy).await;
    });
}

/// Local tasks, and jobs posted to them from other threads, run on the thread of the test.
pub fn local_tasks_stay_on_their_thread<H: Harness>(make: impl FnOnce() -> H) {
    let _watchdog = Watchdog::start();
    let mut harness = make();
    let Some(local) = harness.local() else { return };
    let (here, count) = (thread::current().id(), Rc::new(Cell::new(0)));
    for _ in 0..10 {
        let count = Rc::clone(&count);
        local.spawn_local(Box::pin(async move {
            assert_eq!(thread::current().id(), here);
            count.set(count.get() + 1);
        }));
    }
    let sink = local.new_sink();
    let poster = thread::spawn(move || {
        let (answer, told) = oneshot::channel();
        sink.post(move || tell(answer, thread::current().id())).expect("the sequence is there");
        (sink, told)
    });
    let (sink, told) = poster.join().expect("the poster did not panic");
    harness.block_on(Box::pin(async move {
        assert_eq!(told.await, Ok(here));
        settle(&sink).await;
    }));
    assert_eq!(count.get(), 10);
}
