//! [`StreamSender`] and [`StreamReceiver`]: values, one after the other, as many as the reader has room for.
//!
//! A stream is a pipe of its own, whose window is its credit. Each value is a message, and so is the end:
//!
//! | kind | what it says | behind the header |
//! |---|---|---|
//! | 16 | here is a value | the value |
//! | 17 | that was all | nothing |
//! | 18 | there will be no more, because of an error | the error |
//!
//! The header has the shape of that of calls, with zero in everything but its length and its kind. What a stream is of was
//! said by the interface that its end was sent over, whose fingerprint counts it.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream};

use super::header::HEADER_BYTES;
use super::pipe::{MessagePipe, RawMessage};
use super::reader::Reader;
use super::receiver::MESSAGES_PER_POLL;
use super::value::{Decode, DecodeError, Encode};
use super::writer::Writer;
use crate::error::{BadMessage, SendError, StreamError, Why};
use crate::node::{Draft, Node};
use crate::waiters::Ticket;

const ITEM: u8 = 16;
const END: u8 = 17;
const FAILURE: u8 = 18;

/// A new stream: the end that values go into, and the end that they come out of, which can be sent in messages.
///
/// ```
/// use std::convert::Infallible;
///
/// use futures::StreamExt;
///
/// let mut event_loop = mage::event_loop::EventLoop::new()?;
/// let node = mage::Node::new(event_loop.scheduler());
/// let (mut sender, mut receiver) = mage::stream::<u32, Infallible>(&node);
/// event_loop.run_until(async {
///     sender.send(1).await?; // waits for room
///     sender.send(2).await?;
///     sender.finish().await?;
///     assert_eq!(receiver.next().await.transpose()?, Some(1));
///     assert_eq!(receiver.next().await.transpose()?, Some(2));
///     assert!(receiver.next().await.is_none());
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn stream<T, E>(node: &Node) -> (StreamSender<T, E>, StreamReceiver<T, E>)
where
    T: Encode + Decode,
    E: Encode + Decode,
{
    let (ours, theirs) = node.create_message_pipes();
    let sender = StreamSender { pipe: ours, is_closed: false, room: None, value: PhantomData };
    (sender, StreamReceiver::from_pipe(theirs))
}

/// The end of a stream that values go into.
///
/// It may be as many values ahead of the reader as the window of a pipe has room for. Dropping it without
/// [`finish`](Self::finish) cuts the stream: the reader gets what was sent, then an error.
pub struct StreamSender<T, E = Infallible> {
    pipe: MessagePipe,
    /// Whether the end has been sent: by way of [`Sink::poll_close`].
    is_closed: bool,
    /// Where whoever uses it as a [`Sink`] waits for room: one task.
    room: Option<Ticket>,
    value: PhantomData<fn(T, E)>,
}

/// The end of a stream that values come out of, as a [`Stream`] of results. The first error is the last item.
///
/// Dropping it stops the sender.
pub struct StreamReceiver<T, E = Infallible> {
    pipe: MessagePipe,
    is_at_its_end: bool,
    value: PhantomData<fn() -> (T, E)>,
}

impl<T: Encode, E: Encode> StreamSender<T, E> {
    /// Waits until there is room for a value, or until waiting is of no use because the reader is gone. Cancellation-safe.
    pub async fn ready(&self) {
        self.pipe.ready().await;
    }

    /// Sends a value now, or not at all.
    ///
    /// # Errors
    /// If there is no room, the reader is gone, or the value cannot be sent.
    pub fn try_send(&self, value: T) -> Result<(), SendError> {
        self.pipe.try_send(message(ITEM, |writer| writer.put(value))?)
    }

    /// Sends a value as soon as there is room. If the future is dropped before, the value is lost and was not sent.
    ///
    /// # Errors
    /// If the reader is gone, or the value cannot be sent.
    pub async fn send(&mut self, value: T) -> Result<(), SendError> {
        send_when_ready(&self.pipe, message(ITEM, |writer| writer.put(value))?).await
    }

    /// Says that this was all.
    ///
    /// # Errors
    /// If the reader is gone.
    pub async fn finish(self) -> Result<(), SendError> {
        send_when_ready(&self.pipe, message(END, |_| {})?).await
    }

    /// Says that there will be no more, and why.
    ///
    /// # Errors
    /// If the reader is gone, or the error cannot be sent.
    pub async fn fail(self, error: E) -> Result<(), SendError> {
        send_when_ready(&self.pipe, message(FAILURE, |writer| writer.put(error))?).await
    }

    /// Waits until the reader is gone, and says why. One task at a time. Cancellation-safe.
    pub async fn closed(&self) -> Why {
        poll_fn(|context| self.poll_closed(context)).await
    }

