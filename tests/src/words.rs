//! What one says with a bare pipe.

use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::task::Poll;

use mage::{MessagePipe, Node, RawMessage, Why};

/// A message of these bytes and nothing else.
pub fn bytes(bytes: impl AsRef<[u8]>) -> RawMessage {
    RawMessage { bytes: bytes.as_ref().to_vec(), ..RawMessage::default() }
}

/// What comes next, as a text.
pub async fn heard(pipe: &MessagePipe) -> String {
    let message = pipe.recv().await.expect("a message comes");
    String::from_utf8(message.bytes).expect("it is a text")
}

/// Why the pipe ends, after whatever comes before.
pub async fn end_of(pipe: &MessagePipe) -> Why {
    loop {
        if let Err(why) = pipe.recv().await {
            return why;
        }
    }
}

/// Two connected stream sockets.
pub fn pair() -> (OwnedFd, OwnedFd) {
    let (one, other) = UnixStream::pair().expect("a socket pair");
    (one.into(), other.into())
}

/// Has the one node invite the other, and returns the two ends.
pub async fn invite(inviter: &Node, guest: &Node) -> (MessagePipe, MessagePipe) {
    let (ours, theirs) = pair();
    let sent = inviter.send_invitation(ours).expect("a stream socket");
    (sent, guest.accept_invitation(theirs).await.expect("it invites"))
}

/// Lets everything else have a turn.
pub async fn a_turn() {
    let mut had = false;
    poll_fn(|context| {
        if std::mem::replace(&mut had, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
