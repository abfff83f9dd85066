//! Each defence is taken away once. The test passes because the promises are then broken, and somebody notices.

use super::{one, stories};
use crate::core::probe::{Mutation, mutate};
use crate::core::tests::seeds;

type Story = fn() -> Result<(), String>;

/// How it is noticed that a defence is missing.
#[derive(Clone, Copy)]
pub(in crate::core::tests) enum By {
    Siege,
    Story(Story),
}

/// Every defence, and how its absence is noticed.
pub(in crate::core::tests) const DEFENCES: &[(Mutation, By)] = &[
    (Mutation::NumbersUnchecked, By::Siege),
    (Mutation::AcceptedOfStrangers, By::Siege),
    (Mutation::BypassOfStrangers, By::Siege),
    (Mutation::AckOfStrangers, By::Siege),
    (Mutation::GoneOfStrangers, By::Siege),
    (Mutation::StrayIsViolation, By::Siege),
    (Mutation::SelfSuccessorIsViolation, By::Story(stories::named_as_its_own_successor)),
    (Mutation::HoldUnbounded, By::Siege),
    (Mutation::HoldOverflowCostsLink, By::Siege),
    (Mutation::OriginsMerged, By::Story(stories::deputies_fill_a_hold)),
    (Mutation::CreatorsBelieved, By::Siege),
    (Mutation::OriginsUnbounded, By::Story(stories::speaks_for_many)),
    (Mutation::CrowdUnbounded, By::Story(stories::brings_a_crowd)),
    (Mutation::NamesUnbounded, By::Story(stories::names_everybody)),
    (Mutation::AllowanceUnbounded, By::Story(stories::ends_in_ends_in_ends)),
    (Mutation::WindowUnchecked, By::Siege),
    (Mutation::CreditUnchecked, By::Siege),
    (Mutation::IntroducerUnchecked, By::Story(stories::introduces_itself_as_another)),
    (Mutation::RefuserUnchecked, By::Story(stories::refuses_for_the_broker)),
    (Mutation::RingsTurn, By::Story(stories::places_in_a_ring)),
    (Mutation::AheadUnbounded, By::Story(stories::has_much_passed_on)),
];

#[test]
fn the_siege_notices_missing_defences() {
    let sieges = DEFENCES.iter().filter(|(_, by)| matches!(by, By::Siege)).map(|(mutation, _)| *mutation);
    let unseen = seeds::unnoticed(sieges, one);
    assert!(unseen.is_empty(), "not noticed: {unseen:?}");
}

#[test]
fn stories_notice_the_others() {
    for (mutation, by) in DEFENCES {
        if let By::Story(story) = by {
            assert_eq!(story(), Ok(()));
            mutate(Some(*mutation));
            let told = story();
            mutate(None);
            assert!(told.is_err(), "not noticed: {mutation:?}");
        }
    }
}
