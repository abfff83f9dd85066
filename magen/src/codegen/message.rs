//! The enum of an interface's messages, the structs of its responses, and their way from and to the wire.

use super::structure::{take, write_decode_signature, write_fields};
use super::type_name::has_response_type;
use super::writer::Writer;
use super::{ALLOWED, Subject, naming, open_value_impl};
use crate::schema::{Field, Method};

pub(super) fn write(subject: Subject<'_>, writer: &mut Writer) {
    write_enum(subject, writer);
    for method in &subject.interface.methods {
        if let Some(values) = method.response.as_deref().filter(|_| has_response_type(method)) {
            write_response(subject, method, values, writer);
        }
    }
    write_decode(subject, writer);
    write_dispatch(subject, writer);
}

fn write_enum(subject: Subject<'_>, writer: &mut Writer) {
    let Subject { name, interface, names, .. } = subject;
    let header = format!("pub enum {}", naming::message_type(name));
    writer.blank();
    writer.line(&format!("/// Every message of `{name}`, in order of declaration."));
    writer.line(ALLOWED);
    writer.line("#[derive(Debug)]");
    if interface.methods.is_empty() {
        return writer.open_and_close(&header);
    }
    writer.open(&header);
    for method in &interface.methods {
        writer.docs(&method.docs, &format!("A call of `{}`.", method.name));
        let variant = naming::camel_case(method.name);
        let answer = names.answer(name, method);
        if method.parameters.is_empty() && answer.is_none() {
            writer.line(&format!("{variant},"));
            continue;
        }
        writer.open(&variant);
        write_fields(&method.parameters, "", "The argument", names, writer);
        if let Some(answer) = answer {
            writer.line("/// Answers the call.");
            writer.field(naming::REPLY, &format!("::mage::Reply<{answer}>"));
        }
        writer.close_with(",");
    }
    writer.close();
}

fn write_response(subject: Subject<'_>, method: &Method<'_>, values: &[Field<'_>], writer: &mut Writer) {
    let names = subject.names;
    let name = naming::response_type(subject.name, method.name);
    writer.blank();
    writer.line(&format!("/// The answer to `{}` of `{}`.", method.name, subject.name));
    writer.line(ALLOWED);
    writer.line("#[derive(Debug)]");
    writer.open_struct(&name);
    write_fields(values, "pub ", "The value", names, writer);
    writer.close();

    writer.blank();
    writer.open_impl(" ::mage::codegen::Encode", &name);
    writer.open("fn encode(self, writer: &mut ::mage::codegen::Writer)");
    for value in values {
        let place = format!("self.{}", naming::identifier(value.name));
        writer.line(&format!("writer.{};", names.put(&value.value_type, &place)));
    }
    writer.close();
    writer.close();

    open_reading_impl(" ::mage::codegen::Decode", &name, values, writer);
    write_decode_signature("reader: &mut ::mage::codegen::Reader", writer);
    if names.schema.shares(values) {
        writer.line("reader.share();");
    }
    writer.open("::core::result::Result::Ok(Self");
    for value in values {
        writer.take(&naming::identifier(value.name), &take(value, "reader", names));
    }
    writer.close_with(")");
    writer.close();
    writer.close();
}

/// `impl what for whom {` of what reads these fields: with a closure for each that may be missing.
fn open_reading_impl<'a>(
    what: &str,
    whom: &str,
    fields: impl IntoIterator<Item = &'a Field<'a>>,
    writer: &mut Writer,
) {
    if fields.into_iter().any(|field| field.min_version > 0) {
        return open_value_impl(what, whom, writer);
    }
    writer.blank();
    writer.open_impl(what, whom);
}

fn write_decode(subject: Subject<'_>, writer: &mut Writer) {
    let interface = subject.interface;
    let parameters = interface.methods.iter().flat_map(|method| &method.parameters);
    open_reading_impl(" ::mage::codegen::Message", &naming::message_type(subject.name), parameters, writer);
    write_decode_signature("incoming: &mut ::mage::codegen::Incoming", writer);
    if interface.methods.is_empty() {
        writer.line("let unknown = incoming.method();");
        writer.line("::core::result::Result::Err(incoming.unknown_method(unknown))");
    } else {
        writer.open("::core::result::Result::Ok(match incoming.method()");
        for method in &interface.methods {
            write_decode_arm(subject, method, writer);
        }
        writer.line("unknown => return ::core::result::Result::Err(incoming.unknown_method(unknown)),");
        writer.close_with(")");
    }
    writer.close();
    writer.close();
}

fn write_decode_arm(subject: Subject<'_>, method: &Method<'_>, writer: &mut Writer) {
    let ordinal = method.ordinal;
    let variant = format!("Self::{}", naming::camel_case(method.name));
    if method.parameters.is_empty() && method.response.is_none() {
        return writer.line(&format!("{ordinal} => {variant},"));
    }
    let is_shared = subject.names.schema.shares(&method.parameters);
    if is_shared {
        writer.open(&format!("{ordinal} =>"));
        writer.line("incoming.share();");
        writer.open(&variant);
    } else {
        writer.open(&format!("{ordinal} => {variant}"));
    }
    for parameter in &method.parameters {
        writer.take(&naming::identifier(parameter.name), &take(parameter, "incoming", subject.names));
    }
    if method.response.is_some() {
        writer.line(&format!("{}: incoming.reply()?,", naming::REPLY));
    }
    if is_shared {
        writer.close();
        writer.close();
    } else {
        writer.close_with(",");
    }
}

fn write_dispatch(subject: Subject<'_>, writer: &mut Writer) {
    let Subject { name, interface, .. } = subject;
    let generic = naming::handler_parameter(subject.names.schema);
    let handler = naming::unsized_handler(name, subject.names.schema);
    let what = format!("<{handler}> ::mage::Dispatch<{generic}>");
    writer.blank();
    writer.open_impl(&what, &naming::message_type(name));
    if interface.methods.is_empty() {
        writer.open(&format!("fn dispatch(self, _handler: &mut {generic})"));
        writer.open_and_close("match self");
    } else {
        let all: Vec<&Field<'_>> = interface.methods.iter().flat_map(|method| &method.parameters).collect();
        let handler = naming::variable("handler", &all);
        writer.open(&format!("fn dispatch(self, {handler}: &mut {generic})"));
        writer.open("match self");
        for method in &interface.methods {
            write_dispatch_arm(name, method, &handler, writer);
        }
        writer.close();
    }
    writer.close();
    writer.close();
}

fn write_dispatch_arm(interface: &str, method: &Method<'_>, handler: &str, writer: &mut Writer) {
    let mut fields: Vec<String> =
        method.parameters.iter().map(|parameter| naming::identifier(parameter.name)).collect();
    if method.response.is_some() {
        fields.push(naming::REPLY.to_owned());
    }
    let mut arguments = vec![handler.to_owned()];
    arguments.extend_from_slice(&fields);
    let path = format!("Self::{}", naming::camel_case(method.name));
    // By its path, so that no other trait in scope can have a say in which method is meant.
    let function = format!("{interface}::{}", naming::identifier(method.name));
    writer.call_arm(&path, &fields, &function, &arguments);
}
