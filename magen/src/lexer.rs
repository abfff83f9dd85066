//! From characters to tokens.

mod report;
mod token;

use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};
use crate::limits::NAME_BYTES_MAX;
use crate::span::Span;

pub(crate) use token::{Token, TokenKind};

/// Reads one token after the other. Cloning it is the way to look ahead.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'source> {
    source: &'source str,
    position: usize,
    /// Whether plain comments are tokens too.
    keeps_comments: bool,
}

impl<'source> Lexer<'source> {
    /// A lexer at the beginning of `source`; a byte order mark there is skipped.
    pub(crate) fn new(source: &'source str) -> Self {
        let position = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { source, position, keeps_comments: false }
    }

    /// A lexer that gives plain comments too, for whoever writes the source anew.
    pub(crate) fn with_comments(source: &'source str) -> Self {
        Self { keeps_comments: true, ..Self::new(source) }
    }

    /// A lexer that begins at the byte `position` of `source`, which must be the first or the last of a token.
    pub(crate) fn at(source: &'source str, position: usize) -> Self {
        Self { position, ..Self::new(source) }
    }

    /// The same, with plain comments.
    pub(crate) fn with_comments_at(source: &'source str, position: usize) -> Self {
        Self { position, ..Self::with_comments(source) }
    }

    /// The next token; what is none is reported and skipped. At the end it is `EndOfFile` for ever.
    pub(crate) fn next(&mut self, reporter: &mut Reporter) -> Token {
        loop {
            let start = self.position;
            let Some(character) = self.rest().chars().next() else {
                return Token { kind: TokenKind::EndOfFile, span: Span::new(start, start) };
            };
            match character {
                ' ' | '\t' | '\r' | '\n' => self.position += 1,
                '=' if self.rest().starts_with("=>") => return self.token(TokenKind::Arrow, 2),
                '=' if !self.rest().starts_with("==") => return self.token(TokenKind::Equals, 1),
                '"' => return self.text(reporter),
                '/' if self.rest().starts_with("//") => {
                    if let Some(token) = self.line_comment(reporter) {
                        return token;
                    }
                }
                '/' if self.rest().starts_with("/*") => self.block_comment(reporter),
                '0'..='9' => return self.number(reporter),
                '-' if self.rest()[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                    return self.number(reporter);
                }
                '-' | '=' => return self.wrong_arrow(reporter),
                '#' => self.wrong_comment(reporter),
                _ if is_in_name(character) => return self.name(reporter),
                _ => match TokenKind::of_character(character) {
                    Some(kind) => return self.token(kind, 1),
                    None => self.unexpected(reporter),
                },
            }
        }
    }

    fn rest(&self) -> &'source str {
        &self.source[self.position..]
    }

    /// Moves over `length` bytes and gives their range.
    fn take(&mut self, length: usize) -> Span {
        let start = self.position;
        self.position += length;
        Span::new(start, self.position)
    }

    fn token(&mut self, kind: TokenKind, length: usize) -> Token {
        Token { kind, span: self.take(length) }
    }

    /// A comment up to the end of its line: a token if it is a doc comment. As in Rust, four slashes are none.
    fn line_comment(&mut self, reporter: &mut Reporter) -> Option<Token> {
        let rest = self.rest();
        let line = rest.split('\n').next().unwrap_or(rest);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let span = self.take(line.len());
        if !line.starts_with("///") || line.starts_with("////") {
            return self.keeps_comments.then_some(Token { kind: TokenKind::Comment, span });
        }
        if let Some((offset, character)) =
            line.char_indices().find(|(_, character)| is_refused_in_docs(*character))
        {
            let start = span.start + offset;
            let message =
                format!("the character {} is not allowed in a doc comment", report::described(character));
            reporter.report(
                Diagnostic::new(
                    DiagnosticKind::DocControlCharacter,
                    Span::new(start, start + character.len_utf8()),
                    message,
                )
                .help(
                    "doc comments become Rust doc comments, where control characters are errors: remove it",
                ),
            );
        }
        Some(Token { kind: TokenKind::DocComment, span })
    }

    fn name(&mut self, reporter: &mut Reporter) -> Token {
        let rest = self.rest();
        let length = rest.find(|character| !is_in_name(character)).unwrap_or(rest.len());
        let span = self.take(length);
        let text = span.text(self.source);
        if length > NAME_BYTES_MAX {
            let message = format!("this name has {length} bytes, and {NAME_BYTES_MAX} is the most");
            reporter.report(Diagnostic::new(DiagnosticKind::NameTooLong, span, message));
        } else if !text.is_ascii() || !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.not_a_name(span, reporter);
        }
        Token { kind: TokenKind::Name, span }
    }

    /// A number in decimal or hexadecimal, with a sign and a fraction if it has them.
    fn number(&mut self, reporter: &mut Reporter) -> Token {
        let rest = self.rest();
        let is_hexadecimal = rest.strip_prefix('-').unwrap_or(rest).starts_with("0x");
        let mut length = 1;
        while let Some(character) = rest[length..].chars().next() {
            let previous = rest[..length].chars().next_back();
            let goes_on = match character {
                '.' => rest[length + 1..].starts_with(|next: char| next.is_ascii_digit()),
                '-' | '+' => matches!(previous, Some('e' | 'E')) && !is_hexadecimal,
                _ => is_in_name(character),
            };
            if !goes_on {
                break;
            }
            length += character.len_utf8();
        }
        let span = self.take(length);
        let text = span.text(self.source);
        if is_number(text) {
            return Token { kind: TokenKind::Number, span };
        }
        self.not_a_name(span, reporter);
        Token { kind: TokenKind::Name, span }
    }

    /// A text up to its closing quote, on one line.
    fn text(&mut self, reporter: &mut Reporter) -> Token {
        let rest = &self.rest()[1..];
        let end = rest.find(['"', '\n', '\r']).unwrap_or(rest.len());
        let is_closed = rest[end..].starts_with('"');
        let span = self.take(1 + end + usize::from(is_closed));
        if !is_closed {
            self.unclosed_text(span, reporter);
        } else if let Some(position) = rest[..end].find(|c: char| c == '\\' || is_refused_in_docs(c)) {
            self.refused_in_text(span.start + 1 + position, reporter);
        }
        Token { kind: TokenKind::Text, span }
    }
}

/// Whether `text` is a number: decimal, hexadecimal after `0x`, or with a fraction or an exponent.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.strip_prefix("0x") {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => digits.ends_with(|last: char| last.is_ascii_digit()) && digits.parse::<f64>().is_ok(),
    }
}

/// Letters of any alphabet are read as part of a name, so that a name with a foreign one is one fault.
pub(crate) fn is_in_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Control characters and the ones that change the direction of text: rustc refuses them in doc comments.
fn is_refused_in_docs(character: char) -> bool {
    let is_bidirectional = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_bidirectional || (character.is_control() && character != '\t')
}
