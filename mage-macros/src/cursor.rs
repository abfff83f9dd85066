//! Reading tokens, one after the other.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// What is wrong, and where.
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) span: Span,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span }
    }
}

/// A place in a list of tokens.
pub(crate) struct Cursor {
    tokens: std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
    /// What stands behind the last token, or where that was.
    last: Span,
}

impl Cursor {
    pub(crate) fn new(tokens: TokenStream, end: Span) -> Self {
        Self { tokens: tokens.into_iter().peekable(), last: end }
    }

    /// What is in the brackets.
    pub(crate) fn inside(group: &Group) -> Self {
        Self::new(group.stream(), group.span_close())
    }

    pub(crate) fn is_at_end(&mut self) -> bool {
        self.tokens.peek().is_none()
    }

    pub(crate) fn span(&mut self) -> Span {
        self.tokens.peek().map_or(self.last, TokenTree::span)
    }

    pub(crate) fn next(&mut self) -> Option<TokenTree> {
        self.tokens.next()
    }

    /// Everything before the next such mark, or to the end.
    pub(crate) fn up_to(&mut self, mark: char) -> Vec<TokenTree> {
        let mut tokens = Vec::new();
        while !self.at_mark(mark)
            && let Some(token) = self.next()
        {
            tokens.push(token);
        }
        tokens
    }

    pub(crate) fn fault<T>(&mut self, message: &str) -> Result<T, Fault> {
        Err(Fault::new(message, self.span()))
    }

    pub(crate) fn at_mark(&mut self, mark: char) -> bool {
        matches!(self.tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
    }

    /// Reads a mark, if it stands here.
    pub(crate) fn eat_mark(&mut self, mark: char) -> bool {
        let is_there = self.at_mark(mark);
        if is_there {
            self.next();
        }
        is_there
    }

    pub(crate) fn mark(&mut self, mark: char) -> Result<(), Fault> {
        if self.eat_mark(mark) { Ok(()) } else { self.fault(&format!("expected `{mark}`")) }
    }

    /// Reads two marks, if they stand here together.
    pub(crate) fn arrow(&mut self) -> Result<bool, Fault> {
        if !self.eat_mark('-') {
            return Ok(false);
        }
        self.mark('>').map(|()| true)
    }

    /// Reads a word, if it stands here.
    pub(crate) fn eat_word(&mut self, word: &str) -> Option<Span> {
        match self.tokens.peek() {
            Some(TokenTree::Ident(ident)) if ident == word => self.next().map(|token| token.span()),
            _ => None,
        }
    }

    /// Reads a literal, if one stands here.
    pub(crate) fn eat_literal(&mut self) -> Option<String> {
        match self.tokens.peek() {
            Some(TokenTree::Literal(_)) => self.next().map(|literal| literal.to_string()),
            _ => None,
        }
    }

    pub(crate) fn word(&mut self, expected: &str) -> Result<Ident, Fault> {
        match self.tokens.peek() {
            Some(TokenTree::Ident(_)) => match self.next() {
                Some(TokenTree::Ident(ident)) => Ok(ident),
                _ => self.fault(expected),
            },
            _ => self.fault(&format!("expected {expected}")),
        }
    }

    /// Reads what is in brackets, if such brackets stand here.
    pub(crate) fn eat_group(&mut self, delimiter: Delimiter) -> Option<Group> {
        match self.tokens.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => match self.next() {
                Some(TokenTree::Group(group)) => Some(group),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn group(&mut self, delimiter: Delimiter, expected: &str) -> Result<Group, Fault> {
        match self.eat_group(delimiter) {
            Some(group) => Ok(group),
            None => self.fault(&format!("expected {expected}")),
        }
    }
}
