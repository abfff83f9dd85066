//! The header of a message, as `docs/WIRE.md` draws it.

use std::fmt;

/// The header of this version; a newer one may be longer.
const BYTES_MIN: usize = 32;

/// What precedes the values of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Which request this is, or answers; 0 for one-way messages.
    pub(super) request: u64,
    pub(super) fingerprint: u64,
    pub(super) method: u32,
    /// How many bytes it takes, with what a newer or a first message says in it beyond this.
    pub(super) length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    OneWay,
    Request,
    Reply,
    NoReply,
    Cancel,
    /// In the place of an answer: the version of the interface where there is no such method.
    NoSuchMethod,
    QueryVersion,
    Version,
    /// The other end speaks another interface: a description of ours.
    Refused,
}

/// What is wrong with a header, and at which byte of the message.
#[derive(Debug)]
pub(super) struct HeaderFault {
    pub(super) offset: usize,
    pub(super) text: String,
}

impl Header {
    pub(super) fn read(message: &[u8]) -> Result<Self, HeaderFault> {
        let fault = |offset, text: String| Err(HeaderFault { offset, text });
        let Some(bytes) = message.first_chunk::<BYTES_MIN>() else {
            let text = format!("a header has {BYTES_MIN} bytes, and the message {}", message.len());
            return fault(message.len(), text);
        };
        let number = |place: usize, length: usize| {
            let bytes = bytes.iter().skip(place).take(length).rev();
            bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let length = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        if length < BYTES_MIN || length > message.len() {
            return fault(0, format!("the header says that it has {length} bytes"));
        }
        let kind = match bytes[2] {
            0 => Kind::OneWay,
            1 => Kind::Request,
            2 => Kind::Reply,
            3 => Kind::NoReply,
            4 => Kind::Cancel,
            8 => Kind::NoSuchMethod,
            9 => Kind::QueryVersion,
            10 => Kind::Version,
            11 => Kind::Refused,
            kind => return fault(2, format!("no message is of kind {kind}")),
        };
        if bytes[3] != 0 {
            return fault(3, format!("the flags {:#04x} mean nothing", bytes[3]));
        }
        if number(4, 4) != 0 {
            return fault(4, "it is for another interface of the same pipe, and there is none".to_owned());
        }
        let request = number(8, 8);
        if matches!(kind, Kind::OneWay | Kind::Refused) != (request == 0) {
            return fault(8, format!("the number {request} is not that of a {kind}"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "four bytes")]
        let method = number(24, 4) as u32;
        Ok(Self { kind, request, fingerprint: number(16, 8), method, length })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OneWay => "message without an answer",
            Self::Request => "request",
            Self::Reply => "answer",
            Self::NoReply => "refusal to answer",
            Self::Cancel => "withdrawal of the request",
            Self::NoSuchMethod => "answer that it is newer",
            Self::QueryVersion => "question for the version",
            Self::Version => "answer with the version",
            Self::Refused => "refusal of another interface",
        })
    }
}
