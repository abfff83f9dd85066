//! From tokens to the tree. The grammar is flat, so nothing here calls itself: no input can exhaust the stack.

mod report;

use crate::ast::{Docs, File, Interface, Method, Name, Parameter};
use crate::diagnostic::Reporter;
use crate::lexer::{Lexer, Token, TokenKind};
use crate::limits::{METHODS_MAX, NAME_BYTES_MAX, PARAMETERS_MAX};
use crate::span::Span;

/// The tree of `source`: of a faulty one, everything that could be read; the faults are in `reporter`.
pub(crate) fn parse<'source>(source: &'source str, reporter: &mut Reporter) -> File<'source> {
    let mut lexer = Lexer::new(source);
    let current = lexer.next(reporter);
    let previous = Span::new(0, 0);
    Parser { source, lexer, current, previous, reporter }.file()
}

/// The fault has been reported; whoever catches this finds the next place where reading makes sense.
struct Reported;

struct Parser<'source, 'reporter> {
    source: &'source str,
    lexer: Lexer<'source>,
    /// The token that is read next.
    current: Token,
    /// Where the token before it stands.
    previous: Span,
    reporter: &'reporter mut Reporter,
}

impl<'source> Parser<'source, '_> {
    fn file(mut self) -> File<'source> {
        let mut file = File::default();
        while !self.reporter.is_full() {
            let docs = self.docs(&[TokenKind::EndOfFile]);
            if self.current.kind == TokenKind::EndOfFile {
                break;
            }
            if !self.at_keyword_interface() {
                self.expected_interface();
                continue;
            }
            match self.interface(docs) {
                Ok(interface) => file.interfaces.push(interface),
                Err(Reported) => self.skip_to_interface(),
            }
        }
        file
    }

    fn interface(&mut self, docs: Docs<'source>) -> Result<Interface<'source>, Reported> {
        self.advance();
        let name = self.name("the name of the interface")?;
        let open = match self.expect(TokenKind::OpenBrace, "`{`") {
            Ok(open) => open,
            // A forgotten brace is no reason to pass over the methods.
            Err(Reported) if self.current.kind == TokenKind::Name => name.span,
            Err(reported) => return Err(reported),
        };
        let mut interface = Interface { docs, name, methods: Vec::new() };
        let mut count = 0;
        loop {
            let docs = self.docs(&[TokenKind::CloseBrace, TokenKind::EndOfFile]);
            if self.current.kind == TokenKind::CloseBrace {
                self.advance();
                return Ok(interface);
            }
            if self.reporter.is_full()
                || self.current.kind == TokenKind::EndOfFile
                || self.at_next_interface()
            {
                self.unclosed(name, open);
                return Ok(interface);
            }
            count += 1;
            if count == METHODS_MAX + 1 {
                self.too_many_methods(name);
            }
            match self.method(docs) {
                Ok(method) if count <= METHODS_MAX => interface.methods.push(method),
                Ok(_) => {}
                Err(Reported) => self.skip_method(),
            }
        }
    }

    fn method(&mut self, docs: Docs<'source>) -> Result<Method<'source>, Reported> {
        let name = self.name("a method or `}`")?;
        self.expect(TokenKind::OpenParenthesis, "`(`")?;
        let parameters = self.parameters()?;
        let mut response = None;
        if self.at(TokenKind::Arrow) {
            self.advance();
            self.expect(TokenKind::OpenParenthesis, "`(`")?;
            response = Some(self.parameters()?);
        }
        let expected = if response.is_some() { "`;`" } else { "`;` or `=>`" };
        if let Err(reported) = self.expect(TokenKind::Semicolon, expected) {
            // A forgotten semicolon is no reason to pass over the next method.
            if !matches!(self.current.kind, TokenKind::Name | TokenKind::CloseBrace) {
                return Err(reported);
            }
        }
        Ok(Method { docs, name, parameters, response })
    }

    /// A list up to and including its closing parenthesis; the opening one has been read.
    fn parameters(&mut self) -> Result<Vec<Parameter<'source>>, Reported> {
        let mut parameters = Vec::new();
        let docs = self.docs(&[TokenKind::CloseParenthesis]);
        if self.current.kind == TokenKind::CloseParenthesis {
            self.advance();
            return Ok(parameters);
        }
        let mut parameter = self.parameter(docs)?;
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
            parameter = self.parameter(docs)?;
        }
    }

    fn parameter(&mut self, docs: Docs<'source>) -> Result<Parameter<'source>, Reported> {
        let type_name = self.name("a type")?;
        if self.at(TokenKind::Comma) || self.at(TokenKind::CloseParenthesis) {
            return Err(self.missing_parameter_name(type_name));
        }
        let name = self.name("the name of the parameter")?;
        Ok(Parameter { docs, type_name, name })
    }

    // Reading tokens.

    fn advance(&mut self) {
        self.previous = self.current.span;
        self.current = self.lexer.next(self.reporter);
    }

    /// Whether the next token is of `kind`. A doc comment cannot be what is wanted here: it is reported and skipped.
    fn at(&mut self, kind: TokenKind) -> bool {
        self.refuse_docs();
        self.current.kind == kind
    }

    fn expect(&mut self, kind: TokenKind, expected: &str) -> Result<Span, Reported> {
        if !self.at(kind) {
            return Err(self.unexpected(expected, kind == TokenKind::Semicolon));
        }
        self.advance();
        Ok(self.previous)
    }

    fn name(&mut self, expected: &str) -> Result<Name<'source>, Reported> {
        if !self.at(TokenKind::Name) {
            return Err(self.unexpected(expected, false));
        }
        self.advance();
        Ok(Name { text: self.shown(self.previous), span: self.previous })
    }

    /// The doc comment here, if there is one; an error if one of `closing` follows, since it documents nothing then.
    fn docs(&mut self, closing: &[TokenKind]) -> Docs<'source> {
        let mut docs = Docs::default();
        let first = self.current.span;
        while self.current.kind == TokenKind::DocComment {
            let line = self.current.span.text(self.source);
            docs.lines.push(line.strip_prefix("///").unwrap_or(line).trim_end());
            self.advance();
        }
        if !docs.lines.is_empty() && closing.contains(&self.current.kind) {
            self.misplaced_docs(first);
        }
        docs
    }

    fn refuse_docs(&mut self) {
        let first = self.current;
        while self.current.kind == TokenKind::DocComment {
            self.advance();
        }
        if first.kind == TokenKind::DocComment {
            self.misplaced_docs(first.span);
        }
    }

    /// The text of a name. One that is too long has been reported as such, and is cut off for all other messages.
    fn shown(&self, span: Span) -> &'source str {
        let text = span.text(self.source);
        text.char_indices().nth(NAME_BYTES_MAX).map_or(text, |(end, _)| &text[..end])
    }

    fn at_keyword_interface(&self) -> bool {
        self.current.kind == TokenKind::Name && self.current.span.text(self.source) == "interface"
    }

    /// Whether `interface Name` stands here, where a method called `interface` would go on with a parenthesis.
    fn at_next_interface(&self) -> bool {
        let mut ahead = self.lexer.clone();
        self.at_keyword_interface() && ahead.next(&mut Reporter::default()).kind == TokenKind::Name
    }

    // Recovery: after a fault, to the next place where reading makes sense.

    /// Over the block that begins or ends here, or to the next interface.
    fn skip_to_interface(&mut self) {
        let mut depth = 0_usize;
        while self.current.kind != TokenKind::EndOfFile && !self.at_next_interface() {
            let kind = self.current.kind;
            self.advance();
            match kind {
                TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseBrace if depth <= 1 => return,
                TokenKind::CloseBrace => depth -= 1,
                _ => {}
            }
        }
    }

    /// Over the `;` or the block that ends the method, or to the end of the interface.
    fn skip_method(&mut self) {
        let mut depth = 0_usize;
        while self.current.kind != TokenKind::EndOfFile && !self.at_next_interface() {
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
}
