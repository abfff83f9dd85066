//! Networks: what it costs to pass many pipes, to be introduced, and to have idle pipes.

use std::process::{Child, Command};
use std::sync::Arc;

use mage::sched::Scheduler;
use mage::sched::sync::Mutex;
use mage::{Launched, MessagePipe, Node, Receiver, Remote, Reply};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::Failure;
use crate::bench::{Bench, First, Peer};
use crate::raw::{MESSAGE_BYTES, Raw};
use crate::report::{Clock, Pair, median, now};
use crate::scheduler::{Flavor, pin};

/// Pipes that are under way at the same time.
pub(crate) const IN_FLIGHT: u64 = 64;
const BATCHES: u64 = 100;
const CALLS: u64 = 10_000;
/// The processes between caller and callee.
const BETWEEN: usize = 8;
/// Processes of which each meets every other.
const STRANGERS: usize = 10;
/// Processes that are killed while a pipe leads through them.
const DEATHS: usize = 10;
const IDLE_PIPES: u64 = 100_000;
/// What both ends of an idle pipe may cost together.
const IDLE_BYTES: f64 = 500.0;

// ---- the measured processes

pub(crate) fn main(flavor: Flavor) -> Result<(), Failure> {
    pin();
    flavor.run(|scheduler| async move {
        let node = Node::new(Arc::clone(&scheduler));
        let receiver: Receiver<dyn Peer> = node.inherited_receiver().await?;
        let mut servant = Servant {
            node,
            scheduler,
            next: Arc::default(),
            callee: None,
            kept: Vec::new(),
            served: Arc::default(),
        };
        receiver.serve(&mut servant).await?;
        Ok(())
    })
}

struct Servant {
    node: Node,
    scheduler: Arc<dyn Scheduler>,
    next: Arc<Mutex<Option<Remote<dyn Peer>>>>,
    callee: Option<Arc<Remote<dyn Peer>>>,
    kept: Vec<MessagePipe>,
    served: Arc<Mutex<Served>>,
}

/// The pipes that a process serves beside the first.
#[derive(Default)]
struct Served {
    count: i32,
    /// How many have ended.
    over: i32,
    /// When the last did.
    ended: i64,
}

// A caller that has gone is noticed at its pipe.
impl Peer for Servant {
    fn echo(&mut self, text: String, reply: Reply<String>) {
        drop(reply.send(text));
    }

    fn next(&mut self, pipe: MessagePipe) {
        *self.next.lock() = Some(Remote::new(pipe));
    }

    fn hand(&mut self, pipe: MessagePipe) {
        let next = self.next.lock();
        match &*next {
            Some(next) => drop(next.hand(pipe)),
            None => {
                drop(next);
                self.serve(pipe);
            }
        }
    }

    fn serve(&mut self, pipe: MessagePipe) {
        let (node, scheduler) = (self.node.clone(), Arc::clone(&self.scheduler));
        let next = Arc::clone(&self.next);
        let served = Arc::clone(&self.served);
        served.lock().count += 1;
        let mut servant =
            Self { node, scheduler, next, callee: None, kept: Vec::new(), served: Arc::clone(&served) };
        self.scheduler.spawn(Box::pin(async move {
            drop(Receiver::<dyn Peer>::new(pipe).serve(&mut servant).await);
            let mut served = served.lock();
            served.over += 1;
            served.ended = now();
        }));
    }

    fn call(&mut self, pipe: MessagePipe) {
        self.callee = Some(Arc::new(Remote::new(pipe)));
    }

    fn measure(&mut self, count: i32, reply: Reply<i64>) {
        let Some(callee) = self.callee.clone() else { return };
        self.scheduler.spawn(Box::pin(async move {
            if let Ok(micros) = echoes(&callee, u64::from(count.unsigned_abs())).await {
                drop(reply.send((micros * 1000.0) as i64));
            }
        }));
    }

    fn is_settled(&mut self, reply: Reply<bool>) {
        let direct = self.callee.as_ref().is_none_or(|callee| Remote::is_direct(callee));
        drop(reply.send(direct && self.node.inspect().proxies == 0));
    }

    fn call_once(&mut self, pipe: MessagePipe, reply: Reply<()>) {
        let callee = Remote::<dyn Peer>::new(pipe);
        self.scheduler.spawn(Box::pin(async move {
            if callee.echo("").await.is_ok() {
                drop(reply.send(()));
            }
        }));
    }

    fn keep(&mut self, pipe: MessagePipe) {
        self.kept.push(pipe);
    }

