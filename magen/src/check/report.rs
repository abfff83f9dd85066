//! What several parts of the checker say.

use crate::ast;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};

pub(super) fn reserved(name: ast::Name<'_>, why: &str, reporter: &mut Reporter) {
    let message = format!("the name `{}` is reserved", name.text);
    reporter.report(
        Diagnostic::new(DiagnosticKind::ReservedName, name.span, message)
            .label(why)
            .help("choose another name"),
    );
}
