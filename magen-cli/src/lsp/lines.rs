//! Places in a text, as the protocol counts them: lines, and units of UTF-16 within a line.

use std::ops::Range;

use gen_lsp_types as lsp;

/// The lines of a text. A line ends with a line feed, a carriage return, or both.
#[derive(Debug)]
pub(super) struct Lines<'text> {
    text: &'text str,
    starts: Vec<usize>,
}

impl<'text> Lines<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(place, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(place + 1) != Some(&b'\n'),
            _ => false,
        });
        Self { text, starts: [0].into_iter().chain(ends.map(|(place, _)| place + 1)).collect() }
    }

    /// The byte at `position`; behind the end of a line, that end, and behind the last line, the end of the text. In the middle
    /// of a character, its beginning.
    pub(super) fn offset(&self, position: lsp::Position) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(line) else { return self.text.len() };
        let mut units = 0_u32;
        for (place, character) in self.text.get(*start..).unwrap_or_default().char_indices() {
            units = units.saturating_add(if u32::from(character) > 0xffff { 2 } else { 1 });
            if matches!(character, '\n' | '\r') || units > position.character {
                return start + place;
            }
        }
        self.text.len()
    }

    /// Where the byte at `offset` is; of the bytes of one character, where that character is.
    pub(super) fn position(&self, offset: usize) -> lsp::Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let units = self.text.get(start..offset).unwrap_or_default().encode_utf16().count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        lsp::Position { line: number(line), character: number(units) }
    }

    pub(super) fn range(&self, range: Range<usize>) -> lsp::Range {
        lsp::Range { start: self.position(range.start), end: self.position(range.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\u{e9}\u{1f9d9}b\r\n\nc\rd";

    fn offset(line: u32, character: u32) -> usize {
        Lines::new(TEXT).offset(lsp::Position { line, character })
    }

    #[test]
    fn every_place_is_found_again() {
        let lines = Lines::new(TEXT);
        for place in (0..=TEXT.len()).filter(|place| TEXT.is_char_boundary(*place)) {
            // Between the two characters that end a line is no place of its own.
            if TEXT.as_bytes().get(place.wrapping_sub(1)) != Some(&b'\r') || TEXT.as_bytes()[place] != b'\n' {
                assert_eq!(lines.offset(lines.position(place)), place, "{:?}", lines.position(place));
            }
        }
    }

    #[test]
    fn units_are_those_of_utf_16() {
        assert_eq!([offset(0, 0), offset(0, 1), offset(0, 2), offset(0, 4), offset(0, 5)], [0, 1, 3, 7, 8]);
        assert_eq!([offset(1, 0), offset(2, 0), offset(3, 0), offset(3, 1)], [10, 11, 13, 14]);
    }

    #[test]
    fn places_that_are_not_there_are_close_to_one_that_is() {
        assert_eq!(offset(0, 3), 3, "in the middle of a pair of units");
        assert_eq!([offset(0, 6), offset(0, u32::MAX)], [8, 8], "behind the end of a line");
        assert_eq!([offset(4, 0), offset(u32::MAX, u32::MAX)], [14, 14], "behind the last line");
        assert_eq!(Lines::new(TEXT).position(usize::MAX), lsp::Position { line: 3, character: 1 });
        assert_eq!(Lines::new("").offset(lsp::Position { line: 0, character: 9 }), 0);
    }
}
