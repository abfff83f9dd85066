//! The suite that every scheduler passes, on the loop.

use std::rc::Rc;
use std::sync::Arc;

use mage_loop::EventLoop;
use mage_sched::conformance::Harness;
use mage_sched::{LocalBoxFuture, LocalScheduler, Scheduler};

struct Loop(EventLoop);

impl Harness for Loop {
    fn scheduler(&self) -> Arc<dyn Scheduler> {
        self.0.scheduler()
    }

    fn block_on(&mut self, future: LocalBoxFuture<'_, ()>) {
        self.0.run_until(future);
    }

    fn local(&self) -> Option<Rc<dyn LocalScheduler>> {
        Some(self.0.local())
    }
}

mage_sched::conformance!(event_loop, || Loop(EventLoop::new().expect("the system has descriptors left")));