    fn served(&mut self, reply: Reply<i32>) {
        let count = self.served.lock().count;
        drop(reply.send(count));
    }

    fn ended(&mut self, reply: Reply<i64>) {
        let ended = {
            let served = self.served.lock();
            if served.over < served.count { 0 } else { served.ended }
        };
        drop(reply.send(ended));
    }
}

/// What one call takes, in microseconds.
async fn echoes(remote: &Remote<dyn Peer>, count: u64) -> Result<f64, Failure> {
    let text = "m".repeat(MESSAGE_BYTES);
    let clock = Clock::start();
    for _ in 0..count {
        remote.echo(&text).await?;
    }
    Ok(clock.each(count))
}

// ---- the measuring process

/// A network of this process and some others.
struct Network {
    node: Node,
    peers: Vec<Remote<dyn Peer>>,
    children: Vec<Child>,
}

impl Network {
    async fn start(scheduler: Arc<dyn Scheduler>, flavor: Flavor, count: usize) -> Result<Self, Failure> {
        let mut network = Self { node: Node::new(scheduler), peers: Vec::new(), children: Vec::new() };
        for _ in 0..count {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--peer", flavor.name()]);
            let Launched { child, remote, .. } = network.node.launch::<dyn Peer>(&mut command)?;
            echoes(&remote, CALLS / 10).await?; // warm
            network.peers.push(remote);
            network.children.push(child);
        }
        Ok(network)
    }

    /// Waits until everything is as direct as it will be.
    async fn settle(&self) -> Result<(), Failure> {
        loop {
            let mut settled = true;
            for peer in &self.peers {
                settled &= peer.is_settled().await?;
            }
            if settled && self.node.inspect().proxies == 0 {
                return Ok(());
            }
        }
    }

    async fn end(self) -> Result<(), Failure> {
        drop(self.peers);
        self.node.shutdown().await;
        for mut child in self.children {
            child.wait()?;
        }
        Ok(())
    }
}

/// Makes a pipe, passes an end, and reads the first message that comes back, many at the same time; beside it the same with
/// socket pairs.
pub(crate) async fn pass_many(
    node: &Node,
    remote: &Remote<dyn Bench>,
    raw: &mut Raw,
) -> Result<Pair, Failure> {
    let clock = Clock::start();
    for _ in 0..BATCHES {
        let mut receivers = Vec::new();
        for _ in 0..IN_FLIGHT {
            let (ours, theirs) = node.create_message_pipes();
            remote.pass(theirs)?;
            receivers.push(Receiver::<dyn First>::new(ours));
        }
        for mut receiver in receivers {
            receiver.recv().await?.ok_or("the pipe was closed")?;
        }
    }
    Ok((clock.each(BATCHES * IN_FLIGHT), raw.pass_sockets(BATCHES, IN_FLIGHT)?))
}

/// A call between two processes that met through a chain of others, beside a call between a process and its child.
pub(crate) async fn introduced(scheduler: Arc<dyn Scheduler>, flavor: Flavor) -> Result<Pair, Failure> {
    let network = Network::start(scheduler, flavor, BETWEEN + 2).await?;
    let (first, others) = network.peers.split_first().ok_or("nobody is there")?;
    for pair in others.windows(2) {
        let (ours, theirs) = network.node.create_message_pipes();
        pair[0].next(ours)?;
        pair[1].serve(theirs)?;
    }
    let (ours, theirs) = network.node.create_message_pipes();
    first.call(ours)?;
    others[0].hand(theirs)?;
    first.measure(1).await?;
    network.settle().await?;
    let count = i32::try_from(CALLS)?;
    first.measure(count / 10).await?; // warm
    let introduced = first.measure(count).await? as f64 / 1000.0;
    let neighbours = echoes(first, CALLS).await?;
    network.end().await?;
    Ok((introduced, neighbours))
}

/// What the first call between two strangers costs more than the next one, in the median of all pairs, beside a round trip. It is a
/// small difference of two times, and whatever else runs on the machine must not be taken for it.
pub(crate) async fn introduction(
    scheduler: Arc<dyn Scheduler>,
    flavor: Flavor,
    raw: &mut Raw,
) -> Result<Pair, Failure> {
    let network = Network::start(scheduler, flavor, STRANGERS).await?;
    let mut differences = Vec::new();
    for (place, first) in network.peers.iter().enumerate() {
        for second in &network.peers[place + 1..] {
            let mut took = [0.0; 2];
            for took in &mut took {
                let (ours, theirs) = network.node.create_message_pipes();
                second.hand(theirs)?;
                second.echo("").await?;
                let clock = Clock::start();
                first.call_once(ours).await?;
                *took = clock.each(1);
            }
            network.settle().await?;
            differences.push(took[0] - took[1]);
        }
    }
    network.end().await?;
    let reference = raw.round_trip(CALLS)?;
    Ok((median(differences), reference))
}

