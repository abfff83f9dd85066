//! A process that is followed from system call to system call, and killed or stopped at one of them.

use std::process::Child as Process;
use std::sync::mpsc;
use std::thread;

use futures::channel::oneshot;
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// What happens to the process at its system call, before that has any effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is killed at the socket call of this number, from 1 on.
    Kill(u32),
    /// It stands still at that call, until it is killed.
    Stop(u32),
}

impl Fault {
    /// At which socket call it comes.
    pub fn at(self) -> u32 {
        match self {
            Self::Kill(at) | Self::Stop(at) => at,
        }
    }
}

/// How a traced process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code, and without having come to the call at which the fault waited.
    Itself(i32),
    /// By the fault.
    Killed,
}

/// A child of this process whose main thread is traced.
#[derive(Debug)]
pub struct Traced {
    stopped: Option<oneshot::Receiver<()>>,
    kill: mpsc::Sender<()>,
    tracer: thread::JoinHandle<nix::Result<Ended>>,
}

impl Traced {
    /// Follows the process from here to its end. Only the thread that began may go on tracing, so it has one of its own.
    ///
    /// # Panics
    /// If it cannot be traced.
    pub fn follow(process: Process, fault: Fault) -> Self {
        let (begun, begins) = mpsc::channel();
        let (stopped, stops) = oneshot::channel();
        let (kill, killed) = mpsc::channel();
        let tracer = thread::spawn(move || trace(process, fault, begun, stopped, &killed));
        begins.recv().expect("it can be traced");
        Self { stopped: Some(stops), kill, tracer }
    }

    /// Waits until the process stands still, and says so; or until it has ended instead.
    pub async fn stands(&mut self) -> bool {
        match self.stopped.take() {
            Some(stopped) => stopped.await.is_ok(),
            None => false,
        }
    }

    /// Kills it where it stands.
    ///
    /// # Panics
    /// If it has ended already.
    pub fn kill(&self) {
        self.kill.send(()).expect("it stands there");
    }

    /// How it ended. Blocks until it has.
    ///
    /// # Panics
    /// If it could not be followed to its end.
    pub fn ended(self) -> Ended {
        self.tracer.join().expect("the tracer does not panic").expect("it was followed to its end")
    }
}

fn trace(
    mut process: Process,
    fault: Fault,
    begun: mpsc::Sender<()>,
    stopped: oneshot::Sender<()>,
    killed: &mpsc::Receiver<()>,
) -> nix::Result<Ended> {
    let number = Pid::from_raw(i32::try_from(process.id()).expect("a process has a small number"));
    ptrace::seize(number, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL)?;
    ptrace::interrupt(number)?;
    let _ = begun.send(());
    let mut stopped = Some(stopped);
    let mut calls = 0;
    loop {
        let signal = match waitpid(number, Some(WaitPidFlag::__WALL))? {
            WaitStatus::Exited(_, code) => return Ok(Ended::Itself(code)),
            WaitStatus::Signaled(..) => return Ok(Ended::Killed),
            WaitStatus::Stopped(_, signal) => Some(signal),
            WaitStatus::PtraceSyscall(_) if begins_socket_call(number)? => {
                calls += 1;
                if fault == Fault::Stop(calls) {
                    let _ = stopped.take().map(|stopped| stopped.send(()));
                    // Should the test have failed meanwhile, the process has to go all the same.
                    let _ = killed.recv();
                }
                if calls == fault.at() {
                    process.kill().expect("it is there to be killed");
                }
                None
            }
            _ => None,
        };
        match ptrace::syscall(number, signal) {
            // Whoever is killed is no longer stopped; its end is what comes next.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether it is about to send or receive: at its beginning a system call has the answer that there is no such call.
fn begins_socket_call(process: Pid) -> nix::Result<bool> {
    let registers = match ptrace::getregs(process) {
        Err(Errno::ESRCH) => return Ok(false),
        registers => registers?,
    };
    let socket_calls = [libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_recvfrom, libc::SYS_recvmsg];
    let begins = registers.rax.cast_signed() == -i64::from(libc::ENOSYS);
    Ok(begins && socket_calls.contains(&registers.orig_rax.cast_signed()))
}
