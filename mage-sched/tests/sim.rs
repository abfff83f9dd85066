//! The simulator keeps its promises.
#![cfg(feature = "sim")]

use std::future::{pending, poll_fn};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use futures::channel::oneshot;
use mage_sched::sim::{Deadlock, Sim};
use mage_sched::{Interest, Scheduler, Transfer};

const BYTES: usize = 20_000;

/// Sends a stream from one task to another, and returns the sizes in which it arrived.
fn stream(sim: &mut Sim) -> Vec<usize> {
    let (ours, theirs) = UnixStream::pair().expect("the system has descriptors left");
    let scheduler = sim.scheduler();
    scheduler.spawn(Box::pin(write(Arc::clone(&scheduler), Arc::new(ours.into()))));
    sim.run_until(read(scheduler, Arc::new(theirs.into()))).expect("the writer writes")
}

async fn write(scheduler: Arc<dyn Scheduler>, fd: Arc<OwnedFd>) {
    let content: Vec<u8> = (0..BYTES).map(|at| at.to_le_bytes()[0]).collect();
    let (mut watch, mut rest) = (scheduler.watch(fd).expect("a socket can be watched"), &content[..]);
    while !rest.is_empty() {
        let written = poll_fn(|context| {
            watch.poll_io(context, Interest::Write, &mut |fd| {
                Ok(Transfer::of(rustix::io::write(fd, rest)?, rest.len()))
            })
        });
        rest = &rest[written.await.expect("the reader is there")..];
    }
}

async fn read(scheduler: Arc<dyn Scheduler>, fd: Arc<OwnedFd>) -> Vec<usize> {
    let mut watch = scheduler.watch(fd).expect("a socket can be watched");
    let (mut at, mut sizes) = (0_usize, Vec::new());
    loop {
        let mut buffer = [0; 8192];
        let got = poll_fn(|context| {
            watch.poll_io(context, Interest::Read, &mut |fd| {
                Ok(Transfer::of(rustix::io::read(fd, &mut buffer)?, buffer.len()))
            })
        });
        let got = got.await.expect("the end is no error");
        if got == 0 {
            assert_eq!(at, BYTES);
            return sizes;
        }
        for byte in &buffer[..got] {
            assert_eq!(*byte, at.to_le_bytes()[0]);
            at += 1;
        }
        sizes.push(got);
    }
}

#[test]
fn a_seed_decides_everything() {
    let run = |seed| {
        let mut sim = Sim::new(seed);
        (stream(&mut sim), sim.trace_hash())
    };
    let runs: Vec<_> = (0..50).map(run).collect();
    for (seed, first) in (0..).zip(&runs) {
        assert_eq!(*first, run(seed), "seed {seed} went two ways");
    }
    let mut traces: Vec<_> = runs.iter().map(|(_, trace)| *trace).collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), runs.len());
}

#[test]
fn a_stream_arrives_in_small_and_large_pieces() {
    let sizes: Vec<_> = (0..20).flat_map(|seed| stream(&mut Sim::new(seed))).collect();
    assert!(sizes.contains(&1) && sizes.iter().any(|size| *size > 1000));
}

#[test]
fn descriptors_travel_with_their_bytes() {
    use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
    use std::io::{IoSlice, IoSliceMut, Read, Write};
    use std::mem::MaybeUninit;
    use std::os::fd::AsFd;

    let (ours, theirs) = UnixStream::pair().expect("the system has descriptors left");
    let (mut kept, sent) = UnixStream::pair().expect("the system has descriptors left");
    let handles = [sent.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&handles)));
    rustix::net::sendmsg(&ours, &[IoSlice::new(b"with it")], &mut control, SendFlags::empty())
        .expect("there is room");

    let mut sim = Sim::new(7);
    let mut watch = sim.scheduler().watch(Arc::new(theirs.into())).expect("a socket can be watched");
    let mut handle = None;
    let received = sim.run_until(poll_fn(|context| {
        watch.poll_io(context, Interest::Read, &mut |fd| {
            let (mut byte, mut space) = ([0; 1], [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))]);
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let message = rustix::net::recvmsg(
                fd,
                &mut [IoSliceMut::new(&mut byte)],
                &mut control,
                RecvFlags::empty(),
            )?;
            for message in control.drain() {
                if let rustix::net::RecvAncillaryMessage::ScmRights(handles) = message {
                    handle = handles.last();
                }
            }
            Ok(Transfer::More(message.bytes))
        })
    }));
    assert_eq!(received.expect("a byte is there").expect("without an error"), 1);
    let mut received = UnixStream::from(handle.expect("the first byte brings the descriptor"));
    kept.write_all(b"x").expect("the other end is open");
    received.read_exact(&mut [0; 1]).expect("it is the other end");
}

#[test]
fn a_deadlock_is_an_error() {
    let mut sim = Sim::new(1);
    sim.local().spawn_local(Box::pin(pending()));
    assert_eq!(sim.run_until(pending::<()>()), Err(Deadlock { waiting: 1 }));
}

#[test]
fn posts_keep_their_order() {
    for seed in 0..50 {
        let mut sim = Sim::new(seed);
        let sinks = [sim.scheduler().new_sink(), sim.local().new_sink()];
        for sink in sinks {
            let (tell, told) = std::sync::mpsc::channel();
            for number in 0..100 {
                let tell = tell.clone();
                sink.post(move || tell.send(number).expect("somebody listens"))
                    .expect("the sequence is there");
            }
            let (done, waiting) = oneshot::channel();
            sink.post(move || done.send(()).expect("somebody waits")).expect("the sequence is there");
            assert_eq!(sim.run_until(waiting), Ok(Ok(())));
            assert!(told.try_iter().eq(0..100), "seed {seed}");
        }
        sim.run_until_quiescent();
        assert_eq!(sim.tasks(), 0, "sequences end with their sinks");
    }
}
