//! What the lexer gives.

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
    /// A number, with its sign.
    Number,
    /// A text in double quotes.
    Text,
    /// One line that begins with exactly three slashes.
    DocComment,
    /// Any other comment; only given to whoever asks for them.
    Comment,
    OpenBrace,
    CloseBrace,
    OpenParenthesis,
    CloseParenthesis,
    OpenBracket,
    CloseBracket,
    LessThan,
    GreaterThan,
    Comma,
    Semicolon,
    Question,
    At,
    Equals,
    Dot,
    Arrow,
    EndOfFile,
}

impl TokenKind {
    /// The token that is this one character, if there is one.
    pub(super) fn of_character(character: char) -> Option<Self> {
        Some(match character {
            '{' => Self::OpenBrace,
            '}' => Self::CloseBrace,
            '(' => Self::OpenParenthesis,
            ')' => Self::CloseParenthesis,
            '[' => Self::OpenBracket,
            ']' => Self::CloseBracket,
            '<' => Self::LessThan,
            '>' => Self::GreaterThan,
            ',' => Self::Comma,
            ';' => Self::Semicolon,
            '?' => Self::Question,
            '@' => Self::At,
            '.' => Self::Dot,
            _ => return None,
        })
    }

    /// How a message names it.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Name => "a name",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::DocComment => "a doc comment",
            Self::Comment => "a comment",
            Self::OpenBrace => "`{`",
            Self::CloseBrace => "`}`",
            Self::OpenParenthesis => "`(`",
            Self::CloseParenthesis => "`)`",
            Self::OpenBracket => "`[`",
            Self::CloseBracket => "`]`",
            Self::LessThan => "`<`",
            Self::GreaterThan => "`>`",
            Self::Comma => "`,`",
            Self::Semicolon => "`;`",
            Self::Question => "`?`",
            Self::At => "`@`",
            Self::Equals => "`=`",
            Self::Dot => "`.`",
            Self::Arrow => "`=>`",
            Self::EndOfFile => "the end of the file",
        }
    }
}
