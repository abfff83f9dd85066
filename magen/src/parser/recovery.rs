//! After a fault, to the next place where reading makes sense.

use super::Parser;
use crate::diagnostic::Reporter;
use crate::lexer::TokenKind;

/// What can begin a declaration.
pub(crate) const KEYWORDS: [&str; 5] = ["interface", "struct", "union", "enum", "const"];

/// What can begin a statement, before all declarations.
pub(crate) const STATEMENTS: [&str; 2] = ["module", "import"];

impl Parser<'_, '_> {
    /// Whether the next token is this word.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.current.kind == TokenKind::Name && self.current.span.text(self.source) == word
    }

    /// Whether a statement with this keyword stands here.
    pub(super) fn at_statement(&self, word: &str) -> bool {
        self.at_word(word)
    }

    /// The kinds of the two tokens behind the next one.
    pub(super) fn behind(&self) -> [TokenKind; 2] {
        let mut ahead = self.lexer.clone();
        let mut silent = Reporter::default();
        [ahead.next(&mut silent).kind, ahead.next(&mut silent).kind]
    }

    /// Whether `interface Name` or `struct Name {` stands here: where a method called `interface` would go on with a
    /// parenthesis, and a value of a type called `struct` with something other than a brace.
    pub(super) fn at_next_declaration(&self) -> bool {
        if self.current.kind != TokenKind::Name {
            return false;
        }
        match self.current.span.text(self.source) {
            "interface" => self.behind()[0] == TokenKind::Name,
            "struct" | "union" | "enum" => self.behind() == [TokenKind::Name, TokenKind::OpenBrace],
            _ => false,
        }
    }

    /// Over the block or statement that begins or ends here, or to the next declaration.
    pub(super) fn skip_to_declaration(&mut self) {
        let mut depth = 0_usize;
        while self.current.kind != TokenKind::EndOfFile && !self.at_next_declaration() {
            let kind = self.current.kind;
            self.advance();
            match kind {
                TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseBrace if depth <= 1 => return,
                TokenKind::CloseBrace => depth -= 1,
                TokenKind::Semicolon if depth == 0 && self.at_keyword() => return,
                _ => {}
            }
        }
    }

    /// Over the `;` or the block that ends the member, or to the end of the declaration.
    pub(super) fn skip_member(&mut self) {
        let mut depth = 0_usize;
        while self.current.kind != TokenKind::EndOfFile && !self.at_next_declaration() {
            let kind = self.current.kind;
            if kind == TokenKind::CloseBrace && depth == 0 {
                return;
            }
            self.advance();
            match kind {
                TokenKind::Semicolon if depth == 0 => return,
                TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseBrace if depth == 1 => return,
                TokenKind::CloseBrace => depth -= 1,
                _ => {}
            }
        }
    }

    /// Whether a word stands here that begins a declaration or a statement.
    fn at_keyword(&self) -> bool {
        KEYWORDS.iter().chain(&STATEMENTS).any(|word| self.at_word(word))
    }
}
