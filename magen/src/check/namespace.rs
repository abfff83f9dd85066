//! Names of declarations, and of everything that is generated beside them, share one Rust namespace.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Body, Declaration, Method};
use crate::codegen::naming;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};
use crate::schema::ValueType;
use crate::span::Span;

pub(super) fn check(declarations: &[Declaration<'_>], reporter: &mut Reporter) {
    let mut declared: BTreeMap<&str, Span> = BTreeMap::new();
    let mut generated: BTreeMap<String, (Span, String)> = BTreeMap::new();
    for declaration in declarations {
        let name = declaration.name;
        let keyword = declaration.body.keyword();
        if let Some(first) = declared.get(name.text) {
            let message = format!("the {keyword} `{}` is declared twice", name.text);
            reporter.report(
                Diagnostic::new(DiagnosticKind::DuplicateDeclaration, name.span, message)
                    .label("declared again here")
                    .and_at(*first, "first declared here"),
            );
            continue;
        }
        declared.insert(name.text, name.span);
        if keyword != "interface" && ValueType::from_word(name.text).is_some() {
            super::report::reserved(name, "a type of the language has this name", reporter);
        }
        for Generated { what, name, span, origin } in generated_by(declaration) {
            let Some((first_span, first_origin)) = generated.get(&name) else {
                generated.insert(name, (span, origin));
                continue;
            };
            let message = format!("two declarations generate the Rust {what} `{name}`");
            reporter.report(
                Diagnostic::new(DiagnosticKind::NameClash, span, message)
                    .label(format!("{origin} generates it"))
                    .and_at(*first_span, format!("{first_origin} generates it too"))
                    .help("rename one of them"),
            );
        }
    }
}

/// What a declaration generates, and the place and the words to blame.
struct Generated {
    what: &'static str,
    name: String,
    span: Span,
    origin: String,
}

/// Everything that `declaration` generates. What is only generated when it is asked for counts as well: whether a file is right does
/// not depend on that.
fn generated_by(declaration: &Declaration<'_>) -> Vec<Generated> {
    let (name, span) = (declaration.name.text, declaration.name.span);
    let origin = format!("the {} `{name}`", declaration.body.keyword());
    let item =
        |what, item: String, how: &str| Generated { what, name: item, span, origin: origin.clone() + how };
    let mut items = vec![item("type", name.to_owned(), "")];
    let Body::Interface { methods, .. } = &declaration.body else {
        return items;
    };
    items.push(item("type", naming::message_type(name), ""));
    items.push(item("type", naming::proxy_type(name), ""));
    items.push(item("type", naming::mock_type(name), ", with mocks,"));
    items.push(item("function", naming::fuzz_function(name), ", with fuzz targets,"));
    // Two methods of one name are reported as such.
    let mut of_methods = BTreeSet::new();
    for method in methods {
        let type_name = naming::response_type(name, method.name.text);
        if may_have_type(method) && of_methods.insert(type_name.clone()) {
            let origin = format!("the response of `{}`", method.name.text);
            items.push(Generated { what: "type", name: type_name, span: method.name.span, origin });
        }
    }
    items
}

/// Whether the response has a struct of its own: several values, or one that may have bounds or was added later.
fn may_have_type(method: &Method<'_>) -> bool {
    match method.response.as_deref() {
        None | Some([]) => false,
        Some([value]) => {
            let may_be_bounded = !value.value_type.arguments.is_empty() || value.value_type.bound.is_some();
            may_be_bounded || !value.attributes.is_empty()
        }
        Some(_) => true,
    }
}
