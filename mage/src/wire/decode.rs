//! From bytes to frames.

use std::collections::VecDeque;

use super::batch::Batch;
use super::encode::{MUTE, SECOND};
use super::header::{
    DESCRIPTOR_BYTES_MIN, HEADER_BYTES, Header, Kind, MAGIC, WELCOMED_PIPE_BYTES_MIN, can_begin_link,
};
use super::names::{Names, read_raw_node};
use super::reader::Reader;
use crate::core::{
    Body, Control, Count, Descriptor, Ends, Frame, Hello, Parcel, PipeLabel, Side, Welcome, Window,
};
use crate::error::{PeerMisbehaved, Why};
use crate::limits::{Limits, MESSAGE_HANDLES_MAX, MESSAGE_PIPES_MAX};
use crate::seldom::Seldom;

/// What stands at the front of the input.
#[derive(Debug)]
pub(crate) enum Decoded<H> {
    /// A frame, and how many bytes it took.
    Frame { frame: Frame<H>, bytes: usize },
    /// A frame of an unknown kind that may be skipped; its handles are for dropping.
    Skip { bytes: usize, handles: Vec<H> },
    /// At least this many bytes in all are needed before it is worth trying again.
    NeedBytes(usize),
    /// A welcome whose socket the kernel could not give us: the handshake cannot go on, and nobody is to blame.
    LostWelcome,
}

/// Reads the first frame of a link, which must be a hello. Whatever else it is, is seen at the first byte that differs,
/// and nobody waits for a length that a stranger's bytes only seem to declare.
pub(crate) fn decode_first<H>(
    input: &[u8],
    arrived: &mut VecDeque<Batch<H>>,
    limits: &Limits,
) -> Result<Decoded<H>, PeerMisbehaved> {
    if !can_begin_link(input) {
        return Err(PeerMisbehaved::NotMage);
    }
    decode(input, Names::default(), arrived, limits)
}

/// Reads one frame from the front of `input`.
///
/// `arrived` is the queue of the handles that have come over the link, oldest first; a frame that declares any takes one
/// batch. `names` are those that hold for this very frame: behind a welcome they are [`Names::of_acceptor`].
pub(crate) fn decode<H>(
    input: &[u8],
    names: Names,
    arrived: &mut VecDeque<Batch<H>>,
    limits: &Limits,
) -> Result<Decoded<H>, PeerMisbehaved> {
    let Some(head) = input.first_chunk::<HEADER_BYTES>() else {
        return Ok(Decoded::NeedBytes(HEADER_BYTES));
    };
    let header = Header::read(*head, limits)?;
    let bytes = header.length;
    if header.kind.is_some_and(|kind| !kind.precedes_names()) && !names.are_known() {
        return Err(PeerMisbehaved::WrongStage);
    }
    let Some(body) = input.get(HEADER_BYTES..bytes) else {
        return Ok(Decoded::NeedBytes(bytes));
    };
    let own = match header.handles {
        0 => Batch::default(),
        declared => {
            let batch = arrived.pop_front().ok_or(PeerMisbehaved::MissingHandles)?;
            batch.check(declared)?;
            batch
        }
    };
    let Some(kind) = header.kind else {
        return Ok(Decoded::Skip { bytes, handles: own.handles });
    };
    let mut reader = Reader::new(body);
    let lost = own.truncated || header.lost;
    let frame = if lost {
        read_bereft_frame(kind, &mut reader, names, limits)?
    } else {
        Some(read_frame(kind, &mut reader, names, own.handles, limits)?)
    };
    reader.finish()?;
    Ok(frame.map_or(Decoded::LostWelcome, |frame| Decoded::Frame { frame, bytes }))
}

/// Judges what has arrived beside the bytes of a frame that is not whole yet, once every whole one has been taken.
pub(crate) fn check_arrived<H>(input: &[u8], arrived: &VecDeque<Batch<H>>) -> Result<(), PeerMisbehaved> {
    let Some(batch) = arrived.front() else { return Ok(()) };
    match input {
        _ if arrived.len() > 1 => Err(PeerMisbehaved::UnexpectedHandles),
        [] | [_, _, _, _, _, _, 0, ..] => Err(PeerMisbehaved::UnexpectedHandles),
        [_, _, _, _, _, _, declared, ..] => batch.check(usize::from(*declared)),
        _ if batch.handles.len() > MESSAGE_HANDLES_MAX => Err(PeerMisbehaved::UnexpectedHandles),
        _ => Ok(()),
    }
}

