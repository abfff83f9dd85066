//! mage in a Tokio program: its node runs on the runtime that is there anyway, beside timers and tasks of Tokio's.
//!
//! The program starts itself a second time as its own child. The child measures at the pace of a Tokio interval; the
//! parent listens in a Tokio task, and gives up on a slow answer by a Tokio timeout.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use std::process::Command;
use std::time::Duration;

use mage::{MessagePipe, Node, Receiver, Remote, Reply};

mage::include_magen!("thermometer");

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let node = Node::new(mage::tokio::current());
    if std::env::args().nth(1).as_deref() == Some("child") { child(node).await } else { parent(node).await }
}

async fn parent(node: Node) -> Result<(), Error> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut launched = node.launch::<dyn Thermometer>(command.arg("child"))?;
    let thermometer = launched.remote;

    // One end of a new pipe travels to the child, the other is served by a task.
    let (listener, readings) = node.create_message_pipes();
    let receiver = Receiver::<dyn ThermometerListener>::new(readings);
    let listening = tokio::spawn(async move { receiver.serve(&mut Printer).await });
    thermometer.watch(5, listener)?;
    listening.await??;

    match tokio::time::timeout(Duration::from_millis(100), thermometer.calibrate()).await {
        Ok(offset) => println!("The thermometer is off by {} degrees.", offset?),
        Err(elapsed) => println!("No calibration today: {elapsed}."),
    }

    drop(thermometer); // the child has nothing left to serve, and ends
    node.shutdown().await; // waiting below blocks this thread: what has to be said to the child is said before
    println!("The child has ended: {}.", launched.child.wait()?);
    Ok(())
}

struct Printer;

impl ThermometerListener for Printer {
    fn on_reading(&mut self, degrees: f64) {
        println!("It is {degrees:.1} degrees.");
    }
}

async fn child(node: Node) -> Result<(), Error> {
    let receiver = node.inherited_receiver::<dyn Thermometer>().await?;
    receiver.serve(&mut Mercury { calibrating: Vec::new() }).await?;
    node.shutdown().await;
    Ok(())
}

struct Mercury {
    calibrating: Vec<Reply<f64>>,
}

impl Thermometer for Mercury {
    fn watch(&mut self, count: i32, listener: MessagePipe) {
        let listener = Remote::<dyn ThermometerListener>::new(listener);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            for reading in 0..count {
                ticks.tick().await;
                if listener.on_reading(20.5 + f64::from(reading) * 0.3).is_err() {
                    return; // nobody listens any more
                }
            }
        });
    }

    /// Keeps the right to reply for later, which here never comes.
    fn calibrate(&mut self, reply: Reply<f64>) {
        self.calibrating.push(reply);
    }
}
