//! The two ends of an interface, in memory.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use mage_sched::{BoxFuture, Scheduler, Watch};

use crate::{Interface, Node, PendingRemote, Receiver, Remote};

/// Both ends of an interface, on a node of their own that is connected with nothing. Whatever polls the futures runs them.
///
/// ```
/// # mod fixtures { mage_macros::magen! { interface Adder { Add(int a, int b) => (int sum); } } }
/// # use fixtures::*;
/// # use futures::executor::block_on;
/// # use futures::future::join;
/// struct Calculator;
/// impl Adder for Calculator {
///     fn add(&mut self, a: i32, b: i32, reply: mage::Reply<i32>) {
///         let _ = reply.send(a + b);
///     }
/// }
///
/// let (adder, receiver) = mage::testing::pair::<dyn Adder>();
/// let test = async move {
///     assert_eq!(adder.add(1, 2).await?, 3);
///     Ok::<(), mage::CallError>(())
/// };
/// let (served, tested) = block_on(join(receiver.serve(&mut Calculator), test));
/// served?;
/// tested?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pair<T: Interface + ?Sized>() -> (Remote<T>, Receiver<T>) {
    let (remote, receiver) = PendingRemote::create(&lonely_node());
    (remote.bind(), receiver.bind())
}

/// A node that needs no scheduler, because it is connected with nothing: its pipes work, and it can invite nobody.
pub fn lonely_node() -> Node {
    Node::new(Arc::new(Nowhere))
}

/// Runs nothing, and has nothing to run.
#[derive(Debug)]
struct Nowhere;

impl Scheduler for Nowhere {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(task);
    }

    fn watch(&self, _fd: Arc<OwnedFd>) -> io::Result<Box<dyn Watch>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
