//! The process at the other end of what is measured.

use std::sync::Arc;

use mage::{Node, Receiver, Remote};

use crate::Failure;
use crate::bench::{Bench, BenchMessage, First};
use crate::scheduler::{Flavor, pin};

pub(crate) fn main(flavor: Flavor) -> Result<(), Failure> {
    pin();
    flavor.run(|scheduler| async move {
        let node = Node::new(Arc::clone(&scheduler));
        let main: Receiver<dyn Bench> = node.inherited_receiver().await?;
        serve(main).await
    })
}

async fn serve(mut main: Receiver<dyn Bench>) -> Result<(), Failure> {
    let mut sunk = 0;
    let mut second: Option<Receiver<dyn Bench>> = None;
    loop {
        let message = std::future::poll_fn(|context| {
            if let Some(second) = &mut second
                && let std::task::Poll::Ready(Ok(Some(message))) = second.poll_recv(context)
            {
                return std::task::Poll::Ready(Ok(Some(message)));
            }
            main.poll_recv(context)
        })
        .await?;
        let Some(message) = message else { return Ok(()) };
        handle(message, &mut sunk, &mut second);
    }
}

fn handle(message: BenchMessage, sunk: &mut i64, second: &mut Option<Receiver<dyn Bench>>) {
    // A caller that has gone is noticed at the pipe.
    match message {
        BenchMessage::Echo { text, reply } => drop(reply.send(text)),
        BenchMessage::Sink { text } => *sunk += i64::from(!text.is_empty()),
        BenchMessage::Sunk { reply } => drop(reply.send(std::mem::take(sunk))),
        BenchMessage::Pass { pipe } => drop(Remote::<dyn First>::new(pipe).message("first")),
        BenchMessage::Bounce { pipe, reply } => drop(reply.send(pipe)),
        BenchMessage::Serve { pipe } => *second = Some(Receiver::new(pipe)),
        BenchMessage::TakeBack { reply } => {
            if let Some(receiver) = second.take() {
                drop(reply.send(receiver.into_pipe()));
            }
        }
    }
}
