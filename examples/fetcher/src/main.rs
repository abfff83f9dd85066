//! Three processes fetch web pages together.
//!
//! ```text
//!   ┌────────────────┐  FetchURL(url, observer)   ┌─────────────────┐
//!   │ main process   ├───────────────────────────►│ network process │
//!   │                │◄───────────────────────────┤                 │
//!   └───────┬────────┘   OnResponse, OnReceived   └────────┬────────┘
//!           │ AddSource(name, log)                         │ Write(line)
//!           │             ┌────────────────┐               │
//!           └────────────►│ logger process │◄──────────────┘
//!                         └────────────────┘
//! ```
//!
//! The pipe between the network process and the logger is made in the network process; one end of it travels through the
//! main process to the logger. From then on its messages go straight from the one to the other.
//!
//! One program plays all three parts. Each process may run on another scheduler, and none of the code below `roles` knows
//! which: see `runtime`, the only file that names one.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program talks to its user")]
#![expect(
    clippy::disallowed_types,
    reason = "an application may have a clock and locks; mage itself may not"
)]

mod interfaces;
mod options;
mod roles;
mod runtime;
mod sandbox;
mod screen;
mod site;

use std::process::ExitCode;

use options::{Command, Role};

/// What goes wrong in an example is shown to its user, whatever it is.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let (name, result) = match options::parse() {
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Run(Role::Main(options))) => ("fetcher", roles::main::run(options)),
        Ok(Command::Run(Role::Network(options))) => ("network process", roles::network::run(options)),
        Ok(Command::Run(Role::Logger(runtime))) => ("logger", roles::logger::run(runtime)),
        Err(error) => ("fetcher", Err(error)),
    };
    result.unwrap_or_else(|error| {
        eprintln!("{name}: {error}");
        ExitCode::FAILURE
    })
}
