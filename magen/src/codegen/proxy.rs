//! The struct that sends messages of an interface.

use super::writer::Writer;
use super::{ALLOWED, Subject, naming, write_method_docs};
use crate::schema::{Field, Method};

pub(super) fn write(subject: Subject<'_>, writer: &mut Writer) {
    let interface = subject.interface;
    let name = naming::proxy_type(subject.name);
    writer.blank();
    writer.line(&format!("/// Sends messages of `{0}`; reached through `Remote<dyn {0}>`.", subject.name));
    writer.line(ALLOWED);
    writer.line("#[derive(Debug)]");
    writer.open(&format!("pub struct {name}"));
    writer.line("channel: ::mage::codegen::Channel,");
    writer.close();

    if !interface.methods.is_empty() {
        writer.blank();
        writer.line(ALLOWED);
        writer.open(&format!("impl {name}"));
        for (position, method) in interface.methods.iter().enumerate() {
            if position > 0 {
                writer.blank();
            }
            write_method(subject, method, writer);
        }
        writer.close();
    }
    write_proxy_impl(&name, writer);
}

fn write_method(subject: Subject<'_>, method: &Method<'_>, writer: &mut Writer) {
    let ordinal = method.ordinal;
    let answer = subject.names.answer(subject.name, method);
    write_method_docs(method, &format!("Sends `{}`.", method.name), writer);
    if answer.is_none() {
        writer.line("///\n/// # Errors\n///\n/// If the message could not be sent, for example because the other end is closed.");
    }
    let mut parameters = vec!["&self".to_owned()];
    for parameter in &method.parameters {
        parameters.push(format!(
            "{}: {}",
            naming::identifier(parameter.name),
            subject.names.sent(&parameter.value_type)
        ));
    }
    let (verb, result) = match answer {
        None => ("notify", "::core::result::Result<(), ::mage::SendError>".to_owned()),
        Some(answer) => ("call", format!("::mage::Call<{answer}>")),
    };
    let prefix = format!("pub fn {}", naming::identifier(method.name));
    writer.signature(&prefix, &parameters, &format!(" -> {result} {{"));
    writer.indent();
    let references: Vec<&Field<'_>> = method.parameters.iter().collect();
    let arguments = naming::variable("args", &references);
    if method.parameters.is_empty() {
        writer.line(&format!("self.channel.{verb}({ordinal}, |_args| {{}})"));
    } else {
        writer.open(&format!("self.channel.{verb}({ordinal}, |{arguments}|"));
        for parameter in &method.parameters {
            let put = subject.names.put(&parameter.value_type, &naming::identifier(parameter.name));
            writer.line(&format!("{arguments}.{put};"));
        }
        writer.close_with(")");
    }
    writer.close();
}

fn write_proxy_impl(name: &str, writer: &mut Writer) {
    writer.blank();
    writer.open_impl(" ::mage::codegen::Proxy", name);
    writer.open("fn new(channel: ::mage::codegen::Channel) -> Self");
    writer.line("Self { channel }");
    writer.close();
    writer.blank();
    writer.open("fn channel(&self) -> &::mage::codegen::Channel");
    writer.line("&self.channel");
    writer.close();
    writer.blank();
    writer.open("fn into_channel(self) -> ::mage::codegen::Channel");
    writer.line("self.channel");
    writer.close();
    writer.close();
}
