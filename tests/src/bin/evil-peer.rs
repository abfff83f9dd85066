//! `evil-peer <group> <row> <number> <honest>`: says what the row says over standard input, and stays until it is killed.
//!
//! The number makes its names differ from those of its predecessors; the last argument is the name of an honest node in the victim's
//! network. The groups are those of `mage_tests::evil`, and three that are not lists: `handshake`, whose rows are the bits of a good
//! one, each turned over, `half_open`, whose rows are handshakes that stop, and `deputy`, who has the honest node say what it may
//! not say itself.

use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;
use std::{env, fs, io, thread};

use mage_tests::evil::{self, Called, End, Known, Part};
use mage_tests::raw::{self, Name, RawPeer, kind};
use mage_tests::{Flavor, Stage};
use rustix::io::Errno;

type Anything = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match mage_tests::run(Flavor::Loop, |stage| async move { attack(&stage).await }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evil-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn attack(stage: &Stage) -> Anything {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [group, row, number, honest] = arguments.as_slice() else {
        return Err("usage: evil-peer <group> <row> <number> <honest>".into());
    };
    let (row, called): (usize, Called) = (row.parse()?, Called::numbered(number.parse()?));
    let honest = name(honest).ok_or("a name has thirty-two digits")?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let mut peer = RawPeer::new(&*stage.scheduler, socket);
    match group.as_str() {
        "handshake" => turn_over(&mut peer, row, called).await?,
        "half_open" => peer.write(&evil::half_a_hello(row)).await?,
        "deputy" => accuse(stage, &mut peer, called, honest).await?,
        _ => {
            let (_, rows) = evil::GROUPS.iter().find(|(name, _)| name == group).ok_or("no such group")?;
            let attack = rows.get(row).ok_or("no such row")?;
            let known = evil::enter(&mut peer, attack.1, called, honest).await?;
            say_all(&mut peer, attack, &known).await;
        }
    }
    peer.until_hang_up().await;
    Ok(())
}

fn name(digits: &str) -> Option<Name> {
    let mut name = Name::default();
    for (place, byte) in name.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(name)
}

/// Says it all, unless the victim hangs up.
async fn say_all(peer: &mut RawPeer, attack: &evil::Attack, known: &Known) {
    let handle = fs::File::open("/dev/null").expect("it is there");
    for (bytes, handles) in attack.2(known) {
        if !say(peer, &bytes, &vec![handle.as_fd(); handles]).await {
            return;
        }
    }
    if let End::Nothing(sequence) = attack.3 {
        say(peer, &evil::as_ever(known, sequence), &[]).await;
    }
}

async fn say(peer: &mut RawPeer, bytes: &[u8], handles: &[BorrowedFd<'_>]) -> bool {
    loop {
        match peer.write_with(bytes, handles).await {
            // The kernel passes no more before the victim has taken some.
            Err(error) if error.raw_os_error() == Some(Errno::TOOMANYREFS.raw_os_error()) => {
                thread::yield_now()
            }
            result => return result.is_ok(),
        }
    }
}

/// A good handshake of an inviter, of which one bit is turned over; and that is all it says.
async fn turn_over(peer: &mut RawPeer, bit: usize, called: Called) -> Anything {
    let welcome = raw::welcome_by(called.me, called.victim, &[raw::descriptor(1)]);
    let mut said = [raw::invites(), welcome, raw::user(0, 1, b"hello")].concat();
    let bytes = said.len();
    said[bit / 8 % bytes] ^= 1 << (bit % 8);
    let _ = peer.write(&said).await;
    std::process::exit(0);
}

/// Is introduced to the honest node, and has it close thousands of ends whose pipes, it says, go on at the victim's own.
async fn accuse(stage: &Stage, peer: &mut RawPeer, called: Called, honest: Name) -> Anything {
    let known = evil::enter(peer, Part::Guest, called, honest).await?;
    peer.write(&raw::frame(kind::REQUEST_INTRODUCTION, &honest)).await?;
    let socket = peer.handle().await?;
    let mut deputy = RawPeer::new(&*stage.scheduler, socket);
    for number in 0..2000 {
        deputy.write(&evil::to_be_closed_by_a_deputy(known.victim, number)).await?;
    }
    peer.write(&evil::as_ever(&known, 0)).await?;
    deputy.until_hang_up().await;
    Ok(())
}
