//! The first eight bytes of a frame, and the sizes of everything behind them.

use std::ops::RangeInclusive;

use static_assertions::const_assert;

use crate::core::{Body, Control, Frame};
use crate::error::PeerMisbehaved;
use crate::limits::{
    FRAME_BYTES_CAP, Limits, MESSAGE_HANDLES_MAX, MESSAGE_PIPES_MAX, PIPE_LABEL_BYTES_MAX, SKIPPED_BYTES_MAX,
};

/// The header of every frame.
pub(super) const HEADER_BYTES: usize = 8;
/// The flag of a frame that the receiver must understand. All kinds of version 1 bear it.
pub(super) const CRITICAL: u8 = 1;
/// The flag of a message whose handles could not be passed. It declares none.
pub(super) const HANDLES_LOST: u8 = 2;
/// What the body of the first frame on a link begins with. The byte `ff` is in no text, so no text is a handshake.
pub(super) const MAGIC: [u8; 8] = *b"MAGE\xffIPC";

/// A node's name in full.
pub(super) const NODE_NAME_BYTES: usize = 16;
/// A node's name as one of the two that every frame implies, and in full.
const TAGGED: Size = Size { min: 1, max: 1 + NODE_NAME_BYTES };
/// The name of an endpoint or of a pipe.
const ENDPOINT_NAME: Size = TAGGED.plus(8);
/// A node and an endpoint on it.
const ADDRESS: Size = TAGGED.and(ENDPOINT_NAME);
/// Two numbers of 64 bits.
const COUNT_BYTES: usize = 16;
/// A travelling end: number, flags, window, pipe, peer, origin.
const DESCRIPTOR: Size = ENDPOINT_NAME.and(ADDRESS).and(ENDPOINT_NAME).plus(8).plus(1).plus(4 * COUNT_BYTES);
/// The fewest bytes in which an end can travel.
pub(super) const DESCRIPTOR_BYTES_MIN: usize = DESCRIPTOR.min;
/// The most.
pub(super) const DESCRIPTOR_BYTES_MAX: usize = DESCRIPTOR.max;

/// A frame between endpoints with no body: header, receiver, sender.
const BETWEEN_ENDPOINTS: Size = ENDPOINT_NAME.and(ENDPOINT_NAME).plus(HEADER_BYTES);
/// A message without payload and without ends: sequence, hops, number of ends.
const USER_FIXED: Size = BETWEEN_ENDPOINTS.plus(8).plus(2).plus(1);
/// The most bytes of a message's frame that are not its payload.
pub(super) const USER_OVERHEAD_MAX: usize = USER_FIXED.max + MESSAGE_PIPES_MAX * DESCRIPTOR.max;
/// No payload can be larger than this, whatever a node's limits say.
pub(crate) const PAYLOAD_BYTES_CAP: usize = FRAME_BYTES_CAP as usize - USER_OVERHEAD_MAX;
/// A frame that has one node's name.
const ABOUT_NODE_BYTES: usize = HEADER_BYTES + NODE_NAME_BYTES;
/// The opening of a handshake, as version 1 writes it.
pub(super) const HELLO_BYTES: usize = HEADER_BYTES + MAGIC.len() + 8 + 2 + 2 + 1;
/// The same, as any version may ever write it. It fits into one byte, so that the first byte of a link tells already.
pub(super) const HELLO_BYTES_MAX: usize = 255;
/// The admission of an acceptor, without any pipe.
const WELCOME_BYTES: usize = HEADER_BYTES + 2 + 1 + 3 * NODE_NAME_BYTES + 1;
/// What one pipe adds to it: its label, with the label's length, and its descriptor.
const WELCOMED_PIPE: Size = Size { min: 1, max: 1 + PIPE_LABEL_BYTES_MAX }.and(DESCRIPTOR);
/// The fewest bytes in which a pipe can be in a welcome.
pub(super) const WELCOMED_PIPE_BYTES_MIN: usize = WELCOMED_PIPE.min;
/// A frame about a guest of a member.
pub(super) const ABOUT_GUEST_BYTES: usize = HEADER_BYTES + 8;

