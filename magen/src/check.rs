//! From the tree to the schema: types are looked up, and every name is held against the others and against Rust.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast;
use crate::codegen::naming;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Reporter};
use crate::schema::{Field, Interface, Method, Schema, ValueType};
use crate::span::Span;
use crate::suggest;

/// The schema of `file`. It is only meant for use if nothing was reported, here or before.
pub(crate) fn check<'source>(file: ast::File<'source>, reporter: &mut Reporter) -> Schema<'source> {
    check_generated_types(&file, reporter);
    let interfaces =
        file.interfaces.into_iter().map(|interface| check_interface(interface, reporter)).collect();
    Schema { interfaces }
}

/// Names of interfaces, and of everything that is generated beside them, share one Rust namespace.
fn check_generated_types(file: &ast::File<'_>, reporter: &mut Reporter) {
    let mut interfaces: BTreeMap<&str, Span> = BTreeMap::new();
    let mut generated: BTreeMap<String, (Span, String)> = BTreeMap::new();
    for interface in &file.interfaces {
        let name = interface.name;
        if let Some(first) = interfaces.get(name.text) {
            let message = format!("the interface `{}` is declared twice", name.text);
            reporter.report(
                Diagnostic::new(DiagnosticKind::DuplicateInterface, name.span, message)
                    .label("declared again here")
                    .and_at(*first, "first declared here"),
            );
            continue;
        }
        interfaces.insert(name.text, name.span);
        for (type_name, span, origin) in generated_types(interface) {
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

/// The Rust types that `interface` generates, each with the place and the words to blame.
fn generated_types(interface: &ast::Interface<'_>) -> Vec<(String, Span, String)> {
    let name = interface.name;
    let of_interface = format!("the interface `{}`", name.text);
    let mut types = vec![
        (name.text.to_owned(), name.span, of_interface.clone()),
        (naming::message_type(name.text), name.span, of_interface.clone()),
        (naming::proxy_type(name.text), name.span, of_interface),
    ];
    // Two methods of one name are reported as such.
    let mut of_methods = BTreeSet::new();
    for method in &interface.methods {
        let has_type = method.response.as_ref().is_some_and(|values| values.len() >= 2);
        let type_name = naming::response_type(name.text, method.name.text);
        if has_type && of_methods.insert(type_name.clone()) {
            types.push((type_name, method.name.span, format!("the response of `{}`", method.name.text)));
        }
    }
    types
}

fn check_interface<'source>(
    interface: ast::Interface<'source>,
    reporter: &mut Reporter,
) -> Interface<'source> {
    let name = interface.name;
    if name.text.contains('_') || name.text.starts_with(|first: char| first.is_ascii_lowercase()) {
        let message = format!("the interface name `{}` is not in CamelCase", name.text);
        reporter.report(
            Diagnostic::new(DiagnosticKind::InterfaceName, name.span, message)
                .label("becomes the name of a Rust trait")
                .help(format!("write `{}`", naming::camel_case(name.text))),
        );
    } else if name.text == "Self" {
        report_reserved(name, "Rust keeps it for itself", reporter);
    }
    let mut names = Names::new(DiagnosticKind::DuplicateMethod, "method");
    let mut methods = Vec::with_capacity(interface.methods.len());
    for method in interface.methods {
        if naming::is_never_a_name(&naming::snake_case(method.name.text)) {
            report_reserved(method.name, "it becomes a Rust keyword that can never be a name", reporter);
        }
        names.declare(method.name, reporter);
        methods.push(check_method(method, reporter));
    }
    Interface { docs: interface.docs, name: name.text, methods }
}

fn check_method<'source>(method: ast::Method<'source>, reporter: &mut Reporter) -> Method<'source> {
    if method.response.is_some() {
        let is_reply =
            |parameter: &&ast::Parameter<'_>| naming::snake_case(parameter.name.text) == naming::REPLY;
        if let Some(parameter) = method.parameters.iter().find(is_reply) {
            report_reserved(
                parameter.name,
                "a method with a response is handed its `reply` under this name",
                reporter,
            );
        }
    }
    Method {
        docs: method.docs,
        name: method.name.text,
        parameters: check_fields(method.parameters, "parameter", reporter),
        response: method.response.map(|values| check_fields(values, "response value", reporter)),
    }
}

fn check_fields<'source>(
    parameters: Vec<ast::Parameter<'source>>,
    what: &'static str,
    reporter: &mut Reporter,
) -> Vec<Field<'source>> {
    let mut names = Names::new(DiagnosticKind::DuplicateParameter, what);
    let mut fields = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        if naming::is_never_a_name(&naming::snake_case(parameter.name.text)) {
            report_reserved(parameter.name, "it becomes a Rust keyword that can never be a name", reporter);
        }
        names.declare(parameter.name, reporter);
        let Some(value_type) = ValueType::from_name(parameter.type_name.text) else {
            report_unknown_type(parameter.type_name, reporter);
            continue;
        };
        fields.push(Field { docs: parameter.docs, name: parameter.name.text, value_type });
    }
    fields
}

/// The names of one list, to find the ones that are there twice.
struct Names<'source> {
    kind: DiagnosticKind,
    what: &'static str,
    /// By the name in Rust: no two names of a language may become one there.
    declared: BTreeMap<String, ast::Name<'source>>,
}

impl<'source> Names<'source> {
    fn new(kind: DiagnosticKind, what: &'static str) -> Self {
        Self { kind, what, declared: BTreeMap::new() }
    }

    fn declare(&mut self, name: ast::Name<'source>, reporter: &mut Reporter) {
        // Without the underscores, `snake_case` and `CamelCase` clash in the same cases.
        let snake_case = naming::snake_case(name.text);
        let Some(first) = self.declared.get(&snake_case.replace('_', "")) else {
            self.declared.insert(snake_case.replace('_', ""), name);
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

fn report_reserved(name: ast::Name<'_>, why: &str, reporter: &mut Reporter) {
    let message = format!("the name `{}` is reserved", name.text);
    reporter.report(
        Diagnostic::new(DiagnosticKind::ReservedName, name.span, message)
            .label(why)
            .help("choose another name"),
    );
}

fn report_unknown_type(type_name: ast::Name<'_>, reporter: &mut Reporter) {
    let message = format!("unknown type `{}`", type_name.text);
    let diagnostic = Diagnostic::new(DiagnosticKind::UnknownType, type_name.span, message);
    let names = ValueType::ALL.map(ValueType::name);
    let meant = same_in_other_languages(type_name.text).or_else(|| suggest::closest(type_name.text, names));
    reporter.report(match meant {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => {
            diagnostic.help(format!("the types are {}", names.map(|name| format!("`{name}`")).join(", ")))
        }
    });
}

/// What somebody means who comes from Rust, C++ or Mojo.
fn same_in_other_languages(name: &str) -> Option<&'static str> {
    Some(match name {
        "boolean" => "bool",
        "i32" | "int32" | "int32_t" => "int",
        "i64" | "int64" | "int64_t" => "long",
        "f64" | "f32" | "float" | "float64" => "double",
        "u8" | "uint8" | "uint8_t" | "byte" => "char",
        "str" | "String" => "string",
        "handle" | "pipe" => "MessagePipe",
        _ => return None,
    })
}
