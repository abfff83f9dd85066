//! The process at the other end of what is measured.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use mage::{MessagePipe, Node, Receiver, Remote};

use crate::bench::{Bench, BenchMessage, First};
use crate::scheduler::{Flavor, pin};

pub(crate) fn main(flavor: Flavor) -> Result<(), Box<dyn std::error::Error>> {
    pin();
    flavor.run(|scheduler| async move {
        let node = Node::new(Arc::clone(&scheduler));
        let main: Receiver<dyn Bench> = node.inherited_receiver().await?;
        serve(main).await
    })
}

/// What is served beside the main pipe, at most one pipe.
type Second = Rc<RefCell<Option<Receiver<dyn Bench>>>>;

async fn serve(mut main: Receiver<dyn Bench>) -> Result<(), Box<dyn std::error::Error>> {
    let mut sunk = 0;
    let second: Second = Rc::default();
    loop {
        let message = std::future::poll_fn(|context| {
            if let Some(second) = second.borrow_mut().as_mut()
                && let std::task::Poll::Ready(Ok(Some(message))) = second.poll_recv(context)
            {
                return std::task::Poll::Ready(Ok(Some(message)));
            }
            main.poll_recv(context)
        })
        .await?;
        let Some(message) = message else { return Ok(()) };
        handle(message, &mut sunk, &second);
    }
}

fn handle(message: BenchMessage, sunk: &mut i64, second: &Second) {
    // A caller that has gone is noticed at the pipe.
    match message {
        BenchMessage::Echo { text, reply } => drop(reply.send(text)),
        BenchMessage::Sink { text } => *sunk += i64::from(!text.is_empty()),
        BenchMessage::Sunk { reply } => drop(reply.send(std::mem::take(sunk))),
        BenchMessage::Pass { pipe } => drop(Remote::<dyn First>::new(pipe).message("first")),
        BenchMessage::Bounce { pipe, reply } => drop(reply.send(pipe)),
        BenchMessage::Serve { pipe } => *second.borrow_mut() = Some(Receiver::new(pipe)),
        BenchMessage::TakeBack { reply } => {
            let pipe: Option<MessagePipe> = second.borrow_mut().take().map(Receiver::into_pipe);
            if let Some(pipe) = pipe {
                drop(reply.send(pipe));
            }
        }
    }
}
