//! Types and values.

use super::{Parser, Reported};
use crate::ast::{Argument, Literal, LiteralKind, Name, Type};
use crate::lexer::TokenKind;
use crate::limits::TYPE_DEPTH_MAX;
use crate::span::Span;

impl<'source> Parser<'source, '_> {
    /// `head<arguments> max bound?`
    pub(super) fn value_type(&mut self) -> Result<Type<'source>, Reported> {
        self.nested_type(0)
    }

    fn nested_type(&mut self, depth: usize) -> Result<Type<'source>, Reported> {
        let head = self.dotted_name("a type")?;
        if depth > TYPE_DEPTH_MAX {
            return Err(self.type_too_deep(head.span));
        }
        self.type_behind(head, depth)
    }

    /// What follows the name of a type.
    fn type_behind(&mut self, head: Name<'source>, depth: usize) -> Result<Type<'source>, Reported> {
        let mut arguments = Vec::new();
        if self.current.kind == TokenKind::LessThan {
            self.advance();
            arguments.push(self.argument(depth)?);
            while self.eat(TokenKind::Comma) {
                arguments.push(self.argument(depth)?);
            }
            self.expect(TokenKind::GreaterThan, "`,` or `>`")?;
        }
        let mut bound = None;
        if self.at_bound() {
            self.advance();
            bound = Some(self.literal("a number")?);
        }
        let optional = (self.current.kind == TokenKind::Question).then_some(self.current.span);
        if optional.is_some() {
            self.advance();
        }
        let span = Span::new(head.span.start, self.previous.end);
        Ok(Type { head, arguments, bound, optional, span })
    }

    fn argument(&mut self, depth: usize) -> Result<Argument<'source>, Reported> {
        if matches!(self.current.kind, TokenKind::Number | TokenKind::Text) {
            return self.literal("a type or a number").map(Argument::Literal);
        }
        self.nested_type(depth + 1).map(Argument::Type)
    }

    /// Whether `max` stands here and is not the name of what has this type.
    fn at_bound(&self) -> bool {
        self.at_word("max") && matches!(self.behind()[0], TokenKind::Number | TokenKind::Name)
    }

    /// A number, a text or a name.
    pub(super) fn literal(&mut self, expected: &str) -> Result<Literal<'source>, Reported> {
        self.refuse_docs();
        let kind = match self.current.kind {
            TokenKind::Number => LiteralKind::Number,
            TokenKind::Text => LiteralKind::Text,
            TokenKind::Name => {
                let name = self.dotted_name(expected)?;
                return Ok(Literal { kind: LiteralKind::Name, text: name.text, span: name.span });
            }
            _ => return Err(self.unexpected(expected, false)),
        };
        self.advance();
        let text = self.previous.text(self.source);
        let text = text.strip_prefix('"').unwrap_or(text);
        Ok(Literal { kind, text: text.strip_suffix('"').unwrap_or(text), span: self.previous })
    }
}
