//! The wire, spoken by hand: frames as `docs/WIRE.md` describes them, and a socket to say them over.

use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use mage::sched::{Interest, Scheduler, Transfer, Watch};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

/// The kinds of frame that are said here.
pub mod kind {
    #![expect(missing_docs, reason = "they are the names of the format's document")]
    pub const HELLO: u8 = 1;
    pub const WELCOME: u8 = 2;
    pub const REQUEST_INTRODUCTION: u8 = 3;
    pub const INTRODUCE: u8 = 4;
    pub const INTRODUCTION_FAILED: u8 = 5;
    pub const REQUEST_ADMISSION: u8 = 6;
    pub const ADMIT: u8 = 7;
    pub const REFUSE_ADMISSION: u8 = 8;
    pub const USER: u8 = 32;
    pub const END: u8 = 33;
    pub const PREV_IS: u8 = 34;
    pub const CREDIT: u8 = 35;
    pub const ACCEPTED: u8 = 36;
    pub const BYPASS: u8 = 37;
    pub const ACK: u8 = 38;
    pub const GONE: u8 = 39;
    pub const PREV_IS_PLACE: u8 = 40;
}

/// A node's name in full.
pub type Name = [u8; 16];
/// What a hand-made inviter calls itself.
pub const INVITER: Name = [0xaa; 16];
/// What it calls its guest.
pub const GUEST: Name = [0xbb; 16];

const RECEIVER: u8 = 0;
const SENDER: u8 = 1;
const CRITICAL: u8 = 1;
const HEADER_BYTES: usize = 8;
const NAME_BYTES: usize = 16;
/// The number of the one pipe end that a hand-made inviter sends, of its old place, and of its pipe.
const NUMBER: u64 = 1;

/// A frame of that kind, with nothing wrong in its header.
///
/// # Panics
/// If it is longer than a length can say.
pub fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER_BYTES + body.len()).expect("a frame is shorter");
    header(length, kind, CRITICAL, 0).into_iter().chain(body.iter().copied()).collect()
}

/// Any header at all.
pub fn header(length: u32, kind: u8, flags: u8, handles: u8) -> [u8; HEADER_BYTES] {
    let [a, b, c, d] = length.to_le_bytes();
    [a, b, c, d, kind, flags, handles, 0]
}

/// The opening of a side that speaks these versions.
pub fn hello(versions: (u16, u16), inviting: bool) -> Vec<u8> {
    let mut body = b"MAGE\xffIPC".to_vec();
    body.extend(0_u64.to_le_bytes()); // no features
    body.extend(versions.0.to_le_bytes());
    body.extend(versions.1.to_le_bytes());
    body.push(u8::from(inviting));
    frame(kind::HELLO, &body)
}

/// The opening of an inviter of this version.
pub fn invites() -> Vec<u8> {
    hello((1, 1), true)
}

/// The opening of an acceptor of this version.
pub fn accepts() -> Vec<u8> {
    hello((1, 1), false)
}

/// The admission of [`GUEST`] by [`INVITER`], with these descriptors.
///
/// # Panics
/// If there are more than can be counted.
pub fn welcome(descriptors: &[Vec<u8>]) -> Vec<u8> {
    welcome_by(INVITER, GUEST, descriptors)
}

/// The admission of anybody by anybody.
///
/// # Panics
/// If there are more than can be counted.
pub fn welcome_by(inviter: Name, guest: Name, descriptors: &[Vec<u8>]) -> Vec<u8> {
    let mut body = 1_u16.to_le_bytes().to_vec();
    body.push(0); // not isolated
    for name in [guest, inviter, inviter] {
        body.extend(name);
    }
    body.push(u8::try_from(descriptors.len()).expect("few"));
    for (place, descriptor) in descriptors.iter().enumerate() {
        let label = if place == 0 { String::new() } else { format!("pipe {place}") };
        body.push(u8::try_from(label.len()).expect("short"));
        body.extend(label.as_bytes());
        body.extend(descriptor);
    }
    frame(kind::WELCOME, &body)
}

/// An endpoint as a frame names it: who made its name, seen from the frame, and the number.
fn endpoint(creator: u8, number: u64) -> impl Iterator<Item = u8> {
    std::iter::once(creator).chain(number.to_le_bytes())
}

/// A new pipe's end on its way to the guest. The other end stays with the inviter.
pub fn descriptor(number: u64) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.push(0);
    let window = [(0, 0), (1024, 8 << 20), (0, 0), (1024, 8 << 20)];
    for (messages, payload) in window {
        bytes.extend(u64::to_le_bytes(messages));
        bytes.extend(u64::to_le_bytes(payload));
    }
    bytes.extend(endpoint(SENDER, number)); // the pipe
    bytes.push(SENDER); // the node of the other end
    bytes.extend(endpoint(SENDER, 1000 + number)); // the other end
    bytes.extend(endpoint(SENDER, number)); // the old place
    bytes
}

/// The body of a frame from the old place of the inviter's end of this number to the guest's.
fn to_guest(number: u64) -> Vec<u8> {
    endpoint(SENDER, number).chain(endpoint(SENDER, number)).collect()
}

/// A message to the guest's end.
pub fn user(sequence: u64, hops: u16, payload: &[u8]) -> Vec<u8> {
    user_on(NUMBER, sequence, hops, payload)
}

/// A message to the guest's end of this number.
pub fn user_on(number: u64, sequence: u64, hops: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = to_guest(number);
    body.extend(sequence.to_le_bytes());
    body.extend(hops.to_le_bytes());
    body.push(0); // no pipe ends
    body.extend(payload);
    frame(kind::USER, &body)
}

