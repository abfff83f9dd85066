//! Pieces to lines.

use super::piece::Piece;
use crate::lexer::TokenKind;

/// The widest line that is not broken, if it can be.
pub(super) const WIDTH_MAX: usize = 100;
pub(super) const INDENT_WIDTH: usize = 2;

pub(super) fn fits(line: &str, depth: usize) -> bool {
    depth * INDENT_WIDTH + line.chars().count() <= WIDTH_MAX
}

/// The lines of one member, without the indentation of the first.
pub(super) fn lines(pieces: &[Piece<'_>], depth: usize) -> Vec<String> {
    let has_comment = pieces.iter().any(Piece::is_comment);
    if !has_comment {
        let line = one_line(pieces);
        if fits(&line, depth) {
            return vec![line];
        }
    }
    let lists = lists(pieces);
    // One list more is broken until every line fits.
    for broken in 0..=lists.len() {
        let is_broken: Vec<bool> =
            lists.iter().enumerate().map(|(index, list)| index < broken || list.has_comment).collect();
        let lines = broken_lines(pieces, &is_broken);
        if broken == lists.len() || (broken > 0 && lines.iter().all(|line| fits(line, depth))) {
            return lines;
        }
    }
    Vec::new()
}

struct List {
    has_comment: bool,
}

/// The lists in parentheses that have anything in them.
fn lists(pieces: &[Piece<'_>]) -> Vec<List> {
    let mut lists = Vec::new();
    let mut is_inside = false;
    for pair in pieces.windows(2) {
        match pair[0].kind {
            TokenKind::OpenParenthesis if pair[1].kind != TokenKind::CloseParenthesis => {
                lists.push(List { has_comment: false });
                is_inside = true;
            }
            TokenKind::CloseParenthesis => is_inside = false,
            _ => {}
        }
        if is_inside
            && pair[1].is_comment()
            && let Some(list) = lists.last_mut()
        {
            list.has_comment = true;
        }
    }
    lists
}

/// The pieces in one line; there must be no comment among them.
pub(super) fn one_line(pieces: &[Piece<'_>]) -> String {
    let mut line = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 && has_space(pieces, index) {
            line.push(' ');
        }
        line.push_str(piece.text);
    }
    line
}

/// Lines with the elements of some of the lists on lines of their own.
fn broken_lines(pieces: &[Piece<'_>], is_broken: &[bool]) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut list = 0;
    let mut is_inside = false;
    let mut angles = 0_usize;
    for (index, piece) in pieces.iter().enumerate() {
        let previous = index.checked_sub(1).map(|index| pieces[index]);
        let opens = piece.kind == TokenKind::OpenParenthesis
            && pieces.get(index + 1).is_some_and(|next| next.kind != TokenKind::CloseParenthesis);
        let is_trailing = piece.kind == TokenKind::Comment && piece.breaks == 0;
        let begins_line = match previous {
            None => false,
            Some(_) if is_trailing => false,
            Some(previous) if previous.is_comment() || piece.is_comment() => true,
            Some(previous) if is_inside => {
                previous.kind == TokenKind::OpenParenthesis
                    || (previous.kind == TokenKind::Comma && angles == 0)
                    || piece.kind == TokenKind::CloseParenthesis
            }
            Some(_) => false,
        };
        match piece.kind {
            TokenKind::LessThan => angles += 1,
            TokenKind::GreaterThan => angles = angles.saturating_sub(1),
            TokenKind::CloseParenthesis => is_inside = false,
            _ => {}
        }
        if begins_line {
            let is_indented = is_inside
                || previous.is_some_and(|previous| {
                    previous.is_comment() && piece.kind != TokenKind::CloseParenthesis
                });
            lines.push(if is_indented { " ".repeat(INDENT_WIDTH) } else { String::new() });
        } else if index > 0 && (is_trailing || has_space(pieces, index)) {
            push(&mut lines, " ");
        }
        push(&mut lines, piece.text);
        if opens {
            is_inside = is_broken.get(list).copied().unwrap_or_default();
            list += 1;
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// Whether a space stands before the piece at `index`.
fn has_space(pieces: &[Piece<'_>], index: usize) -> bool {
    let kind = |index: usize| pieces.get(index).map_or(TokenKind::EndOfFile, |piece| piece.kind);
    let (left, right) = (kind(index - 1), kind(index));
    let is_in_brackets = |index: usize| {
        let before = pieces[..index].iter().rev();
        let nearest = before.map(|piece| piece.kind).find(|kind| {
            matches!(kind, TokenKind::OpenBracket | TokenKind::CloseBracket | TokenKind::Semicolon)
        });
        nearest == Some(TokenKind::OpenBracket)
    };
    match (left, right) {
        (_, TokenKind::Comma | TokenKind::Semicolon | TokenKind::CloseParenthesis) => false,
        (_, TokenKind::CloseBracket | TokenKind::GreaterThan | TokenKind::Question | TokenKind::Dot) => false,
        (_, TokenKind::LessThan) => false,
        (TokenKind::OpenParenthesis | TokenKind::LessThan | TokenKind::OpenBracket, _) => false,
        (TokenKind::Dot | TokenKind::At, _) => false,
        (TokenKind::OpenBrace, TokenKind::CloseBrace) => false,
        (TokenKind::Arrow, TokenKind::OpenParenthesis) => true,
        (_, TokenKind::OpenParenthesis) => false,
        // The ordinal of a method belongs to its name: `Seek@3(..)`, but `Point moved @3;`.
        (_, TokenKind::At) => kind(index + 2) != TokenKind::OpenParenthesis,
        (TokenKind::Equals, _) | (_, TokenKind::Equals) => !is_in_brackets(index),
        _ => true,
    }
}
