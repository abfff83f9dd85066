//! `[Name, Name=value]` before a declaration or a member.

use super::{Parser, Reported};
use crate::ast::Attribute;
use crate::lexer::TokenKind;

impl<'source> Parser<'source, '_> {
    pub(super) fn attributes(&mut self) -> Result<Vec<Attribute<'source>>, Reported> {
        let mut attributes = Vec::new();
        while self.current.kind == TokenKind::OpenBracket {
            self.advance();
            loop {
                let name = self.name("the name of an attribute")?;
                let value = if self.eat(TokenKind::Equals) { Some(self.literal("a value")?) } else { None };
                attributes.push(Attribute { name, value });
                if !self.eat(TokenKind::Comma) {
                    break;
                }
            }
            self.expect(TokenKind::CloseBracket, "`,` or `]`")?;
        }
        Ok(attributes)
    }
}
