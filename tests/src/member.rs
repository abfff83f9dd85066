//! A process of a network that does what it is told: both sides of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::process::{Child as Process, Command, Stdio};
use std::sync::Arc;
use std::{env, fs, process};

use futures::StreamExt;
use futures::channel::mpsc;
use mage::sched::Scheduler;
use mage::{Listener, MessagePipe, Node, RawMessage, Receiver, Remote, Reply, Why};
use mage_sched::sync::Mutex;

use crate::fixtures::{Member, MemberEndEachResponse, MemberListenResponse, MemberLookResponse};
use crate::{Flavor, Stage, role};

/// A process of a network, and a remote to tell it what to do. It is killed when this is dropped, unless it is somebody
/// else's child.
#[derive(Debug)]
pub struct Fellow {
    /// What it is told through.
    pub remote: Remote<dyn Member>,
    /// The process, if it is a child of this one.
    pub process: Option<Process>,
}

impl Fellow {
    /// Starts one that `node` invites.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn launch(stage: &Stage, program: &str, node: &Node) -> Self {
        let launched = node
            .launch::<dyn Member>(&mut Self::command(stage, program, role::MEMBER))
            .expect("the process starts");
        Self { remote: launched.remote, process: Some(launched.child) }
    }

    /// Starts one that invites, and returns the socket to accept its invitation from.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn broker(stage: &Stage, program: &str) -> (Process, std::os::unix::net::UnixStream) {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a socket pair");
        let mut command = Self::command(stage, program, role::MEMBER_INVITES);
        command.stdin(Stdio::from(OwnedFd::from(theirs)));
        (command.spawn().expect("the process starts"), ours)
    }

    /// Starts one that connects to the service at `path`.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn client(stage: &Stage, program: &str, path: &std::path::Path) -> Process {
        let mut command = Self::command(stage, program, role::MEMBER_CONNECTS);
        command.env(SERVICE_VARIABLE, path).stderr(Stdio::null()).spawn().expect("the process starts")
    }

    fn command(stage: &Stage, program: &str, role: &str) -> Command {
        let mut command = Command::new(program);
        command.args([stage.flavor.name(), role]);
        command
    }

    /// Has it start a child, and returns that.
    ///
    /// # Panics
    /// If that fails.
    pub async fn launch_its_own(&self, node: &Node) -> Self {
        let (ours, theirs) = node.create_message_pipes();
        self.remote.launch(theirs).await.expect("it starts a child");
        Self { remote: Remote::new(ours), process: None }
    }

    /// Gives it a pipe, once there is room for one more order.
    ///
    /// # Panics
    /// If it is gone.
    pub async fn put(&self, name: &str, pipe: MessagePipe) {
        Remote::ready(&self.remote).await;
        self.remote.put(name, pipe).expect("there is room now");
    }

    /// Whether it answers.
    pub async fn answers(&self) -> bool {
        self.remote.ping().await.is_ok()
    }

    /// What its node consists of.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn look(&self) -> MemberLookResponse {
        self.remote.look().await.expect("it answers")
    }

    /// Waits until what this end sends goes straight to the other, and the reverse.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn direct(&self, name: &str) {
        while !self.remote.is_direct(name).await.expect("it answers") {}
    }

    /// Kills it where it stands, and waits until it is gone for this node.
    ///
    /// # Panics
    /// If it is no child of this process.
    pub async fn kill(mut self) {
        let mut process = self.process.take().expect("a child of ours");
        process.kill().expect("it can be killed");
        Remote::closed(&self.remote).await;
        process.wait().expect("it was not waited for");
    }

    /// Lets it leave, and sees that it ended well if it is a child of this process.
    ///
    /// # Panics
    /// If it is gone already, or did not end well.
    pub async fn leave(mut self) {
        self.remote.leave().expect("it is there to be told");
        Remote::closed(&self.remote).await;
        if let Some(mut process) = self.process.take() {
            let status = process.wait().expect("it was not waited for");
            assert!(status.success(), "it ended with {status}");
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it is no child of this process.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let process = self.process.as_ref().expect("a child of ours");
        let number = rustix::process::Pid::from_child(process);
        rustix::process::kill_process(number, signal).expect("it is there");
    }
}

