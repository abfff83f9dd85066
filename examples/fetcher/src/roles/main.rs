//! The main process: launches the other two, tells them what to do, and shows how it goes.

use std::cell::Cell;
use std::io::{self, BufRead, IsTerminal};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Instant;

use console::style;
use futures::channel::mpsc;
use futures::future;
use futures::stream::{self, BoxStream, StreamExt};
use indicatif::HumanBytes;
use mage::{CallError, Launched, Node, Receiver, Remote};

use crate::Error;
use crate::interfaces::{FetchObserver, Logger, NetworkProcess};
use crate::options::Options;
use crate::runtime::Runtime;
use crate::screen::Screen;
use crate::site::Site;

/// How many fetches are under way at a time.
const FETCHES_MAX: usize = 8;

pub(crate) fn run(options: Options) -> Result<ExitCode, Error> {
    options.runtime.run(async |scheduler| {
        let screen = Screen::default();
        let node = Node::new(scheduler);
        let mut command = role("network", options.network.runtime)?;
        command.args(options.network.sandbox.then_some("--sandbox"));
        command.args(options.network.takeover.then_some("--takeover"));
        let mut network = node.launch::<dyn NetworkProcess>(&mut command)?;
        let mut logger = node.launch::<dyn Logger>(&mut role("logger", options.logger_runtime)?)?;
        introduce(&options, &network, &logger);
        println!();

        let outcome = work(&node, &network.remote, &logger.remote, options, &screen).await;
        let code = match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(_unanswered) => {
                network.child.kill()?; // if it still lives, it is of no use
                let status = network.child.wait()?;
                let why = Remote::closed(&network.remote).await;
                println!("\n{} {why} ({status}).", style("The network process is gone:").red().bold());
                ExitCode::FAILURE
            }
        };

        // The network process ends when nobody can ask it for anything any more, and its log with it.
        drop(network.remote);
        println!("\n{}\n", style("The log, as the logger received it:").bold());
        match logger.remote.print().await {
            Ok(lines) => println!("\n{lines} lines."),
            Err(error) => println!("  {} {error}", style("The logger is gone:").red()),
        }
        drop(logger.remote);
        node.shutdown().await;
        network.child.wait()?;
        logger.child.wait()?;
        Ok(code)
    })
}

/// This program again, in another role.
fn role(name: &str, runtime: Runtime) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--role", name, "--runtime", &runtime.to_string()]);
    Ok(command)
}

/// Says who is there. The process numbers are there for whoever wants to kill one and see what happens.
fn introduce(
    options: &Options,
    network: &Launched<Remote<dyn NetworkProcess>>,
    logger: &Launched<Remote<dyn Logger>>,
) {
    println!("{}", style("Three processes, and a message pipe between every two of them:").bold());
    let line = |name, pid, runtime: Runtime| {
        println!("  {name:<8} pid {:<8} scheduler {}", style(pid).cyan(), style(runtime).cyan());
    };
    line("main", std::process::id(), options.runtime);
    line("network", network.child.id(), options.network.runtime);
    line("logger", logger.child.id(), options.logger_runtime);
}

/// Fetches everything. Fails only if the network process does.
async fn work(
    node: &Node,
    network: &Remote<dyn NetworkProcess>,
    logger: &Remote<dyn Logger>,
    options: Options,
    screen: &Screen,
) -> Result<(), CallError> {
    // The pipe was made over there; its reading end only passes through here. If the logger has gone, nothing is logged.
    let _ = logger.add_source("network", network.open_log().await?);

    let mut urls = urls_or_input_or_site(options).await;
    let (fetches, failures, bytes) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let started = Instant::now();
    urls.by_ref()
        .for_each_concurrent(FETCHES_MAX, async |url| match fetch(node, network, screen, &url).await {
            Some(received) => {
                fetches.set(fetches.get() + 1);
                bytes.set(bytes.get() + received);
            }
            None => failures.set(failures.get() + 1),
        })
        .await;
    println!(
        "\n{} fetched, {} failed; {} in {:.1} s.",
        fetches.get(),
        failures.get(),
        HumanBytes(bytes.get()),
        started.elapsed().as_secs_f64()
    );

    let report = network.inspect().await?;
    let way = if report.log_is_direct {
        style("Now it is direct: what is written into it does not come by here.").green()
    } else {
        style("It is not direct yet.").yellow()
    };
    println!("\n{}", style("The pipe from the network process to the logger travelled through here.").bold());
    println!("  {way}");
    println!("  Main process: {}", indented(&node.inspect().to_string()));
    println!("  Network process: {}", indented(&report.node));
    Ok(())
}

fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n  ")
}

/// Fetches one page; returns the number of its bytes if it came.
async fn fetch(node: &Node, network: &Remote<dyn NetworkProcess>, screen: &Screen, url: &str) -> Option<u64> {
    let mut row = screen.row(url);
    let (observer, reports) = node.create_message_pipes();
    let call = network.fetch_url(url, observer);
    // Two pipes have no order between them: the fetch is over when the call has its answer and the observer's pipe has
    // ended. How the pipe ended does not matter, since whatever ends it badly also ends the call.
    let reading = Receiver::<dyn FetchObserver>::new(reports).serve(&mut row);
    let (answer, _end) = future::join(call, reading).await;
    let bytes = row.bytes();
    screen.finish(row, url, &answer);
    bytes.filter(|_| answer.is_ok_and(|failure| failure.is_empty()))
}

/// What to fetch: what the command line says, or else what comes in at standard input, or else a site of our own.
async fn urls_or_input_or_site(Options { urls, stall, .. }: Options) -> BoxStream<'static, String> {
    if !urls.is_empty() {
        return stream::iter(urls).boxed();
    }
    if !io::stdin().is_terminal() {
        let mut lines = input_lines();
        if let Some(first) = lines.next().await {
            return stream::iter([first]).chain(lines).boxed();
        }
    }
    match Site::start(stall) {
        Ok(site) => {
            println!("No URLs were given: here is a small site on this machine.\n");
            stream::iter(site.urls()).boxed()
        }
        Err(error) => {
            println!("No URLs were given, and no site can be served on this machine: {error}");
            stream::empty().boxed()
        }
    }
}

/// The lines of standard input as they come, read by a thread because reading blocks.
fn input_lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let url = line.trim();
            if !url.is_empty() && sender.unbounded_send(url.to_owned()).is_err() {
                return;
            }
        }
    });
    lines
}
