//! The enum of an interface's messages, the structs of its responses, and their way from and to the wire.

use super::writer::Writer;
use super::{ALLOWED, naming};
use crate::schema::{Field, Interface, Method};

pub(super) fn write(interface: &Interface<'_>, writer: &mut Writer) {
    write_enum(interface, writer);
    for method in &interface.methods {
        if let Some(values) = method.response.as_deref().filter(|values| values.len() >= 2) {
            write_response(interface, method, values, writer);
        }
    }
    write_decode(interface, writer);
    write_dispatch(interface, writer);
}

fn write_enum(interface: &Interface<'_>, writer: &mut Writer) {
    let header = format!("pub enum {}", naming::message_type(interface.name));
    writer.blank();
    writer.line(&format!("/// Every message of `{}`, in order of declaration.", interface.name));
    writer.line(ALLOWED);
    writer.line("#[derive(Debug)]");
    if interface.methods.is_empty() {
        return writer.open_and_close(&header);
    }
    writer.open(&header);
    for method in &interface.methods {
        writer.docs(&method.docs, &format!("A call of `{}`.", method.name));
        let variant = naming::camel_case(method.name);
        let answer = naming::answer_type(interface.name, method);
        if method.parameters.is_empty() && answer.is_none() {
            writer.line(&format!("{variant},"));
            continue;
        }
        writer.open(&variant);
        write_fields(&method.parameters, "", "The argument", writer);
        if let Some(answer) = answer {
            writer.line("/// Answers the call.");
            writer.field(naming::REPLY, &format!("::mage::Reply<{answer}>"));
        }
        writer.close_with(",");
    }
    writer.close();
}

fn write_fields(fields: &[Field<'_>], visibility: &str, what: &str, writer: &mut Writer) {
    for field in fields {
        writer.docs(&field.docs, &format!("{what} `{}`.", field.name));
        let name = format!("{visibility}{}", naming::identifier(field.name));
        writer.field(&name, naming::owned_type(field.value_type));
    }
}

fn write_response(interface: &Interface<'_>, method: &Method<'_>, values: &[Field<'_>], writer: &mut Writer) {
    let name = naming::response_type(interface.name, method.name);
    writer.blank();
    writer.line(&format!("/// The answer to `{}` of `{}`.", method.name, interface.name));
    writer.line(ALLOWED);
    writer.line("#[derive(Debug)]");
    writer.open_struct(&name);
    write_fields(values, "pub ", "The value", writer);
    writer.close();

    writer.blank();
    writer.open_impl(" ::mage::codegen::Encode", &name);
    writer.open("fn encode(self, writer: &mut ::mage::codegen::Writer)");
    for value in values {
        writer.line(&format!("writer.put(self.{});", naming::identifier(value.name)));
    }
    writer.close();
    writer.close();

    writer.blank();
    writer.open_impl(" ::mage::codegen::Decode", &name);
    write_decode_signature("reader: &mut ::mage::codegen::Reader<'_>", writer);
    writer.open("::core::result::Result::Ok(Self");
    for value in values {
        writer.line(&format!("{}: reader.take()?,", naming::identifier(value.name)));
    }
    writer.close_with(")");
    writer.close();
    writer.close();
}

fn write_decode_signature(parameter: &str, writer: &mut Writer) {
    let suffix = " -> ::core::result::Result<Self, ::mage::codegen::DecodeError>";
    writer.signature("fn decode", &[parameter.to_owned()], &format!("{suffix} {{"));
    writer.indent();
}

fn write_decode(interface: &Interface<'_>, writer: &mut Writer) {
    writer.blank();
    writer.open_impl(" ::mage::codegen::Message", &naming::message_type(interface.name));
    write_decode_signature("incoming: &mut ::mage::codegen::Incoming<'_>", writer);
    if interface.methods.is_empty() {
        writer.line("let unknown = incoming.method();");
        writer.line("::core::result::Result::Err(incoming.unknown_method(unknown))");
    } else {
        writer.open("::core::result::Result::Ok(match incoming.method()");
        for (ordinal, method) in interface.methods.iter().enumerate() {
            write_decode_arm(ordinal, method, writer);
        }
        writer.line("unknown => return ::core::result::Result::Err(incoming.unknown_method(unknown)),");
        writer.close_with(")");
    }
    writer.close();
    writer.close();
}

fn write_decode_arm(ordinal: usize, method: &Method<'_>, writer: &mut Writer) {
    let start = format!("{ordinal} => Self::{}", naming::camel_case(method.name));
    if method.parameters.is_empty() && method.response.is_none() {
        return writer.line(&format!("{start},"));
    }
    writer.open(&start);
    for parameter in &method.parameters {
        writer.line(&format!("{}: incoming.take()?,", naming::identifier(parameter.name)));
    }
    if method.response.is_some() {
        writer.line(&format!("{}: incoming.reply()?,", naming::REPLY));
    }
    writer.close_with(",");
}

fn write_dispatch(interface: &Interface<'_>, writer: &mut Writer) {
    let name = interface.name;
    // The one interface name that a type parameter `H` would hide.
    let generic = if name == "H" { "Handler" } else { "H" };
    let what = format!("<{generic}: {name} + ?Sized> ::mage::Dispatch<{generic}>");
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
