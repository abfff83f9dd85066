//! The suite that every scheduler must pass, for anybody's runtime, in one macro.
//!
//! Implement [`Harness`] for a type that owns your runtime, and say in an integration test:
//!
//! ```
//! use std::sync::Arc;
//! use mage_sched::conformance::Harness;
//! use mage_sched::{LocalBoxFuture, Scheduler};
//!
//! struct MyRuntime { /* .. */ }
//!
//! impl Harness for MyRuntime {
//!     fn scheduler(&self) -> Arc<dyn Scheduler> {
//! #       unimplemented!()
//!         // ..
//!     }
//!     fn block_on(&mut self, future: LocalBoxFuture<'_, ()>) {
//! #       unimplemented!()
//!         // ..
//!     }
//! }
//!
//! mage_sched::conformance!(my_runtime, || MyRuntime { /* .. */ });
//! # fn main() {}
//! ```
//!
//! That makes a module `my_runtime` with one test per promise of the traits. Real socket pairs and real threads are
//! used, and nothing sleeps: each test waits for what it has caused. A test that waits for ever is ended by a watchdog.

mod sequences;
mod support;
mod threads;
mod watching;
mod writing;

use std::rc::Rc;
use std::sync::Arc;

use crate::{LocalBoxFuture, LocalScheduler, Scheduler};

#[doc(hidden)]
pub use sequences::*;
#[doc(hidden)]
pub use threads::*;
#[doc(hidden)]
pub use watching::*;
#[doc(hidden)]
pub use writing::*;

/// A runtime under test, on the thread of the test.
pub trait Harness {
    /// The scheduler under test.
    fn scheduler(&self) -> Arc<dyn Scheduler>;

    /// Runs the runtime on this thread until `future` is done.
    fn block_on(&mut self, future: LocalBoxFuture<'_, ()>);

    /// The scheduler for tasks of this thread, of runtimes that have one.
    fn local(&self) -> Option<Rc<dyn LocalScheduler>> {
        None
    }

    /// How many threads the runtime itself owns, beside the one of the test.
    fn threads(&self) -> usize {
        0
    }
}

/// Tests a runtime: `conformance!(name, make)`, where `make` is an expression of type `fn() -> impl Harness`.
///
/// See [the module](mod@crate::conformance).
#[macro_export]
macro_rules! conformance {
    ($name:ident, $make:expr) => {
        $crate::conformance! {
            @tests $name, $make,
            posts_run_in_order
            ten_thousand_posts_arrive
            wakes_cross_threads
            tasks_start_from_any_thread
            a_job_knows_its_sequence
            a_post_after_the_end_returns_the_job
            a_panicking_job_ends_alone
            a_long_sequence_lets_others_run
            local_tasks_stay_on_their_thread
            an_idle_watcher_does_not_spin
            drained_waits_without_trying
            no_wake_up_is_lost
            an_event_during_a_read_is_kept
            a_stream_arrives_whole
            a_watch_is_made_on_any_thread
            a_guard_works_on_a_foreign_thread
            a_guard_is_dropped_while_the_peer_writes
            a_reused_number_gets_no_stale_event
            the_end_is_seen_after_the_last_bytes
            a_hang_up_wakes_both_directions
            a_write_waits_for_room
            both_directions_wait_in_one_task
        }
    };
    (@tests $name:ident, $make:expr, $($test:ident)*) => {
        mod $name {
            use super::*;

            $(
                #[test]
                fn $test() {
                    $crate::conformance::$test($make);
                }
            )*

            #[test]
            fn no_thread_is_started() {
                $crate::conformance::no_thread_is_started($make, module_path!());
            }
        }
    };
}
