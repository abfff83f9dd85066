//! From characters to tokens.

use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};
use crate::limits::NAME_BYTES_MAX;
use crate::span::Span;

/// The smallest unit of the grammar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// What a token is. Keywords and types are names: only their place gives them a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Name,
    /// One line that begins with exactly three slashes.
    DocComment,
    OpenBrace,
    CloseBrace,
    OpenParenthesis,
    CloseParenthesis,
    Comma,
    Semicolon,
    Arrow,
    EndOfFile,
}

impl TokenKind {
    /// How a message names it.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Name => "a name",
            Self::DocComment => "a doc comment",
            Self::OpenBrace => "`{`",
            Self::CloseBrace => "`}`",
            Self::OpenParenthesis => "`(`",
            Self::CloseParenthesis => "`)`",
            Self::Comma => "`,`",
            Self::Semicolon => "`;`",
            Self::Arrow => "`=>`",
            Self::EndOfFile => "the end of the file",
        }
    }
}

/// Reads one token after the other. Cloning it is the way to look ahead.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'source> {
    source: &'source str,
    position: usize,
}

impl<'source> Lexer<'source> {
    /// A lexer at the beginning of `source`; a byte order mark there is skipped.
    pub(crate) fn new(source: &'source str) -> Self {
        let position = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { source, position }
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
                '{' => return self.punctuation(TokenKind::OpenBrace, 1),
                '}' => return self.punctuation(TokenKind::CloseBrace, 1),
                '(' => return self.punctuation(TokenKind::OpenParenthesis, 1),
                ')' => return self.punctuation(TokenKind::CloseParenthesis, 1),
                ',' => return self.punctuation(TokenKind::Comma, 1),
                ';' => return self.punctuation(TokenKind::Semicolon, 1),
                '=' if self.rest().starts_with("=>") => return self.punctuation(TokenKind::Arrow, 2),
                '/' if self.rest().starts_with("//") => {
                    if let Some(token) = self.line_comment(reporter) {
                        return token;
                    }
                }
                '/' if self.rest().starts_with("/*") => self.block_comment(reporter),
                '-' | '=' => return self.wrong_arrow(reporter),
                '#' => self.wrong_comment(reporter),
                _ if is_in_name(character) => return self.name(reporter),
                _ => self.unexpected(reporter),
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

    fn punctuation(&mut self, kind: TokenKind, length: usize) -> Token {
        Token { kind, span: self.take(length) }
    }

    /// A comment up to the end of its line: a token if it is a doc comment. As in Rust, four slashes are none.
    fn line_comment(&mut self, reporter: &mut Reporter) -> Option<Token> {
        let rest = self.rest();
        let line = rest.split('\n').next().unwrap_or(rest);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let span = self.take(line.len());
        if !line.starts_with("///") || line.starts_with("////") {
            return None;
        }
        if let Some((offset, character)) =
            line.char_indices().find(|(_, character)| is_refused_in_docs(*character))
        {
            let start = span.start + offset;
            let message = format!("the character {} is not allowed in a doc comment", described(character));
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

    fn block_comment(&mut self, reporter: &mut Reporter) {
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

    fn name(&mut self, reporter: &mut Reporter) -> Token {
        let rest = self.rest();
        let length = rest.find(|character| !is_in_name(character)).unwrap_or(rest.len());
        let span = self.take(length);
        let text = span.text(self.source);
        if length > NAME_BYTES_MAX {
            let message = format!("this name has {length} bytes, and {NAME_BYTES_MAX} is the most");
            reporter.report(Diagnostic::new(DiagnosticKind::NameTooLong, span, message));
        } else if !text.is_ascii() || !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
            let message = format!("`{text}` is not a name");
            reporter.report(
                Diagnostic::new(DiagnosticKind::InvalidName, span, message)
                    .help("names begin with an ASCII letter, and go on with ASCII letters, digits and `_`"),
            );
        }
        Token { kind: TokenKind::Name, span }
    }

    /// An arrow of another language, read as the one that is meant.
    fn wrong_arrow(&mut self, reporter: &mut Reporter) -> Token {
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
    fn wrong_comment(&mut self, reporter: &mut Reporter) {
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
    fn unexpected(&mut self, reporter: &mut Reporter) {
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

/// Letters of any alphabet are read as part of a name, so that a name with a foreign one is one fault.
fn is_in_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Control characters and the ones that change the direction of text: rustc refuses them in doc comments.
fn is_refused_in_docs(character: char) -> bool {
    let is_bidirectional = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_bidirectional || (character.is_control() && character != '\t')
}

/// The character itself where it can be seen, else its number.
fn described(character: char) -> String {
    if character.is_control() || is_refused_in_docs(character) || character.is_whitespace() {
        format!("U+{:04X}", u32::from(character))
    } else {
        format!("`{character}`")
    }
}
