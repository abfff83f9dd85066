//! A servant that does to each call what the call says.

use futures::channel::oneshot;
use futures::future::select;
use mage::{MessagePipe, Receiver, Reply};

use crate::fixtures::{Fate, Fated, Refusal};

/// Serves until a call has ended the pipe, or the other end is gone.
pub async fn serve_fate(pipe: MessagePipe) {
    let (leave, left) = oneshot::channel();
    let mut servant = Servant { kept: Vec::new(), leave: Some(leave) };
    let receiver = Receiver::<dyn Fated>::new(pipe);
    let serving = std::pin::pin!(receiver.serve(&mut servant));
    // Who leaves drops the receiver, and whatever comes after that.
    drop(select(left, serving).await);
}

type Meeting = Reply<Result<String, Refusal>>;

struct Servant {
    kept: Vec<Meeting>,
    leave: Option<oneshot::Sender<()>>,
}

impl Fated for Servant {
    fn meet(&mut self, fate: Fate, reply: Meeting) {
        if fate == Fate::Kept {
            return self.kept.push(reply);
        }
        for kept in self.kept.drain(..) {
            let _ = kept.send(Ok("kept".into())); // nobody may be waiting for it
        }
        match fate {
            Fate::Answered => drop(reply.send(Ok("answered".into()))),
            Fate::Refused => drop(reply.send(Err(Refusal::AsTold))),
            Fate::Rejected => reply.reject("as told"),
            Fate::Panicked => panic!("the test wants this panic"),
            Fate::Closed => {
                self.kept.push(reply);
                self.leave.take().map(|leave| leave.send(()));
            }
            _ => drop(reply),
        }
    }
}
