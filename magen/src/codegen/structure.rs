//! Structs, and their way to the wire and back.

use super::type_name::TypeNames;
use super::writer::Writer;
use super::{ALLOWED, VALUE_ALLOWED, naming, open_value_impl};
use crate::schema::{Definition, Field, Schema, Struct, Traits, Value, ValueType};

pub(super) fn write(
    definition: &Definition<'_>,
    structure: &Struct<'_>,
    names: TypeNames<'_>,
    writer: &mut Writer,
) {
    let name = definition.name;
    writer.blank();
    writer.docs(&definition.docs, &format!("The struct `{name}`."));
    writer.line(ALLOWED);
    writer.line(VALUE_ALLOWED);
    writer.line(&derives(structure.traits));
    if structure.fields.is_empty() {
        writer.open_and_close(&format!("pub struct {name}"));
    } else {
        writer.open_struct(name);
        write_fields(&structure.fields, "pub ", "The field", names, writer);
        writer.close();
    }
    if structure.traits.has_default {
        write_default(name, &structure.fields, names, writer);
    }
    write_encode(name, structure, names, writer);
    write_decode(name, structure, names, writer);
}

/// What can be derived for a struct or a union with these traits.
pub(super) fn derives(traits: Traits) -> String {
    let mut derived = vec!["Debug"];
    if traits.is_plain {
        derived.extend(["Clone", "PartialEq"]);
        if traits.is_eq {
            derived.extend(["Eq"]);
        }
    }
    format!("#[derive({})]", derived.join(", "))
}

pub(super) fn write_fields(
    fields: &[Field<'_>],
    visibility: &str,
    what: &str,
    names: TypeNames<'_>,
    writer: &mut Writer,
) {
    for field in fields {
        writer.docs(&field.docs, &format!("{what} `{}`.", field.name));
        let name = format!("{visibility}{}", naming::identifier(field.name));
        writer.field(&name, &names.owned(&field.value_type));
    }
}

fn write_default(name: &str, fields: &[Field<'_>], names: TypeNames<'_>, writer: &mut Writer) {
    open_value_impl(" ::core::default::Default", name, writer);
    writer.open("fn default() -> Self");
    let fields: Vec<(String, String)> =
        fields.iter().map(|field| (naming::identifier(field.name), default(field, names))).collect();
    writer.struct_literal("", "Self", &fields, "");
    writer.close();
    writer.close();
}

fn default(field: &Field<'_>, names: TypeNames<'_>) -> String {
    match (&field.default, &field.value_type) {
        (Some(value), value_type) => expression(*value, value_type, names.schema, names),
        (None, ValueType::FixedArray(_, count)) if *count > 32 => {
            "::core::array::from_fn(|_| ::core::default::Default::default())".to_owned()
        }
        (None, _) => "::core::default::Default::default()".to_owned(),
    }
}

/// A value of this type, in Rust.
pub(super) fn expression(
    value: Value<'_>,
    value_type: &ValueType,
    schema: &Schema<'_>,
    names: TypeNames<'_>,
) -> String {
    if let ValueType::Optional { inner, .. } = value_type {
        return format!("::core::option::Option::Some({})", expression(value, inner, schema, names));
    }
    match (value, value_type) {
        (Value::Variant(id, position), _) => {
            let crate::schema::Kind::Enum(enumeration) = &schema.definition(id).kind else {
                return String::new();
            };
            let variant = naming::camel_case(enumeration.values[position].name);
            format!("{}::{variant}", names.owned(&ValueType::Named(id)))
        }
        (Value::Text(text), ValueType::Shared(_)) => format!("::mage::ByteString::from_static({text:?})"),
        (Value::Text(text), _) => format!("::std::string::String::from({text:?})"),
        (other, value_type) => literal(other, value_type),
    }
}

/// A number, a truth value or a text, in Rust.
pub(super) fn literal(value: Value<'_>, value_type: &ValueType) -> String {
    let is_real = matches!(value_type, ValueType::Float | ValueType::Double);
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) if is_real => format!("{number}.0"),
        Value::Integer(number) => grouped(number),
        Value::Real(text) if text.contains(['.', 'e', 'E']) => text.to_owned(),
        Value::Real(text) => format!("{text}.0"),
        Value::Text(text) => format!("{text:?}"),
        Value::Variant(..) => String::new(),
    }
}

