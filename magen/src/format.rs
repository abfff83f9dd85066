//! A source, laid out anew: the same tokens and comments in the same order, and other white space between them.
//!
//! What is one line in the result is decided by the tokens alone, except that a block stays on one line, and a blank line
//! stays, where the author left it so. Laying out the result again changes nothing.

mod layout;
mod piece;
#[cfg(test)]
mod trees;

use crate::diagnostic::{Diagnostics, Reporter};
use crate::lexer::TokenKind;
use crate::parser;
use layout::{INDENT_WIDTH, fits, lines, one_line};
use piece::Piece;

/// The source in its canonical layout; comments stay where they are.
///
/// ```
/// let formatted = magen::format("interface  Logger{Log( string text );}", "logger.magen")?;
/// assert_eq!(formatted, "interface Logger { Log(string text); }\n");
/// # Ok::<(), magen::Diagnostics>(())
/// ```
///
/// # Errors
///
/// What the parser finds wrong with the source. Whether its types exist is not looked at.
pub fn format(source: impl AsRef<[u8]>, file_name: &str) -> Result<String, Diagnostics> {
    let mut reporter = Reporter::default();
    let text = crate::decoded(source.as_ref(), &mut reporter);
    parser::parse(text, &mut reporter);
    reporter.finish((), file_name, text)?;
    let mut formatter = Formatter::default();
    formatter.file(&piece::pieces(text));
    Ok(formatter.text)
}

#[derive(Default)]
struct Formatter {
    text: String,
    /// For each block around this place, whether it is that of an enum.
    blocks: Vec<bool>,
    /// Whether a blank line comes before the next line, whatever the author did.
    wants_blank: bool,
    /// Whether the last line opened a block.
    is_after_open: bool,
}

impl Formatter {
    fn file(&mut self, pieces: &[Piece<'_>]) {
        let mut next = 0;
        while let Some(piece) = pieces.get(next) {
            match piece.kind {
                TokenKind::Comment | TokenKind::DocComment => {
                    self.comment(piece);
                    next += 1;
                }
                TokenKind::CloseBrace => {
                    self.close();
                    next += 1;
                }
                _ => next += self.member(&pieces[next..]),
            }
        }
    }

    /// A comment behind the last line, or on a line of its own.
    fn comment(&mut self, piece: &Piece<'_>) {
        if piece.breaks == 0 && !self.text.is_empty() && piece.kind == TokenKind::Comment {
            self.text.pop();
            self.text.push(' ');
            self.text.push_str(piece.text);
            self.text.push('\n');
            return;
        }
        self.begin(piece);
        self.line(piece.text);
    }

    fn close(&mut self) {
        self.blocks.pop();
        self.is_after_open = false;
        self.line("}");
        self.wants_blank = self.blocks.is_empty();
    }

    /// A declaration up to its brace, a member or a statement; gives how many pieces it has.
    fn member(&mut self, pieces: &[Piece<'_>]) -> usize {
        let is_top = self.blocks.is_empty();
        self.begin(&pieces[0]);
        if is_top && pieces[0].kind == TokenKind::OpenBracket {
            let length = piece::attribute_length(pieces);
            self.lines(&pieces[..length]);
            return length;
        }
        let in_enum = self.blocks.last().copied().unwrap_or_default();
        let length = piece::member_length(pieces, in_enum);
        let (member, rest) = pieces.split_at(length);
        let opens = member.last().is_some_and(|piece| piece.kind == TokenKind::OpenBrace);
        if !opens {
            self.lines(member);
            return length;
        }
        let has_comment = member.iter().any(Piece::is_comment);
        if let Some(block) = piece::short_block(rest).filter(|_| !has_comment) {
            let all = &pieces[..length + block];
            let line = one_line(all);
            if fits(&line, self.blocks.len()) {
                self.line(&line);
                return all.len();
            }
        }
        self.lines(member);
        self.blocks.push(
            member
                .iter()
                .find(|piece| piece.kind == TokenKind::Name)
                .is_some_and(|piece| piece.text == "enum"),
        );
        self.is_after_open = true;
        length
    }

    fn lines(&mut self, pieces: &[Piece<'_>]) {
        for line in lines(pieces, self.blocks.len()) {
            self.line(&line);
        }
    }

    /// Begins a line, with the blank one before it that there is or that there must be.
    fn begin(&mut self, piece: &Piece<'_>) {
        let is_blank = (piece.breaks >= 2 && !self.is_after_open) || self.wants_blank;
        if is_blank && !self.text.is_empty() {
            self.text.push('\n');
        }
        self.wants_blank = false;
        self.is_after_open = false;
    }

    fn line(&mut self, line: &str) {
        self.text.extend(std::iter::repeat_n(' ', self.blocks.len() * INDENT_WIDTH));
        self.text.push_str(line);
        self.text.push('\n');
    }
}
