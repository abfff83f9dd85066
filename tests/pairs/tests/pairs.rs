//! A process calls another that has an older or a newer build of the interface: if `magen breaking` says that the two get
//! along, they do, and what arrives is what the schemas say; if not, the first word between them fails and says why.

#[path = "../../../magen/tests/common/lost.rs"]
mod lost;

use std::process::Command;

use lost::has_lost;
use mage::codegen::Writer;
use mage::event_loop::EventLoop;
use mage::{CallError, Launched, MessagePipe, Node, RawMessage};
use mage_pair_tests::{Connection, PAIRS, Pair, RawAnswer, Side, connect_pair};
use magen::breaking::{self, Source};
use magen::dynamic::{self, Body, Interface, Method, Random, Types, Value};

const ROUNDS: usize = 4;

/// Another process, with the code of one side.
struct Other {
    event_loop: EventLoop,
    node: Node,
    control: MessagePipe,
    child: std::process::Child,
    side: Side,
}

impl Other {
    fn launch(side: Side) -> Self {
        let event_loop = EventLoop::new().unwrap();
        let node = Node::new(event_loop.scheduler());
        let mut command = Command::new(env!("CARGO_BIN_EXE_mage-pair-child"));
        let Launched { child, remote, .. } = node.launch_pipe(command.arg(side.name())).unwrap();
        Self { event_loop, node, control: remote, child, side }
    }

    /// Calls the pair over there, with the code of the other side.
    fn connect(&self, index: usize) -> Box<dyn Connection> {
        let (ours, theirs) = self.node.create_message_pipes();
        let bytes = u32::try_from(index).unwrap().to_le_bytes().to_vec();
        let message = RawMessage { bytes, pipes: vec![theirs], ..RawMessage::default() };
        self.control.try_send(message).expect("there is room");
        connect_pair(self.side.other(), index, ours)
    }

    fn leave(mut self) {
        drop(self.control);
        self.event_loop.run_until(self.node.shutdown());
        assert!(self.child.wait().unwrap().success());
    }
}

/// Every pair, called from one side and served by a process of the other.
fn all_pairs(served: Side) {
    let mut other = Other::launch(served);
    let mut counts = [0, 0];
    for (index, pair) in PAIRS.iter().enumerate() {
        let what = format!(
            "MAGE_PAIRS={0}..{1}: {2}, called by the {3} one\n--- old\n{4}\n--- new\n{5}",
            pair.seed,
            pair.seed + 1,
            pair.change,
            served.other().name(),
            pair.old,
            pair.new
        );
        let breaks = breaking::compare(&Source::text("old", pair.old), &Source::text("new", pair.new));
        let gets_along = breaks.expect(&what).is_empty();
        assert_eq!(gets_along, pair.expected.is_none(), "{what}");
        counts[usize::from(gets_along)] += 1;
        if gets_along {
            talk(&mut other, index, pair, &what);
        } else {
            be_refused(&mut other, index, pair, &what);
        }
    }
    eprintln!("{} pairs get along, {} do not", counts[1], counts[0]);
    other.leave();
}

#[test]
fn an_older_process_calls_a_newer_one() {
    all_pairs(Side::New);
}

#[test]
fn a_newer_process_calls_an_older_one() {
    all_pairs(Side::Old);
}

fn be_refused(other: &mut Other, index: usize, pair: &Pair, what: &str) {
    let connection = other.connect(index);
    let error = other.event_loop.run_until(connection.query_version()).expect_err(what);
    let CallError::OtherInterface { difference: Some(difference), .. } = &error else {
        panic!("{error}\n{what}")
    };
    let found = (difference.definition.as_str(), difference.method.as_deref(), difference.field.as_deref());
    assert_eq!(Some(found), pair.expected, "{difference}\n{what}");
}

fn talk(other: &mut Other, index: usize, pair: &Pair, what: &str) {
    let connection = other.connect(index);
    let (caller, callee) = (pair.source(other.side.other()), pair.source(other.side));
    let used = dynamic::with_source(caller, "caller", |caller| {
        dynamic::with_source(callee, "callee", |callee| {
            let (caller, callee) = (interface(caller), interface(callee));
            for method in caller.methods() {
                for round in 0..ROUNDS {
                    let mut random = Random::new(pair.seed << 8 | round as u64);
                    let call =
                        Call { method, known: callee.method(method.ordinal()), connection: &*connection };
                    call.make(other, &mut random, what);
                }
            }
        })
    });
    used.and_then(|used| used).unwrap_or_else(|error| panic!("{error}\n{what}"));
    other.event_loop.run_until(connection.query_version()).expect(what);
}

fn interface(types: Types<'_>) -> Interface<'_> {
    types.interfaces().next().expect("every file has one")
}

/// A call of a method, which the other side may know otherwise or not at all.
struct Call<'a> {
    method: Method<'a>,
    known: Option<Method<'a>>,
    connection: &'a dyn Connection,
}

impl Call<'_> {
    fn make(&self, other: &mut Other, random: &mut Random, what: &str) {
        let value = self.method.parameters().random(random).expect(what);
        let body = self.method.parameters().encode(&value).expect(what);
        let write = |writer: &mut Writer| body.bytes.iter().for_each(|byte| writer.put(*byte));
        let ordinal = self.method.ordinal();
        let Some(shape) = self.method.answer() else {
            return self.connection.channel().notify(ordinal, write).expect(what);
        };
        let answer = self.connection.channel().call::<RawAnswer>(ordinal, write);
        let answer = other.event_loop.run_until(answer);
        let Some(known) = self.known else {
            let error = answer.expect_err(what);
            assert!(
                matches!(error, CallError::NoSuchMethod { method, .. } if method == self.method.name()),
                "{error}\n{what}"
            );
            return;
        };
        // What the schemas say: read by the one, written by it, and read by the other.
        let read = known.parameters().decode(&body).expect(what);
        if has_lost(&read) {
            // What is unknown is not passed on.
            return assert!(matches!(answer, Err(CallError::NoReply)), "{answer:?}: {value}\n{what}");
        }
        let answer = answer.unwrap_or_else(|error| panic!("{error}: {value}\n{what}"));
        let known_answer = known.answer().expect(what);
        let said = if shape.has_error() { Value::Result(Ok(Box::new(read))) } else { read };
        let expected = shape.decode(&known_answer.encode(&said).expect(what)).expect(what);
        let answer = shape.decode(&Body { bytes: answer.0, ..Body::default() });
        assert_eq!(answer.as_ref(), Ok(&expected), "{value}\n{what}");
    }
}
