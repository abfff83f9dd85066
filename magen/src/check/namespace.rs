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
        for (type_name, span, origin) in generated_types(declaration) {
            let Some((first_span, first_origin)) = generated.get(&type_name) else {
                generated.insert(type_name, (span, origin));
                continue;
            };
            let message = format!("two declarations generate the Rust type `{type_name}`");
            reporter.report(
                Diagnostic::new(DiagnosticKind::NameClash, span, message)
                    .label(format!("{origin} generates it"))
                    .and_at(*first_span, format!("{first_origin} generates it too"))
                    .help("rename one of them"),
            );
        }
    }
}

/// The Rust types that `declaration` generates, each with the place and the words to blame.
fn generated_types(declaration: &Declaration<'_>) -> Vec<(String, Span, String)> {
    let name = declaration.name;
    let origin = format!("the {} `{}`", declaration.body.keyword(), name.text);
    let mut types = vec![(name.text.to_owned(), name.span, origin.clone())];
    let Body::Interface { methods, .. } = &declaration.body else {
        return types;
    };
    types.push((naming::message_type(name.text), name.span, origin.clone()));
    types.push((naming::proxy_type(name.text), name.span, origin));
    // Two methods of one name are reported as such.
    let mut of_methods = BTreeSet::new();
    for method in methods {
        let type_name = naming::response_type(name.text, method.name.text);
        if may_have_type(method) && of_methods.insert(type_name.clone()) {
            types.push((type_name, method.name.span, format!("the response of `{}`", method.name.text)));
        }
    }
    types
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
