//! The trait that whoever answers implements.

use super::writer::Writer;
use super::{ALLOWED, Subject, naming, write_method_docs};
use crate::schema::Method;

pub(super) fn write(subject: Subject<'_>, writer: &mut Writer) {
    let Subject { name, interface, docs, .. } = subject;
    writer.blank();
    writer.docs(docs, &format!("The interface `{name}`: implemented by whoever answers."));
    writer.line(ALLOWED);
    if interface.methods.is_empty() {
        return writer.open_and_close(&format!("pub trait {name}"));
    }
    writer.open(&format!("pub trait {name}"));
    for (position, method) in interface.methods.iter().enumerate() {
        if position > 0 {
            writer.blank();
        }
        write_method_docs(method, &format!("Handles `{}`.", method.name), writer);
        write_signature(subject, method, ";", writer);
    }
    writer.close();
}

/// What a method of the trait looks like, and `suffix`; if that opens a block, the following lines are inside.
pub(super) fn write_signature(subject: Subject<'_>, method: &Method<'_>, suffix: &str, writer: &mut Writer) {
    let prefix = format!("fn {}", naming::identifier(method.name));
    writer.signature(&prefix, &parameters(subject, method), suffix);
    if suffix == " {" {
        writer.indent();
    }
}

fn parameters(subject: Subject<'_>, method: &Method<'_>) -> Vec<String> {
    let mut parameters = vec!["&mut self".to_owned()];
    for parameter in &method.parameters {
        parameters.push(format!(
            "{}: {}",
            naming::identifier(parameter.name),
            subject.names.owned(&parameter.value_type)
        ));
    }
    if let Some(answer) = subject.names.answer(subject.name, method) {
        parameters.push(format!("{}: ::mage::Reply<{answer}>", naming::REPLY));
    }
    parameters
}
