//! The header of a message between two bound ends, and a message of which it has been read.

use std::sync::Arc;

use static_assertions::const_assert;

use super::codec::DecodeAs;
use super::description::Identity;
use super::pipe::RawMessage;
use super::reader::Reader;
use super::reply::{Reply, ReplyTo};
use super::serving::Serving;
use super::value::{Decode, DecodeError, Encode};
use crate::error::BadMessage;
use crate::limits::REJECTION_BYTES_MAX;
use crate::node::{self, Sender};

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
    /// The caller does not wait for the answer any more.
    Cancel,
    /// The handler rejects a message of the caller's. The body is what it says. The pipe is closed behind it.
    Rejected,
    /// In the place of an answer: the method is newer than the interface is here. The body is the version here.
    NoSuchMethod,
    /// Asks for the version of the interface at the other end.
    QueryVersion,
    /// Answers that. The body is the version.
    Version,
    /// The other end speaks another interface. The body is a description of ours. The pipe is closed behind it.
    Refused,
}

impl Kind {
    /// Whether it is neither a request nor the answer to one.
    fn stands_alone(self) -> bool {
        matches!(self, Self::OneWay | Self::Rejected | Self::Refused)
    }
}

/// What precedes the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Which request this is, or answers. Zero for one-way messages.
    pub(super) request: u64,
    pub(super) fingerprint: u64,
    pub(super) method: u32,
    /// How long the caller of a request waits at most, in milliseconds; zero is for ever.
    pub(super) deadline_ms: u32,
}

impl Header {
    /// A message of this kind about a request, or about none.
    pub(super) fn about(request: u64, kind: Kind, fingerprint: u64) -> Self {
        Self { kind, request, fingerprint, method: 0, deadline_ms: 0 }
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let kind = match self.kind {
            Kind::OneWay => 0,
            Kind::Request => 1,
            Kind::Reply => 2,
            Kind::NoReply => 3,
            Kind::Cancel => 4,
            Kind::Rejected => 5,
            Kind::NoSuchMethod => 8,
            Kind::QueryVersion => 9,
            Kind::Version => 10,
            Kind::Refused => 11,
        };
        let mut bytes = [0; HEADER_BYTES];
        bytes[..2].copy_from_slice(&(HEADER_BYTES as u16).to_le_bytes());
        bytes[2] = kind; // then flags: none, and the associated interface: the pipe's own
        bytes[8..16].copy_from_slice(&self.request.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.fingerprint.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.method.to_le_bytes());
        bytes[28..].copy_from_slice(&self.deadline_ms.to_le_bytes());
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
        let deadline_ms = word(28);
        let kind = match kind {
            0 => Kind::OneWay,
            1 => Kind::Request,
            2 => Kind::Reply,
            3 => Kind::NoReply,
            4 => Kind::Cancel,
            5 => Kind::Rejected,
            8 => Kind::NoSuchMethod,
            9 => Kind::QueryVersion,
            10 => Kind::Version,
            11 => Kind::Refused,
            _ => return Err(BadMessage::InvalidHeader),
        };
        if size < HEADER_BYTES
            || size > bytes.len()
            || flags != 0
            || associated != 0
            || kind.stands_alone() != (request == 0)
        {
            return Err(BadMessage::InvalidHeader);
        }
        Ok((Self { kind, request, fingerprint, method, deadline_ms }, size))
    }
}

/// A message of an interface whose header has been read: what generated code decodes.
#[derive(Debug)]
pub struct Incoming {
    identity: Identity,
    header: Header,
    arguments: Reader,
    /// Where the answer goes; taken by the method's `reply`.
    reply_to: Option<ReplyTo>,
}

impl Incoming {
    /// What is behind a header that has been checked.
    pub(super) fn new(
        identity: Identity,
        header: Header,
        arguments: Reader,
        serving: &Arc<Serving>,
        sender: Sender,
    ) -> Result<Self, BadMessage> {
        let reply_to = match header.kind {
            Kind::OneWay => None,
            Kind::Request => Some(ReplyTo::new(Arc::clone(serving), header, sender)),
            _ => return Err(BadMessage::WrongKind),
        };
        Ok(Self { identity, header, arguments, reply_to })
    }

