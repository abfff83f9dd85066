//! Tokens and comments with what is needed to lay them out.

use crate::diagnostic::Reporter;
use crate::lexer::{Lexer, TokenKind};

/// A token or a comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'source> {
    pub(super) kind: TokenKind,
    pub(super) text: &'source str,
    /// How many line breaks stand before it.
    pub(super) breaks: usize,
}

impl Piece<'_> {
    pub(super) fn is_comment(&self) -> bool {
        matches!(self.kind, TokenKind::Comment | TokenKind::DocComment)
    }
}

/// Everything in `source` but its white space.
pub(super) fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut silent = Reporter::default();
    let mut lexer = Lexer::with_comments(source);
    let mut pieces = Vec::new();
    let mut end = 0;
    loop {
        let token = lexer.next(&mut silent);
        if token.kind == TokenKind::EndOfFile {
            return pieces;
        }
        let breaks = source[end..token.span.start].bytes().filter(|byte| *byte == b'\n').count();
        end = token.span.end;
        pieces.push(Piece { kind: token.kind, text: token.span.text(source).trim_end(), breaks });
    }
}

/// How many pieces the member at the beginning has: up to its `;`, to its `{`, or in an enum to its comma.
pub(super) fn member_length(pieces: &[Piece<'_>], in_enum: bool) -> usize {
    let mut depth = 0_usize;
    let mut length = 0;
    for piece in pieces {
        match piece.kind {
            TokenKind::OpenParenthesis | TokenKind::OpenBracket | TokenKind::LessThan => depth += 1,
            TokenKind::CloseParenthesis | TokenKind::CloseBracket | TokenKind::GreaterThan => {
                depth = depth.saturating_sub(1);
            }
            TokenKind::CloseBrace => break,
            TokenKind::Semicolon | TokenKind::OpenBrace => return length + 1,
            // `reserved 1, 2;` goes on behind its comma.
            TokenKind::Comma if in_enum && depth == 0 && !is_reserved(pieces) => return length + 1,
            _ => {}
        }
        length += 1;
    }
    // What follows the last value of an enum is not part of it.
    while length > 1 && pieces[length - 1].is_comment() {
        length -= 1;
    }
    length
}

fn is_reserved(pieces: &[Piece<'_>]) -> bool {
    matches!(pieces, [word, number, ..] if word.text == "reserved" && number.kind == TokenKind::Number)
}

/// How many pieces the attributes in brackets at the beginning have.
pub(super) fn attribute_length(pieces: &[Piece<'_>]) -> usize {
    let end = pieces.iter().position(|piece| piece.kind == TokenKind::CloseBracket);
    end.map_or(pieces.len(), |end| end + 1)
}

/// How many pieces are left of a block whose author kept it on one line, with its closing brace.
pub(super) fn short_block(pieces: &[Piece<'_>]) -> Option<usize> {
    let mut length = 0;
    for piece in pieces {
        length += 1;
        if piece.is_comment() {
            return None;
        }
        if piece.kind == TokenKind::CloseBrace {
            // An empty block is closed where it is opened.
            return (piece.breaks == 0 || length == 1).then_some(length);
        }
        if piece.breaks > 0 {
            return None;
        }
    }
    None
}
