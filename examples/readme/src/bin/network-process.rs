//! The process that fetches: step 3.

mage::include_magen!("network_process");

#[derive(Default)]
struct Network {
    fetched: u64,
}

impl NetworkProcess for Network {
    fn fetch_url(&mut self, url: String, reply: mage::Reply<NetworkProcessFetchUrlResponse>) {
        self.fetched += 1;
        // Answer now, or move `reply` into a task and answer later.
        let size = url.len() as i64; // a stand-in for the page
        let _ = reply.send(NetworkProcessFetchUrlResponse { status: 200, size });
    }
}

// On the built-in loop here, on Tokio or smol just as well.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut event_loop = mage::event_loop::EventLoop::new()?;
    let node = mage::Node::new(event_loop.scheduler());
    event_loop.run_until(async {
        let receiver: mage::Receiver<dyn NetworkProcess> = node.inherited_receiver().await?;
        Ok(receiver.serve(&mut Network::default()).await?)
    })
}