/// A number in groups of three digits.
pub(super) fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) && digits.len() > 4 {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

fn write_encode(name: &str, structure: &Struct<'_>, names: TypeNames<'_>, writer: &mut Writer) {
    let is_plain = structure.traits.is_plain;
    let whom = if is_plain { format!("&{name}") } else { name.to_owned() };
    open_value_impl(" ::mage::codegen::Encode", &whom, writer);
    if structure.fields.is_empty() && !structure.is_extensible {
        write_encode_signature("writer", writer);
        // Whatever travels has bytes, so that a number of them can be held against what has arrived.
        writer.line("writer.put(0_u8);");
        writer.close();
    } else {
        let inner = if structure.fields.is_empty() { "_writer" } else { "writer" };
        write_encode_signature("writer", writer);
        let wrapper = match (structure.is_extensible, structure.traits.is_recursive) {
            (true, _) => Some("envelope"),
            (false, true) => Some("nested"),
            (false, false) => None,
        };
        if let Some(wrapper) = wrapper {
            writer.open(&format!("writer.{wrapper}(|{inner}|"));
        }
        for field in &structure.fields {
            let place = format!("self.{}", naming::identifier(field.name));
            let borrowed = is_plain && !names.is_copied(&field.value_type);
            let value = if borrowed { format!("&{place}") } else { place };
            writer.line(&format!("writer.{};", names.put(&field.value_type, &value)));
        }
        if wrapper.is_some() {
            writer.close_with(");");
        }
        writer.close();
    }
    writer.close();
    if is_plain {
        write_encode_by_value(name, writer);
    }
}

/// What can be sent by reference can be sent as it is, too.
pub(super) fn write_encode_by_value(name: &str, writer: &mut Writer) {
    open_value_impl(" ::mage::codegen::Encode", name, writer);
    write_encode_signature("writer", writer);
    writer.line("writer.put(&self);");
    writer.close();
    writer.close();
}

pub(super) fn write_encode_signature(variable: &str, writer: &mut Writer) {
    writer.open(&format!("fn encode(self, {variable}: &mut ::mage::codegen::Writer)"));
}

pub(super) fn write_decode_signature(parameter: &str, writer: &mut Writer) {
    let suffix = " -> ::core::result::Result<Self, ::mage::codegen::DecodeError>";
    writer.signature("fn decode", &[parameter.to_owned()], &format!("{suffix} {{"));
    writer.indent();
}

fn write_decode(name: &str, structure: &Struct<'_>, names: TypeNames<'_>, writer: &mut Writer) {
    open_value_impl(" ::mage::codegen::Decode", name, writer);
    writer.line(&format!("const SIZE_MIN: usize = {};", grouped(structure.traits.size_min.into())));
    writer.blank();
    write_decode_signature("reader: &mut ::mage::codegen::Reader", writer);
    if structure.fields.is_empty() && !structure.is_extensible {
        writer.line("match reader.take::<u8>()? {");
        writer.line("    0 => ::core::result::Result::Ok(Self {}),");
        writer.line("    _ => ::core::result::Result::Err(::mage::codegen::DecodeError::InvalidValue),");
        writer.line("}");
        writer.close();
        return writer.close();
    }
    if names.schema.shares(&structure.fields) {
        writer.line("reader.share();");
    }
    let wrapper = match (structure.is_extensible, structure.traits.is_recursive) {
        (true, _) => Some("envelope"),
        (false, true) => Some("nested"),
        (false, false) => None,
    };
    if let Some(wrapper) = wrapper {
        let inner = if structure.fields.is_empty() { "_reader" } else { "reader" };
        writer.open(&format!("reader.{wrapper}(|{inner}|"));
    }
    let fields = structure.fields.iter();
    let fields: Vec<(String, String)> =
        fields.map(|field| (naming::identifier(field.name), take(field, "reader", names))).collect();
    writer.struct_literal("::core::result::Result::Ok(", "Self", &fields, ")");
    if wrapper.is_some() {
        writer.close_with(")");
    }
    writer.close();
    writer.close();
}

/// What takes the value of a field out of `source`; that of an addition may not have been sent.
pub(super) fn take(field: &Field<'_>, source: &str, names: TypeNames<'_>) -> String {
    if field.min_version == 0 {
        return format!("{source}.{}", names.take(field));
    }
    let take = format!("reader.{}", names.take(field));
    let default = match (&field.default, default(field, names)) {
        (Some(_), default) => format!("|| {default}"),
        (None, default) => match default.strip_suffix("()") {
            Some(function) => function.to_owned(),
            None => format!("|| {default}"),
        },
    };
    format!("{source}.take_or({default}, |reader| {})?", take.trim_end_matches('?'))
}