impl Drop for Fellow {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Waits until no pipe goes through a proxy any more, here and at the fellows: each look is a whole round trip, and nothing
/// sleeps.
///
/// # Panics
/// If one of them does not answer.
pub async fn settled(node: &Node, fellows: &[&Fellow]) {
    loop {
        let mut proxies = 0;
        for fellow in fellows {
            proxies += fellow.look().await.proxies;
        }
        if proxies == 0 && node.inspect().proxies == 0 {
            return;
        }
    }
}

/// The environment variable in which a client finds the path of its service.
const SERVICE_VARIABLE: &str = "MAGE_TEST_SERVICE";

/// Connects to the service that the environment names.
///
/// # Errors
/// Those of connecting.
pub async fn connect(node: &Node) -> Result<MessagePipe, mage::InvitationError> {
    node.connect(env::var_os(SERVICE_VARIABLE).unwrap_or_default()).await
}

/// A descriptor whose file holds `text`.
///
/// # Panics
/// If it cannot be made.
pub fn file_of(text: &str) -> OwnedFd {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::memfd_create("text", flags).expect("a file in memory"));
    file.write_all(text.as_bytes()).expect("it can be written");
    file.into()
}

/// What the file of a descriptor holds.
///
/// # Panics
/// If it cannot be read.
pub fn text_in(handle: OwnedFd) -> String {
    let mut file = File::from(handle);
    let mut text = String::new();
    file.rewind().expect("a file in memory");
    file.read_to_string(&mut text).expect("it can be read");
    text
}

/// The descriptors that this process has open.
///
/// # Panics
/// If they cannot be counted.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("the process file system").count()
}

/// Does what it is told at `pipe`, and at the pipes that it is told to, until nobody can tell it anything any more.
pub async fn be_told(stage: &Stage, node: &Node, pipe: MessagePipe) {
    let (alive, mut over) = mpsc::channel::<()>(0);
    let kept = Kept {
        node: node.clone(),
        scheduler: Arc::clone(&stage.scheduler),
        flavor: stage.flavor,
        pipes: Mutex::new(BTreeMap::new()),
        offers: Mutex::new(Vec::new()),
    };
    let mut servant = Servant { kept: Arc::new(kept), _alive: alive };
    stage.spawn(async move {
        // Whoever told it may be killed; that is what the tests do.
        let _ = Receiver::<dyn Member>::new(pipe).serve(&mut servant).await;
    });
    while over.next().await.is_some() {}
}

struct Kept {
    node: Node,
    scheduler: Arc<dyn Scheduler>,
    flavor: Flavor,
    pipes: Mutex<BTreeMap<String, Arc<MessagePipe>>>,
    offers: Mutex<Vec<Listener>>,
}

/// The side that is told.
struct Servant {
    kept: Arc<Kept>,
    _alive: mpsc::Sender<()>,
}

fn fail(why: &str) -> ! {
    eprintln!("mage-test-child: {why}");
    process::exit(1)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl Servant {
    fn keep(&self, name: String, pipe: MessagePipe) {
        if self.kept.pipes.lock().insert(name, Arc::new(pipe)).is_some() {
            fail("there is a pipe of that name already");
        }
    }

    fn pipe(&self, name: &str) -> Arc<MessagePipe> {
        let pipe = self.kept.pipes.lock().get(name).cloned();
        pipe.unwrap_or_else(|| fail(&format!("no pipe is called {name}")))
    }

    fn take_out(&self, name: &str) -> MessagePipe {
        let pipe = self.kept.pipes.lock().remove(name);
        let pipe = pipe.unwrap_or_else(|| fail(&format!("no pipe is called {name}")));
        Arc::into_inner(pipe).unwrap_or_else(|| fail(&format!("{name} is in use")))
    }

    fn all(&self, beginning: &str) -> Vec<Arc<MessagePipe>> {
        let pipes = self.kept.pipes.lock();
        pipes
            .iter()
            .filter(|(name, _)| name.starts_with(beginning))
            .map(|(_, pipe)| Arc::clone(pipe))
            .collect()
    }

    /// Answers with what the future comes to, and goes on with other orders meanwhile.
    fn answer<T: Send + 'static>(
        &self,
        reply: Reply<T>,
        send: impl FnOnce(Reply<T>, T) + Send + 'static,
        answer: impl Future<Output = T> + Send + 'static,
    ) {
        self.kept.scheduler.spawn(Box::pin(async move {
            let answer = answer.await;
            send(reply, answer);
        }));
    }
}

