//! The process that asks. See `docs/MAGEN.md`, "Two processes in four steps".
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use std::error::Error;
use std::process::Command;

use mage::Node;
use mage::event_loop::EventLoop;
use tutorial::NetworkProcess;

fn main() -> Result<(), Box<dyn Error>> {
    let mut event_loop = EventLoop::new()?;
    let node = Node::new(event_loop.scheduler());
    let program = std::env::current_exe()?.with_file_name("network_process");
    let mut launched = node.launch::<dyn NetworkProcess>(&mut Command::new(program))?;
    let network = launched.remote;
    event_loop.run_until(async {
        let (ours, theirs) = node.create_message_pipes();
        network.fetch_url("http://example.com/", theirs)?;
        let page = ours.recv().await?.bytes;
        println!("{}", String::from_utf8_lossy(&page));

        let statistics = network.statistics().await?;
        println!("{} page, {} bytes", statistics.pages, statistics.bytes);
        drop(network);
        node.shutdown().await;
        Ok::<(), Box<dyn Error>>(())
    })?;
    launched.child.wait()?;
    Ok(())
}
