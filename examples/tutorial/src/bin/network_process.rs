//! The process that fetches.

use std::error::Error;

use mage::event_loop::EventLoop;
use mage::{MessagePipe, Node, RawMessage, Receiver, Reply};
use tutorial::{NetworkProcess, NetworkProcessStatisticsResponse};

#[derive(Default)]
struct Network {
    pages: i32,
    bytes: i64,
}

impl NetworkProcess for Network {
    fn fetch_url(&mut self, url: String, observer: MessagePipe) {
        let page = format!("<h1>{url}</h1>").into_bytes();
        self.pages += 1;
        self.bytes += page.len() as i64;
        // Whoever has lost interest has closed the pipe.
        let _ = observer.try_send(RawMessage { bytes: page, ..RawMessage::default() });
    }

    fn statistics(&mut self, reply: Reply<NetworkProcessStatisticsResponse>) {
        let Self { pages, bytes } = *self;
        let _ = reply.send(NetworkProcessStatisticsResponse { pages, bytes });
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut event_loop = EventLoop::new()?;
    let node = Node::new(event_loop.scheduler());
    event_loop.run_until(async {
        let pipe = node.inherited_pipe().await?; // the invitation of the main process
        Receiver::<dyn NetworkProcess>::new(pipe).serve(&mut Network::default()).await?;
        node.shutdown().await;
        Ok(())
    })
}
