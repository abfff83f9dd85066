//! Handshakes with anybody.

use super::input::{Input, name};
use super::scene::{Handle, Scene, VICTIM};
use crate::wire::Batch;

/// What the other side of a handshake says, in pieces. It ends in pipes or in a reason, once, and the victim's own pipes do not
/// notice.
pub fn handshake(data: &[u8]) {
    let mut input = Input(data);
    let mut scene = Scene::new();
    let accepting = input.byte() & 1 == 0;
    let link = if accepting { scene.accept(VICTIM) } else { scene.invite(VICTIM, name(0x33)) };
    while !input.is_over() {
        let (piece, handles) = (usize::from(input.byte()), input.byte());
        let some = handles & 0xc0 == 0xc0;
        let batch = some.then(|| Batch {
            handles: (0..handles & 7).map(|_| Handle).collect(),
            truncated: handles & 8 != 0,
        });
        scene.say(VICTIM, link, input.bytes(piece.max(1)), batch);
        scene.take_turn();
    }
    scene.check();
    scene.hang_up(VICTIM, link);
    let answered: usize = scene.nodes[VICTIM].answered.iter().sum();
    assert_eq!(answered, usize::from(accepting), "an acceptance is answered once");
    scene.end();
}
