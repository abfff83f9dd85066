//! The types of values in Rust: as they arrive, as they are sent, and as what carries them.

use super::naming;
use crate::schema::{DefinitionId, Field, Kind, Method, Schema, ValueType};

/// Names types for the code of one file.
#[derive(Clone, Copy)]
pub(super) struct TypeNames<'a> {
    pub(super) schema: &'a Schema<'a>,
}

impl TypeNames<'_> {
    /// The path of a declaration: its name, or by way of the module of the file it is in.
    fn path(self, id: DefinitionId) -> String {
        let definition = self.schema.definition(id);
        if definition.file + 1 == self.schema.files.len() {
            return definition.name.to_owned();
        }
        format!("super::{}::{}", self.schema.files[definition.file].rust_module, definition.name)
    }

    /// The type as it arrives.
    pub(super) fn owned(self, value_type: &ValueType) -> String {
        match value_type {
            ValueType::Bool => "bool".to_owned(),
            ValueType::Integer(integer) => integer.rust_name().to_owned(),
            ValueType::Float => "f32".to_owned(),
            ValueType::Double => "f64".to_owned(),
            ValueType::Text(_) => "::std::string::String".to_owned(),
            ValueType::Bytes(_) => "::std::vec::Vec<u8>".to_owned(),
            ValueType::MessagePipe => "::mage::MessagePipe".to_owned(),
            ValueType::Handle => "::std::os::fd::OwnedFd".to_owned(),
            ValueType::PendingRemote(id) => format!("::mage::PendingRemote<dyn {}>", self.path(*id)),
            ValueType::PendingReceiver(id) => format!("::mage::PendingReceiver<dyn {}>", self.path(*id)),
            ValueType::Stream(value, error) => {
                let value = self.owned(value);
                let error = error.as_ref().map(|error| format!(", {}", self.owned(error)));
                format!("::mage::StreamReceiver<{value}{}>", error.unwrap_or_default())
            }
            ValueType::Mapped(_, rust) => rust.clone(),
            ValueType::Shared(wire) if matches!(**wire, ValueType::Text(_)) => {
                "::mage::ByteString".to_owned()
            }
            ValueType::Shared(_) => "::mage::Bytes".to_owned(),
            ValueType::Named(id) => self.path(*id),
            ValueType::Array(element, _) => format!("::std::vec::Vec<{}>", self.owned(element)),
            ValueType::FixedArray(element, count) => format!("[{}; {count}]", self.owned(element)),
            ValueType::Map(key, value, _) => {
                format!("::std::collections::BTreeMap<{}, {}>", self.owned(key), self.owned(value))
            }
            ValueType::Optional { inner, is_boxed: false } => {
                format!("::core::option::Option<{}>", self.owned(inner))
            }
            ValueType::Optional { inner, is_boxed: true } => {
                format!("::core::option::Option<::std::boxed::Box<{}>>", self.owned(inner))
            }
        }
    }

    /// The type as it is sent: whatever can be borrowed is.
    pub(super) fn sent(self, value_type: &ValueType) -> String {
        if !self.schema.is_plain(value_type) {
            return self.owned(value_type);
        }
        match value_type {
            ValueType::Text(_) => "&str".to_owned(),
            ValueType::Bytes(_) => "&[u8]".to_owned(),
            // It is copied into the message, whoever owns it.
            ValueType::Shared(wire) => self.sent(wire),
            ValueType::Array(element, _) => format!("&[{}]", self.owned(element)),
            ValueType::Optional { inner, is_boxed: false } => {
                format!("::core::option::Option<{}>", self.sent(inner))
            }
            _ if self.is_copied(value_type) => self.owned(value_type),
            _ => format!("&{}", self.owned(value_type)),
        }
    }

    /// Whether a value is copied and not borrowed: numbers and enums.
    pub(super) fn is_copied(self, value_type: &ValueType) -> bool {
        match value_type {
            ValueType::Bool | ValueType::Integer(_) | ValueType::Float | ValueType::Double => true,
            ValueType::Named(id) => matches!(self.schema.definition(*id).kind, Kind::Enum(_)),
            _ => false,
        }
    }

    /// `put(value)`, called on a writer.
    pub(super) fn put(self, value_type: &ValueType, value: &str) -> String {
        if !value_type.has_bound() {
            return format!("put({value})");
        }
        format!("put_as::<{}, _>({value})", self.codec(value_type))
    }

    /// `take()?`, called on a reader.
    pub(super) fn take(self, field: &Field<'_>) -> String {
        match &field.value_type {
            value_type if !value_type.has_bound() => "take()?".to_owned(),
            // Its error is the user's, who will want to know where it came from.
            value_type @ ValueType::Mapped(..) => {
                format!("take_field::<{}>(\"{}\")?", self.codec(value_type), field.name)
            }
            value_type => format!("take_as::<{}>()?", self.codec(value_type)),
        }
    }

    /// What carries a value that has bounds.
    fn codec(self, value_type: &ValueType) -> String {
        if !value_type.has_bound() {
            return self.owned(value_type);
        }
        let bound =
            |bound: &Option<u32>| bound.map_or_else(|| "{ u32::MAX }".to_owned(), |bound| bound.to_string());
        match value_type {
            ValueType::Mapped(wire, rust) => format!("::mage::codegen::As<{}, {rust}>", self.codec(wire)),
            ValueType::Shared(wire) => format!("::mage::codegen::Shared<{}>", self.codec(wire)),
            ValueType::Text(length) => format!("::mage::codegen::Text<{}>", bound(length)),
            ValueType::Bytes(length) => format!("::mage::codegen::Bytes<{}>", bound(length)),
            ValueType::Array(element, length) => {
                format!("::mage::codegen::Array<{}, {}>", self.codec(element), bound(length))
            }
            ValueType::FixedArray(element, count) => {
                format!("::mage::codegen::FixedArray<{}, {count}>", self.codec(element))
            }
            ValueType::Map(key, value, length) => {
                let (key, value) = (self.codec(key), self.codec(value));
                format!("::mage::codegen::Map<{key}, {value}, {}>", bound(length))
            }
            ValueType::Optional { inner, is_boxed } => {
                let inner = self.codec(inner);
                if *is_boxed {
                    format!("::mage::codegen::Optional<::mage::codegen::Boxed<{inner}>>")
                } else {
                    format!("::mage::codegen::Optional<{inner}>")
                }
            }
            other => self.owned(other),
        }
    }

    /// The type that the answer to `method` has; `None` for a one-way method.
    pub(super) fn answer(self, interface: &str, method: &Method<'_>) -> Option<String> {
        let values = method.response.as_deref()?;
        let answer = match values {
            [] => "()".to_owned(),
            [value] if !has_response_type(method) => self.owned(&value.value_type),
            _ => naming::response_type(interface, method.name),
        };
        Some(match &method.error {
            None => answer,
            Some(error) => format!("::core::result::Result<{answer}, {}>", self.owned(error)),
        })
    }
}

/// Whether the response has a struct of its own: because it has several values, or because one has bounds to check or
/// may be missing.
pub(super) fn has_response_type(method: &Method<'_>) -> bool {
    match method.response.as_deref() {
        None | Some([]) => false,
        Some([value]) => value.value_type.has_bound() || value.min_version > 0,
        Some(_) => true,
    }
}
