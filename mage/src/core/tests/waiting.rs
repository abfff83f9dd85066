//! Who waits at an end, and who is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::boundaries::draft;
use crate::core::{Draft, EndpointName, Reader, Received, Router};
use crate::error::Why;
use crate::limits::Limits;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Somebody who waits, and how often it has been woken.
fn sleeper() -> (Waker, impl Fn() -> usize) {
    let count = Arc::new(Count::default());
    let woken = Arc::clone(&count);
    (Waker::from(count), move || woken.0.load(Ordering::Relaxed))
}

/// A router with one pipe, on which so many messages may be under way.
fn pipe(window_messages: u64) -> (Router<u8>, EndpointName, EndpointName) {
    let mut router = Router::new(Limits { window_messages, ..Limits::default() });
    let (near, far) = router.create_pipe();
    (router, near, far)
}

fn wake(router: &mut Router<u8>) {
    std::mem::take(&mut router.effects_mut().wake).each(Waker::wake);
}

#[test]
fn whatever_happens_to_an_end_wakes_whom_it_concerns() {
    type Event = fn(&mut Router<u8>, EndpointName, EndpointName);
    let events: [(&str, Event, bool, bool); 6] = [
        ("a message comes", |router, _, far| router.send(far, draft(0)).expect("there is room"), true, false),
        (
            "a message is read",
            |router, _, far| assert!(matches!(router.receive(far), Received::Message(_))),
            false,
            true,
        ),
        ("the other end is closed", |router, _, far| router.close(far, Why::Closed), true, true),
        ("it is closed itself", |router, near, _| router.close(near, Why::Closed), true, true),
        (
            "it travels",
            |router, near, _| {
                let (carrier, _) = router.create_pipe();
                let draft = Draft { ends: vec![near].into(), ..draft(0) };
                router.send(carrier, draft).expect("there is room");
                router.pack(near);
            },
            true,
            true,
        ),
        ("nobody can hear it any more", |router, near, _| router.lose_peer(near, Why::PeerDied), false, true),
    ];
    for (event, happen, reads, writes) in events {
        let (mut router, near, far) = pipe(1);
        router.send(near, draft(0)).expect("there is room");
        let (reader, reader_woken) = sleeper();
        let (writer, writer_woken) = sleeper();
        assert!(router.swap_reader(near, Some(reader)).is_none(), "nobody read before");
        let (mut ticket, mut other) = (None, None);
        assert!(router.add_writer(near, &mut ticket, writer.clone()).is_none(), "nobody wrote before");
        assert!(router.add_writer(near, &mut ticket, writer.clone()).is_some(), "it is there already");
        assert!(router.add_writer(near, &mut other, writer).is_none(), "this is another");
        let other = other.and_then(|other| router.forget_writer(near, other));
        assert!(other.is_some(), "it waits no longer");
        happen(&mut router, near, far);
        wake(&mut router);
        let woken = (reader_woken(), writer_woken());
        assert_eq!(woken, (usize::from(reads), usize::from(writes)), "{event}");
    }
}

#[test]
fn whoever_is_replaced_comes_back() {
    let (mut router, near, far) = pipe(1);
    let [(first, first_woken), (second, second_woken)] = [(); 2].map(|()| sleeper());
    assert!(router.swap_reader(near, None).is_none(), "there is nobody");
    assert!(router.swap_reader(near, Some(first)).is_none());
    router.swap_reader(near, Some(second)).expect("the first").wake();
    router.send(far, draft(0)).expect("there is room");
    wake(&mut router);
    assert_eq!((first_woken(), second_woken()), (1, 1));
    let (third, third_woken) = sleeper();
    router.swap_reader(near, Some(third));
    router.swap_reader(near, None).expect("the third").wake();
    assert_eq!(third_woken(), 1);
    // Where nobody can wait, whoever would comes back.
    router.close(near, Why::Closed);
    let (nobody, _) = sleeper();
    assert!(router.swap_reader(near, Some(nobody.clone())).is_some());
    assert!(router.add_writer(near, &mut None, nobody).is_some());
}

#[test]
fn there_is_use_in_waiting_while_a_full_pipe_is_open() {
    let (mut router, near, far) = pipe(1);
    assert!(router.is_ready(near));
    router.send(near, draft(0)).expect("there is room");
    assert!(!router.is_ready(near), "it is full");
    router.lose_peer(near, Why::PeerDied);
    assert!(router.is_ready(near), "nobody listens");
    router.close(near, Why::Closed);
    assert!(router.is_ready(near), "it is gone");
    assert_eq!((router.sent_messages(near), router.sent_messages(far)), (0, 0));
}

/// A reader waits when there is nothing; an eager one already when there is nothing more. Nobody waits for what has ended.
#[test]
fn readers_wait_for_what_may_come() {
    for eager in [false, true] {
        for (unread, ended) in [(0, false), (0, true), (1, false), (1, true), (2, false), (2, true)] {
            let (mut router, near, far) = pipe(4);
            (0..unread).for_each(|_| router.send(far, draft(0)).expect("there is room"));
            assert_eq!(router.sent_messages(far), unread);
            if ended {
                router.close(far, Why::Closed);
            }
            let (waker, woken) = sleeper();
            let waker = || Some(waker.clone());
            let mut reader = if eager { Reader::eager(waker) } else { Reader::new(waker) };
            assert!(!reader.waits());
            let received = router.receive_or_wait(near, &mut reader);
            match (unread, ended) {
                (0, false) => assert!(matches!(received, Received::Empty)),
                (0, true) => assert!(matches!(received, Received::Ended(Why::Closed))),
                _ => assert!(matches!(received, Received::Message(_))),
            }
            let waits = !ended && (unread == 0 || eager && unread == 1);
            assert_eq!(reader.waits(), waits, "{unread} unread");
            let look = router.look(near, 0).map(|(next, messages)| (next, messages.count() as u64));
            assert_eq!(look, (!ended).then_some((unread, unread.saturating_sub(1))));
            if !ended {
                router.send(far, draft(0)).expect("there is room");
                wake(&mut router);
            }
            assert_eq!(woken(), usize::from(waits));
        }
    }
    let (mut router, near, _) = pipe(1);
    let mut nobody = Reader::new(|| None);
    assert!(matches!(router.receive_or_wait(near, &mut nobody), Received::Empty));
    assert!(!nobody.waits(), "there is nobody who could");
}

/// There is something to do if there is anything of any kind.
#[test]
fn effects_of_each_kind_are_effects() {
    use crate::core::effect::Effect;
    let mut router = pipe(1).0;
    let (waker, _) = sleeper();
    assert!(router.effects_mut().is_empty());
    router.effects_mut().list.push(Effect::BrokerLost);
    assert!(!std::mem::take(router.effects_mut()).is_empty());
    router.effects_mut().wake.push(waker);
    assert!(!std::mem::take(router.effects_mut()).is_empty());
    router.effects_mut().trash.push(1);
    assert!(!std::mem::take(router.effects_mut()).is_empty());
}
