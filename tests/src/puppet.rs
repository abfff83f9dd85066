//! A child process that does what it is told.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child as Process, Command, Stdio};

use mage::{MessagePipe, Node, Remote};

use crate::fixtures::Child;
use crate::raw::RawPeer;
use crate::{Stage, role};

/// A child process, and a remote for it.
///
/// Should the test fail, the remote is dropped with the rest, its link closes, and the child ends by itself.
#[derive(Debug)]
pub struct Puppet {
    /// What it is told through.
    pub remote: Remote<dyn Child>,
    /// The process.
    pub process: Process,
}

impl Puppet {
    /// Starts a child that serves on the scheduler of this stage, invited by `node`.
    pub fn launch(stage: &Stage, program: &str, node: &Node) -> Self {
        let launched = node
            .launch::<dyn Child>(&mut Self::command(stage, program, role::SERVE))
            .expect("the child starts");
        Self { remote: launched.remote, process: launched.child }
    }

    /// Starts a child in the given role, invited by `node`, and returns it with its pipe.
    pub fn launch_pipe(stage: &Stage, program: &str, node: &Node, role: &str) -> (Process, MessagePipe) {
        let launched = node.launch_pipe(&mut Self::command(stage, program, role)).expect("the child starts");
        (launched.child, launched.remote)
    }

    /// Starts a child in the given role with a socket as its standard input, and returns it with the other end.
    ///
    /// # Errors
    /// If the process cannot be started.
    pub fn spawn(stage: &Stage, program: &str, role: &str) -> io::Result<(Process, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let theirs = Stdio::from(OwnedFd::from(theirs));
        Ok((Self::command(stage, program, role).stdin(theirs).spawn()?, ours))
    }

    /// As [`Puppet::spawn`], and waits until the child has said on its standard output that it stands still.
    ///
    /// # Panics
    /// If it ends instead.
    pub async fn spawn_still(stage: &Stage, program: &str, role: &str, socket: OwnedFd) -> Process {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let mut command = Self::command(stage, program, role);
        command.stdin(socket).stdout(OwnedFd::from(theirs));
        let process = command.spawn().expect("the child starts");
        drop(command); // and its copy of the other end
        let heard = RawPeer::new(&*stage.scheduler, ours).read(&mut [0; 16]).await.expect("it can be heard");
        assert_ne!(heard, 0, "the child ended before it stood still");
        process
    }

    fn command(stage: &Stage, program: &str, role: &str) -> Command {
        let mut command = Command::new(program);
        command.args([stage.flavor.name(), role]);
        command
    }

    /// Ends the child and sees that it ended well.
    ///
    /// # Panics
    /// If it did not.
    pub async fn finish(self) {
        let Self { remote, mut process } = self;
        remote.exit(0).expect("the child is there to be told");
        // The link goes when the process does, so this waits without blocking the scheduler.
        Remote::closed(&remote).await;
        let status = process.wait().expect("the child was not waited for");
        assert!(status.success(), "the child ended with {status}");
    }

    /// Kills the child where it stands, and waits until this side has noticed.
    ///
    /// # Panics
    /// If it is not there to be killed.
    pub async fn kill(self) {
        let Self { remote, mut process } = self;
        process.kill().expect("the child can be killed");
        Remote::closed(&remote).await;
        process.wait().expect("the child was not waited for");
    }

    /// How many pipe ends and proxies there are over there.
    ///
    /// # Panics
    /// If the child does not answer.
    pub async fn census(&self) -> (i32, i32) {
        let answer = self.remote.inspect().await.expect("the child answers");
        (answer.ends, answer.proxies)
    }
}

/// Waits until no pipe of either side goes through a proxy any more: each look is preceded by a whole round trip, and
/// nothing sleeps. That it comes to an end is what is tested.
pub async fn quiet(node: &Node, puppet: &Puppet) {
    while puppet.census().await.1 != 0 || node.inspect().proxies != 0 {}
}
