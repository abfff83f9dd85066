//! The references: blocking sockets, with nothing on top.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

use crate::report::Clock;
use crate::scheduler::pin;

/// The size of a message, the same as the text that mage carries.
pub(crate) const MESSAGE_BYTES: usize = 64;

const ECHO: u8 = b'e';
const SINK: u8 = b's';
const PASS: u8 = b'p';

/// The child's part: an order of nine bytes, then what it says.
pub(crate) fn main() -> Result<(), crate::Failure> {
    pin();
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut order = [0; 9];
    let mut buffer = vec![0; 64 << 10];
    while socket.read_exact(&mut order).is_ok() {
        let mut count = u64::from_le_bytes(order[1..].try_into()?);
        match order[0] {
            ECHO => {
                for _ in 0..count {
                    socket.read_exact(&mut buffer[..MESSAGE_BYTES])?;
                    socket.write_all(&buffer[..MESSAGE_BYTES])?;
                }
            }
            PASS => {
                for _ in 0..count {
                    let passed = receive(&socket)?.ok_or("no descriptor came")?;
                    UnixStream::from(passed).write_all(&buffer[..MESSAGE_BYTES])?;
                }
            }
            _ => {
                count *= MESSAGE_BYTES as u64;
                while count > 0 {
                    count -= socket.read(&mut buffer)? as u64;
                }
                socket.write_all(&[1])?;
            }
        }
    }
    Ok(())
}

/// The parent's part.
#[derive(Debug)]
pub(crate) struct Raw {
    socket: UnixStream,
    child: Child,
}

impl Raw {
    pub(crate) fn start() -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let child = Command::new(std::env::current_exe()?)
            .arg("--raw")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()?;
        Ok(Self { socket, child })
    }

    /// The time from the end of the child until its socket says so.
    pub(crate) fn death(mut self) -> io::Result<f64> {
        self.round_trip(1)?;
        let clock = Clock::start();
        self.child.kill()?;
        let left = self.socket.read(&mut [0])?;
        let took = clock.each(1);
        if left == 0 { Ok(took) } else { Err(io::Error::from(io::ErrorKind::InvalidData)) }
    }

    fn order(&mut self, what: u8, count: u64) -> io::Result<()> {
        let mut order = [what; 9];
        order[1..].copy_from_slice(&count.to_le_bytes());
        self.socket.write_all(&order)
    }

    /// The time of one round trip.
    pub(crate) fn round_trip(&mut self, count: u64) -> io::Result<f64> {
        self.order(ECHO, count)?;
        let mut message = [7; MESSAGE_BYTES];
        let clock = Clock::start();
        for _ in 0..count {
            self.socket.write_all(&message)?;
            self.socket.read_exact(&mut message)?;
        }
        Ok(clock.each(count))
    }

    /// The time of making a socket pair, passing an end and reading the first message that comes back, so many at the same
    /// time.
    pub(crate) fn pass_sockets(&mut self, batches: u64, in_flight: u64) -> io::Result<f64> {
        self.order(PASS, batches * in_flight)?;
        let mut message = [0; MESSAGE_BYTES];
        let clock = Clock::start();
        for _ in 0..batches {
            let mut sockets = Vec::new();
            for _ in 0..in_flight {
                let (ours, theirs) = UnixStream::pair()?;
                send(&self.socket, theirs)?;
                sockets.push(ours);
            }
            for mut socket in sockets {
                socket.read_exact(&mut message)?;
            }
        }
        Ok(clock.each(batches * in_flight))
    }

    /// The time of one message when each is written by itself.
    pub(crate) fn one_way(&mut self, count: u64) -> io::Result<f64> {
        self.order(SINK, count)?;
        let mut message = [7; MESSAGE_BYTES];
        let clock = Clock::start();
        for _ in 0..count {
            self.socket.write_all(&message)?;
        }
        self.socket.read_exact(&mut message[..1])?;
        Ok(clock.each(count))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        let _ = self.child.wait();
    }
}

/// Passes a descriptor with one byte.
fn send(socket: &UnixStream, passed: UnixStream) -> io::Result<()> {
    let descriptors = [passed.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    rustix::net::sendmsg(socket, &[IoSlice::new(&[1])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The next descriptor that was passed.
fn receive(socket: &UnixStream) -> io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let passed = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok(passed)
}
