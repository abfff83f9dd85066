//! The real node, its links and the bindings under a seeded scheduler: every order of polls, reads split anywhere, and
//! sockets that would block.
//!
//! A seed that fails is printed; `MAGE_SEED=<seed>` runs that one alone. What the seed does not decide is what the nodes
//! are called: names are drawn at random, and their order is the order in which a node goes through its peers. So a run
//! follows from its seed and that order, and one seed alone is run so often that every order comes up.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, join, join_all};
use mage::sched::Scheduler;
use mage::sched::sim::Sim;
use mage::{MessagePipe, Node, RawMessage, Receiver, Remote, Why};
use mage_tests::Watchdog;
use mage_tests::fixtures::{Echo, EchoMessage};
use mage_tests::random::Random;
use mage_tests::words::{a_turn, invite};

const SEEDS: Range<u64> = 0..300;

/// Says which seed it was.
struct Blame {
    seed: u64,
}

impl Drop for Blame {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("this was seed {0}: MAGE_SEED={0} runs it again", self.seed);
        }
    }
}

/// The seeds of a run: one from outside, or all.
fn seeds() -> (Range<u64>, usize) {
    match env::var("MAGE_SEED").map(|seed| seed.parse::<u64>()) {
        Ok(seed) => {
            let seed = seed.expect("MAGE_SEED is a number");
            (seed..seed + 1, 10 * ORDERS)
        }
        Err(_) => (SEEDS, 1),
    }
}

/// Runs a scenario with each seed.
fn with_every_seed(scenario: impl Fn(u64) -> Run) {
    let _watchdog = Watchdog::start();
    let (seeds, times) = seeds();
    for seed in seeds {
        let _blame = Blame { seed };
        for _ in 0..times {
            scenario(seed);
        }
    }
}

/// In how many orders the names of [`NODES`] nodes can be.
const ORDERS: usize = 6;

/// How a run went.
struct Run {
    /// Which node has the lowest name, which the next, and so on.
    order: Vec<usize>,
    /// The hash of all choices.
    hash: u64,
}

/// The order of the nodes by their names.
fn order(nodes: &[Node]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|node| nodes[*node].inspect().names);
    order
}

/// Small choices of the tests themselves, apart from those of the scheduler.
#[derive(Clone)]
struct Dice(Rc<RefCell<Random>>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(Random::new(seed))))
    }

    fn below(&self, bound: usize) -> usize {
        self.0.borrow_mut().below(bound as u64) as usize
    }
}

const NODES: usize = 3;

async fn carry(over: &MessagePipe, to: &MessagePipe, pipe: MessagePipe) -> MessagePipe {
    over.ready().await;
    over.try_send(RawMessage { pipes: vec![pipe], ..RawMessage::default() }).expect("it is ready");
    to.recv().await.expect("it arrives").pipes.pop().expect("with the end")
}

type Ends = (MessagePipe, MessagePipe);

/// Three nodes. The first has invited the others and is the broker, so that those need an introduction to meet.
struct World {
    nodes: Vec<Node>,
    /// From the first node to each, and over there; none to itself.
    couriers: Vec<Option<Ends>>,
}

impl World {
    async fn new(scheduler: &Arc<dyn Scheduler>) -> Self {
        let nodes: Vec<Node> = (0..NODES).map(|_| Node::new(Arc::clone(scheduler))).collect();
        let mut couriers = vec![None];
        for guest in &nodes[1..] {
            couriers.push(Some(invite(&nodes[0], guest).await));
        }
        Self { nodes, couriers }
    }

    /// Takes an end from the first node to that one.
    async fn deliver(&self, pipe: MessagePipe, to: usize) -> MessagePipe {
        match &self.couriers[to] {
            Some((here, there)) => carry(here, there, pipe).await,
            None => pipe,
        }
    }

    /// A way from every node to every other.
    async fn ways(&self) -> Ways {
        let mut ways = Vec::new();
        for from in 0..NODES {
            for to in 0..NODES {
                let (sender, reader) = self.nodes[0].create_message_pipes();
                ways.push((self.deliver(sender, from).await, self.deliver(reader, to).await));
            }
        }
        Ways(ways)
    }

    /// Everything is closed: once nothing can happen any more, nothing is left.
    fn expect_nothing_left(&self) {
        for node in &self.nodes {
            let seen = node.inspect();
            assert_eq!((seen.ends, seen.proxies), (0, 0), "{seen}");
            assert!(seen.faults.is_empty(), "{seen}");
        }
    }
}

