//! What is wrong with a message, and where.

use std::error::Error;
use std::fmt;

/// Why a message was not read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    /// From the outermost value inwards; built from the inside out.
    path: String,
    offset: Option<usize>,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The message ends before its values do.
    Truncated,
    /// Bytes or attachments are left over behind the values.
    TrailingData,
    /// A text is not UTF-8.
    InvalidText,
    /// A value is none of those that its type has.
    InvalidValue,
    /// A text, an array or a map is longer than its type allows.
    OutOfBounds,
    /// Values are nested too deep.
    TooDeep,
    /// A pipe or a handle is missing.
    MissingAttachment,
    /// There is no value of this type.
    NoValue,
}

impl FaultKind {
    fn text(self) -> &'static str {
        match self {
            Self::Truncated => "the message ends here",
            Self::TrailingData => "something is left over behind the last value",
            Self::InvalidText => "the text is not UTF-8",
            Self::InvalidValue => "the value is none that this type has",
            Self::OutOfBounds => "it is longer than the interface allows",
            Self::TooDeep => "values are nested too deep",
            Self::MissingAttachment => "a pipe or a handle is missing",
            Self::NoValue => "there is no value of this type",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl Fault {
    pub(super) fn new(kind: FaultKind) -> Self {
        Self { kind, path: String::new(), offset: None }
    }

    pub(super) fn at(kind: FaultKind, offset: usize) -> Self {
        Self { offset: Some(offset), ..Self::new(kind) }
    }

    /// The fault, as seen from outside the value that is called `name`.
    pub(super) fn within(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }

    /// The fault, as seen from outside the array that it is in.
    pub(super) fn within_element(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }

    /// What is wrong.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The value that is at fault, such as `options.sizes[3].width`; empty if it is the message as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How many bytes behind the header it is, in a message that was read.
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "`{}`: ", self.path)?;
        }
        formatter.write_str(self.kind.text())?;
        self.offset.map_or(Ok(()), |offset| write!(formatter, ", at byte {offset}"))
    }
}

impl Error for Fault {}
