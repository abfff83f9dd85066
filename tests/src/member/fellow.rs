//! The side that tells.

use std::os::fd::OwnedFd;
use std::process::{Child as Process, Command, Stdio};

use mage::{MessagePipe, Node, Remote};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::SERVICE_VARIABLE;
use crate::fixtures::{Member, MemberLookResponse};
use crate::{Stage, role};

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

    /// Stops it, and returns when it stands.
    ///
    /// # Panics
    /// If it is no child of this process.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        let number = Pid::from_child(self.process.as_ref().expect("a child of ours"));
        waitpid(Some(number), WaitOptions::UNTRACED).expect("it is there");
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// If it is no child of this process.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it is no child of this process.
    pub fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("a child of ours");
        kill_process(Pid::from_child(process), signal).expect("it is there");
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
