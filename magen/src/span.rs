//! Where in a source text something stands.

use std::ops::Range;

/// A range of bytes of the source, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// The range from `start` up to, not including, `end`.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The empty range right after this one.
    pub(crate) fn after(self) -> Self {
        Self::new(self.end, self.end)
    }

    /// The text of this range.
    pub(crate) fn text(self, source: &str) -> &str {
        source.get(self.range()).unwrap_or_default()
    }

    /// The same range, as the standard library writes it.
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}