/// A frame whose handles are lost, as what is left of it: a message that says so, a refusal in the place of a socket;
/// nothing is left of a welcome.
fn read_bereft_frame<H>(
    kind: Kind,
    reader: &mut Reader<'_>,
    names: Names,
    limits: &Limits,
) -> Result<Option<Frame<H>>, PeerMisbehaved> {
    let control = match kind {
        Kind::Introduce => Control::IntroductionFailed { name: names.read_node(reader)? },
        Kind::Admit => {
            let guest = reader.u64()?;
            names.read_node(reader)?;
            Control::RefuseAdmission { guest }
        }
        Kind::Welcome => {
            read_welcome::<H>(reader, names, Vec::new())?;
            return Ok(None);
        }
        _ => {
            let frame = between(reader, names, |reader| {
                let parcel = read_parcel(reader, names, Vec::new(), limits)?;
                Ok(Body::User(Parcel { handles_lost: true, ..parcel }))
            });
            return frame.map(Some);
        }
    };
    Ok(Some(Frame::Control(control)))
}

fn read_frame<H>(
    kind: Kind,
    reader: &mut Reader<'_>,
    names: Names,
    handles: Vec<H>,
    limits: &Limits,
) -> Result<Frame<H>, PeerMisbehaved> {
    let control = match kind {
        Kind::Hello => Control::Hello(read_hello(reader)?),
        Kind::Welcome => Control::Welcome(read_welcome(reader, names, handles)?),
        Kind::RequestIntroduction => Control::RequestIntroduction { name: names.read_node(reader)? },
        Kind::IntroductionFailed => Control::IntroductionFailed { name: names.read_node(reader)? },
        Kind::Introduce => {
            let name = names.read_node(reader)?;
            let socket = handles.into_iter().next().ok_or(PeerMisbehaved::MissingHandles)?;
            Control::Introduce { name, socket }
        }
        Kind::RequestAdmission => Control::RequestAdmission { guest: reader.u64()? },
        Kind::RefuseAdmission => Control::RefuseAdmission { guest: reader.u64()? },
        Kind::Admit => {
            let guest = reader.u64()?;
            let name = names.read_node(reader)?;
            let socket = handles.into_iter().next().ok_or(PeerMisbehaved::MissingHandles)?;
            Control::Admit { guest, name, socket }
        }
        Kind::User => {
            return between(reader, names, |reader| {
                read_parcel(reader, names, handles, limits).map(Body::User)
            });
        }
        Kind::End => {
            return between(reader, names, |reader| Ok(Body::End(Why::from_code(reader.byte()?))));
        }
        Kind::PrevIs => {
            return between(reader, names, |reader| names.read_address(reader).map(Body::PrevIs));
        }
        Kind::PrevIsPlace => {
            return between(reader, names, |reader| names.read_address(reader).map(Body::PrevIsPlace));
        }
        Kind::Bypass => {
            return between(reader, names, |reader| names.read_address(reader).map(Body::Bypass));
        }
        Kind::Credit => return between(reader, names, |reader| read_count(reader).map(Body::Credit)),
        Kind::Accepted => return between(reader, names, |_| Ok(Body::Accepted)),
        Kind::Ack => return between(reader, names, |_| Ok(Body::Ack)),
        Kind::Gone => return between(reader, names, |_| Ok(Body::Gone)),
    };
    Ok(Frame::Control(control))
}

