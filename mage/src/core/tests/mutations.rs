//! Mistakes made on purpose, one at a time. A test that cannot see a mistake does not test the rule it breaks.

use std::collections::BTreeSet;

use super::adversary::DEFENCES;
use super::{admissions, campaign, networks, scenarios, seeds};
use crate::core::probe::{Mutation, mutate};

type Scenario = fn() -> Result<(), String>;

/// Mistakes that the random runs notice.
const SEEN_AT_RANDOM: &[Mutation] = &[
    Mutation::NoReannouncement,
    Mutation::NoHold,
    Mutation::MovingLossUntold,
    Mutation::PrevLossIgnored,
    Mutation::LostSuccessorUnchecked,
    Mutation::NoHopLimit,
    Mutation::EndNotPassedOn,
    Mutation::AckWithoutSuccession,
    Mutation::CommittedPlaceRepoints,
    Mutation::OldPlaceForgotten,
    Mutation::LimitIgnored,
    Mutation::CreditOnArrival,
    Mutation::CreditNotForwarded,
    Mutation::CreditForgottenWhileMoving,
    Mutation::CreditToPrev,
    Mutation::CreditRelative,
    Mutation::LimitStaysBehind,
    Mutation::SentStaysBehind,
    Mutation::GrantedRecomputed,
    Mutation::ReadStaysBehind,
    Mutation::CreditOfStrangersDropped,
    Mutation::CreditOfStrangersBelieved,
    Mutation::OriginNotRemembered,
    Mutation::HeldRoomOfThisNode,
    Mutation::BytesNotCounted,
    Mutation::ReferenceDoesNotAsk,
    Mutation::ReferenceForgotten,
    Mutation::LeaverHears,
    Mutation::LeaverSpeaks,
    Mutation::PendingReversed,
    Mutation::PendingDropped,
    Mutation::NewestLinkWins,
    Mutation::EitherLinkWins,
    Mutation::LostNameReturns,
    Mutation::RedundantSocketDropped,
    Mutation::FailureIgnored,
    Mutation::OverflowDropsFrame,
    Mutation::BrokerLossKeepsAsked,
    Mutation::BrokerLossUnnoticed,
    Mutation::BrokerLossLosesAll,
    Mutation::NoRoomForgotten,
    Mutation::UnadmittedGuestsForgotten,
    Mutation::LateAdmissionKept,
    Mutation::NetworksMix,
    Mutation::DrainedTooSoon,
    Mutation::CircleAtSend,
    Mutation::CircleByName,
    Mutation::CircleAnywhere,
    Mutation::CarrierNotCleared,
    Mutation::HopsNotSaturating,
    Mutation::RefusedEndsStayOpen,
    Mutation::WorkReversed,
    Mutation::DropUnsettled,
    Mutation::HandlesDropped,
    Mutation::ReaderNotWoken,
    Mutation::WritersNotWoken,
];

/// Mistakes that honest nodes never suffer from, or not for long, with the scenario that shows the harm.
const SEEN_IN_SCENARIOS: &[(Mutation, Scenario)] = &[
    // In honest rings prev has said `End` or `PrevIs` before it goes.
    (Mutation::GoneUnanswered, scenarios::named_nobody),
    (Mutation::GoneIgnored, scenarios::named_nobody),
    // The end itself arrives soon after; until then the user would talk to nobody.
    (Mutation::MuteForgotten, scenarios::arrives_mute),
    // Only a node that nobody needs any more leaves so quickly.
    (Mutation::DepartureOverlooked, networks::about_to_leave),
    (Mutation::GuestsUnbounded, admissions::guests_are_bounded),
    (Mutation::JoinedBeforeChecked, admissions::a_bad_welcome),
    (Mutation::SuccessorUnheard, scenarios::leaves_in_good_order),
    // Only who has forgotten a name asks for it again.
    (Mutation::SilenceToAcquainted, scenarios::asks_again),
];

#[test]
fn every_mistake_is_listed() {
    let mut listed: BTreeSet<Mutation> = SEEN_AT_RANDOM.iter().copied().collect();
    listed.extend(DEFENCES.iter().map(|(mutation, _)| *mutation));
    listed.extend(SEEN_IN_SCENARIOS.iter().map(|(mutation, _)| *mutation));
    assert_eq!(listed.len(), Mutation::WritersNotWoken as usize + 1);
}

#[test]
fn random_runs_see_every_mistake() {
    let unseen = seeds::unnoticed(SEEN_AT_RANDOM.iter().copied(), campaign::one);
    assert!(unseen.is_empty(), "not seen: {unseen:?}");
}

#[test]
fn scenarios_see_the_others() {
    for (mutation, scenario) in SEEN_IN_SCENARIOS {
        mutate(Some(*mutation));
        let result = scenario();
        mutate(None);
        assert!(result.is_err(), "not seen: {mutation:?}");
    }
}