const_assert!(size_of::<usize>() >= size_of::<u32>());
const_assert!(ENDPOINT_NAME.min == 9 && ENDPOINT_NAME.max == 25);
const_assert!(ADDRESS.min == 10 && ADDRESS.max == 42);
const_assert!(DESCRIPTOR.min == 101 && DESCRIPTOR.max == 165);
const_assert!(BETWEEN_ENDPOINTS.min == 26 && BETWEEN_ENDPOINTS.max == 58);
const_assert!(USER_FIXED.min == 37 && USER_FIXED.max == 69);
const_assert!(HELLO_BYTES == 29 && HELLO_BYTES < HELLO_BYTES_MAX && HELLO_BYTES_MAX <= u8::MAX as usize);
const_assert!(WELCOME_BYTES == 60);
const_assert!(WELCOMED_PIPE.min == 102 && WELCOMED_PIPE.max == 230);
const_assert!(PIPE_LABEL_BYTES_MAX < u8::MAX as usize);
// The counts are single bytes, and 255 is left to stand for "too many".
const_assert!(MESSAGE_PIPES_MAX < u8::MAX as usize);
const_assert!(MESSAGE_HANDLES_MAX < u8::MAX as usize);
const_assert!(PAYLOAD_BYTES_CAP > FRAME_BYTES_CAP as usize / 2);

/// How many bytes something may take.
#[derive(Clone, Copy)]
struct Size {
    min: usize,
    max: usize,
}

impl Size {
    const fn plus(self, bytes: usize) -> Self {
        Self { min: self.min + bytes, max: self.max + bytes }
    }

    const fn and(self, other: Self) -> Self {
        Self { min: self.min + other.min, max: self.max + other.max }
    }

    const fn range(self) -> RangeInclusive<usize> {
        self.min..=self.max
    }
}

/// The kinds of frame, by their numbers. Those below 32 are between nodes, the others between endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Hello = 1,
    Welcome = 2,
    RequestIntroduction = 3,
    Introduce = 4,
    IntroductionFailed = 5,
    RequestAdmission = 6,
    Admit = 7,
    RefuseAdmission = 8,
    User = 32,
    End = 33,
    PrevIs = 34,
    Credit = 35,
    Accepted = 36,
    Bypass = 37,
    Ack = 38,
    Gone = 39,
    PrevIsPlace = 40,
}

impl Kind {
    pub(super) const ALL: [Self; 17] = [
        Self::Hello,
        Self::Welcome,
        Self::RequestIntroduction,
        Self::Introduce,
        Self::IntroductionFailed,
        Self::RequestAdmission,
        Self::Admit,
        Self::RefuseAdmission,
        Self::User,
        Self::End,
        Self::PrevIs,
        Self::Credit,
        Self::Accepted,
        Self::Bypass,
        Self::Ack,
        Self::Gone,
        Self::PrevIsPlace,
    ];

    pub(super) fn of<H>(frame: &Frame<H>) -> Self {
        match frame {
            Frame::Endpoint { body, .. } => match body {
                Body::User(_) => Self::User,
                Body::End(_) => Self::End,
                Body::PrevIs(_) => Self::PrevIs,
                Body::PrevIsPlace(_) => Self::PrevIsPlace,
                Body::Credit(_) => Self::Credit,
                Body::Accepted => Self::Accepted,
                Body::Bypass(_) => Self::Bypass,
                Body::Ack => Self::Ack,
                Body::Gone => Self::Gone,
            },
            Frame::Control(control) => match control {
                Control::Hello(_) => Self::Hello,
                Control::Welcome(_) => Self::Welcome,
                Control::RequestIntroduction { .. } => Self::RequestIntroduction,
                Control::Introduce { .. } => Self::Introduce,
                Control::IntroductionFailed { .. } => Self::IntroductionFailed,
                Control::RequestAdmission { .. } => Self::RequestAdmission,
                Control::Admit { .. } => Self::Admit,
                Control::RefuseAdmission { .. } => Self::RefuseAdmission,
            },
        }
    }

    const BY_NUMBER: [Option<Self>; 256] = {
        let mut kinds = [None; 256];
        let mut at = 0;
        while at < Self::ALL.len() {
            kinds[Self::ALL[at].number() as usize] = Some(Self::ALL[at]);
            at += 1;
        }
        kinds
    };

    fn from_number(number: u8) -> Option<Self> {
        *Self::BY_NUMBER.get(usize::from(number))?
    }

    pub(super) const fn number(self) -> u8 {
        self as u8
    }

    /// Whether it can be sent before both nodes have names.
    pub(super) fn precedes_names(self) -> bool {
        matches!(self, Self::Hello | Self::Welcome)
    }

