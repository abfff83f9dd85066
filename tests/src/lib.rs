//! What the tests share: the schedulers, the child processes, and a few helpers.
//!
//! A test is one `async fn` that takes a [`Stage`]; [`on_every_scheduler!`] makes a test of it on each scheduler. The
//! processes on the other side are all `mage-test-child`, which runs on the scheduler that the test runs on.

pub mod counting;
pub mod directory;
pub mod evil;
mod fated;
mod mapped;
mod matrix;
pub mod member;
mod puppet;
pub mod random;
pub mod raw;
pub mod refused;
#[cfg(target_os = "linux")]
pub mod sandbox;
mod serve;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod traced;
pub mod victim;
pub mod waits;
mod watchdog;
pub mod words;

pub use fated::serve_fate;
pub use mapped::{Label, Percent, Word};
pub use matrix::{Flavor, Stage, run};
pub use puppet::{Puppet, quiet};
pub use serve::{EchoImpl, mirror, next, next_text, text_of};
pub use watchdog::Watchdog;

/// The generated interfaces.
pub mod fixtures {
    mage::include_magen!("fixtures");
}

/// Interfaces with everything that the compiler makes only when it is asked to.
pub mod asked_for {
    mage::include_magen!("asked_for");
}

/// One interface in three builds: as it was, as it became, and as somebody else made it.
pub mod players {
    mage::include_magen!(
        pub mod player_old;
        pub mod player_new;
        pub mod player_other;
    );
}

/// What a child is told with its second argument.
pub mod role {
    /// Accepts the invitation on standard input and serves `Child` on its pipe.
    pub const SERVE: &str = "serve";
    /// Sends an invitation over standard input and serves `Child` on its pipe.
    pub const INVITE: &str = "invite";
    /// Accepts, and calls `FirstInterface` on the pipe.
    pub const ACCEPT_AND_CALL: &str = "accept-and-call";
    /// Invites, and calls `FirstInterface` on the pipe.
    pub const INVITE_AND_CALL: &str = "invite-and-call";
    /// Invites, waits for a word from the other side, and then calls.
    pub const INVITE_WAIT_AND_CALL: &str = "invite-wait-and-call";
    /// Accepts, and sends the pipe back over the one that comes out of it.
    pub const ACCEPT_AND_RETURN: &str = "accept-and-return";
    /// Invites, and sends the pipe back over the one that comes out of it.
    pub const INVITE_AND_RETURN: &str = "invite-and-return";
    /// Accepts, says so through the pipe, and writes to standard output why the pipe ends.
    pub const ACCEPT_AND_WATCH: &str = "accept-and-watch";
    /// Accepts, and serves `Member`.
    pub const MEMBER: &str = "member";
    /// Invites, and serves `Member`.
    pub const MEMBER_INVITES: &str = "member-invites";
    /// Connects to the service that the environment names, and serves `Member`.
    pub const MEMBER_CONNECTS: &str = "member-connects";
    /// Invites, and is attacked by whom it is told to meet.
    pub const VICTIM: &str = "victim";
    /// Accepts, locks itself in, and serves `Child`.
    pub const SANDBOXED: &str = "sandboxed";
    /// By hand: does nothing, and stands there.
    pub const STOP_BEFORE_HELLO: &str = "stop-before-hello";
    /// By hand: accepts as far as the hello, and stands there.
    pub const STOP_AFTER_HELLO: &str = "stop-after-hello";
    /// By hand: accepts as far as the other side's welcome, and stands there.
    pub const STOP_AFTER_WELCOME: &str = "stop-after-welcome";
    /// By hand: accepts to the end, and stands there.
    pub const STOP_AFTER_ACCEPTED: &str = "stop-after-accepted";
    /// By hand: invites as far as the hello, and stands there.
    pub const STOP_AFTER_INVITING: &str = "stop-after-inviting";
    /// By hand: invites as far as the welcome, and stands there.
    pub const STOP_AFTER_WELCOMING: &str = "stop-after-welcoming";
    /// By hand: invites to the end, and stands there.
    pub const STOP_AFTER_ACCEPTANCE: &str = "stop-after-acceptance";
}
