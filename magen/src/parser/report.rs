//! What the parser says about faults.

use super::recovery::KEYWORDS;
use super::{Parser, Reported};
use crate::ast::Name;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::lexer::TokenKind;
use crate::limits::{MEMBERS_MAX, METHODS_MAX, PARAMETERS_MAX, TYPE_DEPTH_MAX};
use crate::span::Span;
use crate::suggest;

impl<'source> Parser<'source, '_> {
    pub(super) fn unexpected(&mut self, expected: &str, is_about_the_end: bool) -> Reported {
        // What ends a declaration is missed where the declaration ends, not where the next one begins.
        let span = if is_about_the_end { self.previous.after() } else { self.current.span };
        let message = format!("expected {expected}, found {}", self.found());
        let diagnostic = Diagnostic::new(DiagnosticKind::UnexpectedToken, span, message);
        self.reporter.report(diagnostic.label(format!("expected {expected}")));
        Reported
    }

    pub(super) fn expected_declaration(&mut self) {
        let start = self.current;
        let text = self.shown(start.span);
        let message = format!("expected a declaration, found {}", self.found());
        let diagnostic = Diagnostic::new(DiagnosticKind::ExpectedDeclaration, start.span, message);
        let after_a_block = self.previous.text(self.source) == "}";
        let meant = suggest::closest(text, KEYWORDS.into_iter().chain(["module", "import"]));
        self.reporter.report(match (start.kind, meant) {
            (TokenKind::Semicolon, _) if after_a_block => {
                diagnostic.help("no `;` follows a closing brace: remove it")
            }
            (TokenKind::Name, Some(meant)) => diagnostic.help(format!("did you mean `{meant}`?")),
            _ => diagnostic
                .help("a file is a list of `interface Name { .. }`, `struct`, `union`, `enum` and `const`"),
        });
        if start.kind == TokenKind::Semicolon {
            self.advance();
        } else {
            self.skip_to_declaration();
        }
    }

    pub(super) fn misplaced_statement(&mut self, span: Span, keyword: &str) {
        let message = format!("`{keyword}` does not stand here");
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::MisplacedStatement, span, message)
                .help("first `module`, once or not at all, then every `import`, then everything else"),
        );
    }

    pub(super) fn unclosed(&mut self, name: Name<'source>, open: Span, keyword: &str, expected: &str) {
        if self.reporter.is_full() {
            return;
        }
        let message = format!("the {keyword} `{}` is not closed", name.text);
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::UnclosedDeclaration, self.previous.after(), message)
                .label(format!("expected {expected}"))
                .and_at(open, "opened here"),
        );
    }

    pub(super) fn path_in_pieces(&mut self, span: Span) -> Reported {
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::UnexpectedToken, span, "a name with dots in several pieces")
                .label("something stands between the names and the dots")
                .help("write it in one piece, such as `module.Name`"),
        );
        Reported
    }

    pub(super) fn missing_name(&mut self, type_name: Name<'source>) -> Reported {
        let message = format!("`{}` is a type without a name, or a name without a type", type_name.text);
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::MissingName, type_name.span, message)
                .help("every parameter, response value and field is written `type name`"),
        );
        Reported
    }

    pub(super) fn not_a_count(&mut self, span: Span) -> Reported {
        let text = self.shown(span);
        let message = format!("`{text}` does not number anything");
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::InvalidValue, span, message)
                .help("write a whole number in decimal, from 0 to 4294967295"),
        );
        Reported
    }

    pub(super) fn type_too_deep(&mut self, span: Span) -> Reported {
        let message = format!("a type is nested more than {TYPE_DEPTH_MAX} deep");
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::TypeTooDeep, span, message)
                .label("the first one too deep")
                .help("give the inner type a name: declare a struct"),
        );
        Reported
    }

    pub(super) fn trailing_comma(&mut self, comma: Span) {
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::TrailingComma, comma, "a comma before the closing parenthesis")
                .help("remove the comma"),
        );
    }

    pub(super) fn misplaced_docs(&mut self, first: Span) {
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::MisplacedDocComment, first, "this doc comment documents nothing").help(
                "`///` stands before a declaration, a member or a parameter; a plain comment begins with `//`",
            ),
        );
    }

    pub(super) fn too_many_methods(&mut self, name: Name<'source>) {
        let message = format!("the interface `{}` has more than {METHODS_MAX} methods", name.text);
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::TooManyMethods, self.current.span, message)
                .label("the first one too many")
                .help("split the interface, and pass the pipes of its parts over a small one"),
        );
    }

    pub(super) fn too_many_members(&mut self, name: Name<'source>, keyword: &str) {
        let message = format!("more than {MEMBERS_MAX} members in one {keyword}");
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::TooManyMembers, name.span, message)
                .label("the first one too many"),
        );
    }

    pub(super) fn too_many_parameters(&mut self, name: Name<'source>) -> Reported {
        let message = format!("more than {PARAMETERS_MAX} values in one list");
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::TooManyParameters, name.span, message)
                .label("the first one too many"),
        );
        Reported
    }

    /// How a message names the token that is there instead.
    fn found(&self) -> String {
        match self.current.kind {
            TokenKind::Name => format!("`{}`", self.shown(self.current.span)),
            kind => kind.description().to_owned(),
        }
    }
}
