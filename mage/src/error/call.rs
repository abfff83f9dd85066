//! Why a call has no answer.

use std::fmt;

use super::{BadMessage, SendError, Why};

/// Why a call has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The call was never sent; what it carried is in the error.
    NotSent(SendError),
    /// The other end is gone, for this reason; whether the method ran is not known.
    PeerGone(Why),
    /// The handler dropped its [`Reply`](crate::Reply) without answering.
    NoReply,
    /// The answer does not decode, or the other end rejected a message of this pipe ([`BadMessage::Rejected`]). The pipe is
    /// closed.
    BadMessage(BadMessage),
    /// The pipe was taken back from the remote while the call was under way; whether the method ran is not known.
    Cancelled,
    /// Its time was up. The other side is told that nobody waits any more; whether the method ran is not known.
    Deadline,
    /// The method is newer than the interface is at the other end. The pipe stays as it is.
    NoSuchMethod {
        /// The interface.
        interface: &'static str,
        /// The method.
        method: &'static str,
        /// The version that has it first.
        since: u32,
        /// The version of the other end.
        version: u32,
    },
    /// The other end is older than what was asked for. The pipe stays as it is.
    OlderVersion {
        /// The interface.
        interface: &'static str,
        /// The version that was asked for.
        required: u32,
        /// The version of the other end.
        version: u32,
    },
    /// The other end speaks another interface, or a build of this one that differs in something which both know. The
    /// pipe is closed.
    OtherInterface {
        /// The interface of this end.
        interface: &'static str,
        /// What differs, if the other end has told.
        difference: Option<Box<Difference>>,
    },
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(error) => write!(formatter, "the call was not sent: {error}"),
            Self::PeerGone(why) => write!(formatter, "the call has no answer: {why}"),
            Self::NoReply => formatter.write_str("the handler dropped its reply"),
            Self::BadMessage(bad) => write!(formatter, "a message was bad: {bad}"),
            Self::Cancelled => formatter.write_str("the call was given up with its remote"),
            Self::Deadline => formatter.write_str("the time for the call was up"),
            Self::NoSuchMethod { interface, method, since, version } => write!(
                formatter,
                "{interface} has {method} since version {since}, and the other end is of version {version}"
            ),
            Self::OlderVersion { interface, required, version } => write!(
                formatter,
                "version {required} of {interface} is wanted, and the other end is of version {version}"
            ),
            Self::OtherInterface { interface, difference: None } => {
                write!(formatter, "the other end speaks another interface than {interface}")
            }
            Self::OtherInterface { interface, difference: Some(difference) } => {
                write!(formatter, "the other end speaks another {interface}: {difference}")
            }
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotSent(error) => Some(error),
            Self::BadMessage(bad) => Some(bad),
            Self::PeerGone(_)
            | Self::NoReply
            | Self::Cancelled
            | Self::Deadline
            | Self::NoSuchMethod { .. }
            | Self::OlderVersion { .. }
            | Self::OtherInterface { .. } => None,
        }
    }
}

/// Where the interfaces of two ends differ: the first place of several.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The interface, struct, union or enum that differs, with its module.
    pub definition: String,
    /// The method, if it is an interface and not its name that differs.
    pub method: Option<String>,
    /// The parameter, response value, field, member or value, if it is not the definition or the method itself.
    pub field: Option<String>,
    /// What this end has there, as it would be written in a `.magen` file.
    pub here: String,
    /// What the other end has there.
    pub there: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.definition)?;
        if let Some(method) = &self.method {
            write!(formatter, ", method `{method}`")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, ", `{field}`")?;
        }
        write!(formatter, ": `{}` here, `{}` there", self.here, self.there)
    }
}
