//! A process that is there to be attacked, with little memory, few descriptors and a short stack.
//!
//! An honest process has it meet whom it likes, and asks what became of them. They talk in raw messages, of text.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::{fmt, fs, io};

use mage::{MessagePipe, Node, RawMessage, Receiver, Why};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::evil::{AS_EVER, Part};
use crate::{EchoImpl, Stage};

/// Descriptors that it may have.
const DESCRIPTORS_MAX: u64 = 256;
/// Bytes of address space.
const MEMORY_MAX: u64 = 1 << 30;
/// Bytes of the first thread's stack.
const STACK_MAX: u64 = 512 << 10;

/// What the honest process says.
pub mod order {
    /// Serve `Echo` at the end that comes with this.
    pub const ECHO: &[u8] = b"echo";
    /// Accept the invitation from the socket that comes with this, and say how it ends.
    pub const ACCEPT: &[u8] = b"accept";
    /// Invite whoever is at the socket that comes with this, and say how it ends.
    pub const INVITE: &[u8] = b"invite";
    /// Say what there is, and begin to watch how much memory is taken.
    pub const LOOK: &[u8] = b"look";
}

/// What the victim consists of at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Links, pipe ends and proxies of its node.
    pub node: [usize; 3],
    /// Descriptors of its process.
    pub descriptors: usize,
    /// Its memory now, and the most it has had since it was last looked at, in KiB.
    pub memory: [usize; 2],
    /// What it has found wrong with its peers, the latest last.
    pub faults: Vec<String>,
}

impl Look {
    fn of(node: &Node) -> io::Result<Self> {
        let seen = node.inspect();
        let status = fs::read_to_string("/proc/self/status")?;
        let kib = |name: &str| -> Option<usize> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        let memory = [kib("VmRSS").unwrap_or(0), kib("VmHWM").unwrap_or(0)];
        fs::write("/proc/self/clear_refs", "5")?;
        Ok(Self {
            node: [seen.links.len(), seen.ends, seen.proxies],
            descriptors: crate::member::descriptors(),
            memory,
            faults: seen.faults.iter().map(|fault| format!("{fault:?}")).collect(),
        })
    }

    /// What [`fmt::Display`] has written.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse().ok();
        let node = [number()?, number()?, number()?];
        let (descriptors, memory) = (number()?, [number()?, number()?]);
        Some(Self { node, descriptors, memory, faults: words.map(str::to_owned).collect() })
    }
}

impl fmt::Display for Look {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node: [links, ends, proxies], descriptors, memory: [now, most], faults } = self;
        write!(formatter, "{links} {ends} {proxies} {descriptors} {now} {most}")?;
        faults.iter().try_for_each(|fault| write!(formatter, " {fault}"))
    }
}

/// Takes from this process what it does not need. What is above the soft limit of the stack stays out of reach too.
///
/// # Panics
/// If the system does not allow it.
pub fn limit_resources() {
    for (resource, most) in
        [(Resource::Nofile, DESCRIPTORS_MAX), (Resource::As, MEMORY_MAX), (Resource::Stack, STACK_MAX)]
    {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).expect("it may be lowered");
    }
}

/// Does what it is told at `control` until nobody can tell it anything any more.
///
/// # Panics
/// If it is told something else than it knows.
pub async fn suffer(stage: &Stage, node: &Node, control: MessagePipe) {
    let control = Arc::new(control);
    while let Ok(message) = control.recv().await {
        let RawMessage { bytes, pipes, handles } = message;
        match bytes.as_slice() {
            order::ECHO => {
                for pipe in pipes {
                    stage.spawn(async move {
                        let _ = Receiver::<dyn crate::fixtures::Echo>::new(pipe).serve(&mut EchoImpl).await;
                    });
                }
            }
            order::ACCEPT => {
                for socket in handles {
                    stage.spawn(meet(node.clone(), Arc::clone(&control), Part::Inviter, socket));
                }
            }
            order::INVITE => {
                for socket in handles {
                    stage.spawn(meet(node.clone(), Arc::clone(&control), Part::Guest, socket));
                }
            }
            order::LOOK => say(&control, &Look::of(node).expect("the process file system").to_string()),
            unknown => panic!("nobody knows what {unknown:?} is"),
        }
    }
}

fn say(control: &MessagePipe, text: &str) {
    // If the honest process is gone, so is the test.
    let _ = control.try_send(RawMessage { bytes: text.as_bytes().to_vec(), ..RawMessage::default() });
}

async fn meet(node: Node, control: Arc<MessagePipe>, part: Part, socket: OwnedFd) {
    let pipe = match part {
        Part::Inviter => node.accept_invitation(socket).await.map_err(|error| format!("{error:?}")),
        Part::Guest => node.send_invitation(socket).map_err(|error| error.to_string()),
    };
    let pipe = match pipe {
        Ok(pipe) => pipe,
        Err(why) => return say(&control, &format!("refused: {why}")),
    };
    let mut kept = Vec::new();
    loop {
        match pipe.recv().await {
            Ok(message) => {
                if message.bytes == AS_EVER {
                    say(&control, "as ever");
                }
                kept.push(used(message));
            }
            // Behind the last words nobody asks how it ended.
            Err(why) => return say(&control, &ended(why)),
        }
    }
}

/// What is said of a pipe that has ended so.
pub fn ended(why: Why) -> String {
    format!("ended: {why:?}")
}

/// Whoever gets an end uses it.
pub fn used(message: RawMessage) -> RawMessage {
    for pipe in &message.pipes {
        let _ = pipe.try_send(RawMessage { bytes: b"mine".to_vec(), ..RawMessage::default() });
    }
    message
}