    /// The ordinal of the method.
    pub fn method(&self) -> u32 {
        self.header.method
    }

    /// As [`Reader::share`]: arguments are slices of the message.
    pub fn share(&mut self) {
        self.arguments.share();
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

    /// Takes an argument that an older caller does not send: without one, it is `default`.
    ///
    /// # Errors
    /// If there is more in the message, and it is not such a value.
    pub fn take_or<T>(
        &mut self,
        default: impl FnOnce() -> T,
        read: impl FnOnce(&mut Reader) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.arguments.take_or(default, read)
    }

    /// Takes an argument by this name, which may be of a user's type.
    ///
    /// # Errors
    /// If the message does not go on with such a value.
    pub fn take_field<C: DecodeAs>(&mut self, name: &'static str) -> Result<C::Value, DecodeError> {
        self.arguments.take_field::<C>(name)
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
        BadMessage::UnknownMethod { interface: self.identity.name, method }
    }

    /// Which request this is; `None` if it has no answer.
    pub(super) fn request(&self) -> Option<u64> {
        (self.header.kind == Kind::Request).then_some(self.header.request)
    }

    /// Everything must have been taken, the means to answer included; what a newer caller has added is passed over.
    pub(super) fn finish(self) -> Result<(), DecodeError> {
        if self.reply_to.is_some() {
            return Err(BadMessage::WrongKind);
        }
        if self.identity.description.is_extensible { Ok(()) } else { self.arguments.finish() }
    }
}

/// What came back.
#[derive(Debug)]
pub(super) enum Answer {
    Value(node::Incoming, usize),
    NoReply,
    /// The other end has this version, and not this method.
    NoSuchMethod {
        method: u32,
        version: u32,
    },
}

/// What a message is to the caller's side.
#[derive(Debug)]
pub(super) enum Answered {
    /// An answer, and the request that it is for.
    To(u64, Answer),
    /// The other end speaks another interface: this is how it describes its own.
    Refused(node::Incoming, usize),
    /// The handler rejected a message, in these words.
    Rejected(String),
}

/// Reads an answer's header: which request it is for, and what it says.
pub(super) fn read_answer(fingerprint: u64, message: node::Incoming) -> Result<Answered, BadMessage> {
    let (header, size) = Header::from_bytes(&message.bytes)?;
    if header.kind == Kind::Refused {
        return Ok(Answered::Refused(message, size));
    }
    if header.fingerprint != fingerprint {
        return Err(BadMessage::WrongKind);
    }
    let answer = match header.kind {
        Kind::Reply | Kind::Version => Answer::Value(message, size),
        Kind::NoReply => Answer::NoReply,
        Kind::NoSuchMethod => {
            let mut body = Reader::behind_header(message, size);
            Answer::NoSuchMethod { method: header.method, version: body.take()? }
        }
        Kind::Rejected => {
            let mut body = Reader::behind_header(message, size);
            return body.text(REJECTION_BYTES_MAX as u32).map(Answered::Rejected);
        }
        Kind::OneWay | Kind::Request | Kind::Cancel | Kind::QueryVersion | Kind::Refused => {
            return Err(BadMessage::WrongKind);
        }
    };
    Ok(Answered::To(header.request, answer))
}

/// Which request this unread message cancels, if that is what it does.
pub(super) fn cancelled_request(bytes: &[u8]) -> Option<u64> {
    let (header, _) = Header::from_bytes(bytes).ok()?;
    (header.kind == Kind::Cancel).then_some(header.request)
}

/// A call as a peer sends it, of these arguments.
pub(crate) fn raw_call(fingerprint: u64, method: u32, has_answer: bool, arguments: &[u8]) -> RawMessage {
    let (kind, request) = if has_answer { (Kind::Request, 1) } else { (Kind::OneWay, 0) };
    let mut bytes = Header { method, ..Header::about(request, kind, fingerprint) }.to_bytes().to_vec();
    bytes.extend_from_slice(arguments);
    RawMessage { bytes, ..RawMessage::default() }
}