async fn say(pipe: &MessagePipe, number: i32, file: bool) -> bool {
    let text = number.to_string();
    pipe.ready().await;
    let handles = if file { vec![file_of(&text)] } else { Vec::new() };
    pipe.try_send(RawMessage { bytes: text.into_bytes(), pipes: Vec::new(), handles }).is_ok()
}

/// Whether the number came, and whether a file with it.
async fn hear(pipe: &MessagePipe, number: i32) -> Option<bool> {
    let message = pipe.recv().await.ok()?;
    let text = number.to_string();
    let same = message.bytes == text.as_bytes();
    let mut files = message.handles.into_iter();
    let file = files.next().map(text_in);
    (same && file.as_ref().is_none_or(|content| *content == text)).then_some(file.is_some())
}

macro_rules! answer {
    ($servant:ident, $reply:ident, $answer:expr) => {
        $servant.answer(
            $reply,
            |reply, answer| {
                // Whoever asked may be gone by now.
                let _ = reply.send(answer);
            },
            $answer,
        )
    };
}

impl Member for Servant {
    fn ping(&mut self, reply: Reply<()>) {
        let _ = reply.send(());
    }

    fn look(&mut self, reply: Reply<MemberLookResponse>) {
        let seen = self.kept.node.inspect();
        let _ = reply.send(MemberLookResponse {
            ends: count(seen.ends),
            proxies: count(seen.proxies),
            links: count(seen.links.len()),
            broker: seen.links.iter().any(|link| link.is_broker),
            descriptors: count(descriptors()),
        });
    }

    fn launch(&mut self, receiver: MessagePipe, reply: Reply<i32>) {
        let launched = env::current_exe().and_then(|program| {
            let mut command = Command::new(program);
            self.kept.node.launch_pipe(command.args([self.kept.flavor.name(), role::MEMBER]))
        });
        let Ok(launched) = launched else { fail("the child does not start") };
        // Whoever told us speaks with the child from now on, and with it alone.
        if launched.remote.fuse(receiver).is_err() {
            fail("two new pipes cannot be fused");
        }
        let _ = reply.send(i32::try_from(launched.child.id()).unwrap_or(0));
    }

    fn make(&mut self, first: String, second: String) {
        let (one, other) = self.kept.node.create_message_pipes();
        self.keep(first, one);
        self.keep(second, other);
    }

    fn put(&mut self, name: String, pipe: MessagePipe) {
        self.keep(name, pipe);
    }

    fn take(&mut self, name: String, reply: Reply<MessagePipe>) {
        let _ = reply.send(self.take_out(&name));
    }

    fn close(&mut self, beginning: String, reply: Reply<()>) {
        let closed = {
            let mut pipes = self.kept.pipes.lock();
            let (closed, left) =
                std::mem::take(&mut *pipes).into_iter().partition(|(name, _)| name.starts_with(&beginning));
            *pipes = left;
            let closed: BTreeMap<String, Arc<MessagePipe>> = closed;
            closed
        };
        drop(closed);
        let _ = reply.send(());
    }

    fn carry(&mut self, over: String, name: String, reply: Reply<()>) {
        let (over, pipe) = (self.pipe(&over), self.take_out(&name));
        answer!(self, reply, async move {
            over.ready().await;
            let message = RawMessage { pipes: vec![pipe], ..RawMessage::default() };
            if over.try_send(message).is_err() {
                fail("the pipe cannot be carried");
            }
        });
    }

    fn unpack(&mut self, over: String, name: String, reply: Reply<bool>) {
        let pipe = self.pipe(&over);
        let kept = Arc::clone(&self.kept);
        answer!(self, reply, async move {
            let Ok(mut message) = pipe.recv().await else { return false };
            let Some(came) = message.pipes.pop() else { return false };
            kept.pipes.lock().insert(name, Arc::new(came)).is_none()
        });
    }

