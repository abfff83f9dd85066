//! How the network process locks itself in: no files, by Landlock, and few system calls, by seccomp.
//!
//! ```text
//!   main()  ── no files ──►  runtime, threads, mage's handshake  ── few calls ──►  what strangers send is read
//! ```
//!
//! Whatever call is not listed ends the process at once; the main process then reads `signal: 31 (SIGSYS)` where the exit status
//! is.

use std::fs::File;
use std::io;

use landlock::{ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetStatus, Scope};
use seccompiler::{BpfProgram, apply_filter_all_threads, compile_from_json};

use crate::Error;

/// What mage and its schedulers call once they are under way: `docs/SECURITY.md`, section "System calls".
const MAGE: &[&str] = &[
    "brk",
    "close",
    "epoll_ctl",
    "epoll_pwait",
    #[cfg(target_arch = "x86_64")] // others never had it
    "epoll_wait",
    "exit",
    "exit_group",
    "fcntl",
    "futex",
    "getsockopt",
    "ioctl",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "read",
    "recvmsg",
    "restart_syscall",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_yield",
    "sendmsg",
    "sendto",
    "sigaltstack",
    "timerfd_settime",
    "write",
];

/// What this program calls beside that.
const OURS: &[&str] = &[
    // A thread for each fetch.
    "clone3",
    "gettid",
    "prctl",
    "rseq",
    "rt_sigaction",
    "sched_getaffinity",
    "set_robust_list",
    // Web servers.
    "connect",
    "getpeername",
    "getrandom",
    "getsockname",
    "poll",
    "recvfrom",
    "setsockopt",
    "shutdown",
    "socket",
    // Names of servers. Without files there is nothing to look them up in, which is an answer.
    "bind",
    "lseek",
    "newfstatat",
    "sendmmsg",
    "uname",
    // The allocator looks up a setting of the kernel, and is content not to find it.
    "openat",
];

/// Calls of the list above that open files.
const OPENING: &[&str] = &["openat"];
/// The number of "permission denied".
const EACCES: u32 = 13;

/// A process that has begun to lock itself in.
pub(crate) struct Sandbox {
    files: Files,
}

/// Why there are no files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    /// The kernel refuses them by Landlock.
    Landlocked,
    /// The kernel has no Landlock: they will be refused call by call.
    Unguarded,
}

impl Sandbox {
    /// From now on this thread, and every one that it starts, can open no file. What is open stays so.
    pub(crate) fn without_files() -> Result<Self, Error> {
        let ruleset =
            Ruleset::default().handle_access(AccessFs::from_all(ABI::V5))?.scope(Scope::from_all(ABI::V6))?;
        let files = match ruleset.create()?.restrict_self()?.ruleset {
            RulesetStatus::NotEnforced => Files::Unguarded,
            RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Files::Landlocked,
        };
        match files {
            Files::Unguarded => {
                eprintln!(
                    "network process: this kernel has no Landlock; files are refused by system call only"
                );
            }
            Files::Landlocked => match File::open("/") {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                other => return Err(format!("Landlock is in force, and yet: {other:?}").into()),
            },
        }
        Ok(Self { files })
    }

    /// From now on no thread of this process makes any other system call than those listed, or the process ends.
    pub(crate) fn limit_calls(self) -> Result<(), Error> {
        if self.files == Files::Unguarded {
            let refused = compiled(OPENING, &format!("{{\"errno\": {EACCES}}}"), "\"allow\"")?;
            apply_filter_all_threads(&refused)?;
        }
        let allowed: Vec<&str> = MAGE.iter().chain(OURS).copied().collect();
        apply_filter_all_threads(&compiled(&allowed, "\"allow\"", "\"kill_process\"")?)?;
        Ok(())
    }
}

/// A program for the kernel that does the one thing at these calls, and the other at all others.
fn compiled(calls: &[&str], these: &str, others: &str) -> Result<BpfProgram, Error> {
    let rules: Vec<String> = calls.iter().map(|call| format!("{{\"syscall\": \"{call}\"}}")).collect();
    let json = format!(
        "{{\"calls\": {{\"match_action\": {these}, \"mismatch_action\": {others}, \"filter\": [{}]}}}}",
        rules.join(", ")
    );
    let mut programs = compile_from_json(json.as_bytes(), std::env::consts::ARCH.try_into()?)?;
    Ok(programs.remove("calls").ok_or("the filter is not there")?)
}
