//! Two networks at one node: pipes of the one stay out of the other.

use super::oracle::Hand;
use super::scenarios::Story;
use super::world::BROKER;
use crate::error::{FuseError, SendErrorKind};
use crate::limits::Limits;

/// A broker with a member, and a pipe to somebody in a network of two: its end, and the other.
fn apart() -> (Story, Hand, Hand) {
    const OUTSIDER: usize = 2;
    let mut story = Story::with_outsiders(3, 1, Limits::default());
    let [near, far] = story.oracle.create(&mut story.world, BROKER);
    story.world.sponsor(BROKER, OUTSIDER, far.end, true);
    story.oracle.hands.retain(|hand| *hand != far);
    story.rest();
    story.oracle.take_accepted(&mut story.world);
    let far = story.oracle.hands.iter().copied().find(|hand| hand.node == OUTSIDER);
    (story, near, far.expect("it has accepted"))
}

/// One end of a pipe waits in an end that is on its way to a member of the one network. Then the other end cannot go into
/// the other, though nothing of the pipe has left the node.
pub(super) fn about_to_leave() -> Result<(), String> {
    let (mut story, isolated, _) = apart();
    let (to_member, _) = story.pipes[0];
    let [x, y] = story.oracle.create(&mut story.world, BROKER);
    let [u, far_of_u] = story.oracle.create(&mut story.world, BROKER);
    story.send(to_member, &[u]).expect("it may travel");
    story.send(far_of_u, &[x]).expect("it follows");
    match story.send(isolated, &[y]) {
        Err(SendErrorKind::OtherNetwork) => story.conclude(),
        sent => Err(format!("{sent:?}")),
    }
}

#[test]
fn an_end_that_is_about_to_leave_counts_as_gone() {
    assert_eq!(about_to_leave(), Ok(()));
}

/// The guest has not even said hello. Its pipe belongs to its network all the same.
#[test]
fn an_invitation_counts_before_it_is_accepted() {
    let mut story = Story::with_outsiders(3, 1, Limits::default());
    let (to_member, member) = story.pipes[0];
    let [of_member, rest] = story.oracle.create(&mut story.world, BROKER);
    story.carry(of_member, to_member, member);
    let [near, far] = story.oracle.create(&mut story.world, BROKER);
    story.world.sponsor(BROKER, 2, far.end, true);
    story.oracle.hands.retain(|hand| *hand != far);
    assert_eq!(story.send(near, &[rest]), Err(SendErrorKind::OtherNetwork));
    let [fresh, _] = story.oracle.create(&mut story.world, BROKER);
    assert_eq!(story.send(to_member, &[fresh]), Ok(()), "it goes with no invitation");
}

/// New pipes pass, pipes of the network do not, and neither do they in the queue of a new one.
#[test]
fn nothing_passes_from_one_network_into_another() {
    let (mut story, isolated, outsider) = apart();
    let (to_member, member) = story.pipes[0];
    let [joint, other] = [isolated, to_member].map(|hand| hand.end);
    let fused = story.world.run(BROKER, |router| router.fuse(joint, other));
    assert_eq!(fused, Err(FuseError::OtherNetwork), "a fused pipe would lead through both");
    let [near, far] = story.oracle.create(&mut story.world, BROKER);
    let [of_member, rest] = story.oracle.create(&mut story.world, BROKER);
    story.carry(of_member, to_member, member);
    assert_eq!(story.send(isolated, &[rest]), Err(SendErrorKind::OtherNetwork));
    story.send(near, &[rest]).expect("both are here");
    assert_eq!(story.send(isolated, &[far]), Err(SendErrorKind::OtherNetwork), "it has the other in it");
    assert_eq!(story.receive(far), [rest]);
    story.carry(far, isolated, outsider);
    assert_eq!(story.world.links_between(1, 2), 0);
    assert_eq!(story.conclude(), Ok(()));
}
