//! The command line.

use lexopt::prelude::*;

use crate::Error;
use crate::runtime::Runtime;

/// Shown by `--help`.
pub(crate) const HELP: &str = "\
Fetches web pages in three processes that talk through mage.

Usage: fetcher [OPTIONS] [URL]...

Without a URL, they are read from standard input, one per line. If there is none either, a small site on this machine is
served and fetched, so that there is something to see without a network.

Options:
  --runtime loop|tokio|smol          the scheduler of all three processes
  --network-runtime loop|tokio|smol  that of the network process [default: tokio]
  --logger-runtime loop|tokio|smol   that of the logger [default: smol]
  --sandbox                          no files and few system calls for the network process
  --takeover                         after its first page, the network process starts a shell
  --stall                            the slow pages of the small site never end, so that there is time to kill somebody
  --help                             this text

The main process runs on mage's own loop unless told otherwise. The exit status is 1 if the network process did not live
to answer; a page that cannot be fetched is an answer. `file:` URLs are read, unless there is a sandbox.
";

/// What to do.
pub(crate) enum Command {
    Help,
    Run(Role),
}

/// Which of the three processes this is.
pub(crate) enum Role {
    Main(Options),
    Network(NetworkOptions),
    Logger(Runtime),
}

/// What the user asked for.
pub(crate) struct Options {
    pub(crate) runtime: Runtime,
    pub(crate) network: NetworkOptions,
    pub(crate) logger_runtime: Runtime,
    pub(crate) urls: Vec<String>,
    /// Whether the slow pages of the site never end.
    pub(crate) stall: bool,
}

/// What the network process is to be like.
#[derive(Clone, Copy)]
pub(crate) struct NetworkOptions {
    pub(crate) runtime: Runtime,
    /// Whether it locks itself in.
    pub(crate) sandbox: bool,
    /// Whether it behaves like one that a stranger has taken over.
    pub(crate) takeover: bool,
}

pub(crate) fn parse() -> Result<Command, Error> {
    let (mut role, mut runtime, mut network_runtime, mut logger_runtime) = (None, None, None, None);
    let (mut sandbox, mut takeover, mut stall) = (false, false, false);
    let mut urls = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            // The main process starts its helpers with this one; it is not for users.
            Long("role") => role = Some(parser.value()?.string()?),
            Long("runtime") => runtime = Some(parser.value()?.parse()?),
            Long("network-runtime") => network_runtime = Some(parser.value()?.parse()?),
            Long("logger-runtime") => logger_runtime = Some(parser.value()?.parse()?),
            Long("sandbox") => sandbox = true,
            Long("takeover") => takeover = true,
            Long("stall") => stall = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            Value(url) => urls.push(url.string()?),
            _ => return Err(format!("{}; --help lists the options", argument.unexpected()).into()),
        }
    }
    let runtime_or = |default| runtime.unwrap_or(default);
    let network = |runtime| NetworkOptions { runtime, sandbox, takeover };
    Ok(Command::Run(match role.as_deref() {
        None => Role::Main(Options {
            runtime: runtime_or(Runtime::Loop),
            network: network(network_runtime.unwrap_or_else(|| runtime_or(Runtime::Tokio))),
            logger_runtime: logger_runtime.unwrap_or_else(|| runtime_or(Runtime::Smol)),
            urls,
            stall,
        }),
        Some("network") => Role::Network(network(runtime_or(Runtime::Tokio))),
        Some("logger") => Role::Logger(runtime_or(Runtime::Smol)),
        Some(other) => return Err(format!("no process is called {other}").into()),
    }))
}
