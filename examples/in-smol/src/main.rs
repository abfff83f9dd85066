//! mage in a smol program: its node runs on whatever executor the program has.
//!
//! The program starts itself a second time as its own child. The parent asks several questions at once, from several tasks
//! that share one remote; the child answers each from smol's pool of threads for blocking work, whenever it is done.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use mage::{CallError, Node, Reply};
use smol::future::FutureExt;

mage::include_magen!("primes");

type Error = Box<dyn std::error::Error + Send + Sync>;
type Executor = Arc<smol::Executor<'static>>;

fn main() -> Result<(), Error> {
    let executor = Executor::default();
    let node = Node::new(mage::smol::scheduler(Arc::clone(&executor)));
    let is_child = std::env::args().nth(1).as_deref() == Some("child");
    smol::block_on(
        executor.run(async { if is_child { child(node).await } else { parent(node, &executor).await } }),
    )
}

async fn parent(node: Node, executor: &Executor) -> Result<(), Error> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut launched = node.launch::<dyn Primes>(command.arg("child"))?;
    let primes = Arc::new(launched.remote);

    let ask = |limit| {
        let primes = Arc::clone(&primes);
        executor.spawn(async move {
            let count = primes.count_below(limit).or(give_up()).await?;
            println!("There are {count} primes below {limit}.");
            Ok::<(), Error>(())
        })
    };
    // The hardest question first: it is not the first to be answered.
    let questions = [1_000_000, 100_000, 1_000, 10].map(ask);
    for question in questions {
        question.await?;
    }

    drop(primes); // the child has nothing left to serve, and ends
    node.shutdown().await; // waiting below blocks the only thread: what has to be said to the child is said before
    println!("The child has ended: {}.", launched.child.wait()?);
    Ok(())
}

/// Ends a call that takes too long.
async fn give_up() -> Result<i32, CallError> {
    smol::Timer::after(Duration::from_secs(60)).await;
    Err(CallError::NoReply)
}

async fn child(node: Node) -> Result<(), Error> {
    node.inherited_receiver::<dyn Primes>().await?.serve(&mut Counter).await?;
    node.shutdown().await;
    Ok(())
}

struct Counter;

impl Primes for Counter {
    /// The reply moves into the work. The next question is read at once.
    fn count_below(&mut self, limit: i32, reply: Reply<i32>) {
        smol::unblock(move || reply.send(count_below(limit))).detach();
    }
}

fn count_below(limit: i32) -> i32 {
    let is_prime = |number: &i32| (2..).take_while(|d| d * d <= *number).all(|d| number % d != 0);
    (2..limit).filter(is_prime).map(|_| 1).sum()
}
