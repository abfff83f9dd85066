//! `mage-pair-child old` or `new`: serves every pair that it is sent, with the code of that side.

use std::env;
use std::error::Error;

use mage::event_loop::EventLoop;
use mage::{Node, RawMessage};
use mage_pair_tests::{Side, serve_pair};

fn main() -> Result<(), Box<dyn Error>> {
    let side = match env::args().nth(1).as_deref() {
        Some("old") => Side::Old,
        Some("new") => Side::New,
        _ => return Err("usage: mage-pair-child old|new".into()),
    };
    let mut event_loop = EventLoop::new()?;
    let scheduler = event_loop.scheduler();
    let node = Node::new(event_loop.scheduler());
    event_loop.run_until(async {
        let control = node.inherited_pipe().await?;
        while let Ok(RawMessage { bytes, pipes, .. }) = control.recv().await {
            let index = bytes.first_chunk().map(|index| u32::from_le_bytes(*index)).ok_or("no pair")?;
            for pipe in pipes {
                let serving = serve_pair(side, index as usize, pipe);
                // How it ends is for the other side to see.
                scheduler.spawn(Box::pin(async move { drop(serving.await) }));
            }
        }
        node.shutdown().await;
        Ok(())
    })
}
