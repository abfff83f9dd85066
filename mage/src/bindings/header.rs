//! The header of a message between two bound ends, and a message of which it has been read.

use std::os::fd::OwnedFd;

use static_assertions::const_assert;

use super::codec::DecodeAs;
use super::pipe::{MessagePipe, RawMessage};
use super::reply::{Reply, ReplyTo};
use super::value::{Decode, DecodeError, Encode, Reader};
use crate::error::BadMessage;
use crate::node::EndRef;

/// How long the header is. A newer writer may make it longer; a reader skips what it does not know.
pub(super) const HEADER_BYTES: usize = 32;
const_assert!(HEADER_BYTES <= u16::MAX as usize);

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A method without an answer.
    OneWay,
    /// A method with one.
    Request,
    /// The answer.
    Reply,
    /// There will be no answer.
    NoReply,
}

/// What precedes the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Which request this is, or answers. Zero for one-way messages.
    pub(super) request: u64,
    pub(super) fingerprint: u64,
    pub(super) method: u32,
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let kind = match self.kind {
            Kind::OneWay => 0,
            Kind::Request => 1,
            Kind::Reply => 2,
            Kind::NoReply => 3,
        };
        let mut bytes = [0; HEADER_BYTES];
        bytes[..2].copy_from_slice(&(HEADER_BYTES as u16).to_le_bytes());
        bytes[2] = kind; // then flags: none, and the associated interface: the pipe's own
        bytes[8..16].copy_from_slice(&self.request.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.fingerprint.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.method.to_le_bytes()); // then the deadline: none
        bytes
    }

    /// The header, and how many bytes it takes.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<(Self, usize), BadMessage> {
        let header = bytes.first_chunk::<HEADER_BYTES>().ok_or(BadMessage::Truncated)?;
        let [low, high, kind, flags, ..] = *header;
        let size = usize::from(u16::from_le_bytes([low, high]));
        let word = |at: usize| {
            header.get(at..).and_then(<[u8]>::first_chunk::<4>).map_or(0, |word| u32::from_le_bytes(*word))
        };
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let (associated, request, fingerprint, method) = (word(4), long(8), long(16), word(24));
        let kind = match kind {
            0 => Kind::OneWay,
            1 => Kind::Request,
            2 => Kind::Reply,
            3 => Kind::NoReply,
            _ => return Err(BadMessage::InvalidHeader),
        };
        let one_way = kind == Kind::OneWay;
        if size < HEADER_BYTES
            || size > bytes.len()
            || flags != 0
            || associated != 0
            || one_way != (request == 0)
        {
            return Err(BadMessage::InvalidHeader);
        }
        Ok((Self { kind, request, fingerprint, method }, size))
    }
}

/// A message of an interface whose header has been read: what generated code decodes.
#[derive(Debug)]
pub struct Incoming<'a> {
    interface: &'static str,
    header: Header,
    arguments: Reader<'a>,
    /// Where the answer goes; taken by the method's `reply`.
    reply_to: Option<ReplyTo>,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(
        interface: &'static str,
        expected_fingerprint: u64,
        bytes: &'a [u8],
        pipes: Vec<MessagePipe>,
        handles: Vec<OwnedFd>,
        end: impl FnOnce() -> Option<EndRef>,
    ) -> Result<Self, BadMessage> {
        let (header, size) = Header::from_bytes(bytes)?;
        if header.fingerprint != expected_fingerprint {
            return Err(BadMessage::OtherInterface {
                expected: interface,
                expected_fingerprint,
                found_fingerprint: header.fingerprint,
            });
        }
        let reply_to = match header.kind {
            Kind::OneWay => None,
            Kind::Request => end().map(|end| ReplyTo::new(end, header)),
            Kind::Reply | Kind::NoReply => return Err(BadMessage::WrongKind),
        };
        let arguments = Reader::new(bytes.get(size..).unwrap_or_default(), pipes, handles);
        Ok(Self { interface, header, arguments, reply_to })
    }

    /// The ordinal of the method.
    pub fn method(&self) -> u32 {
        self.header.method
    }

    /// Takes an argument.
    ///
    /// # Errors
    /// If the message does not go on with such a value.
    #[inline]
    pub fn take<T: Decode>(&mut self) -> Result<T, DecodeError> {
        self.arguments.take()
    }

    /// Takes an argument with bounds.
    ///
    /// # Errors
    /// If the message does not go on with such a value.
    #[inline]
    pub fn take_as<C: DecodeAs>(&mut self) -> Result<C::Value, DecodeError> {
        self.arguments.take_as::<C>()
    }

    /// Takes the means to answer.
    ///
    /// # Errors
    /// If the caller does not wait for an answer.
    pub fn reply<T: Encode>(&mut self) -> Result<Reply<T>, DecodeError> {
        self.reply_to.take().map(Reply::new).ok_or(BadMessage::WrongKind)
    }

    /// The interface has no such method.
    pub fn unknown_method(&self, method: u32) -> DecodeError {
        BadMessage::UnknownMethod { interface: self.interface, method }
    }

    /// Everything must have been taken, the means to answer included.
    pub(super) fn finish(self) -> Result<(), DecodeError> {
        if let Some(reply_to) = self.reply_to {
            reply_to.forget();
            return Err(BadMessage::WrongKind);
        }
        self.arguments.finish()
    }
}

/// What came back for a request.
#[derive(Debug)]
pub(super) enum Answer {
    Value(RawMessage, usize),
    NoReply,
}

/// Reads an answer's header: which request it is for, and what it says.
pub(super) fn read_answer(fingerprint: u64, message: RawMessage) -> Result<(u64, Answer), BadMessage> {
    let (header, size) = Header::from_bytes(&message.bytes)?;
    if header.fingerprint != fingerprint {
        return Err(BadMessage::WrongKind);
    }
    match header.kind {
        Kind::Reply => Ok((header.request, Answer::Value(message, size))),
        Kind::NoReply => Ok((header.request, Answer::NoReply)),
        Kind::OneWay | Kind::Request => Err(BadMessage::WrongKind),
    }
}

/// A call as a peer sends it, of these arguments.
pub(crate) fn raw_call(fingerprint: u64, method: u32, has_answer: bool, arguments: &[u8]) -> RawMessage {
    let (kind, request) = if has_answer { (Kind::Request, 1) } else { (Kind::OneWay, 0) };
    let mut bytes = Header { kind, request, fingerprint, method }.to_bytes().to_vec();
    bytes.extend_from_slice(arguments);
    RawMessage { bytes, ..RawMessage::default() }
}
