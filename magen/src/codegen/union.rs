//! Unions, and their way to the wire and back.

use super::structure::{derives, write_decode_signature, write_encode_by_value, write_encode_signature};
use super::type_name::TypeNames;
use super::writer::Writer;
use super::{ALLOWED, VALUE_ALLOWED, naming, open_value_impl};
use crate::schema::{Definition, Union};

pub(super) fn write(
    definition: &Definition<'_>,
    union: &Union<'_>,
    names: TypeNames<'_>,
    writer: &mut Writer,
) {
    let name = definition.name;
    writer.blank();
    writer.docs(&definition.docs, &format!("The union `{name}`."));
    writer.line(ALLOWED);
    writer.line(VALUE_ALLOWED);
    writer.line(&derives(union.traits));
    writer.open(&format!("pub enum {name}"));
    for member in &union.members {
        writer.docs(&member.docs, &format!("The member `{}`.", member.name));
        writer.line(&format!("{}({}),", naming::camel_case(member.name), names.owned(&member.value_type)));
    }
    if union.is_extensible {
        writer.line("/// A member that is newer than this code, by its number. Its value is not kept, and it cannot be sent.");
        writer.line(&format!("{}(u32),", naming::UNKNOWN));
    }
    writer.close();
    write_encode(name, union, names, writer);
    write_decode(name, union, names, writer);
}

/// What surrounds the value of a member.
fn wrapper(union: &Union<'_>) -> Option<&'static str> {
    match (union.is_extensible, union.traits.is_recursive) {
        (true, _) => Some("envelope"),
        (false, true) => Some("nested"),
        (false, false) => None,
    }
}

fn write_encode(name: &str, union: &Union<'_>, names: TypeNames<'_>, writer: &mut Writer) {
    let is_plain = union.traits.is_plain;
    let whom = if is_plain { format!("&{name}") } else { name.to_owned() };
    open_value_impl(" ::mage::codegen::Encode", &whom, writer);
    write_encode_signature("writer", writer);
    writer.open("match self");
    for member in &union.members {
        let path = format!("{name}::{}", naming::camel_case(member.name));
        let copied = is_plain && names.is_copied(&member.value_type);
        let put = names.put(&member.value_type, if copied { "*value" } else { "value" });
        writer.open(&format!("{path}(value) =>"));
        writer.line(&format!("writer.put({}_u32);", member.ordinal));
        match wrapper(union) {
            Some(wrapper) => writer.line(&format!("writer.{wrapper}(|writer| writer.{put});")),
            None => writer.line(&format!("writer.{put};")),
        }
        writer.close();
    }
    if union.is_extensible {
        let number = if is_plain { "*number" } else { "number" };
        writer.line(&format!("{name}::{}(number) => writer.unknown_member({number}),", naming::UNKNOWN));
    }
    writer.close();
    writer.close();
    writer.close();
    if is_plain {
        write_encode_by_value(name, writer);
    }
}

fn write_decode(name: &str, union: &Union<'_>, names: TypeNames<'_>, writer: &mut Writer) {
    open_value_impl(" ::mage::codegen::Decode", name, writer);
    writer.line(&format!("const SIZE_MIN: usize = {};", union.traits.size_min));
    writer.blank();
    write_decode_signature("reader: &mut ::mage::codegen::Reader", writer);
    writer.line("let number = reader.take::<u32>()?;");
    if let Some(wrapper) = wrapper(union) {
        writer.open(&format!("reader.{wrapper}(|reader|"));
    }
    writer.open("::core::result::Result::Ok(match number");
    for member in &union.members {
        let variant = naming::camel_case(member.name);
        let take = names.take(member);
        writer.line(&format!("{} => Self::{variant}(reader.{take}),", member.ordinal));
    }
    if union.is_extensible {
        writer.line(&format!("unknown => Self::{}(unknown),", naming::UNKNOWN));
    } else {
        writer.return_arm("_", "::core::result::Result::Err(::mage::codegen::DecodeError::InvalidValue)");
    }
    writer.close_with(")");
    if wrapper(union).is_some() {
        writer.close_with(")");
    }
    writer.close();
    writer.close();
}
