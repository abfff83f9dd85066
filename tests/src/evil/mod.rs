//! A peer that wants to do harm, and says what it likes by hand.
//!
//! An attack is a row: what the peer is to its victim, what it says, and what becomes of it. `tests/hostile.rs` has them said
//! within one process, and by the program `evil-peer` to a process of its own.

mod attack;
mod controls;
mod floods;
mod forgeries;
mod frames;
mod messages;

use std::io;

pub use attack::{Attack, End, Endpoint, Known, Part, RECEIVER, SENDER, Said, message};
pub use controls::CONTROLS;
pub use floods::FLOODS;
pub use forgeries::FORGERIES;
pub use frames::FRAMES;
pub use messages::MESSAGES;

use crate::raw::{self, Name, RawPeer};

/// All rows, by what they are called together.
pub const GROUPS: &[(&str, &[Attack])] = &[
    ("forgeries", FORGERIES),
    ("messages", MESSAGES),
    ("frames", FRAMES),
    ("controls", CONTROLS),
    ("floods", FLOODS),
];

/// What the peer calls itself and its victim, should it be the one to choose.
#[derive(Clone, Copy, Debug)]
pub struct Called {
    /// Itself.
    pub me: Name,
    /// The victim.
    pub victim: Name,
    /// Somebody who never was.
    pub nobody: Name,
}

impl Called {
    /// Names that differ from one number to the other: who is lost never comes back under the same name.
    pub fn numbered(number: u16) -> Self {
        let [low, high] = number.to_le_bytes();
        let numbered = |name: Name| {
            let mut name = name;
            name[14..].copy_from_slice(&[low, high]);
            name
        };
        Self { me: numbered(raw::INVITER), victim: numbered(raw::GUEST), nobody: numbered([0x77; 16]) }
    }
}

/// The peer's half of the handshake in this part, and what it knows from then on.
///
/// # Errors
/// If the victim hangs up.
///
/// # Panics
/// If the victim says something else than it should.
pub async fn enter(peer: &mut RawPeer, part: Part, called: Called, honest: Name) -> io::Result<Known> {
    match part {
        Part::Inviter => {
            let Called { me, victim, nobody } = called;
            let welcome = raw::welcome_by(me, victim, &[raw::descriptor(1)]);
            peer.write(&[raw::invites(), welcome].concat()).await?;
            let (to, prev) = ((SENDER, 1), (SENDER, 1));
            Ok(Known { to, prev, peer: (SENDER, 1001), honest, nobody, me, victim })
        }
        Part::Guest => {
            peer.write(&raw::accepts()).await?;
            peer.frame().await?;
            let welcome = peer.frame().await?;
            let name = |at: usize| -> Name { *welcome[at..].first_chunk().expect("sixteen bytes") };
            let number = |at: usize| u64::from_le_bytes(*welcome[at..].first_chunk().expect("eight bytes"));
            let descriptor = 8 + 2 + 1 + 3 * 16 + 1 + 1;
            peer.write(&raw::accepted(&welcome)).await?;
            let own = (RECEIVER, number(descriptor));
            let to = (RECEIVER, number(descriptor + 84));
            // The victim's end hears the peer from now on, for nothing overtakes the acceptance.
            Ok(Known {
                to,
                prev: own,
                peer: own,
                honest,
                nobody: called.nobody,
                me: name(11),
                victim: name(27),
            })
        }
    }
}

/// The row of a handshake that stops after so many bytes.
pub fn half_open(part: Part, bytes: usize) -> usize {
    2 * bytes + usize::from(part == Part::Guest)
}

/// What is said in such a row: the beginning of a hello.
pub fn half_a_hello(row: usize) -> Vec<u8> {
    let mut hello = if row.is_multiple_of(2) { raw::invites() } else { raw::accepts() };
    let bytes = row / 2 % hello.len();
    hello.truncate(bytes);
    hello
}

/// What is said when all else has been, to be heard as ever.
///
/// # Panics
/// If it is too long, which it is not.
pub fn as_ever(known: &Known, sequence: u64) -> Vec<u8> {
    let mut last = message(known.to, known.prev, (sequence, 1), &[]);
    last.extend(AS_EVER);
    let length = u32::try_from(last.len()).expect("short");
    last[..4].copy_from_slice(&length.to_le_bytes());
    last
}

/// Its text.
pub const AS_EVER: &[u8] = b"as ever";

/// What an honest node is to do for the peer: close so many ends whose pipes, it is told, go on at those ends of the victim.
/// Each of them says to the victim that it has ended.
pub fn to_be_closed_by_a_deputy(victim: Name, number: u64) -> Vec<u8> {
    let at = |number: u64| {
        let end = [&[2][..], &victim, &number.to_le_bytes()].concat();
        [&[2][..], &victim, &end].concat()
    };
    let ends: Vec<Vec<u8>> =
        (0..32).map(|end| attack::sending_to(1 + 32 * number + end, &at(end % 12))).collect();
    message((RECEIVER, 9999), (SENDER, 9999), (0, 1), &ends)
}
