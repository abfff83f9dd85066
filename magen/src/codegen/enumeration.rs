//! Enums, and their way to the wire and back.

use super::structure::{grouped, write_decode_signature, write_encode_signature};
use super::writer::Writer;
use super::{ALLOWED, VALUE_ALLOWED, naming, open_value_impl};
use crate::schema::{Definition, Enum};

pub(super) fn write(definition: &Definition<'_>, enumeration: &Enum<'_>, writer: &mut Writer) {
    let name = definition.name;
    writer.blank();
    writer.docs(&definition.docs, &format!("The enum `{name}`."));
    writer.line(ALLOWED);
    writer.line(VALUE_ALLOWED);
    writer.line("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]");
    if enumeration.values.is_empty() && !enumeration.is_extensible {
        writer.open_and_close(&format!("pub enum {name}"));
    } else {
        writer.open(&format!("pub enum {name}"));
        for value in &enumeration.values {
            writer.docs(&value.docs, &format!("The value `{}`.", value.name));
            writer.line(&format!("{},", naming::camel_case(value.name)));
        }
        if enumeration.is_extensible {
            writer.line("/// A value that is newer than this code.");
            writer.line(&format!("{}(i32),", naming::UNKNOWN));
        }
        writer.close();
    }
    write_numbers(name, enumeration, writer);
    write_order(name, writer);
    write_codec(name, enumeration, writer);
}

fn write_numbers(name: &str, enumeration: &Enum<'_>, writer: &mut Writer) {
    writer.blank();
    writer.line(ALLOWED);
    writer.line(VALUE_ALLOWED);
    writer.open(&format!("impl {name}"));
    writer.line("/// The number that stands for it on the wire.");
    writer.open("pub const fn number(self) -> i32");
    if enumeration.values.is_empty() && !enumeration.is_extensible {
        writer.open_and_close("match self");
    } else {
        writer.open("match self");
        for value in &enumeration.values {
            let number = grouped(value.number.into());
            writer.line(&format!("Self::{} => {number},", naming::camel_case(value.name)));
        }
        if enumeration.is_extensible {
            writer.line(&format!("Self::{}(number) => number,", naming::UNKNOWN));
        }
        writer.close();
    }
    writer.close();
    writer.blank();
    let (result, wrap) = if enumeration.is_extensible {
        writer.line("/// The value with this number.");
        ("Self", ("", ""))
    } else {
        writer.line("/// The value with this number, if there is one.");
        ("::core::option::Option<Self>", ("::core::option::Option::Some(", ")"))
    };
    if enumeration.values.is_empty() {
        writer.open(&format!("pub const fn from_number(_number: i32) -> {result}"));
        writer.line(if enumeration.is_extensible {
            "Self::Unknown(_number)"
        } else {
            "::core::option::Option::None"
        });
    } else {
        writer.open(&format!("pub const fn from_number(number: i32) -> {result}"));
        writer.open("match number");
        for value in &enumeration.values {
            let (number, variant) = (grouped(value.number.into()), naming::camel_case(value.name));
            writer.line(&format!("{number} => {}Self::{variant}{},", wrap.0, wrap.1));
        }
        writer.line(if enumeration.is_extensible {
            "unknown => Self::Unknown(unknown),"
        } else {
            "_ => ::core::option::Option::None,"
        });
        writer.close();
    }
    writer.close();
    writer.close();
}

/// By number, whatever the order of declaration: maps travel in the order of their keys, and what one side knows by name
/// may be a mere number for the other.
fn write_order(name: &str, writer: &mut Writer) {
    open_value_impl(" ::core::cmp::Ord", name, writer);
    writer.open("fn cmp(&self, other: &Self) -> ::core::cmp::Ordering");
    writer.line("::core::cmp::Ord::cmp(&self.number(), &other.number())");
    writer.close();
    writer.close();
    open_value_impl(" ::core::cmp::PartialOrd", name, writer);
    writer.open("fn partial_cmp(&self, other: &Self) -> ::core::option::Option<::core::cmp::Ordering>");
    writer.line("::core::option::Option::Some(::core::cmp::Ord::cmp(self, other))");
    writer.close();
    writer.close();
}

fn write_codec(name: &str, enumeration: &Enum<'_>, writer: &mut Writer) {
    for whom in [name.to_owned(), format!("&{name}")] {
        open_value_impl(" ::mage::codegen::Encode", &whom, writer);
        write_encode_signature("writer", writer);
        writer.line("writer.put(self.number());");
        writer.close();
        writer.close();
    }
    open_value_impl(" ::mage::codegen::Decode", name, writer);
    writer.line("const SIZE_MIN: usize = 4;");
    writer.blank();
    write_decode_signature("reader: &mut ::mage::codegen::Reader", writer);
    if enumeration.is_extensible {
        writer.line("::core::result::Result::Ok(Self::from_number(reader.take()?))");
    } else {
        writer.line("let value = Self::from_number(reader.take()?);");
        writer.line("value.ok_or(::mage::codegen::DecodeError::InvalidValue)");
    }
    writer.close();
    writer.close();
}
