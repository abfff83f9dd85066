//! `cargo run --release -p mage-bench -- [--json] [--rounds N] [--scheduler NAME] [FIGURE ...]`: what mage costs, each figure beside its
//! reference of the same run. Both processes of a figure share one CPU, so that waking an idle CPU, which costs ten
//! times a round trip and is the machine's business, does not hide what is measured.

#![expect(clippy::print_stdout, reason = "a program talks to its user")]

mod child;
mod figures;
mod floor;
mod network;
mod raw;
mod report;
mod scheduler;

use std::process::ExitCode;

use lexopt::prelude::*;

/// The generated interfaces.
mod bench {
    mage::include_magen!("bench");
}

/// Why a measurement came to nothing.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    json: bool,
    rounds: usize,
    figures: Vec<String>,
    /// Empty: all of them.
    schedulers: Vec<scheduler::Flavor>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mage-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let mut options = Options { rounds: 5, ..Options::default() };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("json") => options.json = true,
            Long("rounds") => options.rounds = arguments.value()?.parse()?,
            Long("scheduler") => options.schedulers.push(arguments.value()?.parse()?),
            Long("help") | Short('h') => {
                println!(
                    "mage-bench [--json] [--rounds N] [--scheduler loop|smol|tokio] [{}|{}]",
                    figures::NAMES.join("|"),
                    figures::NETWORK
                );
                return Ok(());
            }
            // The roles of the processes that are measured.
            Long("child") => return child::main(arguments.value()?.parse()?),
            Long("peer") => return network::main(arguments.value()?.parse()?),
            Long("raw") => return raw::main(),
            Long("floor") => return floor::main(arguments.value()?.parse()?),
            Value(name) => options.figures.push(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if let Some(unknown) = options.figures.iter().find(|name| !figures::is_known(name)) {
        let names = figures::NAMES.join(", ");
        return Err(
            format!("no figure is called {unknown}; there are {names}, and {}", figures::NETWORK).into()
        );
    }
    figures::run(&options)
}
