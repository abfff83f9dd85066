//! Where the tests look into the core, and where they break it on purpose.
//!
//! Outside tests all of this is constant and compiles to nothing.

/// A place that a campaign of random runs must have reached, or must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// A message with ends had been forwarded too often.
    Endless,
    /// A carrier had brought too many ends that nobody has read.
    Overloaded,
    /// A delivery would have closed a circle of pipes that wait in each other.
    Enclosed,
    /// A message had the wrong number, or the window had no room for it.
    OutOfOrder,
    /// A credit exceeded what any reader may grant.
    Overdrawn,
    /// A sender became prev after something of its origin had been discarded.
    Spoiled,
    /// More messages were held of one origin than an honest sender has under way.
    HeldMessages,
    /// More control frames were held of one origin than the limit.
    HeldControls,
    /// Too much waited for a node that had not been met.
    PendingOverflow,
    /// More endpoints than the limit.
    Crowded,
    /// A frame was held for a sender that was not prev yet.
    Held,
    /// Credit came to an end that was moving.
    CreditMoving,
    /// Credit was passed on.
    CreditForwarded,
    /// A link came up for which frames waited.
    PendingFlushed,
    /// An introduction came twice.
    Redundant,
    /// Two pipes became one.
    Fused,
    /// Two pipes, of which one had messages waiting, became one.
    FusedUnread,
    /// A member's guest was admitted.
    Admitted,
    /// It was admitted before it had said hello.
    AdmittedEarly,
    /// It was admitted when it had gone.
    AdmittedLate,
    /// It was turned away.
    TurnedAway,
    /// Nobody was left who could have admitted it.
    NeverAdmitted,
    /// A guest was invited into a network of two.
    #[cfg(test)]
    Isolated,
    /// A pipe was kept within its network.
    #[cfg(test)]
    OtherNetwork,
    /// A node left when nothing was routed through it any more.
    #[cfg(test)]
    Left,
    /// A node left in the middle of everything.
    #[cfg(test)]
    LeftInHaste,
}

/// How often a message that carries pipe ends may be forwarded.
#[cfg(not(test))]
pub(super) const fn hops_max() -> u16 {
    crate::limits::HOPS_MAX
}

/// How often a message that carries pipe ends may be forwarded: less than in truth where a test says so.
#[cfg(test)]
pub(super) fn hops_max() -> u16 {
    HOPS.get()
}

#[cfg(test)]
pub(super) fn set_hops_max(hops: u16) {
    HOPS.set(hops);
}

/// A rule that can be left out, or turned into a plausible mistake, to see whether the tests notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mutation {
    // The ring.
    NoReannouncement,
    NoHold,
    MovingLossUntold,
    PrevLossIgnored,
    LostSuccessorUnchecked,
    SuccessorUnheard,
    NoHopLimit,
    EndNotPassedOn,
    AckWithoutSuccession,
    CommittedPlaceRepoints,
    GoneUnanswered,
    GoneIgnored,
    MuteForgotten,
    OldPlaceForgotten,
    // Windows.
    LimitIgnored,
    CreditOnArrival,
    CreditNotForwarded,
    CreditForgottenWhileMoving,
    CreditToPrev,
    CreditRelative,
    LimitStaysBehind,
    SentStaysBehind,
    GrantedRecomputed,
    ReadStaysBehind,
    CreditOfStrangersDropped,
    CreditOfStrangersBelieved,
    OriginNotRemembered,
    HeldRoomOfThisNode,
    BytesNotCounted,
    // Introductions.
    ReferenceDoesNotAsk,
    ReferenceForgotten,
    PendingReversed,
    PendingDropped,
    NewestLinkWins,
    EitherLinkWins,
    LostNameReturns,
    RedundantSocketDropped,
    FailureIgnored,
    OverflowDropsFrame,
    BrokerLossKeepsAsked,
    BrokerLossUnnoticed,
    BrokerLossLosesAll,
    SilenceToAcquainted,
    NoRoomForgotten,
    // Defences against nodes that lie.
    NumbersUnchecked,
    AcceptedOfStrangers,
    BypassOfStrangers,
    AckOfStrangers,
    GoneOfStrangers,
    StrayIsViolation,
    SelfSuccessorIsViolation,
    HoldUnbounded,
    HoldOverflowCostsLink,
    OriginsMerged,
    CreatorsBelieved,
    OriginsUnbounded,
    CrowdUnbounded,
    NamesUnbounded,
    AllowanceUnbounded,
    WindowUnchecked,
    CreditUnchecked,
    IntroducerUnchecked,
    RefuserUnchecked,
    RingsTurn,
    AheadUnbounded,
    // Guests, networks, leaving.
    UnadmittedGuestsForgotten,
    LateAdmissionKept,
    NetworksMix,
    DepartureOverlooked,
    DrainedTooSoon,
    LeaverHears,
    LeaverSpeaks,
    GuestsUnbounded,
    JoinedBeforeChecked,
    // Carriage.
    CircleAtSend,
    CircleByName,
    CircleAnywhere,
    CarrierNotCleared,
    HopsNotSaturating,
    RefusedEndsStayOpen,
    // Local delivery and the shell.
    WorkReversed,
    DropUnsettled,
    HandlesDropped,
    ReaderNotWoken,
    WritersNotWoken,
}

/// Whether this mistake is being made.
#[cfg(not(test))]
pub(super) const fn mutated(_: Mutation) -> bool {
    false
}

/// Whether this mistake is being made.
#[cfg(test)]
pub(super) fn mutated(mutation: Mutation) -> bool {
    MUTATION.get() == Some(mutation)
}

/// Makes this mistake on this thread from now on, or none.
#[cfg(test)]
pub(super) fn mutate(mutation: Option<Mutation>) {
    MUTATION.set(mutation);
}

#[cfg(test)]
thread_local! {
    static MUTATION: std::cell::Cell<Option<Mutation>> = const { std::cell::Cell::new(None) };
    static HOPS: std::cell::Cell<u16> = const { std::cell::Cell::new(crate::limits::HOPS_MAX) };
    static MARKS: std::cell::RefCell<std::collections::BTreeMap<Mark, usize>> = const {
        std::cell::RefCell::new(std::collections::BTreeMap::new())
    };
}

/// Takes note that this place has been reached.
#[cfg(test)]
pub(super) fn reached(mark: Mark) {
    MARKS.with_borrow_mut(|marks| *marks.entry(mark).or_default() += 1);
}

/// Takes note that this place has been reached.
#[cfg(not(test))]
pub(super) const fn reached(_: Mark) {}

/// How often each place has been reached on this thread since this was last called.
#[cfg(test)]
pub(super) fn take_marks() -> std::collections::BTreeMap<Mark, usize> {
    MARKS.take()
}