    /// How long a frame of this kind may be, header included.
    fn bytes(self, limits: &Limits) -> RangeInclusive<usize> {
        match self {
            Self::Hello => HELLO_BYTES..=HELLO_BYTES_MAX,
            Self::Welcome => WELCOME_BYTES..=WELCOME_BYTES + MESSAGE_PIPES_MAX * WELCOMED_PIPE.max,
            Self::RequestIntroduction | Self::Introduce | Self::IntroductionFailed => {
                ABOUT_NODE_BYTES..=ABOUT_NODE_BYTES
            }
            Self::RequestAdmission | Self::RefuseAdmission => ABOUT_GUEST_BYTES..=ABOUT_GUEST_BYTES,
            Self::Admit => {
                let bytes = ABOUT_GUEST_BYTES + NODE_NAME_BYTES;
                bytes..=bytes
            }
            Self::User => {
                let most = limits.message_bytes_max.min(PAYLOAD_BYTES_CAP) + USER_OVERHEAD_MAX;
                USER_FIXED.min..=most
            }
            Self::End => BETWEEN_ENDPOINTS.plus(1).range(),
            Self::PrevIs | Self::PrevIsPlace | Self::Bypass => BETWEEN_ENDPOINTS.and(ADDRESS).range(),
            Self::Credit => BETWEEN_ENDPOINTS.plus(COUNT_BYTES).range(),
            Self::Accepted | Self::Ack | Self::Gone => BETWEEN_ENDPOINTS.range(),
        }
    }

    /// Whether a frame of this kind may declare so many handles.
    fn check_handles(self, handles: usize) -> Result<(), PeerMisbehaved> {
        match (self, handles) {
            (Self::User, _) if handles > MESSAGE_HANDLES_MAX => Err(PeerMisbehaved::TooManyAttachments),
            (Self::Introduce | Self::Admit, 0) => Err(PeerMisbehaved::MissingHandles),
            (Self::User, _) | (Self::Introduce | Self::Admit | Self::Welcome, 1) | (_, 0) => Ok(()),
            _ => Err(PeerMisbehaved::UnexpectedHandles),
        }
    }
}

/// A header that was checked: its frame is worth waiting for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Of the whole frame.
    pub(super) length: usize,
    /// What it is; `None` if this version does not know it and may skip it.
    pub(super) kind: Option<Kind>,
    pub(super) handles: usize,
    /// Whether its sender could not pass its handles.
    pub(super) lost: bool,
}

impl Header {
    pub(super) fn read(bytes: [u8; HEADER_BYTES], limits: &Limits) -> Result<Self, PeerMisbehaved> {
        let [a, b, c, d, kind, flags, handles, reserved] = bytes;
        let length = u32::from_le_bytes([a, b, c, d]);
        if length > FRAME_BYTES_CAP {
            return Err(PeerMisbehaved::FrameLength);
        }
        let kind = Kind::from_number(kind);
        let lost = kind == Some(Kind::User) && handles == 0 && flags == CRITICAL | HANDLES_LOST;
        let header = Self { length: length as usize, kind, handles: usize::from(handles), lost };
        if header.length < HEADER_BYTES {
            return Err(PeerMisbehaved::FrameLength);
        }
        match header.kind {
            Some(kind) => header.check_known(kind, flags, reserved, limits)?,
            None => header.check_unknown(flags)?,
        }
        Ok(header)
    }

    fn check_known(
        &self,
        kind: Kind,
        flags: u8,
        reserved: u8,
        limits: &Limits,
    ) -> Result<(), PeerMisbehaved> {
        if (flags != CRITICAL && !self.lost) || reserved != 0 {
            return Err(PeerMisbehaved::FieldValue);
        }
        let bytes = kind.bytes(limits);
        if self.length > *bytes.end() {
            return Err(PeerMisbehaved::FrameLength);
        }
        if self.length < *bytes.start() {
            return Err(PeerMisbehaved::FrameShape);
        }
        kind.check_handles(self.handles)
    }

    /// The other flags and the reserved byte of an unknown kind are the business of those who know it.
    fn check_unknown(&self, flags: u8) -> Result<(), PeerMisbehaved> {
        if flags & CRITICAL != 0 {
            return Err(PeerMisbehaved::UnknownFrame);
        }
        if self.length > SKIPPED_BYTES_MAX {
            return Err(PeerMisbehaved::FrameLength);
        }
        if self.handles > MESSAGE_HANDLES_MAX {
            return Err(PeerMisbehaved::TooManyAttachments);
        }
        Ok(())
    }
}

/// Whether these bytes, however few, can be the beginning of a link's first frame.
pub(super) fn can_begin_link(input: &[u8]) -> bool {
    let fixed = [0, 0, 0, Kind::Hello.number(), CRITICAL, 0, 0].into_iter().chain(MAGIC);
    let Some((length, rest)) = input.split_first() else { return true };
    (HELLO_BYTES..=HELLO_BYTES_MAX).contains(&usize::from(*length))
        && rest.iter().zip(fixed).all(|(found, expected)| *found == expected)
}
