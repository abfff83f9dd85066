//! What is lost on the way between builds of different age.

use magen::dynamic::Value;

/// Whether a member of a union is in it that whoever has read the message did not know: its value is lost.
pub(crate) fn has_lost(value: &Value<'_>) -> bool {
    match value {
        Value::Union { member: None, .. } => true,
        Value::Union { member: Some((_, value)), .. } => has_lost(value),
        Value::Optional(Some(value)) | Value::Result(Ok(value) | Err(value)) => has_lost(value),
        Value::Array(values) => values.iter().any(has_lost),
        Value::Map(entries) => entries.iter().any(|(_, value)| has_lost(value)),
        Value::Struct(fields) => fields.iter().any(|(_, value)| has_lost(value)),
        _ => false,
    }
}