/// The end of what is sent to the guest.
pub fn end(reason: u8) -> Vec<u8> {
    let mut body = to_guest(NUMBER);
    body.push(reason);
    frame(kind::END, &body)
}

/// What an acceptor says about the first end in this welcome.
///
/// # Panics
/// If there is none.
pub fn accepted(welcome: &[u8]) -> Vec<u8> {
    // Version, isolated or not, three names, the number of pipes, and the empty label of the first.
    let descriptor = &welcome[HEADER_BYTES + 2 + 1 + 3 * NAME_BYTES + 1 + 1..];
    let number = |at: usize| u64::from_le_bytes(descriptor[at..at + 8].try_into().expect("eight bytes"));
    let (name, origin) = (number(0), number(descriptor.len() - 8));
    frame(kind::ACCEPTED, &endpoint(RECEIVER, origin).chain(endpoint(RECEIVER, name)).collect::<Vec<_>>())
}

/// A socket over which anything can be said.
#[derive(Debug)]
pub struct RawPeer {
    watch: Box<dyn Watch>,
}

impl RawPeer {
    /// Takes the socket over.
    ///
    /// # Panics
    /// If it cannot be watched.
    pub fn new(scheduler: &dyn Scheduler, socket: impl Into<OwnedFd>) -> Self {
        Self { watch: scheduler.watch(Arc::new(socket.into())).expect("a socket can be watched") }
    }

    /// Says all of it.
    ///
    /// # Errors
    /// If the other side hangs up first.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_with(bytes, &[]).await
    }

    /// Says all of it, and passes the handles with the first byte.
    ///
    /// # Errors
    /// If the other side hangs up first.
    pub async fn write_with(&mut self, bytes: &[u8], handles: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut sent = 0;
        while sent < bytes.len() {
            let rest = &bytes[sent..];
            let handles = if sent == 0 { handles } else { &[] };
            let mut io = |socket: BorrowedFd<'_>| send(socket, rest, handles);
            sent += poll_fn(|context| self.watch.poll_io(context, Interest::Write, &mut io)).await?;
        }
        Ok(())
    }

    /// Hears what there is, at most as much as fits; nothing at the end of the stream.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut io = |socket: BorrowedFd<'_>| {
            let count = rustix::io::read(socket, &mut *buffer)?;
            Ok(Transfer::More(count))
        };
        poll_fn(|context| self.watch.poll_io(context, Interest::Read, &mut io)).await
    }

    async fn read_exact(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while filled < count {
            match self.read(&mut bytes[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => filled += more,
            }
        }
        Ok(bytes)
    }

    /// Hears a whole frame.
    ///
    /// # Errors
    /// If the other side hangs up first.
    ///
    /// # Panics
    /// If the frame is shorter than its own header.
    pub async fn frame(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = self.read_exact(HEADER_BYTES).await?;
        let length = u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")) as usize;
        bytes.extend(self.read_exact(length - HEADER_BYTES).await?);
        Ok(bytes)
    }

    /// Hears what comes until a descriptor comes with it.
    ///
    /// # Errors
    /// If the other side hangs up first.
    pub async fn handle(&mut self) -> io::Result<OwnedFd> {
        loop {
            let mut found = None;
            let mut io = |socket: BorrowedFd<'_>| {
                let (bytes, handles) = receive(socket)?;
                found = found.take().or_else(|| handles.into_iter().next());
                Ok(Transfer::More(bytes.len()))
            };
            let count = poll_fn(|context| self.watch.poll_io(context, Interest::Read, &mut io)).await?;
            match found {
                Some(handle) => return Ok(handle),
                None if count == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => {}
            }
        }
    }

    /// Hears `count` frames and no more than these are said, and keeps the descriptors that come with them.
    ///
    /// # Errors
    /// If the other side hangs up first.
    ///
    /// # Panics
    /// If a frame is shorter than its own header.
    pub async fn frames_and_handles(&mut self, count: usize) -> io::Result<(Vec<Vec<u8>>, Vec<OwnedFd>)> {
        let (mut frames, mut heard, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        while frames.len() < count {
            let mut io = |socket: BorrowedFd<'_>| {
                let (bytes, handles) = receive(socket)?;
                heard.extend(&bytes);
                kept.extend(handles);
                Ok(Transfer::More(bytes.len()))
            };
            if poll_fn(|context| self.watch.poll_io(context, Interest::Read, &mut io)).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            while let Some(length) = heard.first_chunk().map(|length| u32::from_le_bytes(*length) as usize)
                && length <= heard.len()
            {
                frames.push(heard.drain(..length).collect());
            }
        }
        Ok((frames, kept))
    }

    /// Hears everything until the other side hangs up, and says whether anything came.
    pub async fn until_hang_up(&mut self) -> bool {
        let mut heard = false;
        let mut buffer = [0; 4096];
        while let Ok(1..) = self.read(&mut buffer).await {
            heard = true;
        }
        heard
    }
}

fn receive(socket: BorrowedFd<'_>) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0; 4096];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags)?;
    bytes.truncate(received.bytes);
    let handles = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(handles) => Some(handles),
        _ => None,
    });
    Ok((bytes, handles.flatten().collect()))
}

fn send(socket: BorrowedFd<'_>, bytes: &[u8], handles: &[BorrowedFd<'_>]) -> io::Result<Transfer> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !handles.is_empty() && !control.push(SendAncillaryMessage::ScmRights(handles)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let sent =
        rustix::net::sendmsg(socket.as_fd(), &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(Transfer::More(sent))
}