/// From the end of a process that forwards for a pipe until both of the ends know, beside what a bare socket needs for it.
///
/// The process forwards because whoever was sent the end is stopped while it passes through, and it is stopped itself when the
/// other goes on. So the place that the end has left cannot go.
pub(crate) async fn death(scheduler: Arc<dyn Scheduler>, flavor: Flavor) -> Result<Pair, Failure> {
    let mut network = Network::start(scheduler, flavor, DEATHS + 1).await?;
    let (mut took, mut bare) = (0.0, 0.0);
    while network.peers.len() > 1 {
        let (middle, far) = (network.peers.len() - 1, 0);
        let (ours, theirs) = network.node.create_message_pipes();
        network.peers[middle].next(ours)?;
        network.peers[far].serve(theirs)?;
        network.settle().await?;
        let before = network.peers[far].served().await?;
        stop(&network.children[far])?;
        let (ours, theirs) = network.node.create_message_pipes();
        network.peers[middle].hand(theirs)?;
        // With the second answer it has written what it had to say to others with the first.
        network.peers[middle].echo("").await?;
        network.peers[middle].echo("").await?;
        stop(&network.children[middle])?;
        signal(&network.children[far], Signal::CONT)?;
        while network.peers[far].served().await? == before {}
        let remote = network.peers.remove(middle);
        let clock = Clock::start();
        // Were the pipe direct, it would not end at all.
        network.children[middle].kill()?;
        if ours.recv().await.is_ok() {
            return Err("nobody has said anything".into());
        }
        let near_end = clock.each(1);
        let far_end = loop {
            match network.peers[far].ended().await? {
                0 => {}
                ended => break clock.until(ended),
            }
        };
        took += near_end.max(far_end);
        network.children.remove(middle).wait()?;
        drop(remote);
        bare += Raw::start()?.death()?;
    }
    network.end().await?;
    Ok((took / DEATHS as f64, bare / DEATHS as f64))
}

fn signal(child: &Child, signal: Signal) -> Result<(), Failure> {
    Ok(kill_process(Pid::from_child(child), signal)?)
}

/// Stops a child, and waits until it has.
fn stop(child: &Child) -> Result<(), Failure> {
    signal(child, Signal::STOP)?;
    waitpid(Some(Pid::from_child(child)), WaitOptions::UNTRACED)?;
    Ok(())
}

/// Many idle pipes between two processes: what both ends of one cost in memory, and what a call costs beside them.
pub(crate) async fn idle(scheduler: Arc<dyn Scheduler>, flavor: Flavor) -> Result<(Pair, Pair), Failure> {
    let network = Network::start(scheduler, flavor, 1).await?;
    let peer = &network.peers[0];
    let processes = [std::process::id(), network.children[0].id()];
    let alone = echoes(peer, CALLS).await?;
    network.settle().await?;
    let before = (resident(processes)?, descriptors(processes)?);
    let mut kept = Vec::new();
    for _ in 0..IDLE_PIPES {
        let (ours, theirs) = network.node.create_message_pipes();
        kept.push(ours);
        Remote::ready(peer).await;
        peer.keep(theirs)?;
    }
    network.settle().await?;
    let after = (resident(processes)?, descriptors(processes)?);
    let beside = echoes(peer, CALLS).await?;
    if before.1 != after.1 {
        return Err(format!("there were {} descriptors, and there are {}", before.1, after.1).into());
    }
    drop(kept);
    network.end().await?;
    let each = (after.0 - before.0) / IDLE_PIPES as f64;
    Ok(((each, IDLE_BYTES), (beside, alone)))
}

/// The memory that is resident in these processes, in bytes.
fn resident(processes: [u32; 2]) -> Result<f64, Failure> {
    let mut sum = 0.0;
    for process in processes {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no such line")?;
        sum += kilobytes.parse::<f64>()? * 1024.0;
    }
    Ok(sum)
}

/// The descriptors that these processes have open.
fn descriptors(processes: [u32; 2]) -> Result<usize, Failure> {
    let mut sum = 0;
    for process in processes {
        sum += std::fs::read_dir(format!("/proc/{process}/fd"))?.count();
    }
    Ok(sum)
}
