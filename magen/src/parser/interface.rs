//! The methods of an interface.

use super::{Parser, Reported};
use crate::ast::{Attribute, Body, Docs, Method, Name, Number};
use crate::lexer::TokenKind;
use crate::limits::METHODS_MAX;
use crate::span::Span;

impl<'source> Parser<'source, '_> {
    /// The methods up to and including the closing brace.
    pub(super) fn methods(&mut self, name: Name<'source>, open: Span) -> Body<'source> {
        let mut methods = Vec::new();
        let mut reserved = Vec::new();
        let mut count = 0;
        loop {
            let docs = self.docs(&[TokenKind::CloseBrace, TokenKind::EndOfFile]);
            if self.at_end_of_block(name, open, "interface", "a method or `}`") {
                return Body::Interface { methods, reserved };
            }
            if self.at_reserved() {
                self.reserved(&mut reserved);
                continue;
            }
            count += 1;
            if count == METHODS_MAX + 1 {
                self.too_many_methods(name);
            }
            match self.attributes().and_then(|attributes| self.method(docs, attributes)) {
                Ok(method) if count <= METHODS_MAX => methods.push(method),
                Ok(_) => {}
                Err(Reported) => self.skip_member(),
            }
        }
    }

    fn method(
        &mut self,
        docs: Docs<'source>,
        attributes: Vec<Attribute<'source>>,
    ) -> Result<Method<'source>, Reported> {
        let name = self.name("a method or `}`")?;
        let ordinal = self.ordinal()?;
        self.expect(TokenKind::OpenParenthesis, "`(`")?;
        let parameters = self.parameters()?;
        let mut response = None;
        let mut error = None;
        if self.eat(TokenKind::Arrow) {
            self.expect(TokenKind::OpenParenthesis, "`(`")?;
            response = Some(self.parameters()?);
            if self.at_word("error") && self.behind()[0] != TokenKind::OpenParenthesis {
                self.advance();
                error = Some(self.value_type()?);
            }
        }
        let expected = if response.is_some() { "`;`" } else { "`;` or `=>`" };
        self.end_of_member(expected)?;
        Ok(Method { docs, attributes, name, ordinal, parameters, response, error })
    }

    /// The `;` of a member; a forgotten one is no reason to pass over the next member.
    pub(super) fn end_of_member(&mut self, expected: &str) -> Result<(), Reported> {
        match self.expect(TokenKind::Semicolon, expected) {
            Err(reported) if !matches!(self.current.kind, TokenKind::Name | TokenKind::CloseBrace) => {
                Err(reported)
            }
            _ => Ok(()),
        }
    }

    /// Whether `reserved 3` stands here, where a method called `reserved` would go on with a parenthesis.
    pub(super) fn at_reserved(&self) -> bool {
        self.at_word("reserved") && self.behind()[0] == TokenKind::Number
    }

    /// `reserved 3, 5;`
    pub(super) fn reserved(&mut self, reserved: &mut Vec<Number>) {
        self.advance();
        let read = loop {
            match self.number("a number") {
                Ok(number) => reserved.push(number),
                Err(Reported) => break Err(Reported),
            }
            if !self.eat(TokenKind::Comma) {
                break self.end_of_member("`,` or `;`");
            }
        };
        if read.is_err() {
            self.skip_member();
        }
    }
}