    /// [`StreamSender::closed`] as a poll.
    pub fn poll_closed(&self, context: &mut Context<'_>) -> Poll<Why> {
        // An honest reader sends nothing; what another one sends is not kept.
        for _ in 0..MESSAGES_PER_POLL {
            if let Err(why) = ready!(self.pipe.poll_recv(context)) {
                return Poll::Ready(why);
            }
        }
        // And perhaps there is no end of it: others have their turn.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The message of a stream that says this.
fn message(kind: u8, write: impl FnOnce(&mut Writer)) -> Result<RawMessage, SendError> {
    let mut header = [0; HEADER_BYTES];
    header[..2].copy_from_slice(&(HEADER_BYTES as u16).to_le_bytes());
    header[2] = kind;
    let mut writer = Writer::with_header(&header);
    write(&mut writer);
    let fault = writer.fault();
    let Draft { bytes, pipes, handles } = writer.finish();
    match fault {
        None => Ok(RawMessage { bytes, pipes, handles }),
        Some(fault) => Err(SendError::new(fault, pipes, handles)),
    }
}

async fn send_when_ready(pipe: &MessagePipe, message: RawMessage) -> Result<(), SendError> {
    // This end alone sends into the pipe, and it is borrowed: the room that there was is still there.
    pipe.ready().await;
    pipe.try_send(message)
}

impl<T, E> StreamReceiver<T, E> {
    /// Says that what comes out of this end of a pipe is a stream.
    pub fn from_pipe(pipe: MessagePipe) -> Self {
        Self { pipe, is_at_its_end: false, value: PhantomData }
    }

    /// The pipe again, with everything that has not been received.
    pub fn into_pipe(self) -> MessagePipe {
        self.pipe.end().forget_reader();
        self.pipe
    }
}

impl<T: Decode, E: Decode> StreamReceiver<T, E> {
    /// Waits for the next value; `None` when the sender has said that this was all. Cancellation-safe: a value is either
    /// returned or still there.
    ///
    /// # Errors
    /// If the sender failed, or is gone without having said that this was all, or what came is no such value. All of them
    /// are final.
    pub async fn recv(&mut self) -> Result<Option<T>, StreamError<E>> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// [`StreamReceiver::recv`] as a poll.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<T>, StreamError<E>>> {
        if self.is_at_its_end {
            return Poll::Ready(Ok(None));
        }
        let result = match ready!(self.pipe.poll_recv(context)) {
            Ok(message) => read(message).unwrap_or_else(|bad| {
                if let Some(end) = self.pipe.end().to_ref() {
                    end.close(Why::Rejected);
                }
                Err(StreamError::BadMessage(bad))
            }),
            Err(why) => Err(StreamError::Cut(why)),
        };
        self.is_at_its_end = !matches!(result, Ok(Some(_)));
        Poll::Ready(result)
    }
}

fn read<T: Decode, E: Decode>(message: RawMessage) -> Result<Result<Option<T>, StreamError<E>>, DecodeError> {
    let bytes = &message.bytes;
    let ([low, high, kind, zeros @ ..], _) =
        bytes.split_first_chunk::<HEADER_BYTES>().ok_or(BadMessage::Truncated)?;
    let size = usize::from(u16::from_le_bytes([*low, *high]));
    if size < HEADER_BYTES || size > bytes.len() || zeros.iter().any(|byte| *byte != 0) {
        return Err(BadMessage::InvalidHeader);
    }
    // A newer writer may make the header longer.
    let kind = *kind;
    let mut reader = Reader::behind_header(message, size);
    let read = match kind {
        ITEM => Ok(Some(reader.take()?)),
        END => Ok(None),
        FAILURE => Err(StreamError::Failed(reader.take()?)),
        _ => return Err(BadMessage::InvalidHeader),
    };
    reader.finish()?;
    Ok(read)
}

impl<T: Decode, E: Decode> Stream for StreamReceiver<T, E> {
    type Item = Result<T, StreamError<E>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(context).map(Result::transpose)
    }
}

/// Closing it is [`StreamSender::finish`].
impl<T: Encode, E: Encode> Sink<T> for StreamSender<T, E> {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let Self { pipe, room, .. } = self.get_mut();
        pipe.end().poll_ready(room, context).map(Ok)
    }

    fn start_send(self: Pin<&mut Self>, value: T) -> Result<(), SendError> {
        self.try_send(value)
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        // Nothing is kept here.
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        if self.is_closed {
            return Poll::Ready(Ok(()));
        }
        ready!(self.as_mut().poll_ready(context))?;
        self.is_closed = true;
        Poll::Ready(message(END, |_| {}).and_then(|end| self.pipe.try_send(end)))
    }
}

/// Its end is the end of a pipe, and travels as such.
impl<T, E> Encode for StreamReceiver<T, E> {
    fn encode(self, writer: &mut Writer) {
        writer.put(self.pipe);
    }
}

impl<T, E> Decode for StreamReceiver<T, E> {
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.take().map(Self::from_pipe)
    }
}

/// The error of a stream that has none is never there.
impl Encode for Infallible {
    fn encode(self, _writer: &mut Writer) {
        match self {}
    }
}

impl Decode for Infallible {
    fn decode(_reader: &mut Reader) -> Result<Self, DecodeError> {
        Err(BadMessage::InvalidValue)
    }
}

impl<T, E> fmt::Debug for StreamSender<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StreamSender").field("pipe", &self.pipe).finish()
    }
}

impl<T, E> fmt::Debug for StreamReceiver<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StreamReceiver").field("pipe", &self.pipe).finish()
    }
}
