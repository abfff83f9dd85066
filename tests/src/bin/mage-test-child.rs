//! The other process of the tests: `mage-test-child <scheduler> <role>`.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, fs, io, process, thread};

use mage::sched::Scheduler;
use mage::{MessagePipe, Node, RawMessage, Receiver, Remote, Reply, SendError};
use mage_tests::fixtures::{
    Callback, Child, ChildInspectResponse, ChildMakePipesResponse, Echo, FirstInterface, SecondInterface,
};
use mage_tests::raw::{self, RawPeer};
use mage_tests::{EchoImpl, Flavor, Stage, member, mirror, role, sandbox, serve_fate, victim};

type Anything = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [flavor, role] = arguments.as_slice() else {
        eprintln!("usage: mage-test-child <scheduler> <role>");
        return ExitCode::FAILURE;
    };
    let flavor: Flavor = match flavor.parse() {
        Ok(flavor) => flavor,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let role = role.clone();
    if role == role::VICTIM {
        victim::limit_resources();
    }
    match mage_tests::run(flavor, move |stage| async move { play(&stage, &role).await }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mage-test-child: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play(stage: &Stage, role: &str) -> Anything {
    if role.starts_with("stop-") {
        return stand_still(stage, role).await;
    }
    let node = stage.node();
    let pipe = match role {
        role::SERVE
        | role::SANDBOXED
        | role::ACCEPT_AND_CALL
        | role::ACCEPT_AND_RETURN
        | role::ACCEPT_AND_WATCH
        | role::MEMBER => node.inherited_pipe().await?,
        role::MEMBER_CONNECTS => member::connect(&node).await?,
        _ => node.send_invitation(standard_input()?)?,
    };
    match role {
        role::SERVE | role::INVITE | role::SANDBOXED => {
            if role == role::SANDBOXED {
                sandbox::enter(stage.flavor)?;
            }
            let mut servant =
                Servant { node: node.clone(), scheduler: Arc::clone(&stage.scheduler), kept: Vec::new() };
            Receiver::<dyn Child>::new(pipe).serve(&mut servant).await?;
        }
        role::ACCEPT_AND_CALL | role::INVITE_AND_CALL => call(pipe).await?,
        role::INVITE_WAIT_AND_CALL => {
            pipe.recv().await.map_err(|why| why.to_string())?;
            call(pipe).await?;
        }
        role::ACCEPT_AND_RETURN | role::INVITE_AND_RETURN => give_back(pipe).await?,
        role::ACCEPT_AND_WATCH => {
            pipe.try_send(RawMessage::default())?;
            if let Err(why) = pipe.recv().await {
                writeln!(io::stdout(), "{why:?}")?;
            }
        }
        role::MEMBER | role::MEMBER_INVITES | role::MEMBER_CONNECTS => {
            member::be_told(stage, &node, pipe).await;
        }
        role::VICTIM => victim::suffer(stage, &node, pipe).await,
        unknown => return Err(format!("no role is called {unknown}").into()),
    }
    node.shutdown().await;
    Ok(())
}

/// Goes so far in the handshake, says so with a byte on standard output, and waits to be killed.
async fn stand_still(stage: &Stage, role: &str) -> Anything {
    let mut peer = RawPeer::new(&*stage.scheduler, standard_input()?);
    let steps: &[&str] = match role {
        role::STOP_BEFORE_HELLO => &[],
        role::STOP_AFTER_HELLO => &["accepts"],
        role::STOP_AFTER_WELCOME => &["accepts", "welcomed"],
        role::STOP_AFTER_ACCEPTED => &["accepts", "welcomed", "accepted"],
        role::STOP_AFTER_INVITING => &["invites"],
        role::STOP_AFTER_WELCOMING => &["invites", "welcomes"],
        role::STOP_AFTER_ACCEPTANCE => &["invites", "welcomes", "acceptance"],
        unknown => return Err(format!("no role is called {unknown}").into()),
    };
    let mut welcome = Vec::new();
    for step in steps {
        match *step {
            "accepts" => peer.write(&raw::accepts()).await?,
            "welcomed" => {
                peer.frame().await?;
                welcome = peer.frame().await?;
            }
            "accepted" => peer.write(&raw::accepted(&welcome)).await?,
            "invites" => peer.write(&raw::invites()).await?,
            "welcomes" => {
                peer.frame().await?;
                peer.write(&raw::welcome(&[raw::descriptor(1)])).await?;
            }
            _ => drop(peer.frame().await?),
        }
    }
    writeln!(io::stdout(), "here")?;
    std::future::pending().await
}

fn standard_input() -> io::Result<OwnedFd> {
    io::stdin().as_fd().try_clone_to_owned()
}

/// What the child of the original's first tests says.
async fn call(pipe: MessagePipe) -> Anything {
    let remote = Remote::<dyn FirstInterface>::new(pipe);
    remote.send_string("Message from the child")?;
    remote.send_money(1000, "JPY")?;
    Remote::closed(&remote).await;
    Ok(())
}

/// Sends the pipe itself over the one that comes out of it.
async fn give_back(pipe: MessagePipe) -> Anything {
    let mut message = pipe.recv().await.map_err(|why| why.to_string())?;
    let way = message.pipes.pop().ok_or("no pipe came")?;
    way.try_send(RawMessage { pipes: vec![pipe], ..RawMessage::default() })?;
    while way.recv().await.is_ok() {}
    Ok(())
}

struct Servant {
    node: Node,
    scheduler: Arc<dyn Scheduler>,
    kept: Vec<MessagePipe>,
}

impl Servant {
    /// Somebody else for the same work.
    fn another(&self) -> Self {
        Self { node: self.node.clone(), scheduler: Arc::clone(&self.scheduler), kept: Vec::new() }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.scheduler.spawn(Box::pin(task));
    }
}

impl Child for Servant {
    fn ping(&mut self, reply: Reply<()>) {
        answered(reply.send(()));
    }

    fn inspect(&mut self, reply: Reply<ChildInspectResponse>) {
        let seen = self.node.inspect();
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        answered(reply.send(ChildInspectResponse {
            ends: count(seen.ends),
            proxies: count(seen.proxies),
            links: count(seen.links.len()),
        }));
    }

    fn descriptors(&mut self, reply: Reply<String>) {
        answered(reply.send(descriptors("/proc/self/fd", 3)));
    }

    fn grandchild_descriptors(&mut self, reply: Reply<String>) {
        // It inherits what is inherited, and is there to be looked at until it is killed.
        let grandchild = process::Command::new("tail").args(["-f", "/dev/null"]).spawn();
        let lines = grandchild.map(|mut process| {
            let lines = descriptors(&format!("/proc/{}/fd", process.id()), 0);
            let _ = process.kill();
            let _ = process.wait();
            lines
        });
        answered(reply.send(lines.unwrap_or_else(|error| error.to_string())));
    }

    fn serve(&mut self, receiver: MessagePipe) {
        let mut servant = self.another();
        self.spawn(async move {
            let _ = Receiver::<dyn Child>::new(receiver).serve(&mut servant).await;
        });
    }

    fn serve_echo(&mut self, receiver: MessagePipe) {
        self.spawn(async move {
            let _ = Receiver::<dyn Echo>::new(receiver).serve(&mut EchoImpl).await;
        });
    }

    fn serve_fate(&mut self, receiver: MessagePipe) {
        self.spawn(serve_fate(receiver));
    }

    fn send_handles(&mut self, callback: MessagePipe, receiver: MessagePipe) {
        let mut report = Report { callback: Remote::new(callback) };
        self.spawn(async move {
            let _ = Receiver::<dyn SecondInterface>::new(receiver).serve(&mut report).await;
        });
    }

    fn bounce(&mut self, pipe: MessagePipe, reply: Reply<MessagePipe>) {
        answered(reply.send(pipe));
    }

    fn make_pipes(&mut self, reply: Reply<ChildMakePipesResponse>) {
        let (first, second) = self.node.create_message_pipes();
        answered(reply.send(ChildMakePipesResponse { first, second }));
    }

    fn make_queued(&mut self, messages: i32, reply: Reply<MessagePipe>) {
        let (ours, theirs) = self.node.create_message_pipes();
        let remote = Remote::<dyn SecondInterface>::new(ours);
        for number in 0..messages {
            answered(remote.send_string_and_notify_done(&format!("queued {number}")));
        }
        self.kept.push(Remote::into_pipe(remote));
        answered(reply.send(theirs));
    }

    fn keep(&mut self, pipe: MessagePipe) {
        self.kept.push(pipe);
    }

    fn let_go(&mut self, reply: Reply<()>) {
        self.kept.clear();
        answered(reply.send(()));
    }

    fn mirror(&mut self, pipe: MessagePipe) {
        self.spawn(mirror(pipe));
    }

    fn storm(&mut self, callback: MessagePipe, threads: i32, messages: i32) {
        let callback = Arc::new(Remote::<dyn Callback>::new(callback));
        for sender in 0..threads {
            let callback = Arc::clone(&callback);
            thread::spawn(move || {
                for value in 0..messages {
                    answered(callback.value(sender, value));
                }
            });
        }
    }

    fn watch(&mut self, pipe: MessagePipe, callback: MessagePipe) {
        let callback = Remote::<dyn Callback>::new(callback);
        self.spawn(async move {
            let why = loop {
                if let Err(why) = pipe.recv().await {
                    break why;
                }
            };
            answered(callback.text(&format!("{why:?}")));
        });
    }

    fn launch_watcher(&mut self, reply: Reply<bool>) {
        let launched = env::current_exe().and_then(|program| {
            let mut command = process::Command::new(program);
            self.node.launch_pipe(command.args(env::args().nth(1)).arg(role::ACCEPT_AND_WATCH))
        });
        match launched {
            Ok(launched) => {
                // It is there when it has sent something.
                let pipe = launched.remote;
                self.spawn(async move {
                    let here = pipe.recv().await.is_ok();
                    answered(reply.send(here));
                    let _ = pipe.recv().await;
                });
            }
            Err(_) => answered(reply.send(false)),
        }
    }

    fn exit(&mut self, code: i32) {
        process::exit(code);
    }
}

/// Says what came.
struct Report {
    callback: Remote<dyn Callback>,
}

impl SecondInterface for Report {
    fn send_string_and_notify_done(&mut self, message: String) {
        answered(self.callback.text(&message));
    }

    fn notify_done_via_callback(&mut self) {
        answered(self.callback.notify_done());
    }
}

/// Whoever asked may be gone by now, which is no fault of ours; anything else is.
fn answered(sent: Result<(), SendError>) {
    if let Err(error) = sent
        && error.kind() != mage::SendErrorKind::Disconnected
    {
        eprintln!("mage-test-child: {error}");
        process::exit(1);
    }
}

/// What the descriptors of a process from that number on are, a line each.
fn descriptors(directory: &str, from: u32) -> String {
    let Ok(entries) = fs::read_dir(directory) else { return format!("{directory} is not there") };
    let number = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().parse::<u32>().ok();
    entries
        .flatten()
        .filter(|entry| number(entry).is_some_and(|number| number >= from))
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|target| format!("{}\n", target.display()))
        .collect()
}