    fn relay(&mut self, source: String, target: String) {
        let (source, target) = (self.pipe(&source), self.pipe(&target));
        self.kept.scheduler.spawn(Box::pin(async move {
            while let Ok(message) = source.recv().await {
                target.ready().await;
                if target.try_send(message).is_err() {
                    return;
                }
            }
        }));
    }

    fn mirror(&mut self, name: String) {
        self.relay(name.clone(), name);
    }

    fn recite(&mut self, name: String, first: i32, count: i32, files: bool, reply: Reply<i32>) {
        let pipe = self.pipe(&name);
        answer!(self, reply, async move {
            let mut sent = 0;
            for number in first..first + count {
                sent += i32::from(say(&pipe, number, files && number % 2 == 1).await);
            }
            sent
        });
    }

    fn listen(&mut self, name: String, first: i32, count: i32, reply: Reply<MemberListenResponse>) {
        let pipe = self.pipe(&name);
        answer!(self, reply, async move {
            let (mut heard, mut files) = (0, 0);
            for number in first..first + count {
                let Some(file) = hear(&pipe, number).await else { break };
                heard += 1;
                files += i32::from(file);
            }
            MemberListenResponse { heard, files }
        });
    }

    fn converse(&mut self, name: String, count: i32, reply: Reply<i32>) {
        let pipe = self.pipe(&name);
        answer!(self, reply, async move {
            let mut heard = 0;
            for number in 0..count {
                if !say(&pipe, number, false).await || hear(&pipe, number).await.is_none() {
                    break;
                }
                heard += 1;
            }
            heard
        });
    }

    fn say_each(&mut self, beginning: String, reply: Reply<i32>) {
        let pipes = self.all(&beginning);
        answer!(self, reply, async move {
            let mut sent = 0;
            for pipe in pipes {
                sent += i32::from(say(&pipe, 0, false).await);
            }
            sent
        });
    }

    fn hear_each(&mut self, beginning: String, reply: Reply<i32>) {
        let pipes = self.all(&beginning);
        answer!(self, reply, async move {
            let mut heard = 0;
            for pipe in pipes {
                heard += i32::from(hear(&pipe, 0).await.is_some());
            }
            heard
        });
    }

    fn end_each(&mut self, beginning: String, reply: Reply<MemberEndEachResponse>) {
        let pipes = self.all(&beginning);
        answer!(self, reply, async move {
            let (mut closed, mut broken) = (0, 0);
            for pipe in pipes {
                match end_of(&pipe).await {
                    Why::Closed => closed += 1,
                    _ => broken += 1,
                }
            }
            MemberEndEachResponse { closed, broken }
        });
    }

    fn end(&mut self, name: String, reply: Reply<String>) {
        let pipe = self.pipe(&name);
        answer!(self, reply, async move { format!("{:?}", end_of(&pipe).await) });
    }

    fn is_direct(&mut self, name: String, reply: Reply<bool>) {
        let _ = reply.send(self.pipe(&name).is_direct());
    }

    fn fuse(&mut self, first: String, second: String, reply: Reply<bool>) {
        let (first, second) = (self.take_out(&first), self.take_out(&second));
        let _ = reply.send(first.fuse(second).is_ok());
    }

    fn offer(&mut self, path: String, reply: Reply<String>) {
        let error = match self.kept.node.listen(path) {
            Ok(listener) => {
                self.kept.offers.lock().push(listener);
                String::new()
            }
            Err(error) => error.kind().to_string(),
        };
        let _ = reply.send(error);
    }

    fn drain(&mut self, reply: Reply<()>) {
        let node = self.kept.node.clone();
        answer!(self, reply, async move { node.drain().await });
    }

    fn leave(&mut self) {
        let pipes = std::mem::take(&mut *self.kept.pipes.lock());
        drop(pipes);
        let node = self.kept.node.clone();
        self.kept.scheduler.spawn(Box::pin(async move {
            node.shutdown().await;
            process::exit(0);
        }));
    }
}

async fn end_of(pipe: &MessagePipe) -> Why {
    loop {
        if let Err(why) = pipe.recv().await {
            return why;
        }
    }
}
