//! From tokens to the tree. Only types are nested, and no deeper than a limit: no input can exhaust the stack.

mod attribute;
mod declaration;
mod interface;
mod list;
mod recovery;
mod report;
mod value;

use crate::ast::{Docs, File, Import, Name, Number};
use crate::diagnostic::Reporter;
use crate::lexer::{Lexer, Token, TokenKind, is_in_name};
use crate::limits::NAME_BYTES_MAX;
use crate::span::Span;

pub(crate) use recovery::{KEYWORDS, STATEMENTS};

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
            if self.at_statement("module") || self.at_statement("import") {
                self.statement(&mut file);
                continue;
            }
            match self.declaration(docs) {
                Ok(Some(declaration)) => file.declarations.push(declaration),
                Ok(None) => {}
                Err(Reported) => self.skip_to_declaration(),
            }
        }
        file
    }

    /// `module name;` or `import "path";`, which stand before all declarations.
    fn statement(&mut self, file: &mut File<'source>) {
        let start = self.current.span;
        let is_late = !file.declarations.is_empty();
        let read = if self.at_statement("module") {
            let is_late = is_late || !file.imports.is_empty() || file.module.is_some();
            self.advance();
            self.dotted_name("the name of the module").map(|name| {
                if is_late {
                    self.misplaced_statement(start, "module");
                }
                file.module = Some(name);
            })
        } else {
            self.advance();
            self.expect(TokenKind::Text, "the path of a file in quotes").map(|span| {
                if is_late {
                    self.misplaced_statement(start, "import");
                }
                let path = span.text(self.source).trim_matches('"');
                file.imports.push(Import { path, span });
            })
        };
        if read.is_err() || self.expect(TokenKind::Semicolon, "`;`").is_err() {
            self.skip_to_declaration();
        }
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

    /// Whether the next token is of `kind`; then it is read.
    fn eat(&mut self, kind: TokenKind) -> bool {
        let is_there = self.at(kind);
        if is_there {
            self.advance();
        }
        is_there
    }

    fn expect(&mut self, kind: TokenKind, expected: &str) -> Result<Span, Reported> {
        if !self.at(kind) {
            return Err(self.unexpected(expected, kind == TokenKind::Semicolon));
        }
        self.advance();
        Ok(self.previous)
    }

    fn name(&mut self, expected: &str) -> Result<Name<'source>, Reported> {
        self.expect_kind(TokenKind::Name, expected)?;
        Ok(Name { text: self.shown(self.previous), span: self.previous })
    }

    fn expect_kind(&mut self, kind: TokenKind, expected: &str) -> Result<(), Reported> {
        if !self.at(kind) {
            return Err(self.unexpected(expected, false));
        }
        self.advance();
        Ok(())
    }

    /// Names with dots between them, and nothing else: what a file says does not depend on its layout.
    fn dotted_name(&mut self, expected: &str) -> Result<Name<'source>, Reported> {
        let first = self.name(expected)?;
        let mut span = first.span;
        while self.current.kind == TokenKind::Dot {
            self.advance();
            span.end = self.name("a name")?.span.end;
        }
        if span == first.span {
            return Ok(first);
        }
        let text = span.text(self.source);
        if text.contains(|character: char| character != '.' && !is_in_name(character)) {
            return Err(self.path_in_pieces(span));
        }
        Ok(Name { text, span })
    }

    /// A whole number that is not negative.
    fn number(&mut self, expected: &str) -> Result<Number, Reported> {
        self.expect_kind(TokenKind::Number, expected)?;
        let span = self.previous;
        match span.text(self.source).parse() {
            Ok(value) => Ok(Number { value, span }),
            Err(_) => Err(self.not_a_count(span)),
        }
    }

    /// `@n`, if it stands here.
    fn ordinal(&mut self) -> Result<Option<Number>, Reported> {
        if !self.eat(TokenKind::At) {
            return Ok(None);
        }
        self.number("a number").map(Some)
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
}
