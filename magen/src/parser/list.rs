//! What has a type and a name: in the parentheses of a method, and in the braces of a struct or a union.

use super::{Parser, Reported};
use crate::ast::{Docs, Field, Name};
use crate::lexer::TokenKind;
use crate::limits::PARAMETERS_MAX;

impl<'source> Parser<'source, '_> {
    /// A list up to and including its closing parenthesis; the opening one has been read.
    pub(super) fn parameters(&mut self) -> Result<Vec<Field<'source>>, Reported> {
        let mut parameters = Vec::new();
        let docs = self.docs(&[TokenKind::CloseParenthesis]);
        if self.current.kind == TokenKind::CloseParenthesis {
            self.advance();
            return Ok(parameters);
        }
        let mut parameter = self.field(docs)?;
        loop {
            if parameters.len() == PARAMETERS_MAX {
                return Err(self.too_many_parameters(parameter.name));
            }
            parameters.push(parameter);
            if self.at(TokenKind::CloseParenthesis) {
                self.advance();
                return Ok(parameters);
            }
            let comma = self.expect(TokenKind::Comma, "`,` or `)`")?;
            let docs = self.docs(&[TokenKind::CloseParenthesis]);
            if self.current.kind == TokenKind::CloseParenthesis {
                self.trailing_comma(comma);
                self.advance();
                return Ok(parameters);
            }
            parameter = self.field(docs)?;
        }
    }

    /// `[attributes] type name @n = default`
    pub(super) fn field(&mut self, docs: Docs<'source>) -> Result<Field<'source>, Reported> {
        let attributes = self.attributes()?;
        let value_type = self.value_type()?;
        if [TokenKind::Comma, TokenKind::CloseParenthesis, TokenKind::Semicolon].contains(&self.current.kind)
        {
            return Err(self.missing_name(Name { text: value_type.head.text, span: value_type.span }));
        }
        let name = self.name("the name of the value")?;
        let ordinal = self.ordinal()?;
        let default = if self.eat(TokenKind::Equals) { Some(self.literal("a value")?) } else { None };
        Ok(Field { docs, attributes, value_type, name, ordinal, default })
    }
}
