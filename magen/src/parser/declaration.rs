//! Everything that a file declares.

use super::recovery::KEYWORDS;
use super::{Parser, Reported};
use crate::ast::{Body, Declaration, Docs, EnumValue, Field, Name, Number};
use crate::lexer::TokenKind;
use crate::limits::MEMBERS_MAX;
use crate::span::Span;

impl<'source> Parser<'source, '_> {
    /// The declaration here; `None` if what stands here is none, which has been reported and skipped.
    pub(super) fn declaration(
        &mut self,
        docs: Docs<'source>,
    ) -> Result<Option<Declaration<'source>>, Reported> {
        let attributes = self.attributes()?;
        let Some(keyword) = KEYWORDS.into_iter().find(|keyword| self.at_word(keyword)) else {
            self.expected_declaration();
            return Ok(None);
        };
        self.advance();
        if keyword == "const" {
            let (name, body) = self.constant()?;
            return Ok(Some(Declaration { docs, attributes, name, body }));
        }
        let name = self.name(&format!("the name of the {keyword}"))?;
        let open = match self.expect(TokenKind::OpenBrace, "`{`") {
            Ok(open) => open,
            // A forgotten brace is no reason to pass over the members.
            Err(Reported) if self.current.kind == TokenKind::Name => name.span,
            Err(reported) => return Err(reported),
        };
        let body = match keyword {
            "interface" => self.methods(name, open),
            "enum" => self.enum_values(name, open),
            "struct" => Body::Struct { fields: self.fields(name, open, "struct").0 },
            _ => {
                let (members, reserved) = self.fields(name, open, "union");
                Body::Union { members, reserved }
            }
        };
        Ok(Some(Declaration { docs, attributes, name, body }))
    }

    /// `const type NAME = value;` without the keyword.
    fn constant(&mut self) -> Result<(Name<'source>, Body<'source>), Reported> {
        let value_type = self.value_type()?;
        let name = self.name("the name of the constant")?;
        self.expect(TokenKind::Equals, "`=`")?;
        let value = self.literal("a value")?;
        self.end_of_member("`;`")?;
        Ok((name, Body::Const { value_type, value }))
    }

    /// The fields of a struct or the members of a union, up to and including the closing brace.
    fn fields(
        &mut self,
        name: Name<'source>,
        open: Span,
        keyword: &str,
    ) -> (Vec<Field<'source>>, Vec<Number>) {
        let mut fields = Vec::new();
        let mut reserved = Vec::new();
        loop {
            let docs = self.docs(&[TokenKind::CloseBrace, TokenKind::EndOfFile]);
            if self.at_end_of_block(name, open, keyword, "`type name;` or `}`") {
                return (fields, reserved);
            }
            if keyword == "union" && self.at_reserved() {
                self.reserved(&mut reserved);
                continue;
            }
            let field = self.field(docs).and_then(|field| {
                self.end_of_member("`;`")?;
                Ok(field)
            });
            match field {
                Ok(field) if fields.len() < MEMBERS_MAX => fields.push(field),
                Ok(field) => {
                    self.too_many_members(field.name, keyword);
                    self.skip_block();
                    return (fields, reserved);
                }
                Err(Reported) => self.skip_member(),
            }
        }
    }

    /// The values of an enum, up to and including the closing brace. A comma may follow the last one.
    fn enum_values(&mut self, name: Name<'source>, open: Span) -> Body<'source> {
        let mut values = Vec::new();
        let mut reserved = Vec::new();
        loop {
            let docs = self.docs(&[TokenKind::CloseBrace, TokenKind::EndOfFile]);
            if self.at_end_of_block(name, open, "enum", "a value or `}`") {
                return Body::Enum { values, reserved };
            }
            if self.at_reserved() {
                self.reserved(&mut reserved);
                continue;
            }
            match self.enum_value(docs) {
                Ok(value) if values.len() < MEMBERS_MAX => values.push(value),
                Ok(value) => {
                    self.too_many_members(value.name, "enum");
                    self.skip_block();
                    return Body::Enum { values, reserved };
                }
                Err(Reported) => self.skip_member(),
            }
        }
    }

    fn enum_value(&mut self, docs: Docs<'source>) -> Result<EnumValue<'source>, Reported> {
        let attributes = self.attributes()?;
        let name = self.name("a value or `}`")?;
        let value = if self.eat(TokenKind::Equals) { Some(self.literal("a number")?) } else { None };
        if !self.eat(TokenKind::Comma) && !self.at(TokenKind::CloseBrace) {
            let reported = self.unexpected("`,` or `}`", true);
            if self.current.kind != TokenKind::Name {
                return Err(reported);
            }
        }
        Ok(EnumValue { docs, attributes, name, value })
    }

    /// Whether the block ends here, be it that its closing brace is missing.
    pub(super) fn at_end_of_block(
        &mut self,
        name: Name<'source>,
        open: Span,
        keyword: &str,
        expected: &str,
    ) -> bool {
        if self.current.kind == TokenKind::CloseBrace {
            self.advance();
            return true;
        }
        if self.reporter.is_full() || self.current.kind == TokenKind::EndOfFile || self.at_next_declaration()
        {
            self.unclosed(name, open, keyword, expected);
            return true;
        }
        false
    }

    /// Over everything up to and including the closing brace.
    fn skip_block(&mut self) {
        while !matches!(self.current.kind, TokenKind::EndOfFile | TokenKind::CloseBrace) {
            self.skip_member();
        }
        self.advance();
    }
}
