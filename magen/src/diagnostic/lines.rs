//! The lines of a source.

use crate::span::Span;

/// Where each line of a source begins.
pub(super) struct Lines<'source> {
    source: &'source str,
    starts: Vec<usize>,
}

impl<'source> Lines<'source> {
    pub(super) fn new(source: &'source str) -> Self {
        let breaks = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(position, _)| position + 1)).collect();
        Self { source, starts }
    }

    /// The number of the line that `position` is in; the first one is 1.
    pub(super) fn number(&self, position: usize) -> usize {
        self.starts.partition_point(|start| *start <= position)
    }

    /// The whole lines that `span` touches, without the last line break.
    pub(super) fn around(&self, span: Span) -> Span {
        let start = self.starts[self.number(span.start) - 1];
        let next = self.starts.get(self.number(span.end));
        Span::new(start, next.map_or(self.source.len(), |next| next - 1))
    }
}
