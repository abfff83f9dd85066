//! What is declared, in a line or a few.

use crate::ast::{Body, Declaration, EnumValue, Field, File, Method};
use crate::span::Span;

/// How many members of a declaration are shown.
const MEMBERS_SHOWN_MAX: usize = 12;

pub(super) fn declaration(declaration: &Declaration<'_>, file: &File<'_>, text: &str) -> String {
    let module = file.module.map(|name| format!("{}.", name.text)).unwrap_or_default();
    let title = format!("{} {module}{}", declaration.body.keyword(), declaration.name.text);
    let members: Vec<String> = match &declaration.body {
        Body::Interface { methods, .. } => methods.iter().map(|written| method(written, text)).collect(),
        Body::Struct { fields } | Body::Union { members: fields, .. } => {
            fields.iter().map(|written| field(written, text)).collect()
        }
        Body::Enum { values, .. } => values.iter().map(|value| value.name.text.to_owned()).collect(),
        Body::Const { value_type, value } => {
            let value_type = value_type.span.text(text);
            let value = value.span.text(text);
            return format!("const {value_type} {module}{} = {value};", declaration.name.text);
        }
    };
    let separator = if matches!(declaration.body, Body::Enum { .. }) { ',' } else { ';' };
    let shown: String =
        members.iter().take(MEMBERS_SHOWN_MAX).map(|member| format!("  {member}{separator}\n")).collect();
    let left = members.len().saturating_sub(MEMBERS_SHOWN_MAX);
    let left = if left == 0 { String::new() } else { format!("  // and {left} more\n") };
    if members.is_empty() { format!("{title} {{}}") } else { format!("{title} {{\n{shown}{left}}}") }
}

pub(super) fn method(method: &Method<'_>, text: &str) -> String {
    let list = |fields: &[Field<'_>]| {
        let fields: Vec<String> = fields.iter().map(|written| field(written, text)).collect();
        fields.join(", ")
    };
    let ordinal = method.ordinal.map(|number| format!("@{}", number.value)).unwrap_or_default();
    let mut signature = format!("{}{ordinal}({})", method.name.text, list(&method.parameters));
    if let Some(response) = &method.response {
        signature.push_str(&format!(" => ({})", list(response)));
    }
    if let Some(error) = &method.error {
        signature.push_str(&format!(" error {}", error.span.text(text)));
    }
    signature
}

pub(super) fn enum_value(declaration: &Declaration<'_>, value: &EnumValue<'_>) -> String {
    let number = value.value.map(|literal| format!(" = {}", literal.text)).unwrap_or_default();
    format!("{}.{}{number}", declaration.name.text, value.name.text)
}

fn field(field: &Field<'_>, text: &str) -> String {
    let end = field.default.map_or(field.name.span.end, |value| value.span.end);
    Span::new(field.value_type.span.start, end).text(text).to_owned()
}
