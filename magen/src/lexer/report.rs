//! What the lexer says about faults.

use super::{Lexer, Token, TokenKind, is_refused_in_docs};
use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};
use crate::span::Span;

impl Lexer<'_> {
    pub(super) fn block_comment(&mut self, reporter: &mut Reporter) {
        let length = self.rest().find("*/").map_or_else(|| self.rest().len(), |position| position + 2);
        let span = self.take(length);
        reporter.report(
            Diagnostic::new(
                DiagnosticKind::BlockComment,
                Span::new(span.start, span.start + 2),
                "block comments are not part of the language",
            )
            .help("begin each line of the comment with `//`"),
        );
    }

    pub(super) fn not_a_name(&self, span: Span, reporter: &mut Reporter) {
        let text = Span::new(span.start, span.end).text(self.source);
        let message = match text.char_indices().nth(60) {
            Some((end, _)) => format!("`{}..` is not a name", &text[..end]),
            None => format!("`{text}` is not a name"),
        };
        reporter.report(
            Diagnostic::new(DiagnosticKind::InvalidName, span, message)
                .help("names begin with an ASCII letter, and go on with ASCII letters, digits and `_`"),
        );
    }

    pub(super) fn unclosed_text(&self, span: Span, reporter: &mut Reporter) {
        reporter.report(
            Diagnostic::new(DiagnosticKind::InvalidText, span, "this text has no closing quote")
                .help("a text begins and ends with `\"`, on one line"),
        );
    }

    pub(super) fn refused_in_text(&self, start: usize, reporter: &mut Reporter) {
        let character = self.source[start..].chars().next().unwrap_or_default();
        let span = Span::new(start, start + character.len_utf8());
        let message = format!("the character {} is not allowed in a text", described(character));
        reporter.report(
            Diagnostic::new(DiagnosticKind::InvalidText, span, message)
                .help("a text stands for itself: there are no escapes and no control characters"),
        );
    }

    /// An arrow of another language, read as the one that is meant.
    pub(super) fn wrong_arrow(&mut self, reporter: &mut Reporter) -> Token {
        let rest = self.rest();
        let length = rest.find(|character| !matches!(character, '-' | '=' | '>')).unwrap_or(rest.len());
        let span = self.take(length);
        let message =
            format!("unexpected `{}`", Span::new(span.start, span.end.min(span.start + 8)).text(self.source));
        reporter.report(
            Diagnostic::new(DiagnosticKind::UnexpectedCharacter, span, message)
                .help("a response is written `=> (type name)`"),
        );
        Token { kind: TokenKind::Arrow, span }
    }

    /// A comment of another language, read as one.
    pub(super) fn wrong_comment(&mut self, reporter: &mut Reporter) {
        let start = self.position;
        let rest = self.rest();
        self.take(rest.find('\n').unwrap_or(rest.len()));
        reporter.report(
            Diagnostic::new(
                DiagnosticKind::UnexpectedCharacter,
                Span::new(start, start + 1),
                "unexpected character `#`",
            )
            .help("comments begin with `//`"),
        );
    }

    /// Reports a run of one character that begins no token, once.
    pub(super) fn unexpected(&mut self, reporter: &mut Reporter) {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or_default();
        let length = rest.find(|character| character != first).unwrap_or(rest.len());
        let span = self.take(length);
        let message = format!("unexpected character {}", described(first));
        let diagnostic = Diagnostic::new(DiagnosticKind::UnexpectedCharacter, span, message);
        reporter.report(match first {
            '/' => diagnostic.help("comments begin with `//`"),
            _ => diagnostic,
        });
    }
}

/// The character itself where it can be seen, else its number.
pub(super) fn described(character: char) -> String {
    let is_visible = character.escape_debug().count() <= 2;
    if !is_visible || is_refused_in_docs(character) || character.is_whitespace() {
        format!("U+{:04X}", u32::from(character))
    } else {
        format!("`{character}`")
    }
}