/// What is sent into `from * NODES + to` at the one node is read at the other. Each traveller has its own.
struct Ways(Vec<Ends>);

impl Ways {
    async fn go(&self, from: usize, to: usize, pipe: MessagePipe) -> MessagePipe {
        let (sender, reader) = &self.0[from * NODES + to];
        carry(sender, reader, pipe).await
    }
}

const MESSAGES: u32 = 40;

/// One end of a pipe that travels, sends its numbers in order, and reads those of the other end in theirs.
struct Traveller {
    ways: Ways,
    dice: Dice,
    place: usize,
    sent: u32,
    received: u32,
}

impl Traveller {
    fn new(ways: Ways, dice: Dice) -> Self {
        Self { ways, dice, place: 0, sent: 0, received: 0 }
    }

    fn send(&mut self, pipe: &MessagePipe) {
        if self.sent < MESSAGES {
            let bytes = self.sent.to_le_bytes().to_vec();
            pipe.try_send(RawMessage { bytes, ..RawMessage::default() }).expect("there is room");
            self.sent += 1;
        }
    }

    fn check(&mut self, message: &RawMessage) {
        assert_eq!(message.bytes, self.received.to_le_bytes(), "not in order, or not once");
        self.received += 1;
    }

    /// Sends everything, reads some of what comes, and moves about meanwhile.
    async fn travel(&mut self, mut pipe: MessagePipe) -> MessagePipe {
        for _ in 0..40 {
            match self.dice.below(5) {
                0 | 1 => self.send(&pipe),
                2 => {
                    if let Some(message) = pipe.recv().now_or_never() {
                        self.check(&message.expect("the other end is open"));
                    }
                }
                3 => {
                    let to = self.dice.below(NODES);
                    pipe = self.ways.go(self.place, to, pipe).await;
                    self.place = to;
                }
                _ => a_turn().await,
            }
        }
        while self.sent < MESSAGES {
            self.send(&pipe);
        }
        pipe
    }

    /// Travels, reads the rest, and closes.
    async fn lead(mut self, pipe: MessagePipe) {
        let pipe = self.travel(pipe).await;
        while self.received < MESSAGES {
            let message = pipe.recv().await.expect("the other end is open");
            self.check(&message);
        }
    }

    /// Travels, reads the rest, and sees the other end close behind it.
    async fn follow(mut self, pipe: MessagePipe) {
        let pipe = self.travel(pipe).await;
        let why = loop {
            match pipe.recv().await {
                Ok(message) => self.check(&message),
                Err(why) => break why,
            }
        };
        assert_eq!((why, self.received), (Why::Closed, MESSAGES));
    }
}

/// Answers a few calls at one node, moves on with the rest, and so on until the caller is done.
async fn serve_on_the_move(ways: Ways, dice: Dice, mut pipe: MessagePipe) {
    let mut place = 0;
    loop {
        let mut receiver = Receiver::<dyn Echo>::new(pipe);
        for _ in 0..dice.below(6) {
            match receiver.recv().await.expect("every message is good") {
                Some(EchoMessage::Text { text, reply }) => reply.send(text).expect("the caller waits"),
                Some(other) => panic!("not a text: {other:?}"),
                None => return,
            }
        }
        let to = dice.below(NODES);
        pipe = ways.go(place, to, receiver.into_pipe()).await;
        place = to;
    }
}

async fn call(pipe: MessagePipe) {
    let remote = Remote::<dyn Echo>::new(pipe);
    for round in 0..5 {
        let calls: Vec<_> = (0..4).map(|number| remote.text(&format!("{round}.{number}"))).collect();
        for (number, answer) in join_all(calls).await.into_iter().enumerate() {
            assert_eq!(answer.expect("it is answered somewhere"), format!("{round}.{number}"));
        }
    }
}

/// Runs `body` to its end, then everything that is still to happen. The body returns the order of its nodes, too.
fn simulate<T>(
    seed: u64,
    body: impl AsyncFnOnce(Arc<dyn Scheduler>) -> (Vec<usize>, T),
    after: impl FnOnce(T),
) -> Run {
    let mut sim = Sim::new(seed);
    let body = body(sim.scheduler());
    let (order, result) = sim.run_until(body).unwrap_or_else(|deadlock| panic!("it hangs: {deadlock:?}"));
    sim.run_until_quiescent();
    after(result);
    Run { order, hash: sim.trace_hash() }
}