/// A frame between two endpoints, which names both before its body.
fn between<H>(
    reader: &mut Reader<'_>,
    names: Names,
    body: impl FnOnce(&mut Reader<'_>) -> Result<Body<H>, PeerMisbehaved>,
) -> Result<Frame<H>, PeerMisbehaved> {
    let to = names.read_own_endpoint(reader)?;
    let from = names.read_endpoint(reader)?;
    Ok(Frame::Endpoint { to, from, body: body(reader)? })
}

fn read_parcel<H>(
    reader: &mut Reader<'_>,
    names: Names,
    handles: Vec<H>,
    limits: &Limits,
) -> Result<Parcel<H>, PeerMisbehaved> {
    let sequence = reader.u64()?;
    let hops = reader.u16()?;
    let ends = Ends::Moved(read_descriptors(reader, names)?);
    let payload = reader.take_rest();
    if payload.len() > limits.message_bytes_max {
        return Err(PeerMisbehaved::FrameLength);
    }
    Ok(Parcel { sequence, hops, bytes: payload.to_vec(), ends, handles: handles.into(), handles_lost: false })
}

fn read_descriptors(reader: &mut Reader<'_>, names: Names) -> Result<Seldom<Descriptor>, PeerMisbehaved> {
    let count = read_pipe_count(reader, DESCRIPTOR_BYTES_MIN)?;
    let mut descriptors = Vec::with_capacity(count);
    for _ in 0..count {
        descriptors.push(read_descriptor(reader, names)?);
    }
    Ok(descriptors.into())
}

/// How many pipe ends follow. The fewest bytes that so many can have are there, so it is no promise taken on trust.
fn read_pipe_count(reader: &mut Reader<'_>, bytes_min: usize) -> Result<usize, PeerMisbehaved> {
    let count = usize::from(reader.byte()?);
    if count > MESSAGE_PIPES_MAX {
        return Err(PeerMisbehaved::TooManyAttachments);
    }
    if count * bytes_min > reader.left() {
        return Err(PeerMisbehaved::FrameShape);
    }
    Ok(count)
}

fn read_descriptor(reader: &mut Reader<'_>, names: Names) -> Result<Descriptor, PeerMisbehaved> {
    let number = reader.u64()?;
    let flags = reader.byte()?;
    if flags & !(SECOND | MUTE) != 0 {
        return Err(PeerMisbehaved::FieldValue);
    }
    let window = Window {
        sent: read_count(reader)?,
        limit: read_count(reader)?,
        read: read_count(reader)?,
        granted: read_count(reader)?,
    };
    Ok(Descriptor {
        number,
        pipe: names.read_pipe(reader)?,
        side: if flags & SECOND == 0 { Side::First } else { Side::Second },
        mute: flags & MUTE != 0,
        peer: names.read_address(reader)?,
        origin: names.read_endpoint(reader)?,
        window,
    })
}

fn read_count(reader: &mut Reader<'_>) -> Result<Count, PeerMisbehaved> {
    Ok(Count { messages: reader.u64()?, bytes: reader.u64()? })
}

/// What stands behind the last field was put there by a newer version, for its own kind to read.
fn read_hello(reader: &mut Reader<'_>) -> Result<Hello, PeerMisbehaved> {
    if reader.array()? != MAGIC {
        return Err(PeerMisbehaved::NotMage);
    }
    let features = reader.u64()?;
    let version_min = reader.u16()?;
    let version_max = reader.u16()?;
    let inviting = match reader.byte()? {
        0 => false,
        1 => true,
        _ => return Err(PeerMisbehaved::FieldValue),
    };
    if version_min > version_max {
        return Err(PeerMisbehaved::FieldValue);
    }
    reader.take_rest();
    Ok(Hello { version_min, version_max, features, inviting })
}

fn read_welcome<H>(
    reader: &mut Reader<'_>,
    names: Names,
    handles: Vec<H>,
) -> Result<Welcome<H>, PeerMisbehaved> {
    let version = reader.u16()?;
    let isolated = match reader.byte()? {
        0 => false,
        1 => true,
        _ => return Err(PeerMisbehaved::FieldValue),
    };
    let you = read_raw_node(reader)?;
    let me = read_raw_node(reader)?;
    let broker = read_raw_node(reader)?;
    if you == me {
        return Err(PeerMisbehaved::InvalidName);
    }
    let socket = handles.into_iter().next();
    let mut welcome = Welcome { version, isolated, you, me, broker, socket, pipes: Vec::new() };
    welcome.pipes = read_welcomed_pipes(reader, Names::of_acceptor(&welcome, names.mask))?;
    Ok(welcome)
}

fn read_welcomed_pipes(
    reader: &mut Reader<'_>,
    names: Names,
) -> Result<Vec<(PipeLabel, Descriptor)>, PeerMisbehaved> {
    let count = read_pipe_count(reader, WELCOMED_PIPE_BYTES_MIN)?;
    let mut pipes: Vec<(PipeLabel, Descriptor)> = Vec::with_capacity(count);
    for _ in 0..count {
        let label = read_label(reader)?;
        // Two pipes that are called the same: neither could be asked for.
        if pipes.iter().any(|(earlier, _)| *earlier == label) {
            return Err(PeerMisbehaved::FieldValue);
        }
        pipes.push((label, read_descriptor(reader, names)?));
    }
    Ok(pipes)
}

fn read_label(reader: &mut Reader<'_>) -> Result<PipeLabel, PeerMisbehaved> {
    let length = usize::from(reader.byte()?);
    let text = std::str::from_utf8(reader.slice(length)?).map_err(|_| PeerMisbehaved::FieldValue)?;
    PipeLabel::new(text).ok_or(PeerMisbehaved::FieldValue)
}
