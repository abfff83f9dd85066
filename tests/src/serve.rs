//! Small servants of the fixture interfaces.

use mage::{Interface, MessagePipe, Receiver, Reply};

use crate::fixtures::{Echo, EchoMessage, EchoNumbersResponse, SecondInterface, SecondInterfaceMessage};

/// Answers every call with its arguments.
#[derive(Debug)]
pub struct EchoImpl;

impl Echo for EchoImpl {
    fn text(&mut self, text: String, reply: Reply<String>) {
        let _ = reply.send(text);
    }

    fn numbers(&mut self, a: bool, b: i32, c: i64, d: f64, e: u8, reply: Reply<EchoNumbersResponse>) {
        let _ = reply.send(EchoNumbersResponse { a, b, c, d, e });
    }

    fn pipe(&mut self, pipe: MessagePipe, reply: Reply<MessagePipe>) {
        let _ = reply.send(pipe);
    }

    fn never(&mut self, reply: Reply<()>) {
        drop(reply);
    }

    fn panic(&mut self) {
        panic!("the test wants this panic");
    }
}

/// Sends back every raw message that comes, with all that is in it, until the other end is gone.
pub async fn mirror(pipe: MessagePipe) {
    while let Ok(message) = pipe.recv().await {
        pipe.ready().await;
        if pipe.try_send(message).is_err() {
            return;
        }
    }
}

/// The next message, which must come.
///
/// # Panics
/// If the pipe ends instead.
pub async fn next<T: Interface + ?Sized>(receiver: &mut Receiver<T>) -> T::Message {
    match receiver.recv().await {
        Ok(Some(message)) => message,
        Ok(None) => panic!("the other end was closed instead"),
        Err(error) => panic!("no message: {error}"),
    }
}

/// The next call of an [`Echo`], with its text.
///
/// # Panics
/// If something else comes.
pub async fn next_text(receiver: &mut Receiver<dyn Echo>) -> (String, Reply<String>) {
    match next(receiver).await {
        EchoMessage::Text { text, reply } => (text, reply),
        other => panic!("not a text: {other:?}"),
    }
}

/// The text of the next message of a [`SecondInterface`].
///
/// # Panics
/// If something else comes.
pub async fn text_of(receiver: &mut Receiver<dyn SecondInterface>) -> String {
    match next(receiver).await {
        SecondInterfaceMessage::SendStringAndNotifyDone { message } => message,
        other @ SecondInterfaceMessage::NotifyDoneViaCallback => panic!("not a string: {other:?}"),
    }
}