fn ends_on_the_move(seed: u64) -> Run {
    let body = async move |scheduler: Arc<dyn Scheduler>| {
        let dice = Dice::new(seed);
        let world = World::new(&scheduler).await;
        let mut journeys: Vec<LocalBoxFuture<'static, ()>> = Vec::new();
        for _ in 0..2 {
            let (first, second) = world.nodes[0].create_message_pipes();
            journeys.push(Box::pin(Traveller::new(world.ways().await, dice.clone()).lead(first)));
            journeys.push(Box::pin(Traveller::new(world.ways().await, dice.clone()).follow(second)));
        }
        let (caller, servant) = world.nodes[0].create_message_pipes();
        journeys.push(Box::pin(call(world.deliver(caller, dice.below(NODES)).await)));
        journeys.push(Box::pin(serve_on_the_move(world.ways().await, dice, servant)));
        join_all(journeys).await;
        (order(&world.nodes), World { couriers: Vec::new(), ..world })
    };
    simulate(seed, body, |world| world.expect_nothing_left())
}

/// One side says everything and shuts its node down, while the other says as much: all that was said before arrives.
fn a_node_shuts_down(seed: u64) -> Run {
    let body = async move |scheduler: Arc<dyn Scheduler>| {
        let (leaving, staying) = (Node::new(Arc::clone(&scheduler)), Node::new(scheduler));
        let (ours, theirs) = invite(&leaving, &staying).await;
        let say = |pipe: &MessagePipe, number: u32| {
            let bytes = number.to_le_bytes().to_vec();
            pipe.try_send(RawMessage { bytes, ..RawMessage::default() })
        };
        let order = order(&[leaving.clone(), staying.clone()]);
        say(&theirs, 0).expect("there is room");
        ours.recv().await.expect("it is accepted");
        let leave = async {
            for number in 0..MESSAGES {
                say(&ours, number).expect("there is room");
                a_turn().await;
            }
            leaving.shutdown().await;
        };
        let stay = async {
            for number in 0..MESSAGES {
                let _ = say(&theirs, number); // it may be over any time
                let message = theirs.recv().await.expect("it was sent before the end");
                assert_eq!(message.bytes, number.to_le_bytes());
            }
            assert_eq!(theirs.recv().await.expect_err("the link is closed"), Why::PeerDied);
        };
        join(leave, stay).await;
        (order, ())
    };
    simulate(seed, body, |()| ())
}

/// A guest vanishes in the middle of it all: whoever has an end of one of its pipes learns, and nothing is left over.
fn a_guest_vanishes(seed: u64) -> Run {
    let body = async move |scheduler: Arc<dyn Scheduler>| {
        let dice = Dice::new(seed);
        let mut world = World::new(&scheduler).await;
        let (caller, servant) = world.nodes[0].create_message_pipes();
        let caller = world.deliver(caller, 1).await;
        let servant = Receiver::<dyn Echo>::new(world.deliver(servant, 2).await);
        let remote = Remote::<dyn Echo>::new(caller);
        let calls: Vec<_> = (0..8).map(|number| remote.text(&number.to_string())).collect();
        for _ in 0..dice.below(20) {
            a_turn().await;
        }
        let order = order(&world.nodes);
        let gone = world.nodes.pop().expect("three nodes");
        let stays = world.couriers.pop();
        gone.shutdown().await;
        for call in calls {
            assert!(call.await.is_err(), "nobody answered");
        }
        assert_eq!(Remote::closed(&remote).await, Why::PeerDied);
        drop((servant, stays, remote));
        (order, World { couriers: Vec::new(), ..world })
    };
    simulate(seed, body, |world| world.expect_nothing_left())
}

#[test]
fn every_seed_of_ends_on_the_move() {
    with_every_seed(ends_on_the_move);
}

#[test]
fn every_seed_of_a_node_that_shuts_down() {
    with_every_seed(a_node_shuts_down);
}

#[test]
fn every_seed_of_a_guest_that_vanishes() {
    with_every_seed(a_guest_vanishes);
}

#[test]
fn the_same_seed_and_order_is_the_same_run() {
    let _watchdog = Watchdog::start();
    for scenario in [ends_on_the_move, a_node_shuts_down, a_guest_vanishes] {
        let mut hashes = BTreeSet::new();
        for seed in 0..10 {
            let _blame = Blame { seed };
            let mut known = BTreeMap::new();
            // One more than there are orders, so that one comes up twice.
            for _ in 0..=ORDERS {
                let Run { order, hash } = scenario(seed);
                assert_eq!(*known.entry(order).or_insert(hash), hash);
            }
            hashes.extend(known.into_values());
        }
        assert!(hashes.len() >= 10, "the seed changes nothing");
    }
}
