//! The least that calls through a shared connection cost on a scheduler: one task reads and wakes the other, which speaks.
//! No node, no names, no encoding; only what `mage-sched` asks of a runtime. Nothing above it can be cheaper.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use mage::sched::{Interest, Scheduler, Transfer, Watch};

use crate::Failure;
use crate::raw::MESSAGE_BYTES;
use crate::report::Clock;
use crate::scheduler::{Flavor, pin};

type Message = [u8; MESSAGE_BYTES];

/// The speaker's side.
struct Wire {
    socket: UnixStream,
    heard: UnboundedReceiver<Message>,
}

impl Wire {
    fn new(scheduler: &Arc<dyn Scheduler>, socket: UnixStream) -> io::Result<Self> {
        let watched = Arc::new(OwnedFd::from(socket.try_clone()?));
        let mut watch = scheduler.watch(watched)?;
        let (hears, heard) = unbounded();
        scheduler.spawn(Box::pin(async move { while read(&mut *watch, &hears).await.is_ok() {} }));
        Ok(Self { socket, heard })
    }

    fn say(&mut self, message: &Message) -> io::Result<()> {
        self.socket.write_all(message)
    }

    async fn hear(&mut self) -> Option<Message> {
        self.heard.next().await
    }
}

/// Hands on the next message.
async fn read(watch: &mut dyn Watch, hears: &UnboundedSender<Message>) -> Result<(), Failure> {
    let mut message = [0; MESSAGE_BYTES];
    let read = std::future::poll_fn(|context| {
        watch.poll_io(context, Interest::Read, &mut |socket: BorrowedFd<'_>| {
            let bytes = rustix::net::recv(socket, &mut message, rustix::net::RecvFlags::empty())?.1;
            Ok(Transfer::Drained(bytes)) // there is never more than one under way
        })
    });
    if read.await? != MESSAGE_BYTES {
        return Err("the other side is gone".into());
    }
    Ok(hears.unbounded_send(message)?)
}

/// The time of a message and its echo.
pub(crate) async fn round_trips(
    scheduler: Arc<dyn Scheduler>,
    flavor: Flavor,
    count: u64,
) -> Result<f64, Failure> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--floor", flavor.name()])
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    let mut wire = Wire::new(&scheduler, ours)?;
    let mut message = [7; MESSAGE_BYTES];
    let clock = Clock::start();
    for _ in 0..count {
        wire.say(&message)?;
        message = wire.hear().await.ok_or("the child is gone")?;
    }
    let took = clock.each(count);
    wire.socket.shutdown(std::net::Shutdown::Both)?;
    child.wait()?;
    Ok(took)
}

/// The child's part: to say what it hears.
pub(crate) fn main(flavor: Flavor) -> Result<(), Failure> {
    pin();
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    flavor.run(move |scheduler| async move {
        let mut wire = Wire::new(&scheduler, socket)?;
        while let Some(message) = wire.hear().await {
            wire.say(&message)?;
        }
        Ok(())
    })
}
