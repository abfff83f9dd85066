//! More of it than anybody takes.

use crate::raw::{self, kind};
use mage::PeerMisbehaved;

use super::attack::End::{Fault, Nothing};
use super::attack::Part::{Guest, Inviter};
use super::attack::{
    Attack, GRANTED, SENDER, Said, address, between, count, elsewhere, endpoint, every_kind, many, message,
    sending_to,
};

/// More of it than anybody takes.
pub const FLOODS: &[Attack] = &[
    Attack(
        "questions whose answers it never reads",
        Inviter,
        |known| {
            vec![(between(kind::BYPASS, (SENDER, 99), known.peer, &address(SENDER, (SENDER, 3))), 0); 300_000]
        },
        Fault(PeerMisbehaved::TooManyRequests),
    ),
    Attack(
        "introductions whose refusals it never reads",
        Guest,
        |known| vec![(raw::frame(kind::REQUEST_INTRODUCTION, &known.nobody), 0); 300_000],
        Fault(PeerMisbehaved::TooManyRequests),
    ),
    Attack(
        "admissions that it never reads",
        Guest,
        |_| vec![(raw::frame(kind::REQUEST_ADMISSION, &[3; 8]), 0); 300_000],
        Fault(PeerMisbehaved::TooManyRequests),
    ),
    Attack(
        "what has to be held, from one stranger",
        Inviter,
        |known| vec![(message(known.to, (SENDER, 4000), (0, 1), &[]), 0); 200_000],
        Nothing(0),
    ),
    Attack(
        "what has to be held, from many strangers",
        Inviter,
        |known| many((0..50_000).map(|number| every_kind(known.to, (SENDER, 4000 + number)))),
        Nothing(0),
    ),
    Attack(
        "what has to be held, from strangers whose makers never were",
        Inviter,
        |known| {
            let stranger = |number: u32| {
                let maker = [&[2][..], &number.to_le_bytes(), &[6; 12], &1_u64.to_le_bytes()].concat();
                let (sequence, hops, no_ends) = (0_u64.to_le_bytes(), 1_u16.to_le_bytes(), [0]);
                let body = [&endpoint(known.to)[..], &maker, &sequence, &hops, &no_ends].concat();
                raw::frame(kind::USER, &body)
            };
            many((0..100_000).map(stranger))
        },
        Nothing(0),
    ),
    Attack(
        "what has to be held, from strangers whose makers it has named",
        Inviter,
        |known| {
            let name = |number: u64| {
                let mut name = [4; 16];
                name[..8].copy_from_slice(&number.to_le_bytes());
                name
            };
            let ends = |first: u64| {
                let ends = (first..first + 64).map(|number| sending_to(number, &elsewhere(name(number), 1)));
                ends.collect::<Vec<_>>()
            };
            let mut said: Vec<Said> = (0..4)
                .map(|number| (message(known.to, known.prev, (number, 1), &ends(2 + 64 * number)), 0))
                .collect();
            said.extend((2..258).map(|number| {
                let maker = [&[2][..], &name(number), &1_u64.to_le_bytes()].concat();
                let (sequence, hops, no_ends) = (0_u64.to_le_bytes(), 1_u16.to_le_bytes(), [0]);
                let large = vec![7; 1 << 20];
                (
                    raw::frame(
                        kind::USER,
                        &[&endpoint(known.to)[..], &maker, &sequence, &hops, &no_ends, &large].concat(),
                    ),
                    0,
                )
            }));
            said
        },
        Nothing(4),
    ),
    Attack(
        "credit that says a little more each time",
        Inviter,
        |known| {
            many(
                (0..200_000_u64)
                    .map(|more| between(kind::CREDIT, known.to, known.prev, &count(1025, (8 << 20) + more))),
            )
        },
        Nothing(0),
    ),
    Attack(
        "a window that nobody keeps",
        Inviter,
        |known| {
            let most = (8_u64 << 30).to_le_bytes();
            let mut end = raw::descriptor(2);
            end[GRANTED + 8..GRANTED + 16].copy_from_slice(&most);
            let mut said = vec![(message(known.to, known.prev, (0, 1), &[end]), 0)];
            said.extend((0..200).map(|number| {
                let mut large = message((SENDER, 2), (SENDER, 2), (number, 1), &[]);
                large.resize(large.len() + (1 << 20), 7);
                let length = u32::try_from(large.len()).expect("a frame is shorter");
                large[..4].copy_from_slice(&length.to_le_bytes());
                (large, 0)
            }));
            said
        },
        Nothing(1),
    ),
    Attack(
        "ends whose pipes begin at nodes that never were",
        Inviter,
        |known| {
            let ends = |first: u64| {
                (first..first + 64)
                    .map(|number| {
                        let mut name = [5; 16];
                        name[..8].copy_from_slice(&number.to_le_bytes());
                        sending_to(number, &elsewhere(name, number))
                    })
                    .collect::<Vec<_>>()
            };
            (0..200)
                .map(|number| (message(known.to, known.prev, (number, 1), &ends(2 + 64 * number)), 0))
                .collect()
        },
        Nothing(200),
    ),
];
