//! The figures: what is done, how often, and beside what.

use std::process::Command;
use std::sync::Arc;

use indicatif::ProgressBar;
use mage::sched::Scheduler;
use mage::{Launched, Node, Receiver, Remote, SendErrorKind};

use crate::bench::{Bench, First};
use crate::raw::{MESSAGE_BYTES, Raw};
use crate::report::{Clock, Line, Pair};
use crate::scheduler::{Flavor, pin};
use crate::{Failure, Options, floor, network};

pub(crate) const NAMES: [&str; 11] = [
    "floor",
    "call",
    "oneway",
    "pass",
    "bounce",
    "pass64",
    "introduced",
    "introduction",
    "death",
    "idle",
    "idle-call",
];
/// All figures of networks, in one word.
pub(crate) const NETWORK: &str = "network";
const NETWORK_NAMES: std::ops::Range<usize> = 5..11;

const CALLS: u64 = 20_000;
const MESSAGES: u64 = 200_000;
const PASSES: u64 = 5_000;
const BOUNCES: usize = 50;
const CALLS_AFTER_BOUNCES: u64 = 200;

pub(crate) fn is_known(name: &str) -> bool {
    name == NETWORK || NAMES.contains(&name)
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    pin();
    let wanted = |name: &&&str| {
        let group = if NAMES[NETWORK_NAMES].contains(name) { NETWORK } else { "" };
        options.figures.is_empty() || options.figures.iter().any(|figure| figure == **name || figure == group)
    };
    let figures: Vec<&'static str> = NAMES.iter().filter(wanted).copied().collect();
    let wanted = |flavor: &Flavor| options.schedulers.is_empty() || options.schedulers.contains(flavor);
    let flavors: Vec<Flavor> = Flavor::ALL.into_iter().filter(wanted).collect();
    let steps = (figures.len() * flavors.len() * options.rounds) as u64;
    let bar = if options.json { ProgressBar::hidden() } else { ProgressBar::new(steps) };
    let mut lines = Vec::new();
    for figure in figures {
        for &flavor in &flavors {
            let mut raw = Raw::start()?;
            let mut rounds = Vec::new();
            for _ in 0..options.rounds {
                let (times, same) = flavor.run(|scheduler| round(figure, flavor, scheduler, raw))?;
                raw = same;
                rounds.push(times);
                bar.inc(1);
            }
            let line = Line {
                figure,
                scheduler: flavor.name(),
                reference: reference(figure),
                unit: unit(figure),
                rounds,
            };
            if options.json {
                println!("{}", line.json());
            }
            lines.push(line);
        }
    }
    bar.finish_and_clear();
    if !options.json {
        lines.iter().for_each(|line| println!("{}", line.row()));
    }
    Ok(())
}

fn reference(figure: &str) -> &'static str {
    match figure {
        "oneway" => "raw-write",
        "bounce" => "before",
        "pass64" => "raw-sockets",
        "introduced" => "neighbours",
        "death" => "raw-end",
        "idle" => "budget",
        "idle-call" => "one-pipe",
        _ => "raw-block",
    }
}

fn unit(figure: &str) -> &'static str {
    if figure == "idle" { "bytes" } else { "us" }
}

/// One round: a fresh child, mage's time and the reference's, one right after the other.
async fn round(
    figure: &'static str,
    flavor: Flavor,
    scheduler: Arc<dyn Scheduler>,
    mut raw: Raw,
) -> Result<(Pair, Raw), Failure> {
    match figure {
        "floor" => {
            let times = (floor::round_trips(scheduler, flavor, CALLS).await?, raw.round_trip(CALLS)?);
            return Ok((times, raw));
        }
        "introduced" => return Ok((network::introduced(scheduler, flavor).await?, raw)),
        "introduction" => return Ok((network::introduction(scheduler, flavor, &mut raw).await?, raw)),
        "death" => return Ok((network::death(scheduler, flavor).await?, raw)),
        "idle" => return Ok((network::idle(scheduler, flavor).await?.0, raw)),
        "idle-call" => return Ok((network::idle(scheduler, flavor).await?.1, raw)),
        _ => {}
    }
    let node = Node::new(scheduler);
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--child", flavor.name()]);
    let Launched { mut child, remote, .. } = node.launch::<dyn Bench>(&mut command)?;
    calls(&remote, CALLS / 10).await?; // warm
    let measured = match figure {
        "call" => (calls(&remote, CALLS).await?, raw.round_trip(CALLS)?),
        "oneway" => (one_way(&remote, MESSAGES).await?, raw.one_way(MESSAGES)?),
        "pass" => (passes(&node, &remote, PASSES).await?, raw.round_trip(PASSES)?),
        "pass64" => network::pass_many(&node, &remote, &mut raw).await?,
        _ => bounce(&node, &remote).await?,
    };
    drop(remote);
    node.shutdown().await;
    child.wait()?;
    Ok((measured, raw))
}

async fn calls(remote: &Remote<dyn Bench>, count: u64) -> Result<f64, Failure> {
    let text = "m".repeat(MESSAGE_BYTES);
    let clock = Clock::start();
    for _ in 0..count {
        remote.echo(&text).await?;
    }
    Ok(clock.each(count))
}

async fn one_way(remote: &Remote<dyn Bench>, count: u64) -> Result<f64, Failure> {
    let text = "m".repeat(MESSAGE_BYTES);
    let clock = Clock::start();
    for _ in 0..count {
        while let Err(error) = remote.sink(&text) {
            if error.kind() != SendErrorKind::Full {
                return Err(error.into());
            }
            Remote::ready(remote).await;
        }
    }
    let sunk = loop {
        match remote.sunk().await {
            Err(mage::CallError::NotSent(error)) if error.kind() == SendErrorKind::Full => {
                Remote::ready(remote).await;
            }
            sunk => break sunk?,
        }
    };
    let took = clock.each(count);
    if sunk != count as i64 { Err(format!("{sunk} of {count} messages arrived").into()) } else { Ok(took) }
}

/// Makes a pipe, passes an end, and reads the first message that comes back, one after the other.
async fn passes(node: &Node, remote: &Remote<dyn Bench>, count: u64) -> Result<f64, Failure> {
    let clock = Clock::start();
    for _ in 0..count {
        let (ours, theirs) = node.create_message_pipes();
        remote.pass(theirs)?;
        let mut receiver = Receiver::<dyn First>::new(ours);
        receiver.recv().await?.ok_or("the pipe was closed")?;
    }
    Ok(clock.each(count))
}

/// A call after an end has gone there and back fifty times, at once, beside the same call before.
async fn bounce(node: &Node, remote: &Remote<dyn Bench>) -> Result<Pair, Failure> {
    let (ours, mut theirs) = node.create_message_pipes();
    let bounced = Remote::<dyn Bench>::new(ours);
    remote.serve(theirs)?;
    calls(&bounced, CALLS / 10).await?;
    let before = calls(&bounced, CALLS).await?;
    theirs = remote.take_back().await?;
    for _ in 0..BOUNCES {
        theirs = remote.bounce(theirs).await?;
    }
    remote.serve(theirs)?;
    let after = calls(&bounced, CALLS_AFTER_BOUNCES).await?;
    Ok((after, before))
}
