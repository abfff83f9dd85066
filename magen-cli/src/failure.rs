//! Why a command ends without having done its work.

/// What ends a command early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Help or the version was asked for: this is it.
    Answered(String),
    /// What is wrong with the inputs or with the files, ready to be shown.
    Faults(Vec<String>),
    /// The arguments make no sense.
    Usage(lexopt::Error),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(lexopt::Error::Custom(message.into().into()))
    }

    /// One fault in an input or with a file.
    pub(crate) fn fault(text: impl Into<String>) -> Self {
        Self::Faults(vec![text.into()])
    }

    /// A failure if there are any faults.
    pub(crate) fn check(faults: Vec<String>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self::Faults(faults)) }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error)
    }
}
