//! What tests and fuzzers want of an interface.

use super::writer::Writer;
use super::{ALLOWED, Subject, naming};
use crate::schema::Method;

/// One thing on each line, whatever rustfmt thinks of that.
const AS_IT_IS: &str = "#[rustfmt::skip]";

/// A struct that answers as it is told to, and the implementation for what writes down calls.
pub(super) fn write_mocks(subject: Subject<'_>, writer: &mut Writer) {
    write_mock(subject, writer);
    write_mock_handler(subject, writer);
    write_recorder(subject, writer);
}

fn write_mock(subject: Subject<'_>, writer: &mut Writer) {
    let Subject { name, interface, .. } = subject;
    let mock = naming::mock_type(name);
    writer.blank();
    writer.line(&format!("/// Stands in for whoever implements `{name}`, and answers as a test says."));
    writer.line(ALLOWED);
    writer.line(AS_IT_IS);
    writer.line("#[derive(Debug, Default)]");
    if interface.methods.is_empty() {
        writer.open_and_close(&format!("pub struct {mock}"));
    } else {
        writer.open_struct(&mock);
        for method in &interface.methods {
            writer.line(&format!("/// What `{}` does.", method.name));
            let arguments = format!("::mage::testing::Expected<{}>", tuple(&argument_types(subject, method)));
            writer.field(&format!("pub {}", naming::identifier(method.name)), &arguments);
        }
        writer.close();
    }
    writer.blank();
    writer.line(ALLOWED);
    writer.line(AS_IT_IS);
    writer.open(&format!("impl {mock}"));
    writer.line("/// Whether every call that was expected once has been made.");
    writer.open("pub fn is_satisfied(&self) -> bool");
    if interface.methods.is_empty() {
        writer.line("true");
    } else {
        writer.line("[");
        writer.indent();
        for method in &interface.methods {
            writer.line(&format!("self.{}.is_satisfied(),", naming::identifier(method.name)));
        }
        writer.close_list("]");
        writer.line(".iter()");
        writer.line(".all(|is_satisfied| *is_satisfied)");
    }
    writer.close();
    writer.close();
}

fn write_mock_handler(subject: Subject<'_>, writer: &mut Writer) {
    let Subject { name, interface, .. } = subject;
    writer.blank();
    if interface.methods.is_empty() {
        writer.line(ALLOWED);
        return writer.line(&format!("impl {name} for {} {{}}", naming::mock_type(name)));
    }
    writer.line(ALLOWED);
    writer.line(AS_IT_IS);
    writer.open_impl(&format!(" {name}"), &naming::mock_type(name));
    for (position, method) in interface.methods.iter().enumerate() {
        if position > 0 {
            writer.blank();
        }
        super::handler::write_signature(subject, method, " {", writer);
        let identifier = naming::identifier(method.name);
        let arguments = tuple(&argument_names(method));
        writer.line(&format!("self.{identifier}.call(\"{name}.{}\", {arguments});", method.name));
        writer.close();
    }
    writer.close();
}

fn write_recorder(subject: Subject<'_>, writer: &mut Writer) {
    let Subject { name, interface, .. } = subject;
    let generic = naming::handler_parameter(subject.names.schema);
    let what = format!("<{generic}: {name}> {name}");
    writer.blank();
    writer.line(ALLOWED);
    writer.line(AS_IT_IS);
    let whom = format!("::mage::testing::Recorder<{generic}>");
    if interface.methods.is_empty() {
        return writer.line(&format!("impl{what} for {whom} {{}}"));
    }
    writer.open_impl(&what, &whom);
    for (position, method) in interface.methods.iter().enumerate() {
        if position > 0 {
            writer.blank();
        }
        super::handler::write_signature(subject, method, " {", writer);
        let parameters: Vec<&crate::schema::Field<'_>> = method.parameters.iter().collect();
        let shown = naming::variable("arguments", &parameters);
        writer.line(&format!("let {shown}: &[(&str, &dyn ::core::fmt::Debug)] = &["));
        writer.indent();
        for parameter in &method.parameters {
            writer.line(&format!("(\"{}\", &{}),", parameter.name, naming::identifier(parameter.name)));
        }
        writer.close_list("];");
        let mut passed = vec![format!("self.passing_on(\"{}\", {shown})", method.name)];
        passed.extend(argument_names(method));
        writer.line(&format!("{name}::{}(", naming::identifier(method.name)));
        writer.indent();
        for argument in passed {
            writer.line(&format!("{argument},"));
        }
        writer.close_list(");");
        writer.close();
    }
    writer.close();
}

/// A function that feeds everything that is read for an interface.
pub(super) fn write_fuzz(subject: Subject<'_>, writer: &mut Writer) {
    let Subject { name, interface, names, .. } = subject;
    let generic = naming::handler_parameter(subject.names.schema);
    writer.blank();
    writer.line(&format!(
        "/// Makes messages and answers of `{name}` of any bytes, for a fuzzer: `handler` gets what is right."
    ));
    writer.line(ALLOWED);
    writer.line(AS_IT_IS);
    let bounds = naming::unsized_handler(name, names.schema);
    let function = format!("pub fn {}<{bounds}>", naming::fuzz_function(name));
    let parameters = ["bytes: &[u8]".to_owned(), format!("handler: &mut {generic}")];
    writer.signature(&function, &parameters, " {");
    writer.indent();
    writer.line("let methods: &[(u32, bool)] = &[");
    writer.indent();
    for method in &interface.methods {
        writer.line(&format!("({}, {}),", method.ordinal, method.response.is_some()));
    }
    writer.close_list("];");
    writer.open(&format!("for message in ::mage::testing::fuzz_messages::<dyn {name}>(bytes, methods)"));
    writer.line("::mage::Dispatch::dispatch(message, handler);");
    writer.close();
    let mut answers: Vec<String> =
        interface.methods.iter().filter_map(|method| names.answer(name, method)).collect();
    answers.sort_unstable();
    answers.dedup();
    for answer in answers {
        writer.line(&format!("let _ = ::mage::testing::fuzz_value::<{answer}>(bytes);"));
    }
    writer.close();
}

fn argument_types(subject: Subject<'_>, method: &Method<'_>) -> Vec<String> {
    let owned = |field: &crate::schema::Field<'_>| subject.names.owned(&field.value_type);
    let mut types: Vec<String> = method.parameters.iter().map(owned).collect();
    let reply = subject.names.answer(subject.name, method);
    types.extend(reply.map(|answer| format!("::mage::Reply<{answer}>")));
    types
}

fn argument_names(method: &Method<'_>) -> Vec<String> {
    let mut names: Vec<String> =
        method.parameters.iter().map(|parameter| naming::identifier(parameter.name)).collect();
    names.extend(method.response.as_ref().map(|_| naming::REPLY.to_owned()));
    names
}

fn tuple(parts: &[String]) -> String {
    match parts {
        [part] => format!("({part},)"),
        parts => format!("({})", parts.join(", ")),
    }
}
