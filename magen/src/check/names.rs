//! Names, as they will be in Rust.

use std::collections::BTreeMap;

use super::report;
use crate::ast::{self, Body, Declaration};
use crate::codegen::naming;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};

/// The name of a declaration becomes that of a Rust trait, type or constant as it is.
pub(super) fn check_declaration(declaration: &Declaration<'_>, reporter: &mut Reporter) {
    let name = declaration.name;
    if let Body::Const { .. } = declaration.body {
        if name.text != naming::constant_case(name.text) {
            let message = format!("the constant name `{}` is not in capitals", name.text);
            reporter.report(
                Diagnostic::new(DiagnosticKind::TypeName, name.span, message)
                    .label("becomes the name of a Rust constant")
                    .help(format!("write `{}`", naming::constant_case(name.text))),
            );
        }
        return;
    }
    let keyword = declaration.body.keyword();
    if name.text.contains('_') || name.text.starts_with(|first: char| first.is_ascii_lowercase()) {
        let message = format!("the {keyword} name `{}` is not in CamelCase", name.text);
        let becomes = if keyword == "interface" { "trait" } else { "type" };
        reporter.report(
            Diagnostic::new(DiagnosticKind::TypeName, name.span, message)
                .label(format!("becomes the name of a Rust {becomes}"))
                .help(format!("write `{}`", naming::camel_case(name.text))),
        );
    } else if name.text == "Self" {
        report::reserved(name, "Rust keeps it for itself", reporter);
    }
}

/// The names of one list, to find the ones that are there twice.
pub(super) struct Names<'source> {
    kind: DiagnosticKind,
    what: &'static str,
    /// By the name in Rust: no two names of a language may become one there.
    declared: BTreeMap<String, ast::Name<'source>>,
}

impl<'source> Names<'source> {
    pub(super) fn new(kind: DiagnosticKind, what: &'static str) -> Self {
        Self { kind, what, declared: BTreeMap::new() }
    }

    pub(super) fn declare(&mut self, name: ast::Name<'source>, reporter: &mut Reporter) {
        // Without the underscores, `snake_case` and `CamelCase` clash in the same cases.
        let in_rust = naming::snake_case(name.text).replace('_', "");
        let Some(first) = self.declared.get(&in_rust) else {
            self.declared.insert(in_rust, name);
            return;
        };
        let what = self.what;
        let message = if first.text == name.text {
            format!("the {what} `{}` is declared twice", name.text)
        } else {
            format!("the {what}s `{}` and `{}` become the same name in Rust", first.text, name.text)
        };
        reporter.report(
            Diagnostic::new(self.kind, name.span, message)
                .label("declared again here")
                .and_at(first.span, "first declared here"),
        );
    }
}
