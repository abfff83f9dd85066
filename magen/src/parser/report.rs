//! What the parser says about faults.

use super::{Parser, Reported};
use crate::ast::Name;
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::lexer::TokenKind;
use crate::limits::{METHODS_MAX, PARAMETERS_MAX};
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

    pub(super) fn expected_interface(&mut self) {
        let start = self.current;
        let text = self.shown(start.span);
        let message = format!("expected `interface`, found {}", self.found());
        let diagnostic = Diagnostic::new(DiagnosticKind::ExpectedInterface, start.span, message);
        let after_an_interface = self.previous.text(self.source) == "}";
        self.reporter.report(match start.kind {
            TokenKind::Semicolon if after_an_interface => {
                diagnostic.help("no `;` follows an interface: remove it")
            }
            TokenKind::Name if suggest::is_close(text, "interface") => {
                diagnostic.help("did you mean `interface`?")
            }
            _ => diagnostic.help("a file is a list of `interface Name { .. }`"),
        });
        if start.kind == TokenKind::Semicolon {
            self.advance();
        } else {
            self.skip_to_interface();
        }
    }

    pub(super) fn unclosed(&mut self, name: Name<'source>, open: Span) {
        if self.reporter.is_full() {
            return;
        }
        let message = format!("the interface `{}` is not closed", name.text);
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::UnclosedInterface, self.previous.after(), message)
                .label("expected a method or `}`")
                .and_at(open, "opened here"),
        );
    }

    pub(super) fn missing_parameter_name(&mut self, type_name: Name<'source>) -> Reported {
        let message = format!("`{}` is a type without a name, or a name without a type", type_name.text);
        self.reporter.report(
            Diagnostic::new(DiagnosticKind::MissingParameterName, type_name.span, message)
                .help("every parameter and every response value is written `type name`"),
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
            Diagnostic::new(DiagnosticKind::MisplacedDocComment, first, "this doc comment documents nothing")
                .help("`///` stands before an interface, a method or a parameter; a plain comment begins with `//`"),
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
