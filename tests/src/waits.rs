//! What a wait leaves behind.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

/// A waker, of which there are as many as there are copies.
struct Counted;

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

/// Polls `wait`, which is never over, with several wakers, and says how many of them are kept meanwhile and after it.
pub fn kept_wakers(wait: impl Future<Output = ()>) -> [usize; 2] {
    let wakers = [(); 5].map(|()| Arc::new(Counted));
    let kept = || wakers.iter().map(|waker| Arc::strong_count(waker) - 1).sum();
    let mut wait = Box::pin(wait);
    for waker in &wakers {
        let waker = Waker::from(Arc::clone(waker));
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let meanwhile = kept();
    drop(wait);
    [meanwhile, kept()]
}
