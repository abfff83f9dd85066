//! [`Crowd`]: many things that are polled by one task, each only when it has something to say, and each in its turn.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use mage_sched::Mailbox;

/// Members polled in one poll before other tasks get their turn.
const MEMBERS_PER_POLL: u32 = 32;

/// Which end of a set: a number that no other end of that set has, or has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndId(u64);

/// Where the numbers of one set come from.
#[derive(Clone, Debug, Default)]
pub(super) struct EndIds(Arc<AtomicU64>);

impl EndIds {
    pub(super) fn next(&self) -> EndId {
        // They only have to differ; they order nothing else.
        EndId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Members, and the line of those who have called out.
pub(super) struct Crowd<M> {
    pub(super) ids: EndIds,
    members: BTreeMap<EndId, Member<M>>,
    line: Arc<Mailbox<EndId>>,
}

struct Member<M> {
    value: M,
    bell: Arc<Bell>,
    /// The bell, as what is polled wants it.
    waker: Waker,
}

/// Puts its member into the line, once.
struct Bell {
    id: EndId,
    line: Arc<Mailbox<EndId>>,
    /// Whether the member stands in the line already.
    is_in_line: AtomicBool,
}

impl<M> Crowd<M> {
    pub(super) fn new() -> Self {
        Self { ids: EndIds::default(), members: BTreeMap::new(), line: Arc::default() }
    }

    /// Adds a member, which will be polled once before it has called out.
    pub(super) fn insert(&mut self, id: EndId, value: M) {
        let bell = Bell { id, line: Arc::clone(&self.line), is_in_line: AtomicBool::new(false) };
        let bell = Arc::new(bell);
        bell.ring();
        let waker = Waker::from(Arc::clone(&bell));
        self.members.insert(id, Member { value, bell, waker });
    }

    pub(super) fn remove(&mut self, id: EndId) -> Option<M> {
        self.members.remove(&id).map(|member| member.value)
    }

    pub(super) fn get_mut(&mut self, id: EndId) -> Option<&mut M> {
        self.members.get_mut(&id).map(|member| &mut member.value)
    }

    pub(super) fn get(&self, id: EndId) -> Option<&M> {
        self.members.get(&id).map(|member| &member.value)
    }

    /// In the order in which they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EndId, &M)> {
        self.members.iter().map(|(id, member)| (*id, &member.value))
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Polls those who have called out, one after the other, until one is ready. That one goes to the end of the line, so
    /// that a member who always has something to say keeps nobody else waiting.
    pub(super) fn poll_any<R>(
        &mut self,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut M, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<(EndId, R)> {
        for _ in 0..MEMBERS_PER_POLL {
            // A crowd keeps its line for as long as it lives.
            let Poll::Ready(Some(id)) = self.line.poll_pop(context) else { return Poll::Pending };
            // Whoever has been removed may still have stood in the line.
            let Some(member) = self.members.get_mut(&id) else { continue };
            // Before it is polled: whatever happens from now on puts it into the line again.
            member.bell.is_in_line.store(false, Ordering::SeqCst);
            if let Poll::Ready(result) = poll(&mut member.value, &mut Context::from_waker(&member.waker)) {
                member.bell.ring();
                return Poll::Ready((id, result));
            }
        }
        // Members call out without having anything to say, and perhaps do so for ever: others have their turn.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Bell {
    fn ring(&self) {
        if !self.is_in_line.swap(true, Ordering::SeqCst) {
            // A crowd keeps its line for as long as it has members.
            let _ = self.line.push(self.id);
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

impl<M> fmt::Debug for Crowd<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.members.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member that has so many things to say.
    fn crowd(counts: &[u32]) -> (Crowd<u32>, Vec<EndId>) {
        let mut crowd = Crowd::new();
        let ids: Vec<EndId> = counts.iter().map(|_| crowd.ids.next()).collect();
        for (id, count) in ids.iter().zip(counts) {
            crowd.insert(*id, *count);
        }
        (crowd, ids)
    }

    fn next(crowd: &mut Crowd<u32>) -> Poll<EndId> {
        let mut context = Context::from_waker(Waker::noop());
        let say = |left: &mut u32, _: &mut Context<'_>| {
            if *left == 0 {
                return Poll::Pending;
            }
            *left -= 1;
            Poll::Ready(())
        };
        crowd.poll_any(&mut context, say).map(|(id, ())| id)
    }

    #[test]
    fn each_has_its_turn() {
        let (mut crowd, ids) = crowd(&[100, 2, 1]);
        let said: Vec<_> = (0..6).map(|_| next(&mut crowd)).collect();
        let [first, second, third] = ids[..] else { panic!("three were added") };
        assert_eq!(said, [first, second, third, first, second, first].map(Poll::Ready));
    }

    #[test]
    fn a_member_who_calls_out_for_nothing_has_its_turn_and_no_more() {
        let (mut crowd, ids) = crowd(&[0, 0]);
        let mut polled = 0;
        let mut poll = |crowd: &mut Crowd<u32>, loud: bool| {
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            let told = crowd.poll_any(&mut Context::from_waker(&waker), |_, context| {
                polled += 1;
                assert!(polled < 10_000, "there is no end to it");
                if loud {
                    context.waker().wake_by_ref();
                }
                Poll::<()>::Pending
            });
            assert!(told.is_pending());
            woken.0.load(Ordering::SeqCst)
        };
        assert!(poll(&mut crowd, true), "the crowd has more to do");
        assert!(!poll(&mut crowd, false), "until all are silent");
        assert_eq!(ids.len(), crowd.len());
    }

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn who_was_removed_is_passed_over() {
        let (mut crowd, ids) = crowd(&[1, 1]);
        assert_eq!(crowd.remove(ids[0]), Some(1));
        assert_eq!(next(&mut crowd), Poll::Ready(ids[1]));
        assert_eq!(next(&mut crowd), Poll::Pending);
        assert_eq!(crowd.len(), 1);
    }

    #[test]
    fn nobody_is_polled_who_has_not_called_out() {
        let (mut crowd, ids) = crowd(&[0, 0]);
        assert_eq!(next(&mut crowd), Poll::Pending);
        *crowd.get_mut(ids[0]).expect("it is a member") = 1;
        assert_eq!(next(&mut crowd), Poll::Pending);
        crowd.members[&ids[0]].waker.wake_by_ref();
        crowd.members[&ids[0]].waker.wake_by_ref();
        assert_eq!(next(&mut crowd), Poll::Ready(ids[0]));
        assert_eq!(next(&mut crowd), Poll::Pending);
    }
}
