//! A source of the interface language that remembers which token each part of it comes from.

use std::ops::Range;

use proc_macro2::Span;

/// Text, and where it was written.
#[derive(Default)]
pub(crate) struct Source {
    text: String,
    /// Ranges of the text, in order, and what they come from.
    places: Vec<(Range<usize>, Span)>,
    /// Whether what comes next must stand right behind what there is.
    is_joined: bool,
}

impl Source {
    /// Appends a word, a number or a mark.
    pub(crate) fn push(&mut self, text: &str, span: Span) {
        if !self.is_joined {
            self.text.push(' ');
        }
        self.is_joined = false;
        let start = self.text.len();
        self.text.push_str(text);
        self.places.push((start..self.text.len(), span));
    }

    /// Appends a mark that has nothing around it: the dot in `module.Name`.
    pub(crate) fn push_within(&mut self, mark: &str, span: Span) {
        self.join();
        self.push(mark, span);
        self.join();
    }

    /// What is pushed next belongs to what was pushed last.
    pub(crate) fn join(&mut self) {
        self.is_joined = true;
    }

    /// Appends lines of documentation.
    pub(crate) fn push_docs(&mut self, docs: &str, span: Span) {
        for line in docs.split('\n') {
            self.text.push('\n');
            self.is_joined = true;
            self.push(&format!("///{line}"), span);
        }
        self.text.push('\n');
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The first and the last of the tokens in this range; if there is none, the one before it.
    pub(crate) fn spans(&self, range: &Range<usize>) -> (Span, Span) {
        let mut inside =
            self.places.iter().filter(|(place, _)| place.start < range.end && range.start < place.end);
        if let Some((_, first)) = inside.next() {
            return (*first, inside.next_back().map_or(*first, |(_, last)| *last));
        }
        let before = self.places.iter().rev().find(|(place, _)| place.end <= range.start);
        let span = before.or_else(|| self.places.first()).map_or_else(Span::call_site, |(_, span)| *span);
        (span, span)
    }
}
